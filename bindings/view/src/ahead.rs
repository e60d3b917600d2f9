//! Reading ahead: of a large file that a program reads in order, the next pieces are opened by the
//! threads that answered it last, while it does something with what it has.

use crate::attributes::LARGE;
use crate::opened::Sealed;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use zeroize::Zeroizing;

/// Bytes of a piece, which starts at a multiple of it: what the kernel asks for at most.
const SIZE: u64 = 1 << 20;

/// How much was read in order before the next pieces are opened.
const LEAST: u64 = 256 << 10;

/// Most pieces that are kept ready. Two would do if threads were never late: 5 % slower.
const PIECES: usize = 4;

/// Most pieces that all handles have together.
const BUFFERS: usize = 64;

static BUFFERS_IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Memory for a piece; wiped when dropped.
struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    /// `None` where there are as many as may be.
    fn new() -> Option<Self> {
        let one_more = |n| (n < BUFFERS).then_some(n + 1);
        BUFFERS_IN_USE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Buffer(Zeroizing::new(Vec::with_capacity(SIZE as usize))))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        BUFFERS_IN_USE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is opened ahead for one handle.
#[derive(Default)]
pub(crate) struct Ahead(Mutex<Pieces>);

#[derive(Default)]
struct Pieces {
    /// Where a reader that goes on in order reads next.
    next: u64,
    /// Bytes that it has read in order.
    run: u64,
    /// One behind the other.
    ready: VecDeque<Arc<Piece>>,
    /// Memory for further ones.
    spare: Vec<Buffer>,
}

/// A part of the content.
pub(crate) struct Piece {
    at: u64,
    len: usize,
    of: Sealed,
    /// `None` if it could not be opened: the read itself will say why.
    text: OnceLock<Option<Buffer>>,
}

/// A piece that is to be opened.
pub(crate) struct Job(Arc<Piece>, Option<Buffer>);

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.len as u64
    }

    /// What it has of the content from `offset` to `end`.
    pub(crate) fn part(&self, offset: u64, end: u64) -> &[u8] {
        let text = self.text.get().and_then(Option::as_ref).map_or(&[][..], |buffer| &buffer.0);
        let within = |at: u64| (at.max(self.at) - self.at).min(text.len() as u64) as usize;
        &text[within(offset)..within(end)]
    }
}

impl Ahead {
    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is worth it for this content.
    pub(crate) fn suits(of: &Sealed) -> bool {
        of.len() >= LARGE
    }

    /// The pieces that have the content from `offset` to `end`, once they are opened; none if some
    /// of it was not opened ahead.
    pub(crate) fn find(&self, of: &Sealed, offset: u64, end: u64) -> Vec<Arc<Piece>> {
        let part = |p: &&Arc<Piece>| p.at < end && offset < p.end() && Arc::ptr_eq(&p.of, of);
        let found: Vec<_> = self.pieces().ready.iter().filter(part).cloned().collect();
        let starts = found.first().is_some_and(|first| first.at <= offset);
        let ends = found.last().is_some_and(|last| end <= last.end());
        let whole = starts && ends && found.iter().all(|piece| piece.text.wait().is_some());
        if whole { found } else { Vec::new() }
    }

    /// Takes note of a read that is about to be answered; gives what is to be done once it is.
    pub(crate) fn plan(&self, of: &Sealed, offset: u64, end: u64) -> Vec<Job> {
        let mut pieces = self.pieces();
        let same = pieces.ready.front().is_none_or(|front| Arc::ptr_eq(&front.of, of));
        if !same || offset != pieces.next {
            *pieces = Pieces::default();
        }
        let before = pieces.run;
        pieces.next = end;
        pieces.run += end.saturating_sub(offset);
        let mut jobs = Vec::new();
        while before >= LEAST && pieces.ready.len() < PIECES {
            let last = pieces.ready.back().map(|last| last.end());
            let at = last.unwrap_or(end / SIZE * SIZE);
            let len = SIZE.min(of.len().saturating_sub(at)) as usize;
            if len == 0 {
                break;
            }
            let Some(buffer) = pieces.spare.pop().or_else(Buffer::new) else { break };
            let piece = Arc::new(Piece { at, len, of: Arc::clone(of), text: OnceLock::new() });
            pieces.ready.push_back(Arc::clone(&piece));
            jobs.push(Job(piece, Some(buffer)));
        }
        jobs
    }

    /// Once a read was answered: what was read to its end is of no more use, but its memory is.
    pub(crate) fn pass(&self) {
        let mut pieces = self.pieces();
        let next = pieces.next;
        while let Some(front) = pieces.ready.pop_front_if(|front| front.end() <= next) {
            // Whoever else reads it drops it.
            let text = Arc::into_inner(front).and_then(|piece| piece.text.into_inner());
            pieces.spare.extend(text.flatten());
        }
    }

    /// Wipes all of it.
    pub(crate) fn rest(&self) {
        *self.pieces() = Pieces::default();
    }
}

impl Job {
    /// Opens the piece.
    pub(crate) fn run(mut self) {
        let Job(piece, buffer) = &mut self;
        // Nobody may want it any more.
        let Some(mut buffer) = buffer.take().filter(|_| Arc::strong_count(piece) > 1) else {
            return;
        };
        buffer.0.resize(piece.len, 0);
        if piece.of.read_at(&mut buffer.0, piece.at).is_ok_and(|n| n == piece.len) {
            let _ = piece.text.set(Some(buffer));
        }
    }
}

impl Drop for Job {
    /// Whoever waits for it goes on, also where it was not run or has failed.
    fn drop(&mut self) {
        let _ = self.0.text.set(None);
    }
}
