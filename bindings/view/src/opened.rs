//! Open sealed files: the decision under which each program has opened one.

use crate::ahead::{Ahead, Job, Piece};
use crate::content::{Content, STEP, Version};
use crate::draft::Base;
use crate::folder::Folder;
use crate::seal;
use bulla::{Error, Metadata, Reader, Result, Right};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use zeroize::Zeroizing;

/// An envelope, open under the decision about one program.
pub(crate) type Sealed = Arc<Reader<File>>;

impl Base for Reader<File> {
    fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(self.read_at(out, offset)?)
    }
}

/// New content for a sealed file that has this path by now, under its license; gives it as it is
/// then.
pub(crate) fn save(
    sealed: &Sealed,
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<Sealed> {
    let metadata = Metadata { modified: seal::now(), ..sealed.metadata().clone() };
    let mut writer = sealed.save_at(path, &metadata)?;
    content(&mut writer)?;
    writer.finish()?;
    Ok(Arc::new(sealed.saved_at(path)?))
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
    lease: RwLock<Lease>,
    ahead: Ahead,
}

/// What there is for a read.
#[derive(Default)]
pub(crate) struct ReadAhead {
    /// What has all of the content that is read, one behind the other; or nothing.
    pub(crate) pieces: Vec<Arc<Piece>>,
    /// Where the read ends.
    pub(crate) end: u64,
    /// What to open once it is answered.
    pub(crate) jobs: Vec<Job>,
}

/// The decision under which a handle reads and writes.
pub(crate) struct Lease {
    /// `None` of a file that the handle has made.
    sealed: Option<Sealed>,
    /// Which content that has, and whose license the decision is about.
    of: Version,
}

impl Lease {
    pub(crate) fn new(sealed: Option<Sealed>, of: Version) -> Self {
        Lease { sealed, of }
    }
}

impl Handle {
    pub(crate) fn new(
        number: u64,
        content: Arc<Content>,
        (reads, writes): (bool, bool),
        lease: Lease,
    ) -> Self {
        let (lease, ahead) = (RwLock::new(lease), Ahead::default());
        Handle { number, content, writes, reads, lease, ahead }
    }

    fn lease(&self) -> RwLockReadGuard<'_, Lease> {
        self.lease.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn renew(&self, lease: Lease) {
        *self.lease.write().unwrap_or_else(PoisonError::into_inner) = lease;
    }

    /// Reads; `None` if it has to be decided about first: [`is_stale`](Self::is_stale).
    pub(crate) fn read(&self, out: &mut [u8], offset: u64) -> Result<Option<usize>> {
        let state = self.content.read_state();
        loop {
            let lease = self.lease();
            if lease.of.license != state.version.license {
                return Ok(None);
            }
            let Some(sealed) = &lease.sealed else { return state.read(out, offset).map(Some) };
            if state.is_ahead() {
                // A read of nothing asks whether reading is allowed now.
                sealed.read_at(&mut [], 0)?;
                return state.read(out, offset).map(Some);
            }
            let renewed = match state.base() {
                Some(base) if lease.of != state.version => Arc::new(sealed.saved_as(base)?),
                _ => return sealed.read_at(out, offset).map(Some),
            };
            drop(lease);
            self.renew(Lease::new(Some(renewed), state.version));
        }
    }

    /// What is read as it is sealed, and only read: what is written may change before. Of large
    /// files.
    fn steady(&self) -> Option<Sealed> {
        let state = self.content.read_state();
        let lease = self.lease();
        let same = lease.of == state.version && !state.is_ahead() && self.reads && !self.writes;
        lease.sealed.as_ref().filter(|sealed| same && Ahead::suits(sealed)).cloned()
    }

    /// Looks for what was opened ahead of a read, if that may still be read and is what the file
    /// holds; and tells what to open ahead once it is answered.
    pub(crate) fn read_ahead(&self, offset: u64, size: usize) -> ReadAhead {
        let Some(sealed) = self.steady() else { return ReadAhead::default() };
        let end = offset.saturating_add(size as u64).min(sealed.len());
        // It waits for other threads, which may wait for locks: none is held here.
        let mut pieces = self.ahead.find(&sealed, offset, end);
        let same = || self.steady().is_some_and(|now| Arc::ptr_eq(&now, &sealed));
        // A read of nothing asks whether reading is allowed now.
        let readable = || same() && sealed.read_at(&mut [], 0).is_ok();
        if !pieces.is_empty() && !readable() {
            pieces.clear();
        }
        ReadAhead { pieces, end, jobs: self.ahead.plan(&sealed, offset, end) }
    }

    /// After a read was answered.
    pub(crate) fn pass(&self) {
        self.ahead.pass();
    }

    /// Whether the file goes on under another license than the decision is about: it was renamed
    /// over another file. Whoever reads on is decided about again.
    pub(crate) fn is_stale(&self) -> bool {
        self.lease().of.license != self.content.license()
    }

    /// Whether it may be read, or written, now, as far as was decided.
    pub(crate) fn allows(&self, right: Right) -> bool {
        self.lease().sealed.as_ref().is_none_or(|sealed| sealed.decision().allows(right))
    }

    /// Bytes of content.
    pub(crate) fn len(&self) -> u64 {
        let sealed = || self.lease().sealed.as_ref().map(|sealed| sealed.len());
        self.content.len().or_else(sealed).unwrap_or(0)
    }

    /// Nobody reads through this handle any more: plaintext that is kept for the next read goes.
    pub(crate) fn rest(&self) {
        if let Some(sealed) = &self.lease().sealed {
            sealed.rest();
        }
        self.ahead.rest();
    }
}

/// A file without a name in this folder, or in the other once this one was removed.
pub(crate) fn scratch(
    folder: Arc<Folder>,
    other: Arc<Folder>,
) -> impl Fn() -> io::Result<File> + Send + Sync {
    move || match nameless(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => nameless(&other),
        made => made,
    }
}

fn nameless(folder: &Folder) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let made = rustix::fs::openat(folder, OsStr::new("."), flags, Mode::from_raw_mode(0o600));
    match made {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            tempfile::tempfile_in(folder.path(OsStr::new("")))
        }
        Err(e) => Err(e.into()),
    }
}
