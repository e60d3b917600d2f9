//! Who may do what: badges, attestations, revocations, tickets and templates, through the command.

#![cfg(unix)]

mod office;

use office::Office;
use office::rights::{agents, grant, lines, policy_of};
use serde_json::{Value, json};
use std::fs;

const TEXT: &[u8] = b"name,phone\n";

/// Agents may view; supervisors may view and export.
fn two_roles() -> Value {
    let agent = grant(json!({"role": "agent"}), &["view"], json!({}));
    let supervisor = grant(json!({"role": "supervisor"}), &["view", "export"], json!({}));
    policy_of(&[agent, supervisor])
}

#[test]
fn a_badge_gives_what_its_roles_may() {
    let office = Office::at_work();
    office.seal_under("claims", &two_roles());
    let said = office.denied("desk", "claims", 3, "denied");
    assert!(said.contains("a badge is needed"), "{said}");
    office.refused("desk", &["badge", "show"], 1, "home-incomplete");

    office.badge("kim", "clerk");
    let said = office.denied("desk", "claims", 3, "denied");
    assert!(said.contains("role agent"), "{said}");
    // To view is not to take along.
    office.badge("kim", "agent");
    let said = office.denied("desk", "claims", 3, "missing-right");
    assert!(said.contains("the right to export"), "{said}");
    office.badge("park", "supervisor");
    assert_eq!(office.opened("desk", "claims"), TEXT);
    office.ok("desk", &["open", "claims", "-o", "out"]);
    assert_eq!(office.read("out"), TEXT);
    // One of several roles is enough; the person alone, or the group, can be meant, too.
    office.issue("badge", "kim", "clerk", &["--role", "supervisor", "--group", "team-4"]);
    office.ok("desk", &["badge", "use", "badge"]);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    for to in [json!({"user": "kim"}), json!({"group": "team-4"}), json!("anyone")] {
        office.seal_under("mine", &policy_of(&[grant(to, &["export"], json!({}))]));
        assert_eq!(office.opened("desk", "mine"), TEXT);
    }
    for to in [json!({"user": "park"}), json!({"group": "team-5"}), json!({"user": "Kim"})] {
        office.seal_under("theirs", &policy_of(&[grant(to, &["export"], json!({}))]));
        office.denied("desk", "theirs", 3, "denied");
    }
}

#[test]
fn a_badge_says_what_it_is_worth() {
    let office = Office::at_work();
    office.issue("badge", "kim", "agent", &["--group", "team-4"]);
    let used = office.ok("desk", &["badge", "use", "badge"]).text();
    assert!(used.contains("kim (agent), until "), "{used}");
    assert_eq!(used, office.ok("desk", &["badge", "show"]).text());
    let shown = office.ok("desk", &["--json", "badge", "show"]).json();
    let [badge] = &shown["badge"].as_array().unwrap()[..] else { panic!("{shown}") };
    assert_eq!(badge["root"], office.root());
    let who = (&badge["subject"], &badge["roles"], &badge["groups"]);
    assert_eq!(who, (&json!("kim"), &json!(["agent"]), &json!(["team-4"])));
    assert!(badge["exp"].is_u64());
    // For the files of another root it is worth nothing, and that is said.
    office.ok("bank", &["init", "--name", "Bank"]);
    office.ok("desk", &["trust", "pin", "bank/root.pub"]);
    let shown = office.ok("desk", &["--json", "badge", "show"]).json();
    let codes: Vec<_> =
        shown["badge"].as_array().unwrap().iter().map(|b| b["code"].as_str()).collect();
    assert_eq!(codes.iter().flatten().collect::<Vec<_>>(), [&"not-trusted"]);
    assert!(office.ok("desk", &["badge", "show"]).text().contains("does not count for files of"));
    // What is no badge is not taken, and the old one stays.
    office.write("rubbish", "rubbish");
    office.refused("desk", &["badge", "use", "rubbish"], 4, "bad-token");
    assert_eq!(office.ok("desk", &["--json", "badge", "show"]).json(), shown);
}

