//! What is otherwise on Windows with files that somebody has open.

use crate::Id;
use crate::atomic::TEMPORARY;
use std::fs::{self, File};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Gives a complete file the target's name, also while the target is open, as it is for whoever
/// saves what they read. Windows 10 does that in one step on NTFS. Where it cannot be, the old
/// file steps aside first; its bytes are gone when the last one who has it open closes it.
pub(crate) fn replace(name: tempfile::TempPath, target: &Path) -> io::Result<()> {
    let name = name.keep().map_err(|e| e.error)?;
    let done = fs::rename(&name, target).or_else(|e| match e.kind() {
        io::ErrorKind::PermissionDenied if !read_only(target) => swap(&name, target),
        _ => Err(e),
    });
    done.inspect_err(|_| drop(fs::remove_file(&name)))
}

fn swap(new: &Path, target: &Path) -> io::Result<()> {
    let old = target.with_file_name(format!("{TEMPORARY}{}", Id::random()));
    fs::rename(target, &old)?;
    match fs::rename(new, target) {
        Ok(()) => fs::remove_file(&old),
        Err(e) => fs::rename(&old, target).and(Err(e)),
    }
}

fn read_only(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|m| m.permissions().readonly())
}

/// Waits until no other saver of this file is at work. A lock on the file itself would keep its
/// readers out, and us where we open it once more: so it is a file beside it, which nobody shares,
/// and which the system removes when the handle is closed.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    // `ERROR_SHARING_VIOLATION`; `ERROR_ACCESS_DENIED` while it is being removed.
    const TAKEN: [Option<i32>; 2] = [Some(32), Some(5)];
    // As for the new file: a link is followed where it can be.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Names have at most 255 units. Files that differ only behind that wait for each other.
    let name: String = name.chars().take(100).collect();
    let lock = path.with_file_name(format!("{TEMPORARY}{name}.lock"));
    let mut options = File::options();
    options.write(true).create(true).share_mode(0).custom_flags(DELETE_ON_CLOSE);
    let start = Instant::now();
    loop {
        match options.open(&lock) {
            Err(e) if TAKEN.contains(&e.raw_os_error()) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(2));
            }
            done => return done,
        }
    }
}

/// How long a saver waits: others hold the lock while they check and sync.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn one_saver_at_a_time_and_readers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"content").unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let first = lock(&path).unwrap();
        let mut seen = String::new();
        File::open(&path).unwrap().read_to_string(&mut seen).unwrap();
        assert_eq!((seen.as_str(), names()), ("content", 2));
        let second = std::thread::spawn({
            let path = path.clone();
            move || drop(lock(&path).unwrap())
        });
        std::thread::sleep(Duration::from_millis(100));
        assert!(!second.is_finished());
        drop(first);
        second.join().unwrap();
        assert_eq!(names(), 1);
    }

    /// Systems differ in whether they replace what may only be read.
    #[test]
    fn read_only_files_are_replaced_or_left() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        fs::write(&target, b"old").unwrap();
        let mut permissions = fs::metadata(&target).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&target, permissions).unwrap();
        let new = tempfile::NamedTempFile::new_in(folder.path()).unwrap().into_temp_path();
        fs::write(&new, b"new").unwrap();
        let expected: &[u8] = if replace(new, &target).is_ok() { b"new" } else { b"old" };
        assert_eq!(fs::read(&target).unwrap(), expected);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_one_step_is_refused_the_old_file_steps_aside() {
        let folder = tempfile::tempdir().unwrap();
        let (new, target) = (folder.path().join("new"), folder.path().join("a"));
        fs::write(&new, b"new").unwrap();
        fs::write(&target, b"old").unwrap();
        let mut open = File::open(&target).unwrap();
        swap(&new, &target).unwrap();
        let mut seen = String::new();
        open.read_to_string(&mut seen).unwrap();
        assert_eq!((seen.as_str(), fs::read(&target).unwrap()), ("old", b"new".to_vec()));
        drop(open);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // What cannot be put in place leaves the old one there.
        assert!(swap(&new, &target).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }
}
