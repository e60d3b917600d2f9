//! What was decided, and why.

use super::duty::{Duties, DutySet};
use super::explain;
use super::names::{Condition, Provenance, Right};
use super::time;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a policy lets happen under given facts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub(super) granted: [Option<Duties>; Right::ALL.len()],
    pub(super) until: Option<i64>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) withheld: Vec<Withheld>,
}

impl Decision {
    /// Whether the right is granted.
    pub fn allows(&self, right: Right) -> bool {
        self.duties(right).is_some()
    }

    /// The duties on a right; `None` where the right is not granted.
    pub fn duties(&self, right: Right) -> Option<&Duties> {
        self.granted[right as usize].as_ref()
    }

    /// The rights granted, in their fixed order, with the duties on each.
    pub fn rights(&self) -> impl Iterator<Item = (Right, &Duties)> {
        Right::ALL.iter().filter_map(|&r| self.duties(r).map(|d| (r, d)))
    }

    /// Whether there is no right at all.
    pub fn is_denial(&self) -> bool {
        self.rights().next().is_none()
    }

    /// When the decision ends, in Unix seconds, exclusive; `None` where it has no end, or where
    /// no right is granted.
    pub fn until(&self) -> Option<i64> {
        self.until
    }

    /// Why grants did not apply: one entry for each, or a single one where `require` failed.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Rights that were granted, but for duties that the host did not declare.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// All reasons, for people, none twice.
    pub fn messages(&self) -> Vec<String> {
        let refusals = self.refusals.iter().map(Refusal::to_string);
        let mut all = Vec::new();
        for message in refusals.chain(self.withheld.iter().map(Withheld::to_string)) {
            if !all.contains(&message) {
                all.push(message);
            }
        }
        all
    }
}

/// What made a grant, or `require`, not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failed {
    /// A badge is needed, and there is none that can be used.
    Badge,
    /// The badge matches nobody in `to`.
    To,
    /// A condition.
    Condition(Condition),
}

impl Failed {
    /// The stable name: `badge`, `to`, or the condition's.
    pub fn name(self) -> &'static str {
        match self {
            Failed::Badge => "badge",
            Failed::To => "to",
            Failed::Condition(c) => c.name(),
        }
    }
}

/// In which way it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The fact is not known.
    Unknown,
    /// The fact is known, but not well enough.
    Provenance,
    /// The fact is known, and does not satisfy.
    Unmet,
}

impl Cause {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Unknown => "unknown",
            Cause::Provenance => "provenance",
            Cause::Unmet => "unmet",
        }
    }
}

/// Why a grant, or the whole policy, did not apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The grant, counted from 0; `None` for `require`.
    pub grant: Option<usize>,
    /// The first thing that failed, in the fixed order.
    pub failed: Failed,
    /// How it failed.
    pub cause: Cause,
    /// The fact that was missing or too weak, in words; of the condition itself, or the time.
    pub(super) noun: &'static str,
    /// What was known, in words; empty where nothing was.
    pub known: Cow<'static, str>,
    /// How it was known, where it was.
    pub by: Option<Provenance>,
    /// The least provenance that would do.
    pub accept: Provenance,
    /// What would satisfy it, in words.
    pub wanted: Arc<str>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        explain::refusal(self, f)
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut out = s.serialize_struct("Refusal", 8)?;
        out.serialize_field("grant", &self.grant)?;
        out.serialize_field("failed", self.failed.name())?;
        out.serialize_field("cause", self.cause.name())?;
        out.serialize_field("known", &self.known)?;
        out.serialize_field("by", &self.by)?;
        out.serialize_field("accept", &self.accept)?;
        out.serialize_field("wanted", &*self.wanted)?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}

/// A right that is denied for duties alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Withheld {
    /// The right.
    pub right: Right,
    /// The duties that the host did not declare.
    pub undeclared: DutySet,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Withheld { right, undeclared } = self;
        write!(f, "{right} is denied: this program does not offer to carry out {undeclared}")
    }
}

impl Serialize for Withheld {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut out = s.serialize_struct("Withheld", 3)?;
        out.serialize_field("right", &self.right)?;
        out.serialize_field("undeclared", &self.undeclared)?;
        out.serialize_field("message", &self.to_string())?;
        out.end()
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Granted<'a> {
            right: Right,
            duties: &'a Duties,
        }
        let rights: Vec<_> =
            self.rights().map(|(right, duties)| Granted { right, duties }).collect();
        let mut out = s.serialize_struct("Decision", 4)?;
        out.serialize_field("rights", &rights)?;
        out.serialize_field("until", &self.until.map(time::show_instant))?;
        out.serialize_field("refused", &self.refusals)?;
        out.serialize_field("withheld", &self.withheld)?;
        out.end()
    }
}