#[test]
fn attestations_are_about_a_person_or_a_device() {
    let office = Office::at_work();
    let when = json!({"attested": {"daily-checklist": "24h"}, "posture": ["usb-storage-blocked"]});
    office.seal_under("claims", &agents(when));
    office.badge("kim", "agent");
    let device = office.thumbprint("desk");
    assert!(office.denied("desk", "claims", 3, "denied").contains("daily-checklist"));
    // Somebody else's, another kind's, another device's.
    office.attest("daily-checklist", &["--subject", "lee"]);
    office.attest("attendance", &["--subject", "kim"]);
    assert!(office.denied("desk", "claims", 3, "denied").contains("daily-checklist"));
    office.attest("daily-checklist", &["--subject", "kim"]);
    assert!(office.denied("desk", "claims", 3, "denied").contains("usb-storage-blocked"));
    office.attest("posture.usb-storage-blocked", &["--device", &office.thumbprint("issuer")]);
    office.denied("desk", "claims", 3, "denied");
    office.attest("posture.usb-storage-blocked", &["--device", &device]);
    assert_eq!(office.opened("desk", "claims"), TEXT);
    // Lee sits down: the checklist was Kim's.
    office.badge("lee", "agent");
    assert_eq!(office.opened("desk", "claims"), TEXT);
    office.badge("choi", "agent");
    assert!(office.denied("desk", "claims", 3, "denied").contains("daily-checklist"));

    let none = ["attest", "checklist", "--for", "1h", "-o", "x"];
    assert_eq!(office.run("issuer", &none).status, 2);
    let kind = ["attest", "Daily Checklist", "--subject", "kim", "--for", "1h", "-o", "x"];
    office.refused("issuer", &kind, 2, "bad-argument");
    office.refused("desk", &["attest", "use", "badge"], 4, "bad-token");
    office.refused("desk", &["badge", "use", "attestation"], 4, "bad-token");
}

#[test]
fn a_ticket_is_named_and_recorded() {
    let office = Office::at_work();
    office.seal_under("claims", &agents(json!({"ticket": true})));
    office.badge("kim", "agent");
    assert!(office.denied("desk", "claims", 3, "denied").contains("ticket"));
    let with = |ticket: &str| office.run("desk", &["open", "claims", "-", "--ticket", ticket]);
    assert_eq!(with("T-1001").stdout, TEXT);
    let of_ticket = office.records("desk").into_iter().filter(|r| r["ticket"] == "T-1001");
    let events: Vec<_> = of_ticket.map(|r| r["event"].clone()).collect();
    assert_eq!(events, ["opened", "seen", "exported"]);
    for bad in ["", "a\nb", &"x".repeat(257)] {
        let done = with(bad);
        office::refused(&done, &["--ticket", bad], 2, "bad-argument");
        assert!(done.stdout.is_empty());
    }
}

#[test]
fn opens_are_counted() {
    let office = Office::at_work();
    office.seal_under("claims", &agents(json!({"opens": {"at_most": 2, "per": "24h"}})));
    office.badge("kim", "agent");
    // A denial is no open.
    office.badge("lee", "clerk");
    office.denied("desk", "claims", 3, "denied");
    office.badge("kim", "agent");
    for _ in 0..2 {
        assert_eq!(office.opened("desk", "claims"), TEXT);
    }
    office.denied("desk", "claims", 3, "denied");
    // A copy is no other file, and a new badge no other person.
    office.write("copy", office.read("claims"));
    office.badge("kim", "agent");
    office.denied("desk", "copy", 3, "denied");
    office.badge("lee", "agent");
    assert_eq!(office.opened("desk", "copy"), TEXT);
}

