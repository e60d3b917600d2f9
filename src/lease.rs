//! The decision under which a file is open: which rights, until when, and what a refresh of the
//! session makes of it.

use crate::access::{self, Admission, Content, Target};
use crate::cobblestone::COMMITMENT;
use crate::policy::{Decision, Right};
use crate::session::Shared;
use crate::trail::{Entry, Event};
use crate::{Code, Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use zeroize::Zeroize;

/// An open file's decision. It ends at its time, and is taken again when the session is refreshed.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    target: Target,
    /// The session's generation that the decision was made under.
    generation: AtomicU64,
    now: RwLock<Current>,
    /// One thread decides again, the others wait for it.
    renewing: Mutex<()>,
    /// Whether a failed read was recorded: one a file is enough.
    failed: AtomicBool,
}

struct Current {
    admission: Admission,
    /// The end on a clock that counts suspend and that nobody sets.
    deadline: Option<Duration>,
    /// Why it ended, once it has.
    ended: Option<(Code, String)>,
}

impl Current {
    fn new(shared: &Shared, admission: Admission) -> Self {
        let left = admission.until.map(|until| until.saturating_sub(admission.at));
        let deadline = left.map(|s| shared.machine.uptime() + Duration::from_secs(s));
        Current { admission, deadline, ended: None }
    }

    fn is_over(&self, shared: &Shared) -> bool {
        let by_clock = self.admission.until.is_some_and(|until| until <= shared.clock.now());
        by_clock || self.deadline.is_some_and(|deadline| deadline <= shared.machine.uptime())
    }
}

