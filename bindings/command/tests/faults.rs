//! Storage that fails: for every operation of every command that writes, this one fails, is cut
//! short, is torn or is the last one. Afterwards the old file or the new one is there, complete,
//! with nothing beside; what failed says so; and a second run succeeds.
//!
//! `BULLA_TEST_ALL=1 cargo test --test faults` tries every operation with every error; otherwise
//! those that can differ.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod office;
mod storage;

use office::{Done, Office, finish};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use storage::scenes::{Scene, State, scenes};
use storage::{Operation, Traced, all, traced};

/// The error code that a failed command names.
fn code(done: &Done) -> &str {
    let open = done.stderr.rfind('[').map_or(0, |at| at + 1);
    done.stderr[open..].split(']').next().unwrap_or_default()
}

/// What a run is told to do to one operation.
struct Plan<'a> {
    scene: &'a Scene,
    operation: &'a Operation,
    options: Vec<String>,
}

impl Plan<'_> {
    /// The fault, without the operation's number.
    fn fault(&self) -> String {
        let error = self.options[1].split(':').nth(1);
        [Some(&self.options[0][2..]), error].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Whether what this sync is for is not kept if it fails. A trail's last one is for records
    /// that need not last at once.
    fn must_be_told(&self) -> bool {
        let syncs = ["fsync", "fdatasync"].contains(&&*self.operation.name);
        syncs && self.options[0] == "--fail" && !self.operation.path.ends_with("trail.jsonl")
    }
}

/// Every run for one scene.
fn plans<'a>(scene: &'a Scene, operations: &'a [Operation]) -> Vec<Plan<'a>> {
    let mut plans = Vec::new();
    let mut seen = BTreeSet::new();
    for operation in operations {
        let k = operation.number;
        // A second read of the same file fails as the first one does.
        let again = !seen.insert((&operation.name, &operation.path)) && !operation.changes();
        if again && !all() {
            continue;
        }
        // No file system fails to close a folder; the standard library panics if one does.
        if operation.name == "close" && operation.path.is_dir() {
            continue;
        }
        let mut add = |kind: &str, error: &str| {
            let value = if error.is_empty() { k.to_string() } else { format!("{k}:{error}") };
            plans.push(Plan { scene, operation, options: vec![format!("--{kind}"), value] });
        };
        add("fail", "EIO");
        if operation.takes_space() {
            add("from", "ENOSPC");
        }
        if operation.reads() || operation.writes() {
            add("short", "");
        }
        if operation.writes() {
            add("torn", "ENOSPC");
        }
        if operation.changes() || all() {
            add("kill", "");
        }
        if all() {
            if operation.takes_space() || operation.name == "close" {
                add("fail", "EDQUOT");
                add("fail", "ENOSPC");
            }
            add("fail", "EACCES");
        }
    }
    plans
}

/// Runs one plan, and says what is wrong with what it left.
fn check(plan: &Plan<'_>, named: &[&str], allowed: &BTreeSet<String>) -> Result<String, String> {
    let scene = plan.scene;
    let office = scene.set();
    let options: Vec<&str> =
        plan.options.iter().map(String::as_str).chain(named.iter().copied()).collect();
    let Traced { done, .. } = traced(&scene.command(&office), &options, false);
    let killed = plan.options[0] == "--kill";
    let said = done.stderr.trim();
    let outcome = match done.status {
        0 => "done".to_owned(),
        137 if killed => "killed".to_owned(),
        1..=5 if said.starts_with("bulla: ") && !said.contains("panicked") => code(&done).into(),
        other => return Err(format!("it ended with {other}: {said}")),
    };
    if plan.options[0] == "--torn" && outcome != "full" {
        return Err(format!("a full disk is called {outcome}: {said}"));
    }
    // A short count is no failure.
    if plan.options[0] == "--short" && done.status != 0 {
        return Err(format!("it gave up: {said}"));
    }
    if plan.must_be_told() && done.status == 0 {
        return Err("a sync that failed was not told".into());
    }
    let state = scene.state(&office).map_err(|e| format!("{e} (it had said: {said})"))?;
    if scene.lost_a_record(&office) {
        return Err("a record is lost".into());
    }
    if state == State::Old && !done.stdout.is_empty() && scene.exports {
        return Err("content was given out without a record".into());
    }
    if done.status == 0 && state != State::New {
        return Err(format!("it said that it was done, but left {state:?}"));
    }
    // Only the removal itself of what is unfinished can leave it behind.
    let left = scene.names(&office).into_iter().find(|name| {
        let passing = name.contains(".bulla-new-");
        !allowed.contains(name)
            && !(passing && (killed || plan.operation.name.starts_with("unlink")))
    });
    if let Some(name) = left {
        return Err(format!("it left {name} behind"));
    }
    again(scene, &office, state)?;
    Ok(format!("{outcome}, {state:?}"))
}

