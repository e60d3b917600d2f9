//! Opening: bytes → header → license → decision → key → chunks, in that order.

use crate::access::{self, Access, Target};
use crate::clock::Clock;
use crate::cobblestone::ReadAt;
use crate::encoding::{Digest256, Thumbprint};
use crate::header::Header;
use crate::home::Home;
use crate::keys::Identity;
use crate::lease::Lease;
use crate::license::BatchKeys;
use crate::measure::{Machine, MeasuredProgram, machine};
use crate::memory::Secret;
use crate::policy::{Decision, DutySet, Facts, Policy, Storage};
use crate::reader::{Reader, SealedStream};
use crate::standing::{RootStanding, Standing, unpoisoned};
use crate::trail::{Entry, Trail};
use crate::{Code, Error, Result, payload};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

/// How often a file that others replace at the same time is looked at again.
const RACES: usize = 16;

/// What the host program brings to a session.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The duties that it can carry out. A right whose duties are not among them is not granted.
    pub duties: DutySet,
    /// A badge in place of the home's.
    pub badge: Option<String>,
    /// Attestations beside the home's.
    pub attestations: Vec<String>,
    /// What it says of the device. It counts as *asserted*, whatever it is called there; time,
    /// badge, device and counts are left out.
    pub asserted: Facts,
    /// The ticket, case or call that the work is for.
    pub ticket: Option<String>,
}

/// A device at work: its identity, whom it trusts, who sits at it. Cheap to clone, and can be
/// shared by threads.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Shared>);

/// A badge in place of the home's, and attestations beside the home's.
type Tokens = (Option<String>, Vec<String>);

/// What a session and its open files share.
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) host: Host,
    pub(crate) clock: Clock,
    pub(crate) machine: &'static dyn Machine,
    /// The program of this process, once it was measured.
    pub(crate) program: OnceLock<Option<MeasuredProgram>>,
    pub(crate) trail: Trail,
    pub(crate) batch_keys: BatchKeys,
    pub(crate) policies: Mutex<HashMap<Digest256, Arc<Policy>>>,
    home: Home,
    /// What the host gave last.
    tokens: Mutex<Tokens>,
    standing: RwLock<Arc<Standing>>,
    generation: AtomicU64,
}

impl Shared {
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Rises with each refresh.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Who sits here, as far as a root's files are concerned.
    pub(crate) fn subject_for(&self, root: &Thumbprint) -> Option<String> {
        self.subject_by(&self.standing(), root)
    }

    /// The same, going by this standing.
    pub(crate) fn subject_by(&self, standing: &Standing, root: &Thumbprint) -> Option<String> {
        let standing = standing.for_root(root, &self.identity.thumbprint(), self.clock.now());
        standing.ok()?.subject().map(str::to_owned)
    }
}

impl Session {
    /// Starts a session of the device whose home this is, with its badge, attestations, lists and
    /// trail. `identity` is the home's own.
    ///
    /// # Errors
    /// [`Code::Trail`](crate::Code::Trail) if the trail is missing or broken, those of reading the
    /// home otherwise. A badge that does not count is no error here: it grants nothing.
    pub fn start(home: &Home, identity: Identity, host: Host) -> Result<Self> {
        Self::with(home, identity, host, Clock::System, machine())
    }

    pub(crate) fn with(
        home: &Home,
        identity: Identity,
        host: Host,
        clock: Clock,
        machine: &'static dyn Machine,
    ) -> Result<Self> {
        if host
            .ticket
            .as_ref()
            .is_some_and(|t| t.is_empty() || !crate::encoding::plain_text(t, 256))
        {
            let why = "a ticket has 1 to 256 bytes and no control characters";
            return Err(Error::new(Code::BadArgument, why));
        }
        let host = Host { asserted: access::asserted(host.asserted), ..host };
        let trail = home.trail(&identity, clock.now())?;
        let standing = Standing::of(home, host.badge.as_deref(), &host.attestations)?;
        Ok(Session(Arc::new(Shared {
            standing: RwLock::new(Arc::new(standing)),
            generation: AtomicU64::new(0),
            policies: Mutex::default(),
            batch_keys: BatchKeys::default(),
            program: OnceLock::new(),
            home: home.clone(),
            tokens: Mutex::new((host.badge.clone(), host.attestations.clone())),
            identity,
            host,
            clock,
            machine,
            trail,
        })))
    }

