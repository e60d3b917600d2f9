//! What is made to go wrong: commands that write, each with what their folder must hold before
//! and after.

use crate::office::rights::copied_command;
use crate::office::{Office, bytes, seal_args};
use bulla::{Code, Error, Home, Host, Result, Session, TrailExpectation, TrailFaultKind};
use bulla::{TrailReport, verify_trail};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Old,
    /// Of several files some, each of them complete.
    Between,
    New,
}

/// One command, and the folder it starts in.
pub struct Scene {
    pub name: &'static str,
    pub base: Office,
    /// Whose trail the command writes.
    home: &'static str,
    command: fn(&Office) -> Command,
    state: fn(&Office) -> Result<State, String>,
    /// What a second run may say where the first one did it all and yet failed.
    pub done_before: &'static [&'static str],
    /// Whether its output is content, and its state the record of that.
    pub exports: bool,
    /// Whether it is among the few that show how a file is replaced.
    pub replaces: bool,
}

pub const OLD: usize = 40_000;
pub const NEW: usize = 55_000;

pub fn old() -> Vec<u8> {
    bytes(OLD, 1)
}

pub fn new() -> Vec<u8> {
    bytes(NEW, 2)
}

/// The command, without what only debuggers want: it reads itself at each start.
fn binary() -> &'static Path {
    static COPY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = COPY.get_or_init(|| {
        let folder = crate::office::memory_folder();
        let path = copied_command(folder.path());
        (folder, path)
    });
    path
}

impl Scene {
    /// A new copy of the folder.
    pub fn set(&self) -> Office {
        self.base.copied()
    }

    pub fn command(&self, office: &Office) -> Command {
        (self.command)(office)
    }

    /// What the folder holds; an error if it is neither old nor new, or the trail is not sound.
    pub fn state(&self, office: &Office) -> Result<State, String> {
        self.trail(office).and((self.state)(office))
    }

    /// The trail as it stands, `None` where there is none yet. A torn last line is sound.
    pub fn trail(&self, office: &Office) -> Result<Option<TrailReport>, String> {
        let home = Home::at(office.path(self.home));
        if !home.has_identity() {
            return Ok(None);
        }
        let id = home.trail_id().map_err(|e| format!("the identity: {e}"))?;
        let expect = TrailExpectation { id: Some(id), ..TrailExpectation::default() };
        let trail = home.read_trail().map_err(|e| format!("the trail: {e}"))?;
        match verify_trail(trail, &expect) {
            Ok(report) => Ok(Some(report)),
            Err(fault) if fault.kind == TrailFaultKind::Torn && fault.line > 1 => Ok(None),
            Err(fault) => Err(format!("the trail: {fault}")),
        }
    }

    /// The trail's path within the folder.
    pub fn trail_name(&self) -> PathBuf {
        let home = if self.home == "nobody" { "desk" } else { self.home };
        Path::new(home).join("trail.jsonl")
    }

    /// What the home's trails hold, those that were put aside too.
    pub fn trails(&self, office: &Office) -> Vec<Vec<u8>> {
        let folder = office.path("").join(self.trail_name());
        let folder = folder.parent().expect("a home");
        let names = crate::office::names(folder).into_iter().filter(|n| n.starts_with("trail"));
        names.map(|name| fs::read(folder.join(name)).unwrap_or_default()).collect()
    }

    /// Whether a record of the trail that the scene began with is lost.
    pub fn lost_a_record(&self, office: &Office) -> bool {
        let before = fs::read(self.base.path("").join(self.trail_name())).unwrap_or_default();
        let whole = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        whole > 0 && !self.trails(office).iter().any(|trail| trail.starts_with(&before[..whole]))
    }

    /// The name that the trail gets when a reset puts it aside.
    pub fn put_aside(&self, office: &Office) -> Option<String> {
        let begun = fs::read(office.path("begun")).ok()?;
        let begun: serde_json::Value = serde_json::from_slice(&begun).expect("a record");
        Some(format!("desk/trail-{}.jsonl", begun["trail"].as_str().expect("an id")))
    }

    /// Names of all files below the folder, those of keys as `*`.
    pub fn names(&self, office: &Office) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        list(&office.path(""), "", &mut found);
        found
    }
}

