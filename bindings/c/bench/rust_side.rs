//! The Rust half of `bench.c`: the same work through the Rust API, in the same process.

use bulla_core::{Home, Host, Session};
use std::ffi::{CStr, c_char};
use std::path::Path;

/// A session of the device at `home`. Never freed.
///
/// # Safety
/// `home` is a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_session(home: *const c_char) -> *const Session {
    // SAFETY: the caller's promise.
    let home = unsafe { CStr::from_ptr(home) }.to_str().expect("UTF-8");
    let home = Home::at(Path::new(home));
    let identity = home.identity(None).expect("an identity");
    Box::into_raw(Box::new(Session::start(&home, identity, Host::default()).expect("a session")))
}

/// Opens the file, reads up to `len` bytes from its start, closes it; gives how many there were.
///
/// # Safety
/// `session` came from [`rust_session`], `path` is a string that ends with NUL, and `buf` has `len`
/// bytes that nobody else uses meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_open_and_read(
    session: *const Session,
    path: *const c_char,
    buf: *mut u8,
    len: usize,
) -> usize {
    // SAFETY: the caller's promise, here and in the next two.
    let path = unsafe { CStr::from_ptr(path) }.to_str().expect("UTF-8");
    // SAFETY: as above.
    let buf = unsafe { std::slice::from_raw_parts_mut(buf, len) };
    // SAFETY: as above.
    let file = unsafe { &*session }.open(Path::new(path)).expect("opened");
    file.read_at(buf, 0).expect("read")
}
