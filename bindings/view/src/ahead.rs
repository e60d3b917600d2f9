//! Reading ahead: of a large file that a program reads in order, the next pieces are opened by the
//! threads that answered it last, while it does something with what it has.

use crate::opened::Sealed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// Reads of fewer bytes are not worth it.
const LEAST: usize = 256 << 10;

/// Most pieces that are kept ready: one is being read, one is being opened.
const PIECES: usize = 2;

/// Plaintext; wiped when dropped.
pub(crate) type Buffer = Zeroizing<Vec<u8>>;

/// What is opened ahead for one handle.
#[derive(Default)]
pub(crate) struct Ahead(Mutex<Pieces>);

#[derive(Default)]
struct Pieces {
    /// Where a reader that goes on in order reads next.
    next: u64,
    /// How much it reads at a time; 0 where it does not read in order, or too little.
    step: usize,
    ready: Vec<Arc<Piece>>,
    /// Memory for further ones.
    spare: Vec<Buffer>,
}

struct Piece {
    at: u64,
    of: Sealed,
    /// Locked while it is opened; `None` if that failed, for the read itself to say why.
    text: Mutex<Option<Buffer>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ahead {
    /// What was opened ahead of just this part of the content: `size` bytes, or up to its end.
    pub(crate) fn take(&self, of: &Sealed, offset: u64, size: usize) -> Option<Buffer> {
        let mut pieces = locked(&self.0);
        let fits = |piece: &Arc<Piece>| piece.at == offset && Arc::ptr_eq(&piece.of, of);
        let Some(at) = pieces.ready.iter().position(fits).filter(|_| size == pieces.step) else {
            // Another place, size or content than was expected.
            pieces.ready.clear();
            return None;
        };
        let piece = pieces.ready.remove(at);
        pieces.ready.retain(|piece| piece.at > offset);
        drop(pieces);
        locked(&piece.text).take()
    }

    /// Takes note of a read that was answered, and memory that is free again.
    pub(crate) fn answered(&self, offset: u64, size: usize, len: usize, buffer: Option<Buffer>) {
        let mut pieces = locked(&self.0);
        let in_order = offset == pieces.next && len == size && size >= LEAST;
        pieces.step = if in_order { size } else { 0 };
        pieces.next = offset + len as u64;
        pieces.spare.extend(buffer.filter(|_| in_order));
    }

    /// Opens what is expected to be read next.
    pub(crate) fn run(&self, of: &Sealed) {
        loop {
            let mut pieces = locked(&self.0);
            let step = pieces.step;
            let at = pieces.ready.last().map_or(pieces.next, |last| last.at + step as u64);
            if step == 0 || pieces.ready.len() >= PIECES || at >= of.len() {
                return;
            }
            let mut buffer = pieces.spare.pop().unwrap_or_default();
            let piece = Arc::new(Piece { at, of: Arc::clone(of), text: Mutex::default() });
            let mut text = locked(&piece.text);
            pieces.ready.push(Arc::clone(&piece));
            drop(pieces);
            buffer.resize(step.min((of.len() - at) as usize), 0);
            if of.read_at(&mut buffer, at).is_ok_and(|n| n == buffer.len()) {
                *text = Some(buffer);
            }
        }
    }

    /// Wipes all of it.
    pub(crate) fn rest(&self) {
        *locked(&self.0) = Pieces::default();
    }
}