fn list(folder: &Path, within: &str, found: &mut BTreeSet<String>) {
    for name in crate::office::names(&folder.join(within)) {
        let path = if within.is_empty() { name } else { format!("{within}/{name}") };
        if folder.join(&path).is_dir() {
            list(folder, &path, found);
        } else {
            // Thumbprints of keys that each run makes anew.
            let own = path.rsplit('/').next().unwrap_or_default();
            let named_by_key = own.len() == 43 && !own.starts_with('.');
            found.insert(if named_by_key { format!("{within}/*") } else { path });
        }
    }
}

/// Every command that writes files that matter.
pub fn scenes() -> Vec<Scene> {
    let office = || {
        let office = Office::new("x25519");
        office.write("file", old());
        office
    };
    let sealed = || {
        let office = office();
        office.device("other", "x25519");
        let others = ["--to", "other/identity.pub", "-o", "sealed", "file"];
        office.seal(&others);
        office
    };
    // The records of one opening go over the end of a page of the trail.
    let paged = || {
        let office = sealed();
        let len = || office.read("desk/trail.jsonl").len() % 4096;
        while !(3100..3700).contains(&len()) {
            let ticket = "t".repeat(1 + len() % 97);
            office.ok("desk", &["open", "sealed", "-", "--ticket", &ticket]);
        }
        office.write("exports", exports(&office).to_string());
        office
    };
    let tree = || {
        let office = office();
        office.folder("tree/sub");
        for (name, content) in TREE {
            office.write(name, content);
        }
        office
    };
    let listed = || {
        let office = office();
        let program = "0".repeat(64);
        office.ok("issuer", &["trust", "sign", "--program", &program, "-o", "list"]);
        office
    };
    let reset = |broken: bool| {
        let office = sealed();
        let device = office.thumbprint("desk");
        let trail = Home::at(office.path("desk")).trail_id().unwrap().to_string();
        let sign = ["trail", "sign-reset", "--device", &device, "--trail", &trail, "-o", "reset"];
        office.ok("issuer", &sign);
        let trail = office.read("desk/trail.jsonl");
        office.write("begun", trail.split(|b| *b == b'\n').next().expect("a line"));
        if broken {
            office.write("desk/trail.jsonl", "no record\n");
        }
        office
    };
    let scene = |name, base, home, command, state| Scene {
        name,
        base,
        home,
        command,
        state,
        done_before: &[],
        exports: ["trail", "torn trail"].contains(&name),
        replaces: ["seal", "save"].contains(&name),
    };
    let repeated = |code: &'static [&'static str], scene| Scene { done_before: code, ..scene };
    vec![
        scene(
            "seal",
            office(),
            "issuer",
            |o| run(o, "issuer", &seal_args(&["file"])),
            |o| either(o, "file.bulla", None, &old()),
        ),
        scene(
            "in place",
            tree(),
            "issuer",
            |o| {
                let args = ["--in-place", "--threads", "1", "-r", "tree"];
                run(o, "issuer", &seal_args(&args))
            },
            each_of_the_tree,
        ),
        scene("save", sealed(), "desk", save_command, |o| {
            either(o, "sealed", Some(&old()), &new())
        }),
        repeated(
            &["bad-argument"],
            scene(
                "re-license",
                {
                    let office = sealed();
                    office.device("fourth", "x25519");
                    office
                },
                "issuer",
                |o| run(o, "issuer", &["relicense", "sealed", "--add", "fourth/identity.pub"]),
                |o| recipients(o, 3, 4),
            ),
        ),
        repeated(
            &["bad-argument"],
            scene(
                "remove a recipient",
                {
                    let office = sealed();
                    let key = office.key_id("other");
                    office.write("key", key);
                    office
                },
                "issuer",
                |o| {
                    let key = String::from_utf8(o.read("key")).unwrap();
                    run(o, "issuer", &["relicense", "sealed", "--remove", &key])
                },
                |o| recipients(o, 3, 2),
            ),
        ),
        scene("trail", paged(), "desk", |o| run(o, "desk", &["open", "sealed", "-"]), one_more),
        scene(
            "torn trail",
            {
                // A page of the last record is there, the next one is not.
                let office = paged();
                let len = office.read("desk/trail.jsonl").len() / 4096 * 4096;
                office.ok("desk", &["open", "sealed", "-"]);
                let trail = office.read("desk/trail.jsonl");
                office.write("desk/trail.jsonl", &trail[..len + 4096]);
                office.write("exports", exports(&office).to_string());
                office
            },
            "desk",
            |o| run(o, "desk", &["open", "sealed", "-"]),
            one_more,
        ),
        repeated(
            &["exists"],
            scene(
                "export",
                sealed(),
                "desk",
                |o| run(o, "desk", &["open", "sealed", "-o", "plain"]),
                exported,
            ),
        ),
        repeated(
            &["exists"],
            scene(
                "new identity",
                office(),
                "fresh",
                |o| run(o, "fresh", &["identity", "new", "--kind", "x25519"]),
                identity,
            ),
        ),
        repeated(
            &["exists"],
            scene(
                "new issuer",
                office(),
                "fresh",
                |o| run(o, "fresh", &["init", "--name", "Hanbit"]),
                issuer,
            ),
        ),
        scene(
            "trust list",
            listed(),
            "desk",
            |o| run(o, "desk", &["trust", "use", "list"]),
            |o| {
                let trust = Home::at(o.path("desk")).trust().map_err(|e| e.to_string())?;
                let root = trust.roots().next().ok_or("no root")?.thumbprint();
                Ok(if trust.list(&root).is_some() { State::New } else { State::Old })
            },
        ),
        repeated(
            &["not-permitted"],
            scene(
                "reset",
                reset(false),
                "desk",
                |o| run(o, "desk", &["trail", "reset", "reset"]),
                was_reset,
            ),
        ),
        repeated(
            &["not-permitted"],
            scene(
                "reset of a broken trail",
                reset(true),
                "nobody",
                |o| run(o, "desk", &["trail", "reset", "reset"]),
                was_begun_anew,
            ),
        ),
    ]
}

