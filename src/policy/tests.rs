//! Reading, messages and `check`. Decisions are covered by the vectors.

use super::*;
use serde_json::json;

mod decided;
mod doubts;
mod limits;

const NOW: i64 = 1_795_482_720; // 2026-11-24T01:12:00Z, a Tuesday

fn refusal(bytes: &[u8]) -> String {
    let e = Policy::parse(bytes).expect_err("must be refused");
    assert_eq!(e.code(), Code::BadPolicy);
    e.to_string()
}

fn policy(v: Value) -> Policy {
    Policy::parse(v.to_string().as_bytes()).expect("parses")
}

/// A device as policies name it.
fn device(n: u8) -> String {
    crate::encoding::b64(&[n; 32])
}

/// A policy with this one grant to anyone.
fn with_when(when: Value) -> Policy {
    policy(json!({"version": 1, "name": "p",
        "grants": [{"to": ["anyone"], "rights": ["view"], "when": when}]}))
}

/// What is found in a policy with such conditions in `require` and in its only grant, to anyone.
fn together(require: Value, when: Value) -> Vec<&'static str> {
    let p = policy(json!({"version": 1, "name": "p", "require": require,
        "grants": [{"to": ["anyone"], "rights": ["view"], "when": when}]}));
    found(&p, None).into_iter().map(|(code, _)| code).collect()
}

/// What the refusal says under these facts.
fn message(p: &Policy, facts: Value) -> String {
    let facts = Facts::from_value(&facts).unwrap();
    evaluate(p, &facts).messages().join("; ")
}

