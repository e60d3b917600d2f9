//! What files were found to be, so that it is not read out of each of them at every look. A file
//! with the same inode, size and times is the same: writing sets the time of change (ctime), which
//! nobody but root can set back.

use crate::folder::Kind;
use rustix::fs::Stat;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Files that are remembered; all are forgotten beyond that.
const MOST: usize = 65_536;

/// File times move in steps of some milliseconds: a file that changed so many seconds ago could
/// change once more and look the same.
const SETTLED: i64 = 2;

type Time = (i64, u64);

/// Device, inode, size, times of modification and change.
type Identity = (u64, u64, i64, Time, Time);

#[allow(clippy::unnecessary_cast)] // of other widths on other machines
fn identity(stat: &Stat) -> Identity {
    let modified = (stat.st_mtime as i64, stat.st_mtime_nsec as u64);
    let changed = (stat.st_ctime as i64, stat.st_ctime_nsec as u64);
    (stat.st_dev as u64, stat.st_ino as u64, stat.st_size as i64, modified, changed)
}

#[derive(Default)]
pub(crate) struct Kinds(Mutex<HashMap<Identity, Kind>>);

impl Kinds {
    /// What the file with these attributes is; `find` looks.
    pub(crate) fn of(&self, stat: &Stat, find: impl FnOnce() -> Kind) -> Kind {
        let identity = identity(stat);
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).copied();
        known.unwrap_or_else(|| {
            let kind = find();
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = since.map_or(0, |since| since.as_secs() as i64);
            if identity.4.0.saturating_add(SETTLED) < now {
                let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if kinds.len() >= MOST {
                    kinds.clear();
                }
                kinds.insert(identity, kind);
            }
            kind
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, Timespec, Timestamps, stat, utimensat};

    #[test]
    fn only_what_is_settled_and_the_same_is_remembered() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let kinds = Kinds::default();
        let now = stat(file.path()).unwrap();
        assert_eq!(kinds.of(&now, || Kind::Plain), Kind::Plain);
        assert_eq!(kinds.of(&now, || Kind::Sealed(1)), Kind::Sealed(1), "it may change still");

        let mut settled = now;
        settled.st_ctime -= 10;
        assert_eq!(kinds.of(&settled, || Kind::Sealed(2)), Kind::Sealed(2));
        assert_eq!(kinds.of(&settled, || Kind::Plain), Kind::Sealed(2));
        // Its time of modification was set back, which sets the time of change.
        let past = Timespec { tv_sec: now.st_mtime - 10, tv_nsec: 0 };
        let times = Timestamps { last_access: past, last_modification: past };
        utimensat(CWD, file.path(), &times, rustix::fs::AtFlags::empty()).unwrap();
        let touched = stat(file.path()).unwrap();
        assert_eq!(kinds.of(&touched, || Kind::Plain), Kind::Plain);
        let changes: [fn(&mut Stat); 3] =
            [|s| s.st_ino += 1, |s| s.st_size += 1, |s| s.st_ctime -= 1];
        for change in changes {
            let mut other = settled;
            change(&mut other);
            assert_eq!(kinds.of(&other, || Kind::Plain), Kind::Plain);
        }
    }
}
