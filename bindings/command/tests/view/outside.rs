//! Who looks at a run from outside: what is refused, and what root can do all the same.

use crate::view::{Desk, MARKER, until, work};
use crate::{Running, Setting, holds, with_secret_open};
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

/// A program that has the content in its memory and in the run's scratch, and its process.
struct Looked {
    _setting: Setting,
    folder: String,
    run: Running,
    pid: u32,
}

impl Looked {
    fn new() -> Self {
        let setting = Setting::new();
        let script = "
import time
secret = open('secret').read(); open('/tmp/scratch', 'w').write(secret)
file = open('secret')
time.sleep(60)";
        let mut command = setting.desk.command(&[], &["/usr/bin/python3", "-c", script]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let run = Running(command.spawn().unwrap());
        let mut found = None;
        until("the program has the file open", || {
            found = with_secret_open(run.0.id());
            found.is_some()
        });
        let folder = setting.desk.path("D").to_str().unwrap().to_owned();
        let looked = Looked { _setting: setting, folder, run, pid: found.unwrap().0 };
        let scratch = || holds(&looked.enter(&["cat", "/tmp/scratch"]).stdout);
        until("the program has written its scratch", scratch);
        looked
    }

    /// A program in the namespaces of the run that does not descend from its first process.
    fn enter(&self, program: &[&str]) -> std::process::Output {
        let of = format!("-t{}", self.pid);
        let mut enter = Command::new("nsenter");
        enter.args([&of, "-U", "-m", "-p", "-i", "--preserve-credentials", "--"]).args(program);
        enter.output().unwrap()
    }
}

/// The daemon's own check: the kernel lets such a program ask, because it is in the namespaces.
#[test]
fn who_enters_the_namespaces_is_not_served() {
    let looked = Looked::new();
    let secret = format!("{}/secret", looked.folder);
    // It is in them, and sees what is mounted there.
    let scratch = looked.enter(&["cat", "/tmp/scratch"]);
    assert!(holds(&scratch.stdout), "{}", String::from_utf8_lossy(&scratch.stderr));
    for program in [
        &["cat", &secret][..],
        &["ls", &looked.folder],
        &["sh", "-c", &format!("cat < {secret}")],
        &["cp", &secret, "/tmp/copy"],
        &["cat", "/proc/2/fd/3"],
    ] {
        let refused = looked.enter(program);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && !holds(&refused.stdout), "{program:?}");
        assert!(said.contains("ermission denied"), "{program:?}: {said}");
    }
}

/// A limit that the documentation names: root, and whoever may trace the program, reads its memory
/// and the run's scratch.
#[test]
fn root_reads_the_memory_of_a_program() {
    let looked = Looked::new();
    let maps = fs::read_to_string(format!("/proc/{}/maps", looked.pid)).unwrap();
    let memory = fs::File::open(format!("/proc/{}/mem", looked.pid)).unwrap();
    let parts = maps.lines().filter(|line| line.contains(" rw-p ")).filter_map(|line| {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = (number(start)?, number(end)?);
        let mut bytes = vec![0; (end - start) as usize];
        memory.read_exact_at(&mut bytes, start).ok()?;
        Some(bytes)
    });
    assert!(parts.into_iter().any(|bytes| holds(&bytes)), "{MARKER} is not in its memory");
    assert!(holds(&looked.enter(&["cat", "/tmp/scratch"]).stdout));
    // And the daemon's: it is closed to others of the same user, not to root.
    assert!(fs::File::open(format!("/proc/{}/mem", looked.run.0.id())).is_ok());
}

/// What keeps a process from leaving a core dump also closes it to debuggers of the same user, whom
/// this test, as root, cannot stand for.
#[test]
fn the_daemon_of_a_mount_leaves_no_core_dump() {
    let desk = Desk::new(&work());
    let mounted = desk.mount(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", mounted.child.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["1", "1", "bytes"]);
}

/// In a mount there is no run: what others of the same user do is decided by the policy alone.
#[test]
fn a_mount_serves_all_programs_of_the_user() {
    let desk = Desk::new(&work());
    desk.seal("secret", MARKER, &work());
    let mounted = desk.mount(&[]);
    let content = Command::new("cat").arg(mounted.at.join("secret")).output().unwrap().stdout;
    assert!(holds(&content));
}
