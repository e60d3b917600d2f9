//! Whose trail it is: device, ids and resets, and from which time it counts for whom.

use super::record::{Event, TrailRecord};
use crate::encoding::{Id, Thumbprint};
use crate::facts::Reset;
use crate::keys::VerifyingKey;
use crate::policy::LEEWAY;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Follows the records of one trail from the first on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lineage {
    /// None before the first record.
    device: Option<Thumbprint>,
    ids: Vec<Id>,
    /// The root whose reset the trail was begun with.
    begun_by: Option<Thumbprint>,
    latest: u64,
    /// Roots with a reset here: the latest time from their last reset on.
    resets: BTreeMap<Thumbprint, u64>,
}

impl Lineage {
    /// Whether `record` may come next.
    pub(super) fn check(&self, record: &TrailRecord) -> Result<(), &'static str> {
        if self.ids.is_empty() != (record.event == Event::Begun) {
            return Err("a trail has one record that begins it, its first");
        }
        if self.device.is_some() && record.device != self.device {
            return Err("it is another device's");
        }
        if record.event == Event::Reset {
            return self.check_reset(record);
        }
        if self.waits_for_reset() {
            return Err("a trail that was begun by a reset goes on with that reset");
        }
        Ok(())
    }

    fn waits_for_reset(&self) -> bool {
        self.begun_by.is_some() && self.resets.is_empty()
    }

    /// A reset carries the key that it verifies under, and the thumbprint says whose key that is:
    /// so it proves itself to whoever reads the trail.
    fn check_reset(&self, record: &TrailRecord) -> Result<(), &'static str> {
        let reset = record.reset.as_deref().and_then(|text| Reset::parse(text).ok());
        let key = record.root_key.as_ref().and_then(VerifyingKey::from_bytes);
        let (Some(reset), Some(key)) = (reset, key) else {
            return Err("its reset cannot be read");
        };
        let root = key.thumbprint();
        if record.root != Some(root)
            || reset.root() != root
            || record.trail != Some(reset.id())
            || self.device != Some(reset.device())
            || reset.verify(&key).is_err()
        {
            return Err("its reset does not verify, or is for something else");
        }
        let current = self.ids.last().copied();
        let follows = if self.waits_for_reset() {
            self.begun_by == Some(root) && current == Some(reset.id())
        } else {
            current == Some(reset.trail())
        };
        if follows { Ok(()) } else { Err("its reset is for another trail, or used already") }
    }

    /// Takes a record that [`check`](Self::check) let pass.
    pub(super) fn take(&mut self, record: &TrailRecord) {
        self.latest = self.latest.max(record.time);
        for latest in self.resets.values_mut() {
            *latest = record.time.max(*latest);
        }
        match (record.event, record.trail, record.root) {
            (Event::Begun, Some(id), root) => {
                self.device = record.device;
                self.ids.push(id);
                self.begun_by = root;
            }
            (Event::Reset, Some(id), Some(root)) => {
                if self.ids.last() != Some(&id) {
                    self.ids.push(id);
                }
                self.resets.insert(root, record.time);
            }
            _ => {}
        }
    }

    pub(super) fn device(&self) -> Option<Thumbprint> {
        self.device
    }

    pub(super) fn ids(&self) -> &[Id] {
        &self.ids
    }

    pub(super) fn counts_for(&self, root: &Thumbprint) -> bool {
        self.begun_by.is_none() || self.resets.contains_key(root)
    }

    pub(super) fn latest_time(&self, root: &Thumbprint) -> u64 {
        self.resets.get(root).copied().unwrap_or(self.latest)
    }

    /// The time of a record made `now`: never before the latest one where that is ahead by no
    /// more than what clocks differ. One further ahead stays, for a reset to deal with.
    pub(super) fn time_for(&self, now: u64) -> u64 {
        let near = |t: &u64| t.saturating_sub(now) <= LEEWAY as u64;
        self.resets.values().chain([&self.latest]).copied().filter(near).fold(now, u64::max)
    }
}
