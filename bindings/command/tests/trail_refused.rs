//! A trail that is lost, locked, full, rewound or edited: nothing opens, and it is said why.

#![cfg(unix)]

mod office;

use bulla::{Access, Code, Home, Host, Right, Session};
use office::rights::{agents, by, copied_command, grant, policy_of};
use office::{Office, OwnDisk, finish, is_root, refused};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TEXT: &[u8] = b"name,phone\n";
const OPEN: [&str; 3] = ["open", "claims", "-"];

/// An office where the desk may open `claims` without a badge.
fn office() -> Office {
    let office = Office::at_work();
    office.seal_under("claims", &policy_of(&[grant(json!("anyone"), &["export"], json!({}))]));
    office
}

/// The desk's reset, signed by the issuer.
fn sign_reset(office: &Office) {
    let identity: serde_json::Value =
        serde_json::from_slice(&office.read("desk/identity")).unwrap();
    let (device, trail) = (office.thumbprint("desk"), identity["trail"].as_str().unwrap());
    let sign = ["trail", "sign-reset", "--device", &device, "--trail", trail, "-o", "reset"];
    office.ok("issuer", &sign);
}

/// Copies a folder of files and folders of files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in office::names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn a_missing_trail() {
    let office = office();
    assert_eq!(office.opened("desk", "claims"), TEXT);
    let trail = office.read("desk/trail.jsonl");
    fs::remove_file(office.path("desk/trail.jsonl")).unwrap();
    let said = office.denied("desk", "claims", 3, "bad-trail");
    assert!(said.contains("missing") && said.contains("trail reset"), "{said}");
    office.refused("desk", &["trail", "show"], 3, "bad-trail");
    office.refused("desk", &["trail", "checkpoint", "-o", "x"], 3, "bad-trail");
    // What takes its place is no trail: nothing, something else, another device's, a folder.
    office.device("other", "x25519");
    let others = office.read("other/trail.jsonl");
    for bad in [&b""[..], b"\n", b"{}\n", &others, &trail[..100], &trail[1..]] {
        office.write("desk/trail.jsonl", bad);
        office.denied("desk", "claims", 3, "bad-trail");
        assert_eq!(office.read("desk/trail.jsonl"), bad, "a broken trail was written to");
    }
    fs::remove_file(office.path("desk/trail.jsonl")).unwrap();
    office.folder("desk/trail.jsonl");
    office.denied("desk", "claims", 3, "bad-trail");
    fs::remove_dir(office.path("desk/trail.jsonl")).unwrap();
    // Nor does a new identity bring the old one's files back.
    office.refused("desk", &["identity", "new"], 1, "exists");

    // Only the issuer's word does, for this device, once.
    sign_reset(&office);
    office.refused("other", &["trail", "reset", "reset"], 3, "not-permitted");
    office.refused("desk", &["trail", "reset", "claims"], 2, "bad-argument");
    office.ok("desk", &["trail", "reset", "reset"]);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    let report = office.ok("desk", &["--json", "trail", "verify"]).json();
    assert_eq!(report["trail"]["resets"], 1);
    fs::remove_file(office.path("desk/trail.jsonl")).unwrap();
    office.refused("desk", &["trail", "reset", "reset"], 3, "not-permitted");
    office.denied("desk", "claims", 3, "bad-trail");
}

/// Runs the command as somebody for whom permissions count.
fn unprivileged(binary: &Path, office: &Office, args: &[&str]) -> office::Done {
    let mut command = by(binary, &office.command("desk", args));
    if is_root() {
        command.uid(65_534).gid(65_534);
    }
    finish(command, b"")
}

