//! New content for a file, all or nothing: written beside, synced, then put in place.
//!
//! On Linux the new file has no name until it is complete (`O_TMPFILE`), so a killed process
//! leaves nothing behind. Elsewhere, and on file systems without it, it is a temporary file in the
//! same folder.

use crate::{Code, Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What to do about a file that has the target's name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail.
    Keep,
    /// Replace it in one step.
    Replace,
}

/// A file being written beside its target. Dropped without [`commit`](Beside::commit) it is gone.
pub(crate) struct Beside {
    file: File,
    target: PathBuf,
    folder: PathBuf,
    name: Option<tempfile::TempPath>,
}

impl Beside {
    /// Starts a file for `target`, readable and writable. `secret` makes it the owner's alone.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if something other than a regular file has that name.
    pub(crate) fn create(target: &Path, secret: bool) -> Result<Self> {
        let (target, folder) = resolve(target)?;
        let io = |e| Error::io("creating the new file", e);
        if let Some(file) = unnamed(&folder, secret).map_err(io)? {
            return Ok(Beside { file, target, folder, name: None });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        #[cfg(unix)]
        if !secret {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let (file, name) = builder.tempfile_in(&folder).map_err(io)?.into_parts();
        Ok(Beside { file, target, folder, name: Some(name) })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// What is to be replaced is here by now: it, or a folder above it, was renamed.
    pub(crate) fn retarget(&mut self, target: &Path) -> Result<()> {
        (self.target, self.folder) = resolve(target)?;
        Ok(())
    }

    /// If it will replace a file, only those whom that allowed may read it: from the start, where it
    /// has a name already.
    pub(crate) fn replacing(self, existing: Existing) -> Result<Self> {
        #[cfg(unix)]
        if existing == Existing::Replace {
            use std::os::unix::fs::PermissionsExt;
            let io = |e| Error::io("keeping the file's permissions", e);
            match fs::metadata(&self.target) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                old => {
                    // Not the bits that run a program as somebody else, who may not be its owner now.
                    let mode = old.map_err(io)?.permissions().mode() & 0o777;
                    // Where all files have the same, nobody may set it.
                    if self.file.metadata().map_err(io)?.permissions().mode() & 0o777 != mode {
                        let mode = fs::Permissions::from_mode(mode);
                        self.file.set_permissions(mode).map_err(io)?;
                    }
                }
            }
        }
        #[cfg(not(unix))]
        let _ = existing;
        Ok(self)
    }

    /// Takes over permissions and owner of the file that this one replaces.
    pub(crate) fn like(&self, old: &fs::Metadata) -> Result<()> {
        let io = |e: io::Error| Error::io("keeping the file's permissions and owner", e);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let new = self.file.metadata().map_err(io)?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                let (uid, gid) = (old.uid(), old.gid());
                std::os::unix::fs::fchown(&self.file, Some(uid), Some(gid)).map_err(io)?;
            }
        }
        self.file.set_permissions(old.permissions()).map_err(io)
    }

    /// Syncs the content and gives it the target's name. With `and_folder` the name is durable
    /// too when this returns.
    pub(crate) fn commit(self, existing: Existing, and_folder: bool) -> Result<()> {
        self.sync()?;
        self.place(existing, and_folder)
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io("syncing the new file", e))
    }

    /// Gives content that is synced the target's name.
    fn place(self, existing: Existing, and_folder: bool) -> Result<()> {
        let io = |e| Error::io("putting the new file in place", e);
        match (self.name, existing) {
            (Some(name), Existing::Replace) => replace(name, &self.target).map_err(io)?,
            (Some(name), Existing::Keep) => {
                name.persist_noclobber(&self.target).map_err(|e| io(e.error))?;
            }
            (None, Existing::Keep) => link(&self.file, &self.target).map_err(io)?,
            (None, Existing::Replace) => {
                // `link` cannot replace: a complete file gets a passing name first.
                let passing = self.folder.join(format!("{TEMPORARY}{}", crate::Id::random()));
                link(&self.file, &passing).map_err(io)?;
                let passing = tempfile::TempPath::try_from_path(passing).map_err(io)?;
                replace(passing, &self.target).map_err(io)?;
            }
        }
        if and_folder { sync_folder(&self.folder) } else { Ok(()) }
    }
}

