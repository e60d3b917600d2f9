//! For windows that show sealed contents: so that a program can truthfully declare that it keeps
//! them from captures and from the clipboard.

use crate::error::Error;
use crate::guard::guard;
use std::ffi::c_void;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

/// Elsewhere there is no such thing that a library could answer for.
#[cfg(not(windows))]
mod system {
    use crate::ptr::unsupported;
    use bulla_core::Result;
    use std::ffi::c_void;

    pub(super) unsafe fn protect(_window: *mut c_void) -> Result<()> {
        Err(unsupported("windows cannot be kept from captures on this system"))
    }

    pub(super) unsafe fn guard_clipboard(_window: *mut c_void) -> Result<()> {
        Err(unsupported("the clipboard cannot be guarded on this system"))
    }
}

/// Keeps a top-level window of this process out of screen captures (Windows 10 version 2004 and
/// later: `WDA_EXCLUDEFROMCAPTURE`), and asks the system whether it is. Only then may a program
/// declare `block-capture`. A camera in front of the screen still sees it.
///
/// `hwnd` is a `HWND`. Errors: `BULLA_E_BAD_ARGUMENT` for NULL on Windows;
/// `BULLA_E_NOT_SUPPORTED` if the system did not accept it, and on other systems.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_window_protect(hwnd: *mut c_void, err: *mut *mut Error) -> i32 {
    guard(err, || system::protect(hwnd))
}

/// Clears the clipboard whenever a top-level window loses focus, and when it is destroyed, unless
/// another program put there what it holds. Call it in the window's own thread, once a window; it
/// lasts as long as the window. A program that reads the clipboard while the window has the focus
/// still gets what is there: to declare `block-clipboard`, do not copy at all without the right.
///
/// `hwnd` is a `HWND`. Errors: `BULLA_E_BAD_ARGUMENT` for NULL on Windows or a window of another
/// thread; `BULLA_E_NOT_SUPPORTED` on other systems.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_clipboard_guard(hwnd: *mut c_void, err: *mut *mut Error) -> i32 {
    guard(err, || system::guard_clipboard(hwnd))
}
