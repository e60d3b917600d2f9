//! The gate in front of the keys: who asks, for what, and what the policy says to it. What is
//! decided here is recorded before anything else happens.

mod gather;
mod ground;
mod seen;

pub(crate) use gather::asserted;
pub(crate) use ground::stand_for;
pub(crate) use seen::{Content, remember};

use crate::encoding::{Digest256, Id, Thumbprint, sha256};
use crate::header::Header;
use crate::license::License;
use crate::measure::MeasuredProgram;
use crate::policy::{Condition, Decision, Facts, Known, Policy, Right, Storage, evaluate};
use crate::session::Shared;
use crate::standing::{RootStanding, Standing, unpoisoned};
use crate::trail::{Entry, Event, Locked};
use crate::{Class, Code, Error, Result};
use gather::{facts, recorded_program};
use ground::{stand, stand_as_issuer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most parsed policies that are remembered.
const POLICIES: usize = 256;

/// What somebody wants of a file.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The right without which it is not opened.
    pub right: Right,
    /// What it takes beside that right.
    pub also: Option<Demand>,
    /// Whether a license or content older than one seen before will do.
    pub older: bool,
    /// The process that it is opened for, where that is not this one.
    pub client: Option<Client>,
}

/// Rights that a file needs to be opened, and to stay open, beside the one that it is opened for:
/// its content may leave by a way that the host has and cannot close.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// The rights.
    pub rights: &'static [Right],
    /// Why they are needed, for people: `the run has a display`.
    pub why: &'static str,
}

impl Demand {
    /// What to tell where a decision does not grant them all.
    fn lacking(self, decision: &Decision) -> Option<String> {
        let missing = self.rights.iter().filter(|right| !decision.allows(**right));
        let missing: Vec<_> = missing.map(|right| format!("to {right}")).collect();
        let missing = missing.join(" and ");
        let why = self.why;
        (!missing.is_empty())
            .then(|| format!("{why}, and the file's policy does not grant the right {missing}"))
    }
}

/// Another process, for which a host opens files: the daemon of a file system, for one. The host
/// vouches for it as it does for itself, and `docs/facts.md` says what that is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its number here. The host sees to it that the process lives while the file is opened.
    pub pid: u32,
    /// Whether it runs where content cannot leave. It then counts as *confined*; else as *bare*,
    /// also where a trust list names its program.
    pub confined: bool,
}

impl Default for Access {
    /// To view the newest.
    fn default() -> Self {
        Access { right: Right::View, also: None, older: false, client: None }
    }
}

/// A file that is asked for, as far as the decision is concerned.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) license: Arc<License>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) policy_digest: Digest256,
    pub(crate) rev: u64,
    pub(crate) storage: Option<Storage>,
    /// The client's program as it was when the file was opened, and whether it was confined.
    pub(crate) client: Option<(Option<MeasuredProgram>, bool)>,
    /// What it takes beside the right that it is used for.
    pub(crate) also: Option<Demand>,
}

/// What was decided, on which facts.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    pub(crate) decision: Arc<Decision>,
    /// Until when (exclusive), by the clock.
    pub(crate) until: Option<u64>,
    /// When it was decided.
    pub(crate) at: u64,
    /// The number of the trail's record of it.
    pub(crate) record: u64,
    /// Who sat there.
    pub(crate) subject: Option<String>,
    /// Opens as they were counted.
    opens: BTreeMap<u64, Known<u64>>,
}

/// Bounded by throwing all away: policies are few, and parsing one again costs little.
pub(crate) fn policy(shared: &Shared, bytes: &[u8]) -> Result<(Arc<Policy>, Digest256)> {
    let digest = Digest256(sha256(bytes));
    if let Some(known) = unpoisoned(&shared.policies).get(&digest) {
        return Ok((Arc::clone(known), digest));
    }
    let policy = Policy::parse(bytes)
        .map_err(|e| Error::new(Code::Denied, format!("the policy does not open: {e}")))?;
    let policy = Arc::new(policy);
    let mut known = unpoisoned(&shared.policies);
    if known.len() >= POLICIES {
        known.clear();
    }
    known.insert(digest, Arc::clone(&policy));
    Ok((policy, digest))
}

impl Target {
    /// Reads the policy out of a header whose license was verified.
    pub(crate) fn of(
        shared: &Shared,
        header: &Header,
        storage: impl FnOnce() -> Option<Storage>,
    ) -> Result<Self> {
        let (policy, policy_digest) = policy(shared, &header.license.claims().policy.0)?;
        // Facts that nothing asks for need no measuring.
        let storage = policy.uses(Condition::Storage).then(storage).flatten();
        let (license, rev) = (Arc::clone(&header.license), header.description.rev);
        Ok(Target { license, policy, policy_digest, rev, storage, client: None, also: None })
    }

