//! The audit trail: one record a line, each bound to the line before by its hash.
//!
//! Several processes append under a lock. What was read once is not read again: a lock costs only
//! what others appended since. `docs/trail.md` describes file, records and rules.

mod journal;
mod lineage;
mod lines;
mod record;
mod reset;
mod show;
mod state;
mod summary;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use record::Entry;
pub use record::{Event, TrailProgram, TrailRecord};
pub(crate) use reset::{apply_reset, put_unused_aside};
pub(crate) use show::open_for_reading;
pub use show::{TrailFilter, trail_records};
pub(crate) use state::State;
pub use verify::{TrailExpectation, TrailFault, TrailFaultKind, TrailReport, verify_trail};

use crate::atomic::{self, Existing};
use crate::encoding::{Id, Thumbprint};
use crate::{Anchor, Code, Error, Result};
use journal::Journal;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) const NAME: &str = "trail.jsonl";

/// When records are made to last through a loss of power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sync {
    /// Each before the access that it is about goes on.
    Always,
    /// Denials and exports at once; others when five seconds have passed, and at the end.
    #[default]
    Batched,
    /// When the system gets to it.
    Never,
}

/// How a trail is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TrailOptions {
    pub(crate) sync: Sync,
    /// Longest wait for the lock.
    #[serde(rename = "lock_wait", deserialize_with = "crate::config::duration")]
    pub(crate) wait: Duration,
    /// Fewest records that are worth a summary.
    #[serde(skip)]
    pub(crate) worth: u64,
}

impl Default for TrailOptions {
    fn default() -> Self {
        TrailOptions { sync: Sync::default(), wait: Duration::from_secs(10), worth: 50_000 }
    }
}

/// A device's trail, open. Can be shared by threads.
pub(crate) struct Trail {
    /// Empty while somebody holds the lock.
    journal: Mutex<Option<Journal>>,
    free: Condvar,
    options: TrailOptions,
}

impl Trail {
    /// Makes a new trail with its first record.
    ///
    /// # Errors
    /// [`Code::Exists`] if there is one: it is never overwritten.
    pub(crate) fn create(folder: &Path, id: Id, device: Thumbprint, now: u64) -> Result<()> {
        let mut line = begun(id, device, now)?.to_line();
        line.push(b'\n');
        atomic::write(&path(folder), &line, true, Existing::Keep).map_err(|e| match e.code() {
            Code::Exists => Error::new(
                Code::Exists,
                "this folder has an audit trail already; trails are never overwritten: move \
                 trail.jsonl away if it belongs to an identity that is gone",
            ),
            _ => e.context("beginning the audit trail"),
        })
    }

    /// Opens the trail of this id and device, and reads it: from the newest summary on, or from the
    /// start. If that was long, it makes a summary, at `now`.
    ///
    /// # Errors
    /// [`Code::Trail`] if it is missing, unreadable, broken, of another device or id;
    /// [`Code::TrailBusy`].
    pub(crate) fn open(
        folder: &Path,
        id: Id,
        device: Thumbprint,
        options: TrailOptions,
        now: u64,
    ) -> Result<Trail> {
        let mut journal = Journal::open(&path(folder))?;
        journal.skip(u64::MAX);
        read(&mut journal, device, options.wait, |journal| {
            if !journal.at.state.ids().contains(&id) {
                return Err(broken(
                    "the audit trail is not the one that the identity names, so nothing opens: ask \
                     the issuer for a signed reset (`bulla trail reset`)"
                        .into(),
                ));
            }
            if journal.is_long(options) { journal.sum_up(now, options) } else { Ok(()) }
        })?;
        Ok(Trail { journal: Mutex::new(Some(journal)), free: Condvar::new(), options })
    }

    /// Waits for the lock, reads what other processes appended, and gives access. A thread that
    /// holds it already waits for itself.
    ///
    /// # Errors
    /// [`Code::TrailBusy`] after the time to wait; [`Code::Trail`] if what was appended breaks the
    /// chain, or the file was replaced or cut.
    pub(crate) fn lock(&self) -> Result<Locked<'_>> {
        let start = Instant::now();
        let slot = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut slot, _) = self
            .free
            .wait_timeout_while(slot, self.options.wait, |slot| slot.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let journal = slot.take().ok_or_else(journal::busy)?;
        drop(slot);
        // From here on, dropping it gives the journal back.
        let mut locked = Locked { trail: self, journal: Some(journal) };
        locked.journal().acquire(self.options.wait.saturating_sub(start.elapsed()))?;
        locked.journal_mut().catch_up()?;
        Ok(locked)
    }

    /// Whether the trail has the record that the anchor names, with this hash, under one of its
    /// ids. Takes the lock.
    #[cfg(test)]
    pub(crate) fn extends(&self, anchor: &Anchor) -> Result<bool> {
        self.lock()?.extends(anchor)
    }

    /// Where the trail stands now. Takes the lock.
    pub(crate) fn anchor(&self) -> Result<Anchor> {
        self.lock()?.anchor()
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        let slot = self.journal.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let (Some(journal), true) = (slot, self.options.sync != Sync::Never) {
            // Nobody is left to tell; the records are written, only not known to last.
            let _ = journal.sync();
        }
    }
}

