//! One record of the trail, and the one line that stands for it.

use crate::encoding::{Digest256, Id, ProgramHash, Thumbprint, bytes32};
use crate::json::{self, MAX_INTEGER};
use crate::policy::{END_OF_TIME, Mode, Right, vocabulary};
use serde::{Deserialize, Serialize};

/// Longest line with its LF, in bytes.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// Most lost bytes that a repair keeps.
pub(super) const MAX_LOST: usize = 16 * 1024;

vocabulary! {
    /// What happened.
    Event {
        /// The trail begins.
        Begun = "begun",
        /// A file was sealed.
        Sealed = "sealed",
        /// A file is being opened.
        Opened = "opened",
        /// License, revision and commitment of an opened file were authenticated.
        Seen = "seen",
        /// An access was denied.
        Denied = "denied",
        /// An access failed after it was recorded.
        Failed = "failed",
        /// A file is being saved.
        Saved = "saved",
        /// Contents are being printed.
        Printed = "printed",
        /// Contents are being put on the clipboard.
        Copied = "copied",
        /// The screen is being captured.
        Captured = "captured",
        /// Plain bytes are leaving.
        Exported = "exported",
        /// A file is being given another license.
        Relicensed = "relicensed",
        /// A torn last line was put aside.
        Repaired = "repaired",
        /// A root's reset was taken into use.
        Reset = "reset",
        /// A signed list was taken into use.
        ListUsed = "list-used",
        /// A summary of all records before was kept.
        Summed = "summed",
    }
}

/// The program that opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailProgram {
    /// How it was run.
    pub mode: Mode,
    /// Its path, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The SHA-256 of its file, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ProgramHash>,
}

/// One record of an audit trail. Members that do not apply are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrailRecord {
    /// Its number: from 0, one more for each record.
    pub seq: u64,
    /// When: Unix seconds; in JSON `2026-11-24T13:37:22Z`.
    #[serde(with = "instant")]
    pub time: u64,
    /// What happened.
    pub event: Event,
    /// The badge's person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The device whose trail this is; in every record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Thumbprint>,
    /// The root of the file, list or reset. In `begun`: the root whose reset it began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Thumbprint>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Id>,
    /// Its license.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<Id>,
    /// The license's `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_seq: Option<u64>,
    /// The payload's `rev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev: Option<u64>,
    /// The payload's commitment; in JSON base64url.
    #[serde(with = "bytes32", skip_serializing_if = "Option::is_none", default)]
    pub commitment: Option<[u8; 32]>,
    /// The policy's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// SHA-256 of the policy's bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<Digest256>,
    /// The ticket that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<TrailProgram>,
    /// Rights that were granted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rights: Vec<Right>,
    /// Why not, in words.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
    /// The name of the error's code, of `denied` and `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The number of the record that this one is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The file was opened although a newer one was seen before.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub older: bool,
    /// The trail's id from here on, of `begun` and `reset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail: Option<Id>,
    /// The signed reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// The root's Ed25519 key that the reset verifies under; in JSON base64url.
    #[serde(with = "bytes32", skip_serializing_if = "Option::is_none", default)]
    pub root_key: Option<[u8; 32]>,
    /// The kind of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Thumbprint>,
    /// Its `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_seq: Option<u64>,
    /// SHA-256 of the summary of all records before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Digest256>,
    /// Bytes of a torn line, base64url, the first 16 KiB of them; of `repaired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// How many bytes were torn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_bytes: Option<u64>,
    /// SHA-256 of the line before, without its LF; of the first line 32 zero bytes.
    pub prev: Digest256,
}

/// What is recorded: `seq`, `time`, `device` and `prev` are filled in when it is appended.
pub(crate) type Entry = TrailRecord;

impl TrailRecord {
    /// An entry about nothing in particular.
    pub(crate) fn new(event: Event) -> Self {
        TrailRecord {
            seq: 0,
            time: 0,
            event,
            subject: None,
            device: None,
            root: None,
            file: None,
            license: None,
            license_seq: None,
            rev: None,
            commitment: None,
            policy: None,
            policy_sha256: None,
            ticket: None,
            program: None,
            rights: Vec::new(),
            reasons: Vec::new(),
            code: None,
            of: None,
            older: false,
            trail: None,
            reset: None,
            root_key: None,
            kind: None,
            signer: None,
            list_seq: None,
            summary: None,
            lost: None,
            lost_bytes: None,
            prev: Digest256([0; 32]),
        }
    }