#[test]
fn older_terms_open_only_when_asked_for() {
    let office = Office::at_work();
    office.seal_under("claims", &two_roles());
    office.badge("park", "supervisor");
    office.write("old", office.read("claims"));
    assert_eq!(office.opened("desk", "old"), TEXT);
    office.write("p.json", agents(json!({})).to_string());
    office.ok("issuer", &["relicense", "claims", "--policy", "p.json"]);
    // The new terms are not Park's; who was denied has seen nothing authentic yet.
    office.denied("desk", "claims", 3, "denied");
    assert_eq!(office.opened("desk", "old"), TEXT);
    office.badge("kim", "agent");
    assert_eq!(office.opened("desk", "claims"), TEXT);
    office.badge("park", "supervisor");
    assert!(office.denied("desk", "old", 3, "rollback").contains("newer license"));
    assert_eq!(office.ok("desk", &["open", "old", "-", "--older"]).stdout, TEXT);
    let asked = office.records("desk").into_iter().filter(|r| r["older"] == true);
    assert_eq!(asked.map(|r| r["event"].clone()).collect::<Vec<_>>(), ["opened"]);
    // Unless the issuer has revoked them.
    let id = office.inspect("old")["file"].as_str().unwrap().to_owned();
    office.ok("issuer", &["revoke", "--file", &format!("{id}:2"), "-o", "revoked"]);
    office.ok("desk", &["revoke", "use", "revoked"]);
    let older = office.run("desk", &["open", "old", "-", "--older"]);
    office::refused(&older, &["open", "--older"], 3, "revoked");
    office.badge("kim", "agent");
    assert_eq!(office.opened("desk", "claims"), TEXT);
}

#[test]
fn revocations() {
    let office = Office::at_work();
    office.seal_under("claims", &two_roles());
    office.badge("park", "supervisor");
    let seen = office.inspect("claims");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (file, license) = (text(&seen["file"]), text(&seen["license"]));
    let device = office.thumbprint("desk");
    let entries = [
        ("--file", file.clone(), file.clone()),
        ("--file", format!("{file}:2"), file.clone()),
        ("--license", license.clone(), license),
        ("--subject", "park".into(), "park".into()),
        ("--device", device.clone(), device),
    ];
    for (kind, entry, lifted) in &entries {
        assert_eq!(office.opened("desk", "claims"), TEXT);
        office.ok("issuer", &["revoke", kind, entry, "-o", "revoked"]);
        // The desk does not know yet.
        assert_eq!(office.opened("desk", "claims"), TEXT);
        office.ok("desk", &["revoke", "use", "revoked"]);
        office.denied("desk", "claims", 3, "revoked");
        office.ok("issuer", &["revoke", "--lift", lifted, "-o", "lifted"]);
        office.refused("issuer", &["revoke", "--lift", lifted, "-o", "x"], 2, "bad-argument");
        office.ok("desk", &["revoke", "use", "lifted"]);
        office.refused("desk", &["revoke", "use", "revoked"], 3, "rollback");
    }
    assert_eq!(office.opened("desk", "claims"), TEXT);
    // Of another number, and of somebody else.
    let other = ["--file", &format!("{file}:1"), "--subject", "Park", "--subject", "kim"];
    office.ok("issuer", &[&["revoke", "-o", "revoked"], &other[..]].concat());
    let used = office.ok("desk", &["--json", "revoke", "use", "revoked"]).json();
    assert_eq!((&used["root"], &used["seq"]), (&json!(office.root()), &json!(11)));
    assert_eq!(office.opened("desk", "claims"), TEXT);
    // Somebody whom the list does not name revokes nothing.
    office.device("clerk", "x25519");
    office.trusting("clerk");
    let own = ["revoke", "--subject", "park", "-o", "own"];
    office.refused("clerk", &own, 3, "not-trusted");
    assert!(!office.exists("own"));
}

