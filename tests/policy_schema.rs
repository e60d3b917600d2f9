//! `docs/policy.schema.json` and the parser must say the same.

use bulla::policy::{Condition, Duty, Mode, Policy, Provenance, Right, Storage};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn schema() -> Value {
    serde_json::from_slice(&fs::read(path("docs/policy.schema.json")).unwrap()).unwrap()
}

fn json_files(folder: &str) -> Vec<Value> {
    let files = fs::read_dir(path(folder)).unwrap().map(|e| e.unwrap().path());
    let json = files.filter(|p| p.extension().is_some_and(|e| e == "json"));
    json.map(|p| serde_json::from_slice(&fs::read(p).unwrap()).unwrap()).collect()
}

fn parses(policy: &Value) -> bool {
    Policy::parse(policy.to_string().as_bytes()).is_ok()
}

#[test]
fn good_policies_are_good_for_both() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let mut all = json_files("examples/policies");
    assert_eq!(all.len(), 4);
    for file in json_files("tests/vectors/policy") {
        all.extend(file["policies"].as_object().unwrap().values().cloned());
    }
    assert!(all.len() > 60);
    for policy in all {
        assert!(schema.is_valid(&policy), "{policy}");
        assert!(parses(&policy), "{policy}");
    }
}

/// `base` with the value at `place` replaced, or removed.
fn with(base: &Value, place: &str, value: Option<Value>) -> Value {
    let mut out = base.clone();
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = out.pointer_mut(parent).expect(place);
    match (parent, value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key.into(), value)),
        (Value::Object(map), None) => drop(map.remove(key).expect(place)),
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{place}"),
    }
    out
}

