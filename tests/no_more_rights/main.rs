//! With the issuer's key absent and every device secret known, no envelope opens with more rights
//! than its license grants.
//!
//! Each attempt is a function that does something either as the attacker can, with the keys of
//! devices and of an own root that the device pins, or honestly, as whoever may. The attacker must
//! be refused with the code that is named, and the honest twin must get the content: so no attempt
//! fails for the mere way in which it was made.

#![cfg(target_os = "linux")]

mod facts;
mod licenses;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod trails;
mod world;

use bulla::Code;
use std::collections::BTreeSet;
use world::{TEXT, Try, World};

/// What is tried, how it must be refused, and the doing of it; honestly, if `true`.
type Attempt = (&'static str, Code, fn(&World, &mut Try, bool) -> bulla::Result<()>);

/// Tries one attempt in a home of its own.
fn outcome(world: &World, attempt: &Attempt, honest: bool) -> bulla::Result<Vec<u8>> {
    let mut this = Try::new(world);
    (attempt.2)(world, &mut this, honest)?;
    let exported = this.export();
    if exported.is_err() {
        // By stream it is no other.
        assert!(this.export_stream().is_err(), "{}: THE STREAM OPENED", attempt.0);
    }
    exported
}

fn all_fail(attempts: &[Attempt]) {
    let world = World::new();
    let mut wrong = Vec::new();
    for attempt in attempts {
        let (name, code, _) = attempt;
        match outcome(&world, attempt, true) {
            Ok(text) if text == TEXT => {}
            Ok(_) => wrong.push(format!("{name}: the honest twin got something else")),
            Err(e) => wrong.push(format!("{name}: the honest twin was refused: {e}")),
        }
        match outcome(&world, attempt, false) {
            Ok(_) => wrong.push(format!("{name}: THE ENVELOPE OPENED")),
            Err(e) if e.code() == *code => {}
            Err(e) => {
                wrong.push(format!("{name}: {} in place of {}: {e}", e.code().name(), code.name()))
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn by_licenses() {
    all_fail(licenses::ATTEMPTS);
}

#[test]
fn by_badges_and_lists() {
    all_fail(tokens::ATTEMPTS);
}

#[test]
fn by_facts() {
    all_fail(facts::ATTEMPTS);
}

#[test]
fn by_revocations_and_trails() {
    all_fail(trails::ATTEMPTS);
}

#[test]
fn by_an_own_root() {
    all_fail(licenses::OPEN);
}

#[test]
fn by_a_forged_summary_of_the_trail() {
    all_fail(trails::OPEN);
}

#[test]
fn there_are_many() {
    let all = [licenses::ATTEMPTS, tokens::ATTEMPTS, facts::ATTEMPTS, trails::ATTEMPTS].concat();
    let names: BTreeSet<_> = all.iter().map(|attempt| attempt.0).collect();
    assert_eq!(names.len(), all.len(), "an attempt stands twice");
    assert!(all.len() >= 100, "only {} attempts", all.len());
}
