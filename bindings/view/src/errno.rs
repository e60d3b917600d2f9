//! What a program is told when something fails.

use bulla::{Class, Code, Error};
use fuser::Errno;

/// Denials are *permission denied*, what was changed or cannot be read an *input/output error*.
pub(crate) fn of(e: &Error) -> Errno {
    match e.code() {
        Code::NotFound => Errno::ENOENT,
        Code::Exists => Errno::EEXIST,
        Code::Permission => Errno::EACCES,
        Code::Full => Errno::ENOSPC,
        _ if e.class() == Class::Denied => Errno::EACCES,
        _ => Errno::EIO,
    }
}

pub(crate) fn system(e: rustix::io::Errno) -> Errno {
    Errno::from_i32(e.raw_os_error())
}
