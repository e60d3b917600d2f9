//! Verifying a whole trail, and naming the line where it was touched.

use super::journal::Position;
use super::lines::{Lines, Piece};
use super::record::{Event, TrailRecord, instant};
use super::summary;
use crate::Anchor;
use crate::encoding::{Digest256, Id, Thumbprint, sha256};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::BufRead;

/// What a trail must be, beyond holding together.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrailExpectation<'a> {
    /// One of its ids.
    pub id: Option<Id>,
    /// Whose it is.
    pub device: Option<Thumbprint>,
    /// Where it stood before: from checkpoints, or from badges that carry one.
    pub anchors: &'a [Anchor],
}

/// What a sound trail holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrailReport {
    /// How many records.
    pub records: u64,
    /// The time of the first: Unix seconds; in JSON as in the records.
    #[serde(with = "instant")]
    pub first: u64,
    /// The time of the last.
    #[serde(with = "instant")]
    pub last: u64,
    /// The device whose trail it is.
    pub device: Thumbprint,
    /// Its id now.
    pub id: Id,
    /// SHA-256 of its last line.
    pub head: Digest256,
    /// How many torn lines were put aside.
    pub repaired: u64,
    /// How many resets stand in it.
    pub resets: u64,
}

/// What is wrong with a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TrailFaultKind {
    /// The trail cannot be read from here on.
    Unreadable,
    /// The line is no record.
    Record,
    /// The line is not the one that was written here.
    Changed,
    /// Records are missing before this line, or all of them.
    Missing,
    /// The line stands out of order, or twice.
    Order,
    /// The line was put in between.
    Inserted,
    /// The record cannot stand here: a second beginning, another device's, a reset that is not
    /// valid, a summary of something else.
    Misplaced,
    /// The last line has no end: a crash, or the trail is being written.
    Torn,
    /// It is another trail: id or device are not as expected.
    Identity,
    /// It does not lead on from where it stood: it was rewritten or cut.
    Anchor,
}

/// The first thing that is wrong with a trail, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrailFault {
    /// The line, from 1. One more than there are if the end is missing.
    pub line: u64,
    /// What is wrong.
    pub kind: TrailFaultKind,
    /// The same in words.
    pub message: String,
}

impl fmt::Display for TrailFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TrailFault {}

use TrailFaultKind as Kind;

fn fault(line: u64, kind: Kind, message: impl Into<String>) -> TrailFault {
    TrailFault { line, kind, message: message.into() }
}

/// Verifies a trail from its first line to its last. Memory does not grow with its length, but with
/// what its summaries are checked against: some 16 bytes for each second in which a file was
/// opened, and 100 for each file.
///
/// A line that was changed shows in the line after it; so what was done to the last lines shows
/// only where an anchor names them or a later one. A trail that is being written is read from
/// under its lock, or it may end in half a line.
///
/// # Errors
/// The first fault.
pub fn verify_trail(
    source: impl BufRead,
    expect: &TrailExpectation<'_>,
) -> Result<TrailReport, TrailFault> {
    let mut anchors: Vec<&Anchor> = expect.anchors.iter().collect();
    anchors.sort_by_key(|a| a.seq);
    let mut verifier = Verifier {
        lines: Lines::new(source),
        anchors: &anchors,
        at: Position::default(),
        hash: Sha256::new(),
        before: [0; 32],
    };
    let (mut first, mut last, mut repaired, mut resets) = (None, 0, 0, 0);
    while let Some(record) = verifier.next()? {
        if expect.device.is_some_and(|d| record.device != Some(d)) {
            return Err(fault(1, Kind::Identity, "the trail is another device's"));
        }
        first.get_or_insert(record.time);
        last = record.time;
        repaired += u64::from(record.event == Event::Repaired);
        resets += u64::from(record.event == Event::Reset);
    }
    let Position { seq: records, head, state, .. } = verifier.at;
    let (Some(device), Some(id), Some(first)) = (state.device(), state.ids().last(), first) else {
        return Err(fault(1, Kind::Missing, "the trail is empty"));
    };
    let known = |id: &Id| state.ids().contains(id);
    if expect.id.is_some_and(|id| !known(&id)) {
        return Err(fault(
            1,
            Kind::Identity,
            "it is another trail: its id is not the one expected",
        ));
    }
    for anchor in anchors {
        if !known(&anchor.id) {
            let why = "the checkpoint or badge is of another trail: its id does not stand here";
            return Err(fault(anchor.seq.min(records).saturating_add(1), Kind::Anchor, why));
        }
        if anchor.seq >= records {
            let why = format!(
                "the trail ends here, but the checkpoint or badge saw record {}: it was cut, or \
                 begun anew",
                anchor.seq
            );
            return Err(fault(records + 1, Kind::Anchor, why));
        }
    }
    let (id, head) = (*id, Digest256(head));
    Ok(TrailReport { records, first, last, device, id, head, repaired, resets })
}