/// The name that a new file is to get, and the folder of that.
fn resolve(target: &Path) -> Result<(PathBuf, PathBuf)> {
    let mut target = target.to_owned();
    if is_there(&target)? {
        // A link is followed: its target is replaced, not the link. One that leads nowhere is
        // replaced itself.
        let found = |e: &io::Error| e.kind() != io::ErrorKind::NotFound;
        let look = |e| Error::io("looking at the output", e);
        if target.is_symlink() {
            match fs::canonicalize(&target) {
                Ok(real) => target = real,
                Err(e) if found(&e) => return Err(look(e)),
                Err(_) => {}
            }
        }
        match fs::metadata(&target) {
            Ok(m) if !m.is_file() => {
                let why = "the output is a folder or device, not a regular file";
                return Err(Error::new(Code::BadArgument, why));
            }
            Err(e) if found(&e) => return Err(look(e)),
            _ => {}
        }
    }
    let folder = match target.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((target, folder))
}

/// First letters of names of files that are not complete, or not in place yet.
pub(crate) const TEMPORARY: &str = ".bulla-new-";

impl AsRef<File> for Beside {
    fn as_ref(&self) -> &File {
        &self.file
    }
}

impl Write for Beside {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn write_vectored(&mut self, data: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.file.write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new file that is complete, but neither durable nor in place. Dropped it is gone.
pub struct Unplaced {
    pub(crate) beside: Beside,
    pub(crate) existing: Existing,
}

/// Makes the contents of many files durable at the price of a few, then puts each in place; gives
/// what became of each. Names are durable after [`sync_folder`].
///
/// On Linux all that waits to be written to their file systems is written, once for each of these;
/// elsewhere the files are synced one by one.
pub fn place_all(files: Vec<Unplaced>) -> Vec<Result<()>> {
    let synced = sync_together(&files);
    let place = |(file, synced): (Unplaced, Result<()>)| {
        synced.and_then(|()| file.beside.place(file.existing, false))
    };
    files.into_iter().zip(synced).map(place).collect()
}

#[cfg(target_os = "linux")]
fn sync_together(files: &[Unplaced]) -> Vec<Result<()>> {
    use std::collections::BTreeMap;
    use std::os::unix::fs::MetadataExt;
    // By file system. `syncfs` tells of errors since the file was opened, those of others too.
    let mut done = BTreeMap::new();
    let sync = |file: &Unplaced| {
        let device = file.beside.file.metadata().map(|meta| meta.dev());
        let device = device.map_err(|e| Error::io("syncing the new file", e))?;
        if *done.entry(device).or_insert_with(|| rustix::fs::syncfs(&file.beside.file).is_ok()) {
            return Ok(());
        }
        // Perhaps somebody else's: now this file's own.
        file.beside.sync()
    };
    files.iter().map(sync).collect()
}

#[cfg(not(target_os = "linux"))]
fn sync_together(files: &[Unplaced]) -> Vec<Result<()>> {
    files.iter().map(|file| file.beside.sync()).collect()
}

#[cfg(not(windows))]
fn replace(name: tempfile::TempPath, target: &Path) -> io::Result<()> {
    name.persist(target).map_err(|e| e.error)
}

#[cfg(windows)]
use crate::windows::replace;

/// Makes renames and new names in a folder durable.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> Result<()> {
    let folder = File::open(folder).and_then(|f| f.sync_all());
    folder.map_err(|e| Error::io("syncing the folder", e))
}

/// Makes renames and new names in a folder durable. Windows has no such call; NTFS journals names
/// by itself.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Waits for the lock of a folder, which goes with what this gives. `None` where folders cannot be
/// locked.
#[cfg(unix)]
pub(crate) fn lock_folder(folder: &Path) -> Option<File> {
    lock(File::open(folder).ok()?).ok()
}

/// Waits for the lock of a file, also through signals.
#[cfg(not(windows))]
pub(crate) fn lock(file: File) -> io::Result<File> {
    loop {
        match file.lock() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            locked => return locked.map(|()| file),
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn lock_folder(_folder: &Path) -> Option<File> {
    None
}

#[cfg(target_os = "linux")]
fn unnamed(folder: &Path, secret: bool) -> io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;
    // Giving it a name later goes through /proc.
    if !Path::new("/proc/self/fd").is_dir() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(if secret { 0o600 } else { 0o666 });
    match rustix::io::retry_on_intr(|| rustix::fs::open(folder, flags, mode)) {
        Ok(fd) => Ok(Some(fd.into())),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

#[cfg(target_os = "linux")]
fn link(file: &File, name: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    use std::os::fd::AsRawFd;
    let this = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, this, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(not(target_os = "linux"))]
fn unnamed(_folder: &Path, _secret: bool) -> io::Result<Option<File>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn link(_file: &File, _name: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A plain output, all or nothing: what [`Reader::export`](crate::Reader::export) writes to.
/// Without [`finish`](OutputFile::finish) nothing is left behind.
pub struct OutputFile {
    beside: Beside,
    existing: Existing,
}

impl OutputFile {
    /// Starts the file beside `path`; on Unix, with the permissions of what it is to replace.
    ///
    /// # Errors
    /// [`Code::Exists`] at once if the target is there and is to be kept.
    pub fn create(path: &Path, existing: Existing) -> Result<Self> {
        refuse_existing(path, existing)?;
        let beside = Beside::create(path, false)?.replacing(existing)?;
        Ok(OutputFile { beside, existing })
    }

    pub(crate) fn file(&self) -> &File {
        &self.beside.file
    }

    /// Sets the time of the last change.
    pub fn set_modified(&self, time: SystemTime) -> Result<()> {
        self.beside.file.set_modified(time).map_err(|e| Error::io("setting the file's time", e))
    }

    /// Syncs the content and puts it in place.
    pub fn finish(self) -> Result<()> {
        self.beside.commit(self.existing, true)
    }
}

impl Write for OutputFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.beside.write(data)
    }

    fn write_vectored(&mut self, data: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.beside.write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.beside.flush()
    }
}

/// Fails before any work is done, where the end is known.
pub(crate) fn refuse_existing(path: &Path, existing: Existing) -> Result<()> {
    if existing == Existing::Keep && is_there(path)? {
        return Err(Error::new(Code::Exists, "the output exists already"));
    }
    Ok(())
}

/// Whether something has this name.
fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::io("looking at the output", e)),
    }
}

