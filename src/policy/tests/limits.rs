//! Found by mutants: what lies right beside what is allowed, and what messages say.

use super::*;

/// What is wrong with this condition, or what it says that it wants.
fn reads(condition: &str, need: Value) -> Result<(), String> {
    let doc = json!({"version": 1, "name": "p", "grants": [
        {"to": ["anyone"], "rights": ["view"], "when": {condition: need}}]});
    Policy::parse(doc.to_string().as_bytes()).map(|_| ()).map_err(|e| e.to_string())
}

fn named(name: &str) -> bool {
    let doc = json!({"version": 1, "name": name,
        "grants": [{"to": ["anyone"], "rights": ["view"]}]});
    Policy::parse(doc.to_string().as_bytes()).is_ok()
}

/// What the refusal says of this condition under these facts.
fn said(when: Value, facts: Value) -> String {
    message(&with_when(when), facts)
}

#[test]
fn times_and_addresses() {
    let from = |from: &str| {
        let hours = json!([{"zone": "Asia/Seoul", "days": ["mon"], "from": from, "to": "18:00"}]);
        reads("hours", hours).is_ok()
    };
    assert!(from("08:00") && from("08:59"));
    for bad in ["0800", "08.00", "08:000", "8:00", "08:60", "24:01", "25:00", "24:59"] {
        assert!(!from(bad), "{bad}");
    }
    assert!(reads("network", json!(["2001:db8::1/128"])).is_ok());
    assert!(reads("network", json!(["2001:db8::1/129"])).is_err());
}

#[test]
fn names_and_words() {
    assert!(named("a") && named(&"é".repeat(128)));
    for bad in ["", "a\nb", "a\u{7f}b", "a\u{200e}b", "a\u{202e}b", "a\u{2069}b"] {
        assert!(!named(bad), "{bad:?}");
    }
    assert!(!named(&"é".repeat(129)));

    let kind = |kind: &str| reads("attested", json!({kind: "1h"})).is_ok();
    assert!(kind("a") && kind("7") && kind("a-b.c7") && kind(&"a".repeat(64)));
    for bad in ["", "A", "-a", ".a", "a_b", "a b", &"a".repeat(65), "é"] {
        assert!(!kind(bad), "{bad}");
    }
    let both = json!({"need": "1h", "b": "1h"});
    assert!(reads("attested", both).is_err(), "`need` is a member of the long form");
    let many = |n: usize| {
        let kinds = (0..n).map(|i| (format!("k{i}"), json!("1h")));
        reads("attested", Value::Object(kinds.collect()))
    };
    assert!(many(32).is_ok() && many(33).is_err());
    assert!(reads("attested", json!({})).unwrap_err().contains("leave it out"));
    let opens = |n: u64| reads("opens", json!({"at_most": n, "per": "1d"})).is_ok();
    assert!(!opens(0) && opens(1) && opens(1_000_000_000) && !opens(1_000_000_001));
}

/// A key is shown if it could not be somebody's name or number.
#[test]
fn keys_in_messages() {
    let place = |kind: &str| reads("attested", json!({kind: "soon"})).unwrap_err();
    assert!(place("a-b.7").contains("when.attested.a-b.7: "));
    assert!(place("Kim Minji").contains("when.attested.?: "));
    let unknown = |key: &str| {
        let doc = json!({"version": 1, "name": "p", key: 1,
            "grants": [{"to": ["anyone"], "rights": ["view"]}]});
        refusal(doc.to_string().as_bytes())
    };
    for plain in ["a_b", "A-b.7", &"a".repeat(64)] {
        assert!(unknown(plain).contains(plain), "{plain}");
    }
    for other in ["Kim Minji", "a/b", &"a".repeat(65), "é"] {
        let message = unknown(other);
        assert!(!message.contains(other) && message.contains("one key here"), "{message}");
    }
}

#[test]
fn paths_and_hashes() {
    let path = |path: &str| reads("software", json!({"path": [path]})).is_ok();
    for good in ["/a", "/", "C:\\crm.exe", "z:\\", "\\\\server\\share\\crm.exe"] {
        assert!(path(good), "{good}");
    }
    for bad in ["a", "crm.exe", "C:", "C:crm.exe", "1:\\crm.exe", "C:/crm.exe", "\\a", "é:\\a", ""]
    {
        assert!(!path(bad), "{bad}");
    }
    let hash = |hash: &str| reads("software", json!({"sha256": [hash]})).is_ok();
    let good = "0123456789abcdef".repeat(4);
    assert!(hash(&good));
    let upper = good.to_uppercase();
    for bad in
        [&good[1..], &format!("{good}0"), &format!("{good}00"), &upper, &good.replace('0', "g")]
    {
        assert!(!hash(bad), "{bad}");
    }
    // Read as what it says.
    let program = |sha256: &str| {
        let facts = json!({"program": {"mode": "managed", "sha256": sha256}});
        said(json!({"software": {"sha256": [good]}}), facts)
    };
    assert_eq!(program(&good), "");
    for (at, other) in [(0, "1"), (1, "0"), (62, "f"), (63, "e"), (10, "b")] {
        let mut changed = good.clone();
        changed.replace_range(at..at + 1, other);
        assert_ne!(program(&changed), "", "{changed}");
    }
}

