//! Power that fails: what a command wrote, named and synced is recorded; then the disk is made as
//! it may be after a loss of power at any moment. What was not synced may be there, be lost or be
//! there in part, in any order. Always the old file or the new one is there, complete, and opens;
//! no record is lost that was synced; what was reported done is done; and a second run succeeds.
//!
//! `BULLA_TEST_ALL=1 cargo test --test power_cut` tries many more orders.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod office;
mod storage;

use office::{Office, Random, finish, seal_args};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use storage::scenes::{Scene, State, scenes};
use storage::{Operation, all, traced};

/// The system writes a file's pages in any order.
const PAGE: usize = 4096;
/// A disk writes sectors whole.
const SECTOR: usize = 512;

/// What happened to the disk, in order. Names are paths within the folder.
#[derive(Clone, Debug)]
enum Event {
    Write { file: u64, at: usize, data: Vec<u8> },
    Cut { file: u64, len: usize },
    Name { name: PathBuf, file: u64 },
    Rename { from: PathBuf, to: PathBuf, file: u64 },
    Remove { name: PathBuf },
    Folder { name: PathBuf },
    Sync { file: u64 },
    SyncFolder { name: PathBuf },
    SyncAll,
}

impl Event {
    /// The folder whose entries it changes.
    fn parent(&self) -> Option<&Path> {
        match self {
            Event::Name { name, .. } | Event::Remove { name } | Event::Folder { name } => {
                name.parent()
            }
            Event::Rename { to, .. } => to.parent(),
            _ => None,
        }
    }

    fn file(&self) -> Option<u64> {
        match self {
            Event::Write { file, .. } | Event::Cut { file, .. } => Some(*file),
            _ => None,
        }
    }

    /// Whether this sync makes `earlier` last.
    fn settles(&self, earlier: &Event) -> bool {
        match self {
            Event::SyncAll => true,
            Event::Sync { file } => earlier.file() == Some(*file),
            Event::SyncFolder { name } => earlier.parent() == Some(name),
            _ => false,
        }
    }
}

/// A folder: what its files hold, by inode, and their names.
#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<u64, Vec<u8>>,
    names: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
}

impl Disk {
    fn of(folder: &Path) -> Self {
        let mut disk = Disk::default();
        disk.read(folder, Path::new(""));
        disk
    }

    fn read(&mut self, folder: &Path, within: &Path) {
        self.folders.insert(within.to_owned());
        for name in office::names(&folder.join(within)) {
            let (name, path) = (within.join(&name), folder.join(within).join(&name));
            let meta = fs::metadata(&path).unwrap();
            if meta.is_dir() {
                self.read(folder, &name);
            } else {
                self.files.insert(meta.ino(), fs::read(&path).unwrap());
                self.names.insert(name, meta.ino());
            }
        }
    }

    fn rename(&mut self, event: &Event) {
        match event {
            Event::Name { name, file } => drop(self.names.insert(name.clone(), *file)),
            Event::Rename { from, to, file } => {
                self.names.remove(from);
                self.names.insert(to.clone(), *file);
            }
            Event::Remove { name } => drop(self.names.remove(name)),
            Event::Folder { name } => drop(self.folders.insert(name.clone())),
            _ => {}
        }
    }

    /// Makes a folder of it. What lies in a folder that was lost is lost.
    fn lay_out(&self, to: &Path) {
        for folder in &self.folders {
            let _ = fs::create_dir(to.join(folder));
        }
        for (name, file) in &self.names {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            if let Ok(mut new) = options.open(to.join(name)) {
                let empty = Vec::new();
                std::io::Write::write_all(&mut new, self.files.get(file).unwrap_or(&empty))
                    .unwrap();
            }
        }
    }
}

/// The events of what was traced, where it changed something.
fn events(operations: &[Operation], folder: &Path) -> Vec<Event> {
    let within = |path: &Path| path.strip_prefix(folder).map(Path::to_owned).expect("below");
    let done = operations.iter().filter(|o| o.result >= 0);
    let mut found = Vec::new();
    for o in done {
        let file = o.inode;
        found.push(match &*o.name {
            _ if o.writes() => Event::Write { file, at: o.offset as usize, data: o.data.clone() },
            "ftruncate" => Event::Cut { file, len: o.flags as usize },
            // What has no name is there for its content alone.
            "open" | "openat" if o.opens_new() && o.path.is_dir() => continue,
            "open" | "openat" if o.opens_new() && !o.existed => {
                Event::Name { name: within(&o.path), file }
            }
            "link" | "linkat" => Event::Name { name: within(&o.other), file },
            "rename" | "renameat" | "renameat2" => {
                Event::Rename { from: within(&o.path), to: within(&o.other), file }
            }
            "unlink" | "unlinkat" => Event::Remove { name: within(&o.path) },
            "mkdir" | "mkdirat" => Event::Folder { name: within(&o.path) },
            "fsync" | "fdatasync" if o.path.is_dir() => Event::SyncFolder { name: within(&o.path) },
            "fsync" | "fdatasync" => Event::Sync { file },
            "syncfs" => Event::SyncAll,
            _ => continue,
        });
    }
    found
}

