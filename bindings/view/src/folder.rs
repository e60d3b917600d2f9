//! The folder behind a view: names as they stand there, and what a view shows of them. `X.bulla`
//! is shown as `X`; where there is an `X` too, both keep their names.

use crate::kinds::Kinds;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, openat2, statat};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Ending of the names of sealed files.
const ENDING: &[u8] = b".bulla";

/// Folder of settings of a view. It is never shown, and nothing can be made by that name.
pub(crate) const SETTINGS: &str = ".bulla";

/// Longest name that file systems take, in bytes.
const LONGEST: usize = 255;

/// What something is, as far as a view is concerned. Sockets, pipes and devices are not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    Link,
    Plain,
    /// With the bytes of content that its length says.
    Sealed(u64),
}

/// One name in a folder.
pub(crate) struct Entry {
    /// The name there.
    pub(crate) real: OsString,
    pub(crate) kind: Kind,
    pub(crate) stat: Stat,
}

/// An open folder.
pub(crate) struct Folder {
    fd: OwnedFd,
    kinds: Arc<Kinds>,
    /// What is not shown wherever it lies below: the folder with the keys.
    hidden: Option<Stat>,
}

/// What tells a folder from all others that are there.
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

impl Folder {
    /// The folder that a view is of.
    pub(crate) fn root(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Folder { fd, kinds: Arc::default(), hidden: None })
    }

    /// The same without this folder, by whatever name it is there.
    pub(crate) fn hiding(self, home: &Path) -> Result<Self, Errno> {
        Ok(Folder { hidden: Some(rustix::fs::stat(home)?), ..self })
    }

    fn hides(&self, stat: &Stat) -> bool {
        self.hidden.as_ref().is_some_and(|hidden| identity(hidden) == identity(stat))
    }

    /// A folder below this one. No link leads there, so that nobody leads the view astray.
    pub(crate) fn below(&self, path: &Path) -> Result<Self, Errno> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let fd = openat2(&self.fd, path, flags, Mode::empty(), within)?;
        // It may have got a name that was another folder's.
        if self.hides(&rustix::fs::fstat(&fd)?) {
            return Err(Errno::NOENT);
        }
        Ok(Folder { fd, kinds: Arc::clone(&self.kinds), hidden: self.hidden })
    }

    /// Whether both are the same folder.
    pub(crate) fn is(&self, other: &Folder) -> bool {
        let this = |folder: &Folder| rustix::fs::fstat(&folder.fd).map(|stat| identity(&stat));
        this(self).is_ok_and(|found| this(other) == Ok(found))
    }

    /// A path that leads into this folder, as long as it is open.
    pub(crate) fn path(&self, real: &OsStr) -> PathBuf {
        Path::new(&format!("/proc/self/fd/{}", self.fd.as_raw_fd())).join(real)
    }

    pub(crate) fn stat(&self, real: &OsStr) -> Result<Stat, Errno> {
        statat(&self.fd, real, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Opens a regular file to read it.
    pub(crate) fn open(&self, real: &OsStr) -> Result<File, Errno> {
        // A pipe in its place must not make us wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.fd, real, flags, Mode::empty())?;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        if kind == FileType::RegularFile { Ok(file.into()) } else { Err(Errno::ACCESS) }
    }

    /// Sets the mode of a file or folder. That of links cannot be set, and none is followed: it
    /// leads out of here, perhaps.
    pub(crate) fn set_mode(&self, real: &OsStr, mode: Mode) -> Result<(), Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = rustix::fs::openat(&self.fd, real, flags, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&held)?.st_mode) == FileType::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        // `fchmod` does not take what was opened without the right to read it.
        rustix::fs::chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), mode)
    }

    /// What has this name here; `None` of what is not shown.
    pub(crate) fn real(&self, real: &OsStr) -> Result<Option<Entry>, Errno> {
        let stat = self.stat(real)?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if self.hides(&stat) => return Ok(None),
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            FileType::RegularFile => {
                self.kinds.of(&stat, || self.content(real).map_or(Kind::Plain, Kind::Sealed))
            }
            _ => return Ok(None),
        };
        Ok(Some(Entry { real: real.to_owned(), kind, stat }))
    }

    /// Bytes of content of a sealed file, as its length says; `None` if it is none. One of an
    /// impossible length is sealed, too, and has none.
    fn content(&self, real: &OsStr) -> Option<u64> {
        let file = self.open(real).ok()?;
        let mut start = [0; 12];
        let got = file.read_at(&mut start, 0).ok()?;
        if !bulla::is_sealed(&start[..got]) {
            return None;
        }
        let payload_at = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
        let stored = file.metadata().ok()?.len().checked_sub(payload_at.into());
        Some(stored.and_then(bulla::cobblestone::plaintext_len).unwrap_or(0))
    }

    /// What a view shows by this name.
    pub(crate) fn shown(&self, name: &OsStr) -> Result<Entry, Errno> {
        if name == SETTINGS {
            return Err(Errno::NOENT);
        }
        match self.real(name) {
            // It is shown without its ending, unless that name is taken.
            Ok(Some(entry)) => match (entry.kind, without_ending(name)) {
                (Kind::Sealed(_), Some(short)) if self.is_free(&short) => Err(Errno::NOENT),
                _ => Ok(entry),
            },
            Ok(None) => Err(Errno::NOENT),
            Err(Errno::NOENT) => {
                let long = with_ending(name).ok_or(Errno::NOENT)?;
                let entry = self.real(&long)?.ok_or(Errno::NOENT)?;
                if matches!(entry.kind, Kind::Sealed(_)) { Ok(entry) } else { Err(Errno::NOENT) }
            }
            Err(e) => Err(e),
        }
    }

    pub(crate) fn is_free(&self, real: &OsStr) -> bool {
        self.stat(real).is_err_and(|e| e == Errno::NOENT)
    }

    /// All that a view shows, by the names that it shows.
    pub(crate) fn list(&self) -> Result<Vec<(OsString, Entry)>, Errno> {
        let mut names = BTreeSet::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && name != SETTINGS.as_bytes() {
                names.insert(OsStr::from_bytes(name).to_owned());
            }
        }
        let mut shown = Vec::with_capacity(names.len());
        for real in &names {
            // What is gone meanwhile, or may not be looked at, is left out.
            let Ok(Some(entry)) = self.real(real) else { continue };
            let short = without_ending(real)
                .filter(|short| matches!(entry.kind, Kind::Sealed(_)) && !names.contains(short));
            shown.push((short.unwrap_or_else(|| real.clone()), entry));
        }
        Ok(shown)
    }

    /// The name here for a new sealed file that is shown by this one. It hides no other: where
    /// `X.bulla` is shown, `X` keeps its name.
    pub(crate) fn name_for(&self, shown: &OsStr) -> OsString {
        let hides_none = |long: &OsString| {
            self.is_free(long) && self.shown(long).is_err_and(|e| e == Errno::NOENT)
        };
        with_ending(shown).filter(hides_none).unwrap_or_else(|| shown.to_owned())
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn without_ending(name: &OsStr) -> Option<OsString> {
    let short = name.as_bytes().strip_suffix(ENDING).filter(|short| !short.is_empty())?;
    // `..bulla` and `...bulla` keep theirs.
    (short != b"." && short != b"..").then(|| OsString::from_vec(short.to_vec()))
}

/// `None` if that would be too long.
fn with_ending(name: &OsStr) -> Option<OsString> {
    let long = [name.as_bytes(), ENDING].concat();
    (long.len() <= LONGEST).then(|| OsString::from_vec(long))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_come_and_go() {
        let short = |name: &str| without_ending(OsStr::new(name));
        assert_eq!(short("a.csv.bulla").unwrap(), "a.csv");
        for kept in ["a.csv", ".bulla", "..bulla", "...bulla"] {
            assert_eq!(short(kept), None, "{kept}");
        }
        assert_eq!(with_ending(OsStr::new("a")).unwrap(), "a.bulla");
        assert_eq!(with_ending(OsStr::new(&"x".repeat(250))), None);
    }

    #[test]
    fn no_new_name_hides_another() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        let root = Folder::root(path).unwrap();
        let name = |shown: &str| root.name_for(OsStr::new(shown));
        let shown = |name: &str| root.shown(OsStr::new(name)).map(|entry| entry.real);
        assert_eq!((name("a"), name("a.bulla")), ("a.bulla".into(), "a.bulla.bulla".into()));
        std::fs::write(path.join("a.bulla.bulla"), b"\x89BULLA\x01\n").unwrap();
        assert_eq!(shown("a.bulla").unwrap(), "a.bulla.bulla");
        assert_eq!(name("a"), "a");
        std::fs::write(path.join("a"), b"\x89BULLA\x01\n").unwrap();
        assert_eq!(
            (shown("a").unwrap(), shown("a.bulla").unwrap()),
            ("a".into(), "a.bulla.bulla".into())
        );
    }

    #[test]
    fn the_home_is_not_there() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        std::fs::create_dir_all(path.join("d/home/keys")).unwrap();
        let root = Folder::root(path).unwrap().hiding(&path.join("d/home")).unwrap();
        let (d, name) = (root.below(Path::new("d")).unwrap(), OsStr::new("home"));
        assert!(d.real(name).unwrap().is_none() && d.list().unwrap().is_empty());
        assert_eq!((d.shown(name).err(), d.is_free(name)), (Some(Errno::NOENT), false));
        assert_eq!(root.below(Path::new("d/home")).err(), Some(Errno::NOENT));
        std::fs::rename(path.join("d/home"), path.join("moved")).unwrap();
        assert_eq!(root.list().unwrap().len(), 1);
    }

    #[test]
    fn the_mode_of_what_a_link_leads_to_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        std::fs::create_dir(path.join("d")).unwrap();
        std::fs::write(path.join("outside"), "").unwrap();
        std::os::unix::fs::symlink("../outside", path.join("d/link")).unwrap();
        let before = rustix::fs::stat(path.join("outside")).unwrap().st_mode;
        let folder = Folder::root(&path.join("d")).unwrap();
        let all = Mode::from_raw_mode(0o777);
        assert_eq!(folder.set_mode(OsStr::new("link"), all), Err(Errno::OPNOTSUPP));
        assert_eq!(rustix::fs::stat(path.join("outside")).unwrap().st_mode, before);
        // One that its owner may not read, too.
        for mode in [0, 0o640] {
            std::fs::write(path.join("d/file"), "").unwrap();
            folder.set_mode(OsStr::new("file"), Mode::from_raw_mode(mode)).unwrap();
            let now = rustix::fs::stat(path.join("d/file")).unwrap().st_mode;
            assert_eq!(now & 0o7777, mode);
        }
    }

    #[test]
    fn links_lead_nowhere_else() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        std::fs::create_dir_all(path.join("d/e")).unwrap();
        std::os::unix::fs::symlink("/etc", path.join("out")).unwrap();
        std::os::unix::fs::symlink("e", path.join("d/in")).unwrap();
        let root = Folder::root(path).unwrap();
        assert!(root.below(Path::new("d/e")).is_ok());
        for astray in ["out", "d/in", "..", "d/../..", "/etc"] {
            assert!(root.below(Path::new(astray)).is_err(), "{astray}");
        }
        assert_eq!(root.shown(OsStr::new("out")).unwrap().kind, Kind::Link);
        assert!(root.open(OsStr::new("out")).is_err());
    }
}
