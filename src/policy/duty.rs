//! Duties: what the host must do while a right is used.

use super::names::Duty;
use super::read::At;
use crate::error::Result;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::{collections::BTreeSet, fmt, sync::Arc};

/// A set of duties without their particulars, as a host declares them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DutySet(u8);

impl DutySet {
    /// The empty set: a host that can carry out nothing.
    pub const NONE: DutySet = DutySet(0);

    /// Adds one.
    pub fn insert(&mut self, duty: Duty) {
        self.0 |= 1 << duty as u8;
    }

    /// Takes one out.
    pub fn remove(&mut self, duty: Duty) {
        self.0 &= !(1 << duty as u8);
    }

    /// Whether it is in.
    pub fn contains(self, duty: Duty) -> bool {
        self.0 & (1 << duty as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not in `other`.
    pub fn without(self, other: DutySet) -> DutySet {
        DutySet(self.0 & !other.0)
    }

    /// Those in it, in the fixed order.
    pub fn iter(self) -> impl Iterator<Item = Duty> {
        Duty::ALL.iter().copied().filter(move |&d| self.contains(d))
    }
}

impl FromIterator<Duty> for DutySet {
    fn from_iter<I: IntoIterator<Item = Duty>>(iter: I) -> Self {
        let mut set = DutySet::NONE;
        iter.into_iter().for_each(|d| set.insert(d));
        set
    }
}

impl fmt::Display for DutySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Duty::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl Serialize for DutySet {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}

/// Duties with their particulars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duties {
    kinds: DutySet,
    columns: BTreeSet<Arc<str>>,
}

impl Duties {
    /// Which duties there are.
    pub fn kinds(&self) -> DutySet {
        self.kinds
    }

    /// The columns to mask, sorted; empty exactly when there is no duty to mask.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| &**c)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Duties) {
        self.kinds.0 |= other.kinds.0;
        self.columns.extend(other.columns.iter().cloned());
    }

    /// Whether each of them, and each column, is also in `other`.
    pub fn within(&self, other: &Duties) -> bool {
        self.kinds.without(other.kinds).is_empty() && self.columns.is_subset(&other.columns)
    }

    /// Reads `["watermark", {"mask": ["ssn"]}]`.
    pub(super) fn parse(at: &At<'_>) -> Result<Duties> {
        let mut duties = Duties::default();
        for at in at.list(Duty::ALL.len())? {
            let duty = match at.value.is_object() {
                true => {
                    let mask = at.object(&["mask"])?.need("mask")?;
                    let column = |at: &At<'_>| at.text(128).map(Arc::from);
                    duties.columns = mask.distinct(256, column)?.into_iter().collect();
                    Duty::Mask
                }
                false => at.named(Duty::ALL, Duty::name, "duty")?,
            };
            if duty == Duty::Mask && duties.columns.is_empty() {
                return Err(at.error("mask needs its columns: {\"mask\": [\"column\", …]}"));
            }
            if duties.kinds.contains(duty) {
                return Err(at.error("stands in the list twice"));
            }
            duties.kinds.insert(duty);
        }
        Ok(duties)
    }
}

impl Serialize for Duties {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        struct Mask<'a>(&'a BTreeSet<Arc<str>>);
        impl Serialize for Mask<'_> {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                let mut map = s.serialize_map(Some(1))?;
                let columns: Vec<&str> = self.0.iter().map(|c| &**c).collect();
                map.serialize_entry(Duty::Mask.name(), &columns)?;
                map.end()
            }
        }
        let mut seq = s.serialize_seq(None)?;
        for duty in self.kinds.iter() {
            match duty {
                Duty::Mask => seq.serialize_element(&Mask(&self.columns))?,
                _ => seq.serialize_element(&duty)?,
            }
        }
        seq.end()
    }
}

impl fmt::Display for Duties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, duty) in self.kinds.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            match duty {
                Duty::Mask => write!(f, "{comma}mask of {} columns", self.columns.len())?,
                _ => write!(f, "{comma}{duty}")?,
            }
        }
        Ok(())
    }
}