impl Lease {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        target: Target,
        admission: Admission,
        generation: u64,
    ) -> Self {
        Lease {
            now: RwLock::new(Current::new(shared, admission)),
            generation: AtomicU64::new(generation),
            renewing: Mutex::new(()),
            failed: AtomicBool::new(false),
            shared: Arc::clone(shared),
            target,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was decided, taken again where the session was refreshed; without rights once it ended,
    /// which is recorded if nobody has seen it before.
    pub(crate) fn decision(&self) -> Arc<Decision> {
        self.holding(|current| Arc::clone(&current.admission.decision)).unwrap_or_default()
    }

    /// Until when (exclusive): Unix seconds.
    pub(crate) fn until(&self) -> Option<u64> {
        self.freshen();
        self.current().admission.until
    }

    fn freshen(&self) {
        if self.generation.load(Ordering::Acquire) != self.shared.generation() {
            self.renew();
        }
    }

    /// Whether the right is granted, now.
    ///
    /// # Errors
    /// [`Code::Ended`] after the end, [`Code::Right`] without the right, and those of a decision
    /// that was taken again and denies.
    pub(crate) fn require(&self, right: Right) -> Result<()> {
        self.holding(|current| allowed(&current.admission.decision, right))?
    }

    /// Whether content may still be given out: the storage may have taken longer to give it than the
    /// decision lasts. If not, it is wiped.
    pub(crate) fn still(&self, content: &mut [u8]) -> Result<()> {
        self.require(Right::View).inspect_err(|_| content.zeroize())
    }

    /// Asks something of the decision while it lasts. Once it is found over it stays so, whatever
    /// the clock says later.
    fn holding<T>(&self, ask: impl Fn(&Current) -> T) -> Result<T> {
        loop {
            self.freshen();
            let current = self.current();
            if let Some((code, why)) = &current.ended {
                return Err(Error::new(*code, why.clone()).recorded());
            }
            if !current.is_over(&self.shared) {
                return Ok(ask(&current));
            }
            drop(current);
            // Somebody may have renewed it in between.
            if let Some(e) = self.end() {
                return Err(e);
            }
        }
    }

    fn renew(&self) {
        let _one = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.shared.generation();
        if self.generation.load(Ordering::Acquire) == generation {
            return;
        }
        let before = self.current().admission.clone();
        let renewed = access::renew(&self.shared, &self.target, &before);
        let mut current = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match renewed {
            Ok(admission) => *current = Current::new(&self.shared, admission),
            Err(e) => current.ended = Some((e.code(), e.to_string())),
        }
        self.generation.store(generation, Ordering::Release);
    }

    /// Marks the end, and records it once; `None` if it goes on after all.
    fn end(&self) -> Option<Error> {
        let why = "the decision under which this file was opened has ended (badge, hours, validity \
                   or an attestation): renew what ended, refresh the session, or open it again";
        let error = Error::new(Code::Ended, why);
        let mut current = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, why)) = &current.ended {
            return Some(Error::new(*code, why.clone()).recorded());
        }
        if !current.is_over(&self.shared) {
            return None;
        }
        current.ended = Some((Code::Ended, why.to_owned()));
        drop(current);
        Some(self.refused(self.entry(Event::Denied), error))
    }

    fn refused(&self, entry: Entry, e: Error) -> Error {
        let subject = self.current().admission.subject.clone();
        access::refused(&self.shared, Entry { subject, ..entry }, e)
    }

    /// The number of the trail's record of the opening.
    fn record(&self) -> u64 {
        self.current().admission.record
    }

    /// A record about the opened file, that refers to its opening.
    fn entry(&self, event: Event) -> Entry {
        Entry { of: Some(self.record()), ..self.target.entry(&self.shared, event) }
    }

    /// As [`require`](Self::require), and a right that is missing is recorded.
    pub(crate) fn permit(&self, right: Right) -> Result<()> {
        self.require(right).map_err(|e| match e.code() {
            Code::Right => {
                let rights = vec![right];
                self.refused(Entry { rights, ..self.entry(Event::Denied) }, e)
            }
            _ => e,
        })
    }

    /// Checks a right and records that it is about to be used.
    pub(crate) fn exercise(&self, right: Right, entry: impl FnOnce(Entry) -> Entry) -> Result<()> {
        let event = match right {
            Right::View => Event::Opened,
            Right::Edit => Event::Saved,
            Right::Print => Event::Printed,
            Right::Copy => Event::Copied,
            Right::Capture => Event::Captured,
            Right::Export => Event::Exported,
        };
        self.permit(right)?;
        let subject = self.current().admission.subject.clone();
        let rights = vec![right];
        let entry = entry(Entry { subject, rights, ..self.entry(event) });
        self.shared.trail.lock()?.append(&entry, self.shared.clock.now()).map(drop)
    }

    /// Remembers what was authenticated when the file was opened.
    pub(crate) fn remember(&self, commitment: &[u8; COMMITMENT], older: bool) -> Result<()> {
        let content = if older { Content::OpenedOlder } else { Content::Opened };
        access::remember(&self.shared, &self.target, self.record(), commitment, content)
    }

    /// Remembers the content that a save has put in place.
    pub(crate) fn saved(&self, rev: u64, commitment: &[u8; COMMITMENT]) -> Result<()> {
        let target = Target { rev, ..self.target.clone() };
        access::remember(&self.shared, &target, self.record(), commitment, Content::Made)
    }

    /// Records that what was begun has failed.
    pub(crate) fn failed(&self, e: Error) -> Error {
        // What the decision refuses was recorded when it did.
        if e.is_recorded() {
            return e;
        }
        self.refused(self.entry(Event::Failed), e)
    }

    /// The same for reads, of which the first failure is enough.
    pub(crate) fn failed_read(&self, e: Error) -> Error {
        if self.failed.swap(true, Ordering::Relaxed) { e } else { self.failed(e) }
    }
}

fn allowed(decision: &Decision, right: Right) -> Result<()> {
    if decision.allows(right) {
        return Ok(());
    }
    let withheld = decision.withheld().iter().find(|withheld| withheld.right == right);
    let why = match withheld {
        Some(withheld) => withheld.to_string(),
        None => format!("the file's policy does not grant the right to {right}"),
    };
    Err(Error::denied(Code::Right, why, decision.clone()))
}
