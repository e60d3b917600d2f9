//! Duties that could be shed by withholding a fact.
//!
//! Two grants give the same right, one of them with a duty that the other lacks. Where somebody
//! can make the first fail and leave the second standing, by not telling something or by telling
//! it less reliably, the duty is gone and the right stays. The evaluation cannot know what it is
//! not told, so the author of the policy is warned.

use super::check::Findings;
use super::condition::Conditions;
use super::finding::FindingCode;
use super::names::Provenance;
use super::subject::{Audience, Subject};
use super::{Grant, Policy};

/// A fact that can be withheld by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact<'a> {
    Time,
    Badge,
    Device,
    Anchor,
    Revocations,
    Network,
    Program,
    Path,
    Sha256,
    Storage,
    Attestation(&'a str),
    Posture(&'a str),
    Ticket,
    Opens(u64),
}

/// A fact that must be known, how well, and how fresh where several of different age can be.
#[derive(Clone, Copy, Debug)]
struct Need<'a> {
    fact: Fact<'a>,
    least: Provenance,
    age: u64,
}

pub(super) fn find(policy: &Policy, findings: &mut Findings) {
    let common = needs(&policy.require);
    let needs: Vec<_> = policy.grants.iter().map(of_grant).collect();
    for (i, strict) in policy.grants.iter().enumerate() {
        for (j, lax) in policy.grants.iter().enumerate() {
            // No grant sheds a duty of its own.
            if !sheds(policy, strict, lax) {
                continue;
            }
            let stands = |n: &&Need<'_>| !common.iter().chain(&needs[j]).any(|m| m.covers(n));
            if let Some(need) = needs[i].iter().find(stands) {
                let message = format!(
                    "whoever withholds {} loses nothing that grants[{j}] gives too, and its \
                     duties: {}",
                    need.show(),
                    strict.duties,
                );
                let place = format!("grants[{i}].duties");
                findings.add(FindingCode::WithholdingShedsDuty, &place, message);
                break;
            }
        }
    }
}

/// Whether both could apply at once, to a right on which only `strict` puts some duty.
fn sheds(policy: &Policy, strict: &Grant, lax: &Grant) -> bool {
    let mut without = policy.duties.clone();
    without.add(&lax.duties);
    strict.rights.iter().any(|r| lax.rights.contains(r))
        && !strict.duties.within(&without)
        && !exclusive(&strict.to, &lax.to)
}

/// Whether the two name users only, and no user twice.
fn exclusive(a: &Audience, b: &Audience) -> bool {
    let users = |s: &Subject| matches!(s, Subject::User(_));
    let (a, b) = (&a.subjects, &b.subjects);
    a.iter().chain(b).all(users) && !a.iter().any(|s| b.contains(s))
}

fn of_grant(grant: &Grant) -> Vec<Need<'_>> {
    let mut out = needs(&grant.when);
    if grant.to.needs_badge() {
        out.push(Need { fact: Fact::Badge, least: Provenance::Attested, age: 0 });
        out.push(Need { fact: Fact::Time, least: Provenance::Measured, age: 0 });
    }
    out
}

fn needs(c: &Conditions) -> Vec<Need<'_>> {
    let mut out = Vec::new();
    let mut add = |fact, least| out.push(Need { fact, least, age: 0 });
    let age_time = |accept: Provenance| accept.min(Provenance::Measured);
    for rule in [c.valid.as_ref().map(|r| r.accept), c.hours.as_ref().map(|r| r.accept)] {
        rule.into_iter().for_each(|accept| add(Fact::Time, accept));
    }
    for (rule, fact) in [(&c.revocations, Fact::Revocations), (&c.anchored, Fact::Anchor)] {
        if let Some(rule) = rule {
            add(fact, rule.accept);
            add(Fact::Time, age_time(rule.accept));
        }
    }
    if let Some(rule) = &c.devices {
        add(Fact::Device, rule.accept);
    }
    if let Some(rule) = &c.network {
        add(Fact::Network, rule.accept);
    }
    if let Some(rule) = &c.software {
        add(Fact::Program, rule.accept);
        if !rule.need.paths.is_empty() {
            add(Fact::Path, rule.accept);
        }
        if !rule.need.sha256.is_empty() {
            add(Fact::Sha256, rule.accept);
        }
    }
    if let Some(rule) = &c.storage {
        add(Fact::Storage, rule.accept);
    }
    if let Some(rule) = &c.posture {
        // Whoever needs the same posture needs the time exactly when this does.
        rule.need.iter().for_each(|name| add(Fact::Posture(name), rule.accept));
    }
    if let Some(rule) = &c.ticket {
        add(Fact::Ticket, rule.accept);
    }
    if let Some(rule) = &c.opens {
        add(Fact::Opens(rule.need.per), rule.accept);
    }
    if let Some(rule) = &c.attested {
        add(Fact::Time, age_time(rule.accept));
        for (kind, age) in &rule.need {
            out.push(Need { fact: Fact::Attestation(kind), least: rule.accept, age: *age });
        }
    }
    out
}

impl Need<'_> {
    /// Whether this cannot be satisfied any more without the other being so, too, once both were.
    fn covers(&self, other: &Need<'_>) -> bool {
        self.fact == other.fact && self.least >= other.least && self.age <= other.age
    }

    fn show(&self) -> String {
        match self.fact {
            Fact::Time => "the time".into(),
            Fact::Badge => "the badge".into(),
            Fact::Device => "the device's identity".into(),
            Fact::Anchor => "the anchor".into(),
            Fact::Revocations => "the list of revocations".into(),
            Fact::Network => "the network addresses".into(),
            Fact::Program => "the program".into(),
            Fact::Path => "the program's path".into(),
            Fact::Sha256 => "the program's SHA-256".into(),
            Fact::Storage => "the storage".into(),
            Fact::Attestation(kind) => format!("the attestation {kind}"),
            Fact::Posture(name) => format!("the posture {name}"),
            Fact::Ticket => "the ticket".into(),
            Fact::Opens(_) => "the number of opens".into(),
        }
    }
}
