//! The evaluation of a policy: pure, without clock, files or network.

use super::condition::{Conditions, Rule};
use super::decision::{Cause, Decision, Failed, Refusal, Withheld};
use super::duty::Duties;
use super::explain;
use super::facts::{Facts, Known};
use super::hours::Window;
use super::names::{Condition, Provenance, Right};
use super::subject::Audience;
use super::time;
use super::{Grant, Policy};
use std::borrow::Cow;
use std::sync::Arc;

/// When something ends, in Unix seconds, exclusive. [`NEVER`] if it doesn't.
pub(super) type End = i64;

pub(super) const NEVER: End = i64::MAX;

/// Decides what `policy` lets happen under `facts`.
pub fn evaluate(policy: &Policy, facts: &Facts) -> Decision {
    let known = |t: &Known<i64>| (0..time::END_OF_TIME).contains(&t.value);
    let seen = Seen { facts, now: facts.time.filter(known) };
    let mut decision = Decision::default();
    let mut until = match seen.all(&policy.require) {
        Ok(end) => end,
        Err(failure) => {
            decision.refusals.push(failure.refusal(None));
            return decision;
        }
    };
    for (i, grant) in policy.grants.iter().enumerate() {
        match seen.applies(grant) {
            Ok(end) => {
                until = until.min(end);
                for &right in &grant.rights {
                    decision.granted[right as usize]
                        .get_or_insert_with(Duties::default)
                        .add(&grant.duties);
                }
            }
            Err(failure) => decision.refusals.push(failure.refusal(Some(i))),
        }
    }
    // Only now, with the duties settled, does it matter what the host can do: a host that can do
    // less must not get off more lightly.
    let mut any = false;
    for &right in Right::ALL {
        let Some(duties) = &mut decision.granted[right as usize] else { continue };
        duties.add(&policy.duties);
        let undeclared = duties.kinds().without(facts.duties);
        if undeclared.is_empty() {
            any = true;
        } else {
            decision.granted[right as usize] = None;
            decision.withheld.push(Withheld { right, undeclared });
        }
    }
    decision.until = (any && until != NEVER).then_some(until);
    decision
}

/// The facts, with a time that can be relied on to be in range.
pub(super) struct Seen<'a> {
    pub facts: &'a Facts,
    pub now: Option<Known<i64>>,
}

/// Why something did not hold.
#[derive(Debug)]
pub(super) struct Failure {
    pub failed: Failed,
    pub cause: Cause,
    pub noun: &'static str,
    pub known: Cow<'static, str>,
    pub by: Option<Provenance>,
    pub accept: Provenance,
    pub wanted: Arc<str>,
}

impl Failure {
    fn refusal(self, grant: Option<usize>) -> Refusal {
        let Failure { failed, cause, noun, known, by, accept, wanted } = self;
        Refusal { grant, failed, cause, noun, known, by, accept, wanted }
    }
}

impl Seen<'_> {
    fn applies(&self, grant: &Grant) -> Result<End, Failure> {
        let badge = if grant.to.needs_badge() { self.badge(&grant.to)? } else { NEVER };
        Ok(badge.min(self.all(&grant.when)?))
    }

    /// Whether there is a badge that this is for; its end.
    fn badge(&self, to: &Audience) -> Result<End, Failure> {
        let fail = |failed, cause, noun, known: Cow<'static, str>, by| Failure {
            failed,
            cause,
            noun,
            known,
            by,
            accept: Provenance::Attested,
            wanted: Arc::clone(&to.wanted),
        };
        let badge = Failed::Badge;
        let Some(claims) = &self.facts.badge else {
            return Err(fail(badge, Cause::Unknown, "the badge", "".into(), None));
        };
        let now = match self.now {
            None => return Err(fail(badge, Cause::Unknown, explain::TIME, "".into(), None)),
            // A host that sets the clock could make every badge last for ever.
            Some(now) if now.by < Provenance::Measured => {
                let by = Some(now.by);
                return Err(fail(badge, Cause::Provenance, explain::TIME, "".into(), by));
            }
            Some(now) => now.value,
        };
        let by = Some(Provenance::Attested);
        if claims.expires <= now {
            let known = format!("expired at {}", time::show_minute(claims.expires)).into();
            return Err(fail(badge, Cause::Unmet, "the badge", known, by));
        }
        if !to.admits(claims) {
            let known = "the badge is for nobody of these".into();
            return Err(fail(Failed::To, Cause::Unmet, "the badge", known, by));
        }
        Ok(claims.expires)
    }

    /// Whether all conditions hold, checked in the fixed order; the earliest end.
    fn all(&self, c: &Conditions) -> Result<End, Failure> {
        let mut end = NEVER;
        if let Some(rule) = &c.valid {
            end = end.min(self.valid(rule)?);
        }
        if let Some(rule) = &c.revocations {
            let fact = self.facts.revocations;
            end = end.min(self.age(Condition::Revocations, rule, fact)?);
        }
        if let Some(rule) = &c.anchored {
            end = end.min(self.age(Condition::Anchored, rule, self.facts.anchor)?);
        }
        if let Some(rule) = &c.devices {
            self.devices(rule)?;
        }
        if let Some(rule) = &c.hours {
            end = end.min(self.hours(rule)?);
        }
        if let Some(rule) = &c.network {
            self.network(rule)?;
        }
        if let Some(rule) = &c.software {
            self.software(rule)?;
        }
        if let Some(rule) = &c.storage {
            self.storage(rule)?;
        }
        if let Some(rule) = &c.attested {
            end = end.min(self.attested(rule)?);
        }
        if let Some(rule) = &c.posture {
            end = end.min(self.posture(rule)?);
        }
        if let Some(rule) = &c.ticket {
            self.ticket(rule)?;
        }
        if let Some(rule) = &c.opens {
            self.opens(rule)?;
        }
        Ok(end)
    }

    fn hours(&self, rule: &Rule<Vec<Window>>) -> Result<End, Failure> {
        let now = self.time(Condition::Hours, rule.accept, || rule.wanted.clone())?;
        let ends = rule.need.iter().filter_map(|w| w.end(now.value));
        ends.max().ok_or_else(|| {
            let known = rule.need.first().map_or(String::new(), |w| w.show_now(now.value));
            unmet(Condition::Hours, rule, known.into(), now.by)
        })
    }

    /// The time, known at least like this.
    pub fn time(
        &self,
        condition: Condition,
        least: Provenance,
        wanted: impl Fn() -> Arc<str>,
    ) -> Result<Known<i64>, Failure> {
        self.now.filter(|now| now.by >= least).ok_or_else(|| Failure {
            noun: explain::TIME,
            ..weak(condition, self.now.map(|now| now.by), least, wanted())
        })
    }
}

/// A fact that is not known, or not well enough.
pub(super) fn weak(
    condition: Condition,
    by: Option<Provenance>,
    accept: Provenance,
    wanted: Arc<str>,
) -> Failure {
    Failure {
        failed: Failed::Condition(condition),
        cause: if by.is_some() { Cause::Provenance } else { Cause::Unknown },
        noun: explain::noun(condition),
        known: "".into(),
        by,
        accept,
        wanted,
    }
}

/// A fact that is known well enough, and does not satisfy.
pub(super) fn unmet<T>(
    condition: Condition,
    rule: &Rule<T>,
    known: Cow<'static, str>,
    by: Provenance,
) -> Failure {
    Failure {
        failed: Failed::Condition(condition),
        cause: Cause::Unmet,
        noun: explain::noun(condition),
        known,
        by: Some(by),
        accept: rule.accept,
        wanted: rule.wanted.clone(),
    }
}
