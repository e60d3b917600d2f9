//! What is left in a process's memory when its handles are closed: no key, no seed, no passphrase,
//! no plaintext. A child process does the work and stops; this one, which knows the secrets, looks
//! for them in all of its memory that can be read, stacks and freed memory included.
//!
//! Each time it also looks while the handles are open, where it must find them: otherwise it would
//! be looking for the wrong bytes. A child that leaks on purpose shows that nothing hides either. All
//! that on memory that can be read; with secret memory, keys in use are not found.

#![cfg(target_os = "linux")]

mod child;
mod office;
mod secrets;

use bulla::KemKind;
use office::{Memory, Office, Working, names};
use std::process::Command;

const KINDS: [KemKind; 2] = [KemKind::Hybrid, KemKind::X25519];

/// The child: this program, which runs one scenario.
fn child(office: &Office, scenario: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child::works", "--ignored", "--nocapture"]);
    command.env(child::SCENARIO, scenario).env(child::FOLDER, office.folder());
    command
}

fn check(kind: KemKind, scenario: &str, open: &[&str], made: &[&str]) {
    for memory in Memory::BOTH {
        check_office(Office::new(kind, true), scenario, memory, open, made);
    }
}

fn check_office(office: Office, scenario: &str, memory: Memory, open: &[&str], made: &[&str]) {
    let child = child(&office, scenario);
    office.check(scenario, child, memory, open, made);
}

#[test]
fn unlocking_leaves_nothing() {
    for kind in KINDS {
        let open = ["device: signing seed", "device: kem seed", "root: signing seed"];
        check(kind, "unlock", &open, &[]);
        check_office(Office::new(kind, false), "unlock", Memory::Ordinary, &open, &[]);
    }
}

#[test]
fn sealing_leaves_nothing() {
    for kind in KINDS {
        check(kind, "seal", &["root: signing seed"], &["new", "new-batch"]);
    }
}

#[test]
fn reading_leaves_nothing() {
    let open = ["sealed: file key", "sealed: chunk key", "batch: batch key", "plaintext"];
    for kind in KINDS {
        check(kind, "read", &open, &[]);
    }
}

#[test]
fn reading_by_threads_leaves_nothing() {
    check(KemKind::Hybrid, "export", &["sealed: file key", "plaintext"], &[]);
}

#[test]
fn streaming_leaves_nothing() {
    let open = ["sealed: chunk key", "plaintext"];
    check(KemKind::Hybrid, "stream", &open, &[]);
}

#[test]
fn saving_leaves_nothing() {
    check(KemKind::Hybrid, "save", &["sealed: file key"], &["sealed"]);
}

#[test]
fn relicensing_leaves_nothing() {
    check(KemKind::Hybrid, "relicense", &["root: signing seed"], &["sealed"]);
}

/// Every kind of secret is found if it stays: of all that is looked for, what such a process has.
#[test]
fn leaks_are_found() {
    let office = Office::new(KemKind::Hybrid, true);
    let mut child = Working::start(child(&office, "leak"), Memory::Ordinary);
    child.wait_for("closed");
    let found = names(&office.secrets.find(child.id()));
    let kept = ["device: signing seed", "device: kem seed", "passphrase", "plaintext"];
    for name in kept.into_iter().chain(["sealed: file key", "sealed: chunk key"]) {
        assert!(found.contains(name), "{name} is not found: {found:?}");
    }
}
