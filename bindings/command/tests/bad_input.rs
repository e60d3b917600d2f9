//! Bad input to the command: a clear message, its own error code, and nothing lost or half-written.

#![cfg(unix)]

mod office;

use data_encoding::BASE64URL_NOPAD;
use office::rights::by;
use office::{Done, Office, OwnDisk, Random, bytes, finish, policy, refused, seal_args};
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

/// An office with `file` and its envelope `good`.
fn office(content: &[u8]) -> Office {
    let office = Office::new("x25519");
    office.write("file", content);
    office.seal(&["file", "-o", "good"]);
    office
}

/// Refused by file and by stream, and `-o` leaves nothing behind.
#[track_caller]
fn not_opened(office: &Office, sealed: &[u8], status: i32, code: &str) {
    office.write("bad", sealed);
    let before = office.names(".");
    office.refused("desk", &["open", "bad", "-o", "out"], status, code);
    assert_eq!(office.names("."), before, "something was left behind");
    let done = office.run_with("desk", &["open", "-", "-o", "out"], sealed);
    assert_eq!(done.status, status, "by stream: {}", done.stderr);
    assert!(!done.stderr.contains("panicked"));
    assert_eq!(office.names("."), before, "something was left behind");
}

#[test]
fn not_sealed() {
    let office = office(b"content");
    let good = office.read("good");
    for plain in
        [&b""[..], b"a", b"\x89", b"\x89BULL", b"\x89bulla\x01\n", b"PK\x03\x04", &[0; 9999]]
    {
        not_opened(&office, plain, 4, "not-sealed");
        office.write("plain", plain);
        office.refused("desk", &["inspect", "plain"], 4, "not-sealed");
        let relicense = ["relicense", "plain", "--add", "desk/identity.pub"];
        office.refused("issuer", &relicense, 4, "not-sealed");
        assert_eq!(office.read("plain"), plain);
    }
    // A newer format is no plain file: it must not be sealed again either.
    let mut newer = good.clone();
    newer[6] = 2;
    not_opened(&office, &newer, 4, "unsupported-version");
    office.write("newer", &newer);
    let again = office.seal(&["newer"]);
    assert!(again.text().contains("sealed already"));
    office.refused("issuer", &seal_args(&["good", "-o", "twice"]), 2, "bad-argument");
    for (at, byte) in [(7, b'\r'), (8, 1), (9, 0), (11, 1)] {
        let mut bad = good.clone();
        bad[at] = byte;
        not_opened(&office, &bad, 4, "bad-header");
    }
    office.refused("desk", &["open", "missing", "-"], 1, "not-found");
    office.refused("desk", &["open", "desk", "-"], 1, "io");
}

/// Where a gibibyte is more than there is.
fn with_little_memory(office: &Office, args: &[&str]) -> Done {
    let command = office.command("desk", args);
    let program = command.get_program().to_str().expect("a path that is text");
    let limited = office.path("limited");
    fs::write(&limited, format!("#!/bin/sh\nulimit -v 1000000\nexec '{program}' \"$@\"\n"))
        .unwrap();
    fs::set_permissions(&limited, fs::Permissions::from_mode(0o700)).unwrap();
    let done = finish(by(&limited, &command), b"");
    fs::remove_file(limited).unwrap();
    done
}

/// Offsets of up to 4 GiB, and what follows them is not there.
#[test]
fn huge_headers_take_no_memory() {
    let office = office(b"content");
    for at in [0, 4095, 4097, (4 << 20) + 4096, 1 << 30, u32::MAX - 4095, u32::MAX] {
        let mut bad = office.read("good");
        bad[8..12].copy_from_slice(&at.to_le_bytes());
        not_opened(&office, &bad, 4, "bad-header");
        let done = with_little_memory(&office, &["open", "bad", "-o", "out"]);
        assert!(done.stderr.contains("[bad-header]"), "{at}: {}", done.stderr);
    }
    let mut bad = office.read("good");
    bad[8..12].copy_from_slice(&(4u32 << 20).to_le_bytes());
    not_opened(&office, &bad, 4, "bad-length");
    // A header that goes on without an end.
    let endless = [&bad[..12], &vec![b'A'; 5 << 20]].concat();
    not_opened(&office, &endless, 4, "bad-header");
}

