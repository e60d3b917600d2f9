//! What a decision says to a host, and the sets that it is made of.

use super::*;

fn decided(when: Value, facts: Value) -> Decision {
    evaluate(&with_when(when), &Facts::from_value(&facts).unwrap())
}

#[test]
fn a_decision_tells_what_it_grants_and_what_not() {
    let p = policy(json!({"version": 1, "name": "p", "grants": [
        {"to": ["anyone"], "rights": ["view"]},
        {"to": ["anyone"], "rights": ["print"], "duties": ["watermark"]},
        {"to": ["anyone"], "rights": ["edit"], "when": {"ticket": true}},
        {"to": ["anyone"], "rights": ["export"], "when": {"ticket": true}}]}));
    let some = evaluate(&p, &Facts::default());
    assert!(!some.is_denial());
    for right in Right::ALL {
        assert_eq!(some.allows(*right), *right == Right::View, "{right:?}");
    }
    assert_eq!(some.refusals().len(), 2);
    assert_eq!(some.withheld().len(), 1);
    // Two grants lack the same: it is said once.
    assert_eq!(some.messages().len(), 2);

    let none = decided(json!({"ticket": true}), json!({}));
    assert!(none.is_denial() && !none.allows(Right::View));
    let all = decided(json!({"ticket": true}), json!({"ticket": true}));
    assert!(all.refusals().is_empty() && all.withheld().is_empty());
}

#[test]
fn sets_of_duties() {
    let mut set: DutySet = [Duty::Watermark, Duty::Wipe].into_iter().collect();
    set.remove(Duty::Mask);
    assert!(set.contains(Duty::Watermark) && set.contains(Duty::Wipe));
    set.remove(Duty::Wipe);
    assert_eq!(set.iter().collect::<Vec<_>>(), [Duty::Watermark]);
    set.remove(Duty::Watermark);
    assert!(set.is_empty());
}

#[test]
fn duties_with_their_columns() {
    let duties = |list: Value| {
        let p = policy(json!({"version": 1, "name": "p", "grants": [
            {"to": ["anyone"], "rights": ["view"], "duties": list}]}));
        let host = json!({"duties": ["watermark", "mask"]});
        let decision = evaluate(&p, &Facts::from_value(&host).unwrap());
        decision.duties(Right::View).unwrap().clone()
    };
    let ssn = duties(json!([{"mask": ["ssn"]}]));
    let both = duties(json!([{"mask": ["phone", "ssn"]}, "watermark"]));
    assert!(both.columns().eq(["phone", "ssn"]));
    assert!(!ssn.is_empty() && Duties::default().is_empty());
    assert!(ssn.within(&both) && !both.within(&ssn));
    let mark = duties(json!(["watermark"]));
    assert!(mark.within(&both) && !mark.within(&ssn));
    assert!(!duties(json!([{"mask": ["phone"]}])).within(&ssn), "of the same kind, another column");
    let mut sum = ssn.clone();
    sum.add(&mark);
    assert_eq!(sum, duties(json!(["watermark", {"mask": ["ssn"]}])));
}

#[test]
fn a_time_is_before_the_end_of_time() {
    let denied = |value| {
        let facts = Facts { time: Some(Known::measured(value)), ..Facts::default() };
        let p = with_when(json!({"valid": {"from": "2026-01-01T00:00:00Z"}}));
        evaluate(&p, &facts).is_denial()
    };
    assert!(!denied(END_OF_TIME - 1) && denied(END_OF_TIME));
}

#[test]
fn every_posture_is_asked_for() {
    let need = json!({"posture": ["disk-encrypted", "screen-lock"]});
    let with = |names: &[&str]| decided(need.clone(), json!({"posture": names}));
    assert!(!with(&["disk-encrypted", "screen-lock"]).is_denial());
    assert!(with(&["disk-encrypted"]).is_denial());
    assert!(with(&["screen-lock"]).is_denial());
}

#[test]
fn a_fact_is_plain_or_says_how_it_is_known() {
    let read = |storage: Value| Facts::from_value(&json!({"storage": storage}));
    assert!(read(json!("fixed")).is_ok());
    assert!(read(json!({"value": "fixed", "by": "asserted"})).is_ok());
    for (bad, why) in [
        (json!({"value": "fixed"}), "by is missing"),
        (json!({"by": "asserted"}), "value is missing"),
        (json!({}), "must be a string"),
    ] {
        let said = read(bad).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn facts_over_others() {
    let facts = |v: Value| Facts::from_value(&v).unwrap();
    let under = facts(json!({"storage": "fixed", "ticket": true, "posture": ["screen-lock"]}));
    let over = facts(json!({"storage": "network", "posture": ["disk-encrypted"]}));
    let both = facts(json!({"storage": "network", "ticket": true,
        "posture": ["screen-lock", "disk-encrypted"]}));
    assert_eq!(under.overlaid(&over), both);
}

#[test]
fn messages_say_what_is_not_known() {
    let badge = json!({"subject": "kim", "roles": ["agent"], "expires": "2030-01-01T00:00:00Z"});
    let agents = policy(json!({"version": 1, "name": "p",
        "grants": [{"to": [{"role": "agent"}], "rights": ["view"]}]}));
    let text = message(&agents, json!({"badge": badge}));
    assert_eq!(text, "the badge cannot be used: the time is not known");
    let old = |condition: &str, fact: &str| {
        let facts = json!({"time": "2026-11-24T01:12:00Z", fact: "1970-01-01T00:00:00Z"});
        message(&with_when(json!({condition: "1h"})), facts)
    };
    assert!(old("anchored", "anchor").contains("at 1970-01-01 00:00 UTC"));
    assert!(old("revocations", "revocations").contains("is of 1970-01-01 00:00 UTC"));
}