    /// The same, asked for like this.
    pub(crate) fn asked_for(self, shared: &Shared, access: Access) -> Self {
        let measured = |c: Client| (shared.machine.program(Some(c.pid)), c.confined);
        Target { client: access.client.map(measured), also: access.also, ..self }
    }

    /// A file that is being made.
    pub(crate) fn made(shared: &Shared, license: &Arc<License>, rev: u64) -> Result<Self> {
        let (policy, policy_digest) = policy(shared, &license.claims().policy.0)?;
        let license = Arc::clone(license);
        Ok(Target { license, policy, policy_digest, rev, storage: None, client: None, also: None })
    }

    /// Why a decision that grants `right`, or any, is not enough; `None` if it is.
    fn lacking(&self, decision: &Decision, right: Option<Right>) -> Option<String> {
        let granted = right.map_or(!decision.is_denial(), |right| decision.allows(right));
        if granted {
            return self.also.and_then(|also| also.lacking(decision));
        }
        let right = right.unwrap_or(Right::View);
        Some(format!("the file's policy does not grant the right to {right}"))
    }

    fn root(&self) -> &Thumbprint {
        &self.license.claims().iss
    }

    /// A record about this file.
    pub(crate) fn entry(&self, shared: &Shared, event: Event) -> Entry {
        let claims = self.license.claims();
        Entry {
            policy: Some(self.policy.name().to_owned()),
            policy_sha256: Some(self.policy_digest),
            rev: Some(self.rev),
            ..file_entry(shared, event, &self.license, claims.file)
        }
    }
}

fn file_entry(shared: &Shared, event: Event, license: &License, file: Id) -> Entry {
    let claims = license.claims();
    Entry {
        root: Some(claims.iss),
        file: Some(file),
        license: Some(claims.jti),
        license_seq: Some(claims.seq),
        ticket: shared.host.ticket.clone(),
        ..Entry::new(event)
    }
}

/// Verifies the license; a refusal is recorded as far as the license says what it is about.
pub(crate) fn verify(shared: &Shared, standing: &Standing, license: &License) -> Result<()> {
    let verified = standing.verify(license, shared.clock.now());
    verified.map_err(|e| {
        let event = if e.class() == Class::Denied { Event::Denied } else { Event::Failed };
        let claims = license.claims();
        let subject = shared.subject_by(standing, &claims.iss);
        let entry = Entry { subject, ..file_entry(shared, event, license, claims.file) };
        refused(shared, entry, e)
    })
}

/// Decides whether the target may be opened, and records the decision, under the trail's lock.
///
/// # Errors
/// Those of the decision. [`Code::Changed`], which is not recorded, if the target is older than
/// what was seen because somebody else replaced it just now: `current` says whether it still is
/// what was read.
pub(crate) fn admit(
    shared: &Shared,
    target: &Target,
    access: Access,
    current: impl FnOnce() -> bool,
) -> Result<Admission> {
    let mut trail = shared.trail.lock()?;
    let standing = shared.standing();
    let subject = shared.subject_by(&standing, target.root());
    let entry = Entry { subject, ..target.entry(shared, Event::Denied) };
    match decide(shared, &standing, target, access.older, None, &mut trail) {
        Ok((root_standing, decision, admission)) => {
            if let Some(why) = target.lacking(&decision, Some(access.right)) {
                let e = denial(&root_standing, decision, why);
                return Err(record_refusal(&mut trail, entry, e, admission.at));
            }
            let entry = Entry { older: access.older, ..entry };
            let entry = opened(shared, target, &root_standing, &decision, entry);
            let record = trail.append(&entry, admission.at)?;
            Ok(Admission { record, ..admission })
        }
        Err(e) if e.code() == Code::Rollback && !current() => {
            Err(Error::new(Code::Changed, "somebody else replaced this file meanwhile"))
        }
        Err(e) => {
            let now = shared.clock.now();
            Err(record_refusal(&mut trail, entry, e, now))
        }
    }
}

/// Decides again about a file that is open, with what the session stands on by now. Somebody else
/// at the device opens the file anew: it is recorded, and counts as one of their opens.
pub(crate) fn renew(shared: &Shared, target: &Target, before: &Admission) -> Result<Admission> {
    let mut trail = shared.trail.lock()?;
    let standing = shared.standing();
    let subject = shared.subject_by(&standing, target.root());
    let of = Some(before.record);
    let entry = Entry { of, subject, ..target.entry(shared, Event::Denied) };
    // Not `verify`, which would record under the lock that is held here.
    let renewed = standing
        .verify(&target.license, shared.clock.now())
        .and_then(|()| decide(shared, &standing, target, true, Some(before), &mut trail));
    match renewed {
        Ok((root_standing, decision, admission)) => {
            if let Some(why) = target.lacking(&decision, None) {
                let e = denial(&root_standing, decision, why);
                return Err(record_refusal(&mut trail, entry, e, admission.at));
            }
            if admission.subject == before.subject {
                return Ok(Admission { record: before.record, ..admission });
            }
            let entry = Entry { event: Event::Opened, ..entry };
            let entry = opened(shared, target, &root_standing, &decision, entry);
            let record = trail.append(&entry, admission.at)?;
            Ok(Admission { record, ..admission })
        }
        Err(e) => Err(record_refusal(&mut trail, entry, e, shared.clock.now())),
    }
}