#[test]
fn a_trail_that_cannot_be_written() {
    let office = office();
    // The build's own folder may be closed to others.
    let folder = tempfile::tempdir().unwrap();
    let binary = copied_command(folder.path());
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder.path(), 0o755);
    mode(&binary, 0o755);
    mode(&office.path("."), 0o755);
    let trail = office.path("desk/trail.jsonl");
    if is_root() {
        let mut all = vec![office.path("."), office.path("desk")];
        while let Some(path) = all.pop() {
            chown(&path, Some(65_534), Some(65_534)).unwrap();
            if path != office.path(".") && path.is_dir() {
                all.extend(office::names(&path).iter().map(|name| path.join(name)));
            }
        }
    }
    let before = (office.names("."), fs::read(&trail).unwrap());
    let denied = |why: &str| {
        let args = ["open", "claims", "-o", "out"];
        let done = unprivileged(&binary, &office, &args);
        refused(&done, &args, 3, "bad-trail");
        assert!(done.stderr.contains(why), "{}", done.stderr);
        assert_eq!((office.names("."), fs::read(&trail).unwrap()), before);
    };
    mode(&trail, 0o444);
    denied("cannot be read and written");
    mode(&trail, 0o200);
    denied("cannot be read and written");
    mode(&trail, 0o600);
    // A folder that cannot be changed takes nothing from a trail that can.
    mode(&office.path("desk"), 0o500);
    let done = unprivileged(&binary, &office, &OPEN);
    assert_eq!((done.status, &done.stdout[..]), (0, TEXT), "{}", done.stderr);
    mode(&office.path("desk"), 0o700);
    office.ok("desk", &["trail", "verify"]);
}

#[test]
fn a_full_disk() {
    let office = office();
    let tmpfs = ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"];
    let Some(_disk) = OwnDisk::mount(office.path("full"), &tmpfs) else {
        eprintln!("NOT TESTED: a full disk needs root and the right to mount");
        return;
    };
    copy(&office.path("desk"), &office.path("full"));
    let filler = vec![0; 128 << 10];
    assert!(fs::write(office.path("full/filler"), &filler).is_err(), "64 KiB is all there is");
    // The trail's last page has some room left; what does not fit in it is not recorded.
    let mut opened = 0;
    let done = loop {
        let done = office.run("full", &["open", "claims", "-o", "out", "--force"]);
        if done.status != 0 {
            break done;
        }
        assert_eq!(office.read("out"), TEXT);
        fs::remove_file(office.path("out")).unwrap();
        opened += 1;
        assert!(opened < 20, "64 KiB hold more than they can");
    };
    refused(&done, &["open"], 1, "full");
    assert!(done.stderr.contains("the access is denied"), "{}", done.stderr);
    assert!(!office.exists("out"));
    // What is there holds together, and goes on when there is room again.
    office.ok("full", &["trail", "verify"]);
    let exported = |r: &serde_json::Value| r["event"] == "exported";
    assert_eq!(office.records("full").iter().filter(|r| exported(r)).count(), opened);
    fs::remove_file(office.path("full/filler")).unwrap();
    assert_eq!(office.opened("full", "claims"), TEXT);
    office.ok("full", &["trail", "verify"]);
}

/// Is killed when dropped.
struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn locked_by_a_process_that_was_stopped() {
    let office = office();
    office.write("desk/config.toml", "[trail]\nlock_wait = \"1s\"\n");
    let script = "exec 9<>desk/trail.jsonl; flock 9; echo locked; kill -STOP $$; exit";
    let mut holder = Command::new("sh");
    holder.args(["-c", script]).current_dir(office.path(".")).stdout(Stdio::piped());
    let mut holder = Holder(holder.spawn().unwrap());
    let mut said = String::new();
    BufReader::new(holder.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "locked\n");
    let start = Instant::now();
    for args in [&OPEN[..], &["open", "claims", "-o", "out"], &["trail", "checkpoint", "-o", "x"]] {
        let done = office.refused("desk", args, 3, "trail-busy");
        assert!(done.stdout.is_empty());
    }
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(12), "{waited:?}");
    assert!(!office.exists("out") && !office.exists("x"));
    drop(holder);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    office.write("desk/config.toml", "[trail]\nlock_wait = \"a while\"\n");
    office.denied("desk", "claims", 2, "bad-argument");
}

/// A badge that says where the desk's trail stands now.
fn anchored_badge(office: &Office) {
    office.ok("desk", &["trail", "checkpoint", "-o", "checkpoint"]);
    office.issue("badge", "kim", "agent", &["--anchor", "checkpoint"]);
}

