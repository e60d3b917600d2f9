//! What the command does for people who do everything right, and what it tells them.

#![cfg(unix)]

mod office;

use office::{Office, bytes, finish, is_root, policy, seal_args};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    let named = office::names(&folder).into_iter().map(|name| {
        let content = fs::read(folder.join(&name)).unwrap();
        (name, content)
    });
    named.collect()
}

#[test]
fn sample_files_come_back_as_they_were() {
    let samples = samples();
    assert!(samples.len() >= 6);
    for kind in ["hybrid", "x25519"] {
        let office = Office::new(kind);
        office.folder("data");
        office.folder("out");
        for (name, content) in &samples {
            office.write(&format!("data/{name}"), content);
        }
        office.seal(&["-r", "data", "--label", "customer-data"]);
        for (name, content) in &samples {
            // Of a batch, under its own name, and by both recipients.
            office.ok("desk", &["open", &format!("data/{name}.bulla"), "-o", "out"]);
            assert!(office.read(&format!("out/{name}")) == *content, "{name}");
            let modified =
                |name: &str| fs::metadata(office.path(name)).unwrap().modified().unwrap();
            let apart = modified(&format!("data/{name}"))
                .duration_since(modified(&format!("out/{name}")))
                .expect("milliseconds are kept");
            assert!(apart < Duration::from_millis(1));
            assert!(office.opened("issuer", &format!("data/{name}.bulla")) == *content, "{name}");
            // And sealed alone.
            let alone = format!("{name}.alone");
            office.seal(&[&format!("data/{name}"), "-o", &alone]);
            assert!(office.opened("desk", &alone) == *content, "{name}");
            let sealed = office.read(&alone);
            let shown = |text: &[u8]| sealed.windows(text.len()).any(|w| w == text);
            assert!(!shown(&content[..64]) && !shown(name.as_bytes()), "{name} shows");
        }
        let inspected = office.inspect("data/customers.csv.bulla");
        assert_eq!(inspected["label"], "customer-data");
        assert_eq!(inspected["recipients"][0]["kind"], kind);
        assert_eq!(inspected["recipients"][0]["scope"], "batch");
        assert_eq!(inspected["signature"]["holds"], true);
    }
}

#[test]
fn sizes_at_the_edges_come_back_by_file_and_by_stream() {
    for kind in ["hybrid", "x25519"] {
        let office = Office::new(kind);
        for size in office::EDGES {
            let content = bytes(size, size as u64);
            office.write("plain", &content);
            office.seal(&["plain", "-o", "by-file", "--force"]);
            assert!(office.opened("desk", "by-file") == content, "{size}");
            office.ok("desk", &["open", "by-file", "-o", "out", "--force"]);
            assert!(office.read("out") == content, "{size}");

            let sealed = office.run_with("issuer", &seal_args(&["-", "-o", "-"]), &content);
            assert_eq!(sealed.status, 0, "{}", sealed.stderr);
            let opened = office.run_with("desk", &["open", "-", "-"], &sealed.stdout);
            assert_eq!(opened.status, 0, "{}", opened.stderr);
            assert!(opened.stdout == content, "{size}");

            // Files by streams, and streams by files.
            let opened = office.run_with("desk", &["open", "-", "-"], &office.read("by-file"));
            assert!(opened.stdout == content, "{size}");
            office.write("by-stream", &sealed.stdout);
            let inspected = office.inspect("by-stream");
            assert_eq!(inspected["content_size"], size);
            assert_eq!(inspected["sealed_size"], sealed.stdout.len());
            office.ok("desk", &["open", "by-stream", "-o", "out", "--force"]);
            assert!(office.read("out") == content, "{size}");
        }
        // Standard input, to a file and back.
        let args = seal_args(&["-", "-o", "from-stdin"]);
        assert_eq!(office.run_with("issuer", &args, b"piped").status, 0);
        let opened =
            office.run_with("desk", &["open", "-", "-o", "to-file"], &office.read("from-stdin"));
        assert_eq!(opened.status, 0, "{}", opened.stderr);
        assert_eq!(office.read("to-file"), b"piped");
    }
}