/// A second run, without faults, ends with all that is new.
fn again(scene: &Scene, office: &Office, before: State) -> Result<(), String> {
    let done = finish(scene.command(office), b"");
    let repeated = before == State::New && scene.done_before.contains(&code(&done));
    if done.status != 0 && !repeated {
        return Err(format!("from {before:?} a second run failed: {}", done.stderr.trim()));
    }
    match scene.state(office)? {
        State::New => Ok(()),
        other => Err(format!("after a second run it is {other:?}")),
    }
}

/// All plans of these scenes, by two threads; with these further options of the tracer.
fn run(scenes: &[Scene], named: &[&str]) {
    let (mut failures, mut runs) = (Vec::new(), 0);
    for scene in scenes {
        let office = scene.set();
        let mut allowed = scene.names(&office);
        let reference = traced(&scene.command(&office), named, false);
        assert_eq!(reference.done.status, 0, "{}: {}", scene.name, reference.done.stderr);
        assert_eq!(scene.state(&office), Ok(State::New), "{}", scene.name);
        allowed.extend(scene.names(&office));
        // A trail that cannot be read counts as broken, and is put aside.
        allowed.extend(scene.put_aside(&office));
        let queue = Mutex::new(plans(scene, &reference.operations).into_iter());
        let outcomes = Mutex::new(BTreeMap::<String, BTreeSet<String>>::new());
        let failed = Mutex::new(Vec::new());
        let count = queue.lock().unwrap().len();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let Some(plan) = queue.lock().unwrap().next() else { return };
                        let (o, fault) = (plan.operation, plan.fault());
                        match check(&plan, named, &allowed) {
                            Ok(outcome) => {
                                let mut outcomes = outcomes.lock().unwrap();
                                let key = format!("{fault}: {outcome}");
                                let file = o.path.file_name().unwrap_or_default();
                                let what = format!("{} {}", o.name, file.display());
                                outcomes.entry(key).or_default().insert(what);
                            }
                            Err(why) => failed.lock().unwrap().push(format!(
                                "{}, operation {} ({} {}), {fault}: {why}",
                                scene.name,
                                o.number,
                                o.name,
                                o.path.display()
                            )),
                        }
                    }
                });
            }
        });
        runs += count;
        println!("{}: {} operations, {count} runs", scene.name, reference.operations.len());
        for (outcome, names) in outcomes.into_inner().unwrap() {
            println!("    {outcome}: {}", names.into_iter().collect::<Vec<_>>().join(", "));
        }
        failures.extend(failed.into_inner().unwrap());
    }
    println!("{runs} runs, {} wrong", failures.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_operation_fails_once() {
    run(&scenes(), &[]);
}

/// Whatever a signal can interrupt is interrupted, or no call does more than a little at a time:
/// nothing fails.
#[test]
fn interrupted_and_short_everywhere() {
    for scene in scenes() {
        for options in [&["--interrupt"][..], &["--chop", "7"], &["--chop", "1000", "--interrupt"]]
        {
            let office = scene.set();
            let Traced { done, operations } = traced(&scene.command(&office), options, false);
            assert_eq!(done.status, 0, "{}, {options:?}: {}", scene.name, done.stderr);
            assert_eq!(scene.state(&office), Ok(State::New), "{}, {options:?}", scene.name);
            let interrupted = operations.iter().filter(|o| o.number < 0).count();
            assert_eq!(interrupted > 5, options.contains(&"--interrupt"), "{}", scene.name);
            let longest = operations.iter().filter(|o| o.reads() || o.writes()).map(|o| o.result);
            assert!(!options.contains(&"7") || longest.max() == Some(7), "{}", scene.name);
        }
    }
}

/// Each operation waits while another process copies the folder: it always finds what is old or what
/// is new, and the command goes on as if nothing had been.
#[test]
fn every_operation_waits() {
    for scene in scenes() {
        let reference = traced(&scene.command(&scene.set()), &[], false);
        let mut seen = BTreeSet::new();
        for operation in reference.operations.iter().filter(|o| all() || o.changes()) {
            let (office, copy) = (scene.set(), Office::empty());
            let what = format!("{}, {} {}", scene.name, operation.number, operation.name);
            let pause = format!("{}:60000:cp -a . {}", operation.number, copy.path("").display());
            let done = traced(&scene.command(&office), &["--pause", &pause], false).done;
            assert_eq!(done.status, 0, "{what}: {}", done.stderr);
            assert_eq!(scene.state(&office), Ok(State::New), "{what}");
            seen.insert(format!("{:?}", scene.state(&copy).expect(&what)));
        }
        println!("{}: {seen:?}", scene.name);
        assert!(seen.contains("Old"), "{}: {seen:?}", scene.name);
    }
}

/// Where files have names from the start, as on many network file systems.
#[test]
fn every_operation_fails_once_on_files_with_names() {
    let scenes: Vec<Scene> = scenes().into_iter().filter(|s| s.replaces).collect();
    run(&scenes, &["--named"]);
}
