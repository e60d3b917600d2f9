//! People in an office: badges, policies, a trail, and a clock that can be set.

use super::{Done, Office, refused};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One grant of a policy.
pub fn grant(to: Value, rights: &[&str], when: Value) -> Value {
    let mut grant = json!({"to": [to], "rights": rights});
    if when != json!({}) {
        grant["when"] = when;
    }
    grant
}

/// A policy with these grants.
pub fn policy_of(grants: &[Value]) -> Value {
    json!({"version": 1, "name": "claims", "grants": grants})
}

/// A policy under which agents may view and export when all of this holds.
pub fn agents(when: Value) -> Value {
    policy_of(&[grant(json!({"role": "agent"}), &["view", "export"], when)])
}

/// Debian's `libfaketime`, which moves the clock of the command. Nothing is skipped without it.
fn libfaketime(name: &str) -> PathBuf {
    let places = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let below = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|e| e.path());
    let found = places.into_iter().chain(below).map(|p| p.join("faketime").join(name));
    found.into_iter().find(|p| p.exists()).expect(
        "libfaketime is not installed, and these tests set the command's clock with it: \
         apt-get install libfaketime",
    )
}

/// Lets a command start at this time, in UTC: `2027-03-03 09:30:00`.
pub fn set_clock(command: &mut Command, time: &str) {
    command.env("LD_PRELOAD", libfaketime("libfaketime.so.1"));
    command.env("FAKETIME", format!("@{time}"));
    wall_clock_alone(command);
}

/// Lets a command's clock stand at the time in this file, also while it runs.
pub fn follow_clock(command: &mut Command, file: &Path) {
    command.env("LD_PRELOAD", libfaketime("libfaketimeMT.so.1")).env_remove("FAKETIME");
    command.env("FAKETIME_TIMESTAMP_FILE", file).env("FAKETIME_NO_CACHE", "1");
    wall_clock_alone(command);
}

fn wall_clock_alone(command: &mut Command) {
    // The library reads that as local time; only the wall clock is to move, and no file's times.
    command.env("TZ", "UTC").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
}

impl Office {
    /// With a file to seal, and a desk that has the issuer's first trust list.
    pub fn at_work() -> Self {
        Self::new("x25519").working()
    }

    /// The same at this time: all its commands start then, until it is set anew.
    pub fn at_work_on(time: &str) -> Self {
        Self::founded(Some(time), "x25519").working()
    }

    pub fn set_clock(&self, time: &str) {
        *self.clock.lock().unwrap() = Some(time.to_owned());
    }

    fn working(self) -> Self {
        let office = self;
        office.trusting("desk");
        office.write("file", "name,phone\n");
        office
    }

    /// The thumbprint of the issuer's root.
    pub fn root(&self) -> String {
        self.names("issuer/roots").remove(0)
    }

    /// Takes the issuer's newest list into use.
    #[track_caller]
    pub fn trusting(&self, home: &str) {
        self.ok(home, &["trust", "use", &format!("issuer/trust/{}", self.root())]);
    }

    /// Issues a badge of the desk, with these further arguments, into a file of this name.
    #[track_caller]
    pub fn issue(&self, badge: &str, subject: &str, role: &str, more: &[&str]) {
        let mut args = vec!["badge", "issue", "--subject", subject, "--role", role, "-o", badge];
        if !more.contains(&"--to") {
            args.extend(["--to", "desk/identity.pub"]);
        }
        if !more.contains(&"--for") {
            args.extend(["--for", "1h"]);
        }
        args.extend(more);
        self.ok("issuer", &args);
    }

    /// Gives the desk a badge for an hour.
    #[track_caller]
    pub fn badge(&self, subject: &str, role: &str) {
        self.issue("badge", subject, role, &[]);
        self.ok("desk", &["badge", "use", "badge"]);
    }

    /// Attests something of today, and gives it to the desk.
    #[track_caller]
    pub fn attest(&self, kind: &str, about: &[&str]) {
        let args = ["attest", kind, "--for", "24h", "-o", "attestation"];
        self.ok("issuer", &[&args[..], about].concat());
        self.ok("desk", &["attest", "use", "attestation"]);
    }

    /// Seals `file` for desk and issuer under this policy, as `name`.
    #[track_caller]
    pub fn seal_under(&self, name: &str, policy: &Value) {
        self.write("p.json", policy.to_string());
        let to = ["--to", "desk/identity.pub", "--to", "issuer/identity.pub"];
        let args = ["seal", "--force", "--policy", "p.json", "file", "-o", name];
        self.ok("issuer", &[&args[..], &to].concat());
    }

    /// Whatever way it is opened, it is refused like this and no plaintext is anywhere. Gives the
    /// message.
    #[track_caller]
    pub fn denied(&self, home: &str, file: &str, status: i32, code: &str) -> String {
        let before = self.names(".");
        let mut said = String::new();
        for to in [&["-"][..], &["-o", "out"]] {
            let args = [&["open", file], to].concat();
            let done = self.run(home, &args);
            refused(&done, &args, status, code);
            assert!(done.stdout.is_empty(), "plaintext came out");
            said = done.stderr;
        }
        let args = ["open", "-", "-o", "out"];
        refused(&self.run_with(home, &args, &self.read(file)), &args, status, code);
        assert_eq!(self.names("."), before, "something was left behind");
        said
    }

    /// The records of a home's trail.
    #[track_caller]
    pub fn records(&self, home: &str) -> Vec<Value> {
        lines(&self.ok(home, &["--json", "trail", "show"]))
    }

    /// The names of its events, without those of beginnings and lists.
    pub fn events(&self, home: &str) -> Vec<String> {
        let records = self.records(home).into_iter();
        let names = records.map(|r| r["event"].as_str().expect("a name").to_owned());
        names.filter(|n| n != "begun" && n != "list-used").collect()
    }
}

/// A copy of the command in this folder, as small as can be: each process hashes itself.
pub fn copied_command(folder: &Path) -> PathBuf {
    let copy = folder.join("bulla");
    fs::copy(env!("CARGO_BIN_EXE_bulla"), &copy).expect("copying");
    // Without it, the copy does the same.
    let _ = Command::new("strip").arg(&copy).stderr(Stdio::null()).status();
    copy
}

/// The same call of another copy of the command, in this folder.
pub fn by(binary: &Path, call: &Command) -> Command {
    let mut command = Command::new(binary);
    command.args(call.get_args()).current_dir(call.get_current_dir().expect("a folder"));
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The lines of an output, each one JSON value.
#[track_caller]
pub fn lines(done: &Done) -> Vec<Value> {
    let text = done.text();
    text.lines().map(|line| serde_json::from_str(line).expect("one JSON value a line")).collect()
}
