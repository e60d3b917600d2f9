//! What belongs to the system or to the host itself: open files, and what is to be closed.

use super::bad;
use bulla_core::{Code, Error, Result};
use std::ffi::c_void;

/// A file of the host's, opened a second time for us.
#[cfg(unix)]
pub(crate) unsafe fn file_of_fd(fd: i32) -> Result<std::fs::File> {
    if fd < 0 {
        return Err(bad("fd is negative"));
    }
    let file = std::os::fd::BorrowedFd::borrow_raw(fd).try_clone_to_owned();
    file.map(Into::into).map_err(|e| Error::io("using the file descriptor", e))
}

#[cfg(not(unix))]
pub(crate) unsafe fn file_of_fd(_fd: i32) -> Result<std::fs::File> {
    Err(unsupported("file descriptors are not used on this system: pass a HANDLE"))
}

#[cfg(windows)]
pub(crate) unsafe fn file_of_handle(handle: *mut c_void) -> Result<std::fs::File> {
    if handle.is_null() || handle as isize == -1 {
        return Err(bad("handle is NULL or INVALID_HANDLE_VALUE"));
    }
    let file = std::os::windows::io::BorrowedHandle::borrow_raw(handle).try_clone_to_owned();
    file.map(Into::into).map_err(|e| Error::io("using the handle", e))
}

#[cfg(not(windows))]
pub(crate) unsafe fn file_of_handle(_handle: *mut c_void) -> Result<std::fs::File> {
    Err(unsupported("there are no HANDLEs on this system: pass a file descriptor"))
}

pub(crate) fn unsupported(why: &'static str) -> Error {
    Error::new(Code::Unsupported, why)
}

/// Runs a host's `close` when dropped, where there is one.
pub(crate) struct Close {
    user: *mut c_void,
    close: Option<unsafe extern "C" fn(user: *mut c_void)>,
}

impl Close {
    pub(crate) fn new(
        user: *mut c_void,
        close: Option<unsafe extern "C" fn(user: *mut c_void)>,
    ) -> Self {
        Close { user, close }
    }
}

impl Drop for Close {
    fn drop(&mut self) {
        if let Some(close) = self.close {
            // SAFETY: the header asks for a function that can be called so, once.
            unsafe { close(self.user) }
        }
    }
}
