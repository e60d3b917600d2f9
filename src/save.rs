//! Replacing a sealed file: only if it still is what was opened.

use crate::atomic::{Beside, Existing};
use crate::cobblestone::{COMMITMENT, Encryptor, read_commitment};
use crate::header::Header;
use crate::lease::Lease;
use crate::policy::Right;
use crate::trail::Entry;
use crate::{Code, Error, Result};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// The sealed file as it was when it was opened.
pub(crate) struct Original {
    pub(crate) path: PathBuf,
    pub(crate) header: Vec<u8>,
    pub(crate) commitment: [u8; COMMITMENT],
}

impl Original {
    /// Puts `new` in the file's place, with its permissions and owner.
    ///
    /// # Errors
    /// [`Code::Changed`] if the file is not the one that was opened any more.
    pub(crate) fn replace(self, new: Beside) -> Result<()> {
        let io = |e| Error::io("reading the file to replace", e);
        // Savers of the same file wait here for each other; the later one then sees a new header.
        let _lock = lock(&self.path).map_err(io)?;
        let now = File::open(&self.path).map_err(io)?;
        let (header, _) = Header::read(&now).map_err(|_| changed())?;
        let commitment = read_commitment(&now, header.payload_at)?;
        if header.to_bytes() != self.header || commitment != self.commitment {
            return Err(changed());
        }
        new.like(&now.metadata().map_err(io)?)?;
        new.commit(Existing::Replace, true)
    }
}

#[cfg(not(windows))]
fn lock(path: &std::path::Path) -> io::Result<File> {
    crate::atomic::lock(File::open(path)?)
}

#[cfg(windows)]
use crate::windows::lock;

/// A save under way: it ends with the decision that allows it, and what it made is remembered.
pub(crate) struct Save {
    pub(crate) original: Original,
    pub(crate) lease: Arc<Lease>,
    pub(crate) rev: u64,
}

impl Save {
    /// Records the save, puts the new file in place, and remembers it.
    pub(crate) fn finish(self, new: Beside, commitment: [u8; COMMITMENT]) -> Result<()> {
        let (rev, commitment_made) = (Some(self.rev), Some(commitment));
        let record = |entry| Entry { rev, commitment: commitment_made, ..entry };
        self.lease.exercise(Right::Edit, record)?;
        self.original.replace(new).map_err(|e| self.lease.failed(e))?;
        self.lease.saved(self.rev, &commitment)
    }
}

/// A save whose envelope goes to a writer. It is complete after [`finish`](SaveStream::finish).
/// After a call that failed, all others fail with [`Code::State`].
pub struct SaveStream<W: Write> {
    pub(crate) inner: Encryptor<W>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) rev: u64,
}

impl<W: Write> SaveStream<W> {
    /// Records the save, then writes the last chunk; gives the writer back, flushed. That the
    /// device has seen the new content is remembered when it is opened: whether it was put in
    /// place is not known here.
    ///
    /// # Errors
    /// [`Code::Ended`] if the decision has ended, [`Code::Right`] if it grants no editing by now.
    pub fn finish(self) -> Result<W> {
        let (rev, commitment) = (Some(self.rev), Some(self.inner.commitment()));
        self.lease.exercise(Right::Edit, |entry| Entry { rev, commitment, ..entry })?;
        let finished = self.inner.finish().and_then(|mut out| {
            out.flush().map_err(|e| Error::io("writing the sealed file", e))?;
            Ok(out)
        });
        finished.map_err(|e| self.lease.failed(e))
    }
}

impl<W: Write> Write for SaveStream<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.inner.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn changed() -> Error {
    Error::new(
        Code::Changed,
        "somebody else saved or re-licensed this file meanwhile: open it again; nothing was written",
    )
}
