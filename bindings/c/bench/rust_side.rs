//! The Rust half of `bench.c`: the same work through the Rust API, in the same process.

use bulla_core::{Home, Host, Session};
use std::ffi::{CStr, c_char};
use std::path::Path;

/// A session of the device at `home`. Never freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_session(home: *const c_char) -> *const Session {
    let home = unsafe { CStr::from_ptr(home) }.to_str().expect("UTF-8");
    let home = Home::at(Path::new(home));
    let identity = home.identity(None).expect("an identity");
    Box::into_raw(Box::new(Session::start(&home, identity, Host::default()).expect("a session")))
}

/// Opens the file, reads up to `len` bytes from its start, closes it; gives how many there were.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_open_and_read(
    session: *const Session,
    path: *const c_char,
    buf: *mut u8,
    len: usize,
) -> usize {
    let path = unsafe { CStr::from_ptr(path) }.to_str().expect("UTF-8");
    let buf = unsafe { std::slice::from_raw_parts_mut(buf, len) };
    let file = unsafe { &*session }.open(Path::new(path)).expect("opened");
    file.read_at(buf, 0).expect("read")
}