/// How much of what was not synced is there.
enum Order<'a> {
    Nothing,
    Everything,
    Chance(&'a mut Random),
}

impl Order<'_> {
    /// How many of `n` things that come one after the other are there.
    fn of(&mut self, n: usize) -> usize {
        match self {
            Order::Nothing => 0,
            Order::Everything => n,
            Order::Chance(random) => random.below(n + 1),
        }
    }
}

/// The disk after a loss of power when `events` had happened.
fn after(before: &Disk, events: &[Event], mut order: Order<'_>) -> Disk {
    let mut disk = before.clone();
    let settled = |i: usize| events[i + 1..].iter().any(|e| e.settles(&events[i]));
    // Names: of what was not synced, each change by itself.
    for (i, event) in events.iter().enumerate().filter(|(_, e)| e.parent().is_some()) {
        if settled(i) || order.of(1) == 1 {
            disk.rename(event);
        }
    }
    let files: BTreeSet<u64> = events.iter().filter_map(Event::file).collect();
    for file in files {
        let mut content = disk.files.remove(&file).unwrap_or_default();
        let own = || events.iter().enumerate().filter(|(_, e)| e.file() == Some(file));
        // A sync covers all that was before it, so what is not settled comes last.
        let mut loose = Vec::new();
        for (i, event) in own() {
            if settled(i) {
                write(&mut content, event);
            } else {
                loose.push(event);
            }
        }
        write_loose(&mut content, &loose, &mut order);
        disk.files.insert(file, content);
    }
    disk
}

fn write(content: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write { at, data, .. } => {
            content.resize(content.len().max(at + data.len()), 0);
            content[*at..at + data.len()].copy_from_slice(data);
        }
        Event::Cut { len, .. } => content.resize(*len, 0),
        _ => {}
    }
}

/// What was not synced: of each page as it was at some moment, the last write perhaps torn.
fn write_loose(content: &mut Vec<u8>, loose: &[&Event], order: &mut Order<'_>) {
    // Cuts, and writes between them, are in order.
    let cuts: Vec<usize> =
        (0..loose.len()).filter(|i| matches!(loose[*i], Event::Cut { .. })).collect();
    let kept = order.of(cuts.len());
    let end = cuts.get(kept).copied().unwrap_or(loose.len());
    let begin = kept.checked_sub(1).map_or(0, |last| cuts[last] + 1);
    for event in &loose[..begin] {
        write(content, event);
    }
    let mut pages: BTreeMap<usize, Vec<(usize, &[u8])>> = BTreeMap::new();
    for event in &loose[begin..end] {
        let Event::Write { at, data, .. } = event else { continue };
        let (mut at, mut rest) = (*at, &data[..]);
        while !rest.is_empty() {
            let size = rest.len().min(PAGE - at % PAGE);
            pages.entry(at / PAGE).or_default().push((at, &rest[..size]));
            (at, rest) = (at + size, &rest[size..]);
        }
    }
    for pieces in pages.into_values() {
        let kept = order.of(pieces.len());
        for (i, (at, piece)) in pieces[..kept].iter().enumerate() {
            let mut piece = *piece;
            if i + 1 == kept
                && let Order::Chance(random) = order
                && random.below(3) == 0
            {
                let sectors = random.below(piece.len() / SECTOR + 1);
                let first = (SECTOR - at % SECTOR).min(piece.len());
                piece = &piece[..(first + sectors * SECTOR).min(piece.len())];
            }
            content.resize(content.len().max(at + piece.len()), 0);
            content[*at..at + piece.len()].copy_from_slice(piece);
        }
    }
}

/// Checks one disk, and gives what it holds. `done`: the command had ended.
fn check(scene: &Scene, disk: &Disk, synced: &[u8], done: bool) -> Result<State, String> {
    let office = Office::empty();
    disk.lay_out(&office.path(""));
    let state = scene.state(&office)?;
    if done && state != State::New {
        return Err(format!("it was reported done, but is {state:?}"));
    }
    let again = finish(scene.command(&office), b"");
    let repeated = state == State::New
        && scene.done_before.iter().any(|code| again.stderr.contains(&format!("[{code}]")));
    if again.status != 0 && !repeated {
        let said = again.stderr.trim();
        return Err(format!("from {state:?} a second run failed: {said}"));
    }
    if scene.state(&office)? != State::New {
        return Err("a second run did not finish it".into());
    }
    if !synced.is_empty() && !scene.trails(&office).iter().any(|trail| trail.starts_with(synced)) {
        return Err("a record is lost that was synced".into());
    }
    Ok(state)
}

