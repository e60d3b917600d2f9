//! Whether each condition holds under the facts, and until when.

use super::condition::{Ages, Opens, Rule, Software, Validity, some};
use super::evaluate::{End, Failure, NEVER, Seen, unmet, weak};
use super::facts::Known;
use super::names::{Condition, Provenance, Storage};
use super::network::Networks;
use super::time::{self, LEEWAY};
use std::sync::Arc;

/// The fact, if it is known at least as well as the rule accepts.
fn enough<'f, F, T>(
    condition: Condition,
    rule: &Rule<T>,
    fact: Option<&'f Known<F>>,
) -> Result<&'f Known<F>, Failure> {
    fact.filter(|f| f.by >= rule.accept)
        .ok_or_else(|| weak(condition, fact.map(|f| f.by), rule.accept, rule.wanted.clone()))
}

/// How well the time must be known to judge the age of a fact: a clock that the host sets would
/// keep every token fresh, so it counts only where the host's word does.
fn least_time(accept: Provenance) -> Provenance {
    accept.min(Provenance::Measured)
}

impl Seen<'_> {
    pub(super) fn valid(&self, rule: &Rule<Validity>) -> Result<End, Failure> {
        let now = self.time(Condition::Valid, rule.accept, || rule.wanted.clone())?;
        let Validity { from, until } = rule.need;
        let until = until.unwrap_or(NEVER);
        if from.is_some_and(|from| now.value < from) || until <= now.value {
            let known = time::show_minute(now.value).into();
            return Err(unmet(Condition::Valid, rule, known, now.by));
        }
        Ok(until)
    }

    /// For what must have been issued not longer ago than so many seconds.
    pub(super) fn age(
        &self,
        condition: Condition,
        rule: &Rule<u64>,
        fact: Option<Known<i64>>,
    ) -> Result<End, Failure> {
        let issued = *enough(condition, rule, fact.as_ref())?;
        let now = self.time(condition, least_time(rule.accept), || rule.wanted.clone())?.value;
        let end = issued.value.saturating_add_unsigned(rule.need);
        if issued.value > now.saturating_add(LEEWAY) || end <= now {
            let when = time::show_minute(issued.value);
            let known = match condition {
                Condition::Anchored => format!("at {when}"),
                _ => format!("is of {when}"),
            };
            return Err(unmet(condition, rule, known.into(), issued.by));
        }
        Ok(end)
    }

    pub(super) fn devices(&self, rule: &Rule<Vec<[u8; 32]>>) -> Result<(), Failure> {
        let device = enough(Condition::Devices, rule, self.facts.device.as_ref())?;
        if rule.need.contains(&device.value) {
            return Ok(());
        }
        Err(unmet(Condition::Devices, rule, "another device".into(), device.by))
    }

    pub(super) fn network(&self, rule: &Rule<Networks>) -> Result<(), Failure> {
        let network = enough(Condition::Network, rule, self.facts.network.as_ref())?;
        if rule.need.hold(&network.value) {
            return Ok(());
        }
        let known = match network.value.is_empty() {
            true => "no address".into(),
            false => format!("at {}", some(network.value.iter().map(|a| a.to_string()))).into(),
        };
        Err(unmet(Condition::Network, rule, known, network.by))
    }

    pub(super) fn software(&self, rule: &Rule<Software>) -> Result<(), Failure> {
        let fact = enough(Condition::Software, rule, self.facts.program.as_ref())?;
        let (need, program) = (&rule.need, &fact.value);
        let wrong = |what| Err(unmet(Condition::Software, rule, what, fact.by));
        let unknown = |noun| {
            let weak = weak(Condition::Software, None, rule.accept, rule.wanted.clone());
            Err(Failure { noun, ..weak })
        };
        if !need.modes.contains(&program.mode) {
            return wrong(format!("it runs {}", program.mode).into());
        }
        if !need.paths.is_empty() {
            match &program.path {
                None => return unknown("the program's path"),
                Some(path) if !need.paths.contains(path) => {
                    return wrong(format!("it is {path}").into());
                }
                Some(_) => {}
            }
        }
        if !need.sha256.is_empty() {
            match &program.sha256 {
                None => return unknown("the program's SHA-256"),
                Some(hash) if !need.sha256.contains(hash) => {
                    return wrong("its SHA-256 is another".into());
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    pub(super) fn storage(&self, rule: &Rule<Vec<Storage>>) -> Result<(), Failure> {
        let storage = enough(Condition::Storage, rule, self.facts.storage.as_ref())?;
        if rule.need.contains(&storage.value) {
            return Ok(());
        }
        Err(unmet(Condition::Storage, rule, storage.value.name().into(), storage.by))
    }

    pub(super) fn attested(&self, rule: &Rule<Ages>) -> Result<End, Failure> {
        let condition = Condition::Attested;
        let mut earliest = NEVER;
        for (kind, age) in &rule.need {
            let wanted =
                || Arc::from(format!("{kind} not older than {}", time::show_duration(*age)));
            let of_kind = || self.facts.attestations.iter().filter(|a| *a.kind == **kind);
            let good = || of_kind().filter(|a| a.by >= rule.accept);
            if good().next().is_none() {
                let by = of_kind().map(|a| a.by).max();
                return Err(weak(condition, by, rule.accept, wanted()));
            }
            let now = self.time(condition, least_time(rule.accept), wanted)?.value;
            // One that is fresh is enough, and it counts for as long as the freshest does.
            let latest = good()
                .filter(|a| a.issued <= now.saturating_add(LEEWAY))
                .map(|a| a.issued.saturating_add_unsigned(*age).min(a.expires))
                .filter(|&end| now < end)
                .max();
            let Some(latest) = latest else {
                let newest = good().max_by_key(|a| a.issued);
                let known = newest.map_or(String::new(), |a| {
                    let issued = time::show_minute(a.issued);
                    format!("{kind} is of {issued} and ends {}", time::show_minute(a.expires))
                });
                let by = newest.map_or(rule.accept, |a| a.by);
                let unmet = unmet(condition, rule, known.into(), by);
                return Err(Failure { wanted: wanted(), ..unmet });
            };
            earliest = earliest.min(latest);
        }
        Ok(earliest)
    }

    pub(super) fn posture(&self, rule: &Rule<Vec<Box<str>>>) -> Result<End, Failure> {
        let condition = Condition::Posture;
        let mut earliest = NEVER;
        for name in &rule.need {
            let wanted = || Arc::from(&**name);
            let of_name = || self.facts.posture.iter().filter(|p| *p.name == **name);
            let good = || of_name().filter(|p| p.by >= rule.accept);
            if good().next().is_none() {
                let by = of_name().map(|p| p.by).max();
                return Err(weak(condition, by, rule.accept, wanted()));
            }
            if good().any(|p| p.expires.is_none()) {
                continue;
            }
            let now = self.time(condition, least_time(rule.accept), wanted)?.value;
            let latest = good().filter_map(|p| p.expires).filter(|&end| now < end).max();
            let Some(latest) = latest else {
                let by = good().map(|p| p.by).max().unwrap_or(rule.accept);
                let known = format!("{name} is no longer known: its attestation ended").into();
                let unmet = unmet(condition, rule, known, by);
                return Err(Failure { wanted: wanted(), ..unmet });
            };
            earliest = earliest.min(latest);
        }
        Ok(earliest)
    }

    pub(super) fn ticket(&self, rule: &Rule<()>) -> Result<(), Failure> {
        let ticket = self.facts.ticket.map(|by| Known { value: (), by });
        enough(Condition::Ticket, rule, ticket.as_ref()).map(|_| ())
    }

    pub(super) fn opens(&self, rule: &Rule<Opens>) -> Result<(), Failure> {
        let Opens { at_most, per } = rule.need;
        let opens = enough(Condition::Opens, rule, self.facts.opens.get(&per))?;
        if opens.value < at_most {
            return Ok(());
        }
        let known = format!("{} opens so far", opens.value).into();
        Err(unmet(Condition::Opens, rule, known, opens.by))
    }
}
