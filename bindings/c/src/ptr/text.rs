//! Text, paths and bytes that a host passes.

use super::{bad, null};
use bulla_core::Result;
use std::ffi::{CStr, OsString, c_char, c_void};
use std::path::PathBuf;

/// Most entries of a list of strings.
const MAX_LIST: usize = 10_000;
/// Longest UTF-16 path, with its end, in units: what Windows allows.
const MAX_PATH_UNITS: usize = 32_768;

/// A UTF-8 string that ends with NUL.
pub(crate) unsafe fn text<'a>(p: *const c_char, name: &str) -> Result<&'a str> {
    text_or_none(p, name)?.ok_or_else(|| null(name))
}

/// The same where NULL means that there is none.
pub(crate) unsafe fn text_or_none<'a>(p: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if p.is_null() {
        return Ok(None);
    }
    let text = CStr::from_ptr(p).to_str();
    text.map(Some).map_err(|_| bad(format!("{name} is not UTF-8")))
}

/// A list of such strings; NULL only with a count of 0.
pub(crate) unsafe fn texts<'a>(
    p: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if p.is_null() || !p.is_aligned() {
        return Err(bad(format!("{name} is NULL or not aligned")));
    }
    if count > MAX_LIST {
        return Err(bad(format!("{name} has more than {MAX_LIST} entries")));
    }
    (0..count).map(|i| text(p.add(i).read(), name)).collect()
}

/// A path in UTF-8.
pub(crate) unsafe fn path(p: *const c_char, name: &str) -> Result<PathBuf> {
    text(p, name).map(PathBuf::from)
}

/// A path in UTF-16 that ends with 0.
pub(crate) unsafe fn wide_path(p: *const u16, name: &str) -> Result<PathBuf> {
    if p.is_null() || !p.is_aligned() {
        return Err(bad(format!("{name} is NULL or not aligned")));
    }
    let len = (0..MAX_PATH_UNITS).find(|&i| p.add(i).read() == 0);
    let len = len.ok_or_else(|| bad(format!("{name} has no end within 32,768 units")))?;
    os_string(std::slice::from_raw_parts(p, len), name).map(PathBuf::from)
}

#[cfg(windows)]
fn os_string(units: &[u16], _name: &str) -> Result<OsString> {
    Ok(std::os::windows::ffi::OsStringExt::from_wide(units))
}

/// Elsewhere names are bytes: UTF-8 ones.
#[cfg(not(windows))]
fn os_string(units: &[u16], name: &str) -> Result<OsString> {
    let text = String::from_utf16(units);
    text.map(OsString::from).map_err(|_| bad(format!("{name} is not UTF-16")))
}

/// `len` bytes to read; NULL only with a length of 0.
pub(crate) unsafe fn bytes<'a>(p: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if p.is_null() {
        return Err(null(name));
    }
    if isize::try_from(len).is_err() {
        return Err(bad(format!("the length of {name} is impossible")));
    }
    Ok(std::slice::from_raw_parts(p.cast(), len))
}

/// `len` bytes to fill, of which at most `most` will be; NULL only with a length of 0.
pub(crate) unsafe fn buffer<'a>(
    p: *mut c_void,
    len: usize,
    most: u64,
    name: &str,
) -> Result<&'a mut [u8]> {
    if len == 0 {
        return Ok(&mut []);
    }
    if p.is_null() {
        return Err(null(name));
    }
    if isize::try_from(len).is_err() {
        return Err(bad(format!("the length of {name} is impossible")));
    }
    // What is longer than the file need not be there.
    let len = len.min(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(std::slice::from_raw_parts_mut(p.cast(), len))
}
