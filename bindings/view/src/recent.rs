//! Files that were opened a moment ago: the same program may open the same content again under the
//! same decision, as long as that holds. Policies that count openings are left out.

use crate::opened::Sealed;
use bulla::Right;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long: facts such as the network's are measured anew after that.
const KEEP: Duration = Duration::from_secs(30);

/// Most files, unless fewer can be open.
const MOST: usize = 16_384;

/// Which content of which file: number, inode, times of change, size.
pub(crate) type Stamp = (u64, i64, u64, u64);

/// The file of a program, as it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Program {
    device: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Program {
    /// Of a process; `None` where it cannot be told.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let file = std::fs::metadata(format!("/proc/{pid}/exe")).ok()?;
        let changed = (file.ctime(), file.ctime_nsec());
        Some(Program { device: file.dev(), inode: file.ino(), changed })
    }
}

/// One file, one content, one program.
pub(crate) type Key = (u64, Stamp, Program);

pub(crate) struct Recent {
    opened: Mutex<HashMap<Key, (Sealed, Instant)>>,
    most: usize,
    /// Descriptors that this process may have, less what it needs beside open files.
    descriptors: usize,
}

impl Recent {
    /// Each takes one of the process's descriptors.
    pub(crate) fn new() -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let (most, descriptors) = (MOST.min(limit / 4 * 3), limit / 8 * 7);
        Recent { opened: Mutex::default(), most, descriptors }
    }

    /// Lets go of all where descriptors run short for so many that are open.
    pub(crate) fn leave_room(&self, open: usize) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len().saturating_add(open) > self.descriptors {
            opened.clear();
        }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Sealed> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let (sealed, at) = opened.get(key)?;
        if at.elapsed() < KEEP && sealed.decision().allows(Right::View) {
            return Some(sealed.clone());
        }
        opened.remove(key);
        None
    }

    pub(crate) fn put(&self, key: Key, sealed: &Sealed) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= self.most {
            opened.clear();
        }
        opened.insert(key, (sealed.clone(), Instant::now()));
    }

    /// Lets go of what is too old.
    pub(crate) fn sweep(&self) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|_, (_, at)| at.elapsed() < KEEP);
    }
}

/// Lets this process have as many files open as the system lets it.
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With fewer it works as well.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
