//! Open sealed files: reading, and what may be done with them.

use crate::error::Error;
use crate::guard::{guard, guard_or};
use crate::io::HostSource;
use crate::ptr::{self, Core, Object};
use bulla_core::policy::{Decision, Duties};
use bulla_core::{Code, Reader, Result, Right};
use std::ffi::{CString, c_void};
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
    pub(crate) id: CString,
    pub(crate) name: Option<CString>,
    pub(crate) media_type: Option<CString>,
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

    pub(crate) fn decision(&self) -> Arc<Decision> {
        reader!(self, r => r.decision())
    }

    fn read_at(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        reader!(self, r => r.read_at(out, offset))
    }

    pub(crate) fn duties(&self, right: Right) -> Option<Duties> {
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

/// Closes a file. NULL is fine. Writers that it gave go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_free(file: *mut File) {
    guard_or((), || ptr::free(file));
}
