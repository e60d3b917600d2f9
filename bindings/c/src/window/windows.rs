//! The same on Windows.

use crate::ptr::{bad, unsupported};
use bulla_core::Result;
use std::ffi::c_void;
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::DataExchange::{
    CloseClipboard, EmptyClipboard, GetClipboardOwner, OpenClipboard,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcessId, GetCurrentThreadId};
use windows_sys::Win32::UI::Shell::{DefSubclassProc, RemoveWindowSubclass, SetWindowSubclass};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GetWindowDisplayAffinity, GetWindowThreadProcessId, SetWindowDisplayAffinity, WA_INACTIVE,
    WDA_EXCLUDEFROMCAPTURE, WM_ACTIVATE, WM_NCDESTROY,
};

/// Names our subclass among those that a window may have.
const SUBCLASS: usize = 0x6275_6c6c;

pub(super) unsafe fn protect(window: *mut c_void) -> Result<()> {
    if window.is_null() {
        return Err(bad("hwnd is NULL"));
    }
    let mut now = 0;
    let set = SetWindowDisplayAffinity(window, WDA_EXCLUDEFROMCAPTURE) != 0
        && GetWindowDisplayAffinity(window, &mut now) != 0;
    if !set || now != WDA_EXCLUDEFROMCAPTURE {
        return Err(unsupported("the system does not keep this window out of captures"));
    }
    Ok(())
}

pub(super) unsafe fn guard_clipboard(window: *mut c_void) -> Result<()> {
    if window.is_null() {
        return Err(bad("hwnd is NULL"));
    }
    // 0 if it is no window (any more).
    let thread = GetWindowThreadProcessId(window, std::ptr::null_mut());
    if thread != GetCurrentThreadId() || SetWindowSubclass(window, Some(watch), SUBCLASS, 0) == 0 {
        return Err(bad("hwnd is no window of this thread"));
    }
    Ok(())
}

unsafe extern "system" fn watch(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    _id: usize,
    _data: usize,
) -> LRESULT {
    match message {
        // The low word says what happens; the high one whether the window is minimized.
        WM_ACTIVATE if wparam & 0xffff == WA_INACTIVE as usize => clear(window),
        WM_NCDESTROY => {
            clear(window);
            RemoveWindowSubclass(window, Some(watch), SUBCLASS);
        }
        _ => {}
    }
    DefSubclassProc(window, message, wparam, lparam)
}

/// Empties the clipboard, unless a window of another process owns what it holds.
unsafe fn clear(window: HWND) {
    let owner = GetClipboardOwner();
    if !owner.is_null() {
        let mut process = 0;
        GetWindowThreadProcessId(owner, &mut process);
        if process != GetCurrentProcessId() {
            return;
        }
    }
    // Held by somebody else for a moment: then it is theirs next.
    if OpenClipboard(window) != 0 {
        EmptyClipboard();
        CloseClipboard();
    }
}
