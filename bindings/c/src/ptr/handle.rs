//! Handles and errors: what the library makes, and the host holds by a pointer.

use super::null;
use crate::error::Error as ErrorObject;
use bulla_core::{Code, Error, Result};
use std::ops::Deref;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

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
