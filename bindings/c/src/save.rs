//! Saving an edit.

use crate::error::Error;
use crate::file::{File, Opened, reader};
use crate::guard::guard;
use crate::io::{HostSink, Sink};
use crate::options::{Metadata, metadata};
use crate::ptr;
use crate::writer::Writer;
use bulla_core::{Code, Result};

unsafe fn metadata_or_old(file: &File, given: *const Metadata) -> Result<bulla_core::Metadata> {
    Ok(metadata(given)?.unwrap_or_else(|| file.metadata().clone()))
}

/// Starts a save of a file that was opened from a path: all of its content anew, under the same
/// license. `bulla_writer_finish` puts it in the file's place, if that still is the one that was
/// opened. `file` itself goes on showing the old content: open it again.
///
/// `metadata` may be NULL: as it was. Free the writer with `bulla_writer_free`.
///
/// Errors: `BULLA_E_MISSING_RIGHT` without the right to edit; `BULLA_E_ENDED`, or why it is denied
/// now, after the decision's end; `BULLA_E_BAD_ARGUMENT`, also for metadata that is too long;
/// `BULLA_E_BAD_STATE` if the file was not opened from a path; the *I/O* ones; those of the trail.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_save(
    file: *const File,
    metadata: *const Metadata,
    out_writer: *mut *mut Writer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_writer, "out_writer")?;
        let file = ptr::object(file)?;
        let metadata = metadata_or_old(&file, metadata)?;
        let Opened::System(reader) = &file.opened else {
            let why = "this file was not opened from a path: use bulla_file_save_to";
            return Err(bulla_core::Error::new(Code::State, why));
        };
        let writer = reader.save(&metadata)?;
        ptr::give(out, Writer::new(reader.file_id(), Box::new(writer))?);
        Ok(())
    })
}

/// Starts a save of which the whole new envelope goes to the program's callbacks: for envelopes
/// that the program itself keeps. After `bulla_writer_finish` it is complete; the program puts it
/// in the old one's place, in one step, if that still is the one that was opened.
///
/// `metadata` may be NULL: as it was. `close` of the sink runs when the writer is finished, has
/// failed or is freed, or during this call if it fails.
///
/// Errors: as `bulla_file_save`; `BULLA_E_IO` if a callback fails.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_file_save_to(
    file: *const File,
    sink: *const Sink,
    metadata: *const Metadata,
    out_writer: *mut *mut Writer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let sink = HostSink::new(sink);
        let out = ptr::out(out_writer, "out_writer")?;
        let file = ptr::object(file)?;
        let metadata = metadata_or_old(&file, metadata)?;
        let (id, writer) = reader!(file, r => (r.file_id(), r.save_to(&metadata, sink?)?));
        ptr::give(out, Writer::new(id, Box::new(writer))?);
        Ok(())
    })
}