/// The exhaustive tests are in `tamper.rs`; here it is what the command makes of it.
#[test]
fn cut_and_changed_files_leave_nothing() {
    let content = bytes(100_000, 1);
    let office = office(&content);
    let good = office.read("good");
    let mut random = Random(3);
    for _ in 0..12 {
        let n = 12 + random.below(good.len() - 12);
        office.write("bad", &good[..n]);
        let done = office.run("desk", &["open", "bad", "-o", "out"]);
        assert!([4, 5].contains(&done.status), "cut to {n}: {}", done.stderr);
        assert!(!office.exists("out"), "cut to {n}");

        let mut bad = good.clone();
        bad[4096 + random.below(good.len() - 4096)] ^= 1 << random.below(8);
        office.write("bad", &bad);
        let done = office.run("desk", &["open", "bad", "-o", "out"]);
        assert_eq!(done.status, 5, "{}", done.stderr);
        assert!(!office.exists("out"));
        // What goes to a pipe before the change is met is right.
        let done = office.run("desk", &["open", "bad", "-"]);
        assert_eq!(done.status, 5);
        assert!(content.starts_with(&done.stdout) && done.stdout != content);
    }
    // An existing output stays, also with --force.
    office.write("out", "precious");
    let mut bad = good.clone();
    bad[good.len() - 40_000] ^= 1;
    office.write("bad", &bad);
    office.refused("desk", &["open", "bad", "-o", "out", "--force"], 5, "bad-chunk");
    assert_eq!(office.read("out"), b"precious");
    // So does a changed file that is to be re-licensed.
    for args in [["--add", "new/identity.pub"], ["--policy", "policy.json"]] {
        office.run("new", &["identity", "new", "--kind", "x25519"]);
        for at in [good.len() - 1, 4096 + 30, 100] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            office.write("bad", &bad);
            let done = office.run("issuer", &[&["relicense", "bad"], &args[..]].concat());
            assert!([4, 5].contains(&done.status), "byte {at}: {}", done.stderr);
            assert_eq!(office.read("bad"), bad);
        }
    }
    let remove = office.key_id("desk");
    office.write("bad", &bad);
    office.refused("issuer", &["relicense", "bad", "--remove", &remove], 5, "bad-chunk");
    office.write("bad-2", &good);
    assert_eq!(office.names(".").iter().filter(|n| n.starts_with(".bulla")).count(), 0);
}

