//! What a mount keeps from others than those who may read: its secrets, pages whose time has ended;
//! and programs that lie in it.

use crate::office::Office;
use crate::office::rights::follow_clock;
use crate::view::{Desk, MARKER, rights, under, until, work};
use serde_json::json;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// All processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).unwrap().flatten();
    let children = threads.filter_map(|t| fs::read_to_string(t.path().join("children")).ok());
    children
        .flat_map(|c| c.split_whitespace().map(|c| c.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn no_process_beside_it_has_the_passphrase() {
    let desk = Desk::new(&work());
    let mut command = desk.office.command("desk", &["mount", "D", "M"]);
    command.env("BULLA_PASSPHRASE", "tiger-lily-marker").env("ANOTHER", "is there");
    let mounted = desk.mount_by(command);
    let beside = children(mounted.child.id());
    assert!(!beside.is_empty());
    for process in beside {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        assert!(environment.contains("ANOTHER=is there"), "{environment}");
        assert!(!environment.contains("tiger-lily-marker"), "{environment}");
    }
}

/// The kernel answers a read from the pages that it keeps of a file, whoever had them filled.
#[test]
fn what_another_program_reads_is_not_read_on() {
    let desk = Desk::of(Office::at_work_on("2027-03-03 23:29:50"), &work());
    let hours = json!({"zone": "UTC", "days": ["wed", "thu"], "from": "00:30", "to": "23:30"});
    let when = json!({"hours": hours, "software": {"mode": ["bare"]}});
    desk.seal("a", MARKER, &under("hours", &["view"], when));
    let set = |time: &str| desk.office.write("clock", format!("{time}\n"));
    set("2027-03-03 23:29:50");
    let mut command = desk.office.command("desk", &["mount", "D", "M"]);
    follow_clock(&mut command, &desk.path("clock"));
    let mounted = desk.mount_by(command);
    let reads = |file: &File| file.read_at(&mut [0; MARKER.len()], 0).is_ok();

    let ended = File::open(mounted.at.join("a")).unwrap();
    assert!(reads(&ended));
    set("2027-03-03 23:30:10");
    until("the hours have ended", || !reads(&ended));
    // An hour later another one opens it.
    set("2027-03-04 00:30:10");
    let other = File::open(mounted.at.join("a")).unwrap();
    for _ in 0..2 {
        assert!(reads(&other));
        until("the pages are taken back again", || !reads(&ended));
    }
}

/// Looking at a program that is in the view must not take the view.
#[test]
fn programs_in_a_view_open_files_of_it_all_at_once() {
    let desk = Desk::new(&work());
    let program = desk.path("D/program");
    fs::copy("/usr/bin/head", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let envelope = desk.seal("0", MARKER, &rights("claims", &["view"]));
    let path = json!({"mode": ["bare"], "path": [desk.path("M/program").to_str().unwrap()]});
    desk.seal("by-path", MARKER, &under("by-path", &["view"], json!({"software": path})));
    // No file twice: what is opened again needs no decision.
    let names: Vec<_> = (0..400).map(|i| format!("copy-{i}")).collect();
    for name in &names {
        fs::copy(&envelope, desk.path(&format!("D/{name}.bulla"))).unwrap();
    }
    let mounted = desk.mount(&[]);
    // A view that waits for itself would end with its process alone, and its programs with it.
    let view = rustix::process::Pid::from_raw(mounted.child.id() as i32).unwrap();
    let (done, is_done) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = is_done.recv_timeout(Duration::from_secs(30)) == Err(RecvTimeoutError::Timeout);
        if late {
            rustix::process::kill_process(view, rustix::process::Signal::KILL).unwrap();
        }
        late
    });
    let run = |names: &[String]| {
        let mut command = Command::new(mounted.at.join("program"));
        command.arg("-qn1").args(names).current_dir(&mounted.at);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
    };
    let running: Vec<_> = names.chunks(50).map(run).collect();
    let content = |child: std::io::Result<Child>| child?.wait_with_output().map(|out| out.stdout);
    let read: Vec<_> = running.into_iter().map(content).collect();
    drop(done);
    assert!(!watch.join().unwrap(), "the view waits for itself");
    for text in read {
        assert!(text.unwrap() == MARKER.repeat(50).as_bytes());
    }
    // What is not measured is under no path.
    assert!(content(run(&["by-path".into()])).unwrap().is_empty());
}