#[test]
fn rewound_from_a_backup() {
    // The clock goes on: the same access in the same second would be the same record.
    let office = Office::at_work_on("2027-03-03 08:00:00");
    office.seal_under("claims", &agents(json!({"anchored": "12h"})));
    office.badge("kim", "agent");
    assert!(office.denied("desk", "claims", 3, "denied").contains("trail"));
    anchored_badge(&office);
    office.ok("desk", &["badge", "use", "badge"]);
    let backup = office.read("desk/trail.jsonl");
    copy(&office.path("desk"), &office.path("backup"));
    office.set_clock("2027-03-03 08:10:00");
    assert_eq!(office.opened("desk", "claims"), TEXT);
    anchored_badge(&office);
    let verify = ["trail", "verify", "--since", "checkpoint"];
    office.ok("desk", &verify);
    office.write("later", office.read("desk/trail.jsonl"));

    // Two records less: the badge in use was issued before them, so that is all that is known. The
    // checkpoint finds it, and so does the next badge.
    office.write("desk/trail.jsonl", &backup);
    office.set_clock("2027-03-03 08:20:00");
    assert_eq!(office.opened("desk", "claims"), TEXT);
    let fault = office.run("desk", &[&["--json"], &verify[..]].concat());
    refused(&fault, &verify, 5, "bad-trail");
    let fault = fault.json();
    assert_eq!(fault["fault"]["kind"], "anchor");
    let line = backup.iter().filter(|b| **b == b'\n').count() as u64;
    assert!(fault["fault"]["line"].as_u64().unwrap() > line, "{fault}");
    office.ok("desk", &["badge", "use", "badge"]);
    let said = office.denied("desk", "claims", 3, "bad-trail");
    assert!(said.contains("does not go on from where it was last shown"), "{said}");
    // Neither an older badge nor none is a way round.
    office.badge("kim", "agent");
    office.denied("desk", "claims", 3, "denied");
    office.issue("badge", "kim", "agent", &["--anchor", "checkpoint"]);
    office.ok("desk", &["badge", "use", "badge"]);
    office.denied("desk", "claims", 3, "bad-trail");
    // The trail that was shown does.
    office.write("desk/trail.jsonl", office.read("later"));
    office.ok("desk", &verify);
    assert_eq!(office.opened("desk", "claims"), TEXT);

    // A home that is restored whole, badge and all, is the stated limit: until the next anchor.
    copy(&office.path("backup"), &office.path("desk"));
    assert_eq!(office.opened("desk", "claims"), TEXT);
    office.ok("desk", &["badge", "use", "badge"]);
    office.denied("desk", "claims", 3, "bad-trail");
    refused(&office.run("desk", &verify), &verify, 5, "bad-trail");
}

#[test]
fn checkpoints_are_the_devices_own() {
    let office = office();
    office.device("other", "x25519");
    office.ok("other", &["trail", "checkpoint", "-o", "others"]);
    let issue = ["badge", "issue", "--subject", "kim", "--for", "1h", "-o", "badge"];
    let to = ["--to", "desk/identity.pub", "--anchor", "others"];
    office.refused("issuer", &[&issue[..], &to].concat(), 2, "bad-argument");
    office.refused("desk", &["trail", "verify", "--since", "others"], 2, "bad-argument");
    office.ok("desk", &["trail", "checkpoint", "-o", "own"]);
    let own = String::from_utf8(office.read("own")).unwrap();
    let mut token = office::forge::Token::of(&own);
    token.claims["trail"]["seq"] = 7.into();
    let (head, signature) = (token.signed(&[7; 32].into()), own.rsplit('.').next().unwrap());
    let forged = format!("{}.{signature}", head.rsplit_once('.').unwrap().0);
    office.write("forged", forged);
    office.refused("desk", &["trail", "verify", "--since", "forged"], 5, "bad-signature");
    let anchor = ["--to", "desk/identity.pub", "--anchor", "forged"];
    office.refused("issuer", &[&issue[..], &anchor].concat(), 5, "bad-signature");
    assert!(!office.exists("badge"));
    office.ok("desk", &["trail", "verify", "--since", "own"]);
}