fn base() -> Value {
    json!({
        "version": 1,
        "name": "base",
        "require": {"revocations": "24h"},
        "duties": ["watermark"],
        "derive": ["notes"],
        "grants": [{
            "to": [{"role": "agent"}],
            "rights": ["view"],
            "when": {
                "valid": {"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
                "anchored": {"need": "12h", "accept": "measured"},
                "devices": ["sMjwUi1lPlP3ELeMUBwdXpnZs0Ko40k5UJcM9wmDmJI"],
                "hours": {"zone": "UTC", "days": ["mon"], "from": "08:00", "to": "18:00"},
                "network": ["10.0.0.0/8"],
                "software": {"mode": ["managed"], "path": ["/opt/crm"], "sha256": ["00".repeat(32)]},
                "storage": "fixed",
                "attested": {"daily": "24h"},
                "posture": ["usb-storage-blocked"],
                "ticket": true,
                "opens": {"at_most": 5, "per": "24h"}
            },
            "duties": [{"mask": ["rrn"]}]
        }]
    })
}

#[test]
fn broken_policies_are_broken_for_both() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let base = base();
    assert!(schema.is_valid(&base) && parses(&base));
    let when = "/grants/0/when";
    let many = |n: usize, item: &dyn Fn(usize) -> Value| Value::Array((0..n).map(item).collect());
    let broken: Vec<(String, Value)> = [
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/name", json!("")),
        ("/name", json!("x".repeat(129))),
        ("/name", json!("a\nb")),
        ("/name", json!("a\u{202e}b")),
        ("/name", json!("a\u{0085}b")),
        ("/name", Value::Null),
        ("/surprise", json!(1)),
        ("/require", json!({})),
        ("/require", json!({"weather": "fine"})),
        ("/duties", json!([])),
        ("/duties", json!(["sing"])),
        ("/duties", json!(["mask"])),
        ("/duties", json!(["wipe", "wipe"])),
        ("/duties", json!([{"mask": ["a"]}, {"mask": ["b"]}])),
        ("/duties", json!([{"mask": []}])),
        ("/duties", json!([{"mask": ["a", "a"]}])),
        ("/duties", json!([{"mask": ["a"], "wipe": true}])),
        ("/duties", json!("watermark")),
        ("/derive", json!([])),
        ("/derive", json!(["a", "a"])),
        ("/grants", json!([])),
        ("/grants", json!({})),
        ("/grants/0/surprise", json!(1)),
        ("/grants/0/to", json!([])),
        ("/grants/0/to", json!(["everyone"])),
        ("/grants/0/to", json!(["anyone", "anyone"])),
        ("/grants/0/to", json!([{"user": "a", "role": "b"}])),
        ("/grants/0/to", json!([{"device": "a"}])),
        ("/grants/0/to", json!([{"user": ""}])),
        ("/grants/0/rights", json!([])),
        ("/grants/0/rights", json!(["own"])),
        ("/grants/0/rights", json!(["view", "view"])),
        ("/grants/0/when", json!({})),
    ]
    .map(|(place, value)| (place.to_owned(), value))
    .into_iter()
    .chain(
        [
            ("surprise", json!(1)),
            ("valid", json!({})),
            ("valid", json!({"to": "2026-01-01T00:00:00Z"})),
            ("valid", json!({"from": "2026-01-01"})),
            ("valid", json!({"from": "2026-01-01T00:00:00"})),
            ("valid", json!({"from": "2026-13-01T00:00:00Z"})),
            ("valid", json!({"from": "3000-01-01T00:00:00Z"})),
            ("valid", json!({"from": 1_767_225_600})),
            ("anchored", json!({"need": "12h"})),
            ("anchored", json!({"accept": "measured"})),
            ("anchored", json!({"need": "12h", "accept": "guessed"})),
            ("anchored", json!({"need": "12h", "accept": "measured", "x": 1})),
            (
                "anchored",
                json!({"need": {"need": "12h", "accept": "measured"}, "accept": "measured"}),
            ),
            ("anchored", json!("0h")),
            ("anchored", json!("12")),
            ("anchored", json!("1w")),
            ("anchored", json!("100000d")),
            ("anchored", json!(12)),
            ("devices", json!(["short"])),
            ("devices", json!(["sMjwUi1lPlP3ELeMUBwdXpnZs0Ko40k5UJcM9wmDmJJ"])),
            ("devices", json!([])),
            ("hours", json!([])),
            ("hours", json!({"zone": "UTC", "days": ["mon"], "from": "08:00"})),
            ("hours", json!({"zone": "UTC", "days": [], "from": "08:00", "to": "09:00"})),
            ("hours", json!({"zone": "UTC", "days": ["Mon"], "from": "08:00", "to": "09:00"})),
            (
                "hours",
                json!({"zone": "UTC", "days": ["mon", "mon"], "from": "08:00", "to": "09:00"}),
            ),
            ("hours", json!({"zone": "UTC", "days": ["mon"], "from": "8:00", "to": "09:00"})),
            ("hours", json!({"zone": "UTC", "days": ["mon"], "from": "24:00", "to": "09:00"})),
            ("hours", json!({"zone": "UTC", "days": ["mon"], "from": "08:00", "to": "24:01"})),
            ("hours", json!({"zone": "", "days": ["mon"], "from": "08:00", "to": "09:00"})),
            ("network", json!(["10.0.0.0"])),
            ("network", json!(["10.0.0.0/08"])),
            ("network", json!(["intranet/8"])),
            ("network", json!({"any": []})),
            ("network", json!({"all": ["10.0.0.0/8"]})),
            ("software", json!({})),
            ("software", json!({"mode": ["free"]})),
            ("software", json!({"path": ["crm"]})),
            ("software", json!({"path": ["/opt/\u{7}"]})),
            ("software", json!({"sha256": ["FF".repeat(32)]})),
            ("software", json!({"name": ["crm"]})),
            ("storage", json!("floppy")),
            ("storage", json!([])),
            ("storage", json!(["fixed", "fixed"])),
            ("attested", json!({})),
            ("attested", json!({"Daily": "24h"})),
            ("attested", json!({"daily": 24})),
            ("attested", json!({"need": "24h"})),
            ("attested", json!({"need": {"accept": "24h"}, "accept": "attested"})),
            ("posture", json!([])),
            ("posture", json!(["USB"])),
            ("posture", json!(["-usb"])),
            ("posture", json!(["u".repeat(65)])),
            ("posture", json!({"need": ["a"], "accept": "asserted", "why": "b"})),
            ("ticket", json!(false)),
            ("ticket", json!("yes")),
            ("opens", json!({"at_most": 0, "per": "24h"})),
            ("opens", json!({"at_most": 1_000_000_001, "per": "24h"})),
            ("opens", json!({"at_most": 5})),
            ("opens", json!({"per": "24h"})),
        ]
        .map(|(key, value)| (format!("{when}/{key}"), value)),
    )
    .chain([
        ("/derive".into(), many(65, &|i| json!(format!("n{i}")))),
        ("/grants/0/to".into(), many(1001, &|i| json!({"user": format!("u{i}")}))),
        (
            format!("{when}/network"),
            many(257, &|i| json!(format!("10.{}.{}.0/24", i / 256, i % 256))),
        ),
        (format!("{when}/posture"), many(65, &|i| json!(format!("p{i}")))),
        (format!("{when}/hours"), many(17, &|_| base["grants"][0]["when"]["hours"].clone())),
        ("/grants".into(), many(257, &|_| json!({"to": ["anyone"], "rights": ["view"]}))),
    ])
    .collect();
    assert!(broken.len() > 90);
    for (place, value) in broken {
        let policy = with(&base, &place, Some(value));
        assert!(!schema.is_valid(&policy), "the schema accepts {place}: {policy}");
        assert!(!parses(&policy), "the parser accepts {place}: {policy}");
    }
    for place in ["/version", "/name", "/grants", "/grants/0/to", "/grants/0/rights"] {
        let policy = with(&base, place, None);
        assert!(!schema.is_valid(&policy) && !parses(&policy), "without {place}");
    }
}