#[test]
fn in_place_keeps_mode_owner_and_times() {
    let office = Office::new("x25519");
    office.folder("tree/deep");
    let then = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    let files = [("tree/a.csv", 0o640), ("tree/deep/b.pdf", 0o400), ("tree/deep/c", 0o604)];
    for (i, (name, mode)) in files.into_iter().enumerate() {
        office.write(name, bytes(20_000 * i, i as u64));
        let path = office.path(name);
        if is_root() {
            chown(&path, Some(12_345), Some(23_456)).unwrap();
        }
        fs::File::open(&path).unwrap().set_modified(then).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let before: Vec<_> = files.map(|(n, _)| fs::metadata(office.path(n)).unwrap()).into();
    let done = office.seal(&["--in-place", "-r", "tree"]);
    assert_eq!(done.text().matches(" in place").count(), 3);
    assert_eq!(office.names("tree"), ["a.csv", "deep"]);
    assert_eq!(office.names("tree/deep"), ["b.pdf", "c"]);
    for (i, (name, mode)) in files.into_iter().enumerate() {
        let now = fs::metadata(office.path(name)).unwrap();
        assert_eq!(now.mode() & 0o7777, mode, "{name}");
        assert_eq!((now.uid(), now.gid()), (before[i].uid(), before[i].gid()), "{name}");
        assert_eq!(now.modified().unwrap(), then, "{name}");
        assert!(office.opened("desk", name) == bytes(20_000 * i, i as u64), "{name}");
    }
    // Once more: nothing is sealed twice, and it is said so.
    let again = office.seal(&["--in-place", "-r", "tree"]);
    assert_eq!(again.text().matches("sealed already").count(), 3);
    assert!(office.opened("desk", "tree/a.csv").is_empty());
}

#[test]
fn hidden_names() {
    let office = Office::new("x25519");
    office.write("Kim Minji claim.txt", "a claim");
    office.seal(&["--hide-name", "Kim Minji claim.txt"]);
    let envelope = office.names(".").into_iter().find(|n| n.ends_with(".bulla")).unwrap();
    let inspected = office.inspect(&envelope);
    assert_eq!(envelope, format!("{}.bulla", inspected["file"].as_str().unwrap()));
    let shown = office.ok("desk", &["inspect", &envelope]).text() + &inspected.to_string();
    assert!(!shown.contains("Minji"));
    assert!(!String::from_utf8_lossy(&office.read(&envelope)).contains("Minji"));
    office.folder("out");
    office.ok("desk", &["open", &envelope, "-o", "out"]);
    assert_eq!(office.names("out"), ["Kim Minji claim.txt"]);
}

#[test]
fn sealing_can_be_resumed() {
    let office = Office::new("x25519");
    office.folder("tree");
    office.write("tree/a", "first");
    office.seal(&["tree/a"]);
    let first = office.read("tree/a.bulla");
    for name in ["b", "c"] {
        office.write(&format!("tree/{name}"), name);
    }
    let done = office.seal(&["--json", "-r", "tree"]).json();
    // The plain file whose envelope is there, and the envelope itself.
    assert_eq!(done["skipped"], serde_json::json!(["tree/a", "tree/a.bulla"]));
    assert_eq!(done["sealed"].as_array().unwrap().len(), 2);
    assert_eq!(done["failed"], serde_json::json!([]));
    assert_eq!(office.read("tree/a.bulla"), first);
    let again = office.seal(&["-r", "tree"]).text();
    assert_eq!(again.matches("skipped").count(), 6, "{again}");

    // The plain file has changed since: its old envelope must not pass for a new one.
    let later = SystemTime::now() + Duration::from_secs(5);
    office.write("tree/a", "second");
    fs::File::open(office.path("tree/a")).unwrap().set_modified(later).unwrap();
    let stale = office.refused("issuer", &seal_args(&["-r", "tree"]), 1, "exists");
    assert!(stale.stderr.contains("tree/a:") && stale.stderr.contains("--force"));
    assert_eq!(office.opened("desk", "tree/a.bulla"), b"first");
    office.seal(&["--force", "tree/a"]);
    assert_eq!(office.opened("desk", "tree/a.bulla"), b"second");

    // Something else has the envelope's name.
    office.write("tree/d", "d");
    office.write("tree/d.bulla", "not an envelope");
    office.refused("issuer", &seal_args(&["tree/d"]), 1, "exists");
    assert_eq!(office.read("tree/d.bulla"), b"not an envelope");
}

#[test]
fn links() {
    let office = Office::new("x25519");
    office.folder("tree");
    office.folder("elsewhere");
    office.write("elsewhere/theirs", "not ours to seal");
    office.write("tree/mine", "mine");
    symlink("../elsewhere", office.path("tree/folder-link")).unwrap();
    symlink("../elsewhere/theirs", office.path("tree/file-link")).unwrap();
    symlink("nowhere", office.path("tree/broken-link")).unwrap();
    symlink(".", office.path("tree/loop")).unwrap();
    let done = office.seal(&["--json", "--in-place", "-r", "tree"]).json();
    assert_eq!(done["sealed"].as_array().unwrap().len(), 1);
    assert_eq!(office.read("elsewhere/theirs"), b"not ours to seal");
    assert_eq!(office.names("elsewhere"), ["theirs"]);
    assert!(fs::symlink_metadata(office.path("tree/file-link")).unwrap().is_symlink());

    // The other name would keep the plain content.
    office.write("one", "twice here");
    fs::hard_link(office.path("one"), office.path("two")).unwrap();
    office.refused("issuer", &seal_args(&["--in-place", "one"]), 2, "bad-argument");
    assert_eq!(office.read("one"), b"twice here");
    assert_eq!(office.read("two"), b"twice here");
    office.seal(&["one"]);
    assert_eq!(office.opened("desk", "one.bulla"), b"twice here");
}

/// A tree with the home in it: sealed to themselves, its keys would be lost.
#[test]
fn the_home_is_not_sealed_in_place() {
    let office = Office::new("x25519");
    office.write("file", "content");
    let keys = (office.read("issuer/root.key"), office.read("issuer/identity"));
    office.refused("issuer", &seal_args(&["--in-place", "-r", "."]), 2, "bad-argument");
    assert_eq!((office.read("issuer/root.key"), office.read("issuer/identity")), keys);
    let root = seal_args(&["--in-place", "issuer/../issuer/root.key"]);
    office.refused("issuer", &root, 2, "bad-argument");
    assert_eq!(office.opened("issuer", "file"), b"content");
}

#[test]
fn failures_are_told_at_the_end_and_stop_nothing() {
    let office = Office::new("x25519");
    for name in ["a", "b", "z"] {
        office.write(name, name);
    }
    office.folder("folder");
    office.write("taken", "plain");
    office.write("taken.bulla", "in the way");
    let made = std::process::Command::new("mkfifo").arg(office.path("pipe")).status();
    assert!(made.expect("mkfifo runs").success());
    let files = ["a", "missing", "folder", "b", "pipe", "taken", "/dev/null", "z"];
    let done = office.run("issuer", &seal_args(&files));
    // Of several kinds: the general status.
    assert_eq!(done.status, 1, "{}", done.stderr);
    let failed = |name: &str, code: &str| {
        let line = done.stderr.lines().find(|l| l.starts_with(&format!("bulla: {name}: ")));
        let line = line.unwrap_or_else(|| panic!("{name} is not reported: {}", done.stderr));
        assert!(line.ends_with(&format!("[{code}]")), "{line}");
    };
    failed("missing", "not-found");
    failed("folder", "bad-argument");
    failed("pipe", "bad-argument");
    failed("/dev/null", "bad-argument");
    failed("taken", "exists");
    assert_eq!(done.stderr.lines().count(), 5, "{}", done.stderr);
    for name in ["a", "b", "z"] {
        assert_eq!(office.opened("desk", &format!("{name}.bulla")), name.as_bytes());
        assert_eq!(office.read(name), name.as_bytes());
    }
    let done = office.run("issuer", &seal_args(&["--json", "missing", "gone", "a"]));
    assert_eq!(done.status, 1);
    let json = done.json();
    assert_eq!(json["failed"][1]["file"], "gone");
    assert_eq!(json["failed"][1]["code"], "not-found");
    assert_eq!(json["failed"][1]["class"], "io");
    assert_eq!(json["skipped"], serde_json::json!(["a"]));
    // All of one kind: its status.
    office.refused("issuer", &seal_args(&["pipe", "folder"]), 2, "bad-argument");
    // A pipe or device in a tree is no file to seal.
    fs::rename(office.path("pipe"), office.path("folder/pipe")).unwrap();
    office.write("folder/file", "beside a pipe");
    let done = office.seal(&["--json", "-r", "folder"]).json();
    assert_eq!(done["sealed"].as_array().unwrap().len(), 1);
    assert!(!done.to_string().contains("pipe"));
}

#[test]
fn teams() {
    let office = Office::new("x25519");
    office.device("desk 8", "x25519");
    let line =
        |name: &str| String::from_utf8(office.read(&format!("{name}/identity.pub"))).unwrap();
    let team = format!("# the claims team\n\n{}  {}\n", line("desk"), line("desk 8"));
    office.write("team", team);
    office.write("file", "for the team");
    let to = ["seal", "--policy", "policy.json", "--to", "team", "file"];
    office.ok("issuer", &to);
    for member in ["desk", "desk 8"] {
        assert_eq!(office.opened(member, "file.bulla"), b"for the team");
    }
    office.refused("issuer", &["open", "file.bulla", "-"], 3, "not-recipient");
    // A line as such, and one that stands in the team already.
    let desk = line("desk");
    let alone = ["seal", "--policy", "policy.json", "--to", desk.trim(), "file", "-o", "alone"];
    office.ok("issuer", &alone);
    let twice = ["seal", "--policy", "policy.json", "--to", "team", "--to", desk.trim(), "file"];
    office.refused("issuer", &twice, 2, "bad-argument");
    office.write("team", "bulla-x25519:AAAA\n");
    office.refused("issuer", &to, 4, "bad-key");
    office.write("team", "# nobody\n");
    office.refused("issuer", &to, 2, "bad-argument");
}

#[test]
fn passphrases() {
    let office = Office::new("x25519");
    let with = |home: &str, args: &[&str], passphrase: &str| {
        let mut command = office.command(home, args);
        command.env("BULLA_PASSPHRASE", passphrase);
        finish(command, b"")
    };
    let made = with("laptop", &["identity", "new", "--passphrase"], "correct horse");
    assert_eq!(made.status, 0, "{}", made.stderr);
    assert!(!String::from_utf8(office.read("laptop/identity")).unwrap().contains("signing"));
    // What is public needs no passphrase.
    office.ok("laptop", &["identity", "show"]);
    office.ok("laptop", &["trust", "pin", "issuer/root.pub"]);
    office.write("file", "secret");
    office.seal(&["--to", "laptop/identity.pub", "--mixed-kinds", "file"]);

    let open = ["open", "file.bulla", "-"];
    let right = with("laptop", &open, "correct horse");
    assert_eq!((right.status, &right.stdout[..]), (0, &b"secret"[..]), "{}", right.stderr);
    for wrong in ["correct horse ", "Correct horse", ""] {
        let done = with("laptop", &open, wrong);
        office::refused(&done, &open, 5, "wrong-passphrase");
        assert!(done.stdout.is_empty());
    }
    // Nobody to ask.
    office.refused("laptop", &open, 5, "wrong-passphrase");

    let made = with("office", &["init", "--name", "R", "--passphrase"], "root words");
    assert_eq!(made.status, 0, "{}", made.stderr);
    let seal = ["seal", "--policy", "policy.json", "--to", "desk/identity.pub", "file", "-o", "b"];
    office::refused(&with("office", &seal, "other words"), &seal, 5, "wrong-passphrase");
    assert!(!office.exists("b"));
    let sealed = with("office", &seal, "root words");
    assert_eq!(sealed.status, 0, "{}", sealed.stderr);
}

/// A clerk whom the issuer lets sign templates and permits, and a desk that seals under them.
fn delegation() -> Office {
    let office = Office::new("x25519");
    office.device("clerk", "x25519");
    let uses = ["--for", "template,permit", "-o", "list"];
    office.ok("issuer", &[&["trust", "sign", "--add", "clerk/identity.pub"], &uses[..]].concat());
    for home in ["clerk", "desk"] {
        office.ok(home, &["trust", "use", "list"]);
    }
    new_template(&office, "clerk", &[], "template");
    issue_permit(&office, "clerk", "template", "desk", "90d", "permit");
    office.write("notes", "a new file");
    office
}

fn new_template(office: &Office, home: &str, more: &[&str], output: &str) {
    let root = office.ok("issuer", &["--json", "trust", "show"]).json();
    let root = root["roots"][0]["root"].as_str().unwrap();
    let terms = ["template", "new", "--name", "claims", "--label", "claims", "--policy"];
    let to = ["policy.json", "--to", "issuer/identity.pub", "desk/identity.pub"];
    office.ok(home, &[&terms[..], &to, &["--root", root, "-o", output], more].concat());
}

fn issue_permit(office: &Office, home: &str, template: &str, to: &str, long: &str, output: &str) {
    let to = format!("{to}/identity.pub");
    let what = ["permit", "issue", "--template", template, "--to", &to];
    office.ok(home, &[&what[..], &["--for", long, "-o", output]].concat());
}

/// Nothing stands beside what goes to standard output.
#[test]
fn templates_and_permits_go_through_pipes() {
    let office = delegation();
    let template = ["template", "new", "--name", "piped", "--policy", "policy.json", "--to"];
    let template = [&template[..], &["desk/identity.pub", "-o", "-"]].concat();
    office.write("piped", office.ok("issuer", &template).stdout);
    let permit = ["permit", "issue", "--template", "piped", "--to", "desk/identity.pub"];
    let permit = [&permit[..], &["--for", "1d", "-o", "-"]].concat();
    office.write("piped-permit", office.ok("issuer", &permit).stdout);
    office.ok("desk", &["permit", "use", "piped-permit"]);
    office.ok("desk", &["seal", "--template", "piped", "notes"]);
}

const DELEGATED: [&str; 4] = ["seal", "--template", "template", "notes"];

#[test]
fn devices_seal_under_templates() {
    let office = delegation();
    office.refused("desk", &DELEGATED, 3, "not-permitted");
    office.ok("desk", &["permit", "use", "permit"]);
    office.ok("desk", &DELEGATED);
    for reader in ["desk", "issuer"] {
        assert_eq!(office.opened(reader, "notes.bulla"), b"a new file");
    }
    let inspected = office.inspect("notes.bulla");
    assert_eq!(inspected["seq"], 0);
    assert_eq!(inspected["label"], "claims");
    assert_eq!(inspected["delegation"]["device"], office.thumbprint("desk"));
    assert_eq!(inspected["delegation"]["template_name"], "claims");
    assert_eq!(inspected["signature"]["holds"], true);
    // Several in a batch, and a stream.
    office.folder("tree");
    for name in ["tree/a", "tree/b"] {
        office.write(name, name);
    }
    office.ok("desk", &["seal", "--template", "template", "-r", "tree"]);
    assert_eq!(office.opened("issuer", "tree/b.bulla"), b"tree/b");
    assert_eq!(office.inspect("tree/b.bulla")["recipients"][0]["scope"], "batch");
    let piped = ["seal", "--template", "template", "-", "-o", "-"];
    let sealed = office.run_with("desk", &piped, b"from a pipe").stdout;
    assert_eq!(office.run_with("issuer", &["open", "-", "-"], &sealed).stdout, b"from a pipe");
    // For roles: nobody can show one yet, so nobody seals.
    new_template(&office, "clerk", &["--seal-role", "claims-agent"], "for-agents");
    issue_permit(&office, "clerk", "for-agents", "desk", "90d", "permit-2");
    office.ok("desk", &["permit", "use", "permit-2"]);
    office.refused("desk", &["seal", "--template", "for-agents", "list"], 3, "not-permitted");
    // The terms are the template's.
    for own in [["--label", "x"], ["--policy", "policy.json"], ["--to", "desk/identity.pub"]] {
        assert_eq!(office.run("desk", &[&DELEGATED[..], &own].concat()).status, 2);
    }
    // Its root may re-license the file, and then counts itself.
    office.device("visitor", "x25519");
    office.ok("issuer", &["relicense", "notes.bulla", "--add", "visitor/identity.pub"]);
    let inspected = office.inspect("notes.bulla");
    assert_eq!((&inspected["seq"], &inspected["delegation"]), (&Value::from(1), &Value::Null));
    // The visitor has no trust list, and needs none for that.
    assert_eq!(office.opened("visitor", "notes.bulla"), b"a new file");
}

#[test]
fn permits_are_for_one_device_and_for_a_time() {
    let office = delegation();
    office.device("thief", "x25519");
    office.ok("thief", &["trust", "use", "list"]);
    office.refused("thief", &["permit", "use", "permit"], 3, "not-permitted");
    office.folder("thief/permits");
    office.write("thief/permits/stolen", office.read("permit"));
    office.refused("thief", &DELEGATED, 3, "not-permitted");

    office.write("other", "another file");
    issue_permit(&office, "clerk", "template", "desk", "2s", "short");
    let until = SystemTime::now() + Duration::from_millis(2100);
    office.ok("desk", &["permit", "use", "short"]);
    office.ok("desk", &DELEGATED);
    std::thread::sleep(until.duration_since(SystemTime::now()).unwrap_or_default());
    let again = ["seal", "--template", "template", "other"];
    office.refused("desk", &again, 3, "not-permitted");
    assert!(!office.exists("other.bulla"));
    // What was sealed in time stays readable.
    assert_eq!(office.opened("issuer", "notes.bulla"), b"a new file");
    // The one that counts longest is taken.
    office.ok("desk", &["permit", "use", "permit"]);
    office.ok("desk", &again);
}

#[test]
fn only_keys_of_the_trust_list_make_templates() {
    let office = delegation();
    // Somebody whom the list does not name, though they are a proper device.
    office.device("upstart", "x25519");
    office.ok("upstart", &["trust", "use", "list"]);
    new_template(&office, "upstart", &[], "wild");
    issue_permit(&office, "upstart", "wild", "desk", "1d", "wild-permit");
    office.ok("desk", &["permit", "use", "wild-permit"]);
    office.refused("desk", &["seal", "--template", "wild", "notes"], 3, "not-trusted");
    // A permit for a template, but not by its signer.
    issue_permit(&office, "upstart", "template", "desk", "1d", "wild-permit");
    office.ok("desk", &["permit", "use", "wild-permit"]);
    let done = office.run("desk", &DELEGATED);
    assert_eq!(done.status, 3, "{}", done.stderr);
    assert!(!office.exists("notes.bulla"));

    fs::remove_dir_all(office.path("desk/permits")).unwrap();
    office.ok("desk", &["permit", "use", "permit"]);
    office.ok("desk", &DELEGATED);
    // A reader without the root's list does not believe it.
    office.device("new reader", "x25519");
    let seen = office.ok("new reader", &["--json", "inspect", "notes.bulla"]).json();
    assert_eq!(seen["signature"]["holds"], false);
    for file in ["identity", "trail.jsonl"] {
        let to = office.path("new reader").join(file);
        fs::copy(office.path("desk").join(file), to).unwrap();
    }
    office.refused("new reader", &["open", "notes.bulla", "-"], 3, "not-trusted");

    // The clerk leaves: what was made under their templates no longer counts.
    let clerk = office.thumbprint("clerk");
    office.ok("issuer", &["trust", "sign", "--remove", &clerk, "-o", "list-3"]);
    office.ok("desk", &["open", "notes.bulla", "-"]);
    office.ok("desk", &["trust", "use", "list-3"]);
    for home in ["issuer", "desk"] {
        office.refused(home, &["open", "notes.bulla", "-"], 3, "not-trusted");
    }
    office.refused("desk", &["seal", "--template", "template", "policy.json"], 3, "not-trusted");
    // An older list does not bring them back.
    office.refused("desk", &["trust", "use", "list"], 3, "rollback");
    office.refused("desk", &["open", "notes.bulla", "-"], 3, "not-trusted");
    // Only for what it was named: for permits alone it makes no templates.
    let uses = ["--for", "permit", "-o", "list-4"];
    office.ok("issuer", &[&["trust", "sign", "--add", "clerk/identity.pub"], &uses[..]].concat());
    office.refused("issuer", &["open", "notes.bulla", "-"], 3, "not-trusted");
}

#[test]
fn trust_lists_expire() {
    let office = delegation();
    office.ok("desk", &["permit", "use", "permit"]);
    office.ok("desk", &DELEGATED);
    office.seal(&["notes", "-o", "issued"]);
    office.ok("issuer", &["trust", "sign", "--valid", "1s", "-o", "short"]);
    office.ok("desk", &["trust", "use", "short"]);
    std::thread::sleep(Duration::from_millis(2100));
    office.refused("desk", &["open", "notes.bulla", "-"], 3, "not-trusted");
    office.refused("desk", &["seal", "--template", "template", "policy.json"], 3, "not-trusted");
    // The root's own word needs no list.
    assert_eq!(office.opened("desk", "issued"), b"a new file");
}

#[test]
fn relicensing_adds_recipients() {
    let office = Office::new("x25519");
    office.device("visitor", "x25519");
    let content = bytes(40_000, 3);
    for name in ["a", "b"] {
        office.write(name, &content);
    }
    office.seal(&["a", "b"]);
    let before = office.inspect("a.bulla");
    let old = office.read("a.bulla");
    fs::set_permissions(office.path("a.bulla"), fs::Permissions::from_mode(0o640)).unwrap();
    office.refused("visitor", &["open", "a.bulla", "-"], 3, "not-recipient");

    let add = ["--json", "relicense", "a.bulla", "--add", "visitor/identity.pub"];
    let done = office.ok("issuer", &add).json();
    assert_eq!(done["relicensed"][0]["seq"], 2);
    assert_eq!(done["relicensed"][0]["reencrypted"], false);
    for home in ["visitor", "desk", "issuer"] {
        assert!(office.opened(home, "a.bulla") == content, "{home}");
    }
    let (after, new) = (office.inspect("a.bulla"), office.read("a.bulla"));
    assert_eq!(after["seq"], 2);
    assert_eq!(after["file"], before["file"]);
    assert_ne!(after["license"], before["license"]);
    assert_eq!(after["revision"], 1);
    // Line 2 and the payload as they were, byte for byte.
    let payload = |sealed: &[u8]| sealed[sealed.len() - 40_104..].to_vec();
    assert_eq!(payload(&old), payload(&new));
    let line2 = |sealed: &[u8]| sealed[12..].split(|b| *b == b'\n').nth(1).unwrap().to_vec();
    assert_eq!(line2(&old), line2(&new));
    assert_eq!(fs::metadata(office.path("a.bulla")).unwrap().mode() & 0o777, 0o640);

    // The batch's key is not given away with it: only this file's.
    let scopes: Vec<_> =
        after["recipients"].as_array().unwrap().iter().map(|r| r["scope"].clone()).collect();
    assert_eq!(scopes, ["batch", "batch", "file"]);
    assert_eq!(after["recipients"][2]["key"], office.key_id("visitor"));
    assert_eq!(after["batch"], before["batch"]);
    office.refused("visitor", &["open", "b.bulla", "-"], 3, "not-recipient");

    // A recipient that is one already; several files, of which some fail.
    office.refused("issuer", &add[1..], 2, "bad-argument");
    let files = ["relicense", "missing", "b.bulla", "policy.json", "--add", "visitor/identity.pub"];
    let done = office.run("issuer", &files);
    assert_eq!(done.status, 1);
    assert!(done.stderr.contains("missing: ") && done.stderr.contains("policy.json: "));
    assert!(office.opened("visitor", "b.bulla") == content);
    assert_eq!(office.read("policy.json"), office::POLICY.as_bytes());
    // Nothing to change.
    assert_eq!(office.run("issuer", &["relicense", "a.bulla"]).status, 2);
}

#[test]
fn relicensing_changes_the_policy() {
    let office = Office::new("x25519");
    office.write("a", "content");
    office.write("b", "content");
    office.seal(&["a", "b"]);
    office.write("view.json", policy(&["view"]));
    let change = ["relicense", "a.bulla", "--policy", "view.json"];
    office.ok("issuer", &change);
    let after = office.inspect("a.bulla");
    assert_eq!((&after["seq"], &after["revision"]), (&2.into(), &1.into()));
    assert_eq!(after["policy"]["grants"][0]["rights"], serde_json::json!(["view"]));
    // Wraps are bound to the policy, so all are new, and of this file alone.
    assert_eq!(after["batch"], Value::Null);
    assert!(after["recipients"].as_array().unwrap().iter().all(|r| r["scope"] == "file"));
    for home in ["desk", "issuer"] {
        office.refused(home, &["open", "a.bulla", "-"], 3, "missing-right");
    }
    // The policy does not bind its issuer, who can loosen it again.
    office.ok("issuer", &["relicense", "a.bulla", "--policy", "policy.json"]);
    assert_eq!(office.opened("desk", "a.bulla"), b"content");
    assert_eq!(office.inspect("a.bulla")["seq"], 3);

    // Whose public keys are not known here cannot be wrapped to; with them it works.
    fs::remove_file(office.path("issuer/recipients")).unwrap();
    office.refused("issuer", &change, 2, "bad-argument");
    assert_eq!(office.opened("desk", "a.bulla"), b"content");
    office.ok("issuer", &[&change[..], &["--known", "desk/identity.pub"]].concat());
    office.refused("desk", &["open", "a.bulla", "-"], 3, "missing-right");
    // A policy that is none.
    office.write("bad.json", "{}");
    let bad = ["relicense", "b.bulla", "--policy", "bad.json"];
    office.refused("issuer", &bad, 2, "bad-policy");
    assert_eq!(office.opened("desk", "b.bulla"), b"content");
}

#[test]
fn relicensing_removes_recipients() {
    let office = Office::new("hybrid");
    office.device("leaver", "hybrid");
    let content = bytes(70_000, 4);
    office.write("a", &content);
    office.write("b", &content);
    office.seal(&["a", "b", "--to", "leaver/identity.pub"]);
    assert!(office.opened("leaver", "a.bulla") == content);
    let old = office.read("a.bulla");
    let leaver = office.key_id("leaver");
    let done = office.ok("issuer", &["relicense", "a.bulla", "--remove", &leaver]);
    assert!(done.text().contains("copies that were taken before stay readable"));
    let refused = office.refused("leaver", &["open", "a.bulla", "-"], 3, "not-recipient");
    assert!(refused.stdout.is_empty());
    for home in ["desk", "issuer"] {
        assert!(office.opened(home, "a.bulla") == content, "{home}");
    }
    let after = office.inspect("a.bulla");
    assert_eq!((&after["seq"], &after["revision"]), (&2.into(), &2.into()));
    assert_eq!(after["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(after["batch"], Value::Null);
    // Under a fresh key: the old license does not open the new payload.
    let new = office.read("a.bulla");
    assert_eq!(new.len() - after["header_size"].as_u64().unwrap() as usize, 70_136);
    let tails = [&old, &new].map(|sealed| &sealed[sealed.len() - 70_136..]);
    assert!(tails[0] != tails[1]);
    office.write("spliced", [&old[..old.len() - 70_136], tails[1]].concat());
    office.refused("leaver", &["open", "spliced", "-"], 5, "bad-commitment");
    // The metadata came along.
    office.folder("out");
    office.ok("desk", &["open", "a.bulla", "-o", "out"]);
    assert_eq!(office.names("out"), ["a"]);

    office.refused("issuer", &["relicense", "a.bulla", "--remove", &leaver], 2, "bad-argument");
    let all = [office.key_id("desk"), office.key_id("issuer")];
    let none = ["relicense", "a.bulla", "--remove", &all[0], "--remove", &all[1]];
    office.refused("issuer", &none, 2, "bad-argument");
    assert!(office.opened("desk", "a.bulla") == content);
    // Nobody goes and comes back in one step; one goes and another comes.
    let swap = ["relicense", "b.bulla", "--remove", &all[0], "--add", "desk/identity.pub"];
    office.refused("issuer", &swap, 2, "bad-argument");
    office.device("joiner", "hybrid");
    let add = ["--add", "joiner/identity.pub"];
    office.ok("issuer", &[&["relicense", "b.bulla", "--remove", &leaver], &add[..]].concat());
    assert!(office.opened("joiner", "b.bulla") == content);
    office.refused("leaver", &["open", "b.bulla", "-"], 3, "not-recipient");
}

#[test]
fn inspecting_needs_no_keys_and_no_home() {
    let office = Office::new("hybrid");
    office.write("file", "content");
    office.seal(&["file", "--label", "claims"]);
    let text = office.ok("no-such-home", &["inspect", "file.bulla"]).text();
    for shown in ["claims", "open-office", "7 bytes", "hybrid", "not checked"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!office.exists("no-such-home"), "inspecting made a home");
    // Neither a home nor anything to derive one from.
    let mut bare = std::process::Command::new(env!("CARGO_BIN_EXE_bulla"));
    bare.current_dir(office.path(".")).env_clear().args(["inspect", "file.bulla"]);
    assert_eq!(finish(bare, b"").status, 0);
    let seen = office.inspect("file.bulla");
    assert_eq!(seen["format"], 1);
    assert_eq!(seen["signature"]["holds"], true);
    // An exchanged license is shown, and said to be refused.
    let mut changed = office.read("file.bulla");
    let end = 12 + changed[12..].iter().position(|b| *b == b'\n').unwrap();
    changed[end - 40] = if changed[end - 40] == b'A' { b'B' } else { b'A' };
    office.write("changed", changed);
    assert!(office.ok("desk", &["inspect", "changed"]).text().contains("REFUSED"));
    assert_eq!(office.inspect("changed")["signature"]["holds"], false);
}

#[test]
fn json_is_one_value() {
    let office = Office::new("x25519");
    office.device("visitor", "x25519");
    office.write("file", "content");
    let json = |home: &str, args: &[&str]| office.ok(home, &[&["--json"], args].concat()).json();
    assert!(json("other", &["init", "--name", "R"])["root"].is_string());
    let made = json("other", &["identity", "new"]);
    assert_eq!(made["kind"], "hybrid");
    assert_eq!(json("other", &["identity", "show"]), made);
    assert_eq!(json("other", &["trust", "pin", "issuer/root.pub"])["name"], "Hanbit Insurance");
    assert_eq!(json("other", &["trust", "show"])["roots"].as_array().unwrap().len(), 2);
    assert_eq!(json("issuer", &["trust", "sign", "-o", "list"])["seq"], 2);
    assert_eq!(json("desk", &["trust", "use", "list"])["seq"], 2);
    let template = ["template", "new", "--name", "t", "--policy", "policy.json", "-o", "template"];
    let to = ["--to", "desk/identity.pub"];
    assert!(json("issuer", &[&template[..], &to].concat())["template"].is_string());
    let permit = ["permit", "issue", "--template", "template", "--for", "1h", "-o", "permit"];
    let issued = json("issuer", &[&permit[..], &to].concat());
    assert_eq!(json("desk", &["permit", "use", "permit"])["permit"], issued["permit"]);
    assert_eq!(
        json("desk", &["seal", "--template", "template", "file"])["failed"],
        Value::from(vec![0; 0])
    );
    assert!(json("issuer", &seal_args(&["file", "-o", "one"]))["sealed"][0]["id"].is_string());
    assert_eq!(json("desk", &["open", "one", "-o", "out"])["size"], 7);
    assert_eq!(json("desk", &["inspect", "one"])["format"], 1);
    let relicense = ["relicense", "one", "--add", "visitor/identity.pub"];
    assert_eq!(json("issuer", &relicense)["relicensed"][0]["seq"], 2);

    let refused = office.run("desk", &["--json", "open", "policy.json", "-o", "out"]);
    let error = &refused.json()["error"];
    assert_eq!((&error["code"], &error["number"]), (&"not-sealed".into(), &200.into()));
    assert_eq!(error["class"], "format");
    assert_eq!(refused.status, 4);
}

#[test]
fn exit_codes() {
    let office = Office::new("x25519");
    office.device("visitor", "x25519");
    office.write("file", "content");
    office.seal(&["file"]);
    let status = |home: &str, args: &[&str]| office.run(home, args).status;
    // 0: done; help and version are no errors.
    assert_eq!(status("desk", &["open", "file.bulla", "-"]), 0);
    assert_eq!(status("desk", &["--help"]), 0);
    assert_eq!(status("desk", &["--version"]), 0);
    // 1: the system, or a home that lacks something.
    assert_eq!(status("desk", &["open", "missing", "-"]), 1);
    assert_eq!(status("nobody", &["open", "file.bulla", "-"]), 1);
    assert_eq!(status("desk", &seal_args(&["file", "-o", "x"])), 1);
    // 2: wrong usage.
    assert_eq!(status("desk", &[]), 2);
    assert_eq!(status("desk", &["open", "file.bulla"]), 2);
    assert_eq!(status("desk", &["no-such-command"]), 2);
    assert_eq!(status("issuer", &["seal", "file", "--policy", "policy.json"]), 2);
    assert_eq!(status("issuer", &seal_args(&["--in-place", "--hide-name", "file"])), 2);
    assert_eq!(status("issuer", &seal_args(&["-"])), 2);
    assert_eq!(status("issuer", &seal_args(&["file", "policy.json", "-o", "x"])), 2);
    // 3: denied.
    assert_eq!(status("visitor", &["open", "file.bulla", "-"]), 3);
    // 4: not sealed, or no format that we read.
    assert_eq!(status("desk", &["open", "file", "-"]), 4);
    assert_eq!(status("desk", &["trust", "use", "file"]), 4);
    // 5: tampered.
    let mut changed = office.read("file.bulla");
    *changed.last_mut().unwrap() ^= 1;
    office.write("changed", changed);
    assert_eq!(status("desk", &["open", "changed", "-"]), 5);
}
