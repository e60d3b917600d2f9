//! The file itself: one handle, how far it was read, and what it says up to there.

use super::lines::{Lines, Piece};
use super::record::{Entry, Event, MAX_LINE, TrailRecord};
use super::state::State;
use super::{Sync, TrailOptions, broken, broken_at, summary};
use crate::encoding::{Digest256, b64, sha256};
use crate::{Anchor, Code, Error, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time between two syncs while records are written.
const BATCH: Duration = Duration::from_secs(5);

/// Where reading stands, after a whole number of lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Position {
    /// Bytes before the next line.
    pub offset: u64,
    /// The number of the next record.
    pub seq: u64,
    /// SHA-256 of the last line.
    pub head: [u8; 32],
    /// What the records so far say.
    pub state: State,
}

impl Position {
    /// Takes the next line, without its LF.
    fn take_line(&mut self, line: &[u8]) -> Result<()> {
        let at = self.seq + 1;
        let record = TrailRecord::from_line(line).map_err(|why| broken_at(at, &why))?;
        if record.seq != self.seq {
            return Err(broken_at(at, "its number does not follow the one before"));
        }
        if record.prev.0 != self.head {
            return Err(broken_at(at, "it does not follow the line before"));
        }
        self.state.check(&record).map_err(|why| broken_at(at, why))?;
        self.take(&record, line.len(), sha256(line));
        Ok(())
    }

    /// Takes a record that may come next, its line's length without the LF, and its SHA-256.
    pub(super) fn take(&mut self, record: &TrailRecord, len: usize, hash: [u8; 32]) {
        self.state.take(record);
        self.offset += len as u64 + 1;
        self.seq += 1;
        self.head = hash;
    }
}

/// Bytes after the last line that a crash left: the first of them, and how many.
struct Torn {
    first: Vec<u8>,
    count: u64,
}

