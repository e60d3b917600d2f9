//! Every pointer that a host passes, checked and turned into one of Rust's types.
//!
//! What can be seen of a bad pointer is seen: NULL, wrong alignment, impossible lengths, text that
//! is not UTF-8. The rest is the host's word, given in the header: that a pointer is valid for its
//! length during the call, and that a handle is one of ours and not freed.

use crate::error::Error as ErrorObject;
use crate::options::Plain;
use bulla_core::{Code, Error, Result};
use std::ffi::{CStr, CString, OsString, c_char, c_void};
use std::ops::Deref;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most entries of a list of strings.
const MAX_LIST: usize = 10_000;
/// Longest UTF-16 path, with its end, in units: what Windows allows.
const MAX_PATH_UNITS: usize = 32_768;
/// Largest struct that is looked at: far above what a later version may need.
const MAX_STRUCT: usize = 4096;

pub(crate) fn bad(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::BadArgument, why)
}

fn null(name: &str) -> Error {
    bad(format!("{name} is NULL"))
}

// --- Handles ------------------------------------------------------------------------------------

/// What every handle has.
pub(crate) struct Core {
    /// The process that made it.
    process: u32,
    /// Whether a call with it panicked.
    poisoned: AtomicBool,
}

impl Core {
    pub(crate) fn new() -> Self {
        Core { process: process::id(), poisoned: AtomicBool::new(false) }
    }
}

/// What hosts hold by an opaque pointer.
pub(crate) trait Object {
    /// What the header calls the argument.
    const NAME: &'static str;

    fn core(&self) -> &Core;
}

/// A handle during one call. If the call panics, nobody uses the handle again.
pub(crate) struct Entered<'a, T: Object> {
    object: &'a T,
    was_panicking: bool,
}

impl<T: Object> Deref for Entered<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.object
    }
}

impl<T: Object> Drop for Entered<'_, T> {
    fn drop(&mut self) {
        if !self.was_panicking && std::thread::panicking() {
            self.object.core().poisoned.store(true, Ordering::Relaxed);
        }
    }
}

/// A handle that may be used.
///
/// # Errors
/// [`Code::BadArgument`] for NULL, [`Code::State`] in a forked process and after a panic.
pub(crate) unsafe fn object<'a, T: Object>(p: *const T) -> Result<Entered<'a, T>> {
    let object = p.as_ref().ok_or_else(|| null(T::NAME))?;
    let core = object.core();
    if core.process != process::id() {
        let why = "this handle belongs to the process that forked this one: open anew here";
        return Err(Error::new(Code::State, why));
    }
    if core.poisoned.load(Ordering::Relaxed) {
        let why = "a call with this handle failed inside the library: free it";
        return Err(Error::new(Code::State, why));
    }
    let entered = Entered { object, was_panicking: std::thread::panicking() };
    #[cfg(feature = "test-panic")]
    crate::guard::testing::in_handle();
    Ok(entered)
}

/// The same where NULL means that there is none.
pub(crate) unsafe fn object_or_none<'a, T: Object>(p: *const T) -> Result<Option<Entered<'a, T>>> {
    if p.is_null() { Ok(None) } else { object(p).map(Some) }
}

/// Gives the host a new handle.
pub(crate) fn give<T: Object>(out: &mut *mut T, object: T) {
    *out = Box::into_raw(Box::new(object));
}

/// Takes a handle back and drops it. In a forked process it is left alone: temporary files and
/// what the host's callbacks close are the parent's.
pub(crate) unsafe fn free<T: Object>(p: *mut T) {
    if p.is_null() || (*p).core().process != process::id() {
        return;
    }
    drop(Box::from_raw(p));
}

// --- Errors -------------------------------------------------------------------------------------

pub(crate) unsafe fn clear(err: *mut *mut ErrorObject) {
    if !err.is_null() && err.is_aligned() {
        err.write(std::ptr::null_mut());
    }
}

pub(crate) unsafe fn give_error(err: *mut *mut ErrorObject, error: Error) {
    if !err.is_null() && err.is_aligned() {
        err.write(Box::into_raw(Box::new(ErrorObject::new(error))));
    }
}

pub(crate) unsafe fn error<'a>(p: *const ErrorObject) -> Option<&'a ErrorObject> {
    p.as_ref()
}

pub(crate) unsafe fn free_error(p: *mut ErrorObject) {
    if !p.is_null() {
        drop(Box::from_raw(p));
    }
}

// --- Outputs ------------------------------------------------------------------------------------

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

// --- Text and bytes -----------------------------------------------------------------------------

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

// --- Structs ------------------------------------------------------------------------------------

/// A struct of the host, as far as both sides know it; what the host's lacks is zero.
///
/// # Errors
/// [`Code::BadArgument`] if its size is none that this struct ever had, or if it holds something
/// behind what this library knows.
pub(crate) unsafe fn read_struct<T: Plain>(p: *const T, name: &str) -> Result<T> {
    let size = struct_size(p, name)?;
    let known = size.min(size_of::<T>());
    let tail = std::slice::from_raw_parts(p.cast::<u8>().add(known), size - known);
    if tail.iter().any(|b| *b != 0) {
        return Err(bad(format!("{name} asks for something that this version does not know")));
    }
    let mut own: T = std::mem::zeroed();
    std::ptr::copy_nonoverlapping(p.cast::<u8>(), (&raw mut own).cast(), known);
    Ok(own)
}

/// The same where NULL means all zeros.
pub(crate) unsafe fn read_struct_or_zero<T: Plain>(p: *const T, name: &str) -> Result<T> {
    if p.is_null() { Ok(std::mem::zeroed()) } else { read_struct(p, name) }
}

/// A struct of the host that is to be filled; all of it but its size is zero from now on.
pub(crate) struct Target<T: Plain> {
    at: *mut T,
    size: usize,
}

pub(crate) unsafe fn out_struct<T: Plain>(p: *mut T, name: &str) -> Result<Target<T>> {
    let size = struct_size(p, name)?;
    p.cast::<u8>().add(size_of::<u32>()).write_bytes(0, size - size_of::<u32>());
    Ok(Target { at: p, size })
}

impl<T: Plain> Target<T> {
    /// Fills what both sides know. The host's size stays.
    pub(crate) unsafe fn fill(self, value: T) {
        let from = size_of::<u32>();
        let known = self.size.min(size_of::<T>()) - from;
        let own = (&raw const value).cast::<u8>();
        std::ptr::copy_nonoverlapping(own.add(from), self.at.cast::<u8>().add(from), known);
    }
}

unsafe fn struct_size<T: Plain>(p: *const T, name: &str) -> Result<usize> {
    if p.is_null() {
        return Err(null(name));
    }
    let size = p.cast::<u32>().read_unaligned() as usize;
    let grown = size >= size_of::<T>() && size <= MAX_STRUCT;
    if grown || T::ENDS.contains(&size) {
        return Ok(size);
    }
    Err(bad(format!("{name}.struct_size is {size}: set it to the size of the struct")))
}

// --- Systems' own handles -----------------------------------------------------------------------

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
