//! Open sealed files: the decision under which each program has opened one, and the content that
//! all who have it open share.

use crate::draft::{Base, Draft};
use crate::folder::Folder;
use crate::seal::{self, Terms};
use bulla::{Code, Error, Existing, Metadata, Reader, Result, Right, Session};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, RwLock};
use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard};
use zeroize::Zeroizing;

/// Bytes that are copied at once.
const STEP: usize = 1 << 20;

/// A reader, and the folder that its path leads through.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) reader: Arc<Reader<File>>,
    pub(crate) folder: Arc<Folder>,
}

impl Sealed {
    /// What was saved in its place since.
    fn renewed(&self) -> Result<Self> {
        let reader = Arc::new(self.reader.saved()?);
        Ok(Sealed { reader, folder: Arc::clone(&self.folder) })
    }
}

/// The content of one file while somebody has it open.
#[derive(Default)]
pub(crate) struct Content(RwLock<State>);

#[derive(Default)]
struct State {
    /// How often it was sealed since it was opened first.
    version: u64,
    /// What is changed, once somebody may write.
    draft: Option<Draft>,
    /// What it was opened from to be written, …
    base: Option<Sealed>,
    /// … or the terms of a file that was made here, whose draft holds all of it.
    made: Option<(Terms, Metadata)>,
}

/// Nothing under a draft.
struct Nothing;

impl Base for Nothing {
    fn read(&self, _out: &mut [u8], _offset: u64) -> io::Result<usize> {
        Ok(0)
    }
}

impl Base for Sealed {
    fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(self.reader.read_at(out, offset)?)
    }
}

impl State {
    fn base(&self) -> &dyn Base {
        self.base.as_ref().map_or(&Nothing, |base| base)
    }

    /// The policy's bytes, and the template's name, under which it is sealed.
    fn policy(&self) -> (&[u8], Option<&str>) {
        match (&self.made, &self.base) {
            (Some((terms, _)), _) => terms.policy(),
            (None, Some(base)) => (base.reader.policy(), base.reader.template()),
            (None, None) => (&[], None),
        }
    }

    /// All of it, in order.
    fn copy_to(&self, draft: &Draft, to: &mut dyn Write) -> Result<()> {
        let io = |e| Error::io("sealing the content", e);
        let mut buffer = Zeroizing::new(vec![0; STEP.min(draft.len() as usize)]);
        let mut at = 0;
        while at < draft.len() {
            let n = draft.read(self.base(), &mut buffer, at).map_err(io)?;
            to.write_all(&buffer[..n]).map_err(io)?;
            at += n as u64;
        }
        Ok(())
    }
}

impl Content {
    fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file that was made here under these terms, and is empty so far.
    pub(crate) fn made(
        terms: Terms,
        metadata: Metadata,
        scratch: impl Fn() -> io::Result<File> + Send + Sync + 'static,
    ) -> Self {
        let draft = Some(Draft::new(0, scratch));
        let made = Some((terms, metadata));
        Content(RwLock::new(State { draft, made, ..State::default() }))
    }

    /// Somebody who may edit has opened it.
    pub(crate) fn writable(
        &self,
        sealed: &Sealed,
        scratch: impl Fn() -> io::Result<File> + Send + Sync + 'static,
    ) {
        let mut state = self.write_state();
        if state.draft.is_none() {
            state.draft = Some(Draft::new(sealed.reader.len(), scratch));
            state.base = Some(sealed.clone());
        }
    }

    /// Bytes of content, if they are not what was sealed.
    pub(crate) fn len(&self) -> Option<u64> {
        self.read_state().draft.as_ref().map(Draft::len)
    }

    pub(crate) fn write(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let state = &mut *self.write_state();
        let base = state.base.as_ref().map_or(&Nothing as &dyn Base, |base| base);
        let draft = state.draft.as_mut().ok_or(io::ErrorKind::PermissionDenied)?;
        draft.write(base, data, offset)
    }

