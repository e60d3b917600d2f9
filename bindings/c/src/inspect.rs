//! What stands in the clear.

use crate::error::Error;
use crate::guard::{guard, guard_or};
use crate::io::{HostSource, Source};
use crate::ptr;
use bulla_core::cobblestone::ReadAt;
use bulla_core::{Code, Result};
use serde::Serialize;
use std::ffi::{c_char, c_void};
use std::fs::File;
use std::path::PathBuf;

/// A value as JSON, for the host to free.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<*mut c_char> {
    let text = serde_json::to_string(value);
    ptr::string(&text.map_err(|_| bulla_core::Error::new(Code::Internal, "no JSON of a result"))?)
}

unsafe fn inspect<S: ReadAt>(
    source: impl FnOnce() -> Result<S>,
    out_content_size: *mut u64,
    out_json: *mut *mut c_char,
) -> Result<()> {
    let size = ptr::out_or_none(out_content_size, "out_content_size")?;
    let text = ptr::out_or_none(out_json, "out_json")?;
    let found = bulla_core::inspect(&source()?)?;
    if let Some(text) = text {
        *text = json(&found)?;
    }
    if let Some(size) = size {
        *size = found.content_size;
    }
    Ok(())
}

fn open(path: PathBuf) -> Result<File> {
    File::open(path).map_err(|e| bulla_core::Error::io("opening the file", e))
}

/// Whether the first bytes of a file are those of a sealed one, of any version: 1 or 0. Give 8
/// bytes or more; fewer are none. It proves nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_is_sealed(start: *const c_void, len: usize) -> i32 {
    guard_or(0, || {
        // More than the magic is not looked at.
        let start = ptr::bytes(start, len.min(64), "start");
        i32::from(start.is_ok_and(bulla_core::is_sealed))
    })
}

/// What an envelope says of itself in the clear, as JSON: ids, label, policy, recipients, sizes.
/// Needs no keys and no session. Nothing of it is proved: for that, open the file.
///
/// `out_content_size`: bytes of the content, as the envelope's length says. Either of the two
/// outputs may be NULL. Free the string with `bulla_string_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* ones; the *format* ones if it is not a sound envelope.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_inspect(
    path: *const c_char,
    out_content_size: *mut u64,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || inspect(|| open(ptr::path(path, "path")?), out_content_size, out_json))
}

/// The same, with a path in UTF-16, as for `bulla_file_open_w`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_inspect_w(
    path: *const u16,
    out_content_size: *mut u64,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || inspect(|| open(ptr::wide_path(path, "path")?), out_content_size, out_json))
}

/// The same of an envelope in memory.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_inspect_bytes(
    data: *const c_void,
    len: usize,
    out_content_size: *mut u64,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || inspect(|| ptr::bytes(data, len, "data"), out_content_size, out_json))
}

/// The same of an envelope that the program keeps. `close` runs during the call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_inspect_source(
    source: *const Source,
    out_content_size: *mut u64,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let source = HostSource::new(source);
        inspect(|| source, out_content_size, out_json)
    })
}