/// The record of an opening.
fn opened(
    shared: &Shared,
    target: &Target,
    standing: &RootStanding,
    decision: &Decision,
    entry: Entry,
) -> Entry {
    Entry {
        event: Event::Opened,
        subject: standing.subject().map(str::to_owned),
        rights: decision.rights().map(|(right, _)| right).collect(),
        program: recorded_program(shared, target, standing),
        ..entry
    }
}

/// What must hold before an issuer gives a file new terms; a refusal is recorded.
pub(crate) fn admit_issuer(shared: &Shared, target: &Target) -> Result<()> {
    let mut trail = shared.trail.lock()?;
    let standing = shared.standing();
    stand_as_issuer(shared, &standing, target, &mut trail).map_err(|e| {
        let subject = shared.subject_by(&standing, target.root());
        let entry = Entry { subject, ..target.entry(shared, Event::Denied) };
        record_refusal(&mut trail, entry, e, shared.clock.now())
    })
}

/// What would be decided now; nothing is recorded.
pub(crate) fn explain(shared: &Shared, target: &Target, other: &Facts) -> Result<Decision> {
    let mut trail = shared.trail.lock()?;
    let (standing, now) = stand(shared, &shared.standing(), target, true, &mut trail)?;
    let facts = facts(shared, target, &standing, now, None, &trail).overlaid(other);
    Ok(evaluate(&target.policy, &facts))
}

type Decided = (Arc<RootStanding>, Arc<Decision>, Admission);

/// `before` is what was decided about the same open file: who has it open goes on with those opens.
fn decide(
    shared: &Shared,
    standing: &Standing,
    target: &Target,
    older: bool,
    before: Option<&Admission>,
    trail: &mut Locked<'_>,
) -> Result<Decided> {
    let (standing, now) = stand(shared, standing, target, older, trail)?;
    let same = before.filter(|before| before.subject.as_deref() == standing.subject());
    let facts = facts(shared, target, &standing, now, same.map(|same| &same.opens), trail);
    let decision = Arc::new(evaluate(&target.policy, &facts));
    let until = decision.until().map(|until| u64::try_from(until).unwrap_or(0));
    // What hangs on the trust list ends with it.
    let until = until.into_iter().chain(standing.until).min();
    let opens = facts.opens;
    let subject = standing.subject().map(str::to_owned);
    let decided = Arc::clone(&decision);
    let admission = Admission { decision: decided, until, at: now, record: 0, subject, opens };
    Ok((standing, decision, admission))
}

/// The error of a denial, with why the badge at hand was of no use.
fn denial(standing: &RootStanding, decision: Arc<Decision>, lacking: String) -> Error {
    let mut why = decision.messages();
    let code = if decision.is_denial() { Code::Denied } else { Code::Right };
    if why.is_empty() || code == Code::Right {
        why.insert(0, lacking);
    }
    if let Some(e) = &standing.no_badge {
        why.push(format!("the badge in use does not count: {e}"));
    }
    Error::denied(code, why.join("; "), (*decision).clone())
}

/// Records a refusal and gives its error; that it could not be recorded is said, too.
pub(crate) fn refused(shared: &Shared, entry: Entry, e: Error) -> Error {
    match shared.trail.lock() {
        Ok(mut trail) => record_refusal(&mut trail, entry, e, shared.clock.now()),
        Err(trail) => e.unrecorded(&trail),
    }
}

fn record_refusal(trail: &mut Locked<'_>, entry: Entry, e: Error, now: u64) -> Error {
    let reasons = match e.decision() {
        // That a right is missing is not among the decision's reasons.
        Some(decision) if e.code() != Code::Right => decision.messages(),
        _ => vec![e.to_string()],
    };
    let code = Some(e.code().name().to_owned());
    let entry = Entry { code, reasons: bounded(reasons), ..entry };
    match trail.append(&entry, now) {
        Ok(_) => e.recorded(),
        Err(trail) => e.unrecorded(&trail),
    }
}

/// Longest reason that is recorded, in characters, and most of them: a record has its bounds, and
/// what a user chooses, such as a path, must not keep a refusal out of the trail.
const REASON: usize = 512;
const REASONS: usize = 16;

fn bounded(mut reasons: Vec<String>) -> Vec<String> {
    let more = reasons.len().saturating_sub(REASONS);
    reasons.truncate(REASONS);
    for reason in &mut reasons {
        if let Some((end, _)) = reason.char_indices().nth(REASON) {
            reason.truncate(end);
            reason.push('…');
        }
    }
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}