    pub(crate) fn truncate(&self, len: u64) -> io::Result<()> {
        let state = &mut *self.write_state();
        let base = state.base.as_ref().map_or(&Nothing as &dyn Base, |base| base);
        let draft = state.draft.as_mut().ok_or(io::ErrorKind::PermissionDenied)?;
        draft.truncate(base, len)
    }

    /// Asks whether it may be sealed under its policy and template.
    pub(crate) fn allowed(
        &self,
        allow: impl FnOnce(&[u8], Option<&str>) -> Result<()>,
    ) -> Result<()> {
        let state = self.read_state();
        let (policy, template) = state.policy();
        allow(policy, template)
    }

    /// Whether it was made here.
    pub(crate) fn is_made(&self) -> bool {
        self.read_state().made.is_some()
    }

    /// Seals what is not sealed yet, if it is allowed under its policy and template. `place` says
    /// where, and is not asked where nothing changed; `None`: its name is gone, and nobody will
    /// read it again.
    pub(crate) fn seal(
        &self,
        session: &Session,
        allow: impl FnOnce(&[u8], Option<&str>) -> Result<()>,
        place: impl FnOnce() -> Option<(Arc<Folder>, OsString)>,
    ) -> Result<()> {
        let mut state = self.write_state();
        let Some(draft) = state.draft.take_if(|draft| draft.dirty) else { return Ok(()) };
        let (policy, template) = state.policy();
        if let Err(e) = allow(policy, template) {
            state.draft = Some(draft);
            return Err(e);
        }
        let (draft, done) = sealed(session, &mut state, draft, place);
        state.draft = Some(draft);
        done
    }

    /// Puts all of its content into the place of another file, under the license of that one. It
    /// goes on as that one.
    pub(crate) fn take_over(&self, other: Sealed) -> Result<()> {
        let mut state = self.write_state();
        let Some(draft) = state.draft.take() else {
            return Err(Error::new(Code::State, "this file was not opened to be written"));
        };
        let result = save(&other, |to| state.copy_to(&draft, to)).and_then(|()| other.renewed());
        let draft = state.draft.insert(draft);
        let base = result?;
        draft.sealed();
        (state.base, state.made) = (Some(base), None);
        state.version += 1;
        Ok(())
    }
}

/// Seals a draft; gives it back, whatever comes of it.
fn sealed(
    session: &Session,
    state: &mut State,
    mut draft: Draft,
    place: impl FnOnce() -> Option<(Arc<Folder>, OsString)>,
) -> (Draft, Result<()>) {
    let Some((folder, real)) = place() else { return (draft, Ok(())) };
    let content = |to: &mut dyn Write| state.copy_to(&draft, to);
    let result = match (&state.made, &state.base) {
        (Some((terms, metadata)), _) => {
            let metadata = Metadata { modified: seal::now(), ..metadata.clone() };
            let path = folder.path(&real);
            terms.seal(session, &path, Existing::Replace, &metadata, content).map(|()| None)
        }
        (None, Some(base)) => save(base, content).and_then(|()| base.renewed()).map(Some),
        (None, None) => Err(Error::new(Code::Internal, "a draft of nothing")),
    };
    match result {
        Ok(base) => {
            if let Some(base) = base {
                state.base = Some(base);
                draft.sealed();
            }
            draft.dirty = false;
            state.version += 1;
            (draft, Ok(()))
        }
        Err(e) => (draft, Err(e)),
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
        let Some(lease) = &self.lease else { return from_draft(&state, out, offset) };
        loop {
            let current = lease.read().unwrap_or_else(PoisonError::into_inner);
            if state.draft.as_ref().is_some_and(|d| d.dirty || state.made.is_some()) {
                // A read of nothing asks whether reading is allowed now.
                current.0.reader.read_at(&mut [], 0)?;
                return from_draft(&state, out, offset);
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

    /// Whether its decision can end.
    pub(crate) fn is_leased(&self) -> bool {
        self.lease.is_some()
    }
}

fn from_draft(state: &State, out: &mut [u8], offset: u64) -> Result<usize> {
    let Some(draft) = &state.draft else { return Ok(0) };
    draft.read(state.base(), out, offset).map_err(|e| Error::io("reading the content", e))
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