    /// The line, without its LF.
    pub(super) fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data")
    }

    /// Reads a line without its LF. Only the very line that [`to_line`](Self::to_line) writes is a
    /// record: so keys that stand twice, nulls and other spellings are none.
    pub(super) fn from_line(line: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(line).map_err(|e| json::explain(&e))?;
        record.rules()?;
        if record.to_line() != line {
            return Err("it is not written as this library writes it".into());
        }
        Ok(record)
    }

    /// What each event needs, and the bounds of numbers.
    pub(super) fn rules(&self) -> Result<(), &'static str> {
        let numbers = [self.license_seq, self.rev, self.of, self.list_seq, self.lost_bytes];
        if numbers.iter().flatten().chain([&self.seq]).any(|n| *n > MAX_INTEGER) {
            return Err("a number in it is 2^53 or more");
        }
        if self.time >= END_OF_TIME as u64 {
            return Err("its time is after the year 2999");
        }
        if self.subject.as_ref().is_some_and(String::is_empty) {
            return Err("its subject is empty");
        }
        let complete = self.device.is_some()
            && match self.event {
                Event::Begun => self.trail.is_some(),
                Event::Opened => self.file.is_some() && self.policy_sha256.is_some(),
                Event::Seen => {
                    self.root.is_some()
                        && self.file.is_some()
                        && self.license_seq.is_some()
                        && self.rev.is_some()
                        && self.commitment.is_some()
                }
                Event::Repaired => self.lost.is_some() && self.lost_bytes.is_some(),
                Event::Reset => {
                    self.root.is_some()
                        && self.trail.is_some()
                        && self.reset.is_some()
                        && self.root_key.is_some()
                }
                Event::ListUsed => {
                    self.kind.is_some()
                        && self.root.is_some()
                        && self.signer.is_some()
                        && self.list_seq.is_some()
                }
                Event::Summed => self.summary.is_some(),
                _ => true,
            };
        if complete { Ok(()) } else { Err("it lacks a member that its event needs") }
    }
}

/// Unix seconds as RFC 3339 in UTC.
pub(super) mod instant {
    use crate::policy::{parse_instant, show_instant};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(time: &u64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&show_instant(i64::try_from(*time).unwrap_or(i64::MAX)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
        let text = String::deserialize(d)?;
        let seconds = parse_instant(&text).and_then(|t| u64::try_from(t).ok());
        seconds.ok_or_else(|| de::Error::custom("not a time like 2026-11-24T13:37:22Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves one member out.
    type Without = fn(&mut TrailRecord);

    const MEMBERS: [(&str, Without); 15] = [
        ("device", |r| r.device = None),
        ("root", |r| r.root = None),
        ("file", |r| r.file = None),
        ("license_seq", |r| r.license_seq = None),
        ("rev", |r| r.rev = None),
        ("commitment", |r| r.commitment = None),
        ("policy_sha256", |r| r.policy_sha256 = None),
        ("trail", |r| r.trail = None),
        ("reset", |r| r.reset = None),
        ("root_key", |r| r.root_key = None),
        ("kind", |r| r.kind = None),
        ("signer", |r| r.signer = None),
        ("list_seq", |r| r.list_seq = None),
        ("summary", |r| r.summary = None),
        ("lost", |r| (r.lost, r.lost_bytes) = (None, None)),
    ];

    fn full(event: Event) -> TrailRecord {
        let who = Some(Thumbprint([1; 32]));
        TrailRecord {
            device: who,
            root: who,
            file: Some(Id([2; 16])),
            license_seq: Some(1),
            rev: Some(1),
            commitment: Some([3; 32]),
            policy_sha256: Some(Digest256([4; 32])),
            trail: Some(Id([5; 16])),
            reset: Some("reset".into()),
            root_key: Some([6; 32]),
            kind: Some("trust".into()),
            signer: who,
            list_seq: Some(1),
            summary: Some(Digest256([7; 32])),
            lost: Some("AA".into()),
            lost_bytes: Some(1),
            ..TrailRecord::new(event)
        }
    }

    /// As docs/trail.md lists them, beside the device.
    fn needs(event: Event) -> &'static [&'static str] {
        match event {
            Event::Begun => &["trail"],
            Event::Opened => &["file", "policy_sha256"],
            Event::Seen => &["root", "file", "license_seq", "rev", "commitment"],
            Event::Repaired => &["lost"],
            Event::Reset => &["root", "trail", "reset", "root_key"],
            Event::ListUsed => &["kind", "root", "signer", "list_seq"],
            Event::Summed => &["summary"],
            _ => &[],
        }
    }

    #[test]
    fn each_event_needs_its_members_and_no_others() {
        for &event in Event::ALL {
            let whole = full(event);
            assert_eq!(whole.rules(), Ok(()), "{event:?}");
            let mut least = whole.clone();
            for (name, leave_out) in MEMBERS {
                let needed = name == "device" || needs(event).contains(&name);
                let mut without = whole.clone();
                leave_out(&mut without);
                assert_eq!(without.rules().is_err(), needed, "{event:?} without {name}");
                if !needed {
                    leave_out(&mut least);
                }
            }
            assert_eq!(least.rules(), Ok(()), "{event:?} with no more than it needs");
        }
        for (lost, lost_bytes) in [(None, Some(1)), (Some("AA".to_owned()), None)] {
            let half = TrailRecord { lost, lost_bytes, ..full(Event::Repaired) };
            assert!(half.rules().is_err());
        }
    }

    #[test]
    fn times_end_with_the_year_2999() {
        let at = |time| TrailRecord { time, ..full(Event::Opened) }.rules();
        assert_eq!(at(END_OF_TIME as u64 - 1), Ok(()));
        assert!(at(END_OF_TIME as u64).is_err());
    }
}
