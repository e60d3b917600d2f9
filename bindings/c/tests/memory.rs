//! What the library leaves in the memory of a C program that has freed its handles: as the core's
//! `tests/memory`, with a child in C.

#![cfg(target_os = "linux")]

extern crate bulla_core as bulla;

#[path = "../../../tests/memory/office.rs"]
mod office;
#[path = "../../../tests/memory/secrets.rs"]
mod secrets;

use bulla::KemKind;
use office::{Memory, Office, Working, names, ordinary};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The shared library, as the tests are built or as it is shipped, and the child, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, program) = PROGRAM.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let (target, profile) = (built.parent().unwrap(), built.file_name().unwrap());
        let profile = if profile == "debug" { "dev".as_ref() } else { profile };
        let done = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "bulla-capi", "--target-dir"])
            .arg(target)
            .arg("--profile")
            .arg(profile)
            .status();
        assert!(done.unwrap().success());
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(built.join("libbulla.so"), folder.path().join("libbulla.so.0")).unwrap();
        let program = folder.path().join("child");
        let built = Command::new("cc")
            .args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&program)
            .arg(here.join("tests/memory/child.c"))
            .arg(format!("-I{}", here.join("../../include").display()))
            .arg(folder.path().join("libbulla.so.0"))
            // A function that is looked up when it is first called has what the vector registers hold
            // copied to the stack by the loader: here plaintext, after the stack was wiped.
            .args(["-Wl,-z,now", &format!("-Wl,-rpath,{}", folder.path().display())])
            .status();
        assert!(built.expect("a C compiler").success());
        (folder, program)
    });
    program
}

fn child(office: &Office, scenario: &str) -> Command {
    let mut command = Command::new(program());
    command.arg(scenario).arg(office.folder());
    command
}

fn check(scenario: &str, open: &[&str], made: &[&str]) {
    for kind in [KemKind::Hybrid, KemKind::X25519] {
        for memory in Memory::BOTH {
            let office = Office::new(kind, true);
            let child = child(&office, scenario);
            office.check(scenario, child, memory, open, made);
        }
    }
}

#[test]
fn sealing_from_c_leaves_nothing() {
    check("seal", &["root: signing seed", "plaintext"], &["new"]);
}

#[test]
fn reading_from_c_leaves_nothing() {
    let open = ["device: kem seed", "sealed: file key", "sealed: chunk key", "plaintext"];
    check("read", &open, &[]);
}

#[test]
fn saving_from_c_leaves_nothing() {
    check("save", &["sealed: file key", "plaintext"], &["sealed"]);
}

/// Of a process that has files open. Chunks and the keys of chunks are in ordinary memory, as the
/// passphrase is that the program itself holds.
#[test]
fn a_forked_process_has_no_keys() {
    for memory in Memory::BOTH {
        let office = Office::new(KemKind::Hybrid, true);
        let mut child = Working::start(child(&office, "fork"), memory);
        let said = child.wait_for("forked");
        let forked = said.split(' ').next().unwrap().parse().unwrap();
        let found = |process| names(&office.secrets.find(process));
        let (here, there) = (found(child.id()), found(forked));
        let kept: Vec<_> = there.iter().filter(|name| !ordinary(name)).collect();
        assert!(kept.is_empty(), "{memory:?}: {kept:?}");
        // That such a search finds what is there.
        assert!(there.contains("plaintext") && there.contains("passphrase"), "{there:?}");
        for name in ["device: kem seed", "sealed: file key"] {
            assert_eq!(here.contains(name), memory == Memory::Ordinary, "{memory:?}: {name}");
        }
    }
}

#[test]
fn leaks_from_c_are_found() {
    let office = Office::new(KemKind::Hybrid, true);
    let mut child = Working::start(child(&office, "leak"), Memory::Ordinary);
    child.wait_for("open");
    child.go_on();
    child.wait_for("closed");
    let found = names(&office.secrets.find(child.id()));
    for name in ["device: signing seed", "passphrase", "plaintext", "sealed: file key"] {
        assert!(found.contains(name), "{name} is not found: {found:?}");
    }
}
