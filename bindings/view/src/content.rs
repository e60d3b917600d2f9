//! The content of a sealed file while somebody has it open to write: what all who have it open
//! share, and how it is sealed again.

use crate::draft::{Base, Draft};
use crate::folder::Folder;
use crate::opened::{Sealed, copy, save};
use crate::seal::{self, Terms};
use crate::stream::{Job, Stream};
use bulla::{Code, Error, Existing, Metadata, Result, Session};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::Zeroizing;

/// Bytes that are copied at once.
pub(crate) const STEP: usize = 1 << 20;

/// From this length on, in bytes, a file that is written in order is sealed while it is written.
/// Many programs change the start of short ones in the end.
const STREAM_FROM: u64 = 1 << 20;

/// The content of one file while somebody has it open.
pub(crate) struct Content {
    state: RwLock<State>,
    /// That of the state's version, which can be asked for while a seal is under way.
    license: AtomicU64,
}

/// Which content it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// How often it was sealed since it was opened first.
    sealed: u64,
    /// How often it got another license since.
    pub(crate) license: u64,
}

pub(crate) struct State {
    pub(crate) version: Version,
    /// Where it is. What renames or removes it holds the state meanwhile.
    place: Place,
    /// How often that has changed.
    moves: u64,
    /// What is changed, once somebody may write.
    draft: Option<Draft>,
    /// What it was opened from to be written, …
    base: Option<Sealed>,
    /// … or the terms of a file that was made here, …
    made: Option<(Terms, Metadata)>,
    /// … and what was sealed while it was written, which then lies under the draft.
    stream: Option<Arc<Stream>>,
    /// Whether more may be written to the stream.
    flowing: bool,
}

/// Where a file is; `None` if its name is gone.
pub(crate) type Place = Option<(Arc<Folder>, OsString)>;

/// Nothing under a draft.
struct Nothing;

impl Base for Nothing {
    fn read(&self, _out: &mut [u8], _offset: u64) -> io::Result<usize> {
        Ok(0)
    }
}

/// What lies under the draft.
fn under<'a>(stream: &'a Option<Arc<Stream>>, base: &'a Option<Sealed>) -> &'a dyn Base {
    match (stream, base) {
        (Some(stream), _) => &**stream,
        (None, Some(base)) => &**base,
        (None, None) => &Nothing,
    }
}

impl State {
    fn at(place: Place) -> Self {
        State {
            version: Version::default(),
            place,
            moves: 0,
            draft: None,
            base: None,
            made: None,
            stream: None,
            flowing: false,
        }
    }

    /// It is there from now on.
    pub(crate) fn moved(&mut self, place: Place) {
        self.place = place;
        self.moves += 1;
    }

    fn path(&self) -> Option<PathBuf> {
        self.place.as_ref().map(|(folder, real)| folder.path(real))
    }

    /// What was sealed last of a file that somebody writes, or that took another's place.
    pub(crate) fn base(&self) -> Option<&Sealed> {
        self.base.as_ref()
    }

    /// Whether it was made here.
    pub(crate) fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Whether there is anything but what was sealed of an existing file.
    pub(crate) fn is_ahead(&self) -> bool {
        self.draft.as_ref().is_some_and(|draft| draft.dirty || self.is_made())
    }

    fn under(&self) -> &dyn Base {
        under(&self.stream, &self.base)
    }

    /// Reads what is not sealed yet, if somebody may write.
    pub(crate) fn read(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        let Some(draft) = &self.draft else { return Ok(0) };
        draft.read(self.under(), out, offset).map_err(|e| Error::io("reading the content", e))
    }

    /// The policy's bytes, and the template's name, under which it is sealed.
    fn policy(&self) -> (&[u8], Option<&str>) {
        match (&self.made, &self.base) {
            (Some((terms, _)), _) => terms.policy(),
            (None, Some(base)) => (base.policy(), base.template()),
            (None, None) => (&[], None),
        }
    }

