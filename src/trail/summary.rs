//! Summaries: what the records up to a place say, kept beside the trail so that a long one need not
//! be parsed again by each session. A summary counts as far as the trail itself names it by its
//! hash, and is used only where no anchor reaches further back: see `docs/trail.md`, section 8.

use super::journal::Position;
use super::record::{Entry, Event, MAX_LINE, TrailRecord};
use super::state::State;
use crate::atomic::{self, Existing};
use crate::encoding::{Digest256, sha256};
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The newest, and the one before it for anchors that are older than the newest.
const NAMES: [&str; 2] = ["trail-summary.json", "trail-summary-before.json"];

/// What stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary<S> {
    /// How many records it sums up: the number of the record that names it.
    seq: u64,
    /// Bytes of their lines.
    offset: u64,
    /// SHA-256 of those bytes.
    sha256: Digest256,
    /// SHA-256 of the last of the lines.
    head: Digest256,
    /// What they say.
    state: S,
}

/// The bytes of the summary of all records up to a place.
fn to_bytes(at: &Position) -> Vec<u8> {
    let summary = Summary {
        seq: at.seq,
        offset: at.offset,
        sha256: at.digest(),
        head: Digest256(at.head),
        state: &at.state,
    };
    serde_json::to_vec(&summary).expect("maps have strings as keys")
}

/// What a record that stands at this place has to say of the records before it.
pub(super) fn digest(at: &Position) -> Digest256 {
    Digest256(sha256(&to_bytes(at)))
}

/// Keeps a summary in this folder, and gives the record that names it. Under the trail's lock.
pub(super) fn keep(folder: &Path, at: &Position) -> Result<Entry> {
    let bytes = to_bytes(at);
    if bytes.len() as u64 > at.offset {
        return Err(Error::new(Code::Internal, "a summary longer than its trail"));
    }
    let [newest, before] = NAMES.map(|name| folder.join(name));
    match fs::rename(&newest, before) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("keeping the summary before", e));
        }
        _ => {}
    }
    atomic::write(&newest, &bytes, true, Existing::Replace)?;
    let mut entry = Entry::new(Event::Summed);
    entry.summary = Some(Digest256(sha256(&bytes)));
    Ok(entry)
}

/// The furthest place up to record `latest` that a summary tells about. What is wrong with a
/// summary is no more than a reason not to use it: the trail says all that it says.
pub(super) fn place(folder: &Path, trail: &File, latest: u64) -> Option<Position> {
    NAMES.iter().find_map(|name| {
        let summary = read(&folder.join(name), trail)?;
        if summary.seq > latest { None } else { check(summary, trail) }
    })
}

/// A summary that the trail names.
fn read(path: &Path, mut trail: &File) -> Option<Summary<State>> {
    let file = File::open(path).ok()?;
    // It is never longer than the lines that it sums up.
    let most = file.metadata().ok()?.len().min(trail.metadata().ok()?.len());
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    let summary: Summary<State> = serde_json::from_slice(&bytes).ok()?;
    trail.seek(SeekFrom::Start(summary.offset)).ok()?;
    let mut lines = super::lines::Lines::new(BufReader::with_capacity(2048, trail));
    let Ok(super::lines::Piece::Line(line)) = lines.next() else { return None };
    let record = TrailRecord::from_line(line).ok()?;
    let named = record.event == Event::Summed
        && record.seq == summary.seq
        && record.prev == summary.head
        && record.summary == Some(Digest256(sha256(&bytes)));
    named.then_some(summary)
}

/// Whether the lines are still those that were summed up.
fn check(summary: Summary<State>, mut trail: &File) -> Option<Position> {
    trail.seek(SeekFrom::Start(0)).ok()?;
    let mut running = Sha256::new();
    let mut source = BufReader::with_capacity(MAX_LINE, trail.take(summary.offset));
    let mut read = 0;
    loop {
        let bytes = match source.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes.ok()?,
        };
        let count = bytes.len();
        if count == 0 {
            break;
        }
        running.update(bytes);
        source.consume(count);
        read += count as u64;
    }
    let Summary { seq, offset, head, state, sha256 } = summary;
    let at = Position { offset, seq, head: head.0, state, running };
    (read == offset && at.digest() == sha256).then_some(at)
}
