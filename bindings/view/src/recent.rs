//! Files that were opened a moment ago: the same program may open the same content again under the
//! same decision, as long as that holds. Policies that count openings are left out.

use crate::opened::Sealed;
use bulla::Right;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long: facts such as the network's are measured anew after that.
const KEEP: Duration = Duration::from_secs(30);

/// How far the clock may be set meanwhile: with more, a session looks at it anew.
const SET: Duration = Duration::from_secs(30);

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

/// When, on the clock that nobody sets and on the one that is asked about badges.
#[derive(Clone, Copy)]
struct Moment(Instant, SystemTime);

impl Moment {
    fn now() -> Self {
        Moment(Instant::now(), SystemTime::now())
    }

    /// Whether it is a moment ago by both.
    fn is_recent(self) -> bool {
        let passed = self.0.elapsed();
        let set = match SystemTime::now().duration_since(self.1) {
            Ok(by_clock) => by_clock.abs_diff(passed),
            Err(back) => back.duration().saturating_add(passed),
        };
        passed < KEEP && set < SET
    }
}

pub(crate) struct Recent {
    opened: Mutex<HashMap<Key, (Sealed, Moment)>>,
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
        if at.is_recent() && sealed.decision().allows(Right::View) {
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
        opened.insert(key, (sealed.clone(), Moment::now()));
    }

    /// Lets go of what is too old.
    pub(crate) fn sweep(&self) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.retain(|_, (_, at)| at.is_recent());
    }
}

/// Lets this process have as many files open as the system lets it.
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With fewer it works as well.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_ends_what_is_recent() {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let ago = |s| now.checked_sub(Duration::from_secs(s)).unwrap();
        let (at, before) = (|s| clock + Duration::from_secs(s), |s| clock - Duration::from_secs(s));
        assert!(Moment(now, clock).is_recent());
        assert!(Moment(ago(25), before(25)).is_recent());
        assert!(Moment(now, at(20)).is_recent() && Moment(now, before(20)).is_recent());
        assert!(!Moment(ago(31), before(31)).is_recent());
        for (then, by_clock) in
            [(now, at(31)), (now, before(31)), (ago(20), at(11)), (ago(20), before(51))]
        {
            assert!(!Moment(then, by_clock).is_recent(), "{by_clock:?}");
        }
    }
}
