//! Summaries: what the records up to a place say, kept beside the trail so that a long one need not
//! be parsed again by each session. A summary counts as far as the trail itself names it by its
//! hash, and is used only where no anchor reaches further back: see `docs/trail.md`, section 8.

use super::journal::Position;
use super::lines::{Lines, Piece};
use super::record::{Entry, Event, TrailRecord};
use super::state::State;
use crate::atomic::{self, Existing};
use crate::encoding::{Digest256, sha256, sha256_of};
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
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

/// The bytes of the summary of all records up to a place, whose lines have this SHA-256.
fn to_bytes(at: &Position, sha256: Digest256) -> Vec<u8> {
    let summary = Summary {
        seq: at.seq,
        offset: at.offset,
        sha256,
        head: Digest256(at.head),
        state: &at.state,
    };
    serde_json::to_vec(&summary).expect("maps have strings as keys")
}

/// What a record that stands at this place has to say of the records before it.
pub(super) fn digest(at: &Position, lines: Sha256) -> Digest256 {
    Digest256(sha256(&to_bytes(at, Digest256(lines.finalize().into()))))
}

/// Keeps a summary in this folder, and gives the record that names it. Under the trail's lock.
pub(super) fn keep(folder: &Path, trail: &File, at: &Position) -> Result<Entry> {
    let lines = hash(trail, at.offset).map_err(|e| Error::io("reading the audit trail", e))?;
    let bytes = to_bytes(at, lines);
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
    let mut lines = Lines::new(BufReader::with_capacity(2048, trail));
    let Ok(Piece::Line(line)) = lines.next() else { return None };
    let record = TrailRecord::from_line(line).ok()?;
    let named = record.seq == summary.seq
        && record.prev == summary.head
        && record.summary == Some(Digest256(sha256(&bytes)));
    named.then_some(summary)
}

/// Whether the lines are still those that were summed up.
fn check(summary: Summary<State>, trail: &File) -> Option<Position> {
    let lines = hash(trail, summary.offset).ok()?;
    let Summary { seq, offset, sha256, head, state } = summary;
    (lines == sha256).then_some(Position { offset, seq, head: head.0, state })
}

/// SHA-256 of the first bytes of a file, so many that must be there.
fn hash(mut file: &File, len: u64) -> io::Result<Digest256> {
    file.seek(SeekFrom::Start(0))?;
    let (hash, read) = sha256_of(file.take(len))?;
    if read == len { Ok(Digest256(hash)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
