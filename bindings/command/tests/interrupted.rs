//! `SIGKILL` at any moment of `seal --in-place` over a tree: every file is afterwards either the
//! untouched original or a complete envelope, and a second run finishes the job.

#![cfg(unix)]

mod office;

use bulla::Session;
use office::{Office, Random, bytes, seal_args};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const ROUNDS: usize = 60;
const FILES: usize = 200;

/// Paths within the tree, and contents: small ones, empty ones, a few of a megabyte.
fn originals() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut random = Random(11);
    (0..FILES)
        .map(|i| {
            let len = match i % 20 {
                0 => 0,
                1 => 200_000 + random.below(1_000_000),
                2..6 => random.below(100_000),
                _ => random.below(20_000),
            };
            let folder = ["", "claims", "claims/2026", "calls"][i % 4];
            (Path::new(folder).join(format!("{i}.dat")), bytes(len, i as u64))
        })
        .collect()
}

fn lay_out(tree: &Path, originals: &BTreeMap<PathBuf, Vec<u8>>) {
    let _ = fs::remove_dir_all(tree);
    for (name, content) in originals {
        let path = tree.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Every file below `folder`, by its path within it.
fn files(folder: &Path, within: &Path, found: &mut Vec<PathBuf>) {
    for name in office::names(&folder.join(within)) {
        let path = within.join(name);
        if folder.join(&path).is_dir() { files(folder, &path, found) } else { found.push(path) }
    }
}

/// How many files are sealed; fails on anything that is neither original nor complete envelope.
fn check(tree: &Path, originals: &BTreeMap<PathBuf, Vec<u8>>, session: &Session) -> usize {
    let mut found = Vec::new();
    files(tree, Path::new(""), &mut found);
    let mut sealed = 0;
    for name in &found {
        let path = tree.join(name);
        let content = fs::read(&path).unwrap();
        if !bulla::is_sealed(&content) {
            let original = originals.get(name);
            assert!(original == Some(&content), "{name:?} is neither original nor envelope");
            continue;
        }
        let mut reader = session.open(&path).unwrap_or_else(|e| panic!("{name:?}: {e}"));
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap_or_else(|e| panic!("{name:?}: {e}"));
        match originals.get(name) {
            Some(original) => {
                assert!(text == *original, "{name:?} opens to something else");
                sealed += 1;
            }
            // The instant between the passing name and the rename: complete by then.
            None => {
                let passing = name.file_name().unwrap().to_str().unwrap();
                assert!(passing.starts_with(".bulla-new-"), "{name:?} was left behind");
                assert!(originals.values().any(|o| *o == text), "{name:?} is no one's content");
                println!("the passing name {name:?} was seen");
                fs::remove_file(&path).unwrap();
            }
        }
    }
    for name in originals.keys() {
        assert!(found.contains(name), "{name:?} is gone");
    }
    sealed
}

#[test]
fn killed_at_any_moment() {
    let office = Office::new("x25519");
    let (originals, session) = (originals(), office.session("desk"));
    let tree = office.path("tree");
    let args = seal_args(&["--in-place", "-r", "tree"]);
    // How long a whole run takes here; measured again whenever one runs to its end.
    lay_out(&tree, &originals);
    let started = Instant::now();
    office.ok("issuer", &args);
    let mut whole = started.elapsed();
    assert_eq!(check(&tree, &originals, &session), FILES);

    let mut random = Random(5);
    let (mut amid, mut spread) = (0, [0; 4]);
    // More rounds where the machine is too busy for the kills to come when they are meant to.
    for round in 0..4 * ROUNDS {
        if round >= ROUNDS && amid >= ROUNDS / 4 {
            break;
        }
        lay_out(&tree, &originals);
        let mut command = office.command("issuer", &args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        // Evenly over the whole duration, and a little beyond it.
        let share = ((round % ROUNDS) as f64 + random.below(1000) as f64 / 1000.0) / ROUNDS as f64;
        let wait = whole.mul_f64(share * 1.05);
        while started.elapsed() < wait && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        if child.try_wait().unwrap().is_some() {
            // Faster than the last one.
            whole = whole.min(started.elapsed());
        }
        // SIGKILL.
        let _ = child.kill();
        child.wait().unwrap();
        let sealed = check(&tree, &originals, &session);
        if (1..FILES).contains(&sealed) {
            amid += 1;
            spread[sealed * 4 / FILES] += 1;
        }
        // The rest is done by running it again; every tenth time by a folder at a time.
        if round % 10 == 0 {
            office.ok("issuer", &seal_args(&["--in-place", "-r", "tree/claims"]));
        }
        let started = Instant::now();
        let done = office.ok("issuer", &[&args[..], &["--json"]].concat()).json();
        if sealed == 0 {
            whole = started.elapsed();
        }
        let count = |what: &str| done[what].as_array().unwrap().len();
        assert_eq!(count("sealed") + count("skipped"), FILES);
        assert!(count("skipped") >= sealed);
        assert_eq!(check(&tree, &originals, &session), FILES);
    }
    println!("{amid} kills amid the work, by quarters of it {spread:?}");
    // A test that always kills too early or too late would show nothing.
    assert!(amid >= ROUNDS / 4, "only {amid} kills hit");
}

/// The same for envelopes beside their files: no envelope is ever seen that is not complete.
#[test]
fn killed_while_sealing_beside() {
    let office = Office::new("x25519");
    let originals: BTreeMap<_, _> = originals().into_iter().take(40).collect();
    let session = office.session("desk");
    let tree = office.path("tree");
    let args = seal_args(&["-r", "tree"]);
    lay_out(&tree, &originals);
    let started = Instant::now();
    office.ok("issuer", &args);
    let whole = started.elapsed();
    for round in 0..10 {
        lay_out(&tree, &originals);
        let mut command = office.command("issuer", &args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(round) / 10.0));
        let _ = child.kill();
        child.wait().unwrap();
        let mut found = Vec::new();
        files(&tree, Path::new(""), &mut found);
        for name in found {
            let path = tree.join(&name);
            let plain = name.to_str().unwrap().trim_end_matches(".bulla");
            let original = originals.get(Path::new(plain)).expect("no other files");
            if name.extension().is_some_and(|e| e == "bulla") {
                let mut text = Vec::new();
                session.open(&path).unwrap().read_to_end(&mut text).unwrap();
                assert!(text == *original, "{name:?}");
            } else {
                assert!(fs::read(&path).unwrap() == *original, "{name:?}");
            }
        }
        office.ok("issuer", &args);
        for (name, content) in &originals {
            let sealed = format!("{}.bulla", tree.join(name).display());
            let mut text = Vec::new();
            session.open(Path::new(&sealed)).unwrap().read_to_end(&mut text).unwrap();
            assert!(text == *content, "{name:?}");
        }
    }
}
