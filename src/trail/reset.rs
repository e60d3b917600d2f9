//! Going on after a trail was lost or broken, or a clock was far ahead: with a reset that the
//! issuer signed.

use super::journal::Journal;
use super::lines::{Lines, Piece};
use super::record::{Entry, Event, TrailRecord};
use super::{Sync, begun, broken, path, read};
use crate::atomic::{self, Existing};
use crate::encoding::{Digest256, Id, Thumbprint, sha256};
use crate::facts::Reset;
use crate::keys::VerifyingKey;
use crate::{Code, Error, Result};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Takes a reset by the root with this key into use and gives the trail's new id, for the identity
/// to keep. A sound trail goes on with a record of it; of a missing or broken one the remains are
/// put aside and a new one begins. Done twice, it is done once. It waits at most `wait` for who holds the
/// trail.
///
/// # Errors
/// [`Code::Signature`]; [`Code::NotPermitted`] if the reset is for another device or trail;
/// [`Code::TrailBusy`].
pub(crate) fn apply_reset(
    folder: &Path,
    id: Id,
    device: Thumbprint,
    reset: &Reset,
    root: &VerifyingKey,
    wait: Duration,
    now: u64,
) -> Result<Id> {
    reset.verify(root)?;
    if reset.root() != root.thumbprint() {
        return Err(no("the reset is signed by another key than that of the root it counts for"));
    }
    if reset.device() != device {
        return Err(no("the reset is for another device"));
    }
    if reset.trail() != id {
        return Err(no("the reset is for another trail: it was used already, or is out of date"));
    }
    let mut entry = Entry::new(Event::Reset);
    entry.root = Some(reset.root());
    entry.trail = Some(reset.id());
    entry.reset = Some(reset.as_str().to_owned());
    entry.root_key = Some(*root.as_bytes());

    let read = Journal::open(&path(folder)).and_then(|mut journal| {
        read(&mut journal, device, wait, |journal| Ok(follow(journal, id, &entry, now)))
    });
    match read {
        Ok(Some(followed)) => return followed.map(|()| reset.id()),
        // Of another id: as good as missing.
        Ok(None) => {}
        Err(e) if e.code() == Code::Trail => {}
        Err(e) => return Err(e),
    }
    begin(folder, id, device, reset, entry, now)?;
    Ok(reset.id())
}

/// Appends the reset to the sound trail of this id, unless it is there. Under the trail's lock.
/// Gives nothing for the trail of another id.
fn follow(journal: &mut Journal, id: Id, entry: &Entry, now: u64) -> Option<Result<()>> {
    let ids = journal.at.state.ids();
    if entry.trail.is_some_and(|new| ids.contains(&new)) {
        return Some(Ok(()));
    }
    if !ids.contains(&id) {
        return None;
    }
    if ids.last() != Some(&id) {
        return Some(Err(no("the trail has gone on under another id than the identity's")));
    }
    Some(journal.append(entry, now, Sync::Always).map(drop))
}

fn no(why: &'static str) -> Error {
    Error::new(Code::NotPermitted, why)
}

/// Begins a new trail with two records at once: `begun`, and the reset.
fn begin(
    folder: &Path,
    old: Id,
    device: Thumbprint,
    reset: &Reset,
    mut entry: TrailRecord,
    now: u64,
) -> Result<()> {
    put_aside(folder, old)?;
    let mut first = begun(reset.id(), device, now)?;
    first.root = Some(reset.root());
    let first = first.to_line();
    (entry.seq, entry.time, entry.device) = (1, now, Some(device));
    entry.prev = Digest256(sha256(&first));
    let lines = [&first[..], &entry.to_line()].map(|line| [line, b"\n"].concat()).concat();
    atomic::write(&path(folder), &lines, true, Existing::Keep)
        .map_err(|e| e.context("beginning a new audit trail"))
}

/// Puts a trail aside in which nothing stands but its beginning: one that was begun for an identity
/// that then was not made. Gives whether it was such a one.
pub(crate) fn put_unused_aside(folder: &Path) -> Result<bool> {
    let io = |e| Error::io("reading the audit trail", e);
    let mut lines = Lines::new(BufReader::new(File::open(path(folder)).map_err(io)?));
    let id = match lines.next().map_err(io)? {
        Piece::Line(line) => match TrailRecord::from_line(line) {
            Ok(TrailRecord { event: Event::Begun, trail: Some(id), .. }) => id,
            _ => return Ok(false),
        },
        _ => return Ok(false),
    };
    if !matches!(lines.next().map_err(io)?, Piece::End) {
        return Ok(false);
    }
    put_aside(folder, id).map(|()| true)
}

/// Renames what is left of the old trail.
fn put_aside(folder: &Path, old: Id) -> Result<()> {
    let from = path(folder);
    if from.symlink_metadata().is_err() {
        return Ok(());
    }
    let free = |p: &PathBuf| p.symlink_metadata().is_err();
    let names = (1..100).map(|n| match n {
        1 => folder.join(format!("trail-{old}.jsonl")),
        n => folder.join(format!("trail-{old}-{n}.jsonl")),
    });
    let to = names.into_iter().find(free);
    let to = to.ok_or_else(|| broken("too many old audit trails lie in this folder".into()))?;
    fs::rename(&from, &to).map_err(|e| Error::io("putting the old audit trail aside", e))?;
    atomic::sync_folder(folder)
}
