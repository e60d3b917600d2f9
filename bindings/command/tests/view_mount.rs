//! `bulla mount`: what a view shows, what it refuses, and how it ends.

#![cfg(target_os = "linux")]

mod office;
mod view;

#[path = "view/mounts.rs"]
mod mounts;

use office::Office;
use office::rights::{follow_clock, grant, policy_of};
use office::tampered::{
    PREFIX, SLOT, damaged, extended, flipped, lengths_at_chunks, payload_at, rearranged, spliced,
};
use rustix::process::Signal;
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use view::{Desk, MARKER, is_mounted, rights, under, until, work};

fn names(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().as_bytes().to_vec()).collect();
    names.sort();
    names
}

#[test]
fn sealed_files_show_their_content() {
    let desk = Desk::new(&work());
    let view = rights("claims", &["view"]);
    for size in [0, 1, 16_383, 16_384, 16_385, 1 << 20, 3_000_001] {
        let content: Vec<u8> = (0..size).map(|i: u32| (i * 7 % 251) as u8).collect();
        desk.seal(&size.to_string(), &content, &view);
    }
    fs::create_dir(desk.path("D/sub")).unwrap();
    desk.seal("sub/inner", MARKER, &view);
    fs::write(desk.path("D/plain.txt"), "as it is").unwrap();
    // A sealed file without the ending, a plain one with it, and two that want the same name.
    fs::copy(desk.path("D/1.bulla"), desk.path("D/in-place")).unwrap();
    fs::write(desk.path("D/fake.bulla"), "not sealed").unwrap();
    desk.seal("both", MARKER, &view);
    fs::write(desk.path("D/both"), "another").unwrap();

    let mounted = desk.mount(&[]);
    let shown = names(&mounted.at);
    let expected = [
        "0",
        "1",
        "1048576",
        "16383",
        "16384",
        "16385",
        "3000001",
        "both",
        "both.bulla",
        "fake.bulla",
        "in-place",
        "plain.txt",
        "sub",
    ];
    assert_eq!(shown, expected.map(|n| n.as_bytes().to_vec()));
    for size in [0u32, 1, 16_383, 16_384, 16_385, 1 << 20, 3_000_001] {
        let path = mounted.at.join(size.to_string());
        assert_eq!(fs::metadata(&path).unwrap().len(), u64::from(size));
        let content: Vec<u8> = (0..size).map(|i| (i * 7 % 251) as u8).collect();
        assert!(fs::read(&path).unwrap() == content, "{size}");
        let mut part = [0; 100];
        let n = File::open(&path).unwrap().read_at(&mut part, u64::from(size / 2)).unwrap();
        assert!(part[..n] == content[size as usize / 2..][..n]);
    }
    for (name, content) in [
        ("plain.txt", "as it is"),
        ("fake.bulla", "not sealed"),
        ("both", "another"),
        ("both.bulla", MARKER),
        ("sub/inner", MARKER),
    ] {
        assert_eq!(fs::read_to_string(mounted.at.join(name)).unwrap(), content, "{name}");
    }
    for hidden in ["1.bulla", ".bulla", ".bulla/template"] {
        let e = fs::metadata(mounted.at.join(hidden)).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::NotFound, "{hidden}");
    }
    for name in ["plain.txt", "1", "new"] {
        assert!(fs::write(mounted.at.join(name), "x").is_err(), "{name}");
    }
    assert!(fs::remove_file(mounted.at.join("1")).is_err());
}

