//! Bad badges, attestations and policies, and clocks that jump: each is denied, clearly and whole.

#![cfg(unix)]

mod office;

use bulla::{Home, Identity, RootKey};
use office::Office;
use office::forge::{Envelope, Secrets, b64};
use office::rights::{agents, grant, policy_of};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const TEXT: &[u8] = b"name,phone\n";

/// Puts a badge into the desk's home past `badge use`, which would refuse it.
fn plant(office: &Office, badge: &str) {
    let text = if office.exists(badge) { office.read(badge) } else { badge.into() };
    office.write("desk/badge", text);
}

#[test]
fn badges_that_do_not_count() {
    let office = Office::at_work_on("2027-03-03 12:00:00");
    office.seal_under("claims", &agents(json!({})));
    office.device("other", "x25519");
    office.ok("rival", &["init", "--name", "Rival"]);
    office.ok("rival", &["identity", "new", "--kind", "x25519"]);
    let by_rival = ["badge", "issue", "--subject", "kim", "--role", "agent", "--for", "1h"];
    let to = ["--to", "desk/identity.pub", "-o", "rivals"];
    office.ok("rival", &[&by_rival[..], &to].concat());
    office.issue("expired", "kim", "agent", &["--from", "2027-03-03T10:58:59Z"]);
    office.issue("early", "kim", "agent", &["--from", "2027-03-03T12:02:00Z"]);
    office.issue("long", "kim", "agent", &["--for", "32d"]);
    office.issue("others", "kim", "agent", &["--to", "other/identity.pub"]);
    office.issue("good", "kim", "agent", &[]);
    office.ok("issuer", &["attest", "agent", "--subject", "kim", "--for", "1h", "-o", "attested"]);
    let good = String::from_utf8(office.read("good")).unwrap();
    let mut changed = good.trim().to_owned().into_bytes();
    let at = changed.len() - 20;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    office.write("changed", changed);
    office.write("cut", &good[..good.len() / 2]);
    for (badge, status, code, why) in [
        ("rivals", 3, "not-trusted", "does not name"),
        ("expired", 3, "badge-not-valid", "expired"),
        ("early", 3, "badge-not-valid", "not valid yet"),
        ("long", 3, "badge-not-valid", "31 days"),
        ("others", 3, "badge-not-valid", "another device"),
        ("attested", 4, "bad-token", "not a valid badge"),
        ("changed", 5, "bad-signature", "does not verify"),
        ("cut", 4, "bad-token", "not a valid badge"),
    ] {
        office.ok("desk", &["badge", "use", "good"]);
        let done = office.refused("desk", &["badge", "use", badge], status, code);
        assert!(done.stderr.contains(why), "{badge}: {}", done.stderr);
        assert_eq!(office.opened("desk", "claims"), TEXT, "{badge}: the good one was replaced");
        plant(&office, badge);
        let said = office.denied("desk", "claims", 3, "denied");
        assert!(said.contains("the badge in use does not count") && said.contains(why), "{said}");
        let shown = office.ok("desk", &["--json", "badge", "show"]).json();
        assert_eq!(shown["badge"][0]["code"], code, "{badge}");
    }
    office.ok("desk", &["badge", "use", "good"]);
    assert_eq!(office.opened("desk", "claims"), TEXT);
}

/// An attestation counts for as long as the policy says, whatever end it was given.
#[test]
fn attestations_grow_too_old() {
    let office = Office::at_work_on("2027-03-03 03:00:00");
    // Hours after midnight of that day.
    let set = |hour: u32| {
        office.set_clock(&format!("2027-03-0{} {:02}:00:00", 3 + hour / 24, hour % 24));
    };
    office.seal_under("claims", &agents(json!({"attested": {"daily-checklist": "24h"}})));
    office.issue("badge", "kim", "agent", &["--for", "72h"]);
    office.ok("desk", &["badge", "use", "badge"]);
    let attest = ["attest", "daily-checklist", "--subject", "kim", "--for", "40h", "-o", "first"];
    office.ok("issuer", &attest);
    office.ok("desk", &["attest", "use", "first"]);
    set(26);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    set(27);
    assert!(office.denied("desk", "claims", 3, "denied").contains("daily-checklist"));
    // A new one helps; the old one is over by its own end, too, and next week's is not valid yet.
    office.attest("daily-checklist", &["--subject", "kim"]);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    set(44);
    office.refused("desk", &["attest", "use", "first"], 3, "badge-not-valid");
    let later = ["--from", "2027-03-10T03:00:00Z"];
    office.ok("issuer", &[&attest[..], &later].concat());
    office.refused("desk", &["attest", "use", "first"], 3, "badge-not-valid");
}

