//! What the records say that decisions need: times, counts, revisions, lists.

use super::lineage::Lineage;
use super::record::{Event, TrailRecord};
use crate::encoding::{Digest256, Id, Thumbprint, bytes32};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sum of all records so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(super) lineage: Lineage,
    /// By policy and subject; no subject counts as the empty one, which no badge has.
    opens: BTreeMap<Digest256, BTreeMap<String, Opens>>,
    /// By root and file: what one root says of a file binds no other's.
    files: BTreeMap<Thumbprint, BTreeMap<Id, Seen>>,
    /// By kind, root and signer.
    lists: BTreeMap<String, BTreeMap<Thumbprint, BTreeMap<Thumbprint, u64>>>,
}

/// Times of opens, ascending: each second with how many there were up to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u64, u64)>")]
struct Opens(Vec<(u64, u64)>);

impl TryFrom<Vec<(u64, u64)>> for Opens {
    type Error = &'static str;

    fn try_from(opens: Vec<(u64, u64)>) -> Result<Self, &'static str> {
        if opens.is_sorted_by(|(t1, n1), (t2, n2)| t1 < t2 && n1 < n2) {
            Ok(Opens(opens))
        } else {
            Err("opens that do not ascend")
        }
    }
}

impl Opens {
    fn add(&mut self, time: u64) {
        // Almost always at the end; a reset may have set the clock back.
        let at = self.0.partition_point(|(t, _)| *t < time);
        if self.0.get(at).is_none_or(|(t, _)| *t != time) {
            let before = at.checked_sub(1).map_or(0, |i| self.0[i].1);
            self.0.insert(at, (time, before));
        }
        for (_, total) in &mut self.0[at..] {
            *total += 1;
        }
    }

    fn since(&self, from: u64) -> u64 {
        let at = self.0.partition_point(|(t, _)| *t < from);
        let before = at.checked_sub(1).map_or(0, |i| self.0[i].1);
        self.0.last().map_or(0, |(_, total)| total - before)
    }
}

/// The newest of a file that was authenticated here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    license_seq: u64,
    rev: u64,
    #[serde(with = "bytes32", default)]
    commitment: Option<[u8; 32]>,
}

impl State {
    /// Whether `record` may come next.
    pub(super) fn check(&self, record: &TrailRecord) -> Result<(), &'static str> {
        record.rules()?;
        self.lineage.check(record)
    }

    /// Takes a record that [`check`](Self::check) let pass.
    pub(super) fn take(&mut self, record: &TrailRecord) {
        self.lineage.take(record);
        match record.event {
            Event::Opened => {
                if let Some(policy) = record.policy_sha256 {
                    let by_subject = self.opens.entry(policy).or_default();
                    let subject = record.subject.as_deref().unwrap_or_default();
                    if let Some(opens) = by_subject.get_mut(subject) {
                        opens.add(record.time);
                    } else {
                        by_subject.entry(subject.into()).or_default().add(record.time);
                    }
                }
            }
            Event::Seen => self.take_seen(record),
            Event::ListUsed => {
                if let (Some(kind), Some(root), Some(signer), Some(seq)) =
                    (&record.kind, record.root, record.signer, record.list_seq)
                {
                    let of_kind = self.lists.entry(kind.clone()).or_default();
                    let highest = of_kind.entry(root).or_default().entry(signer).or_default();
                    *highest = seq.max(*highest);
                }
            }
            _ => {}
        }
    }

    fn take_seen(&mut self, record: &TrailRecord) {
        let (Some(root), Some(file), Some(license_seq), Some(rev)) =
            (record.root, record.file, record.license_seq, record.rev)
        else {
            return;
        };
        let first = || Seen { license_seq, rev, commitment: None };
        let seen = self.files.entry(root).or_default().entry(file).or_insert_with(first);
        seen.license_seq = license_seq.max(seen.license_seq);
        if rev >= seen.rev {
            (seen.rev, seen.commitment) = (rev, record.commitment);
        }
    }

    /// The device.
    pub(crate) fn device(&self) -> Option<Thumbprint> {
        self.lineage.device()
    }

    /// The trail's ids: the first, then those of its resets. The last is the current one.
    pub(crate) fn ids(&self) -> &[Id] {
        self.lineage.ids()
    }

    /// The latest time that counts for files of this root: over all records or, where a reset by
    /// this root stands, over the last such and those after it. Unix seconds.
    pub(crate) fn latest_time(&self, root: &Thumbprint) -> u64 {
        self.lineage.latest_time(root)
    }

    /// Whether the trail counts for files of this root: one begun by a reset counts only for roots
    /// whose reset stands in it.
    pub(crate) fn counts_for(&self, root: &Thumbprint) -> bool {
        self.lineage.counts_for(root)
    }

    /// How many `opened` records this policy and subject have from `from` (inclusive) on.
    pub(crate) fn opens(&self, policy: &Digest256, subject: Option<&str>, from: u64) -> u64 {
        let opens = self.opens.get(policy).and_then(|s| s.get(subject.unwrap_or_default()));
        opens.map_or(0, |o| o.since(from))
    }

    /// The highest license `seq` that was authenticated of the file.
    pub(crate) fn license_seq(&self, root: &Thumbprint, file: &Id) -> Option<u64> {
        self.files.get(root)?.get(file).map(|s| s.license_seq)
    }

    /// The highest revision that was authenticated of the file and its commitment, the latest if
    /// there were several.
    pub(crate) fn revision(&self, root: &Thumbprint, file: &Id) -> Option<(u64, [u8; 32])> {
        let seen = self.files.get(root)?.get(file)?;
        Some((seen.rev, seen.commitment?))
    }

    /// The highest `seq` of a list of this kind, for this root's files, by this signer.
    pub(crate) fn list_seq(
        &self,
        kind: &str,
        root: &Thumbprint,
        signer: &Thumbprint,
    ) -> Option<u64> {
        self.lists.get(kind)?.get(root)?.get(signer).copied()
    }

    /// The signers whose lists of this kind were used for this root's files, each with the highest
    /// `seq`.
    pub(crate) fn lists(
        &self,
        kind: &str,
        root: &Thumbprint,
    ) -> impl Iterator<Item = (Thumbprint, u64)> {
        let signers = self.lists.get(kind).and_then(|roots| roots.get(root));
        signers.into_iter().flatten().map(|(signer, seq)| (*signer, *seq))
    }
}

#[cfg(test)]
mod tests {
    use super::Opens;

    #[test]
    fn opens_ascend() {
        for (opens, good) in [
            (vec![], true),
            (vec![(5, 1)], true),
            (vec![(5, 1), (6, 2)], true),
            (vec![(5, 1), (5, 2)], false),
            (vec![(6, 1), (5, 2)], false),
            (vec![(5, 1), (6, 1)], false),
            (vec![(5, 2), (6, 1)], false),
        ] {
            assert_eq!(Opens::try_from(opens.clone()).is_ok(), good, "{opens:?}");
        }
    }
}
