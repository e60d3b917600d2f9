//! A policy, a zero byte, facts. Knowing less never gains anything, and what was decided once is
//! decided the same way again.

use bulla::Right;
use bulla::policy::{Facts, Policy, check, evaluate};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub fn run(data: &[u8]) -> bool {
    let at = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (policy, facts) = (&data[..at], data.get(at + 1..).unwrap_or(b"{}"));
    let Ok(policy_read) = Policy::parse(policy) else { return false };
    let stated = stated(policy);
    check(&policy_read, 1_795_482_720, None);
    check(&policy_read, i64::MAX, Some(&["agent".to_owned()]));
    policy_read.open_windows();

    // Nothing is known: whatever is granted, is granted to anyone.
    let nobody = rights(&policy_read, &Facts::default());
    assert!(nobody.is_subset(&stated));
    let Ok(all) = Facts::parse(facts) else { return false };
    let decision = evaluate(&policy_read, &all);
    assert_eq!(decision, evaluate(&policy_read, &all));
    let granted: BTreeSet<Right> = decision.rights().map(|(right, _)| right).collect();
    assert!(granted.is_subset(&stated), "a right that the policy does not name");
    assert_eq!(decision.is_denial(), granted.is_empty());
    decision.messages();
    serde_json::to_string(&decision).unwrap();
    if let (Some(now), Some(until)) = (&all.time, decision.until()) {
        assert!(granted.is_empty() || until > now.value, "granted until before now");
    }
    // Each fact that is left out, unless the rest is no longer facts.
    let members: Map<String, Value> = serde_json::from_slice(facts).unwrap();
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.remove(name);
        let text = Value::Object(fewer).to_string();
        let Ok(fewer) = Facts::parse(text.as_bytes()) else { continue };
        assert!(rights(&policy_read, &fewer).is_subset(&granted), "without {name} more is granted");
    }
    true
}

fn rights(policy: &Policy, facts: &Facts) -> BTreeSet<Right> {
    evaluate(policy, facts).rights().map(|(right, _)| right).collect()
}

/// The name of a right, alone or with its duties.
fn name(named: &Value) -> Option<&str> {
    named.as_str().or_else(|| named["right"].as_str())
}

/// All rights that stand in the policy, read by another reader of JSON.
fn stated(policy: &[u8]) -> BTreeSet<Right> {
    let policy: Value = serde_json::from_slice(policy).expect("JSON that was read before");
    let grants = policy["grants"].as_array().expect("grants");
    let names = grants.iter().flat_map(|grant| grant["rights"].as_array().into_iter().flatten());
    names.filter_map(name).filter_map(Right::from_name).collect()
}
