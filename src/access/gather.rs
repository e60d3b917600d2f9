//! Gathering the facts that a policy asks for: measured here, attested by tokens, or the host's
//! word.

use super::Target;
use crate::encoding::ProgramHash;
use crate::measure::MeasuredProgram;
use crate::policy::{Attestation, Badge, Condition, Facts, Known, Mode, Program, Provenance};
use crate::session::Shared;
use crate::standing::RootStanding;
use crate::trail::{Locked, TrailProgram};
use std::collections::BTreeMap;

pub(super) fn facts(
    shared: &Shared,
    target: &Target,
    standing: &RootStanding,
    now: u64,
    opens: Option<&BTreeMap<u64, Known<u64>>>,
    trail: &Locked<'_>,
) -> Facts {
    let time = |t: u64| i64::try_from(t).unwrap_or(i64::MAX);
    let asserted = &shared.host.asserted;
    let uses = |condition| target.policy.uses(condition);
    let mut facts = Facts {
        time: Some(Known::measured(time(now))),
        badge: standing.badge.as_ref().map(|badge| Badge {
            subject: badge.subject.clone(),
            roles: badge.roles.clone(),
            groups: badge.groups.clone(),
            expires: time(badge.expires),
        }),
        device: Some(Known::measured(*shared.identity.thumbprint().as_bytes())),
        anchor: standing.anchors().map(|(_, at)| at).max().map(|at| Known::attested(time(at))),
        revocations: standing.revoked.issued_at.map(|at| Known::attested(time(at))),
        duties: shared.host.duties,
        ticket: shared.host.ticket.as_ref().map(|_| Provenance::Asserted),
        attestations: asserted.attestations.clone(),
        posture: asserted.posture.clone(),
        ..Facts::default()
    };
    for a in &standing.attestations {
        facts.attest(&a.kind, time(a.issued), time(a.expires));
    }
    if uses(Condition::Network) {
        facts.network = shared.machine.addresses().map(Known::measured);
    }
    if uses(Condition::Software) {
        facts.program = program(shared, target, standing).map(Known::measured);
    }
    facts.storage = target.storage.map(Known::measured);
    facts.opens = match opens {
        Some(opens) => opens.clone(),
        None => {
            let count = |per: u64| {
                let from = now.saturating_sub(per.saturating_sub(1));
                trail.state().opens(&target.policy_digest, standing.subject(), from)
            };
            let windows = target.policy.open_windows().into_iter();
            windows.map(|per| (per, Known::measured(count(per)))).collect()
        }
    };
    // The host's word stands in only where nothing better is known.
    facts.anchor = facts.anchor.or(asserted.anchor);
    facts.revocations = facts.revocations.or(asserted.revocations);
    facts.network = facts.network.or_else(|| asserted.network.clone());
    facts.program = facts.program.or_else(|| asserted.program.clone());
    facts.storage = facts.storage.or(asserted.storage);
    facts
}

fn program(shared: &Shared, target: &Target, standing: &RootStanding) -> Option<Program> {
    if let Some((program, confined)) = &target.client {
        let mode = if *confined { Mode::Confined } else { Mode::Bare };
        // Its mode is known also where its file cannot be read.
        let MeasuredProgram { path, sha256 } = program.clone().unwrap_or_default();
        return Some(Program { mode, path, sha256 });
    }
    // What this process runs does not change while it runs.
    let program = shared.program.get_or_init(|| shared.machine.program(None));
    let MeasuredProgram { path, sha256 } = program.clone()?;
    let managed = sha256.is_some_and(|hash| standing.programs.contains(&ProgramHash(hash)));
    let mode = if managed { Mode::Managed } else { Mode::Bare };
    Some(Program { mode, path, sha256 })
}

pub(super) fn recorded_program(
    shared: &Shared,
    target: &Target,
    standing: &RootStanding,
) -> Option<TrailProgram> {
    let Program { mode, path, sha256 } = program(shared, target, standing)?;
    Some(TrailProgram { mode, path, sha256: sha256.map(ProgramHash) })
}

/// What the host says of attestations and posture counts as its word, whatever it calls it.
pub(crate) fn asserted(mut facts: Facts) -> Facts {
    facts.time = None;
    facts.badge = None;
    facts.device = None;
    facts.opens.clear();
    facts.attestations.iter_mut().for_each(|a: &mut Attestation| a.by = Provenance::Asserted);
    facts.posture.iter_mut().for_each(|p| p.by = Provenance::Asserted);
    let weaker = |known: &mut Option<Known<i64>>| {
        if let Some(known) = known {
            known.by = Provenance::Asserted;
        }
    };
    weaker(&mut facts.anchor);
    weaker(&mut facts.revocations);
    facts.network.iter_mut().for_each(|k| k.by = Provenance::Asserted);
    facts.program.iter_mut().for_each(|k| k.by = Provenance::Asserted);
    facts.storage.iter_mut().for_each(|k| k.by = Provenance::Asserted);
    facts
}
