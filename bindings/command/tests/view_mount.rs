//! `bulla mount`: what a view shows, what it refuses, and how it ends.

#![cfg(target_os = "linux")]

mod office;
mod view;

use rustix::process::Signal;
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
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
