//! The gate in front of the keys. Policies are carried, bounded, hashed, bound and signed; until
//! they are evaluated in full, only the plainest one opens: a single grant to anyone, without
//! conditions or duties. Everything else is denied.

use crate::license::MAX_POLICY;
use crate::{Code, Error, Result, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a reader may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Right {
    /// Read the content through the library.
    View,
    /// Save new content back, sealed under the same license.
    Edit,
    /// Print.
    Print,
    /// Copy to the clipboard.
    Copy,
    /// Capture the screen.
    Capture,
    /// Let the plain bytes leave.
    Export,
}

impl Right {
    /// The name in policies.
    pub fn name(self) -> &'static str {
        match self {
            Right::View => "view",
            Right::Edit => "edit",
            Right::Print => "print",
            Right::Copy => "copy",
            Right::Capture => "capture",
            Right::Export => "export",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    version: u32,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duties: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derive: Option<Vec<String>>,
    grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    to: Vec<Value>,
    rights: Vec<Right>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duties: Option<Vec<Value>>,
}

fn parse(policy: &[u8]) -> Result<Policy> {
    if !(1..=MAX_POLICY).contains(&policy.len()) {
        return Err(Error::new(Code::BadPolicy, "a policy has 1 to 65,536 bytes"));
    }
    let policy: Policy = json::from_slice(policy)
        .map_err(|e| Error::new(Code::BadPolicy, format!("not a policy: {e}")))?;
    if policy.version != 1 {
        return Err(Error::new(Code::BadPolicy, "not a policy of version 1"));
    }
    Ok(policy)
}

/// Whether the policy can be sealed with.
///
/// # Errors
/// [`Code::BadPolicy`]
pub(crate) fn check(policy: &[u8]) -> Result<()> {
    parse(policy).map(drop)
}

/// The rights under a policy; what cannot be read or is not understood denies.
///
/// # Errors
/// [`Code::Denied`]
pub(crate) fn decide(policy: &[u8]) -> Result<BTreeSet<Right>> {
    let denied = |why: &str| Error::new(Code::Denied, format!("the policy does not open: {why}"));
    let policy = parse(policy).map_err(|e| denied(&e.to_string()))?;
    fn absent<T: IntoIterator + Clone>(part: &Option<T>) -> bool {
        part.clone().is_none_or(|p| p.into_iter().next().is_none())
    }
    if !absent(&policy.require) || !absent(&policy.duties) || !absent(&policy.derive) {
        return Err(denied("it has conditions or duties, which this version cannot check"));
    }
    let [grant] = &policy.grants[..] else {
        return Err(denied("it has several grants or none, which this version cannot check"));
    };
    if grant.to != ["anyone"] || !absent(&grant.when) || !absent(&grant.duties) {
        return Err(denied("its grant is not to anyone without conditions or duties"));
    }
    let rights: BTreeSet<Right> = grant.rights.iter().copied().collect();
    if rights.len() != grant.rights.len() {
        return Err(denied("a right stands twice"));
    }
    Ok(rights)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("\"rights\"", r#""duties":["watermark"],"rights""#),
            ("\"grants\"", r#""duties":["watermark"],"grants""#),
            ("\"grants\"", r#""require":{"revocations":"24h"},"grants""#),
            ("\"grants\"", r#""derive":["x"],"grants""#),
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
