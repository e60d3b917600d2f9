//! Which program a process runs.

use crate::measure::MeasuredProgram;
use crate::measure::hash::sha256_of;
use crate::measure::recent::Recent;
use std::fs::{self, File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// A file with the same identity has the same content: writing sets the time of change (ctime),
/// which nobody but root can set back.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        Identity {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// File times move in steps of some milliseconds: content that changed within the last two
    /// seconds could change once more and look the same.
    fn is_settled(&self, now: u64) -> bool {
        u64::try_from(self.changed.0).is_ok_and(|changed| changed.saturating_add(2) < now)
    }
}

/// Hashes of program files, by identity.
pub(super) struct Hashes(Recent<Identity, [u8; 32]>);

impl Default for Hashes {
    fn default() -> Self {
        Hashes(Recent::new(Duration::MAX))
    }
}

/// `statfs` of file systems that a user's own process may serve.
const FUSE: i64 = 0x6573_5546;

impl Hashes {
    /// The file that process `pid` runs (or this one): found through the kernel's link, which
    /// leads there even if the file was renamed or deleted since.
    pub(super) fn program(&self, pid: Option<u32>) -> Option<MeasuredProgram> {
        let link = pid.map_or("/proc/self/exe".into(), |pid| format!("/proc/{pid}/exe"));
        let file = File::open(link).ok()?;
        let identity = Identity::of(&file.metadata().ok()?);
        Some(MeasuredProgram {
            path: path_of(&file, &identity),
            sha256: self.hash(&file, identity, crate::clock::now()),
        })
    }

    fn hash(&self, file: &File, identity: Identity, now: u64) -> Option<[u8; 32]> {
        // Such a file may read differently every time, and say that it never changed.
        #[allow(clippy::useless_conversion)] // 32 bits wide on some machines
        if i64::from(rustix::fs::fstatfs(file).ok()?.f_type) == FUSE {
            return None;
        }
        if let Some(hash) = self.0.get(&identity, Duration::ZERO) {
            return Some(hash);
        }
        let hash = sha256_of(file)?;
        if Identity::of(&file.metadata().ok()?) != identity {
            return None;
        }
        if identity.is_settled(now) {
            self.0.put(identity, hash, Duration::ZERO);
        }
        Some(hash)
    }
}

/// Where an open file is. In another mount namespace the kernel may name a path that is another
/// file's here, so the path counts only if it leads back to the same file.
fn path_of(file: &File, identity: &Identity) -> Option<String> {
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let path = path.into_os_string().into_string().ok()?;
    let there = fs::metadata(&path).ok()?;
    let same = (there.dev(), there.ino()) == (identity.device, identity.inode);
    (same && !path.ends_with(" (deleted)")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::sha256;
    use std::path::Path;
    use std::process::{Child, Command};

    /// Ends the process that a test started, however the test ends.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Runs it and waits until the kernel says that it does.
    fn run(program: &Path) -> Running {
        let child = Running(Command::new(program).arg("60").spawn().unwrap());
        let link = format!("/proc/{}/exe", child.0.id());
        while fs::read_link(&link).unwrap() != program {
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn this_program() {
        let found = Hashes::default().program(None).unwrap();
        let path = std::env::current_exe().unwrap();
        assert_eq!(found.path.as_deref(), path.to_str());
        assert_eq!(found.sha256, Some(sha256(&fs::read(path).unwrap())));
        assert_eq!(Hashes::default().program(Some(0)), None);
    }

    #[test]
    fn a_program_that_is_renamed_replaced_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        let path = folder.join("crm");
        fs::copy("/bin/sleep", &path).unwrap();
        let expected = Some(sha256(&fs::read(&path).unwrap()));
        let running = run(&path);
        let hashes = Hashes::default();
        let measure = || hashes.program(Some(running.0.id())).unwrap();
        let text = |p: &Path| p.to_str().map(str::to_owned);
        assert_eq!(measure(), MeasuredProgram { path: text(&path), sha256: expected });

        let moved = folder.join("moved");
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, b"another").unwrap();
        assert_eq!(measure(), MeasuredProgram { path: text(&moved), sha256: expected });

        // Something else by the name that the kernel gives to what is gone.
        fs::remove_file(&moved).unwrap();
        fs::write(folder.join("moved (deleted)"), b"another").unwrap();
        assert_eq!(measure(), MeasuredProgram { path: None, sha256: expected });
    }

    #[test]
    fn of_a_script_the_interpreter_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "read line\n").unwrap();
        let mut shell = Command::new("/bin/sh");
        let child =
            Running(shell.arg(&script).stdin(std::process::Stdio::piped()).spawn().unwrap());
        let sh = fs::canonicalize("/bin/sh").unwrap();
        while fs::read_link(format!("/proc/{}/exe", child.0.id())).unwrap() != sh {
            std::thread::yield_now();
        }
        let found = Hashes::default().program(Some(child.0.id())).unwrap();
        assert_eq!(found.sha256, Some(sha256(&fs::read(sh).unwrap())));
    }

    #[test]
    fn a_changed_file_gets_a_new_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let hashes = Hashes::default();
        let hash = |now| {
            let file = File::open(&path).unwrap();
            hashes.hash(&file, Identity::of(&file.metadata().unwrap()), now)
        };
        // Long past the change, so that the hash is kept.
        let later = crate::clock::now() + 60;
        fs::write(&path, b"one").unwrap();
        let identity = Identity::of(&fs::metadata(&path).unwrap());
        assert_eq!(hash(later), Some(sha256(b"one")));
        assert!(hashes.0.get(&identity, Duration::ZERO).is_some());

        // The same length and time of modification: the time of change tells.
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        fs::write(&path, b"two").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(hash(later), Some(sha256(b"two")));
    }

    #[test]
    fn a_file_that_just_changed_is_hashed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, b"one").unwrap();
        let hashes = Hashes::default();
        let file = File::open(&path).unwrap();
        let identity = Identity::of(&file.metadata().unwrap());
        let changed = u64::try_from(identity.changed.0).unwrap();
        for now in [0, changed, changed + 2] {
            assert_eq!(
                hashes.hash(&File::open(&path).unwrap(), identity, now),
                Some(sha256(b"one"))
            );
            assert_eq!(hashes.0.get(&identity, Duration::ZERO), None);
        }
        assert!(hashes.hash(&file, identity, changed + 3).is_some());
        assert!(hashes.0.get(&identity, Duration::ZERO).is_some());
    }
}