/// A file of another root, whatever the device's user has added on their own.
#[test]
fn own_keys_gain_nothing() {
    let office = office(b"content");
    // Another insurer's file, sealed to the desk; the desk does not know that root.
    office.ok("rival", &["init", "--name", "Rival"]);
    let seal = ["seal", "--policy", "policy.json", "--to", "desk/identity.pub", "file"];
    office.ok("rival", &[&seal[..], &["-o", "theirs"]].concat());
    office.refused("desk", &["open", "theirs", "-"], 3, "unknown-root");
    // A device that pins another root alone.
    fs::create_dir(office.path("stray")).unwrap();
    fs::copy(office.path("desk/identity"), office.path("stray/identity")).unwrap();
    fs::copy(office.path("desk/identity.pub"), office.path("stray/identity.pub")).unwrap();
    fs::copy(office.path("desk/trail.jsonl"), office.path("stray/trail.jsonl")).unwrap();
    office.ok("stray", &["trust", "pin", "rival/root.pub"]);
    office.refused("stray", &["open", "good", "-"], 3, "unknown-root");

    // A visitor makes a root of their own, and lets it say everything.
    office.device("visitor", "x25519");
    office.ok("visitor", &["init", "--name", "Me"]);
    let me = ["--add", "visitor/identity.pub", "--for", "template,permit,badge,attestation"];
    office.ok("visitor", &[&["trust", "sign", "-o", "my-list"], &me[..]].concat());
    office.refused("visitor", &["open", "good", "-"], 3, "not-recipient");
    let add = ["relicense", "good", "--add", "visitor/identity.pub"];
    office.refused("visitor", &add, 3, "not-permitted");
    // Nor can a recipient loosen the terms, or speak for the insurer.
    office.ok("desk", &["init", "--name", "Me, too"]);
    office.write("view.json", policy(&["view"]));
    office.ok("issuer", &["relicense", "good", "--policy", "view.json"]);
    office.refused("desk", &["open", "good", "-"], 3, "missing-right");
    let loosen = ["relicense", "good", "--policy", "policy.json"];
    office.refused("desk", &loosen, 3, "not-permitted");
    // A template for the insurer's files, signed by the desk's own root.
    let roots = office.ok("issuer", &["--json", "trust", "show"]).json();
    let insurer = roots["roots"][0]["root"].as_str().unwrap();
    let template = ["template", "new", "--name", "t", "--policy", "policy.json", "--root", insurer];
    let to = ["--to", "desk/identity.pub"];
    office.ok("desk", &[&template[..], &to, &["-o", "template"]].concat());
    let permit = ["permit", "issue", "--template", "template", "--for", "1d", "-o", "permit"];
    office.ok("desk", &[&permit[..], &to].concat());
    office.ok("desk", &["permit", "use", "permit"]);
    let first = office.path("issuer/trust").join(insurer);
    office.ok("desk", &["trust", "use", first.to_str().unwrap()]);
    let seal = ["seal", "--template", "template", "file"];
    office.refused("desk", &seal, 3, "not-trusted");
    office.ok("desk", &["trust", "sign", "-o", "my-own-list"]);
    // Their list is no list of the insurer, under whatever name it is put into the home.
    fs::copy(office.path("my-list"), office.path("desk/trust").join(insurer)).unwrap();
    let planted = office.run("desk", &["open", "good", "-"]);
    assert_eq!(planted.status, 3, "{}", planted.stderr);
    assert!(planted.stdout.is_empty());
    // A list of a pinned root under the insurer's name says nothing about the insurer's files.
    fs::copy(office.path("my-own-list"), office.path("desk/trust").join(insurer)).unwrap();
    office.refused("desk", &seal, 3, "rollback");
}

#[test]
fn trust_lists_do_not_go_back() {
    let office = office(b"content");
    for list in ["list-2", "list-3"] {
        office.ok("issuer", &["trust", "sign", "-o", list]);
    }
    office.refused("visitor", &["trust", "use", "list-2"], 3, "unknown-root");
    office.ok("desk", &["trust", "use", "list-3"]);
    office.refused("desk", &["trust", "use", "list-2"], 3, "rollback");
    let shown = office.ok("desk", &["--json", "trust", "show"]).json();
    assert_eq!(shown["roots"][0]["list"]["seq"], 3);
    office.ok("desk", &["trust", "use", "list-3"]);
    // Changed, or by another root.
    let list = String::from_utf8(office.read("list-3")).unwrap();
    let mut changed = list.trim().to_owned().into_bytes();
    let at = changed.len() - 30;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    office.write("changed", changed);
    office.refused("desk", &["trust", "use", "changed"], 5, "bad-signature");
    office.write("cut", &list[..list.len() / 2]);
    office.refused("desk", &["trust", "use", "cut"], 4, "bad-token");
}

/// Wycheproof's JSON Web Keys, as somebody would take them from a single sign-on.
#[test]
fn weak_keys_for_a_trust_list() {
    let office = office(b"content");
    let vectors =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/wycheproof/json_web_key.json");
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(vectors).unwrap()).unwrap();
    let sign = "trust sign --add key --for badge --iss https://sso.example --aud desk -o list";
    let sign: Vec<_> = sign.split(' ').collect();
    for (comment, text) in [
        ("acceptsValid", None),
        ("rejectsPublicExponent1", Some("exponent")),
        ("rejectsKeyWithRocaVulnerability", Some("CVE-2017-15361")),
        ("rejects1024bitRsaKey", Some("not a public key")),
    ] {
        let groups = vectors["testGroups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["tests"][0]["comment"] == comment).unwrap();
        let key = &group["public"]["keys"][0];
        let key = serde_json::json!({"kty": key["kty"], "n": key["n"], "e": key["e"]});
        office.write("key", key.to_string());
        match text {
            None => drop(office.ok("issuer", &sign)),
            Some(text) => {
                let refused = office.refused("issuer", &sign, 4, "bad-key");
                assert!(refused.stderr.contains(text), "{}", refused.stderr);
            }
        }
    }
}

