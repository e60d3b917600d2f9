//! Policies: who may do what with a file, and under which conditions.
//!
//! A policy is read once ([`Policy::parse`]) and evaluated against [`Facts`] by [`evaluate`],
//! which gives a [`Decision`]. Nothing here reads a clock, a file or the network. [`check`] finds
//! what is probably not meant. `docs/policy.md` is the reference.

mod check;
mod condition;
mod decision;
mod duty;
mod evaluate;
mod explain;
mod facts;
mod facts_json;
mod feasible;
mod finding;
mod holds;
mod hours;
mod names;
mod network;
mod read;
mod shedding;
mod subject;
mod time;

#[cfg(test)]
mod tests;

pub use check::check;
pub use decision::{Cause, Decision, Failed, Refusal, Withheld};
pub use duty::{Duties, DutySet};
pub use evaluate::evaluate;
pub use facts::{Attestation, Badge, Facts, Known, Posture, Program, Thumbprint};
pub use finding::{Finding, FindingCode, Severity};
pub(crate) use names::vocabulary;
pub use names::{Condition, Duty, Mode, Provenance, Right, Storage};
pub(crate) use read::is_word;
pub(crate) use time::{
    END_OF_TIME, LEEWAY, parse_duration, parse_instant, show_instant, show_minute,
};

use crate::error::{Code, Error, Result};
use crate::json;
use condition::Conditions;
use read::At;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use subject::Audience;

/// Longest policy, in bytes.
pub const MAX_POLICY: usize = 64 * 1024;

/// Most grants of a policy.
pub const MAX_GRANTS: usize = 256;

/// A policy that was read and found well formed, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As read: so that it is written back as it was.
    document: Value,
    name: String,
    require: Conditions,
    duties: Duties,
    derive: Vec<String>,
    grants: Vec<Grant>,
}

/// One grant.
#[derive(Clone, Debug)]
struct Grant {
    to: Audience,
    rights: Vec<Right>,
    when: Conditions,
    duties: Duties,
}

impl Policy {
    /// Reads a policy. Anything that is not understood is refused, with [`Code::BadPolicy`].
    pub fn parse(bytes: &[u8]) -> Result<Policy> {
        if bytes.len() > MAX_POLICY {
            return Err(Error::new(Code::BadPolicy, "a policy has at most 64 KiB"));
        }
        Policy::from_value(json::value(bytes).map_err(|e| Error::new(Code::BadPolicy, e))?)
    }

    /// The same, from a value that came from [`json::value`].
    pub(crate) fn from_value(document: Value) -> Result<Policy> {
        let root = At::root(&document, Code::BadPolicy);
        let o = root.object(&["version", "name", "require", "duties", "derive", "grants"])?;
        o.need("version")?.integer(1, 1)?;
        let name = o.need("name")?.text(128)?.to_owned();
        let require = conditions(o.get("require"))?;
        let duties = duties(o.get("duties"))?;
        let template = |at: &At<'_>| at.text(128).map(str::to_owned);
        let derive = o.get("derive").map_or(Ok(Vec::new()), |at| at.distinct(64, template))?;
        let grants = o.need("grants")?.list(MAX_GRANTS)?;
        let grants = grants.iter().map(Grant::parse).collect::<Result<_>>()?;
        Ok(Policy { name, require, duties, derive, grants, document })
    }

    /// Its name, for people and for the trail.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The templates, by name, under which a confined program may also create files after reading
    /// one under this policy.
    pub fn derive(&self) -> &[String] {
        &self.derive
    }

    /// How many grants it has. Decisions and findings number them from 0.
    pub fn grants(&self) -> usize {
        self.grants.len()
    }

    /// Whether the condition occurs anywhere: facts that nothing asks for need no measuring.
    pub fn uses(&self, condition: Condition) -> bool {
        self.all_conditions().any(|c| c.accepts().any(|(used, _)| used == condition))
    }

    /// The windows, in seconds, sorted, in which opens must be counted for [`Facts::opens`].
    pub fn open_windows(&self) -> Vec<u64> {
        let rules = self.all_conditions().filter_map(|c| c.opens.as_ref());
        let mut windows: Vec<u64> = rules.map(|r| r.need.per).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    fn all_conditions(&self) -> impl Iterator<Item = &Conditions> {
        std::iter::once(&self.require).chain(self.grants.iter().map(|g| &g.when))
    }
}

impl Grant {
    fn parse(at: &At<'_>) -> Result<Grant> {
        let o = at.object(&["to", "rights", "when", "duties"])?;
        let mut rights =
            o.need("rights")?.distinct(6, |at| at.named(Right::ALL, Right::name, "right"))?;
        rights.sort_unstable();
        Ok(Grant {
            to: Audience::parse(&o.need("to")?)?,
            rights,
            when: conditions(o.get("when"))?,
            duties: duties(o.get("duties"))?,
        })
    }
}

fn conditions(at: Option<At<'_>>) -> Result<Conditions> {
    at.map_or(Ok(Conditions::default()), |at| Conditions::parse(&at))
}

fn duties(at: Option<At<'_>>) -> Result<Duties> {
    at.map_or(Ok(Duties::default()), |at| Duties::parse(&at))
}

/// Two policies are equal when their documents are.
impl PartialEq for Policy {
    fn eq(&self, other: &Policy) -> bool {
        self.document == other.document
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(s)
    }
}

/// For `json::from_slice` alone, which sees repeated keys; they are lost on `serde_json`.
impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Policy, D::Error> {
        Policy::from_value(Value::deserialize(d)?).map_err(de::Error::custom)
    }
}