    /// All of it, in order.
    fn copy_to(&self, draft: &Draft, to: &mut dyn Write) -> Result<()> {
        let io = |e| Error::io("sealing the content", e);
        let mut buffer = Zeroizing::new(vec![0; STEP.min(draft.len() as usize)]);
        let mut at = 0;
        while at < draft.len() {
            let n = draft.read(self.under(), &mut buffer, at).map_err(io)?;
            to.write_all(&buffer[..n]).map_err(io)?;
            at += n as u64;
        }
        Ok(())
    }

    /// What it has sealed last as a save of a file that made room for it.
    pub(crate) fn saved(&self) -> Option<&Sealed> {
        match &self.made {
            Some((Terms::Of(last), _)) => Some(last),
            _ => None,
        }
    }

    /// Seals what is not sealed yet, unless it has no name.
    pub(crate) fn seal(&mut self, session: &Session) -> Result<()> {
        let Some(path) = self.path() else { return Ok(()) };
        let Some(draft) = self.draft.take_if(|draft| draft.dirty) else { return Ok(()) };
        let (draft, done) = sealed(session, self, draft, &path);
        self.draft = Some(draft);
        done
    }

    /// Starts to seal what was written so far, if all of it was written in order. What keeps it
    /// from that comes up again when it is sealed in the end.
    fn start(&mut self, session: &Session) -> io::Result<Vec<Job>> {
        let path = self.path();
        let Some(draft) = &mut self.draft else { return Ok(Vec::new()) };
        if self.stream.is_some() || !draft.in_order || draft.len() < STREAM_FROM {
            return Ok(Vec::new());
        }
        let writer = match (&self.made, &self.base, path) {
            (Some((terms, metadata)), _, Some(path)) => {
                let metadata = Metadata { modified: seal::now(), ..metadata.clone() };
                terms.in_parts(session, &path, &metadata)
            }
            (None, Some(base), Some(path)) => {
                let metadata = Metadata { modified: seal::now(), ..base.metadata().clone() };
                Some(base.save_in_parts(&path, &metadata))
            }
            _ => None,
        };
        let Some(Ok(writer)) = writer else {
            draft.in_order = false;
            return Ok(Vec::new());
        };
        let stream = Stream::new(writer);
        let mut buffer = Zeroizing::new(vec![0; STEP]);
        let (mut at, mut jobs) = (0, Vec::new());
        while at < draft.len() {
            let n = draft.read(&Nothing, &mut buffer, at)?;
            jobs.append(&mut stream.append(&buffer[..n])?);
            at += n as u64;
        }
        draft.appended(at);
        (self.stream, self.flowing) = (Some(stream), true);
        Ok(jobs)
    }
}

impl Content {
    /// Of a file that is there.
    pub(crate) fn at(place: Place) -> Self {
        Content { state: RwLock::new(State::at(place)), license: AtomicU64::new(0) }
    }

    /// Of a file that was made here under these terms, and is empty so far.
    pub(crate) fn made(
        place: Place,
        terms: Terms,
        metadata: Metadata,
        scratch: impl Fn() -> io::Result<File> + Send + Sync + 'static,
    ) -> Self {
        let content = Content::at(place);
        let mut state = content.write_state();
        (state.draft, state.made) = (Some(Draft::new(0, scratch)), Some((terms, metadata)));
        drop(state);
        content
    }

    pub(crate) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn license(&self) -> u64 {
        self.license.load(Ordering::Acquire)
    }

    /// Where it is, and how often that has changed.
    pub(crate) fn place(&self) -> (Place, u64) {
        let state = self.read_state();
        (state.place.clone(), state.moves)
    }

    /// Somebody who may edit has opened it.
    pub(crate) fn writable(
        &self,
        sealed: &Sealed,
        scratch: impl Fn() -> io::Result<File> + Send + Sync + 'static,
    ) {
        let mut state = self.write_state();
        if state.draft.is_none() {
            state.draft = Some(Draft::new(sealed.len(), scratch));
            state.base = Some(Arc::clone(sealed));
        }
    }

    /// Bytes of content, if they are not what was sealed.
    pub(crate) fn len(&self) -> Option<u64> {
        self.read_state().draft.as_ref().map(Draft::len)
    }