/// Writes a small file as a whole.
pub(crate) fn write(target: &Path, content: &[u8], secret: bool, existing: Existing) -> Result<()> {
    let mut new = Beside::create(target, secret)?;
    new.write_all(content).map_err(|e| Error::io("writing the new file", e))?;
    new.commit(existing, true)
}

/// Reads a small text file of at most `max` bytes.
pub(crate) fn read_text(path: &Path, max: usize) -> Result<String> {
    use std::io::Read;
    let io = |e| Error::io("reading the file", e);
    let file = File::open(path).map_err(io)?;
    // Room enough from the start, and for the last look whether there is more: memory that grows
    // leaves copies behind, of keys for example.
    let len = file.metadata().map_err(io)?.len().min(max as u64) as usize;
    let mut bytes = Vec::with_capacity(len + 64);
    file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > max {
        return Err(Error::new(Code::BadArgument, "the file is too long for what it should be"));
    }
    String::from_utf8(bytes).map_err(|_| Error::new(Code::BadArgument, "the file is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let names = || fs::read_dir(folder.path()).unwrap().count();

        let mut dropped = Beside::create(&target, false).unwrap();
        dropped.write_all(b"half").unwrap();
        drop(dropped);
        assert_eq!(names(), 0);

        write(&target, b"one", false, Existing::Keep).unwrap();
        let again = write(&target, b"two", false, Existing::Keep).unwrap_err();
        assert_eq!(again.code(), Code::Exists);
        assert_eq!(fs::read(&target).unwrap(), b"one");
        write(&target, b"three", true, Existing::Replace).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"three");
        assert_eq!(names(), 1);
    }

    #[test]
    fn an_open_file_is_replaced() {
        use std::io::Read;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, b"old").unwrap();
        let mut open = File::open(&target).unwrap();
        write(&target, b"new", false, Existing::Replace).unwrap();
        let mut seen = String::new();
        open.read_to_string(&mut seen).unwrap();
        assert_eq!((seen.as_str(), fs::read(&target).unwrap()), ("old", b"new".to_vec()));
        drop(open);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn many_are_placed_together() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, existing| {
            let mut beside = Beside::create(&folder.path().join(name), false).unwrap();
            beside.write_all(name.as_bytes()).unwrap();
            Unplaced { beside, existing }
        };
        fs::write(folder.path().join("b"), "old").unwrap();
        fs::write(folder.path().join("c"), "old").unwrap();
        let files = vec![
            file("a", Existing::Keep),
            file("b", Existing::Keep),
            file("c", Existing::Replace),
            file("d", Existing::Keep),
        ];
        drop(file("e", Existing::Keep));
        assert!(!folder.path().join("a").exists());
        let codes: Vec<_> =
            place_all(files).into_iter().map(|r| r.err().map(|e| e.code())).collect();
        assert_eq!(codes, [None, Some(Code::Exists), None, None]);
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(["a", "b", "c", "d"].map(read), ["a", "old", "c", "d"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn secret_files_are_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("key");
        write(&target, b"secret", true, Existing::Keep).unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_when_a_file_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("claims.csv");
        let mode = || fs::metadata(&target).unwrap().permissions().mode() & 0o7777;
        for (old, new) in [(0o600, 0o600), (0o640, 0o640), (0o4755, 0o755)] {
            fs::write(&target, b"old").unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(old)).unwrap();
            OutputFile::create(&target, Existing::Replace).unwrap().finish().unwrap();
            assert_eq!(mode(), new);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"new", false, Existing::Replace).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }
}
