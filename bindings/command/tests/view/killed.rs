//! Killed at any time in the middle of saving, the old or the new content is there, complete.

use crate::view::{Desk, holding, is_mounted, until, work};
use rustix::process::Signal;
use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// How often each is killed.
const TIMES: u64 = 50;

/// Two contents of the same file, each longer than a batch of chunks.
struct Saved {
    desk: Desk,
    old: String,
    new: String,
}

impl Saved {
    fn new() -> Self {
        let desk = Desk::new(&work());
        let (old, new) = ("old ".repeat(300_000), "new!".repeat(300_000));
        for (name, content) in [("F", &old), ("old", &old), ("new", &new)] {
            desk.seal(name, content, &work());
        }
        Saved { desk, old, new }
    }

    /// What is in the envelope, which must be complete. Not through a view.
    #[track_caller]
    fn content(&self) -> String {
        let session = self.desk.office.session("desk");
        let client = Some(bulla::Client { pid: std::process::id(), confined: true });
        let access = bulla::Access { client, ..bulla::Access::default() };
        let mut reader = session.open_for(&self.desk.path("D/F.bulla"), access).unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    }

    #[track_caller]
    fn is_old_or_new(&self, kill: u64) {
        let text = self.content();
        assert!(text == self.old || text == self.new, "{} bytes after kill {kill}", text.len());
    }

    /// `cp` cuts the file first, and may be killed between that and the end.
    #[track_caller]
    fn is_old_or_begins_as_new(&self, kill: u64) {
        let text = self.content();
        let known = text == self.old || self.new.starts_with(&text);
        assert!(known, "{} bytes after kill {kill}", text.len());
    }

    #[track_caller]
    fn leaves_nothing_plain(&self) {
        for text in [b"new!new!", b"old old "] {
            let left = holding(&self.desk.path("D"), text);
            assert!(left.is_empty(), "{left:?}");
        }
    }

    /// Kills `bulla` at another time each round.
    fn kill_runs(&self, script: &str, check: impl Fn(&Self, u64)) {
        for i in 0..TIMES {
            let mut command = self.desk.command(&[], &["sh", "-c", script]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut run = command.spawn().unwrap();
            thread::sleep(Duration::from_millis(20 + i * 5));
            run.kill().unwrap();
            run.wait().unwrap();
            check(self, i);
        }
        self.leaves_nothing_plain();
        // The view was the run's alone.
        assert!(!is_mounted(&self.desk.path("D")));
    }
}

#[test]
fn while_it_saves_in_place() {
    let script = "while :; do cp new F; done";
    Saved::new().kill_runs(script, Saved::is_old_or_begins_as_new);
}

#[test]
fn while_it_saves_by_renaming() {
    let script = "while :; do cp new F.tmp; mv F.tmp F; cp old F.tmp; mv F.tmp F; done";
    Saved::new().kill_runs(script, Saved::is_old_or_new);
}

/// Only the program is killed; who looks next sees what is sealed.
const KILL: &str = r#"
import subprocess, sys, time
save = """
import os, shutil, sys
while True:
    if sys.argv[1] == "in place":
        shutil.copyfile("new", "F")
    else:
        for name in ("new", "old"):
            shutil.copyfile(name, "F.tmp"); os.replace("F.tmp", "F")
"""
read = lambda name: open(name).read()
old, new = read("old"), read("new")
for way in ("by renaming", "in place"):
    for i in range(int(sys.argv[1])):
        program = subprocess.Popen([sys.executable, "-c", save, way])
        time.sleep(0.05 + i * 0.003)
        program.kill()
        program.wait()
        text = read("F")
        if text not in (old, new) and not (way == "in place" and new.startswith(text)):
            print(way, i, len(text), text[:20])
"#;

#[test]
fn the_program() {
    let saved = Saved::new();
    let done = saved.desk.run(&["/usr/bin/python3", "-c", KILL, &TIMES.to_string()]);
    assert_eq!((done.text().as_str(), done.status), ("", 0), "{}", done.stderr);
    saved.is_old_or_begins_as_new(TIMES);
    saved.leaves_nothing_plain();
}

/// No dead mount stays behind.
#[test]
fn a_mount() {
    let saved = Saved::new();
    for i in 0..TIMES {
        let mut mounted = saved.desk.mount(&["--write", "sealed"]);
        let at = mounted.at.clone();
        let writer = thread::spawn(move || {
            for name in ["new", "old"].iter().cycle() {
                let save = || -> std::io::Result<()> {
                    fs::copy(at.join(name), at.join("F.tmp"))?;
                    fs::rename(at.join("F.tmp"), at.join("F"))
                };
                if save().is_err() {
                    break;
                }
            }
        });
        thread::sleep(Duration::from_millis(i * 5));
        mounted.signal(Signal::KILL);
        mounted.child.wait().unwrap();
        until(&format!("it is unmounted after kill {i}"), || !is_mounted(&mounted.at));
        // What the kernel has of it ends with it, so that nobody waits for an answer.
        writer.join().unwrap();
        saved.is_old_or_new(i);
        // But for what a copy that had begun made there once the view was gone.
        match fs::remove_file(mounted.at.join("F.tmp")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => panic!("{e}"),
            _ => {}
        }
        assert_eq!(fs::read_dir(&mounted.at).unwrap().count(), 0);
    }
    saved.leaves_nothing_plain();
}
