//! Open sealed files: reading, and what may be done with them.

use crate::error::Error;
use crate::guard::{guard, guard_or};
use crate::io::HostSource;
use crate::names;
use crate::options::{BULLA_METADATA_CREATED, BULLA_METADATA_MODIFIED, Metadata};
use crate::ptr::{self, Core, Object};
use bulla_core::policy::{Decision, Duties};
use bulla_core::{Code, Reader, Result, Right};
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// `bulla_file_until` of a file whose decision has no end.
pub const BULLA_NO_END: u64 = u64::MAX;

/// From the start.
pub const BULLA_SEEK_SET: i32 = 0;
/// From the present position.
pub const BULLA_SEEK_CUR: i32 = 1;
/// From the end.
pub const BULLA_SEEK_END: i32 = 2;

/// An open sealed file. Functions that take a `const bulla_file *` may be called by many threads
/// at once; those that take a `bulla_file *` move its position and may not.
pub struct File {
    core: Core,
    pub(crate) opened: Opened,
    position: Mutex<u64>,
    id: CString,
    name: Option<CString>,
    media_type: Option<CString>,
}

/// By what it was opened.
pub(crate) enum Opened {
    System(Reader<std::fs::File>),
    Host(Reader<HostSource>),
}

/// The same for both.
macro_rules! reader {
    ($file:expr, $reader:ident => $do:expr) => {
        match &$file.opened {
            $crate::file::Opened::System($reader) => $do,
            $crate::file::Opened::Host($reader) => $do,
        }
    };
}
pub(crate) use reader;

impl Object for File {
    const NAME: &'static str = "file";

    fn core(&self) -> &Core {
        &self.core
    }
}

impl File {
    pub(crate) fn new(opened: Opened) -> Result<Self> {
        let (id, metadata) = match &opened {
            Opened::System(r) => (r.file_id(), r.metadata()),
            Opened::Host(r) => (r.file_id(), r.metadata()),
        };
        let text = |text: &Option<String>| text.as_deref().map(ptr::c_text).transpose();
        let (name, media_type) = (text(&metadata.name)?, text(&metadata.media_type)?);
        let id = ptr::c_text(&id.to_string())?;
        Ok(File { core: Core::new(), opened, position: Mutex::new(0), id, name, media_type })
    }

    pub(crate) fn len(&self) -> u64 {
        reader!(self, r => r.len())
    }

    pub(crate) fn metadata(&self) -> &bulla_core::Metadata {
        reader!(self, r => r.metadata())
    }

    fn decision(&self) -> Arc<Decision> {
        reader!(self, r => r.decision())
    }

    fn read_at(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        reader!(self, r => r.read_at(out, offset))
    }

    fn duties(&self, right: Right) -> Option<Duties> {
        reader!(self, r => r.duties(right))
    }

    /// The position, for one call at a time: a callback that comes back here must not wait for
    /// itself.
    fn position(&self) -> Result<MutexGuard<'_, u64>> {
        match self.position.try_lock() {
            Ok(position) => Ok(position),
            Err(TryLockError::Poisoned(p)) => Ok(PoisonError::into_inner(p)),
            Err(TryLockError::WouldBlock) => {
                let why = "another call is moving this file's position: use bulla_file_pread";
                Err(bulla_core::Error::new(Code::State, why))
            }
        }
    }
}

/// The content's length in bytes. It was authenticated when the file was opened.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_size(
    file: *const File,
    out_size: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_size, "out_size")?;
        *out = ptr::object(file)?.len();
        Ok(())
    })
}

/// Reads at `offset`, until `len` bytes are read or the end is reached: `out_read` is less than
/// `len` only at the end, and 0 past it. Every byte was authenticated.
///
/// Errors: `BULLA_E_MISSING_RIGHT` without the right to view; `BULLA_E_ENDED`, or why it is denied
/// now, after the decision's end; `BULLA_E_BAD_CHUNK` or `BULLA_E_BAD_LENGTH` if the file was
/// changed, and `BULLA_E_BAD_STATE` for every read after a `BULLA_E_BAD_CHUNK`; the *I/O* ones.
/// `buf` may hold authentic parts of the content then; `out_read` is 0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_pread(
    file: *const File,
    offset: u64,
    buf: *mut c_void,
    len: usize,
    out_read: *mut usize,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_read, "out_read")?;
        let file = ptr::object(file)?;
        let buf = ptr::buffer(buf, len, file.len().saturating_sub(offset), "buf")?;
        *out = file.read_at(buf, offset)?;
        Ok(())
    })
}

/// Reads at the position, and moves it by what was read. Otherwise as `bulla_file_pread`.
///
/// Errors: as `bulla_file_pread`; `BULLA_E_BAD_STATE` while another call moves the position.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_read(
    file: *mut File,
    buf: *mut c_void,
    len: usize,
    out_read: *mut usize,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_read, "out_read")?;
        let file = ptr::object(file.cast_const())?;
        let mut position = file.position()?;
        let buf = ptr::buffer(buf, len, file.len().saturating_sub(*position), "buf")?;
        *out = file.read_at(buf, *position)?;
        *position += *out as u64;
        Ok(())
    })
}

/// Moves the position to `offset` from what `whence` says: `BULLA_SEEK_SET`, `BULLA_SEEK_CUR` or
/// `BULLA_SEEK_END`. Past the end is allowed; reads there give nothing. `out_position`, the new
/// position, may be NULL.
///
/// Errors: `BULLA_E_BAD_ARGUMENT` for another `whence` or a position before the start or above
/// `INT64_MAX`, which leaves the position as it was; `BULLA_E_BAD_STATE` as `bulla_file_read`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_seek(
    file: *mut File,
    offset: i64,
    whence: i32,
    out_position: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_or_none(out_position, "out_position")?;
        let file = ptr::object(file.cast_const())?;
        let mut position = file.position()?;
        let from = match whence {
            BULLA_SEEK_SET => 0,
            BULLA_SEEK_CUR => *position,
            BULLA_SEEK_END => file.len(),
            _ => return Err(ptr::bad("whence is not one of BULLA_SEEK_*")),
        };
        let to = from.checked_add_signed(offset).filter(|to| i64::try_from(*to).is_ok());
        *position = to.ok_or_else(|| ptr::bad("a seek before the start or above INT64_MAX"))?;
        if let Some(out) = out {
            *out = *position;
        }
        Ok(())
    })
}

/// The position.
///
/// Errors: `BULLA_E_BAD_STATE` while another call moves it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_tell(
    file: *const File,
    out_position: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_position, "out_position")?;
        *out = *ptr::object(file)?.position()?;
        Ok(())
    })
}

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

/// Closes a file. NULL is fine. Writers that it gave go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_free(file: *mut File) {
    guard_or((), || ptr::free(file));
}
