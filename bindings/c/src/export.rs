//! Plain content that leaves, and the host's word on how far it may go.

use crate::error::Error;
use crate::file::{File, Opened, reader};
use crate::guard::guard;
use crate::io::{HostSink, Sink};
use crate::options::{BULLA_REPLACE, ExportOptions};
use crate::ptr;
use bulla_core::cobblestone::Work;
use bulla_core::{Code, Existing, OutputFile, Result};
use std::ffi::{c_char, c_void};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Told how many of `total` bytes are done; `total` is 0 where it is not known. It runs in the
/// thread that called, during the call. 0 to go on; anything else stops the work, and the call
/// fails with `BULLA_E_CANCELLED`.
pub type Progress = Option<unsafe extern "C" fn(user: *mut c_void, done: u64, total: u64) -> i32>;

/// As many threads as the machine has for one file.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Tells the host how far the work is, if it wants to know.
pub(crate) fn telling(
    progress: Progress,
    user: *mut c_void,
    total: u64,
) -> impl FnMut(u64) -> Result<()> {
    move |done| match progress {
        // SAFETY: the host's own function, called as the header says.
        Some(progress) if unsafe { progress(user, done, total) } != 0 => {
            Err(bulla_core::Error::new(Code::Cancelled, "the program stopped it"))
        }
        _ => Ok(()),
    }
}

/// A reader or writer of which the host is told how far it is.
pub(crate) struct Watched<T> {
    inner: T,
    progress: Progress,
    user: *mut c_void,
    done: u64,
    total: u64,
}

impl<T> Watched<T> {
    pub(crate) fn new(inner: T, progress: Progress, user: *mut c_void, total: u64) -> Self {
        Watched { inner, progress, user, done: 0, total }
    }

    fn add(&mut self, n: usize) -> io::Result<usize> {
        self.done += n as u64;
        telling(self.progress, self.user, self.total)(self.done)?;
        Ok(n)
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(data)?;
        self.add(n)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = self.inner.write_vectored(data)?;
        self.add(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.add(n)
    }

    fn read_vectored(&mut self, buf: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let n = self.inner.read_vectored(buf)?;
        self.add(n)
    }
}

pub(crate) unsafe fn existing(flags: u32) -> Result<Existing> {
    let replace = crate::options::flags(flags, BULLA_REPLACE)? != 0;
    Ok(if replace { Existing::Replace } else { Existing::Keep })
}

fn export(file: &File, options: &ExportOptions, to: impl Write) -> Result<u64> {
    let mut to = Watched::new(to, options.progress, options.progress_user, file.len());
    let exported = reader!(file, r => r.export(&mut to))?;
    to.flush().map_err(|e| bulla_core::Error::io("writing the plain content", e))?;
    Ok(exported)
}

unsafe fn export_path(
    file: *const File,
    path: Result<PathBuf>,
    options: *const ExportOptions,
    out_bytes: *mut u64,
) -> Result<()> {
    let out = ptr::out_or_none(out_bytes, "out_bytes")?;
    let file = ptr::object(file)?;
    let options = ptr::read_struct_or_zero(options, "options")?;
    let mut plain = OutputFile::create(&path?, existing(options.flags)?)?;
    let mut progress = telling(options.progress, options.progress_user, file.len());
    let n = match &file.opened {
        Opened::System(reader) => {
            reader.export_to(&mut plain, &mut Work { threads: cores(), progress: &mut progress })
        }
        // The host's callbacks run in its own thread alone.
        Opened::Host(reader) => {
            let one = NonZeroUsize::MIN;
            reader.export_to(&mut plain, &mut Work { threads: one, progress: &mut progress })
        }
    }?;
    if let Some(modified) = file.metadata().modified.and_then(system_time) {
        plain.set_modified(modified)?;
    }
    plain.finish()?;
    if let Some(out) = out {
        *out = n;
    }
    Ok(())
}

fn system_time(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    match millis < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    }
}

/// Writes the plain content to a file, which is there whole or not at all, with the original's
/// time of the last change. It is recorded in the audit trail first. `options` may be NULL;
/// `out_bytes`, the number of bytes, may be NULL.
///
/// Errors: `BULLA_E_MISSING_RIGHT` without the right to export; `BULLA_E_ENDED`, or why it is
/// denied now, after the decision's end; `BULLA_E_EXISTS` if the output exists, without
/// `BULLA_REPLACE`; `BULLA_E_BAD_ARGUMENT`, also if the output is no regular file;
/// `BULLA_E_CANCELLED`; those of reads; the *I/O* ones; those of the trail.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_export(
    file: *const File,
    path: *const c_char,
    options: *const ExportOptions,
    out_bytes: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || export_path(file, ptr::path(path, "path"), options, out_bytes))
}

/// The same, with a path in UTF-16, as for `bulla_file_open_w`.
///
/// Errors: as `bulla_file_export`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_export_w(
    file: *const File,
    path: *const u16,
    options: *const ExportOptions,
    out_bytes: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || export_path(file, ptr::wide_path(path, "path"), options, out_bytes))
}

/// The same to a file descriptor, at its position: also to a pipe or socket. It is duplicated; the
/// caller closes it. What was written before a failure stays written.
///
/// Errors: as `bulla_file_export`; `BULLA_E_NOT_SUPPORTED` on Windows.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_export_fd(
    file: *const File,
    fd: i32,
    options: *const ExportOptions,
    out_bytes: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_or_none(out_bytes, "out_bytes")?;
        let file = ptr::object(file)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let n = export(&file, &options, ptr::file_of_fd(fd)?)?;
        if let Some(out) = out {
            *out = n;
        }
        Ok(())
    })
}

/// The same to the program's own callbacks. `close` runs during the call. What was written before
/// a failure stays written.
///
/// Errors: as `bulla_file_export`; `BULLA_E_IO` if a callback fails.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_export_sink(
    file: *const File,
    sink: *const Sink,
    options: *const ExportOptions,
    out_bytes: *mut u64,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let sink = HostSink::new(sink);
        let out = ptr::out_or_none(out_bytes, "out_bytes")?;
        let file = ptr::object(file)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let n = export(&file, &options, sink?)?;
        if let Some(out) = out {
            *out = n;
        }
        Ok(())
    })
}