    /// Writes; gives what is to be sealed now, best once the program has its answer.
    pub(crate) fn write(
        &self,
        session: &Session,
        data: &[u8],
        offset: u64,
    ) -> io::Result<Vec<Job>> {
        let state = &mut *self.write_state();
        let draft = state.draft.as_mut().ok_or(io::ErrorKind::PermissionDenied)?;
        if let Some(stream) = state.stream.as_ref().filter(|_| state.flowing) {
            if offset == draft.len() {
                let jobs = stream.append(data)?;
                draft.appended(offset + data.len() as u64);
                return Ok(jobs);
            }
            state.flowing = false;
        }
        draft.write(under(&state.stream, &state.base), data, offset)?;
        state.start(session)
    }

    pub(crate) fn truncate(&self, len: u64) -> io::Result<()> {
        let state = &mut *self.write_state();
        let draft = state.draft.as_mut().ok_or(io::ErrorKind::PermissionDenied)?;
        if len != draft.len() {
            state.flowing = false;
        }
        draft.truncate(under(&state.stream, &state.base), len)?;
        if len == 0 {
            state.stream = None;
        }
        Ok(())
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
        self.read_state().is_made()
    }

    /// Seals what is not sealed yet where it is by now, if that is allowed under its policy and
    /// template. Nobody will read again what has no name any more: it is not sealed.
    pub(crate) fn seal(
        &self,
        session: &Session,
        allow: impl FnOnce(&[u8], Option<&str>) -> Result<()>,
    ) -> Result<()> {
        let mut state = self.write_state();
        if state.path().is_none() || state.draft.as_ref().is_none_or(|draft| !draft.dirty) {
            return Ok(());
        }
        let (policy, template) = state.policy();
        allow(policy, template)?;
        state.seal(session)
    }

    /// Puts all of its content into the place of another file, under the license of that one. It
    /// goes on as that one. `moving` is what it has if nobody may write.
    pub(crate) fn take_over(
        &self,
        state: &mut State,
        other: &Sealed,
        path: &Path,
        moving: Option<&Sealed>,
    ) -> Result<()> {
        let sealed = match (state.draft.take(), moving) {
            (Some(draft), _) => {
                state.flowing = false;
                let sealed = save(other, path, |to| state.copy_to(&draft, to));
                let draft = state.draft.insert(draft);
                let sealed = sealed?;
                draft.sealed();
                sealed
            }
            (None, Some(moving)) => save(other, path, |to| copy(moving, to))?,
            (None, None) => {
                return Err(Error::new(Code::State, "this file was not opened to be written"));
            }
        };
        (state.base, state.made, state.stream) = (Some(sealed), None, None);
        state.version.sealed += 1;
        state.version.license += 1;
        self.license.store(state.version.license, Ordering::Release);
        Ok(())
    }
}

/// Seals a draft; gives it back, whatever comes of it.
fn sealed(
    session: &Session,
    state: &mut State,
    mut draft: Draft,
    path: &Path,
) -> (Draft, Result<()>) {
    let mut made = state.made.take();
    let stream = state.stream.as_ref().filter(|_| state.flowing);
    let content = |to: &mut dyn Write| state.copy_to(&draft, to);
    let result = match (&mut made, &state.base, stream) {
        (Some((terms, _)), _, Some(stream)) => {
            stream.finish(|writer, last| terms.finish(session, writer, last, path)).map(|()| None)
        }
        (Some((terms, metadata)), _, None) => {
            let metadata = Metadata { modified: seal::now(), ..metadata.clone() };
            terms.seal(session, path, Existing::Replace, &metadata, content).map(|()| None)
        }
        (None, Some(base), Some(stream)) => stream
            .finish(|writer, last| writer.finish_save(last, path))
            .and_then(|()| base.saved_at(path))
            .map(|sealed| Some(Arc::new(sealed))),
        (None, Some(base), None) => save(base, path, content).map(Some),
        (None, None, _) => Err(Error::new(Code::Internal, "a draft of nothing")),
    };
    state.made = made;
    // Whatever comes now goes over what the stream has; another try copies it.
    state.flowing = false;
    match result {
        Ok(base) => {
            if let Some(base) = base {
                (state.base, state.stream) = (Some(base), None);
                draft.sealed();
            }
            draft.dirty = false;
            state.version.sealed += 1;
            (draft, Ok(()))
        }
        Err(e) => (draft, Err(e)),
    }
}