/// Tokens of single sign-ons by PyJWT, with the key of that setting's device: `alg` swapped, an RSA
/// key used as an HMAC secret, roles of the wrong type.
#[test]
fn tokens_of_other_software() {
    // `now` of the setting.
    let office = Office::at_work_on("2027-01-15 08:00:00");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let vectors = |name: &str| -> Value {
        serde_json::from_str(&read(&format!("vectors/tokens/{name}.json"))).unwrap()
    };
    // Ed25519 keys in PKCS#8: the seed is what stands at the end.
    let seed = |name: &str| {
        let pem = read(&format!("tokens/keys/{name}.pem"));
        let der: String = pem.lines().filter(|l| !l.starts_with('-')).collect();
        b64(data_encoding::BASE64.decode(der.as_bytes()).unwrap().last_chunk::<32>().unwrap())
    };
    let setting = vectors("setting");
    let key_file = |file: &str, name: &str| {
        let mut file: Value = serde_json::from_slice(&office.read(file)).unwrap();
        file["signing"] = seed(name).into();
        file
    };
    let root_line = setting["roots"][0].as_str().unwrap();
    let mut root = key_file("issuer/root.key", "root");
    root["public"] = root_line.into();
    let root = RootKey::from_file(&root.to_string(), None).expect("the setting's root");
    let mut device = key_file("desk/identity", "device");
    let secrets = Secrets::of(&device.to_string());
    let line = [&secrets.signing.verifying_key().to_bytes()[..], &secrets.public()].concat();
    device["public"] = format!("bulla-x25519:{}", b64(&line)).into();
    let device = Identity::from_file(&device.to_string(), None).expect("the setting's device");
    let home = Home::at(office.path("sso"));
    home.create_identity(&device, None).unwrap();
    // The library takes the time from the machine, whose clock may be past the setting's.
    let begun = fs::read_to_string(home.trail_file()).unwrap();
    let begun: Vec<_> = begun.split('"').collect();
    let at = begun.iter().position(|part| *part == "time").unwrap() + 2;
    let begun = begun.join("\"").replace(begun[at], "2027-01-15T07:00:00Z");
    fs::write(home.trail_file(), begun).unwrap();
    Home::at(office.path("sso-root")).create_root(&root, None).unwrap();
    office.ok("sso", &["trust", "pin", root_line]);
    office.write("list", setting["lists"]["main"].as_str().unwrap());
    office.ok("sso", &["trust", "use", "list"]);
    office.write("p.json", agents(json!({})).to_string());
    let to = ["--to", "sso/identity.pub", "--policy", "p.json"];
    office.ok("sso-root", &[&["seal", "file", "-o", "claims"], &to[..]].concat());

    let mut tried = 0;
    for case in ["pyjwt", "jose", "openssl"].iter().flat_map(|f| {
        let Value::Array(cases) = vectors(f) else { panic!("a list") };
        cases
    }) {
        let name = case["name"].as_str().unwrap();
        let at = case["now"].as_u64().is_none() && case["list"].is_null();
        let wanted = ["HMAC", "HS256", "none", "roles", "by a stranger", "badge RS256 rsa"];
        if !at || case["want"] != "badge" || !wanted.iter().any(|w| name.contains(w)) {
            continue;
        }
        office.write("sso/badge", case["token"].as_str().unwrap());
        let done = office.run("sso", &["open", "claims", "-"]);
        let shown = office.ok("sso", &["--json", "badge", "show"]).json();
        let badge = &shown["badge"][0];
        if let Some(error) = case["expect"]["error"].as_str() {
            office::refused(&done, &[name], 3, "denied");
            assert!(done.stderr.contains("the badge in use does not count"), "{name}");
            assert!(done.stdout.is_empty(), "{name}");
            assert_eq!(badge["code"], error, "{name}");
            tried += 1;
        } else {
            assert_eq!(badge["roles"], case["expect"]["badge"]["roles"], "{name}");
            let agent = badge["roles"].as_array().unwrap().contains(&json!("agent"));
            assert_eq!(done.status == 0, agent, "{name}: {}", done.stderr);
            assert_eq!(done.stdout, if agent { TEXT } else { b"" }, "{name}");
        }
    }
    assert!(tried >= 30, "only {tried} bad tokens were tried");
}

