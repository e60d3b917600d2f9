//! The decision vectors: what the rules of `docs/policy.md` say, case by case.

use bulla::policy::{Decision, Facts, Policy, evaluate};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// The parts of a decision that vectors state, in their form.
fn shown(decision: &Decision) -> Value {
    let decision = serde_json::to_value(decision).unwrap();
    let list = |key: &str| decision[key].as_array().unwrap().clone();
    let by_right = |list: Vec<Value>, part: &str| -> Value {
        list.iter().map(|r| (r["right"].as_str().unwrap().to_owned(), r[part].clone())).collect()
    };
    let refused = list("refused").into_iter().map(|r| {
        let place = r["grant"].as_u64().map_or("require".into(), |g| format!("grants[{g}]"));
        let (failed, cause) = (r["failed"].as_str().unwrap(), r["cause"].as_str().unwrap());
        format!("{place}: {failed} {cause}").into()
    });
    json!({
        "rights": by_right(list("rights"), "duties"),
        "until": decision["until"],
        "refused": refused.collect::<Vec<Value>>(),
        "withheld": by_right(list("withheld"), "undeclared"),
    })
}

/// Vectors write `until` in the zone that makes them readable.
fn in_utc(until: &Value) -> Value {
    match until.as_str() {
        Some(s) => s.parse::<jiff::Timestamp>().unwrap().to_string().into(),
        None => Value::Null,
    }
}

#[test]
fn all_decision_vectors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/policy");
    let (mut files, mut count, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        files += 1;
        let file = serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            count += 1;
            let name = format!("{}: {}", path.file_stem().unwrap().display(), vector["name"]);
            let document = &file["policies"][vector["policy"].as_str().unwrap()];
            let policy = Policy::parse(document.to_string().as_bytes()).expect(&name);
            let facts = Facts::parse(vector["facts"].to_string().as_bytes()).expect(&name);
            let mut expected = vector["expect"].clone();
            expected["until"] = in_utc(&expected["until"]);
            let got = shown(&evaluate(&policy, &facts));
            if got != expected {
                wrong.push(format!("{name}\n  expected {expected}\n  got      {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(files >= 15 && count >= 300, "only {count} vectors in {files} files");
}