const TREE: [(&str, &[u8]); 3] =
    [("tree/a", b"name,phone\n"), ("tree/empty", b""), ("tree/sub/c", &[b'c'; 30_000])];

fn run(office: &Office, home: &str, args: &[&str]) -> Command {
    crate::office::rights::by(binary(), &office.command(home, args))
}

/// What the desk gets out of a sealed file.
fn content(office: &Office, file: &str) -> Result<Vec<u8>, String> {
    let home = Home::at(office.path("desk"));
    let read = || -> Result<Vec<u8>> {
        let session = Session::start(&home, home.identity(None)?, Host::default())?;
        let mut reader = session.open(&office.path(file))?;
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(|e| Error::io("reading", e))?;
        Ok(text)
    };
    read().map_err(|e| format!("{file}: {e}"))
}

/// Old content (or no file), or new content.
fn either(office: &Office, file: &str, old: Option<&[u8]>, new: &[u8]) -> Result<State, String> {
    if !office.exists(file) {
        return old.map_or(Ok(State::Old), |_| Err(format!("{file} is gone")));
    }
    let content = content(office, file)?;
    match &content[..] {
        c if c == new => Ok(State::New),
        c if Some(c) == old => Ok(State::Old),
        _ => Err(format!("{file} holds something else")),
    }
}

fn each_of_the_tree(office: &Office) -> Result<State, String> {
    let mut sealed = 0;
    for (name, plain) in TREE {
        if fs::read(office.path(name)).map_err(|e| format!("{name}: {e}"))? == plain {
            continue;
        }
        if content(office, name)? != plain {
            return Err(format!("{name} opens to something else"));
        }
        sealed += 1;
    }
    let between = if sealed == 0 { State::Old } else { State::Between };
    Ok(if sealed == TREE.len() { State::New } else { between })
}

fn recipients(office: &Office, before: usize, after: usize) -> Result<State, String> {
    if content(office, "sealed")? != old() {
        return Err("it opens to something else".into());
    }
    let file = fs::File::open(office.path("sealed")).map_err(|e| e.to_string())?;
    match bulla::inspect(&file).map_err(|e| e.to_string())?.recipients.len() {
        n if n == before => Ok(State::Old),
        n if n == after => Ok(State::New),
        n => Err(format!("{n} recipients")),
    }
}

/// Whether the desk has exported once more.
fn one_more(office: &Office) -> Result<State, String> {
    let before = String::from_utf8(office.read("exports")).expect("text");
    let now = exports(office);
    content(office, "sealed")?;
    let done = now > before.parse().expect("a number");
    Ok(if done { State::New } else { State::Old })
}

/// How many exports stand in the desk's trail, in whole lines.
fn exports(office: &Office) -> usize {
    let trail = office.read("desk/trail.jsonl");
    let trail = String::from_utf8_lossy(&trail);
    let whole = trail.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter(|line| line.contains("\"event\":\"exported\"")).count()
}