/// The trail while this holds its lock.
pub(crate) struct Locked<'a> {
    trail: &'a Trail,
    /// Taken out when dropped.
    journal: Option<Journal>,
}

impl Locked<'_> {
    fn journal(&self) -> &Journal {
        self.journal.as_ref().expect("until it is dropped")
    }

    fn journal_mut(&mut self) -> &mut Journal {
        self.journal.as_mut().expect("until it is dropped")
    }

    /// What the records say.
    pub(crate) fn state(&self) -> &State {
        &self.journal().at.state
    }

    /// Appends one record and gives its `seq`. Its time is `now`, or the latest one recorded if
    /// that is at most 60 s ahead. A torn last line is first put aside in a record of its own.
    ///
    /// # Errors
    /// [`Code::Full`], or [`Code::Trail`], if it could not be written: then it is not there.
    /// If it could only not be synced, it is.
    pub(crate) fn append(&mut self, entry: &Entry, now: u64) -> Result<u64> {
        let sync = self.trail.options.sync;
        self.journal_mut().append(entry, now, sync)
    }

    /// Records that a list is in use, unless one of the same signer that is not older was before.
    pub(crate) fn use_list(
        &mut self,
        kind: &str,
        root: Thumbprint,
        signer: Thumbprint,
        seq: u64,
        now: u64,
    ) -> Result<()> {
        if self.state().list_seq(kind, &root, &signer).is_some_and(|seen| seen >= seq) {
            return Ok(());
        }
        let entry = Entry {
            root: Some(root),
            kind: Some(kind.to_owned()),
            signer: Some(signer),
            list_seq: Some(seq),
            ..Entry::new(Event::ListUsed)
        };
        self.append(&entry, now).map(drop)
    }

    /// Makes all records last.
    #[cfg(test)]
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.journal_mut().sync()
    }

    /// As [`Trail::extends`].
    pub(crate) fn extends(&mut self, anchor: &Anchor) -> Result<bool> {
        self.journal_mut().extends(anchor)
    }

    /// As [`Trail::anchor`].
    pub(crate) fn anchor(&self) -> Result<Anchor> {
        self.journal().anchor()
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Some(journal) = self.journal.take() {
            journal.release();
            let mut slot = self.trail.journal.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(journal);
            drop(slot);
            self.trail.free.notify_one();
        }
    }
}

/// Reads a journal from where it stands to its end, and goes on while it is locked, if it is this
/// device's.
fn read<T>(
    journal: &mut Journal,
    device: Thumbprint,
    wait: Duration,
    go_on: impl FnOnce(&mut Journal) -> Result<T>,
) -> Result<T> {
    // The bulk without the lock, so that others go on meanwhile. What fails here may only be half
    // written: under the lock it is read again.
    let _ = journal.catch_up();
    journal.acquire(wait)?;
    let done = journal.catch_up().and_then(|()| match journal.at.state.device() {
        Some(d) if d == device => go_on(journal),
        Some(_) => Err(broken("the audit trail is another device's".into())),
        None => Err(broken_at(1, "the record that begins it is missing")),
    });
    journal.release();
    done
}

/// The first record.
fn begun(id: Id, device: Thumbprint, now: u64) -> Result<TrailRecord> {
    let mut record = TrailRecord::new(Event::Begun);
    (record.time, record.trail, record.device) = (now, Some(id), Some(device));
    record.rules().map_err(|why| Error::new(Code::BadArgument, why))?;
    Ok(record)
}

fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

fn broken(why: String) -> Error {
    Error::new(Code::Trail, why)
}

fn broken_at(line: u64, why: &str) -> Error {
    broken(format!(
        "the audit trail is broken at line {line}: {why}; `bulla trail verify` says more, and a \
         reset signed by the issuer (`bulla trail reset`) begins a new one"
    ))
}
