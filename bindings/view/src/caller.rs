//! Whether a request comes from where it may come from. What cannot be told may not.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Callers that are remembered; all are forgotten beyond that.
const REMEMBERED: usize = 4096;

/// Longest line of ancestors that is followed.
const ANCESTORS: usize = 4096;

/// The processes of one run: they descend from its first, and share its mount and pid namespaces.
pub(crate) struct Run {
    first: u32,
    mounts: OsString,
    pids: OsString,
    /// Threads that were found to belong here, each held so that no other can get its number
    /// unnoticed. None can leave: changing namespaces is forbidden to them.
    known: Mutex<HashMap<u32, (OwnedFd, u32)>>,
}

impl Run {
    /// Of the run whose first process is this one. `None` if its namespaces cannot be read.
    pub(crate) fn of(first: u32) -> Option<Self> {
        let (mounts, pids) = (namespace(first, "mnt")?, namespace(first, "pid")?);
        Some(Run { first, mounts, pids, known: Mutex::default() })
    }

    /// The process that a thread belongs to, if that is one of the run.
    pub(crate) fn process(&self, thread: u32) -> Option<u32> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, process)) = known.get(&thread)
            && lives(held)
        {
            return Some(*process);
        }
        known.remove(&thread);
        // Held before it is looked at.
        let held = hold(thread);
        let process = process_of(thread).filter(|_| self.belongs(thread))?;
        // Where threads cannot be held, each is looked at every time.
        let Some(held) = held else { return Some(process) };
        if !lives(&held) {
            return None;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(thread, (held, process));
        Some(process)
    }

    fn belongs(&self, thread: u32) -> bool {
        namespace(thread, "mnt").is_some_and(|n| n == self.mounts)
            && namespace(thread, "pid").is_some_and(|n| n == self.pids)
            && self.descends(thread)
    }

    fn descends(&self, thread: u32) -> bool {
        let mut at = thread;
        for _ in 0..ANCESTORS {
            if at == self.first {
                return true;
            }
            match parent(at) {
                Some(parent) if parent > 1 => at = parent,
                _ => return false,
            }
        }
        false
    }
}

/// `PIDFD_THREAD`, which rustix has no name for: any thread, not only the first of a process.
fn hold(thread: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(thread).ok()?)?;
    pidfd_open(pid, PidfdFlags::from_bits_retain(libc::O_EXCL as u32)).ok()
}

fn lives(held: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(held, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
}

fn namespace(thread: u32, kind: &str) -> Option<OsString> {
    fs::read_link(format!("/proc/{thread}/ns/{kind}")).ok().map(Into::into)
}

fn parent(thread: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

/// The process that a thread belongs to.
pub(crate) fn process_of(thread: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// A file system, by its numbers.
pub(crate) type Device = (u32, u32);

/// Which file system something is in, without asking whoever serves that.
pub(crate) fn device(path: &Path) -> Option<Device> {
    let held = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let found = rustix::fs::statx(held, "", flags, StatxFlags::empty()).ok()?;
    Some((found.stx_dev_major, found.stx_dev_minor))
}

/// Whether a process runs a file of this file system, or it cannot be told.
pub(crate) fn runs_from(process: u32, there: Device) -> bool {
    device(Path::new(&format!("/proc/{process}/exe"))).is_none_or(|device| device == there)
}

/// Whether a thread is one of this process.
pub(crate) fn is_this_process(thread: u32) -> bool {
    fs::exists(format!("/proc/self/task/{thread}")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn where_a_program_is() {
        let (this, path) = (std::process::id(), std::env::current_exe().unwrap());
        let here = device(&path).unwrap();
        assert!(runs_from(this, here) && !runs_from(this, device(Path::new("/proc")).unwrap()));
        // No process has this number.
        assert!(runs_from(0, here));
        let dev = std::os::unix::fs::MetadataExt::dev(&fs::metadata(path).unwrap());
        assert_eq!(here, (rustix::fs::major(dev), rustix::fs::minor(dev)));
    }

    #[test]
    fn descendants_belong_and_others_do_not() {
        let this = std::process::id();
        let run = Run::of(this).unwrap();
        let admits = |thread| run.process(thread).is_some();
        assert_eq!(run.process(this), Some(this));
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 60 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = shell.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        let grandchild: u32 = line.trim().parse().unwrap();
        assert!(admits(shell.id()) && admits(grandchild) && admits(grandchild));
        let of_shell = Run::of(shell.id()).unwrap();
        assert_eq!(of_shell.process(grandchild), Some(grandchild));
        assert_eq!(of_shell.process(this), None);
        for outsider in [0, 1, std::os::unix::process::parent_id()] {
            assert!(!admits(outsider), "{outsider}");
        }
        let pid = Pid::from_raw(grandchild as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        shell.wait().unwrap();
        assert!(!admits(shell.id()), "it has ended");
    }
}