    /// The device's identity.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Reads badge, attestations and lists of the home again. Files that are open are decided
    /// about anew at their next use: a new badge goes on, a revocation ends them. A badge and
    /// attestations that the host gave stay those that it gave last.
    pub fn refresh(&self) -> Result<()> {
        self.replace(None)
    }

    /// The same, with this badge in place of the home's, and these attestations beside the home's,
    /// from now on. Another person's badge opens anew what is open: it is recorded, and counted.
    pub fn refresh_with(&self, badge: &str, attestations: &[String]) -> Result<()> {
        self.replace(Some((Some(badge.to_owned()), attestations.to_vec())))
    }

    fn replace(&self, new: Option<Tokens>) -> Result<()> {
        // Held to the end, so that of two refreshes the later one counts.
        let mut tokens = unpoisoned(&self.0.tokens);
        let (badge, attestations) = new.unwrap_or_else(|| tokens.clone());
        let standing = Standing::of(&self.0.home, badge.as_deref(), &attestations)?;
        *tokens = (badge, attestations);
        let mut current = self.0.standing.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(standing);
        drop(current);
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Opens a sealed file to view it.
    ///
    /// # Errors
    /// Class *format* if it is not a sound envelope, *denied* if root, license or policy do not
    /// let it be opened here and now, *tampered* if anything in it was changed.
    pub fn open(&self, path: &Path) -> Result<Reader<File>> {
        self.open_for(path, Access::default())
    }

    /// Opens a sealed file for something.
    pub fn open_for(&self, path: &Path, access: Access) -> Result<Reader<File>> {
        let open = || File::open(path).map_err(|e| Error::io("opening the file", e));
        for _ in 0..RACES {
            let opened = self.open_if(open()?, access, |header| {
                let now = open().and_then(|file| Header::read(&file));
                now.is_ok_and(|(now, _)| now.to_bytes() == header.to_bytes())
            });
            match opened {
                Err(e) if e.code() == Code::Changed => {}
                opened => return Ok(opened?.at(path)),
            }
        }
        Err(Error::new(Code::Changed, "somebody else keeps replacing this file: try again"))
    }

    /// Opens from any source of bytes. Only of a `File` the storage under it can be told.
    pub fn open_source<S: ReadAt>(&self, source: S) -> Result<Reader<S>> {
        self.open_source_for(source, Access::default())
    }

    /// The same for something.
    pub fn open_source_for<S: ReadAt>(&self, source: S, access: Access) -> Result<Reader<S>> {
        self.open_if(source, access, |_| true)
    }

    /// `current` says whether a header still is the newest there is.
    fn open_if<S: ReadAt>(
        &self,
        source: S,
        access: Access,
        current: impl FnOnce(&Header) -> bool,
    ) -> Result<Reader<S>> {
        let (header, stored) = Header::read(&source)?;
        let storage = || storage(&self.0, source.file());
        let lease = self.admit(&header, storage, access, || current(&header))?;
        let opened = file_key(&self.0, &header).and_then(|key| {
            let inner = payload::open(&header, &key, source, stored)?;
            lease.remember(&inner.commitment(), access.older)?;
            let metadata = header.description.open(&key, &header.license.claims().file)?;
            Ok((key, inner, metadata))
        });
        let (file_key, inner, metadata) = opened.map_err(|e| lease.failed(e))?;
        Ok(Reader::new(inner, header, file_key, metadata, lease))
    }

    /// Opens a stream, to be read once from start to end.
    pub fn open_stream<R: Read>(&self, stream: R) -> Result<SealedStream<R>> {
        self.open_stream_for(stream, Access::default())
    }

    /// The same for something.
    pub fn open_stream_for<R: Read>(
        &self,
        mut stream: R,
        access: Access,
    ) -> Result<SealedStream<R>> {
        let header = Header::read_stream(&mut stream)?;
        let lease = self.admit(&header, || None, access, || true)?;
        let opened = file_key(&self.0, &header).and_then(|key| {
            let inner = payload::open_stream(&header, &key, stream)?;
            lease.remember(&inner.commitment(), access.older)?;
            let metadata = header.description.open(&key, &header.license.claims().file)?;
            Ok((inner, metadata))
        });
        let (inner, metadata) = opened.map_err(|e| lease.failed(e))?;
        Ok(SealedStream::new(inner, metadata, lease))
    }

    /// License, then decision and its record: a denial touches no key.
    fn admit(
        &self,
        header: &Header,
        storage: impl FnOnce() -> Option<Storage>,
        access: Access,
        current: impl FnOnce() -> bool,
    ) -> Result<Lease> {
        let generation = self.0.generation();
        access::verify(&self.0, &self.0.standing(), &header.license)?;
        let target = Target::of(&self.0, header, storage)?.asked_for(&self.0, access);
        let admission = access::admit(&self.0, &target, access, current)?;
        Ok(Lease::new(&self.0, target, admission, generation))
    }

    /// What would be decided about a sealed file now, with `other` facts in place of the
    /// session's own. Nothing is recorded, and no key is touched.
    ///
    /// # Errors
    /// As [`open`](Self::open), for what is refused before a policy is asked.
    pub fn explain(&self, path: &Path, other: &Facts) -> Result<Decision> {
        let file = File::open(path).map_err(|e| Error::io("opening the file", e))?;
        let (header, _) = Header::read(&file)?;
        self.0.standing().verify(&header.license, self.0.clock.now())?;
        let target = Target::of(&self.0, &header, || storage(&self.0, Some(&file)))?;
        access::explain(&self.0, &target, other)
    }

    /// The text of the watermark for files of a root: who, at which device, when, for which ticket.
    pub(crate) fn watermark(shared: &Shared, root: &Thumbprint) -> String {
        let subject = shared.subject_for(root).unwrap_or_else(|| "nobody signed in".into());
        let public = shared.identity.public();
        let thumbprint = public.thumbprint().to_string();
        let device = match public.comment() {
            "" => thumbprint[..12].to_owned(),
            comment => format!("{comment} ({})", &thumbprint[..12]),
        };
        let now = i64::try_from(shared.clock.now()).unwrap_or(i64::MAX);
        let mut text = format!("{subject} · {device} · {}", crate::policy::show_minute(now));
        if let Some(ticket) = &shared.host.ticket {
            text.push_str(&format!(" · {ticket}"));
        }
        text
    }

    /// What the tokens are worth for a root's files, and the time, after all checks that do not
    /// depend on a file.
    pub(crate) fn stand(&self, root: &Thumbprint) -> Result<(Arc<RootStanding>, u64)> {
        let mut trail = self.0.trail.lock()?;
        access::stand_for(&self.0, &self.0.standing(), root, &mut trail)
    }

    /// Who sits here, as far as a root's files are concerned.
    pub(crate) fn subject(&self, root: &Thumbprint) -> Option<String> {
        self.0.subject_for(root)
    }

    /// Records something about a file that is none of opening, saving or exporting it.
    pub(crate) fn record(&self, entry: Entry) -> Result<u64> {
        self.0.trail.lock()?.append(&entry, self.0.clock.now())
    }
}

#[cfg(test)]
mod tests;

fn file_key(shared: &Shared, header: &Header) -> Result<Secret> {
    header.license.file_key(&shared.identity.kem, &shared.batch_keys)
}

fn storage(shared: &Shared, file: Option<&File>) -> Option<Storage> {
    shared.machine.storage(file?)
}
