//! Working on the batches of a message by several threads, without copying or queueing.

use crate::{Error, Result};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use zeroize::Zeroizing;

/// How work on one file is done: by how many threads, and who is told how far it is.
///
/// The calling thread is one of the threads, and the only one that calls `progress`. All others
/// end before the call returns.
pub struct Work<'a> {
    /// Threads at most. Small files take one.
    pub threads: NonZeroUsize,
    /// Called with the number of plaintext bytes that are done; an error ends the work with it.
    pub progress: &'a mut dyn FnMut(u64) -> Result<()>,
}

/// A thread more starts only for so many batches: it costs about as much as working one.
const WORTH: u64 = 4;

/// What the threads share.
struct Run {
    next: AtomicU64,
    batches: u64,
    done: AtomicU64,
    stopped: AtomicBool,
    /// The first error in the order of the file, so that it is the same each time.
    failed: Mutex<Option<(u64, Error)>>,
}

impl Run {
    fn new(batches: u64) -> Self {
        Run {
            next: AtomicU64::new(0),
            batches,
            done: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }

    fn next(&self) -> Option<u64> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let batch = self.next.fetch_add(1, Ordering::Relaxed);
        (batch < self.batches).then_some(batch)
    }

    fn fail(&self, batch: u64, error: Error) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.as_ref().is_none_or(|(at, _)| batch < *at) {
            *failed = Some((batch, error));
        }
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Works batch after batch until there is none; `tell` after each.
    fn work(
        &self,
        size: usize,
        each: &(impl Fn(u64, &mut [u8]) -> Result<u64> + Sync),
        mut tell: impl FnMut(u64) -> Result<()>,
    ) {
        // All of it is wiped at the end.
        let mut buf = Zeroizing::new(vec![0; size]);
        while let Some(batch) = self.next() {
            let told = each(batch, &mut buf).and_then(|bytes| {
                let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                tell(done)
            });
            if let Err(error) = told {
                self.fail(batch, error);
            }
        }
    }
}

/// Calls `each` once for every batch below `batches`, in any order, with `size` bytes of memory, a
/// batch at most; it gives the plaintext bytes that it has done.
pub(crate) fn in_any_order(
    batches: u64,
    size: usize,
    work: &mut Work<'_>,
    each: impl Fn(u64, &mut [u8]) -> Result<u64> + Sync,
) -> Result<u64> {
    if batches == 0 {
        return Ok(0);
    }
    let run = Run::new(batches);
    let threads = (work.threads.get() as u64).min(batches / WORTH).max(1);
    let mut told = 0;
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no thread can be had, the others do its part.
            let _ =
                thread::Builder::new().spawn_scoped(scope, || run.work(size, &each, |_| Ok(())));
        }
        run.work(size, &each, |done| {
            told = done;
            (work.progress)(done)
        });
    });
    if let Some((_, error)) = run.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let done = run.done.into_inner();
    if told < done {
        // The last were the others'.
        (work.progress)(done)?;
    }
    Ok(done)
}

/// The same, where each batch ends with `put`, in the order of the batches: it gets the memory, the
/// bytes that `each` gave, and `to`.
pub(super) fn in_order<T: Send>(
    batches: u64,
    size: usize,
    work: &mut Work<'_>,
    each: impl Fn(u64, &mut [u8]) -> Result<u64> + Sync,
    put: impl Fn(&[u8], u64, &mut T) -> Result<()> + Sync,
    to: &mut T,
) -> Result<u64> {
    let turn = Turn { at: Mutex::new(Some((0, to))), moved: Condvar::new() };
    in_any_order(batches, size, work, |batch, buf| {
        let mut over = Over { turn: &turn, armed: true };
        let bytes = each(batch, buf)?;
        turn.take(batch, |to| put(buf, bytes, to))?;
        over.armed = false;
        Ok(bytes)
    })
}

/// Whose turn it is, and what is to be had in turn; nothing once somebody failed.
struct Turn<'a, T> {
    at: Mutex<Option<(u64, &'a mut T)>>,
    moved: Condvar,
}

impl<T> Turn<'_, T> {
    fn take(&self, batch: u64, then: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |at: &mut Option<(u64, _)>| at.as_ref().is_some_and(|(now, _)| *now != batch);
        let mut at = self.moved.wait_while(at, waiting).unwrap_or_else(PoisonError::into_inner);
        // Nothing: somebody else failed, which is what the caller hears of.
        if let Some((now, to)) = &mut *at {
            then(to)?;
            *now += 1;
            self.moved.notify_all();
        }
        Ok(())
    }
}