#[test]
fn templates_ask_for_a_role() {
    let office = Office::at_work();
    office.write("p.json", two_roles().to_string());
    let template = ["template", "new", "--name", "notes", "--policy", "p.json", "-o", "template"];
    let to = ["--to", "desk/identity.pub", "issuer/identity.pub", "--seal-role", "notary", "agent"];
    let made = office.ok("issuer", &[&["--json"], &template[..], &to].concat()).json();
    let permit = ["permit", "issue", "--template", "template", "--to", "desk/identity.pub"];
    let issued =
        office.ok("issuer", &[&["--json"], &permit[..], &["--for", "1h", "-o", "permit"]].concat());
    office.ok("desk", &["permit", "use", "permit"]);
    let seal = ["seal", "--template", "template", "--force", "file"];
    office.refused("desk", &seal, 3, "not-permitted");
    office.badge("lee", "clerk");
    office.refused("desk", &seal, 3, "not-permitted");
    assert!(!office.exists("file.bulla"));
    office.badge("kim", "agent");
    office.ok("desk", &seal);
    let sealed = office.records("desk").into_iter().rfind(|r| r["event"] == "sealed").unwrap();
    assert_eq!((&sealed["subject"], &sealed["policy"]), (&json!("kim"), &json!("claims")));
    assert_eq!(sealed["file"], office.inspect("file.bulla")["file"]);
    // The role to seal is no role to open.
    office.denied("desk", "file.bulla", 3, "missing-right");
    office.badge("park", "supervisor");
    office.refused("desk", &seal, 3, "not-permitted");
    assert_eq!(office.opened("desk", "file.bulla"), TEXT);
    // What was made under a template or permit that is revoked does not open.
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let (template, permit) = (id(&made["template"]), id(&issued.json()["permit"]));
    for (kind, id) in [("--template", &template), ("--permit", &permit)] {
        office.ok("issuer", &["revoke", kind, id, "-o", "revoked"]);
        office.ok("desk", &["revoke", "use", "revoked"]);
        office.denied("desk", "file.bulla", 3, "revoked");
        office.badge("kim", "agent");
        office.refused("desk", &seal, 3, "revoked");
        office.ok("issuer", &["revoke", "--lift", id, "-o", "revoked"]);
        office.ok("desk", &["revoke", "use", "revoked"]);
        office.badge("park", "supervisor");
        assert_eq!(office.opened("desk", "file.bulla"), TEXT);
    }
}