/// At the bound, both still accept.
#[test]
fn bounds_are_the_same() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let many = |n: usize, item: &dyn Fn(usize) -> Value| Value::Array((0..n).map(item).collect());
    let when = "/grants/0/when";
    for (place, value) in [
        ("/name".into(), json!("가".repeat(128))),
        ("/derive".into(), many(64, &|i| json!(format!("n{i}")))),
        ("/grants/0/to".into(), many(1000, &|i| json!({"user": format!("u{i}")}))),
        (
            format!("{when}/devices"),
            many(1000, &|i| {
                let mut bytes = [0; 32];
                bytes[..2].copy_from_slice(&(i as u16).to_be_bytes());
                json!(BASE64URL_NOPAD.encode(&bytes))
            }),
        ),
        (format!("{when}/network"), many(256, &|i| json!(format!("10.{i}.0.0/16")))),
        (format!("{when}/hours"), many(16, &|_| base()["grants"][0]["when"]["hours"].clone())),
        (format!("{when}/opens"), json!({"at_most": 1_000_000_000, "per": "99999d"})),
        ("/grants".into(), many(256, &|_| json!({"to": ["anyone"], "rights": ["view"]}))),
    ] {
        let place: String = place;
        let policy = with(&base(), &place, Some(value));
        assert!(schema.is_valid(&policy) && parses(&policy), "{place}");
    }
}

/// Broken in ways that a schema cannot express: only the parser refuses them.
#[test]
fn the_parser_finds_more() {
    for (key, value) in [
        ("valid", json!({"from": "2026-02-30T00:00:00Z"})),
        ("valid", json!({"from": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"})),
        (
            "hours",
            json!({"zone": "Asia/Atlantis", "days": ["mon"], "from": "08:00", "to": "09:00"}),
        ),
        ("hours", json!({"zone": "asia/seoul", "days": ["mon"], "from": "08:00", "to": "09:00"})),
        ("hours", json!({"zone": "UTC", "days": ["mon"], "from": "08:00", "to": "08:00"})),
        ("network", json!(["10.0.0.1/8"])),
        ("network", json!(["10.0.0.0/33"])),
        ("network", json!(["::ffff:10.0.0.0/104"])),
    ] {
        let policy = with(&base(), &format!("/grants/0/when/{key}"), Some(value));
        assert!(!parses(&policy), "{policy}");
    }
}

/// Every name of the code stands in the schema, and every name of the schema in the code.
#[test]
fn the_same_words() {
    let schema = schema();
    let defs = &schema["$defs"];
    let words = |v: &Value| -> BTreeSet<String> {
        v.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect()
    };
    let keys = |v: &Value| -> BTreeSet<String> { v.as_object().unwrap().keys().cloned().collect() };
    macro_rules! names {
        ($all:expr) => {
            $all.iter().map(|w| w.name().to_owned()).collect::<BTreeSet<_>>()
        };
    }
    assert_eq!(words(&defs["right"]["enum"]), names!(Right::ALL));
    assert_eq!(words(&defs["provenance"]["enum"]), names!(Provenance::ALL));
    assert_eq!(words(&defs["mode"]["enum"]), names!(Mode::ALL));
    assert_eq!(words(&defs["storage"]["enum"]), names!(Storage::ALL));
    assert_eq!(keys(&defs["conditions"]["properties"]), names!(Condition::ALL));
    let items = &defs["duties"]["items"]["anyOf"];
    let mut duties = words(&items[0]["enum"]);
    duties.extend(keys(&items[1]["properties"]));
    assert_eq!(duties, names!(Duty::ALL));
}

/// The reference names every word and every bound name, too.
#[test]
fn the_reference_names_every_word() {
    let text = fs::read_to_string(path("docs/policy.md")).unwrap();
    let codes = bulla::policy::FindingCode::ALL.iter().map(|c| c.name());
    let words = Right::ALL.iter().map(|w| w.name()).chain(Condition::ALL.iter().map(|w| w.name()));
    for word in words.chain(codes) {
        assert!(text.contains(&format!("`{word}`")), "docs/policy.md does not name {word}");
    }
    for duty in Duty::ALL {
        assert!(text.contains(duty.name()), "docs/policy.md does not name {duty}");
    }
}

/// Every example of the reference is what both accept.
#[test]
fn the_examples_of_the_reference_are_good() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let text = fs::read_to_string(path("docs/policy.md")).unwrap();
    let mut shown = BTreeSet::new();
    let whole: Value = text
        .split("```json\n")
        .skip(1)
        .filter_map(|block| serde_json::from_str(block.split("```").next()?).ok())
        .find(|v: &Value| v.get("version").is_some())
        .expect("the first example");
    assert!(schema.is_valid(&whole) && parses(&whole));
    for line in text.lines().filter(|l| l.starts_with("`\"")) {
        for snippet in line.split('`').filter(|s| s.starts_with('"') && s.contains("\": ")) {
            let part: Value = serde_json::from_str(&format!("{{{snippet}}}")).expect(snippet);
            let (key, value) = part.as_object().unwrap().iter().next().unwrap();
            let place = match Condition::from_name(key) {
                Some(_) => format!("/grants/0/when/{key}"),
                None => format!("/{key}"),
            };
            let policy = with(&base(), &place, Some(value.clone()));
            assert!(schema.is_valid(&policy) && parses(&policy), "{snippet}");
            shown.insert(key.clone());
        }
    }
    for condition in Condition::ALL {
        assert!(shown.contains(condition.name()), "no example of {condition}");
    }
    assert!(shown.contains("derive") && shown.contains("duties"));
}
