//! Found by mutants: what `check` finds, and what it does not.

use super::*;

const NEVER: [&str; 1] = ["never-applies"];
const NOTHING: [&str; 0] = [];

#[test]
fn conditions_that_exclude_each_other() {
    let path = json!({"software": {"path": ["/a"]}});
    let hash = json!({"software": {"sha256": ["0a".repeat(32)]}});
    // Each is content with one program that the other says nothing of.
    assert_eq!(together(path.clone(), hash.clone()), NOTHING);
    assert_eq!(together(hash, path), NOTHING);
    let (ten, eleven) = (json!(["10.0.0.0/8"]), json!(["11.0.0.0/8"]));
    let any = |blocks: &Value| json!({"network": {"any": blocks}});
    let every = |blocks: &Value| json!({"network": blocks});
    assert_eq!(together(any(&ten), every(&eleven)), NEVER);
    assert_eq!(together(every(&ten), any(&eleven)), NEVER);
    assert_eq!(together(any(&ten), any(&eleven)), NOTHING);
    assert_eq!(together(every(&json!(["10.2.0.0/16"])), every(&ten)), NOTHING);
    assert_eq!(together(every(&ten), every(&json!(["10.2.0.0/16"]))), NOTHING);
    for (block, finds) in [
        ("127.0.0.0/8", &NEVER[..]),
        ("127.0.0.0/9", &NEVER),
        ("126.0.0.0/7", &NOTHING),
        ("fe80::/10", &NEVER),
        ("fe80::/9", &NOTHING),
    ] {
        assert_eq!(together(json!({"ticket": true}), every(&json!([block]))), finds, "{block}");
    }
}

#[test]
fn validities_by_the_second() {
    let from = |t: &str| together(json!({"ticket": true}), json!({"valid": {"from": t}}));
    assert_eq!(from("2026-11-24T01:12:00Z"), NOTHING);
    assert_eq!(from("2026-11-24T01:12:01Z"), ["not-yet-valid"]);
    // Of a policy that is over, no more is said of its grants.
    let over = json!({"valid": {"until": "2026-11-01T00:00:00Z"}, "storage": "fixed"});
    assert_eq!(together(over.clone(), json!({"storage": "removable"})), ["expired"]);
    assert_eq!(together(json!({"storage": "fixed"}), over), ["expired"]);
}

#[test]
fn hours_that_meet_later() {
    let seoul = |days: &[&str], from: &str, to: &str| json!({"zone": "Asia/Seoul", "days": days, "from": from, "to": to});
    let hours = |windows: &[Value]| json!({"hours": windows});
    // It is Tuesday, 10:12: one of them has a time before the first of the other.
    let wednesday = hours(&[seoul(&["wed"], "09:00", "18:00")]);
    let both = hours(&[seoul(&["tue"], "10:00", "11:00"), seoul(&["wed"], "10:00", "11:00")]);
    assert_eq!(together(wednesday.clone(), both.clone()), NOTHING);
    assert_eq!(together(both, wednesday.clone()), NOTHING);
    // Windows within each other, in any order.
    let nested = hours(&[
        seoul(&["wed"], "10:00", "11:00"),
        seoul(&["wed"], "09:00", "12:00"),
        seoul(&["tue"], "09:00", "23:00"),
    ]);
    let late = |from: &str, to: &str| hours(&[seoul(&["wed"], from, to)]);
    assert_eq!(together(nested.clone(), late("11:30", "13:00")), NOTHING);
    assert_eq!(together(late("11:59", "13:00"), nested.clone()), NOTHING);
    assert_eq!(together(nested.clone(), late("12:00", "13:00")), ["contradictory-hours"]);
    assert_eq!(together(late("08:00", "09:00"), nested), ["contradictory-hours"]);
    let unknown = json!({"version": 1, "name": "p", "grants": [{"to": ["anyone"],
        "rights": ["view"], "when": hours(&[seoul(&["fun"], "09:00", "18:00")])}]});
    assert!(refusal(unknown.to_string().as_bytes()).contains("no such day"));
}

/// Places and messages of duties that can be shed, of a grant with a watermark and others without.
fn shed(strict: Value, others: &[Value]) -> Vec<(String, String)> {
    let grant = |v: &Value, duties: Value| {
        let mut grant = v.clone();
        let all = grant.as_object_mut().unwrap();
        all.entry("to").or_insert(json!(["anyone"]));
        all.insert("rights".into(), json!(["view"]));
        all.insert("duties".into(), duties);
        grant
    };
    let mut grants = vec![grant(&strict, json!(["watermark"]))];
    grants.extend(others.iter().map(|other| grant(other, json!(["wipe"]))));
    let p = policy(json!({"version": 1, "name": "p", "duties": ["wipe"], "grants": grants}));
    let sheds = |f: &Finding| f.code == FindingCode::WithholdingShedsDuty;
    check(&p, NOW, None).into_iter().filter(sheds).map(|f| (f.place, f.message)).collect()
}

