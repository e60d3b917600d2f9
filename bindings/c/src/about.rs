//! What an open file is, and what may be done with it.

use crate::error::Error;
use crate::file::{BULLA_NO_END, File, reader};
use crate::guard::guard;
use crate::names;
use crate::options::{BULLA_METADATA_CREATED, BULLA_METADATA_MODIFIED, Metadata};
use crate::ptr;
use bulla_core::Code;
use std::ffi::{CStr, CString, c_char};

/// What may be done with the file: the sum of `BULLA_RIGHT_*`, as last decided.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_rights(
    file: *const File,
    out_rights: *mut u32,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_rights, "out_rights")?;
        let decision = ptr::object(file)?.decision();
        *out = decision.rights().map(|(right, _)| names::right_bit(right)).sum();
        Ok(())
    })
}

/// What the program must do while it uses a right: the sum of `BULLA_DUTY_*`. With
/// `BULLA_DUTY_MASK`, `out_columns` is a JSON array of the columns to hide, to be freed with
/// `bulla_string_free`; otherwise, NULL. `out_columns` may be NULL if it is not wanted.
///
/// Errors: `BULLA_E_MISSING_RIGHT` if the right is not granted; `BULLA_E_BAD_ARGUMENT` if `right`
/// is not one of `BULLA_RIGHT_*`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_duties(
    file: *const File,
    right: u32,
    out_duties: *mut u32,
    out_columns: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let columns = ptr::out_or_none(out_columns, "out_columns")?;
        let out = ptr::out(out_duties, "out_duties")?;
        let file = ptr::object(file)?;
        let duties = file.duties(names::right(right)?).ok_or_else(|| {
            bulla_core::Error::new(Code::Right, "the right is not granted, so it has no duties")
        })?;
        let masked: Vec<&str> = duties.columns().collect();
        if let (Some(columns), false) = (columns, masked.is_empty()) {
            *columns = crate::inspect::json(&masked)?;
        }
        *out = names::duty_bits(&duties);
        Ok(())
    })
}

/// Until when (exclusive) reads succeed: Unix seconds; `BULLA_NO_END` without an end.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_until(
    file: *const File,
    out_until: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_until, "out_until")?;
        let file = ptr::object(file)?;
        *out = reader!(file, r => r.until()).unwrap_or(BULLA_NO_END);
        Ok(())
    })
}

/// What was decided, as JSON: rights with their duties, until when, and why not more
/// (`docs/policy.md`). Free the string with `bulla_string_free`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_decision(
    file: *const File,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_json, "out_json")?;
        *out = crate::inspect::json(&*ptr::object(file)?.decision())?;
        Ok(())
    })
}

/// The text of the watermark, ready to draw: who, at which device, when, for which ticket. It
/// holds the present minute: get it anew from time to time. Free the string with
/// `bulla_string_free`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_watermark(
    file: *const File,
    out_text: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_text, "out_text")?;
        let file = ptr::object(file)?;
        *out = ptr::string(&reader!(file, r => r.watermark()))?;
        Ok(())
    })
}

/// Name, type and times of the original. Set `out_metadata->struct_size` before the call. The
/// strings belong to the file: they are valid until it is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_metadata(
    file: *const File,
    out_metadata: *mut Metadata,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_struct(out_metadata, "out_metadata")?;
        let file = ptr::object(file)?;
        let metadata = file.metadata();
        let bit = |time: Option<i64>, bit| if time.is_some() { bit } else { 0 };
        let text = |text: &Option<CString>| text.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
        out.fill(Metadata {
            struct_size: 0,
            present: bit(metadata.created, BULLA_METADATA_CREATED)
                | bit(metadata.modified, BULLA_METADATA_MODIFIED),
            name: text(&file.name),
            media_type: text(&file.media_type),
            created: metadata.created.unwrap_or_default(),
            modified: metadata.modified.unwrap_or_default(),
        });
        Ok(())
    })
}

/// The file's id: 32 hex characters, the same after each save. The string belongs to the file: it
/// is valid until that is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_id(
    file: *const File,
    out_id: *mut *const c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_id, "out_id")?;
        *out = ptr::object(file)?.id.as_ptr();
        Ok(())
    })
}

/// How often the file was saved, the first sealing included.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_revision(
    file: *const File,
    out_revision: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_revision, "out_revision")?;
        let file = ptr::object(file)?;
        *out = reader!(file, r => r.revision());
        Ok(())
    })
}

/// Checks a right and records in the audit trail that it is used now, before the program lets it
/// happen: printing, copying to the clipboard, a capture, an export by the program itself.
///
/// Errors: `BULLA_E_MISSING_RIGHT` without the right; `BULLA_E_ENDED`, or why it is denied now,
/// after the decision's end; `BULLA_E_BAD_ARGUMENT` for `BULLA_RIGHT_VIEW` and `BULLA_RIGHT_EDIT`,
/// which reads and saves check by themselves; `BULLA_E_BAD_TRAIL`, `BULLA_E_TRAIL_BUSY` and
/// `BULLA_E_FULL` if it cannot be recorded. After any of them it must not happen.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_use(
    file: *const File,
    right: u32,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let file = ptr::object(file)?;
        let right = names::right(right)?;
        reader!(file, r => r.exercise(right))
    })
}
