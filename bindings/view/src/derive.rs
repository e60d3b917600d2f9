//! What was read in a run, and under which terms it may be written again: the policies' `derive`.

use bulla::policy::Policy;
use bulla::{Code, Error, Result};
use std::sync::{Mutex, PoisonError};

struct Source {
    policy: Vec<u8>,
    name: String,
    derive: Vec<String>,
    counted: bool,
}

/// The policies of all files that were opened. Programs of one run can tell each other anything,
/// so what one has read counts for all.
#[derive(Default)]
pub(crate) struct Sources(Mutex<Vec<Source>>);

impl Sources {
    /// A file under this policy was opened. Gives whether the policy counts openings.
    pub(crate) fn add(&self, policy: &[u8]) -> Result<bool> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sources.iter().find(|source| source.policy == policy) {
            return Ok(known.counted);
        }
        let parsed = Policy::parse(policy)?;
        let (name, derive) = (parsed.name().to_owned(), parsed.derive().to_vec());
        let counted = !parsed.open_windows().is_empty();
        sources.push(Source { policy: policy.to_vec(), name, derive, counted });
        Ok(counted)
    }

    /// Whether content may be written under this policy; `template` is what a device seals with.
    ///
    /// # Errors
    /// [`Code::Denied`]: which policy does not let it.
    pub(crate) fn allow(&self, policy: &[u8], template: Option<&str>) -> Result<()> {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |s: &Source| template.is_some_and(|t| s.derive.iter().any(|d| d == t));
        match sources.iter().find(|s| s.policy != policy && !named(s)) {
            None => Ok(()),
            Some(source) => {
                let name = &source.name;
                let why = match template {
                    Some(template) => format!(
                        "a file under the policy {name} was read, whose `derive` does not name the \
                         template {template}: nothing may be written under it in this run"
                    ),
                    None => format!(
                        "a file under the policy {name} was read: nothing may be saved under \
                         another policy in this run"
                    ),
                };
                Err(Error::new(Code::Denied, why))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, derive: &[&str]) -> Vec<u8> {
        let list: Vec<_> = derive.iter().map(|d| format!("\"{d}\"")).collect();
        format!(r#"{{"version":1,"name":"{name}","derive":[{}],"grants":[{{"to":["anyone"],"rights":["view"]}}]}}"#, list.join(","))
            .into_bytes()
    }

    #[test]
    fn all_sources_must_agree() {
        let (claims, desk) = (policy("claims", &["notes"]), policy("desk", &["notes", "mail"]));
        let sources = Sources::default();
        sources.allow(&claims, Some("anything")).unwrap();
        sources.add(&claims).unwrap();
        sources.allow(&claims, None).unwrap();
        sources.allow(&desk, Some("notes")).unwrap();
        let said = sources.allow(&desk, Some("mail")).unwrap_err().to_string();
        assert!(said.contains("claims") && said.contains("mail"), "{said}");
        sources.add(&desk).unwrap();
        assert!(sources.allow(&claims, None).is_err());
        sources.allow(&policy("other", &[]), Some("notes")).unwrap();
        assert!(sources.allow(&policy("other", &[]), None).is_err());
    }
}