#[test]
fn refusals_name_the_place() {
    let when = |condition: &str, need: Value| {
        let doc = json!({"version": 1, "name": "p", "grants": [
            {"to": ["anyone"], "rights": ["view"]},
            {"to": ["anyone"], "rights": ["view"], "when": {condition: need}}]});
        refusal(doc.to_string().as_bytes())
    };
    let zone = json!([{"zone": "Asia/Soul", "days": ["mon"], "from": "08:00", "to": "09:00"}]);
    assert_eq!(
        when("hours", zone),
        "grants[1].when.hours[0].zone: no such time zone; write it like Asia/Seoul"
    );
    assert!(when("network", json!(["10.0.0.0/8", 7])).starts_with("grants[1].when.network[1]: "));
    assert!(when("attested", json!({"a": "soon"})).starts_with("grants[1].when.attested.a: "));
    assert!(when("weather", json!("fine")).starts_with("grants[1].when: weather is not known"));
    let missing = refusal(br#"{"version":1,"name":"p"}"#);
    assert_eq!(missing, "grants is missing");
}

#[test]
fn refusals_do_not_quote_what_was_written() {
    for bad in [
        r#"{"version":1,"name":"p","Kim Minjun 010-1234":1,"grants":[{"to":["anyone"],"rights":["view"]}]}"#,
        r#"{"version":1,"name":"p","grants":[{"to":[{"user":7}],"rights":["Kim Minjun"]}]}"#,
        r#"{"version":1,"name":"p","grants":[{"to":["Kim Minjun"],"rights":["view"]}]}"#,
        r#"{"version":1,"name":"p","grants":[{"to":["anyone"],"rights":["view"],"when":{"attested":{"Kim Minjun":"1h"}}}]}"#,
        r#"{"version":"Kim Minjun","name":"p","grants":[]}"#,
    ] {
        let message = refusal(bad.as_bytes());
        assert!(!message.contains("Kim"), "{message}");
    }
}

#[test]
fn bad_documents() {
    let small = r#"{"version":1,"name":"p","grants":[{"to":["anyone"],"rights":["view"]}]}"#;
    assert!(Policy::parse(small.as_bytes()).is_ok());
    let padded = |n: usize| [small.as_bytes(), &vec![b' '; n - small.len()]].concat();
    assert!(Policy::parse(&padded(MAX_POLICY)).is_ok());
    assert!(refusal(&padded(MAX_POLICY + 1)).contains("64 KiB"));
    let grant = r#"{"to":["anyone"],"rights":["view"]}"#;
    let grants = |n| {
        let all = vec![grant; n].join(",");
        format!(r#"{{"version":1,"name":"p","grants":[{all}]}}"#)
    };
    assert!(Policy::parse(grants(MAX_GRANTS).as_bytes()).is_ok());
    assert!(refusal(grants(MAX_GRANTS + 1).as_bytes()).contains("256"));
    assert!(refusal(grants(10_000).as_bytes()).contains("64 KiB"));
    let deep = format!(r#"{{"version":{}1{}}}"#, "[".repeat(1000), "]".repeat(1000));
    assert!(refusal(deep.as_bytes()).contains("deep"));
    for bad in [
        small.replace("1,", "NaN,"),
        small.replace("1,", "1.0,"),
        small.replace("1,", "1e0,"),
        small.replace("\"p\"", r#""\ud800""#),
        small.replace("\"p\"", "null"),
        small.replace("\"name\":\"p\"", r#""name":"p","name":"p""#),
        small.replace("\"name\":\"p\"", r#""name":"p","n\u0061me":"p""#),
        format!("\u{feff}{small}"),
        format!("{small}{small}"),
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
    ] {
        refusal(bad.as_bytes());
    }
    refusal(b"{\"version\":1,\"name\":\"\xff\"}");
}

#[test]
fn written_as_it_was_read() {
    for bytes in [
        &include_bytes!("../../examples/policies/claims-from-home.json")[..],
        include_bytes!("../../examples/policies/office-desk.json"),
        include_bytes!("../../examples/policies/supervisor.json"),
        include_bytes!("../../examples/policies/archive.json"),
    ] {
        let read = Policy::parse(bytes).unwrap();
        let again: Policy = json::from_slice(bytes).unwrap();
        assert_eq!(read, again);
        assert_eq!(serde_json::to_value(&read).unwrap(), json::value(bytes).unwrap());
        // The examples are what people start from: nothing in them is doubtful.
        assert_eq!(check(&read, NOW, None), []);
    }
}

#[test]
fn tells_what_it_needs() {
    let p = policy(json!({"version": 1, "name": "p",
        "require": {"opens": {"at_most": 9, "per": "7d"}},
        "derive": ["notes"],
        "grants": [
            {"to": ["anyone"], "rights": ["view"], "when": {"opens": {"at_most": 2, "per": "24h"}}},
            {"to": ["anyone"], "rights": ["edit"], "when": {"opens": {"at_most": 2, "per": "1d"}}}]}));
    assert_eq!(p.open_windows(), [86_400, 604_800]);
    assert!(p.uses(Condition::Opens) && !p.uses(Condition::Network));
    assert_eq!((p.name(), p.derive(), p.grants()), ("p", &["notes".to_owned()][..], 2));
}

#[test]
fn messages_that_can_be_acted_on() {
    let hours = with_when(json!({"hours": {"zone": "Asia/Seoul",
        "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:30", "to": "18:30"}}));
    assert_eq!(
        message(&hours, json!({"time": "2026-11-28T10:12:30+09:00"})),
        "outside working hours: Mon–Fri 08:30–18:30 Asia/Seoul, it is now Sat 10:12"
    );
    let network = with_when(json!({"network": {"any": ["10.20.0.0/16"]}}));
    assert_eq!(
        message(&network, json!({"network": ["192.168.0.7"]})),
        "wrong network: at 192.168.0.7; this needs an address in 10.20.0.0/16"
    );
    let usb = with_when(json!({"posture": ["usb-storage-blocked"]}));
    assert_eq!(
        message(&usb, json!({"posture": [{"name": "usb-storage-blocked", "by": "asserted"}]})),
        "the state of the device is only asserted and must be attested; this needs \
         usb-storage-blocked"
    );
    let role = policy(json!({"version": 1, "name": "p",
        "grants": [{"to": [{"role": "supervisor"}], "rights": ["view"], "duties": ["wipe"]}]}));
    assert_eq!(
        message(&role, json!({})),
        "a badge is needed, for role supervisor: sign in or fetch one"
    );
    let badge =
        json!({"subject": "kim", "roles": ["supervisor"], "expires": "2026-11-24T01:00:00Z"});
    assert_eq!(
        message(&role, json!({"time": "2026-11-24T01:00:00Z", "badge": badge})),
        "the badge expired at 2026-11-24 01:00 UTC: fetch a new one"
    );
    assert_eq!(
        message(&role, json!({"time": "2026-11-24T00:00:00Z", "badge": badge})),
        "view is denied: this program does not offer to carry out wipe"
    );
}

#[test]
fn facts_are_read_strictly() {
    for bad in [
        r#"{"weather": 1}"#,
        r#"{"time": 0}"#,
        r#"{"time": {"value": "2026-11-24T01:00:00Z"}}"#,
        r#"{"time": {"value": "2026-11-24T01:00:00Z", "by": "guessed"}}"#,
        r#"{"badge": {"subject": "kim"}}"#,
        r#"{"badge": {"subject": "kim", "roles": "agent", "expires": "2026-11-24T01:00:00Z"}}"#,
        r#"{"network": ["fe80::1%eth0"]}"#,
        r#"{"opens": {"24h": 1, "1d": 1}}"#,
        r#"{"ticket": false}"#,
        r#"{"time": "2026-11-24T01:00:00Z", "time": "2026-11-24T01:00:00Z"}"#,
    ] {
        let e = Facts::parse(bad.as_bytes()).expect_err(bad);
        assert_eq!(e.code(), Code::BadArgument);
    }
    assert_eq!(Facts::parse(b"{}").unwrap(), Facts::default());
}

#[test]
fn an_attestation_of_posture_is_both() {
    let mut facts = Facts { time: Some(Known::measured(NOW)), ..Facts::default() };
    facts.attest("posture.usb-storage-blocked", NOW - 10, NOW + 10);
    let both = with_when(json!({"posture": ["usb-storage-blocked"],
        "attested": {"posture.usb-storage-blocked": "1h"}}));
    assert_eq!(evaluate(&both, &facts).until(), Some(NOW + 10));
}

/// The codes and places of what is found.
fn found(p: &Policy, roles: Option<&[&str]>) -> Vec<(&'static str, String)> {
    let roles: Option<Vec<String>> = roles.map(|r| r.iter().map(|s| s.to_string()).collect());
    check(p, NOW, roles.as_deref()).into_iter().map(|f| (f.code.name(), f.place)).collect()
}

#[test]
fn check_finds_validity() {
    let until = |t: &str| with_when(json!({"valid": {"until": t}}));
    assert_eq!(found(&until("2026-11-24T01:12:01Z"), None), []);
    let expired = [("expired", "grants[0].when.valid".to_owned())];
    assert_eq!(found(&until("2026-11-24T01:12:00Z"), None), expired);
    let later = with_when(json!({"valid": {"from": "2026-11-24T01:12:01Z"}}));
    assert_eq!(found(&later, None), [("not-yet-valid", "grants[0].when.valid".to_owned())]);
}

#[test]
fn check_finds_what_never_applies() {
    let never = ["never-applies"];
    assert_eq!(together(json!({"storage": "fixed"}), json!({"storage": "removable"})), never);
    assert_eq!(
        together(json!({"storage": "fixed"}), json!({"storage": ["removable", "fixed"]})),
        [""; 0]
    );
    assert_eq!(
        together(json!({"software": {"mode": ["bare"]}}), json!({"software": {"path": ["/a"]}})),
        never
    );
    assert_eq!(
        together(json!({"network": ["10.0.0.0/8"]}), json!({"network": ["11.0.0.0/8"]})),
        never
    );
    assert_eq!(
        together(json!({"network": ["10.0.0.0/8"]}), json!({"network": {"any": ["11.0.0.0/8"]}})),
        never
    );
    assert_eq!(
        together(
            json!({"network": {"any": ["10.0.0.0/8"]}}),
            json!({"network": {"any": ["11.0.0.0/8"]}})
        ),
        [""; 0]
    );
    assert_eq!(
        together(json!({"network": ["10.0.0.0/8"]}), json!({"network": ["10.2.0.0/16"]})),
        [""; 0]
    );
    assert_eq!(
        together(json!({"ticket": true}), json!({"network": ["127.1.0.0/16", "fe80::/64"]})),
        never
    );
    let (early, late) = ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    assert_eq!(
        together(json!({"valid": {"until": early}}), json!({"valid": {"from": late}})),
        ["not-yet-valid", "never-applies"]
    );
    // One ends as the other begins; that hours do not hold then either is no news.
    let night = json!({"zone": "Asia/Seoul", "days": ["mon"], "from": "22:00", "to": "23:00"});
    assert_eq!(
        together(
            json!({"valid": {"until": early}, "hours": night}),
            json!({"valid": {"from": early}})
        ),
        ["not-yet-valid", "never-applies"]
    );
    let devices =
        |all: &[u8]| json!({"devices": all.iter().map(|n| device(*n)).collect::<Vec<_>>()});
    assert_eq!(together(devices(&[1]), devices(&[1, 2])), [""; 0]);
    assert_eq!(together(devices(&[1]), devices(&[2])), never);
    for (member, one, other) in [
        ("mode", "bare", "managed"),
        ("path", "/a", "/b"),
        ("sha256", &"0a".repeat(32), &"0b".repeat(32)),
    ] {
        let of = |value: &str| json!({"software": {member: [value]}});
        assert_eq!(together(of(one), of(one)), [""; 0], "{member}");
        assert_eq!(together(of(one), of(other)), never, "{member}");
    }
}

#[test]
fn check_finds_contradictory_hours() {
    let hours = |zone: &str, days: &[&str], from: &str, to: &str| json!({"zone": zone, "days": days, "from": from, "to": to});
    let contradictory = ["contradictory-hours"];
    let seoul = json!({"hours": hours("Asia/Seoul", &["mon", "tue"], "09:00", "18:00")});
    assert_eq!(
        together(seoul.clone(), json!({"hours": hours("Asia/Seoul", &["wed"], "09:00", "18:00")})),
        contradictory
    );
    assert_eq!(
        together(seoul.clone(), json!({"hours": hours("Asia/Seoul", &["mon"], "18:00", "20:00")})),
        contradictory
    );
    assert_eq!(
        together(seoul.clone(), json!({"hours": hours("Asia/Seoul", &["mon"], "17:59", "20:00")})),
        [""; 0]
    );
    // Eight or nine hours apart: at ten in London, Seoul goes home, in summer on the dot.
    assert_eq!(
        together(
            seoul.clone(),
            json!({"hours": hours("Europe/London", &["mon", "tue"], "10:00", "17:00")})
        ),
        contradictory
    );
    assert_eq!(
        together(
            seoul.clone(),
            json!({"hours": hours("Europe/London", &["tue"], "08:00", "17:00")})
        ),
        [""; 0]
    );
    // A Saturday and nothing else, against weekdays.
    let saturday = json!({"from": "2026-11-27T15:00:00Z", "until": "2026-11-28T15:00:00Z"});
    assert_eq!(
        together(json!({"valid": saturday}), seoul),
        ["not-yet-valid", "contradictory-hours"]
    );
}

#[test]
fn check_finds_roles_that_nobody_has() {
    let p = policy(json!({"version": 1, "name": "p", "grants": [
        {"to": [{"role": "agent"}, {"role": "ghost"}], "rights": ["view"]},
        {"to": [{"role": "ghost"}], "rights": ["edit"]},
        {"to": [{"role": "ghost"}, {"user": "kim"}], "rights": ["print"]}]}));
    assert_eq!(found(&p, None), []);
    let place = str::to_owned;
    assert_eq!(
        found(&p, Some(&["agent"])),
        [
            ("role-not-given", place("grants[0].to[1]")),
            ("role-not-given", place("grants[1].to[0]")),
            ("never-applies", place("grants[1].to")),
            ("role-not-given", place("grants[2].to[0]")),
        ]
    );
}

#[test]
fn check_finds_doubtful_duties() {
    let p = |duties: Value, rights: Value| {
        let p = policy(json!({"version": 1, "name": "p",
            "grants": [{"to": ["anyone"], "rights": rights, "duties": duties}]}));
        found(&p, None).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    assert_eq!(p(json!(["watermark", "block-capture"]), json!(["view"])), [""; 0]);
    assert_eq!(p(json!(["watermark"]), json!(["export"])), ["duty-without-right"]);
    assert_eq!(p(json!(["block-clipboard"]), json!(["print"])), ["duty-without-right"]);
    assert_eq!(p(json!([{"mask": ["a"]}]), json!(["export"])), [""; 0]);
    assert_eq!(p(json!(["block-capture"]), json!(["view", "capture"])), ["duty-against-right"]);
    assert_eq!(p(json!(["block-clipboard"]), json!(["view", "copy"])), ["duty-against-right"]);
    let whole = policy(json!({"version": 1, "name": "p", "duties": ["wipe"],
        "grants": [{"to": ["anyone"], "rights": ["export"]}]}));
    assert_eq!(found(&whole, None), [("duty-without-right", "duties".to_owned())]);
}

#[test]
fn check_finds_relaxed_provenance() {
    let accept = |by: &str| with_when(json!({"network": {"need": ["10.0.0.0/8"], "accept": by}}));
    assert_eq!(found(&accept("attested"), None), []);
    assert_eq!(found(&accept("measured"), None), []);
    assert_eq!(
        found(&accept("asserted"), None),
        [("relaxed-provenance", "grants[0].when.network".to_owned())]
    );
}

#[test]
fn check_finds_duties_that_withholding_sheds() {
    let p = |strict: Value, lax: Value| {
        let grant = |when: Value, duties: Value| {
            let mut g = json!({"to": [{"role": "r"}], "rights": ["view"], "duties": duties});
            if when != json!({}) {
                g["when"] = when;
            }
            g
        };
        let p = policy(json!({"version": 1, "name": "p", "duties": ["wipe"],
            "grants": [grant(strict, json!(["watermark"])), grant(lax, json!(["wipe"]))]}));
        found(&p, None).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    let sheds = ["withholding-sheds-duty"];
    assert_eq!(p(json!({}), json!({})), [""; 0]);
    assert_eq!(p(json!({"ticket": true}), json!({})), sheds);
    assert_eq!(p(json!({"ticket": true}), json!({"ticket": true})), [""; 0]);
    assert_eq!(p(json!({"posture": ["a", "b"]}), json!({"posture": ["a"]})), sheds);
    assert_eq!(p(json!({"attested": {"a": "24h"}}), json!({"attested": {"a": "1h"}})), [""; 0]);
    assert_eq!(p(json!({"attested": {"a": "1h"}}), json!({"attested": {"a": "24h"}})), sheds);
    let accept = |by: &str| json!({"storage": {"need": "fixed", "accept": by}});
    assert_eq!(
        p(accept("measured"), accept("asserted")),
        ["relaxed-provenance", "withholding-sheds-duty"]
    );
}
