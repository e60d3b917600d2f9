//! Opening sealed files, by all the ways in which a host may hold them.

use crate::error::Error;
use crate::file::{File, Opened};
use crate::guard::guard;
use crate::io::{HostSource, Source};
use crate::names;
use crate::options::{BULLA_OLDER, OpenOptions};
use crate::ptr;
use crate::session::Session;
use bulla_core::{Access, Result, Right};
use std::ffi::{c_char, c_void};

unsafe fn access(options: *const OpenOptions) -> Result<Access> {
    let options = ptr::read_struct_or_zero(options, "options")?;
    let older = crate::options::flags(options.flags, BULLA_OLDER)? != 0;
    if options.reserved != 0 {
        return Err(ptr::bad("options.reserved is not 0"));
    }
    let right = if options.right == 0 { Right::View } else { names::right(options.right)? };
    Ok(Access { right, older, ..Access::default() })
}

unsafe fn open_path(
    session: *const Session,
    path: Result<std::path::PathBuf>,
    options: *const OpenOptions,
    out: *mut *mut File,
) -> Result<()> {
    let out = ptr::out(out, "out_file")?;
    let session = ptr::object(session)?;
    let opened = session.inner.open_for(&path?, access(options)?)?;
    ptr::give(out, File::new(Opened::System(opened))?);
    Ok(())
}

unsafe fn open_file(
    session: *const Session,
    file: impl FnOnce() -> Result<std::fs::File>,
    options: *const OpenOptions,
    out: *mut *mut File,
) -> Result<()> {
    let out = ptr::out(out, "out_file")?;
    let session = ptr::object(session)?;
    let access = access(options)?;
    let opened = session.inner.open_source_for(file()?, access)?;
    ptr::give(out, File::new(Opened::System(opened))?);
    Ok(())
}

/// Opens a sealed file. `options` may be NULL: to view the newest. Free the file with
/// `bulla_file_free`. The opening, or its denial, is recorded in the audit trail.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* ones; the *format* ones if it is not a sound envelope,
/// among them `BULLA_E_NOT_SEALED` for a plain file, which is never taken for a sealed one; the
/// *denied* ones if root, license or policy do not let it be opened here and now, with the decision
/// as JSON where a policy denied it; the *tampered* ones if it was changed;
/// `BULLA_E_BAD_TRAIL`, `BULLA_E_TRAIL_BUSY` and `BULLA_E_FULL` if it cannot be recorded.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_open(
    session: *const Session,
    path: *const c_char,
    options: *const OpenOptions,
    out_file: *mut *mut File,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || open_path(session, ptr::path(path, "path"), options, out_file))
}

/// The same, with a path in UTF-16 that ends with 0 and has at most 32,767 units. On Windows any
/// path that the system knows; elsewhere it must be well formed.
///
/// Errors: as `bulla_file_open`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_open_w(
    session: *const Session,
    path: *const u16,
    options: *const OpenOptions,
    out_file: *mut *mut File,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || open_path(session, ptr::wide_path(path, "path"), options, out_file))
}

/// The same by a file descriptor of a regular file that is open for reading. It is duplicated: it
/// stays the caller's, who may close it after the call. Its own position is not used. Such a file
/// is saved with `bulla_file_save_to`.
///
/// Errors: as `bulla_file_open`; `BULLA_E_NOT_SUPPORTED` on Windows.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_open_fd(
    session: *const Session,
    fd: i32,
    options: *const OpenOptions,
    out_file: *mut *mut File,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || open_file(session, || ptr::file_of_fd(fd), options, out_file))
}

/// The same by a `HANDLE` of Windows.
///
/// Errors: as `bulla_file_open`; `BULLA_E_NOT_SUPPORTED` elsewhere.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_open_handle(
    session: *const Session,
    handle: *mut c_void,
    options: *const OpenOptions,
    out_file: *mut *mut File,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || open_file(session, || ptr::file_of_handle(handle), options, out_file))
}

/// Opens an envelope that the program itself keeps. The struct is copied; what `user` points to
/// must be there until `close` runs: when the file is freed, or during this call if it fails. The
/// storage under such a file is unknown, which denies where a policy asks for it. It is saved with
/// `bulla_file_save_to`.
///
/// Errors: as `bulla_file_open`; `BULLA_E_IO` if a callback fails or claims more than it was asked
/// for. Bytes that change between two reads are found like any other change.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_open_source(
    session: *const Session,
    source: *const Source,
    options: *const OpenOptions,
    out_file: *mut *mut File,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let source = HostSource::new(source);
        let out = ptr::out(out_file, "out_file")?;
        let session = ptr::object(session)?;
        let opened = session.inner.open_source_for(source?, access(options)?)?;
        ptr::give(out, File::new(Opened::Host(opened))?);
        Ok(())
    })
}
