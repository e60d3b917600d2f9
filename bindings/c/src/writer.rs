//! Writers: new content, sealed as it is written.

use crate::error::Error;
use crate::guard::{guard, guard_or};
use crate::io::HostSink;
use crate::ptr::{self, Core, Object};
use bulla_core::cobblestone::Encryptor;
use bulla_core::{Code, Result, SaveStream};
use std::ffi::{CString, c_char, c_void};
use std::io::Write;
use std::sync::{Mutex, PoisonError, TryLockError};

/// New content of a sealed file. One thread at a time may use it.
pub struct Writer {
    core: Core,
    id: CString,
    state: Mutex<State>,
}

enum State {
    Open(Box<dyn Sealing>),
    Finished,
    Failed,
}

impl Object for Writer {
    const NAME: &'static str = "writer";

    fn core(&self) -> &Core {
        &self.core
    }
}

/// All that content can be sealed into.
pub(crate) trait Sealing: Write + Send {
    fn finish(self: Box<Self>) -> Result<()>;
}

impl Sealing for bulla_core::Writer {
    fn finish(self: Box<Self>) -> Result<()> {
        (*self).finish()
    }
}

impl Sealing for Encryptor<HostSink> {
    fn finish(self: Box<Self>) -> Result<()> {
        (*self).finish().map(drop)
    }
}

impl Sealing for SaveStream<HostSink> {
    fn finish(self: Box<Self>) -> Result<()> {
        (*self).finish().map(drop)
    }
}

impl Writer {
    pub(crate) fn new(id: bulla_core::Id, inner: Box<dyn Sealing>) -> Result<Self> {
        let id = ptr::c_text(&id.to_string())?;
        Ok(Writer { core: Core::new(), id, state: Mutex::new(State::Open(inner)) })
    }

    /// Does something with the open writer. If it fails, the writer is gone, and so is what it
    /// wrote beside its target.
    fn with(&self, act: impl FnOnce(Box<dyn Sealing>) -> Result<State>) -> Result<()> {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(p)) => PoisonError::into_inner(p),
            Err(TryLockError::WouldBlock) => {
                return Err(used("another call is using this writer"));
            }
        };
        match std::mem::replace(&mut *state, State::Failed) {
            State::Open(writer) => {
                *state = act(writer)?;
                Ok(())
            }
            State::Finished => {
                *state = State::Finished;
                Err(used("this writer is finished: free it"))
            }
            State::Failed => Err(used("an earlier call with this writer failed: free it")),
        }
    }
}

fn used(why: &'static str) -> bulla_core::Error {
    bulla_core::Error::new(Code::State, why)
}

/// Seals `len` more bytes. All of them, or the writer has failed, and nothing will be left of it.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`, after which the writer goes on; the *I/O* ones;
/// `BULLA_E_BAD_STATE` after `bulla_writer_finish` or an error.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_writer_write(
    writer: *mut Writer,
    data: *const c_void,
    len: usize,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let writer = ptr::object(writer.cast_const())?;
        let data = ptr::bytes(data, len, "data")?;
        writer.with(|mut inner| {
            let written = inner.write_all(data);
            written.map_err(|e| bulla_core::Error::io("writing the sealed file", e))?;
            Ok(State::Open(inner))
        })
    })
}

/// Writes the last part, syncs, and puts the file in place. Without it nothing is left behind, and
/// a file that was to be replaced stays as it was. The writer can then only be freed, also after
/// an error.
///
/// Errors: the *I/O* ones; `BULLA_E_EXISTS` if the output exists by now, without `BULLA_REPLACE`;
/// of a save `BULLA_E_CHANGED_MEANWHILE` if somebody else saved or re-licensed the file,
/// `BULLA_E_ENDED` or why it is denied now if the decision has ended, and those of the trail;
/// `BULLA_E_BAD_STATE` after an error or the second time.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_writer_finish(writer: *mut Writer, err: *mut *mut Error) -> i32 {
    guard(err, || {
        ptr::object(writer.cast_const())?.with(|inner| {
            inner.finish()?;
            Ok(State::Finished)
        })
    })
}

/// The id of the file that is written: 32 hex characters. The string belongs to the writer: it is
/// valid until that is freed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_writer_file_id(
    writer: *const Writer,
    out_id: *mut *const c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_id, "out_id")?;
        *out = ptr::object(writer)?.id.as_ptr();
        Ok(())
    })
}

/// Frees a writer. Without `bulla_writer_finish` before it, nothing is left behind. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_writer_free(writer: *mut Writer) {
    guard_or((), || ptr::free(writer));
}
