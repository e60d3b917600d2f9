//! Refusals in words that somebody at a desk can act on.

use super::decision::{Cause, Failed, Refusal};
use super::names::Condition;
use std::fmt;

/// What a condition looks at, as the subject of a sentence.
pub(super) fn noun(condition: Condition) -> &'static str {
    match condition {
        Condition::Valid | Condition::Hours => TIME,
        Condition::Revocations => "the list of revocations",
        Condition::Anchored => "the time at which the trail was last shown",
        Condition::Devices => "the device",
        Condition::Network => "the network",
        Condition::Software => "the program",
        Condition::Storage => "the storage under the file",
        Condition::Attested => "the attestation",
        Condition::Posture => "the state of the device",
        Condition::Ticket => "the ticket",
        Condition::Opens => "the number of opens",
    }
}

/// The time, as the subject of a sentence.
pub(super) const TIME: &str = "the time";

/// Writes the message of a refusal.
pub(super) fn refusal(r: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Refusal { noun, known, accept, wanted, .. } = r;
    match (r.failed, r.cause) {
        (Failed::Badge, Cause::Unknown) if *noun == TIME => {
            f.write_str("the badge cannot be used: the time is not known")
        }
        (Failed::Badge, Cause::Unknown) => {
            write!(f, "a badge is needed, for {wanted}: sign in or fetch one")
        }
        (Failed::Badge, Cause::Provenance) => {
            f.write_str("the badge cannot be used: the time was not measured")
        }
        (Failed::Badge, Cause::Unmet) => write!(f, "the badge {known}: fetch a new one"),
        (Failed::To, _) => write!(f, "this is for {wanted}, and {known}"),
        (Failed::Condition(c), Cause::Unknown) => {
            write!(f, "{noun} is not known, and this needs {}", need(c, wanted))
        }
        (Failed::Condition(c), Cause::Provenance) => {
            let by = r.by.map_or("not known", |by| by.name());
            write!(f, "{noun} is only {by} and must be {accept}; this needs {}", need(c, wanted))
        }
        (Failed::Condition(c), Cause::Unmet) => unmet(c, known, wanted, f),
    }
}

/// What is needed, as the object of a sentence.
fn need(condition: Condition, wanted: &str) -> String {
    match condition {
        Condition::Valid => format!("a time {wanted}"),
        Condition::Anchored => format!("it {wanted}"),
        Condition::Software => format!("a {wanted}"),
        Condition::Storage => format!("storage that is {wanted}"),
        _ => wanted.to_owned(),
    }
}

fn unmet(c: Condition, known: &str, wanted: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        Condition::Valid => write!(f, "not valid now: valid {wanted}, it is now {known}"),
        Condition::Revocations => {
            write!(f, "the list of revocations {known}: fetch {wanted}")
        }
        Condition::Anchored => {
            write!(f, "the trail was last shown {known}, and it must be {wanted}: fetch a badge")
        }
        Condition::Devices => write!(f, "this device is not {wanted}"),
        Condition::Hours => write!(f, "outside working hours: {wanted}, it is now {known}"),
        Condition::Network => write!(f, "wrong network: {known}; this needs {wanted}"),
        Condition::Software => write!(f, "wrong program: {known}; this needs a {wanted}"),
        Condition::Storage => write!(f, "the file is on {known} storage; it must be {wanted}"),
        Condition::Attested => write!(f, "the attestation {known}: this needs {wanted}"),
        Condition::Posture => write!(f, "{known}: this needs {wanted}"),
        Condition::Ticket => write!(f, "this needs {wanted}"),
        Condition::Opens => write!(f, "opened too often: {known}; allowed are {wanted}"),
    }
}