#[test]
fn strange_names_and_links() {
    let desk = Desk::new(&work());
    let view = rights("claims", &["view"]);
    let envelope = desk.seal("a", MARKER, &view);
    let long = [b'x'; 255];
    let strange: [&[u8]; 5] = [b"\xff\xfe", b"new\nline", b" ", &long, &long[..249]];
    for name in strange {
        let stored = if name.len() > 249 { name.to_vec() } else { [name, b".bulla"].concat() };
        fs::copy(&envelope, desk.path("D").join(OsStr::from_bytes(&stored))).unwrap();
    }
    symlink("a", desk.path("D/good")).unwrap();
    symlink("loop", desk.path("D/loop")).unwrap();
    symlink("/etc/hostname", desk.path("D/out")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        desk.path("D/pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    let mounted = desk.mount(&[]);
    for name in strange {
        let path = mounted.at.join(OsStr::from_bytes(name));
        assert_eq!(fs::read_to_string(path).unwrap(), MARKER, "{name:?}");
    }
    assert!(names(&mounted.at).iter().all(|n| n != b"pipe"));
    assert_eq!(fs::read_to_string(mounted.at.join("good")).unwrap(), MARKER);
    assert_eq!(fs::read_link(mounted.at.join("out")).unwrap().to_str(), Some("/etc/hostname"));
    let e = fs::read(mounted.at.join("loop")).unwrap_err();
    assert_eq!(e.raw_os_error(), Some(rustix::io::Errno::LOOP.raw_os_error()));
}

#[test]
fn each_program_is_decided_about() {
    let desk = Desk::new(&work());
    let cat = fs::canonicalize("/usr/bin/cat").unwrap();
    let by_path = |mode: &str| {
        let software = json!({"mode": [mode], "path": [cat.to_str().unwrap()]});
        under(mode, &["view"], json!({"software": software}))
    };
    desk.seal("bare", MARKER, &by_path("bare"));
    desk.seal("confined", MARKER, &by_path("confined"));
    desk.seal("unnamed", MARKER, &under("unnamed", &["view"], json!({})));
    let mounted = desk.mount(&[]);
    let by = |program: &str, name: &str| {
        let out = std::process::Command::new(program).arg(mounted.at.join(name)).output();
        out.unwrap()
    };
    assert_eq!(by("cat", "bare").stdout, MARKER.as_bytes());
    for (program, name) in [("head", "bare"), ("cat", "confined"), ("cat", "unnamed")] {
        let out = by(program, name);
        assert!(!out.status.success() && out.stdout.is_empty(), "{program} {name}");
        assert!(String::from_utf8_lossy(&out.stderr).contains("Permission denied"));
        // It is listed as any other.
        assert_eq!(fs::metadata(mounted.at.join(name)).unwrap().len(), MARKER.len() as u64);
    }
    let records = desk.office.records("desk");
    let opened = records.iter().find(|r| r["event"] == "opened").unwrap();
    let program = (&opened["program"]["mode"], &opened["program"]["path"]);
    assert_eq!(program, (&json!("bare"), &json!(cat.to_str().unwrap())));
    assert_eq!(records.iter().filter(|r| r["event"] == "denied").count(), 2);
}

#[test]
fn what_changes_behind_an_open_file_is_an_error() {
    let desk = Desk::new(&work());
    let view = rights("claims", &["view"]);
    let content = MARKER.repeat(100_000);
    let open = |name: &str, mounted: &view::Mounted| File::open(mounted.at.join(name)).unwrap();
    let paths = ["changed", "cut", "replaced"].map(|name| desk.seal(name, &content, &view));
    let mounted = desk.mount(&[]);
    let mut files = ["changed", "cut", "replaced"].map(|name| open(name, &mounted));
    // In the middle, where nothing was read yet.
    let envelope = File::options().write(true).open(&paths[0]).unwrap();
    envelope.write_all_at(b"x", 4096 + 1_000_000).unwrap();
    File::options().write(true).open(&paths[1]).unwrap().set_len(300_000).unwrap();
    let other = desk.seal("other", "other content", &view);
    fs::rename(other, &paths[2]).unwrap();

    let mut text = Vec::new();
    for file in &mut files[..2] {
        let e = file.read_to_end(&mut text).unwrap_err();
        assert_eq!(e.raw_os_error(), Some(rustix::io::Errno::IO.raw_os_error()));
        assert!(content.as_bytes().starts_with(&text), "wrong bytes came out");
        text.clear();
    }
    // What was opened is what is read.
    files[2].read_to_end(&mut text).unwrap();
    assert!(text == content.as_bytes());
    assert_eq!(desk.office.events("desk").iter().filter(|e| *e == "failed").count(), 2);
    until("the other is seen", || {
        fs::read(mounted.at.join("replaced")).unwrap() == b"other content"
    });
}

/// All that is read of a file, and how it ended.
fn reading(path: &Path) -> (Vec<u8>, Option<std::io::Error>) {
    let mut text = Vec::new();
    let ended = File::open(path).and_then(|mut file| file.read_to_end(&mut text));
    (text, ended.err())
}

/// Files of a view, each a changed copy of the same envelope.
struct Changed<'a> {
    desk: &'a Desk,
    at: &'a Path,
    good: &'a [u8],
    content: &'a [u8],
    tried: usize,
}

impl Changed<'_> {
    /// Nothing comes out of it that was not sealed, and its end never.
    #[track_caller]
    fn refused(&mut self, changed: &[u8], what: &str) {
        assert!(changed != self.good, "{what}: nothing was changed");
        self.tried += 1;
        let name = format!("{}", self.tried);
        let stored = self.desk.path("D").join(format!("{name}.bulla"));
        fs::write(&stored, changed).unwrap();
        let (text, ended) = reading(&self.at.join(&name));
        let ended = ended.unwrap_or_else(|| panic!("accepted: {what}"));
        assert!(self.content.starts_with(&text), "{what}: wrong bytes came out");
        if bulla::is_sealed(changed) {
            let expected = [rustix::io::Errno::IO, rustix::io::Errno::ACCESS];
            let expected = expected.map(|e| Some(e.raw_os_error()));
            assert!(expected.contains(&ended.raw_os_error()), "{what}: {ended}");
        } else {
            // That is a file like any other, and shown as what it is.
            assert_eq!(ended.kind(), ErrorKind::NotFound, "{what}: {ended}");
            assert!(fs::read(self.at.join(format!("{name}.bulla"))).unwrap() == changed);
        }
        fs::remove_file(stored).unwrap();
    }

    /// The untouched one opens; otherwise all would be refused for a wrong reason.
    #[track_caller]
    fn control(&mut self) {
        fs::write(self.desk.path("D/good.bulla"), self.good).unwrap();
        assert!(fs::read(self.at.join("good")).unwrap() == self.content);
        fs::remove_file(self.desk.path("D/good.bulla")).unwrap();
    }

    /// Every byte is changed and every length tried; unless all is asked for, of an envelope of more
    /// than a chunk only every byte of the last chunk, of tags, salt and commitment, and some between.
    fn flipped_and_cut(&mut self) {
        let good = self.good;
        let (chunks_at, ends) = (payload_at(good) + PREFIX, good.len());
        let every = all() || ends < chunks_at + SLOT;
        for at in 0..ends {
            let in_slot = at.checked_sub(chunks_at).map(|n| n % SLOT);
            let last = at + 130 > ends;
            let before = at >= payload_at(good) && at < chunks_at;
            let edge = last || before || in_slot.is_some_and(|n| n >= 16_384);
            if every || edge || at % 61 == 0 {
                let (what, changed) = flipped(good, at);
                self.refused(&changed, &what);
            }
            if every || last || in_slot.is_some_and(|n| n < 3) {
                self.refused(&good[..at], &format!("cut to {at}"));
            }
        }
    }

    fn extended_rearranged_damaged(&mut self) {
        let damaged = (0..if all() { 1000 } else { 100 }).map(|seed| damaged(self.good, seed));
        for (what, changed) in
            extended(self.good).into_iter().chain(rearranged(self.good)).chain(damaged)
        {
            if changed != self.good {
                self.refused(&changed, &what);
            }
        }
    }

    fn spliced(&mut self, other: &[u8], from: &str) {
        for mixed in spliced(self.good, other) {
            self.refused(&mixed.envelope, &format!("{from}: {}", mixed.what));
        }
    }
}

