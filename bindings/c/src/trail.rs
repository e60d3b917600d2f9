//! The audit trail.

use crate::error::Error;
use crate::guard::guard;
use crate::ptr;
use crate::session::Session;
use bulla_core::{
    Code, Result, TrailExpectation, TrailFault, TrailFaultKind, TrailReport, verify_trail,
};
use std::ffi::c_char;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

/// Verifies a trail from its first line to its last, with memory that does not depend on its
/// length. `out_json` is the report: records, first and last time, device, id, and the hash of the
/// last line, which a later trail must go on from. Free it with `bulla_string_free`; it may be
/// NULL.
///
/// `path` NULL: the trail of the session's home, which must also be its device's own. With a
/// `path`, `session` may be NULL.
///
/// Errors: `BULLA_E_BAD_TRAIL` if it was changed or cut, with the line in the message;
/// `BULLA_E_BAD_ARGUMENT` if both are NULL; the *I/O* ones.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_trail_verify(
    session: *const Session,
    path: *const c_char,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_or_none(out_json, "out_json")?;
        let session = ptr::object_or_none(session)?;
        let report = match (ptr::text_or_none(path, "path")?, session) {
            (Some(path), _) => verify(Path::new(path), &TrailExpectation::default())?,
            (None, Some(session)) => {
                let expect = TrailExpectation {
                    id: Some(session.home.trail_id()?),
                    device: Some(session.inner.identity().thumbprint()),
                    anchors: &[],
                };
                verify(&session.home.trail_file(), &expect)?
            }
            (None, None) => return Err(ptr::bad("session and path are both NULL")),
        };
        if let Some(out) = out {
            *out = crate::inspect::json(&report)?;
        }
        Ok(())
    })
}

fn verify(path: &Path, expect: &TrailExpectation<'_>) -> Result<TrailReport> {
    let io = |e| bulla_core::Error::io("reading the trail", e);
    let file = File::open(path).map_err(io)?;
    let read = || verify_trail(BufReader::with_capacity(1 << 20, &file), expect);
    let mut report = read();
    if report.as_ref().is_err_and(|fault| fault.kind == TrailFaultKind::Torn) {
        // Perhaps a line that was just being written: nobody writes while we have the lock.
        file.lock().map_err(io)?;
        (&file).rewind().map_err(io)?;
        report = read();
    }
    report.map_err(|fault: TrailFault| bulla_core::Error::new(Code::Trail, fault.to_string()))
}
