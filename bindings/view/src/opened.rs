//! Open sealed files: the decision under which each program has opened one.

use crate::content::{Content, STEP};
use crate::draft::Base;
use crate::folder::Folder;
use crate::seal;
use bulla::{Error, Metadata, Reader, Result, Right};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// A reader, and the folder that its path leads through.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) reader: Arc<Reader<File>>,
    pub(crate) folder: Arc<Folder>,
}

impl Sealed {
    /// What was saved in its place since.
    pub(crate) fn renewed(&self) -> Result<Self> {
        let reader = Arc::new(self.reader.saved()?);
        Ok(Sealed { reader, folder: Arc::clone(&self.folder) })
    }
}

impl Base for Sealed {
    fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(self.reader.read_at(out, offset)?)
    }
}

/// New content for a sealed file, under its license.
pub(crate) fn save(
    sealed: &Sealed,
    content: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let metadata = Metadata { modified: seal::now(), ..sealed.reader.metadata().clone() };
    let mut writer = sealed.reader.save(&metadata)?;
    content(&mut writer)?;
    writer.finish()
}

/// Copies what a reader has.
pub(crate) fn copy(from: &Reader<File>, to: &mut dyn Write) -> Result<()> {
    let mut buffer = Zeroizing::new(vec![0; STEP.min(from.len() as usize)]);
    let mut at = 0;
    while at < from.len() {
        let n = from.read_at(&mut buffer, at)?;
        to.write_all(&buffer[..n]).map_err(|e| Error::io("sealing the content", e))?;
        at += n as u64;
    }
    Ok(())
}

/// What one program has opened.
pub(crate) struct Handle {
    pub(crate) number: u64,
    pub(crate) content: Arc<Content>,
    pub(crate) writes: bool,
    pub(crate) reads: bool,
    /// Under which decision; `None` of a file that this handle has made.
    lease: Option<RwLock<(Sealed, u64)>>,
}

impl Handle {
    pub(crate) fn new(
        number: u64,
        content: Arc<Content>,
        (reads, writes): (bool, bool),
        sealed: Option<Sealed>,
    ) -> Self {
        let version = content.read_state().version;
        let lease = sealed.map(|sealed| RwLock::new((sealed, version)));
        Handle { number, content, writes, reads, lease }
    }

    pub(crate) fn read(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        let state = self.content.read_state();
        let Some(lease) = &self.lease else { return state.read(out, offset) };
        loop {
            let current = lease.read().unwrap_or_else(PoisonError::into_inner);
            if state.draft.as_ref().is_some_and(|d| d.dirty || state.made.is_some()) {
                // A read of nothing asks whether reading is allowed now.
                current.0.reader.read_at(&mut [], 0)?;
                return state.read(out, offset);
            }
            if current.1 == state.version {
                return current.0.reader.read_at(out, offset);
            }
            let renewed = current.0.renewed()?;
            drop(current);
            *lease.write().unwrap_or_else(PoisonError::into_inner) = (renewed, state.version);
        }
    }

    /// Whether it may be read, or written, now.
    pub(crate) fn allows(&self, right: Right) -> bool {
        let Some(lease) = &self.lease else { return true };
        let current = lease.read().unwrap_or_else(PoisonError::into_inner);
        current.0.reader.decision().allows(right)
    }

    /// Bytes of content.
    pub(crate) fn len(&self) -> u64 {
        let sealed = || {
            let lease = self.lease.as_ref()?;
            Some(lease.read().unwrap_or_else(PoisonError::into_inner).0.reader.len())
        };
        self.content.len().or_else(sealed).unwrap_or(0)
    }

    /// Nobody reads through this handle any more: plaintext that is kept for the next read goes.
    pub(crate) fn rest(&self) {
        if let Some(lease) = &self.lease {
            lease.read().unwrap_or_else(PoisonError::into_inner).0.reader.rest();
        }
    }

    /// Whether its decision can end.
    pub(crate) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }
}

/// A file without a name in this folder.
pub(crate) fn scratch(folder: Arc<Folder>) -> impl Fn() -> io::Result<File> + Send + Sync {
    use rustix::fs::{Mode, OFlags};
    move || {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let made = rustix::fs::openat(&*folder, OsStr::new("."), flags, Mode::from_raw_mode(0o600));
        match made {
            Ok(file) => Ok(file.into()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
                tempfile::tempfile_in(folder.path(OsStr::new("")))
            }
            Err(e) => Err(e.into()),
        }
    }
}