struct Verifier<'a, R> {
    lines: Lines<R>,
    /// By their `seq`; those that were passed are dropped.
    anchors: &'a [&'a Anchor],
    /// After the last line that was read.
    at: Position,
    /// Of all lines that were read.
    hash: Sha256,
    /// The hash of the line before the last one.
    before: [u8; 32],
}

impl<R: BufRead> Verifier<'_, R> {
    fn next(&mut self) -> Result<Option<TrailRecord>, TrailFault> {
        let at = self.at.seq + 1;
        let (record, len, hash, before) = match self.lines.next() {
            Ok(Piece::Line(line)) => {
                let bad = |why| fault(at, Kind::Record, format!("it is no record: {why}"));
                let record = TrailRecord::from_line(line).map_err(bad)?;
                let before = self.hash.clone();
                self.hash.update(line);
                self.hash.update(b"\n");
                (record, line.len(), sha256(line), before)
            }
            Ok(Piece::End) => return Ok(None),
            Ok(Piece::TooLong) => {
                return Err(fault(at, Kind::Record, "it is no record: it is too long"));
            }
            Ok(Piece::Torn(_, count)) => {
                let why = format!(
                    "the last line has no end ({count} bytes): a crash, which the next access \
                     repairs, or a copy made while it was written"
                );
                return Err(fault(at, Kind::Torn, why));
            }
            Err(e) => return Err(fault(at, Kind::Unreadable, format!("it cannot be read: {e}"))),
        };
        if record.seq != self.at.seq {
            return Err(self.out_of_order(&record, hash));
        }
        if record.prev.0 != self.at.head {
            return Err(self.not_chained(&record, hash));
        }
        self.at.state.check(&record).map_err(|why| fault(at, Kind::Misplaced, why))?;
        if let Some(named) = record.summary
            && named != summary::digest(&self.at, before)
        {
            let why = "its summary is not what the records before it say";
            return Err(fault(at, Kind::Misplaced, why));
        }
        while let Some((anchor, rest)) =
            self.anchors.split_first().filter(|(a, _)| a.seq == record.seq)
        {
            if anchor.head.0 != hash {
                let why = "it is not the line that the checkpoint or badge saw here: it, or lines \
                           before it, were rewritten";
                return Err(fault(at, Kind::Anchor, why));
            }
            self.anchors = rest;
        }
        self.before = self.at.head;
        self.at.take(&record, len, hash);
        Ok(Some(record))
    }

    /// Which line a number that does not follow speaks against.
    fn out_of_order(&mut self, record: &TrailRecord, hash: [u8; 32]) -> TrailFault {
        let (at, expected) = (self.at.seq + 1, self.at.seq);
        if record.prev.0 == self.at.head {
            return fault(at, Kind::Changed, "its number was changed");
        }
        if record.seq > expected {
            if self.peek().is_some_and(|next| next.seq == expected) {
                return fault(at, Kind::Order, "it stands before the line that it follows");
            }
            let to = record.seq - 1;
            return fault(at, Kind::Missing, format!("records {expected} to {to} are missing"));
        }
        if hash == self.at.head {
            return fault(at, Kind::Order, "it stands twice");
        }
        // Two lines claim the same place: the one that the next line was written after is right.
        if record.seq + 1 == expected
            && record.prev.0 == self.before
            && self.peek().is_some_and(|next| next.prev.0 == hash)
        {
            return fault(at - 1, Kind::Inserted, "it was put in before the line after it");
        }
        fault(at, Kind::Order, "its number stood before: it was put in, or moved here")
    }

    /// The line does not say the hash of the one before: either was changed.
    fn not_chained(&mut self, record: &TrailRecord, hash: [u8; 32]) -> TrailFault {
        let at = self.at.seq + 1;
        let own = match (self.peek(), self.anchors.first()) {
            _ if at == 1 => true,
            // Judged by the line after it, or by an anchor.
            (Some(next), _) => next.prev.0 != hash,
            (None, Some(anchor)) if anchor.seq == record.seq => anchor.head.0 != hash,
            (None, _) => false,
        };
        if own {
            fault(at, Kind::Changed, "it was changed: it does not follow the line before")
        } else {
            fault(
                at - 1,
                Kind::Changed,
                "it was changed: the line after it was written after another",
            )
        }
    }

    /// The line after the one at fault; nothing is read after it.
    fn peek(&mut self) -> Option<TrailRecord> {
        match self.lines.next() {
            Ok(Piece::Line(line)) => TrailRecord::from_line(line).ok(),
            _ => None,
        }
    }
}