/// Ends the turns when a thread leaves without having taken its own, also by a panic: the others
/// would wait for it.
struct Over<'a, 'b, T> {
    turn: &'a Turn<'b, T>,
    armed: bool,
}

impl<T> Drop for Over<'_, '_, T> {
    fn drop(&mut self) {
        if self.armed {
            *self.turn.at.lock().unwrap_or_else(PoisonError::into_inner) = None;
            self.turn.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::by_threads;
    use super::super::{BATCH, CHUNK, Encryptor, PREFIX, SLOT, SeekReader};
    use super::*;
    use crate::Code;
    use std::fs::File;
    use std::io::{self, Seek, SeekFrom, Write};

    const KEY: [u8; 32] = [7; 32];
    const SALT: [u8; 24] = [8; 24];

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i / 3 + i / CHUNK * 7) as u8).collect()
    }

    /// By the plain way, one chunk after the other.
    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut w = Encryptor::with_salt(&KEY, &SALT, b"", Vec::new()).unwrap();
        w.write_all(text).unwrap();
        w.finish().unwrap()
    }

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    struct Out(File);

    impl AsRef<File> for Out {
        fn as_ref(&self) -> &File {
            &self.0
        }
    }

    impl Write for Out {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.0.write(data)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn content(mut file: &File) -> Vec<u8> {
        let mut all = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        io::Read::read_to_end(&mut file, &mut all).unwrap();
        all
    }

    /// Behind a header of 100 bytes.
    fn encryptor() -> Encryptor<Out> {
        Encryptor::with_salt(&KEY, &SALT, b"", Out(file(&[1; 100]))).unwrap()
    }

    /// Around the sizes at which a batch, or work for one thread more, ends.
    fn sizes() -> impl Iterator<Item = usize> {
        let batch = BATCH * CHUNK;
        [0, 1, CHUNK, batch, 4 * batch, 9 * batch].into_iter().flat_map(|n| [n, n + 1, n + CHUNK])
    }

    #[test]
    fn many_threads_make_the_same_message() {
        for len in sizes() {
            let text = text(len);
            let (plain, mut w) = (file(&text), encryptor());
            assert_eq!(by_threads(|work| w.copy_file(&plain, work)).unwrap(), len as u64);
            // What comes afterwards goes on behind it.
            w.write_all(b"more").unwrap();
            let made = content(&w.finish().unwrap().0);
            assert_eq!(made[..100], [1; 100]);
            assert!(made[100..] == sealed(&[&text[..], b"more"].concat()), "{len} bytes");
        }
    }

    #[test]
    fn what_was_written_before_stays_in_front() {
        let text = text(5 * BATCH * CHUNK);
        // Also a whole batch, behind which all slots are free again.
        for before in [&b"before"[..], &text[..BATCH * CHUNK]] {
            let (plain, mut w) = (file(&text), encryptor());
            w.write_all(before).unwrap();
            by_threads(|work| w.copy_file(&plain, work)).unwrap();
            let made = content(&w.finish().unwrap().0);
            assert!(made[100..] == sealed(&[before, &text[..]].concat()));
        }
    }

    #[test]
    fn progress_counts_to_the_end_and_stops_the_work() {
        let len = 9 * BATCH * CHUNK + 5;
        let (plain, mut told) = (file(&text(len)), Vec::new());
        let threads = NonZeroUsize::new(2).unwrap();
        let mut progress = |done| {
            told.push(done);
            Ok(())
        };
        encryptor().copy_file(&plain, &mut Work { threads, progress: &mut progress }).unwrap();
        assert!(told.is_sorted() && told.last() == Some(&(len as u64)), "{told:?}");

        let mut stop = |_| Err(Error::new(Code::Cancelled, "enough"));
        let stopped =
            encryptor().copy_file(&plain, &mut Work { threads, progress: &mut stop }).unwrap_err();
        assert_eq!(stopped.code(), Code::Cancelled);
        let message = sealed(&text(len));
        let reader = SeekReader::new(&KEY, b"", &message[..], 0, message.len() as u64).unwrap();
        let mut work = Work { threads, progress: &mut stop };
        assert_eq!(reader.copy_by(&mut Vec::new(), &mut work).unwrap_err().code(), Code::Cancelled);
    }

    /// Chunks of it were written, and would be again, with other text under the same nonces.
    #[test]
    fn a_copy_that_was_stopped_does_not_go_on() {
        let stop = |_| Err(Error::new(Code::Cancelled, "enough"));
        for len in [5, 9 * BATCH * CHUNK + 5] {
            let plain = file(&text(len));
            let stopped = || {
                let mut w = encryptor();
                let mut work = Work { threads: NonZeroUsize::MIN, progress: &mut { stop } };
                let e = w.copy_file(&plain, &mut work).unwrap_err();
                assert_eq!(e.code(), Code::Cancelled, "{len}");
                w
            };
            let again = by_threads(|work| stopped().copy_file(&plain, work));
            assert_eq!(again.unwrap_err().code(), Code::State, "{len}");
            assert_eq!(stopped().copy_from(&mut &b"x"[..]).unwrap_err().code(), Code::State);
            let written = Error::io("test", stopped().write(b"x").unwrap_err());
            assert_eq!(written.code(), Code::State, "{len}");
            assert_eq!(stopped().finish().err().unwrap().code(), Code::State, "{len}");
            let parts = super::super::Parts::of(stopped()).err();
            assert_eq!(parts.unwrap().code(), Code::State, "{len}");
        }
    }

    #[test]
    fn a_file_that_gets_shorter_is_refused() {
        let batch = (BATCH * CHUNK) as u64;
        // In the middle, and in the last batch, behind which nothing else is missing.
        for (at, left) in [1, 8].into_iter().flat_map(|at| [0, 1, batch - 1].map(|n| (at, n))) {
            let plain = file(&text(9 * BATCH * CHUNK));
            let threads = NonZeroUsize::MIN;
            let mut cut = |done| {
                if done == at * batch {
                    plain.set_len(done + left).unwrap();
                }
                Ok(())
            };
            let cut = encryptor().copy_file(&plain, &mut Work { threads, progress: &mut cut });
            assert_eq!(cut.unwrap_err().code(), Code::Changed, "{at} {left}");
        }
    }

    /// The first changed chunk is the one that is named, and in order nothing of its batch or
    /// behind it comes out.
    #[test]
    fn a_changed_chunk_ends_it() {
        let text = text(9 * BATCH * CHUNK);
        let mut message = sealed(&text);
        for chunk in [3 * BATCH + 1, 4 * BATCH, 8 * BATCH] {
            message[PREFIX + chunk * SLOT] ^= 1;
        }
        let reader = || SeekReader::new(&KEY, b"", &message[..], 0, message.len() as u64).unwrap();
        let (mut out, file) = (Vec::new(), file(b""));
        for failed in [
            by_threads(|work| reader().copy_by(&mut out, work)),
            by_threads(|work| reader().copy_to_file(&file, work, || Ok(()))),
        ] {
            assert_eq!(failed.unwrap_err().code(), Code::Chunk);
        }
        assert!(out.len() <= 3 * BATCH * CHUNK && out == text[..out.len()]);
        let ended = || Err(Error::new(Code::Ended, "over"));
        let ended = by_threads(|work| reader().copy_to_file(&file, work, ended)).unwrap_err();
        assert_eq!(ended.code(), Code::Ended);
    }

    /// A writer that fails or panics does not leave the other threads waiting.
    #[test]
    fn a_writer_may_fail_and_panic() {
        struct Bad(usize, bool);
        impl Write for Bad {
            fn write(&mut self, data: &[u8]) -> io::Result<usize> {
                self.0 = self.0.saturating_sub(data.len());
                match (self.0, self.1) {
                    (0, true) => panic!("on purpose"),
                    (0, false) => Err(io::ErrorKind::StorageFull.into()),
                    _ => Ok(data.len()),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let message = sealed(&text(9 * BATCH * CHUNK));
        let reader = SeekReader::new(&KEY, b"", &message[..], 0, message.len() as u64).unwrap();
        let mut bad = Bad(3 * BATCH * CHUNK, false);
        let failed = by_threads(|work| reader.copy_by(&mut bad, work)).unwrap_err();
        assert_eq!(failed.class(), crate::Class::Io);
        let mut bad = Bad(3 * BATCH * CHUNK, true);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = by_threads(|work| reader.copy_by(&mut bad, work));
        }));
        assert!(panicked.is_err());
    }

    /// Whichever thread is faster.
    #[test]
    fn the_first_error_in_the_file_is_told() {
        let run = Run::new(9);
        for (batch, why) in [(5, "fifth"), (3, "third"), (3, "third, again"), (4, "fourth")] {
            run.fail(batch, Error::new(Code::Chunk, why));
        }
        let (batch, error) = run.failed.lock().unwrap().take().unwrap();
        assert_eq!((batch, error.to_string().contains("again")), (3, false), "{error}");
        assert!(error.to_string().contains("third"), "{error}");
        assert_eq!(run.next(), None);
    }
}