/// Whether everything is to be tried, which takes minutes.
fn all() -> bool {
    std::env::var_os("BULLA_TEST_ALL").is_some()
}

/// A content sealed twice, and another of its length, singly or as one batch.
fn sealed(desk: &Desk, content: &[u8], in_batch: bool) -> [Vec<u8>; 3] {
    let (office, names) = (&desk.office, ["good", "twin", "other"]);
    office.write("p.json", rights("claims", &["view"]).to_string());
    office.write("good", content);
    office.write("twin", content);
    office.write("other", office::bytes(content.len(), 8));
    let seal = ["seal", "--force", "--policy", "p.json", "--to", "desk/identity.pub"];
    for files in names.chunks(if in_batch { names.len() } else { 1 }) {
        office.ok("issuer", &[&seal[..], files].concat());
    }
    names.map(|name| office.read(&format!("{name}.bulla")))
}

/// All changes of a small envelope and of one of three chunks, opened with a key of this kind.
fn changed_envelopes(kind: &str, in_batch: bool) {
    let office = Office::new(kind);
    office.trusting("desk");
    // Each denial is recorded, and would wait for the disk.
    office.write("desk/config.toml", "[trail]\nsync = \"never\"\n");
    let desk = Desk::of(office, &work());
    let mounted = desk.mount(&[]);
    let mut tried = 0;
    for len in [100, 2 * 16_384 + 100] {
        let content = office::bytes(len, 7);
        let [good, twin, other] = sealed(&desk, &content, in_batch);
        let (desk, at, good, content) = (&desk, &*mounted.at, &*good, &*content);
        let mut changed = Changed { desk, at, good, content, tried };
        changed.control();
        changed.flipped_and_cut();
        changed.extended_rearranged_damaged();
        changed.spliced(&twin, "a twin");
        changed.spliced(&other, "another file");
        changed.control();
        tried = changed.tried;
    }
    let batch = if in_batch { ", in a batch" } else { "" };
    println!("{tried} changed envelopes in a view, {kind}{batch}");
    assert!(tried > if all() { 80_000 } else { 9000 });
}

