//! Rights and duties as bits and names.

use crate::guard::{guard, guard_or};
use crate::ptr;
use bulla_core::policy::{Duties, Duty, DutySet};
use bulla_core::{Result, Right};
use std::ffi::c_char;

/// Read the contents in a program.
pub const BULLA_RIGHT_VIEW: u32 = 1;
/// Save changed contents back, sealed under the same license.
pub const BULLA_RIGHT_EDIT: u32 = 2;
/// Print.
pub const BULLA_RIGHT_PRINT: u32 = 4;
/// Put contents on the clipboard.
pub const BULLA_RIGHT_COPY: u32 = 8;
/// Take pictures of the screen.
pub const BULLA_RIGHT_CAPTURE: u32 = 16;
/// Let plain bytes leave.
pub const BULLA_RIGHT_EXPORT: u32 = 32;

/// Draw the file's watermark over what is shown or printed.
pub const BULLA_DUTY_WATERMARK: u32 = 1;
/// Keep the screen from being captured.
pub const BULLA_DUTY_BLOCK_CAPTURE: u32 = 2;
/// Keep contents from the clipboard.
pub const BULLA_DUTY_BLOCK_CLIPBOARD: u32 = 4;
/// Hide the named columns.
pub const BULLA_DUTY_MASK: u32 = 8;
/// Remove decrypted remains when the file is closed.
pub const BULLA_DUTY_WIPE: u32 = 16;

pub(crate) fn right_bit(right: Right) -> u32 {
    1 << right as u32
}

pub(crate) fn duty_bits(duties: &Duties) -> u32 {
    duties.kinds().iter().map(|d| 1 << d as u32).sum()
}

/// The one right that a bit stands for.
pub(crate) fn right(bit: u32) -> Result<Right> {
    let found = Right::ALL.iter().copied().find(|&r| right_bit(r) == bit);
    found.ok_or_else(|| ptr::bad("right is not one of BULLA_RIGHT_*"))
}

/// Duties by their names; those that are not known here cannot be asked for here.
pub(crate) fn duties(names: &[&str]) -> DutySet {
    names.iter().filter_map(|name| Duty::from_name(name)).collect()
}

/// The right of this name: `view`, `edit`, `print`, `copy`, `capture`, `export`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT` for NULL, a string that is not UTF-8, or another name.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_right_by_name(
    name: *const c_char,
    out_right: *mut u32,
    err: *mut *mut crate::error::Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_right, "out_right")?;
        let right = Right::from_name(ptr::text(name, "name")?);
        *out = right.map(right_bit).ok_or_else(|| ptr::bad("there is no right of this name"))?;
        Ok(())
    })
}

/// The name of one of `BULLA_RIGHT_*`; NULL for any other value. Static; not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn bulla_right_name(right: u32) -> *const c_char {
    guard_or(std::ptr::null(), || {
        let name = match right {
            BULLA_RIGHT_VIEW => c"view",
            BULLA_RIGHT_EDIT => c"edit",
            BULLA_RIGHT_PRINT => c"print",
            BULLA_RIGHT_COPY => c"copy",
            BULLA_RIGHT_CAPTURE => c"capture",
            BULLA_RIGHT_EXPORT => c"export",
            _ => return std::ptr::null(),
        };
        name.as_ptr()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    #[test]
    fn bits_are_those_of_the_names() {
        let mut bits = Vec::new();
        for &right in Right::ALL {
            let bit = right_bit(right);
            // SAFETY: static text.
            let name = unsafe { CStr::from_ptr(bulla_right_name(bit)) };
            assert_eq!(name.to_str().unwrap(), right.name());
            bits.push(bit);
        }
        assert_eq!(bits, [1, 2, 4, 8, 16, 32], "these never change");
        let duties: Vec<_> = Duty::ALL.iter().map(|d| (d.name(), 1 << *d as u32)).collect();
        let known = [
            ("watermark", BULLA_DUTY_WATERMARK),
            ("block-capture", BULLA_DUTY_BLOCK_CAPTURE),
            ("block-clipboard", BULLA_DUTY_BLOCK_CLIPBOARD),
            ("mask", BULLA_DUTY_MASK),
            ("wipe", BULLA_DUTY_WIPE),
        ];
        assert_eq!(duties, known);
        assert!(right(3).is_err() && right(0).is_err() && right(64).is_err());
    }
}
