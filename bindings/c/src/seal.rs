//! Sealing in one call: a plain file, or bytes from memory.

use crate::error::Error;
use crate::export::{Watched, cores, existing, telling};
use crate::guard::guard;
use crate::io::{HostSink, Sink};
use crate::options::{SealOptions, metadata};
use crate::ptr;
use crate::sealer::Sealer;
use bulla_core::cobblestone::Work;
use bulla_core::{Metadata, Result};
use std::ffi::{c_char, c_void};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

unsafe fn seal_file(
    sealer: *const Sealer,
    from: Result<PathBuf>,
    to: Result<PathBuf>,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
) -> Result<()> {
    let out = ptr::out_or_none(out_file_id, "out_file_id")?;
    let sealer = ptr::object(sealer)?;
    let options = ptr::read_struct_or_zero(options, "options")?;
    let existing = existing(options.flags)?;
    let (from, to) = (from?, to?);
    let io = |e| bulla_core::Error::io("reading the file to seal", e);
    if !fs::metadata(&from).map_err(io)?.is_file() {
        return Err(ptr::bad("the file to seal is no regular file"));
    }
    let plain = fs::File::open(&from).map_err(io)?;
    let system = plain.metadata().map_err(io)?;
    let metadata = metadata(options.metadata)?.unwrap_or_else(|| of_plain(&from, &system));
    let prepared = sealer.prepare(&metadata)?;
    let id = prepared.file_id();
    let mut writer = prepared.into_file(&to, existing)?;
    let mut progress = telling(options.progress, options.progress_user, system.len());
    writer.copy_file(&plain, &mut Work { threads: cores(), progress: &mut progress })?;
    writer.finish()?;
    give_id(out, id)
}

unsafe fn give_id(out: Option<&mut *mut c_char>, id: bulla_core::Id) -> Result<()> {
    if let Some(out) = out {
        *out = ptr::string(&id.to_string())?;
    }
    Ok(())
}

/// Name and times of a plain file.
fn of_plain(path: &Path, system: &fs::Metadata) -> Metadata {
    let millis = |time: std::io::Result<SystemTime>| {
        let since = time.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().filter(|millis| *millis < 1 << 53)
    };
    Metadata {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
        media_type: None,
        created: millis(system.created()),
        modified: millis(system.modified()),
    }
}

/// Seals a plain file, which stays. Without `options->metadata` its name and times are taken over.
/// `options` may be NULL; so may `out_file_id`, the new file's id, to be freed with
/// `bulla_string_free`.
///
/// Errors: as `bulla_sealer_begin`; `BULLA_E_NOT_FOUND`; `BULLA_E_BAD_ARGUMENT`, also if `from` is
/// no regular file; `BULLA_E_CANCELLED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_file(
    sealer: *const Sealer,
    from: *const c_char,
    to: *const c_char,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        seal_file(sealer, ptr::path(from, "from"), ptr::path(to, "to"), options, out_file_id)
    })
}

/// The same, with paths in UTF-16, as for `bulla_file_open_w`.
///
/// Errors: as `bulla_sealer_seal_file`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_file_w(
    sealer: *const Sealer,
    from: *const u16,
    to: *const u16,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let (from, to) = (ptr::wide_path(from, "from"), ptr::wide_path(to, "to"));
        seal_file(sealer, from, to, options, out_file_id)
    })
}

/// Seals `len` bytes from memory into a file. Otherwise as `bulla_sealer_seal_file`.
///
/// Errors: as `bulla_sealer_begin`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_bytes(
    sealer: *const Sealer,
    data: *const c_void,
    len: usize,
    to: *const c_char,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_or_none(out_file_id, "out_file_id")?;
        let sealer = ptr::object(sealer)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        let existing = existing(options.flags)?;
        let data = ptr::bytes(data, len, "data")?;
        let to = ptr::path(to, "to")?;
        let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
        let id = prepared.file_id();
        let mut writer = prepared.into_file(&to, existing)?;
        let (progress, user) = (options.progress, options.progress_user);
        writer.copy_from(&mut Watched::new(data, progress, user, len as u64))?;
        writer.finish()?;
        give_id(out, id)
    })
}

/// Seals `len` bytes from memory into the program's callbacks. `close` runs during the call.
/// `options` may be NULL; so may `out_file_id`, to be freed with `bulla_string_free`.
///
/// Errors: as `bulla_sealer_begin_sink`; `BULLA_E_CANCELLED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_bytes_to(
    sealer: *const Sealer,
    data: *const c_void,
    len: usize,
    sink: *const Sink,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let sink = HostSink::new(sink);
        let out = ptr::out_or_none(out_file_id, "out_file_id")?;
        let sealer = ptr::object(sealer)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let data = ptr::bytes(data, len, "data")?;
        let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
        let id = prepared.file_id();
        let mut writer = prepared.into_stream(sink?)?;
        let (progress, user) = (options.progress, options.progress_user);
        writer.copy_from(&mut Watched::new(data, progress, user, len as u64))?;
        let flushed = writer.finish()?.flush();
        flushed.map_err(|e| bulla_core::Error::io("writing the sealed file", e))?;
        give_id(out, id)
    })
}