#[test]
fn who_can_shed_a_duty() {
    let kim = json!({"to": [{"user": "kim"}], "when": {"ticket": true}});
    let to = |subject: Value| json!({"to": [subject]});
    let n = |other: Value| shed(kim.clone(), &[other]).len();
    assert_eq!(n(to(json!({"user": "kim"}))), 1);
    assert_eq!(n(to(json!({"user": "lee"}))), 0, "nobody is both");
    assert_eq!(n(to(json!({"role": "agent"}))), 1, "kim may have the role");
    assert_eq!(n(json!({"to": ["anyone"]})), 1);
    assert_eq!(n(json!({"to": [{"user": "lee"}, {"user": "kim"}]})), 1);

    // A badge is withheld from a grant that asks for one to one that does not; not the other way.
    let (role, anyone) = (to(json!({"role": "agent"})), json!({}));
    let found = shed(role.clone(), std::slice::from_ref(&anyone));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.contains("withholds the badge loses nothing that grants[1] gives too"));
    assert_eq!(shed(anyone, &[role]), []);
    // One finding for a grant is enough.
    assert_eq!(shed(kim, &[json!({}), json!({})]).len(), 1);
}

#[test]
fn what_can_be_withheld() {
    let when = |when: Value| json!({"when": when});
    let hash = "0a".repeat(32);
    let software = |need: Value| json!({"software": need});
    for (strict, lax, withheld) in [
        (
            software(json!({"path": ["/a"]})),
            software(json!({"mode": ["managed"]})),
            "program's path",
        ),
        (
            software(json!({"sha256": [hash]})),
            software(json!({"mode": ["managed"]})),
            "program's SHA-256",
        ),
        (software(json!({"path": ["/a"]})), json!({"ticket": true}), "program"),
        (json!({"ticket": true}), json!({"storage": "fixed"}), "ticket"),
        (json!({"storage": "fixed"}), json!({"ticket": true}), "storage"),
        (json!({"devices": [device(1)]}), json!({"ticket": true}), "device's identity"),
        (json!({"network": ["10.0.0.0/8"]}), json!({"ticket": true}), "network addresses"),
        (json!({"posture": ["a"]}), json!({"posture": ["b"]}), "posture a"),
        (json!({"attested": {"a": "1h"}}), json!({"attested": {"b": "1h"}}), "attestation a"),
        (json!({"opens": {"at_most": 1, "per": "1d"}}), json!({"ticket": true}), "number of opens"),
        (json!({"valid": {"until": "2028-01-01T00:00:00Z"}}), json!({"ticket": true}), "time"),
        (json!({"revocations": "7d"}), json!({"ticket": true}), "list of revocations"),
        (json!({"anchored": "7d"}), json!({"ticket": true}), "anchor"),
    ] {
        let found = shed(when(strict.clone()), &[when(lax.clone())]);
        assert_eq!(found.len(), 1, "{strict}");
        let says = format!("withholds the {withheld} loses");
        assert!(found[0].1.contains(&says), "{} of {strict}", found[0].1);
        assert_eq!(found[0].0, "grants[0].duties");
    }
    let mode = software(json!({"mode": ["managed"]}));
    for of in [json!({"path": ["/a"]}), json!({"sha256": [hash]})] {
        assert_eq!(shed(when(mode.clone()), &[when(software(of))]), []);
    }
}

#[test]
fn findings_are_named() {
    let names = [Severity::Note, Severity::Warning, Severity::Error].map(Severity::name);
    assert_eq!(names, ["note", "warning", "error"]);
}

#[test]
fn policies_are_equal_by_what_they_say() {
    let one = |at_most: u64| with_when(json!({"opens": {"at_most": at_most, "per": "1d"}}));
    assert!(one(1) == one(1) && one(1) != one(2));
}

#[test]
fn ages_in_the_unit_that_people_use() {
    let shown = |age: &str| message(&with_when(json!({"anchored": age})), json!({}));
    for (age, says) in [
        ("1d", "24h"),
        ("48h", "48h"),
        ("2d", "48h"),
        ("3d", "3d"),
        ("72h", "3d"),
        ("60m", "1h"),
        ("90m", "90m"),
        ("60s", "1m"),
        ("61s", "61s"),
        ("3600s", "1h"),
    ] {
        assert!(shown(age).ends_with(&format!("not longer ago than {says}")), "{}", shown(age));
    }
}