fn exported(office: &Office) -> Result<State, String> {
    if !office.exists("plain") {
        return Ok(State::Old);
    }
    if exports(office) == 0 {
        return Err("an export without a record".into());
    }
    if office.read("plain") == old() { Ok(State::New) } else { Err("part of the content".into()) }
}

/// No identity, or one that works.
fn identity(office: &Office) -> Result<State, String> {
    let home = Home::at(office.path("fresh"));
    if !home.has_identity() {
        // Nobody may take a key for this device's that nobody has.
        return match home.public_identity() {
            Err(e) if e.code() == Code::HomeIncomplete => Ok(State::Old),
            _ => Err("a public line without its identity".into()),
        };
    }
    let start = || {
        let identity = home.identity(None)?;
        assert_eq!(&home.public_identity()?, identity.public());
        Session::start(&home, identity, Host::default()).map(drop)
    };
    start().map(|()| State::New).map_err(|e: Error| e.to_string())
}

/// No root key, one that lacks its first list, or all.
fn issuer(office: &Office) -> Result<State, String> {
    let home = Home::at(office.path("fresh"));
    if !home.has_root_key() {
        return Ok(State::Old);
    }
    let root = home.root_key(None).map_err(|e| e.to_string())?;
    let trust = home.trust().map_err(|e| e.to_string())?;
    let whole = office.exists("fresh/root.pub") && trust.list(&root.thumbprint()).is_some();
    Ok(if whole { State::New } else { State::Between })
}

/// Under the old id, or the new one; either way it opens. A trail that cannot be read counts as
/// broken, so it may have been put aside.
fn was_reset(office: &Office) -> Result<State, String> {
    if content(office, "sealed")? != old() {
        return Err("it opens to something else".into());
    }
    let trails = office.names("desk").into_iter().filter(|n| n.starts_with("trail"));
    let begins = |n: String| office.read(&format!("desk/{n}")).starts_with(&office.read("begun"));
    if trails.filter(|n| begins(n.clone())).count() != 1 {
        return Err("the old trail is gone".into());
    }
    let id = Home::at(office.path("desk")).trail_id().map_err(|e| e.to_string())?;
    let old = office.read("begun");
    let old: serde_json::Value = serde_json::from_slice(&old).expect("a record");
    Ok(if old["trail"] == id.to_string() { State::Old } else { State::New })
}

/// What is left of the old trail is never lost.
fn was_begun_anew(office: &Office) -> Result<State, String> {
    let names = office.names("desk");
    let remains =
        |n: &&String| n.starts_with("trail") && office.read(&format!("desk/{n}")) == b"no record\n";
    if names.iter().filter(remains).count() != 1 {
        return Err("what was left of the old trail is gone".into());
    }
    let home = Home::at(office.path("desk"));
    let identity = home.identity(None).map_err(|e| e.to_string())?;
    match Session::start(&home, identity, Host::default()) {
        Ok(_) if content(office, "sealed")? == old() => Ok(State::New),
        Ok(_) => Err("it opens to something else".into()),
        Err(e) if e.code() == Code::Trail => Ok(State::Old),
        Err(e) => Err(e.to_string()),
    }
}

/// The command has no editor: this test binary saves, in a process of its own.
fn save_command(office: &Office) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test binary"));
    command.args(["--exact", "storage::scenes::save_worker", "--ignored", "--nocapture"]);
    command.current_dir(office.path("")).env("BULLA_TEST_SAVE", "desk");
    command
}

#[test]
#[ignore = "the other tests run it, in processes of its own"]
fn save_worker() {
    let Some(home) = std::env::var_os("BULLA_TEST_SAVE") else { return };
    let save = || -> Result<()> {
        let home = Home::at(home);
        let session = Session::start(&home, home.identity(None)?, Host::default())?;
        let reader = session.open(Path::new("sealed"))?;
        let mut writer = reader.save(reader.metadata())?;
        // In portions, as programs write.
        for part in new().chunks(10_000) {
            writer.write_all(part).map_err(|e| Error::io("writing", e))?;
        }
        writer.finish()
    };
    let status = save().err().map_or(0, |e| {
        eprintln!("bulla: {e} [{}]", e.code().name());
        1
    });
    std::process::exit(status);
}