/// Policies that this desk, without badge, ticket, lists and a program to carry out duties, does
/// not satisfy; and what is no policy.
#[test]
fn policies_that_are_not_satisfied() {
    let office = office(b"content");
    let grant = |grant: &str| format!(r#"{{"version":1,"name":"n","grants":[{grant}]}}"#);
    let plain = r#"{"to":["anyone"],"rights":["view","export"]}"#;
    for (i, other) in [
        grant(r#"{"to":[{"role":"claims-agent"}],"rights":["view","export"]}"#),
        grant(r#"{"to":["anyone"],"rights":["view","export"],"when":{"ticket":true}}"#),
        grant(r#"{"to":["anyone"],"rights":["view","export"],"duties":["watermark"]}"#),
        grant(&format!(r#"{plain},{{"to":["anyone"],"rights":["export"],"duties":["wipe"]}}"#))
            .replace(r#""view","export""#, r#""export""#),
        grant(r#"{"to":["anyone"],"rights":["view","export"],"when":{"storage":"network"}}"#),
        grant(plain).replace("\"grants\"", r#""duties":["watermark"],"grants""#),
        grant(plain).replace("\"grants\"", r#""require":{"revocations":"24h"},"grants""#),
    ]
    .into_iter()
    .enumerate()
    {
        office.write("other.json", &other);
        let sealed = format!("sealed-{i}");
        let to = ["seal", "--policy", "other.json", "--to", "desk/identity.pub", "file"];
        office.ok("issuer", &[&to[..], &["-o", &sealed]].concat());
        let done = office.refused("desk", &["open", &sealed, "-"], 3, "denied");
        assert!(done.stdout.is_empty(), "{other}");
        office.refused("desk", &["open", &sealed, "-o", "out"], 3, "denied");
        assert!(!office.exists("out"));
        assert_eq!(office.inspect(&sealed)["signature"]["holds"], true);
    }
    // What is no policy is not sealed with.
    for bad in
        ["", "{", "null", "[]", "{\"version\":1}", &grant(""), &grant(plain).replace('1', "2")]
    {
        office.write("bad.json", bad);
        let to = ["seal", "--policy", "bad.json", "--to", "desk/identity.pub", "file", "-o", "x"];
        office.refused("issuer", &to, 2, "bad-policy");
    }
    let twice = grant(plain).replace("\"name\":\"n\"", r#""name":"n","name":"m""#);
    let deep = grant(plain).replace("\"n\"", &("[".repeat(20) + &"]".repeat(20)));
    let extra = grant(plain).replace("\"grants\"", r#""comment":"","grants""#);
    let long = grant(plain) + &" ".repeat(65_536);
    for bad in [twice, deep, extra, long] {
        office.write("bad.json", bad);
        let to = ["seal", "--policy", "bad.json", "--to", "desk/identity.pub", "file", "-o", "x"];
        office.refused("issuer", &to, 2, "bad-policy");
    }
    assert!(!office.exists("x"));
}

#[test]
fn rights() {
    let office = office(b"content");
    for (rights, code) in [
        (&["view"][..], "missing-right"),
        (&["view", "edit", "print", "copy", "capture"], "missing-right"),
        (&[], "bad-policy"),
        (&["view", "fly"], "bad-policy"),
    ] {
        office.write("p.json", policy(rights));
        let to = ["seal", "--policy", "p.json", "--to", "desk/identity.pub", "file"];
        let sealing = office.run("issuer", &[&to[..], &["-o", "sealed", "--force"]].concat());
        if code == "bad-policy" {
            refused(&sealing, &to, 2, code);
            continue;
        }
        assert_eq!(sealing.status, 0, "{}", sealing.stderr);
        for to in [&["-"][..], &["-o", "out"], &["-o", "-"]] {
            let args = [&["open", "sealed"], to].concat();
            let done = office.refused("desk", &args, 3, code);
            assert!(done.stdout.is_empty() && !office.exists("out"), "{rights:?}");
            let stdin = [&["open", "-"], to].concat();
            let done = office.run_with("desk", &stdin, &office.read("sealed"));
            refused(&done, &stdin, 3, code);
            assert!(done.stdout.is_empty() && !office.exists("out"), "{rights:?}");
        }
    }
    // Plain bytes that may leave need not be shown by anybody.
    office.write("p.json", policy(&["export"]));
    let to = ["seal", "--policy", "p.json", "--to", "desk/identity.pub", "file", "-o", "leaves"];
    office.ok("issuer", &to);
    assert_eq!(office.ok("desk", &["open", "leaves", "-"]).stdout, b"content");
}

#[test]
fn recipients() {
    let office = office(b"content");
    office.device("visitor", "x25519");
    office.refused("visitor", &["open", "good", "-"], 3, "not-recipient");
    office.device("modern", "hybrid");
    office.refused("modern", &["open", "good", "-"], 3, "not-recipient");

    // An x25519 wrap undoes the hybrid one.
    let mixed = ["file", "--to", "modern/identity.pub", "-o", "mixed"];
    office.refused("issuer", &seal_args(&mixed), 2, "bad-argument");
    assert!(!office.exists("mixed"));
    office.seal(&[&mixed[..], &["--mixed-kinds"]].concat());
    for home in ["modern", "desk"] {
        assert_eq!(office.opened(home, "mixed"), b"content");
    }
    let add = ["relicense", "good", "--add", "modern/identity.pub"];
    office.refused("issuer", &add, 2, "bad-argument");
    office.refused("modern", &["open", "good", "-"], 3, "not-recipient");
    office.ok("issuer", &[&add[..], &["--mixed-kinds"]].concat());
    assert_eq!(office.opened("modern", "good"), b"content");

    // Lines that are none, and points that would make the shared secret known to all.
    let line = String::from_utf8(office.read("desk/identity.pub")).unwrap();
    let keys = line.trim().split([':', ' ']).nth(1).unwrap();
    let keys = BASE64URL_NOPAD.decode(keys.as_bytes()).unwrap();
    let hybrid = String::from_utf8(office.read("modern/identity.pub")).unwrap();
    let hybrid = hybrid.trim().split([':', ' ']).nth(1).unwrap();
    let hybrid = BASE64URL_NOPAD.decode(hybrid.as_bytes()).unwrap();
    let one = [&[1][..], &[0; 31]].concat();
    let minus_one = [&[0xec][..], &[0xff; 30], &[0x7f]].concat();
    for low in [vec![0; 32], one, minus_one] {
        for (kind, keys) in [("x25519", &keys), ("hybrid", &hybrid)] {
            let bad = [&keys[..keys.len() - 32], &low].concat();
            let line = format!("bulla-{kind}:{}", BASE64URL_NOPAD.encode(&bad));
            let to = ["seal", "--policy", "policy.json", "--to", &line, "file", "-o", "x"];
            office.refused("issuer", &to, 4, "bad-key");
            let add = ["relicense", "good", "--add", &line];
            office.refused("issuer", &add, 4, "bad-key");
        }
    }
    let text = BASE64URL_NOPAD.encode(&keys);
    let mut loose = text.clone().into_bytes();
    // 64 bytes leave four unused bits in the last character.
    *loose.last_mut().unwrap() += 1;
    let loose = String::from_utf8(loose).unwrap();
    for bad in [
        format!("bulla-x25519:{text}A"),
        format!("bulla-x25519:{text}=="),
        format!("bulla-x25519:{loose}"),
        format!("bulla-hybrid:{text}"),
        format!("bulla-rsa:{text}"),
        format!("bulla-x25519:{}", &text[..43]),
        "bulla-x25519:".into(),
        String::from_utf8(office.read("issuer/root.pub")).unwrap().trim().into(),
    ] {
        let to = ["seal", "--policy", "policy.json", "--to", &bad, "file", "-o", "x"];
        office.refused("issuer", &to, 4, "bad-key");
    }
    assert!(!office.exists("x"));
}

#[test]
fn key_files() {
    let office = office(b"content");
    let open = ["open", "good", "-"];
    let identity = office.path("desk/identity");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&identity, fs::Permissions::from_mode(mode)).unwrap();
        let done = office.refused("desk", &open, 1, "secret-exposed");
        assert!(done.stdout.is_empty());
    }
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(office.opened("desk", "good"), b"content");
    let root = office.path("issuer/root.key");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o644)).unwrap();
    office.refused("issuer", &seal_args(&["file", "-o", "x"]), 1, "secret-exposed");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o600)).unwrap();

    // Keys are never overwritten.
    let before = (office.read("desk/identity"), office.read("issuer/root.key"));
    office.refused("desk", &["identity", "new"], 1, "exists");
    office.refused("issuer", &["init", "--name", "again"], 1, "exists");
    assert_eq!((office.read("desk/identity"), office.read("issuer/root.key")), before);
    // Missing, cut, changed, or another role's.
    office.refused("nobody", &open, 1, "home-incomplete");
    office.refused("desk", &seal_args(&["file", "-o", "x"]), 1, "home-incomplete");
    let good = String::from_utf8(before.0.clone()).unwrap();
    let other_line = String::from_utf8(office.read("issuer/identity.pub")).unwrap();
    let line = String::from_utf8(office.read("desk/identity.pub")).unwrap();
    for bad in [
        String::new(),
        good[..good.len() / 2].into(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("\"version\": 1", "\"version\": 1, \"version\": 1"),
        good.replace(line.trim(), other_line.trim()),
        String::from_utf8(before.1.clone()).unwrap(),
    ] {
        assert_ne!(bad, good);
        fs::write(&identity, &bad).unwrap();
        office.refused("desk", &open, 4, "bad-key");
    }
    assert!(!office.exists("x"));
}

#[test]
fn outputs() {
    let office = office(b"content");
    let opening = |to: &str, code: &str, status: i32| {
        let before = office.names(".");
        office.refused("desk", &["open", "good", "-o", to], status, code);
        let done = office.run_with("desk", &["open", "-", "-o", to], &office.read("good"));
        assert_eq!(done.status, status, "{}", done.stderr);
        assert_eq!(office.names("."), before);
    };
    let sealing = |to: &str, code: &str, status: i32| {
        let before = office.names(".");
        office.refused("issuer", &seal_args(&["file", "-o", to]), status, code);
        let stdin = seal_args(&["-", "-o", to]);
        refused(&office.run_with("issuer", &stdin, b"piped"), &stdin, status, code);
        assert_eq!(office.names("."), before);
    };
    office.write("there", "precious");
    office.folder("folder");
    for check in [&opening as &dyn Fn(&str, &str, i32), &sealing] {
        check("there", "exists", 1);
        check("no/such/folder/out", "not-found", 1);
        // A file where a folder should be.
        check("there/out", "io", 1);
        check("/dev/null", "exists", 1);
        // The kernel's own file system takes no new files, not even root's.
        if Path::new("/proc/self").exists() {
            let done = office.run("desk", &["open", "good", "-o", "/proc/out"]);
            assert_eq!(done.status, 1, "{}", done.stderr);
        }
    }
    assert_eq!(office.read("there"), b"precious");
    // Replacing is for regular files.
    for device in ["/dev/null", "/dev/full"] {
        let force = ["open", "good", "--force", "-o", device];
        office.refused("desk", &force, 2, "bad-argument");
        let force = seal_args(&["file", "--force", "-o", device]);
        office.refused("issuer", &force, 2, "bad-argument");
    }
    office.refused("issuer", &seal_args(&["file", "-o", "folder"]), 1, "exists");
    office.refused("issuer", &seal_args(&["file", "--force", "-o", "folder"]), 2, "bad-argument");
    assert!(office.names("folder").is_empty());
    // A folder takes a plain file under its own name, once.
    office.ok("desk", &["open", "good", "-o", "folder"]);
    office.refused("desk", &["open", "good", "-o", "folder"], 1, "exists");
    // A stream has no name.
    let piped = office.run_with("issuer", &seal_args(&["-", "-o", "-"]), b"piped").stdout;
    office.write("piped", piped);
    office.refused("desk", &["open", "piped", "-o", "folder"], 2, "bad-argument");
    assert_eq!(office.names("folder"), ["file"]);
    // With --force all is well; the link stays one.
    std::os::unix::fs::symlink("there", office.path("link")).unwrap();
    office.refused("desk", &["open", "good", "-o", "link"], 1, "exists");
    office.ok("desk", &["open", "good", "-o", "link", "--force"]);
    assert_eq!(office.read("there"), b"content");
    assert!(fs::symlink_metadata(office.path("link")).unwrap().is_symlink());
}

/// Names come from whoever sealed the file: they must not lead out of the folder.
#[test]
fn original_names_stay_in_the_folder() {
    use bulla::{Home, Kinds, Metadata, PublicIdentity, Sealer};
    let office = office(b"content");
    office.folder("out/inner");
    let root = Home::at(office.path("issuer")).root_key(None).unwrap();
    let line: PublicIdentity =
        String::from_utf8(office.read("desk/identity.pub")).unwrap().parse().unwrap();
    let to = [line.recipient().clone()];
    let sealer = Sealer::issued(&root, "", office::POLICY.as_bytes(), &to, Kinds::Same).unwrap();
    let absolute = office.path("absolute");
    for name in [
        "../up",
        "..",
        ".",
        "",
        "a/b",
        "/",
        "inner/",
        absolute.to_str().unwrap(),
        "..\\up",
        "C:up",
        "nul\0byte",
    ] {
        let meta = Metadata { name: Some(name.into()), ..Metadata::default() };
        let sealed = sealer.prepare(&meta).unwrap().into_stream(Vec::new()).unwrap();
        office.write("named", sealed.finish().unwrap());
        let before = office.names(".");
        office.refused("desk", &["open", "named", "-o", "out/inner"], 2, "bad-argument");
        assert_eq!(office.names("."), before, "{name:?}");
        assert!(office.names("out/inner").is_empty() && office.names("out") == ["inner"]);
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let content = bytes(700_000, 5);
    let office = office(&content);
    let tmpfs = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];
    let Some(_disk) = OwnDisk::mount(office.path("small"), &tmpfs) else {
        println!("skipped: a small file system cannot be mounted here");
        return;
    };
    // New files that do not fit.
    office.write("small/plain", &content);
    for _ in 0..2 {
        office.refused("issuer", &seal_args(&["file", "-o", "small/out"]), 1, "full");
        office.refused("desk", &["open", "good", "-o", "small/out"], 1, "full");
        office.refused("issuer", &seal_args(&["small/plain"]), 1, "full");
        office.refused("issuer", &seal_args(&["--in-place", "small/plain"]), 1, "full");
        assert_eq!(office.names("small"), ["plain"]);
        assert!(office.read("small/plain") == content);
    }
    // The space came back, and what fits is done though something else does not.
    office.write("small/a", "fits");
    let args = seal_args(&["--in-place", "-r", "small", "--threads", "1"]);
    let done = office.refused("issuer", &args, 1, "full");
    assert!(done.stdout.starts_with(b"sealed small/a in place"));
    assert!(office.read("small/plain") == content);
    assert_eq!(office.opened("desk", "small/a"), b"fits");
    assert_eq!(office.names("small"), ["a", "plain"]);
    // Re-licensing and replacing keep the old file.
    fs::remove_file(office.path("small/plain")).unwrap();
    fs::copy(office.path("good"), office.path("small/good")).unwrap();
    let good = office.read("good");
    office.run("new", &["identity", "new", "--kind", "x25519"]);
    let desk = office.key_id("desk");
    for change in [["--add", "new/identity.pub"], ["--remove", &desk]] {
        let args = [&["relicense", "small/good"], &change[..]].concat();
        office.refused("issuer", &args, 1, "full");
        assert!(office.read("small/good") == good);
    }
    let force = ["open", "good", "-o", "small/good", "--force"];
    office.refused("desk", &force, 1, "full");
    assert!(office.read("small/good") == good);
    assert_eq!(office.names("small"), ["a", "good"]);
}

/// Content, a token and results on standard output.
fn printing() -> [(&'static str, Vec<&'static str>); 6] {
    [
        ("desk", vec!["open", "good", "-"]),
        ("issuer", seal_args(&["file", "-o", "-"])),
        ("desk", vec!["trail", "checkpoint", "-o", "-"]),
        ("desk", vec!["trail", "show"]),
        ("desk", vec!["trust", "show"]),
        ("desk", vec!["--json", "inspect", "good"]),
    ]
}

/// Without mounting: a standard output that takes nothing.
#[test]
fn a_full_standard_output_is_told() {
    let office = office(&bytes(100_000, 5));
    if !Path::new("/dev/full").exists() {
        println!("skipped: no /dev/full here");
        return;
    }
    for (home, args) in printing() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = office.command(home, &args);
        let out = command.stdin(Stdio::null()).stdout(full).output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("[full]"), "{stderr}");
    }
}

/// As of `head` that has seen enough. Only what is said is cut, not what is done.
#[test]
fn a_closed_pipe_ends_quietly() {
    let office = office(&bytes(100_000, 5));
    office.write("other", "content");
    let several = ("issuer", seal_args(&["file", "other"]));
    for (home, args) in printing().into_iter().chain([several]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = office.command(home, &args);
        let out = command.stdin(Stdio::null()).stdout(writer).output().unwrap();
        let stderr = String::from_utf8(out.stderr).unwrap();
        assert_eq!((out.status.code(), &stderr[..]), (Some(1), ""), "{args:?}");
    }
    assert_eq!(office.opened("desk", "other.bulla"), b"content");
    // Nor does a standard error that takes nothing change the status.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = office.command("desk", &["open", "missing", "-"]);
    assert_eq!(command.stderr(writer).status().unwrap().code(), Some(1));
}

/// Permission bits bind only those who are not root, so root becomes nobody for this.
#[test]
fn unreadable_and_unwritable_files() {
    const NOBODY: u32 = 65_534;
    let office = office(b"content");
    office.folder("closed");
    office.write("secret", "secret");
    if office::is_root() {
        for entry in walkdir::WalkDir::new(office.path("")) {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let run = |home: &str, args: &[&str]| {
        let mut command = office.command(home, args);
        if office::is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    };
    // The command itself may lie where only root looks.
    if !run("desk", &["--version"]).output().is_ok_and(|out| out.status.success()) {
        println!("skipped: the command cannot be run by nobody");
        return;
    }
    let mode = |name: &str, mode| {
        fs::set_permissions(office.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let denied = |home: &str, args: &[&str]| {
        refused(&office::finish(run(home, args), b""), args, 1, "permission");
    };
    mode("closed", 0o500);
    denied("desk", &["open", "good", "-o", "closed/out"]);
    denied("issuer", &seal_args(&["file", "-o", "closed/out"]));
    mode("secret", 0);
    let files = seal_args(&["secret", "file"]);
    denied("issuer", &files);
    // The other file was sealed nevertheless.
    assert_eq!(office.opened("desk", "file.bulla"), b"content");
    mode("desk/identity", 0);
    denied("desk", &["open", "good", "-"]);
    mode("closed", 0o700);
    assert!(office.names("closed").is_empty());
    // In place: neither a file nor its folder may be closed.
    mode("secret", 0o600);
    fs::rename(office.path("secret"), office.path("closed/secret")).unwrap();
    mode("closed", 0o500);
    denied("issuer", &seal_args(&["--in-place", "-r", "closed"]));
    assert_eq!(office.read("closed/secret"), b"secret");
}
