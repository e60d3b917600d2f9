//! What the tests of `run` and `mount` share: a desk with sealed files, and programs that see them.

// Each test file uses another part of it.
#![allow(dead_code)]

pub mod both;
pub mod typing;

use crate::office::rights::{grant, policy_of};
use crate::office::{Done, Office, finish};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What stands in every sealed file, and nowhere else.
pub const MARKER: &str = "Kim-Minji-010-5550-0199";

/// A policy of this name for programs of any kind.
pub fn rights(name: &str, rights: &[&str]) -> Value {
    under(name, rights, json!({"software": {"mode": ["bare", "confined"]}}))
}

pub fn under(name: &str, rights: &[&str], when: Value) -> Value {
    let mut policy = policy_of(&[grant(json!("anyone"), rights, when)]);
    policy["name"] = json!(name);
    policy
}

/// All that a program needs to work on files as if they were plain.
pub fn work() -> Value {
    rights("work", &["view", "edit", "export"])
}

/// An office whose desk has a folder `D` of sealed files, under a template of its own.
pub struct Desk {
    pub office: Office,
}

/// A folder that is a file system of its own, until it is dropped.
pub struct SmallDisk(pub PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status().unwrap();
        assert!(done.success() || std::thread::panicking());
    }
}

impl Desk {
    /// `D/small`, in memory and of this size.
    pub fn small_disk(&self, size: &str) -> SmallDisk {
        let small = self.path("D/small");
        fs::create_dir(&small).unwrap();
        let options = ["-t", "tmpfs", "-o", &format!("size={size}"), "small"];
        assert!(Command::new("mount").args(options).arg(&small).status().unwrap().success());
        SmallDisk(small)
    }

    /// New files are sealed under this policy.
    pub fn new(policy: &Value) -> Self {
        Self::of(Office::at_work(), policy)
    }

    pub fn of(office: Office, policy: &Value) -> Self {
        need_fuse();
        let desk = Desk { office };
        desk.office.folder("D");
        desk.office.folder("M");
        desk.template("D", "notes", policy);
        desk
    }

    /// New files of this folder are sealed under this policy.
    pub fn template(&self, folder: &str, name: &str, policy: &Value) {
        let office = &self.office;
        office.write("t.json", policy.to_string());
        office.folder(&format!("{folder}/.bulla"));
        let template = format!("{folder}/.bulla/template");
        let to = ["--to", "desk/identity.pub"];
        let new = ["template", "new", "--name", name, "--policy", "t.json", "-o", &template];
        office.ok("issuer", &[&new[..], &to].concat());
        let issue = ["permit", "issue", "--template", &template, "--for", "1h", "-o", "permit"];
        office.ok("issuer", &[&issue[..], &to].concat());
        office.ok("desk", &["permit", "use", "permit"]);
    }

    /// Seals this as `D/name.bulla`.
    pub fn seal(&self, name: &str, content: impl AsRef<[u8]>, policy: &Value) -> PathBuf {
        self.office.write("file", content);
        let envelope = format!("D/{name}.bulla");
        self.office.seal_under(&envelope, policy);
        self.path(&envelope)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.office.path(name)
    }

    /// `bulla run --dir D`, to be run in `D`.
    pub fn command(&self, options: &[&str], program: &[&str]) -> Command {
        let dir = self.path("D");
        let home = self.path("desk");
        let args = [&["run", "--dir", dir.to_str().unwrap()], options, &["--"], program].concat();
        let mut command = self.office.command(home.to_str().unwrap(), &args);
        command.current_dir(self.path("D"));
        command
    }

    pub fn run(&self, program: &[&str]) -> Done {
        finish(self.command(&[], program), b"")
    }

    /// What a shell script prints in a run. It must succeed.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let done = self.run(&["sh", "-ec", script]);
        assert_eq!(done.status, 0, "{script}: {} {}", done.text(), done.stderr);
        done.text()
    }

    /// The content that a confined program gets.
    #[track_caller]
    pub fn content(&self, name: &str) -> Vec<u8> {
        let done = self.run(&["cat", name]);
        assert_eq!(done.status, 0, "{name}: {}", done.stderr);
        done.stdout
    }

    pub fn mount(&self, options: &[&str]) -> Mounted {
        let args = [&["mount", "D", "M"], options].concat();
        self.mount_by(self.office.command("desk", &args))
    }

    /// By this call of `bulla mount D M`.
    pub fn mount_by(&self, mut command: Command) -> Mounted {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mounted = Mounted { child, at: self.path("M") };
        until("the view is mounted", || is_mounted(&mounted.at));
        mounted
    }

    /// Nothing plain is in the folder behind the view, by content.
    #[track_caller]
    pub fn nothing_plain(&self, marker: &str) {
        let found = holding(&self.path("D"), marker.as_bytes());
        assert!(found.is_empty(), "plaintext in {found:?}");
    }
}

/// Files below a folder that hold these bytes.
pub fn holding(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files
        .filter(|e| e.file_type().is_file())
        .map(|e| e.into_path())
        .filter(|p| fs::read(p).is_ok_and(|c| c.windows(bytes.len()).any(|w| w == bytes)))
        .collect()
}

/// A view that is unmounted when this is dropped.
pub struct Mounted {
    pub child: Child,
    pub at: PathBuf,
}

impl Mounted {
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = self
            .child
            .try_wait()
            .map(|ended| ended.is_none().then(|| self.signal(rustix::process::Signal::TERM)));
        let _ = self.child.wait();
    }
}

pub fn is_mounted(at: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == at.to_str())
}

/// Waits for something that comes soon.
#[track_caller]
pub fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// These tests are about the kernel's file systems, and say so where there are none.
fn need_fuse() {
    let fuse = fs::File::options().read(true).write(true).open("/dev/fuse");
    fuse.expect("/dev/fuse cannot be opened, and these tests mount file systems with it");
}