pub(super) struct Journal {
    pub(super) file: File,
    path: PathBuf,
    pub(super) at: Position,
    /// How many records are known by a summary alone.
    pub(super) summed: u64,
    torn: Option<Torn>,
    pub(super) last_sync: Instant,
    /// Whether there are records that may not last yet.
    pub(super) unsynced: bool,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // Readers and writers, but nobody who renames or removes it: see `same_file`.
        #[cfg(windows)]
        std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 3);
        let file = options.open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => broken(
                "the audit trail is missing, so nothing opens: ask the issuer for a signed reset \
                 (`bulla trail reset`)"
                    .into(),
            ),
            _ => broken(format!("the audit trail cannot be read and written: {e}")),
        })?;
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(broken("the audit trail is not a regular file".into()));
        }
        let path = path.to_owned();
        let (at, last_sync) = (Position::default(), Instant::now());
        Ok(Journal { file, path, at, summed: 0, torn: None, last_sync, unsynced: false })
    }

    /// Goes to the furthest place, up to record `latest`, up to which a summary says what it said:
    /// the start, if there is none.
    pub(super) fn skip(&mut self, latest: u64) {
        self.at = summary::place(self.folder(), &self.file, latest).unwrap_or_default();
        self.summed = self.at.seq;
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Whether enough was parsed that the next session had better not.
    pub(super) fn is_long(&self, options: TrailOptions) -> bool {
        // Each summary is a good part longer than the one before: all of them together, which a
        // verification makes again, cost no more than a few times the last.
        self.at.seq - self.summed >= options.worth.max(self.at.seq / 4) && self.torn.is_none()
    }

    /// Makes a summary. Under the lock, after [`catch_up`](Self::catch_up).
    pub(super) fn sum_up(&mut self, now: u64, options: TrailOptions) -> Result<()> {
        // Without one, the next session takes longer, and nothing else.
        let kept = summary::keep(self.folder(), &self.file, &self.at);
        let Ok(entry) = kept else { return Ok(()) };
        self.write(entry, now, options.sync).map(drop)
    }

    /// Waits at most `wait` for the file's lock.
    pub(super) fn acquire(&self, wait: Duration) -> Result<()> {
        lock_within(wait, || self.file.try_lock())
    }

    pub(super) fn release(&self) {
        // Closing the handle releases it too; nothing is left to do about a failure.
        let _ = self.file.unlock();
    }

    /// The file from its start, and its length at a moment when nobody writes.
    pub(super) fn into_reader(self, wait: Duration) -> Result<(File, u64)> {
        self.acquire(wait)?;
        let len = self.file.metadata();
        self.release();
        let len = len.map_err(|e| broken(format!("the audit trail cannot be read: {e}")))?.len();
        Ok((self.file, len))
    }

    /// Reads what other processes appended. Under the lock, or what is torn may be half written.
    pub(super) fn catch_up(&mut self) -> Result<()> {
        let unreadable = |e| broken(format!("the audit trail cannot be read: {e}"));
        let len = self.file.metadata().map_err(unreadable)?.len();
        if !same_file(&self.file, &self.path) {
            return Err(broken("the audit trail was replaced while it was in use".into()));
        }
        if len < self.at.offset {
            return Err(broken("the audit trail was cut while it was in use".into()));
        }
        self.torn = None;
        if len == self.at.offset {
            return Ok(());
        }
        let new = len - self.at.offset;
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.at.offset)).map_err(unreadable)?;
        let capacity = usize::try_from(new).unwrap_or(MAX_LINE).min(MAX_LINE);
        let mut lines = Lines::new(BufReader::with_capacity(capacity, file.take(new)));
        loop {
            match lines.next().map_err(unreadable)? {
                Piece::Line(line) => self.at.take_line(line)?,
                Piece::TooLong => return Err(broken_at(self.at.seq + 1, "it is too long")),
                Piece::Torn(first, count) => {
                    self.torn = Some(Torn { first: first.to_vec(), count });
                    return Ok(());
                }
                Piece::End => return Ok(()),
            }
        }
    }

    /// Appends under the lock, after [`catch_up`](Self::catch_up).
    pub(super) fn append(&mut self, entry: &Entry, now: u64, sync: Sync) -> Result<u64> {
        if let Some(torn) = &self.torn {
            let mut repair = Entry::new(Event::Repaired);
            repair.lost = Some(b64(&torn.first));
            repair.lost_bytes = Some(torn.count);
            self.write(repair, now, sync)?;
            self.torn = None;
        }
        self.write(entry.clone(), now, sync)
    }

    fn write(&mut self, mut record: TrailRecord, now: u64, sync: Sync) -> Result<u64> {
        record.seq = self.at.seq;
        record.time = self.at.state.lineage.time_for(now);
        record.device = self.at.state.device();
        record.prev = Digest256(self.at.head);
        self.at.state.check(&record).map_err(|why| Error::new(Code::Internal, why))?;
        let mut line = record.to_line();
        line.push(b'\n');
        if line.len() > MAX_LINE {
            return Err(Error::new(Code::BadArgument, "a record of the trail has at most 64 KiB"));
        }
        self.write_line(&line, sync)?;
        let line = &line[..line.len() - 1];
        self.at.take(&record, line.len(), sha256(line));
        self.unsynced = true;
        let now = match sync {
            Sync::Always => true,
            Sync::Batched => must_last(record.event) || self.last_sync.elapsed() > BATCH,
            Sync::Never => false,
        };
        if now {
            self.sync()?;
        }
        Ok(record.seq)
    }

    /// Writes a line at the end, or over what is torn. What stops short goes on.
    fn write_line(&mut self, line: &[u8], sync: Sync) -> Result<()> {
        let written = match &self.torn {
            None => self.put(0, line),
            Some(torn) => self.write_over(line, torn.count, sync),
        };
        let Err(e) = written else { return Ok(()) };
        // Should this fail too, the next one to hold the lock finds a torn line.
        if self.torn.is_none() {
            let _ = self.file.set_len(self.at.offset);
        }
        let e = Error::io("the audit trail cannot be written, so the access is denied", e);
        Err(if e.code() == Code::Full { e } else { broken(e.to_string()) })
    }

    /// Puts a line in the place of what is torn, whose bytes stand in it. Until the rest of it is
    /// on the disk it begins with a NUL, so that after another loss of power whatever of it is
    /// there is torn again. What is longer than the line is cut first: behind the line's LF it
    /// would be more than what counts as torn.
    fn write_over(&self, line: &[u8], torn: u64, sync: Sync) -> io::Result<()> {
        let settle = || if sync == Sync::Never { Ok(()) } else { self.file.sync_data() };
        self.put(0, &[0])?;
        if torn > line.len() as u64 {
            self.file.set_len(self.at.offset + line.len() as u64)?;
        }
        settle()?;
        self.put(1, &line[1..])?;
        settle()?;
        self.put(0, &line[..1])
    }

    /// Writes at a distance from the end of the last sound line.
    fn put(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.at.offset + at))?;
        file.write_all(bytes)
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        if self.unsynced {
            self.file
                .sync_data()
                .map_err(|e| broken(format!("the audit trail cannot be synced: {e}")))?;
            (self.unsynced, self.last_sync) = (false, Instant::now());
        }
        Ok(())
    }

    pub(super) fn anchor(&self) -> Result<Anchor> {
        match (self.at.state.ids().last(), self.at.seq.checked_sub(1)) {
            (Some(id), Some(seq)) => Ok(Anchor { id: *id, seq, head: Digest256(self.at.head) }),
            _ => Err(broken("the audit trail is empty".into())),
        }
    }

    /// Whether the record that the anchor names stands where the anchor says.
    pub(super) fn extends(&mut self, anchor: &Anchor) -> Result<bool> {
        if anchor.seq < self.summed {
            // Whoever made that summary may have made up what stands before the anchor.
            let before = std::mem::take(&mut self.at).state;
            self.skip(anchor.seq);
            self.catch_up()?;
            if self.at.state != before {
                return Err(broken(
                    "a summary in the audit trail says other than its records".into(),
                ));
            }
        }
        if !self.at.state.ids().contains(&anchor.id) {
            return Ok(false);
        }
        let line = self.find(anchor.seq)?;
        Ok(line.is_some_and(|line| sha256(&line) == anchor.head.0))
    }

    /// The line of a record, if it was read before: by bisection over the bytes.
    fn find(&self, seq: u64) -> Result<Option<Vec<u8>>> {
        let (mut low, mut high) = (0, self.at.offset);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(line) = self.line_from(middle)? else {
                high = middle;
                continue;
            };
            let found = TrailRecord::from_line(&line)
                .map_err(|why| broken(format!("the audit trail is broken within: {why}")))?;
            match found.seq.cmp(&seq) {
                std::cmp::Ordering::Equal => return Ok(Some(line)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The first line that starts at or after this byte.
    fn line_from(&self, from: u64) -> Result<Option<Vec<u8>>> {
        let unreadable = |e| broken(format!("the audit trail cannot be read: {e}"));
        let mut file = &self.file;
        // The byte before tells whether a line starts here.
        file.seek(SeekFrom::Start(from.saturating_sub(1))).map_err(unreadable)?;
        let mut lines = Lines::new(BufReader::with_capacity(2048, file));
        if from > 0 && !matches!(lines.next().map_err(unreadable)?, Piece::Line(_)) {
            return Ok(None);
        }
        match lines.next().map_err(unreadable)? {
            Piece::Line(line) => Ok(Some(line.to_vec())),
            _ => Ok(None),
        }
    }
}

/// Tries for at most `wait`.
pub(super) fn lock_within(
    wait: Duration,
    mut try_lock: impl FnMut() -> Result<(), TryLockError>,
) -> Result<()> {
    let start = Instant::now();
    let mut pause = Duration::ZERO;
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(e)) => {
                return Err(broken(format!("the audit trail cannot be locked: {e}")));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let left = wait.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Err(busy());
        }
        pause = (pause * 2).clamp(MIN_PAUSE, MAX_PAUSE);
        std::thread::sleep(pause.min(left));
    }
}

const MIN_PAUSE: Duration = Duration::from_micros(50);
pub(super) const MAX_PAUSE: Duration = Duration::from_micros(500);

pub(super) fn busy() -> Error {
    Error::new(
        Code::TrailBusy,
        "another process holds the trail: it may be stuck in an access; `lock_wait` in config.toml \
         says how long to wait",
    )
}

/// Events that are on the disk before the access goes on.
fn must_last(event: Event) -> bool {
    matches!(event, Event::Begun | Event::Denied | Event::Exported | Event::Repaired | Event::Reset)
}

/// Whether the file that has the name is still the one that was opened.
#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |m: std::fs::Metadata| (m.dev(), m.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// The handle was opened so that nobody can rename or remove the file while it is open.
#[cfg(windows)]
fn same_file(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(not(any(unix, windows)))]
fn same_file(_file: &File, _path: &Path) -> bool {
    false
}
