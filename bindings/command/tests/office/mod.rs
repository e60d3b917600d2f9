//! What the tests of the command share: an office in a temporary folder, and the built command.

// Each test file uses another part of it.
#![allow(dead_code)]

use bulla::{Home, Host, Session};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

pub mod rights;
#[path = "../../../../tests/support/mod.rs"]
mod support;
pub use support::*;

/// What a command did.
pub struct Done {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Done {
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("text")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).expect("one JSON value")
    }
}

/// A folder with the homes `issuer` (root key and identity) and `desk`, and `policy.json`.
pub struct Office {
    folder: tempfile::TempDir,
    /// At which time its commands start, in UTC; `None`: now.
    clock: std::sync::Mutex<Option<String>>,
}

impl Office {
    /// With identities of this kind.
    pub fn new(kind: &str) -> Self {
        Self::founded(None, kind)
    }

    fn founded(clock: Option<&str>, kind: &str) -> Self {
        let clock = clock.map(str::to_owned).into();
        let office = Office { folder: memory_folder(), clock };
        office.write("policy.json", POLICY);
        office.ok("issuer", &["init", "--name", "Hanbit Insurance"]);
        office.ok("issuer", &["identity", "new", "--kind", kind, "--name", "privacy office"]);
        office.device("desk", kind);
        office
    }

    /// An empty folder.
    pub fn empty() -> Self {
        Office { folder: memory_folder(), clock: None.into() }
    }

    /// The same office in a folder of its own.
    pub fn copied(&self) -> Self {
        let folder = memory_folder();
        copy_tree(self.folder.path(), folder.path());
        Office { folder, clock: self.clock.lock().unwrap().clone().into() }
    }

    /// Another device that pins the issuer's root.
    pub fn device(&self, name: &str, kind: &str) {
        self.ok(name, &["identity", "new", "--kind", kind, "--name", name]);
        self.ok(name, &["trust", "pin", "issuer/root.pub"]);
    }

    /// The command of this home, to be run in the office's folder.
    pub fn command(&self, home: &str, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"));
        command.current_dir(self.folder.path()).args(["--home", home]).args(args);
        command.env_remove("BULLA_HOME").env_remove("BULLA_PASSPHRASE");
        if let Some(time) = &*self.clock.lock().unwrap() {
            rights::set_clock(&mut command, time);
        }
        command
    }

    pub fn run_with(&self, home: &str, args: &[&str], stdin: &[u8]) -> Done {
        finish(self.command(home, args), stdin)
    }

    pub fn run(&self, home: &str, args: &[&str]) -> Done {
        self.run_with(home, args, b"")
    }

    /// Runs what must succeed.
    #[track_caller]
    pub fn ok(&self, home: &str, args: &[&str]) -> Done {
        let done = self.run(home, args);
        assert_eq!(done.status, 0, "{args:?}: {}", done.stderr);
        done
    }

    /// Runs what must be refused with this exit status and this error code, and says so once.
    #[track_caller]
    pub fn refused(&self, home: &str, args: &[&str], status: i32, code: &str) -> Done {
        let done = self.run(home, args);
        refused(&done, args, status, code);
        done
    }

    /// Seals for desk and issuer, in the issuer's name.
    #[track_caller]
    pub fn seal(&self, args: &[&str]) -> Done {
        self.ok("issuer", &seal_args(args))
    }

    /// What `home` gets out of a sealed file.
    #[track_caller]
    pub fn opened(&self, home: &str, file: &str) -> Vec<u8> {
        self.ok(home, &["open", file, "-"]).stdout
    }

    pub fn inspect(&self, file: &str) -> serde_json::Value {
        self.ok("desk", &["--json", "inspect", file]).json()
    }

    /// The thumbprint of a device.
    pub fn thumbprint(&self, home: &str) -> String {
        let shown = self.ok(home, &["--json", "identity", "show"]).json();
        shown["device"].as_str().unwrap().to_owned()
    }

    /// The id of a device's key to open with.
    pub fn key_id(&self, home: &str) -> String {
        let shown = self.ok(home, &["--json", "identity", "show"]).json();
        shown["key"].as_str().unwrap().to_owned()
    }
}

/// Copies what is in a folder, with its permissions.
pub fn copy_tree(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_tree(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

#[track_caller]
pub fn refused(done: &Done, args: &[&str], status: i32, code: &str) {
    let why = format!("{args:?} ended with {}: {}", done.status, done.stderr);
    assert_eq!(done.status, status, "{why}");
    assert!(done.stderr.contains(&format!("[{code}]")), "{why}");
    assert!(done.stderr.starts_with("bulla: ") && !done.stderr.contains("panicked"), "{why}");
}

/// `seal` with the office's policy and recipients.
pub fn seal_args<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let to = ["--to", "desk/identity.pub", "--to", "issuer/identity.pub"];
    [&["seal", "--policy", "policy.json"], &to[..], args].concat()
}

/// Runs a command with this standard input.
pub fn finish(mut command: std::process::Command, stdin: &[u8]) -> Done {
    use std::process::Stdio;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut input = child.stdin.take().expect("piped");
    let out = std::thread::scope(|scope| {
        // A command that refuses early does not read its input.
        scope.spawn(move || drop(input.write_all(stdin)));
        child.wait_with_output().expect("the command ends")
    });
    Done {
        status: out.status.code().expect("not killed"),
        stdout: out.stdout,
        stderr: String::from_utf8(out.stderr).expect("text"),
    }
}

impl Office {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    pub fn folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    /// The names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    pub fn session(&self, home: &str) -> Session {
        let home = Home::at(self.path(home));
        Session::start(&home, home.identity(None).unwrap(), Host::default()).unwrap()
    }
}

/// A folder with a file system of its own, unmounted when dropped.
pub struct OwnDisk(pub PathBuf);

impl OwnDisk {
    /// Mounted with these arguments of `mount`; `None` where we may not.
    pub fn mount(at: PathBuf, args: &[&str]) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(args).arg(&at).stderr(std::process::Stdio::null());
        mount.status().is_ok_and(|s| s.success()).then_some(OwnDisk(at))
    }
}

impl Drop for OwnDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