#[test]
fn changed_envelopes_show_nothing_else() {
    changed_envelopes("x25519", false);
}

#[test]
fn changed_hybrid_envelopes_show_nothing_else() {
    changed_envelopes("hybrid", false);
}

#[test]
fn changed_envelopes_of_a_batch_show_nothing_else() {
    changed_envelopes("x25519", true);
}

/// A view reads many chunks at a time: a cut where such a batch ends is no end either.
#[test]
fn long_envelopes_cut_at_chunks_show_nothing_else() {
    let desk = Desk::new(&work());
    desk.office.write("desk/config.toml", "[trail]\nsync = \"never\"\n");
    let mounted = desk.mount(&[]);
    let mut tried = 0;
    for len in [69 * 16_384, 96 * 16_384] {
        let content = office::bytes(len, 7);
        let [good, ..] = sealed(&desk, &content, false);
        let (desk, at, good, content) = (&desk, &*mounted.at, &*good, &*content);
        let mut changed = Changed { desk, at, good, content, tried };
        changed.control();
        for n in lengths_at_chunks(good) {
            changed.refused(&good[..n], &format!("cut to {n}"));
        }
        changed.control();
        tried = changed.tried;
    }
    assert!(tried > 6 * (69 + 96), "{tried}");
}

/// While a file is open the clock is set ahead and back: what ended stays ended, and what ends by
/// time passing does so whatever the clock says.
#[test]
fn a_clock_that_is_set_while_a_file_is_open() {
    let desk = Desk::of(Office::at_work_on("2027-03-03 12:00:00"), &work());
    let office = &desk.office;
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let hours = json!({"zone": "UTC", "days": days, "from": "08:30", "to": "18:30"});
    let software = json!({"mode": ["bare"]});
    desk.seal(
        "hours",
        MARKER,
        &under("h", &["view"], json!({"hours": hours, "software": software})),
    );
    let agent = grant(json!({"role": "agent"}), &["view"], json!({"software": software}));
    desk.seal("badge", MARKER, &policy_of(&[agent]));
    office.badge("kim", "agent"); // until 13:00, and a minute for clocks that differ

    let set = |time: &str| office.write("clock", format!("{time}\n"));
    set("2027-03-03 12:00:10");
    let mut command = office.command("desk", &["mount", "D", "M"]);
    follow_clock(&mut command, &desk.path("clock"));
    let mounted = desk.mount_by(command);
    // A copy each time: a file that was just opened is opened again under the same decision.
    let copies = std::cell::Cell::new(0);
    let open = |name: &str| {
        copies.set(copies.get() + 1);
        let copy = format!("{name}-{}", copies.get());
        fs::copy(desk.path(&format!("D/{name}.bulla")), desk.path(&format!("D/{copy}.bulla")))?;
        File::open(mounted.at.join(copy))
    };
    let reads = |file: &File| {
        let mut text = [0; MARKER.len()];
        let read = file.read_at(&mut text, 0)?;
        assert_eq!(&text[..read], MARKER.as_bytes());
        std::io::Result::Ok(())
    };
    let refused = |done: std::io::Result<()>| {
        assert_eq!(done.unwrap_err().kind(), ErrorKind::PermissionDenied);
    };
    let behind = || {
        let records = office.records("desk");
        records.iter().filter(|r| r["code"] == "clock-behind").count()
    };

    // Back by as much as clocks differ, and by more: then nothing is opened.
    let (by_hours, by_badge) = (open("hours").unwrap(), open("badge").unwrap());
    set("2027-03-03 11:59:40");
    reads(&by_hours).unwrap();
    reads(&open("hours").unwrap()).unwrap();
    for time in ["2027-03-03 11:58:00", "2027-03-02 12:00:00"] {
        set(time);
        let before = behind();
        refused(open("hours").map(drop));
        refused(open("badge").map(drop));
        assert_eq!(behind(), before + 2, "{time}");
    }

    // The badge has three seconds left by the clock, which then stands still an hour before.
    set("2027-03-03 13:00:57");
    let last = open("badge").unwrap();
    reads(&last).unwrap();
    set("2027-03-03 12:00:20");
    let start = std::time::Instant::now();
    until("the badge ends", || reads(&last).is_err());
    assert!(start.elapsed().as_secs_f32() > 1.0, "ended at once: {:?}", start.elapsed());
    refused(reads(&last));

    // Past its end and back into its time, and the same with working hours.
    set("2027-03-03 13:01:10");
    until("the badge has ended", || reads(&by_badge).is_err());
    set("2027-03-03 18:30:00");
    until("the hours have ended", || reads(&by_hours).is_err());
    set("2027-03-03 12:00:30");
    std::thread::sleep(std::time::Duration::from_secs(3));
    for file in [&by_hours, &by_badge, &last] {
        refused(reads(file));
    }
    let before = behind();
    for name in ["hours", "badge"] {
        refused(open(name).map(drop));
    }
    assert_eq!(behind(), before + 2);
}

