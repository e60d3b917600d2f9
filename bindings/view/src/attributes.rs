//! What `stat` shows of a file in a view.

use crate::folder::Kind;
use fuser::{FileAttr, FileType, INodeNo};
use rustix::fs::Stat;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// From this size on, in bytes, files are read in large parts.
pub(crate) const LARGE: u64 = 8 << 20;

/// Who the files belong to in the view: whoever uses it.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    pub(crate) fn this() -> Self {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        Owner { uid: uid.as_raw(), gid: gid.as_raw() }
    }
}

pub(crate) fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::Folder => FileType::Directory,
        Kind::Link => FileType::Symlink,
        Kind::Plain | Kind::Sealed(_) => FileType::RegularFile,
    }
}

pub(crate) fn of(number: u64, kind: Kind, stat: &Stat, owner: Owner, writable: bool) -> FileAttr {
    let size = match kind {
        Kind::Sealed(size) => size,
        _ => u64::try_from(stat.st_size).unwrap_or(0),
    };
    let mut perm = (stat.st_mode & 0o777) as u16;
    if !writable || kind == Kind::Plain {
        perm &= !0o222;
    }
    FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: time(stat.st_atime, stat.st_atime_nsec),
        mtime: time(stat.st_mtime, stat.st_mtime_nsec),
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        crtime: UNIX_EPOCH,
        kind: file_type(kind),
        perm,
        nlink: if kind == Kind::Folder { 2 } else { 1 },
        uid: owner.uid,
        gid: owner.gid,
        rdev: 0,
        blksize: if size >= LARGE { 1 << 20 } else { 16 * 1024 },
        flags: 0,
    }
}

#[allow(clippy::unnecessary_cast)] // of other widths on other machines
fn time(seconds: i64, nanoseconds: u64) -> SystemTime {
    let nanoseconds = Duration::from_nanos(nanoseconds as u64);
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let whole =
        if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
    whole.and_then(|t| t.checked_add(nanoseconds)).unwrap_or(UNIX_EPOCH)
}