/// Policies that are none: `check` and `seal` refuse them, and a license that carries one opens
/// nothing even with the root's own signature under it.
#[test]
fn policies_that_are_none() {
    let office = Office::at_work();
    office.seal_under("claims", &policy_of(&[grant(json!("anyone"), &["export"], json!({}))]));
    let good = Envelope::of(&office.read("claims"));
    let root = Secrets::of(&String::from_utf8(office.read("issuer/root.key")).unwrap());
    let desk = Secrets::of(&String::from_utf8(office.read("desk/identity")).unwrap());
    // The same file under another policy, with the wrap for it.
    let license = |policy: &[u8]| {
        let mut token = good.token();
        let (key, _) = desk.unwrap(&token.claims);
        token.claims["policy"] = b64(policy).into();
        token.claims["seq"] = 2.into();
        office::forge::wrap(&mut token.claims, &key, &[desk.public()]);
        Envelope { license: token.signed(&root.signing), ..good.clone() }.bytes()
    };
    let open = r#"{"to":["anyone"],"rights":["export"]}"#;
    let of = |grants: &str| format!(r#"{{"version":1,"name":"n","grants":[{grants}]}}"#);
    let when =
        |when: &str| of(&format!(r#"{{"to":["anyone"],"rights":["export"],"when":{when}}}"#));
    let padded = |n: usize| of(open) + &" ".repeat(n - of(open).len());
    let nested = "[".repeat(1000) + &"]".repeat(1000);
    let hours = r#"{"hours":{"zone":"Asia/Soul","days":["mon"],"from":"08:00","to":"09:00"}}"#;
    let mut bad = vec![
        ("64 KiB + 1", padded(65_537), "bad-license", 4),
        ("10,000 grants", of(&vec![open; 10_000].join(",")), "bad-license", 4),
    ];
    let denied = [
        ("257 grants", of(&vec![open; 257].join(","))),
        ("1,000 deep", of(&nested)),
        ("a NaN", when(r#"{"opens":{"at_most":NaN,"per":"1h"}}"#)),
        ("infinity", when(r#"{"opens":{"at_most":1e999,"per":"1h"}}"#)),
        ("a fraction", when(r#"{"opens":{"at_most":1.5,"per":"1h"}}"#)),
        ("a lone surrogate", of(open).replace("\"n\"", r#""\ud800""#)),
        ("a surrogate the wrong way round", of(open).replace("\"n\"", r#""\udc00\ud800""#)),
        ("an unknown zone", when(hours)),
        ("an unknown condition", when(r#"{"weather":"fine"}"#)),
        ("an unknown right", of(&open.replace("export\"", "export\",\"fly\""))),
        ("an unknown duty", of(&open.replace("}", r#","duties":["sing"]}"#))),
        ("a key twice", of(open).replace("\"name\"", r#""name":"m","name""#)),
        ("a byte-order mark", format!("\u{feff}{}", of(open))),
        ("another version", of(open).replace(":1,", ":2,")),
        ("nothing", " ".into()),
    ];
    bad.extend(denied.map(|(what, policy)| (what, policy, "denied", 3)));
    for (what, policy, code, status) in &bad {
        office.write("bad.json", policy);
        office.refused("desk", &["policy", "check", "bad.json"], 2, "bad-policy");
        office.refused("desk", &["policy", "explain", "bad.json"], 2, "bad-policy");
        let to = ["seal", "--policy", "bad.json", "--to", "desk/identity.pub", "file", "-o", "x"];
        office.refused("issuer", &to, 2, "bad-policy");
        let terms = ["relicense", "claims", "--policy", "bad.json"];
        office.refused("issuer", &terms, 2, "bad-policy");
        let to = ["template", "new", "--name", "t", "--to", "desk/identity.pub", "-o", "x"];
        let template = [&to[..], &["--policy", "bad.json"]].concat();
        office.refused("issuer", &template, 2, "bad-policy");
        assert!(!office.exists("x"), "{what}");
        office.write("licensed", license(policy.as_bytes()));
        let said = office.denied("desk", "licensed", *status, code);
        assert!(said.len() < 2000, "{what}: {} bytes of message", said.len());
    }
    // What the forged licenses are like, but for the policy.
    for good in [of(open), padded(65_536), of(&vec![open; 256].join(","))] {
        office.write("licensed", license(good.as_bytes()));
        assert_eq!(office.opened("desk", "licensed"), TEXT, "{} bytes", good.len());
    }
    // Bytes that are no text.
    office.write("licensed", license(&[b"{\"version\":1,\"name\":\"\xff".as_slice()].concat()));
    office.denied("desk", "licensed", 3, "denied");
}

/// Two grants give the same right, one of them with a duty: the duty holds, and the command, which
/// can carry none out, gives nothing.
#[test]
fn duties_that_nobody_carries_out() {
    let office = Office::at_work();
    let plain = grant(json!({"role": "agent"}), &["view", "export"], json!({}));
    let mut marked = grant(json!("anyone"), &["export"], json!({}));
    marked["duties"] = json!(["watermark"]);
    office.badge("kim", "agent");
    office.seal_under("plain", &policy_of(std::slice::from_ref(&plain)));
    assert_eq!(office.opened("desk", "plain"), TEXT);
    for grants in [[plain.clone(), marked.clone()], [marked, plain]] {
        office.seal_under("claims", &policy_of(&grants));
        let said = office.denied("desk", "claims", 3, "missing-right");
        assert!(said.contains("watermark"), "{said}");
        let done = office.run("desk", &["--json", "open", "claims", "-"]).json();
        let withheld = &done["error"]["decision"]["withheld"][0];
        let what = (&withheld["right"], &withheld["undeclared"]);
        assert_eq!(what, (&json!("export"), &json!(["watermark"])));
    }
}

#[test]
fn outside_working_hours() {
    let office = Office::at_work_on("2027-03-01 00:00:00");
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let hours = json!({"zone": "Asia/Seoul", "days": days, "from": "08:30", "to": "18:30"});
    office.seal_under("claims", &agents(json!({"hours": hours})));
    office.issue("badge", "kim", "agent", &["--for", "14d"]);
    office.ok("desk", &["badge", "use", "badge"]);
    // Seoul is nine hours ahead: the fourth is a Thursday, the sixth a Saturday.
    for (time, now) in [
        ("2027-03-03 23:29:50", "it is now Thu 08:29"),
        ("2027-03-03 23:30:00", ""),
        ("2027-03-04 09:29:50", ""),
        ("2027-03-04 09:30:00", "it is now Thu 18:30"),
        ("2027-03-06 01:12:00", "it is now Sat 10:12"),
        ("2027-03-07 23:30:00", ""),
    ] {
        office.set_clock(time);
        if now.is_empty() {
            assert_eq!(office.opened("desk", "claims"), TEXT, "{time}");
            continue;
        }
        let said = office.denied("desk", "claims", 3, "denied");
        let closed = format!("outside working hours: Mon–Fri 08:30–18:30 Asia/Seoul, {now}");
        assert!(said.contains(&closed), "{said}");
    }
}

/// The clock set back gains nothing; once far ahead and back, only the issuer sets it right.
#[test]
fn clocks_that_jump() {
    let office = Office::at_work_on("2027-03-03 08:00:00");
    office.seal_under("claims", &policy_of(&[grant(json!("anyone"), &["export"], json!({}))]));
    let opens_at = |time: &str| {
        office.set_clock(time);
        assert_eq!(office.opened("desk", "claims"), TEXT, "{time}");
    };
    let denied_at = |time: &str| {
        office.set_clock(time);
        office.denied("desk", "claims", 3, "clock-behind")
    };
    opens_at("2027-03-03 12:00:00");
    // As far as clocks differ, and further.
    opens_at("2027-03-03 11:59:10");
    let said = denied_at("2027-03-03 11:58:30");
    assert!(said.contains("set it right"), "{said}");
    denied_at("2020-01-01 00:00:00");
    opens_at("2027-03-03 12:00:05");
    // A list of the issuer is a clock, too.
    office.set_clock("2027-03-09 12:00:00");
    office.ok("issuer", &["trust", "sign", "-o", "list"]);
    office.ok("desk", &["trust", "use", "list"]);
    denied_at("2027-03-08 12:00:00");

    opens_at("2099-01-01 00:00:00");
    let said = denied_at("2027-03-10 12:00:00");
    assert!(said.contains("ask the issuer for a signed reset"), "{said}");
    assert!(office.records("desk").iter().any(|r| r["code"] == "clock-behind"));
    office.ok("desk", &["trail", "verify"]);
    let shown = office.ok("desk", &["--json", "identity", "show"]).json();
    let (device, trail) = (shown["device"].as_str().unwrap(), shown["trail"].as_str().unwrap());
    let reset = ["trail", "sign-reset", "--device", device, "--trail", trail, "-o", "reset"];
    office.refused("desk", &reset, 1, "home-incomplete");
    office.ok("issuer", &reset);
    office.ok("desk", &["trail", "reset", "reset"]);
    opens_at("2027-03-10 12:01:00");
    // Once: the next jump needs another.
    opens_at("2099-01-01 00:00:00");
    denied_at("2027-03-10 12:02:00");
    office.refused("desk", &["trail", "reset", "reset"], 3, "not-permitted");
    denied_at("2027-03-10 12:03:00");
}

/// What one root says about the clock helps its own files alone.
#[test]
fn a_reset_after_a_jump_is_for_the_files_of_its_root() {
    let office = Office::at_work_on("2027-03-03 08:00:00");
    let policy = policy_of(&[grant(json!("anyone"), &["export"], json!({}))]);
    office.seal_under("claims", &policy);
    office.ok("other", &["init", "--name", "Other Insurance"]);
    office.ok("desk", &["trust", "pin", "other/root.pub"]);
    let list = format!("other/trust/{}", office.names("other/roots").remove(0));
    office.ok("desk", &["trust", "use", &list]);
    let seal = ["seal", "--policy", "p.json", "--to", "desk/identity.pub", "file", "-o", "theirs"];
    office.ok("other", &seal);
    let both = |claims: &str, theirs: &str| {
        for (name, code) in [("claims", claims), ("theirs", theirs)] {
            match code {
                "" => assert_eq!(office.opened("desk", name), TEXT, "{name}"),
                code => drop(office.denied("desk", name, 3, code)),
            }
        }
    };
    both("", "");
    office.set_clock("2028-03-03 08:00:00");
    both("", "");
    office.set_clock("2027-03-04 08:00:00");
    both("clock-behind", "clock-behind");
    let reset = |issuer: &str| {
        let shown = office.ok("desk", &["--json", "identity", "show"]).json();
        let (device, trail) = (shown["device"].as_str().unwrap(), shown["trail"].as_str().unwrap());
        let sign = ["trail", "sign-reset", "--device", device, "--trail", trail, "-o", "reset"];
        office.ok(issuer, &sign);
        office.ok("desk", &["trail", "reset", "reset"]);
        std::fs::remove_file(office.path("reset")).unwrap();
    };
    reset("issuer");
    office.set_clock("2027-03-04 08:01:00");
    both("", "clock-behind");
    reset("other");
    office.set_clock("2027-03-04 08:02:00");
    both("", "");
    office.ok("desk", &["trail", "verify"]);
}