#[test]
fn a_view_ends_cleanly() {
    let desk = Desk::new(&work());
    desk.seal("a", MARKER, &rights("claims", &["view"]));
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let mut mounted = desk.mount(&[]);
        let mut reader = std::process::Command::new("sleep");
        let file = File::open(mounted.at.join("a")).unwrap();
        let mut reader = reader.arg("60").stdin(file).spawn().unwrap();
        assert_eq!(fs::read_to_string(mounted.at.join("a")).unwrap(), MARKER);
        // A reader that is killed is no matter, but one that lives keeps a mount in use.
        reader.kill().unwrap();
        reader.wait().unwrap();
        mounted.signal(signal);
        mounted.child.wait().unwrap();
        until("it is unmounted", || !is_mounted(&mounted.at));
        assert_eq!(fs::read_dir(&mounted.at).unwrap().count(), 0);
    }
    for (folder, at) in [("D", "D/.bulla"), ("D/.bulla", "D")] {
        desk.office.refused("desk", &["mount", folder, at], 2, "bad-argument");
    }
}

#[test]
fn a_revocation_ends_reading_within_five_seconds() {
    let desk = Desk::new(&work());
    let content = MARKER.repeat(10_000);
    desk.seal("a", &content, &rights("claims", &["view"]));
    let id = desk.office.inspect("D/a.bulla")["file"].as_str().unwrap().to_owned();
    let mounted = desk.mount(&[]);
    let mut file = File::open(mounted.at.join("a")).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert!(text == content);
    // All of it is in the kernel's pages now.
    desk.office.ok("issuer", &["revoke", "--file", &id, "-o", "revoked"]);
    desk.office.ok("desk", &["revoke", "use", "revoked"]);
    let start = std::time::Instant::now();
    let mut part = [0; 100];
    until("it is no longer read", || file.read_at(&mut part, 5000).is_err());
    assert!(start.elapsed().as_secs_f32() < 5.0, "{:?}", start.elapsed());
    let e = file.read_at(&mut part, 0).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::PermissionDenied);
    assert!(desk.office.events("desk").contains(&"denied".to_owned()));
    // Nor is it opened again under the decision that was remembered.
    assert_eq!(fs::read(mounted.at.join("a")).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn what_is_written_through_a_mount_is_sealed() {
    let desk = Desk::new(&work());
    desk.seal("a", MARKER, &work_bare());
    desk.seal("b", MARKER, &rights("claims", &["view"]));
    let mounted = desk.mount(&["--write", "sealed"]);
    fs::OpenOptions::new()
        .append(true)
        .open(mounted.at.join("a"))
        .unwrap()
        .write_all(MARKER.as_bytes())
        .unwrap();
    assert_eq!(fs::read_to_string(mounted.at.join("a")).unwrap(), MARKER.repeat(2));
    assert!(fs::write(mounted.at.join("b"), "x").is_err(), "without the right to edit");
    assert_eq!(fs::read_to_string(mounted.at.join("b")).unwrap(), MARKER);
    fs::write(mounted.at.join("new"), MARKER).unwrap();
    assert_eq!(fs::read_to_string(mounted.at.join("new")).unwrap(), MARKER);
    desk.nothing_plain(MARKER);
    assert_eq!(desk.office.inspect("D/a.bulla")["revision"], 2);
    assert_eq!(desk.office.inspect("D/new.bulla")["delegation"]["template_name"], "notes");
}

fn work_bare() -> serde_json::Value {
    rights("work", &["view", "edit"])
}
