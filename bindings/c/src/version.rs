//! Which library this is.

use crate::guard::guard_or;
use std::ffi::{CStr, c_char};

/// The ABI that this header describes. It is raised when a program built with an older header
/// could no longer run; the shared library's name carries it, too. See `docs/c-abi.md`.
pub const BULLA_ABI_VERSION: u32 = 0;

/// The ABI of the library that is loaded: compare it with `BULLA_ABI_VERSION` once at the start.
#[unsafe(no_mangle)]
pub extern "C" fn bulla_abi_version() -> u32 {
    guard_or(u32::MAX, || BULLA_ABI_VERSION)
}

/// The version of the library, such as `0.1.0`. Static; not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn bulla_version() -> *const c_char {
    guard_or(c"".as_ptr(), || {
        let text = concat!(env!("CARGO_PKG_VERSION"), "\0");
        CStr::from_bytes_with_nul(text.as_bytes()).unwrap_or_default().as_ptr()
    })
}
