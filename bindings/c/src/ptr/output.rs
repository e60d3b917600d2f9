//! Where results go.

use super::{bad, null};
use bulla_core::{Code, Error, Result};
use std::ffi::{CString, c_char};

/// Types of which all zero bytes are a value.
pub(crate) unsafe trait Zeroed {}
unsafe impl Zeroed for i32 {}
unsafe impl Zeroed for u32 {}
unsafe impl Zeroed for u64 {}
unsafe impl Zeroed for usize {}
unsafe impl<T> Zeroed for *mut T {}
unsafe impl<T> Zeroed for *const T {}

/// Where a result goes; zero from now on.
pub(crate) unsafe fn out<'a, T: Zeroed>(p: *mut T, name: &str) -> Result<&'a mut T> {
    out_or_none(p, name)?.ok_or_else(|| null(name))
}

/// The same where NULL means that the host does not want it.
pub(crate) unsafe fn out_or_none<'a, T: Zeroed>(
    p: *mut T,
    name: &str,
) -> Result<Option<&'a mut T>> {
    if p.is_null() {
        return Ok(None);
    }
    if !p.is_aligned() {
        return Err(bad(format!("{name} is not aligned")));
    }
    p.write(std::mem::zeroed());
    Ok(Some(&mut *p))
}

/// A string that the host frees with `bulla_string_free`.
pub(crate) fn string(text: &str) -> Result<*mut c_char> {
    Ok(c_text(text)?.into_raw())
}

pub(crate) fn c_text(text: &str) -> Result<CString> {
    // Nothing that we let in holds one: JSON escapes it, names and comments are refused.
    CString::new(text).map_err(|_| Error::new(Code::Internal, "a text holds a NUL character"))
}

pub(crate) unsafe fn free_string(p: *mut c_char) {
    if !p.is_null() {
        drop(CString::from_raw(p));
    }
}
