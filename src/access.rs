//! The gate in front of the keys. Policies are carried, signed, bound and can be evaluated, but
//! badges, measured facts and the trail are not there yet to evaluate them with. Until then only
//! the plainest policy opens: a single grant to anyone, without conditions or duties.

use crate::policy::{Facts, Policy, Right, evaluate};
use crate::{Code, Error, Result};
use std::collections::BTreeSet;

/// The rights under a policy; what cannot be read or is not understood denies.
///
/// # Errors
/// [`Code::Denied`]
pub(crate) fn decide(policy: &[u8]) -> Result<BTreeSet<Right>> {
    let denied = |why: &str| Error::new(Code::Denied, format!("the policy does not open: {why}"));
    let policy = Policy::parse(policy).map_err(|e| denied(&e.to_string()))?;
    // With one grant there is no second one whose duties could be shed by knowing nothing.
    if policy.grants() != 1 {
        return Err(denied("it has several grants or none, which cannot be decided yet"));
    }
    if !policy.derive().is_empty() {
        return Err(denied("it has derive rules, which cannot be enforced yet"));
    }
    let decision = evaluate(&policy, &Facts::default());
    if decision.is_denial() {
        return Err(denied(&format!(
            "{}; badges and facts cannot be shown yet",
            decision.messages().join("; ")
        )));
    }
    Ok(decision.rights().map(|(right, _)| right).collect())
}

/// Whether a right was granted.
///
/// # Errors
/// [`Code::Right`]
pub(crate) fn require(rights: &BTreeSet<Right>, right: Right) -> Result<()> {
    if rights.contains(&right) {
        return Ok(());
    }
    let why = format!("the file's policy does not grant the right to {right}");
    Err(Error::new(Code::Right, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::MAX_POLICY;

    const OPEN: &str =
        r#"{"version":1,"name":"n","grants":[{"to":["anyone"],"rights":["view","export"]}]}"#;

    #[test]
    fn only_the_plainest_policy_opens() {
        let rights = decide(OPEN.as_bytes()).unwrap();
        assert_eq!(rights.into_iter().collect::<Vec<_>>(), [Right::View, Right::Export]);
        for (from, to) in [
            ("\"anyone\"", r#"{"role":"agent"}"#),
            ("\"anyone\"", r#""anyone","anyone""#),
            ("\"anyone\"", r#""everyone""#),
            ("\"rights\"", r#""when":{"ticket":true},"rights""#),
            ("\"rights\"", r#""when":{"storage":"fixed"},"rights""#),
            ("\"rights\"", r#""when":{"valid":{"from":"2020-01-01T00:00:00Z"}},"rights""#),
            ("\"rights\"", r#""duties":["watermark"],"rights""#),
            ("\"grants\"", r#""duties":["watermark"],"grants""#),
            ("\"grants\"", r#""derive":["x"],"grants""#),
            ("\"grants\"", r#""require":{"revocations":"24h"},"grants""#),
            ("\"version\":1", "\"version\":2"),
            ("\"view\"", "\"fly\""),
            ("\"view\"", "\"export\""),
            ("[\"view\",\"export\"]}", r#"["view"]},{"to":["anyone"],"rights":["view"]}"#),
        ] {
            let policy = OPEN.replace(from, to);
            assert_ne!(policy, OPEN);
            assert_eq!(decide(policy.as_bytes()).unwrap_err().code(), Code::Denied, "{policy}");
        }
        assert!(decide(b"").is_err());
        assert!(decide(&vec![b' '; MAX_POLICY + 1]).is_err());
    }
}
