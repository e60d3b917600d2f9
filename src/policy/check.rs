//! `policy check`: what a well-formed policy says that is probably not meant.

use super::condition::Conditions;
use super::duty::Duties;
use super::feasible;
use super::finding::{Finding, FindingCode};
use super::names::{Duty, Right};
use super::shedding;
use super::subject::Subject;
use super::{Grant, Policy};

/// Looks a policy over as of `now` (Unix seconds). `roles` are those that badges can have under
/// the trust list, where there is one. Findings stand in the order of the policy.
pub fn check(policy: &Policy, now: i64, roles: Option<&[String]>) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    let all_rights: Vec<Right> = Right::ALL
        .iter()
        .copied()
        .filter(|r| policy.grants.iter().any(|g| g.rights.contains(r)))
        .collect();
    relaxed(&policy.require, "require", &mut findings);
    let over = feasible::validity(&policy.require, now, "require", &mut findings);
    idle_duties(&policy.duties, &all_rights, "duties", &mut findings);
    for (i, grant) in policy.grants.iter().enumerate() {
        let place = format!("grants[{i}]");
        if let Some(roles) = roles {
            unknown_roles(grant, roles, &place, &mut findings);
        }
        idle_duties(&grant.duties, &grant.rights, &format!("{place}.duties"), &mut findings);
        contrary_duties(policy, grant, &place, &mut findings);
        let when = format!("{place}.when");
        relaxed(&grant.when, &when, &mut findings);
        // Of a policy that is over as a whole, one finding says enough.
        if !over && !feasible::validity(&grant.when, now, &when, &mut findings) {
            feasible::together(&policy.require, &grant.when, now, &when, &mut findings);
        }
    }
    shedding::find(policy, &mut findings);
    findings.0
}

/// What was found so far.
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub fn add(&mut self, code: FindingCode, place: &str, message: impl Into<String>) {
        self.0.push(Finding { code, place: place.to_owned(), message: message.into() });
    }
}

fn relaxed(conditions: &Conditions, place: &str, findings: &mut Findings) {
    for (condition, accept) in conditions.accepts() {
        let least = condition.least();
        if accept < least {
            findings.add(
                FindingCode::RelaxedProvenance,
                &format!("{place}.{condition}"),
                format!("accepts what is only {accept}; {least} is usual"),
            );
        }
    }
}

fn unknown_roles(grant: &Grant, roles: &[String], place: &str, findings: &mut Findings) {
    let subjects = &grant.to.subjects;
    let unknown = |s: &Subject| matches!(s, Subject::Role(r) if !roles.contains(r));
    for (i, _) in subjects.iter().enumerate().filter(|(_, s)| unknown(s)) {
        let message = "no signer of badges in the trust list may give this role";
        findings.add(FindingCode::RoleNotGiven, &format!("{place}.to[{i}]"), message);
    }
    if subjects.iter().all(unknown) {
        let message = "no badge can have any of the roles that it is made to";
        findings.add(FindingCode::NeverApplies, &format!("{place}.to"), message);
    }
}

/// The rights for which a duty means something.
fn fits(duty: Duty) -> &'static [Right] {
    match duty {
        Duty::Watermark => &[Right::View, Right::Edit, Right::Print, Right::Capture],
        Duty::BlockCapture | Duty::BlockClipboard | Duty::Wipe => &[Right::View, Right::Edit],
        Duty::Mask => Right::ALL,
    }
}

fn idle_duties(duties: &Duties, rights: &[Right], place: &str, findings: &mut Findings) {
    for duty in duties.kinds().iter() {
        let fits = fits(duty);
        if !rights.iter().any(|r| fits.contains(r)) {
            let names: Vec<_> = fits.iter().map(|r| r.name()).collect();
            let message = format!("{duty} belongs to {}, and none is given here", names.join(", "));
            findings.add(FindingCode::DutyWithoutRight, place, message);
        }
    }
}

fn contrary_duties(policy: &Policy, grant: &Grant, place: &str, findings: &mut Findings) {
    for (duty, right) in [(Duty::BlockCapture, Right::Capture), (Duty::BlockClipboard, Right::Copy)]
    {
        let put = [&policy.duties, &grant.duties].iter().any(|d| d.kinds().contains(duty));
        if put && grant.rights.contains(&right) {
            let message = format!("gives the right to {right} with the duty {duty}");
            findings.add(FindingCode::DutyAgainstRight, place, message);
        }
    }
}