#[test]
fn explaining_a_sealed_file() {
    let office = Office::at_work();
    let mut policy = agents(json!({"ticket": true, "opens": {"at_most": 2, "per": "24h"}}));
    policy["duties"] = json!(["watermark"]);
    office.seal_under("claims", &policy);
    let explain = |more: &[&str]| {
        let done = office.run("desk", &[&["--json", "policy", "explain", "claims"], more].concat());
        (done.status, done.json()["decision"].clone())
    };
    let failed = |more: &[&str]| explain(more).1["refused"][0]["failed"].clone();
    assert_eq!(failed(&[]), "badge");
    // The home's own badge, and what is said beside it.
    office.badge("kim", "agent");
    assert_eq!(failed(&[]), "ticket");
    let (status, decision) = explain(&["--fact", "ticket=true", "--right", "view"]);
    assert_eq!((status, &decision["withheld"][0]["undeclared"]), (3, &json!(["watermark"])));
    let all = ["--fact", "ticket=true", "--fact", "duties=watermark", "--right", "export"];
    let (status, decision) = explain(&all);
    assert_eq!((status, decision["rights"].as_array().unwrap().len()), (0, 2), "{decision}");
    assert!(decision["until"].is_string());
    assert_eq!(explain(&[&all[..4], &["--right", "print"]].concat()).0, 3);
    // Flags stand in place of what the home knows.
    assert_eq!(failed(&[&all[..], &["--user", "lee", "--role", "clerk"]].concat()), "to");
    let lee = [&all[..], &["--user", "lee", "--role", "agent"]].concat();
    assert_eq!(explain(&lee).0, 0);
    assert_eq!(failed(&[&all[..], &["--fact", r#"opens={"24h":2}"#]].concat()), "opens");
    assert_eq!(failed(&[&all[..], &["--at", "2099-01-01T00:00:00Z"]].concat()), "badge");
    // Nothing of this was an open, and none was recorded.
    assert_eq!(office.events("desk"), [""; 0]);
    // A home without an identity: by flags alone, and what they don't say is not known.
    let nobody =
        |facts: &[&str]| office.run("nobody", &[&["policy", "explain", "claims"], facts].concat());
    assert!(nobody(&lee).text().contains("the number of opens is not known"));
    let done = nobody(&[&lee[..], &["--fact", r#"opens={"24h":1}"#]].concat());
    assert_eq!(done.status, 0, "{}", done.text());
    assert!(done.text().contains("may view, with watermark"), "{}", done.text());
    // What is refused before a policy is asked is refused here, too.
    fs::remove_file(office.path("desk/roots").join(office.root())).unwrap();
    office.refused("desk", &["policy", "explain", "claims"], 3, "unknown-root");
}

#[test]
fn checking_with_the_roles_that_badges_can_give() {
    let office = Office::at_work();
    office.write("agents.json", agents(json!({})).to_string());
    office.write("two.json", two_roles().to_string());
    let codes = |home: &str, policy: &str| {
        let done = office.run(home, &["--json", "policy", "check", policy]);
        let found = done.json()["findings"].as_array().unwrap().clone();
        let codes: Vec<_> = found.iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect();
        (done.status, codes)
    };
    // The root itself may give any role.
    assert_eq!(codes("desk", "agents.json"), (0, vec![]));
    office.device("lead", "x25519");
    let root = office.root();
    let add = [
        "--add",
        "lead/identity.pub",
        "--for",
        "badge",
        "--roles",
        "roles",
        "--role",
        "supervisor",
    ];
    let sign = ["trust", "sign", "--remove", &root, "-o", "list"];
    office.ok("issuer", &[&sign[..], &add].concat());
    office.trusting("desk");
    let (status, found) = codes("desk", "agents.json");
    assert_eq!(status, 1);
    assert!(found.contains(&"never-applies".to_owned()), "{found:?}");
    assert!(codes("desk", "two.json").1.contains(&"role-not-given".to_owned()));
    assert_eq!(codes("nobody", "agents.json"), (0, vec![]));
    // And so it is: the lead's badges give that role and no other.
    for (role, code) in [("agent", "denied"), ("supervisor", "")] {
        let issue = ["badge", "issue", "--subject", "kim", "--role", role, "--for", "1h"];
        let to = ["--to", "desk/identity.pub", "-o", "badge"];
        office.ok("lead", &[&issue[..], &to].concat());
        office.ok("desk", &["badge", "use", "badge"]);
        office.seal_under("claims", &two_roles());
        if code.is_empty() {
            assert_eq!(office.opened("desk", "claims"), TEXT);
        } else {
            office.denied("desk", "claims", 3, code);
        }
    }
    // The root is not on its own list any more.
    office.issue("badge", "kim", "supervisor", &[]);
    office.refused("desk", &["badge", "use", "badge"], 3, "not-trusted");
}

#[test]
fn a_refusal_as_data() {
    let office = Office::at_work();
    office.seal_under("claims", &two_roles());
    office.badge("kim", "agent");
    let error = |args: &[&str]| {
        let done = office.run("desk", &[&["--json"], args].concat());
        assert_eq!(done.status, 3);
        done.json()["error"].clone()
    };
    let said = error(&["open", "claims", "-"]);
    assert_eq!((&said["code"], &said["number"]), (&json!("missing-right"), &json!(404)));
    assert_eq!(said["class"], "denied");
    let decision = &said["decision"];
    assert_eq!(decision["rights"], json!([{"right": "view", "duties": []}]));
    let refused = &decision["refused"][0];
    assert_eq!((&refused["grant"], &refused["failed"]), (&json!(1), &json!("to")));
    assert_eq!(refused["cause"], "unmet");
    for text in ["known", "wanted", "message"] {
        assert!(refused[text].is_string(), "{refused}");
    }
    office.badge("lee", "clerk");
    let said = error(&["open", "claims", "-o", "out"]);
    assert_eq!((&said["code"], &said["decision"]["rights"]), (&json!("denied"), &json!([])));
    assert_eq!(said["decision"]["refused"].as_array().unwrap().len(), 2);
    // What no policy decided has no decision.
    office.ok("issuer", &["revoke", "--subject", "lee", "-o", "revoked"]);
    office.ok("desk", &["revoke", "use", "revoked"]);
    let said = error(&["open", "claims", "-"]);
    assert_eq!((&said["code"], said.get("decision")), (&json!("revoked"), None));
}

#[test]
fn showing_the_trail() {
    let office = Office::at_work_on("2027-03-03 08:00:00");
    office.seal_under("claims", &two_roles());
    office.seal_under("other", &two_roles());
    office.set_clock("2027-03-03 09:00:00");
    office.badge("kim", "agent");
    office.run("desk", &["open", "claims", "-"]);
    office.set_clock("2027-03-03 10:00:00");
    office.badge("park", "supervisor");
    office.ok("desk", &["open", "claims", "-", "--ticket", "T-7"]);
    office.ok("desk", &["open", "other", "-"]);
    assert_eq!(
        office.events("desk"),
        ["denied", "opened", "seen", "exported", "opened", "seen", "exported"]
    );
    let show =
        |more: &[&str]| lines(&office.ok("desk", &[&["--json", "trail", "show"], more].concat()));
    let id = office.inspect("claims")["file"].as_str().unwrap().to_owned();
    assert_eq!(show(&["--file", &id]).len(), 4);
    assert_eq!(show(&["--subject", "kim"]).len(), 1);
    let exported = show(&["--event", "exported", "--subject", "park"]);
    assert_eq!(exported.len(), 2);
    let record = &exported[0];
    assert_eq!((&record["file"], &record["ticket"]), (&json!(id), &json!("T-7")));
    assert_eq!((&record["policy"], &record["rights"]), (&json!("claims"), &json!(["export"])));
    assert_eq!(record["device"], office.thumbprint("desk"));
    let denied = &show(&["--event", "denied"])[0];
    assert_eq!((&denied["subject"], &denied["code"]), (&json!("kim"), &json!("missing-right")));
    assert!(denied["reasons"][0].is_string());
    // From a time on, inclusive, until another, exclusive.
    for (from, until, count) in [
        ("2020-01-01T00:00:00Z", "2027-03-03T09:00:00Z", 2),
        ("2027-03-03T18:00:00+09:00", "2027-03-03T19:00:00+09:00", 1),
        ("2027-03-03T09:00:01Z", "2027-03-03T09:59:59Z", 0),
        ("2027-03-03T10:00:00Z", "2099-01-01T00:00:00Z", 6),
    ] {
        assert_eq!(show(&["--from", from, "--until", until]).len(), count, "{from}");
    }
    assert_eq!(show(&[]).len(), 9);
    // As they stand, byte for byte; and the same of a copy.
    let shown = office.ok("desk", &["--json", "trail", "show"]).stdout;
    assert_eq!(shown, office.read("desk/trail.jsonl"));
    office.write("copy", &shown);
    assert_eq!(office.ok("nobody", &["--json", "trail", "show", "copy"]).stdout, shown);
    assert_eq!(office.run("desk", &["trail", "show", "--event", "stolen"]).status, 2);
    assert_eq!(office.run("desk", &["trail", "show", "--from", "yesterday"]).status, 2);
    // For people: a line a record, with what was refused and why.
    let text = office.ok("desk", &["trail", "show", "--event", "denied"]).text();
    assert_eq!(text.lines().count(), 1);
    for shown in ["denied", "by kim", &id, "policy claims", "[missing-right]"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    // Nothing of the content, and no file's name.
    let trail = String::from_utf8(shown).unwrap();
    assert!(!trail.contains("phone") && !trail.contains("\"file\":\"claims\""));
}