/// The lines of the trail that were synced when `events` had happened.
fn synced(scene: &Scene, before: &Disk, events: &[Event]) -> Vec<u8> {
    let Some(file) = before.names.get(&scene.trail_name()) else { return Vec::new() };
    let last = after(before, events, Order::Nothing);
    let mut trail = last.files.get(file).cloned().unwrap_or_default();
    // What is being repaired begins with a NUL.
    let hole = trail.iter().position(|b| *b == 0).unwrap_or(trail.len());
    trail.truncate(hole);
    let whole = trail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    trail.truncate(whole);
    trail
}

#[test]
fn power_fails_at_any_moment() {
    run(&scenes(), &[]);
}

/// Where files have names from the start, as on many network file systems.
#[test]
fn power_fails_at_any_moment_on_files_with_names() {
    let scenes: Vec<Scene> = scenes().into_iter().filter(|s| s.replaces).collect();
    run(&scenes, &["--named"]);
}

/// Each moment of these scenes, in several orders; with these options of the tracer.
fn run(scenes: &[Scene], named: &[&str]) {
    let orders = if all() { 60 } else { 4 };
    let (mut failures, mut runs) = (Vec::new(), 0);
    for scene in scenes {
        let office = scene.set();
        let before = Disk::of(&office.path(""));
        let reference = traced(&scene.command(&office), named, true);
        assert_eq!(reference.done.status, 0, "{}: {}", scene.name, reference.done.stderr);
        let events = events(&reference.operations, &office.path(""));
        // Each moment, with each order; two threads share them.
        let moments = (0..=events.len()).flat_map(|at| (0..orders).map(move |n| (at, n)));
        let queue = Mutex::new(moments.collect::<Vec<_>>().into_iter());
        let count = queue.lock().unwrap().len();
        let found = Mutex::new(BTreeMap::<String, usize>::new());
        let wrong = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let Some((at, n)) = queue.lock().unwrap().next() else { return };
                        let mut random = Random((at * 1000 + n) as u64);
                        let order = match n {
                            0 => Order::Nothing,
                            1 => Order::Everything,
                            _ => Order::Chance(&mut random),
                        };
                        let disk = after(&before, &events[..at], order);
                        let synced = synced(scene, &before, &events[..at]);
                        match check(scene, &disk, &synced, at == events.len()) {
                            Ok(state) => {
                                *found.lock().unwrap().entry(format!("{state:?}")).or_default() += 1
                            }
                            Err(why) => wrong.lock().unwrap().push(format!(
                                "{}, after {at} of {} events, order {n}: {why}; the last one was {}",
                                scene.name,
                                events.len(),
                                at.checked_sub(1).map_or("none".into(), |i| shown(&events[i]))
                            )),
                        }
                    }
                });
            }
        });
        runs += count;
        let found = found.into_inner().unwrap();
        println!("{}: {} events, {count} disks: {found:?}", scene.name, events.len());
        failures.extend(wrong.into_inner().unwrap());
    }
    println!("{runs} disks, {} wrong", failures.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A record that need not last at once is synced when the session ends.
#[test]
fn a_trail_is_synced_at_the_end() {
    for (sync, synced) in [("always", true), ("batched", true), ("never", false)] {
        let office = Office::new("x25519");
        office.write("file", "content");
        office.write("issuer/config.toml", format!("[trail]\nsync = \"{sync}\"\n"));
        let sealing = traced(&office.command("issuer", &seal_args(&["file"])), &[], false);
        assert_eq!(sealing.done.status, 0, "{}", sealing.done.stderr);
        let of_trail = |o: &&Operation| o.path.ends_with("issuer/trail.jsonl");
        let last = sealing.operations.iter().filter(of_trail).rev();
        let after: Vec<&Operation> = last.take_while(|o| !o.writes()).collect();
        assert_eq!(after.iter().any(|o| o.name == "fdatasync"), synced, "{sync}: {after:?}");
    }
}

/// An event without its data.
fn shown(event: &Event) -> String {
    match event {
        Event::Write { file, at, data } => format!("write {file}, {} bytes at {at}", data.len()),
        other => format!("{other:?}"),
    }
}