#[test]
fn a_trail_that_was_touched() {
    let office = office();
    for _ in 0..3 {
        assert_eq!(office.opened("desk", "claims"), TEXT);
    }
    let good = String::from_utf8(office.read("desk/trail.jsonl")).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let edit = |f: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
        f(&mut lines);
        lines.join("\n") + "\n"
    };
    let touched = [
        ("a line edited", 3, edit(&|l| l[2] = l[2].replace("\"opened\"", "\"denied\""))),
        ("a line removed", 4, edit(&|l| drop(l.remove(3)))),
        ("two lines swapped", 4, edit(&|l| l.swap(3, 4))),
        ("a line twice", 5, edit(&|l| l.insert(3, l[3].clone()))),
        ("the first line removed", 1, edit(&|l| drop(l.remove(0)))),
        ("white space", 4, edit(&|l| l[3] = l[3].replace("{\"seq\":", "{ \"seq\":"))),
        ("no record", 6, edit(&|l| l[5] = "{}".into())),
    ];
    for (what, line, text) in touched {
        assert_ne!(text, good, "{what}");
        office.write("desk/trail.jsonl", &text);
        office.denied("desk", "claims", 3, "bad-trail");
        assert_eq!(office.read("desk/trail.jsonl"), text.as_bytes(), "{what}: written to");
        let done = office.run("desk", &["--json", "trail", "verify"]);
        refused(&done, &["trail", "verify"], 5, "bad-trail");
        assert_eq!(done.json()["fault"]["line"], line, "{what}: {}", done.stderr);
        assert!(done.stderr.contains(&format!("line {line}: ")), "{what}: {}", done.stderr);
        // The same of a copy, without a home.
        office.write("copy", &text);
        assert_eq!(office.run("nobody", &["trail", "verify", "copy"]).status, 5, "{what}");
    }
    // Half a line is what a crash leaves: it is put aside in the open, and the trail goes on.
    office.write("desk/trail.jsonl", &good[..good.len() - 100]);
    assert_eq!(office.run("desk", &["trail", "verify"]).status, 5);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    let report = office.ok("desk", &["--json", "trail", "verify"]).json();
    assert_eq!(report["trail"]["repaired"], 1);
    let repair = office.records("desk").into_iter().find(|r| r["event"] == "repaired").unwrap();
    let lost = repair["lost_bytes"].as_u64().unwrap() as usize;
    assert_eq!(lost + 99, lines.last().unwrap().len());
}

/// Two people at one device at once, each with their own badge: each gets theirs, in one trail.
#[test]
fn two_sessions_with_different_badges() {
    let office = Office::at_work();
    office.seal_under("claims", &agents(json!({})));
    let badge = |subject: &str, role: &str| {
        office.issue("badge", subject, role, &[]);
        String::from_utf8(office.read("badge")).unwrap().trim().to_owned()
    };
    let (agent, clerk) = (badge("kim", "agent"), badge("lee", "clerk"));
    let session = |badge: &str| {
        let home = Home::at(office.path("desk"));
        let host = Host { badge: Some(badge.to_owned()), ..Host::default() };
        Session::start(&home, home.identity(None).unwrap(), host).unwrap()
    };
    let (agent, clerk) = (session(&agent), session(&clerk));
    let path = office.path("claims");
    let export = Access { right: Right::Export, ..Access::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                let mut out = Vec::new();
                agent.open_for(&path, export).unwrap().export(&mut out).unwrap();
                assert_eq!(out, TEXT);
            }
        });
        for _ in 0..20 {
            let e = clerk.open_for(&path, export).err().expect("a clerk is no agent");
            assert_eq!(e.code(), Code::Denied);
        }
    });
    // The badge of the one does not become the other's by a refresh.
    clerk.refresh().unwrap();
    assert!(clerk.open(&path).is_err());
    let count = |subject: &str, event: &str| {
        let records = office.records("desk").into_iter();
        records.filter(|r| r["subject"] == subject && r["event"] == event).count()
    };
    assert_eq!((count("kim", "exported"), count("kim", "denied")), (20, 0));
    assert_eq!((count("lee", "exported"), count("lee", "denied")), (0, 21));
    office.ok("desk", &["trail", "verify"]);
}