#[test]
fn validity() {
    let valid = |from: &str, until: &str| reads("valid", json!({"from": from, "until": until}));
    let (one, two) = ("2026-11-24T01:00:00Z", "2026-11-24T01:00:01Z");
    assert!(valid(one, two).is_ok());
    for (from, until) in [(one, one), (two, one)] {
        assert!(valid(from, until).unwrap_err().contains("until must be after from"));
    }
    let late = json!({"time": "2027-01-01T00:00:00Z"});
    let until = json!({"valid": {"until": one}});
    assert!(said(until, late.clone()).contains("until 2026-11-24 01:00 UTC"));
    let from = "2028-01-01T00:00:00Z";
    let to_come = json!({"valid": {"from": from}});
    assert!(said(to_come, late.clone()).contains("from 2028-01-01 00:00 UTC"));
    let both = json!({"valid": {"from": from, "until": "2029-01-01T00:00:00Z"}});
    let said = said(both, late);
    assert!(said.contains("from 2028-01-01 00:00 UTC until 2029-01-01 00:00 UTC"), "{said}");
}

/// What is missing, in words.
#[test]
fn messages() {
    let unknown = |when: Value| said(when, json!({}));
    let hash = |n: u8| format!("{n:064x}");
    for (when, says) in [
        (json!({"software": {"mode": ["bare"]}}), "a bare program"),
        (json!({"software": {"path": ["/a", "/b"]}}), "a managed or confined program at /a, /b"),
        (
            json!({"software": {"sha256": [hash(1)]}}),
            "a managed or confined program with the SHA-256 that the policy names",
        ),
        (
            json!({"software": {"sha256": [hash(1), hash(2)]}}),
            "a managed or confined program with one of 2 SHA-256 that the policy names",
        ),
        (json!({"devices": [device(1)]}), "the one device that the policy names"),
        (json!({"devices": [device(1), device(2)]}), "one of the 2 devices that the policy names"),
        (json!({"network": ["10.0.0.0/8"]}), "every address in 10.0.0.0/8"),
        (json!({"network": {"any": ["10.0.0.0/8"]}}), "an address in 10.0.0.0/8"),
        (
            json!({"network": ["1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8"]}),
            "every address in 1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8",
        ),
        (
            json!({"network": ["1.0.0.0/8", "2.0.0.0/8", "3.0.0.0/8", "4.0.0.0/8", "5.0.0.0/8"]}),
            "every address in 1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8 and 1 more",
        ),
        (json!({"storage": "fixed"}), "storage that is fixed"),
        (json!({"anchored": "7d"}), "it not longer ago than 7d"),
        (json!({"valid": {"until": "2028-01-01T00:00:00Z"}}), "a time until 2028-01-01 00:00 UTC"),
    ] {
        let said = unknown(when);
        assert!(said.ends_with(&format!("this needs {says}")), "{said}");
        assert!(said.contains("is not known"), "{said}");
    }
    // The long form, which must be whole.
    assert!(reads("storage", json!({"need": "fixed", "accept": "asserted"})).is_ok());
    assert!(reads("storage", json!({"need": "fixed"})).unwrap_err().contains("accept is missing"));
    let without = reads("storage", json!({"accept": "asserted"}));
    assert!(without.unwrap_err().contains("need is missing"));
}

#[test]
fn hours_are_shown_as_they_are_written() {
    let shown = |days: &[&str], from: &str, to: &str| {
        let hours = json!([{"zone": "Asia/Seoul", "days": days, "from": from, "to": to}]);
        said(json!({"hours": hours}), json!({}))
    };
    for (days, from, to, says) in [
        (&["mon"][..], "08:00", "18:00", "Mon 08:00–18:00 Asia/Seoul"),
        (&["sun"], "08:00", "18:00", "Sun 08:00–18:00 Asia/Seoul"),
        (&["mon", "tue"], "08:00", "24:00", "Mon,Tue 08:00–24:00 Asia/Seoul"),
        (&["sat", "sun"], "22:00", "06:00", "Sat,Sun 22:00–06:00 Asia/Seoul"),
        (&["mon", "wed", "thu", "fri", "sun"], "00:00", "00:30", "Mon,Wed–Fri,Sun 00:00–00:30"),
        (&["tue", "thu", "sat"], "08:00", "18:00", "Tue,Thu,Sat 08:00–18:00 Asia/Seoul"),
    ] {
        let said = shown(days, from, to);
        assert!(said.contains(says), "{said}");
    }
}
