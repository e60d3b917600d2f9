//! Reads and writes that stop short, are interrupted or fail, in pieces of any size; and the limits.

use super::super::parts::Parts;
use super::super::{MAX_CHUNKS, batches, read_commitment};
use super::*;
use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Interrupted each second time and otherwise short, until it fails for good.
struct Uneven<T> {
    inner: T,
    calls: AtomicUsize,
    fails_at: usize,
}

impl<T> Uneven<T> {
    fn new(inner: T, fails_at: usize) -> Self {
        Uneven { inner, calls: AtomicUsize::new(0), fails_at }
    }

    /// How many bytes of these may pass.
    fn some(&self, len: usize) -> io::Result<usize> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match call {
            n if n >= self.fails_at => Err(ErrorKind::ConnectionReset.into()),
            n if n % 2 == 0 => Err(ErrorKind::Interrupted.into()),
            n => Ok(len.min(9_000 + n * 1_234 % 20_000)),
        }
    }
}

impl<T: Read> Read for Uneven<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.some(buf.len())?;
        self.inner.read(&mut buf[..n])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match bufs.iter_mut().find(|buf| !buf.is_empty()) {
            Some(buf) => self.read(buf),
            None => Ok(0),
        }
    }
}

impl<T: Write> Write for Uneven<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.some(buf.len())?;
        self.inner.write(&buf[..n])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(bufs.iter().find(|buf| !buf.is_empty()).map_or(&[], |buf| buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: ReadAt> ReadAt for Uneven<T> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let n = self.some(buf.len())?;
        self.inner.read_at(&mut buf[..n], offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }
}

/// All ways through an [`Uneven`]; each gives what came out, or the error.
fn ways(text: &[u8], sealed: &[u8], fails_at: usize) -> Vec<Result<Vec<u8>>> {
    let n = sealed.len() as u64;
    let open = |sealed: &[u8]| stream(&KEY, b"context", sealed);
    let from_uneven = || {
        let mut w = Encryptor::new(&KEY, b"context", Vec::new())?;
        w.copy_from(&mut Uneven::new(text, fails_at))?;
        open(&w.finish()?)
    };
    let to_uneven = || {
        let mut w = Encryptor::new(&KEY, b"context", Uneven::new(Vec::new(), fails_at))?;
        w.copy_from(&mut &text[..])?;
        open(&w.finish()?.inner)
    };
    let streamed = || {
        let mut out = Vec::new();
        StreamReader::new(&KEY, b"context", Uneven::new(sealed, fails_at))?.copy_to(&mut out)?;
        Ok(out)
    };
    let written = || {
        let mut out = Uneven::new(Vec::new(), fails_at);
        StreamReader::new(&KEY, b"context", sealed)?.copy_to(&mut out)?;
        Ok(out.inner)
    };
    let sought = || {
        let mut out = vec![0; text.len()];
        let r = SeekReader::new(&KEY, b"context", Uneven::new(sealed, fails_at), 0, n)?;
        r.read_at(&mut out, 0)?;
        Ok(out)
    };
    vec![from_uneven(), to_uneven(), streamed(), written(), sought()]
}

#[test]
fn short_and_interrupted_calls_go_on_and_failed_ones_end() {
    let text = text(3 * BATCH * CHUNK + 77);
    let sealed = seal(&text);
    for got in ways(&text, &sealed, usize::MAX) {
        assert!(got.unwrap() == text);
    }
    for fails_at in [0, 1, 2, 7, 30] {
        for got in ways(&text, &sealed, fails_at) {
            assert_eq!(got.unwrap_err().code(), Code::Io);
        }
    }
}

/// Fails, or panics, at the second write, and goes on after it.
struct Once {
    written: Vec<u8>,
    writes: usize,
    panics: bool,
}

impl Write for Once {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        match (self.writes, self.panics) {
            (2, true) => panic!("on purpose"),
            (2, false) => Err(ErrorKind::WouldBlock.into()),
            _ => self.written.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A batch is lost: what comes after it would make a message without it.
#[test]
fn a_writer_that_failed_does_not_go_on() {
    let text = text(BATCH * CHUNK);
    for panics in [false, true] {
        let failed = || {
            let out = Once { written: Vec::new(), writes: 0, panics };
            let mut w = Encryptor::new(&KEY, b"context", out).unwrap();
            let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                w.write_all(&text).unwrap_err();
            }));
            assert_eq!(written.is_err(), panics);
            w
        };
        let written = Error::io("test", failed().write(b"x").unwrap_err());
        assert_eq!(written.code(), Code::State);
        assert_eq!(failed().copy_from(&mut &b"x"[..]).unwrap_err().code(), Code::State);
        assert_eq!(failed().finish().err().unwrap().code(), Code::State);
    }
}

/// How much of the source is in it, nobody knows.
#[test]
fn a_copy_from_a_source_that_failed_is_not_finished() {
    for fails_at in [0, 30] {
        let mut w = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
        let mut source = Uneven::new(io::repeat(1), fails_at);
        assert_eq!(w.copy_from(&mut source).unwrap_err().code(), Code::Io);
        assert_eq!(w.finish().unwrap_err().code(), Code::State);
    }
}

/// Writing and reading in pieces of every kind, across the edges of chunks and batches.
#[test]
fn pieces_of_any_size() {
    let text = text(2 * BATCH * CHUNK + 3 * CHUNK + 77);
    for size in [1_000, CHUNK - 1, CHUNK + 1, 20_000, 3 * CHUNK, BATCH * CHUNK + 5] {
        let mut w = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
        text.chunks(size).for_each(|piece| w.write_all(piece).unwrap());
        let sealed = w.finish().unwrap();
        assert!(stream(&KEY, b"context", &sealed).unwrap() == text, "{size}");

        let mut reader = StreamReader::new(&KEY, b"context", &sealed[..]).unwrap();
        let (mut out, mut piece) = (Vec::<u8>::new(), vec![0; size]);
        loop {
            match reader.read(&mut piece).unwrap() {
                0 => break,
                n => out.extend(&piece[..n]),
            }
        }
        assert!(out == text, "{size}");
    }
}

#[test]
fn a_stream_is_copied_from_where_it_was_read_to() {
    let text = text(BATCH * CHUNK + 2 * CHUNK + 77);
    let sealed = seal(&text);
    for read in [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK - 1, BATCH * CHUNK, BATCH * CHUNK + CHUNK + 9] {
        let mut reader = StreamReader::new(&KEY, b"context", &sealed[..]).unwrap();
        let (mut first, mut rest) = (vec![0; read], Vec::new());
        reader.read_exact(&mut first).unwrap();
        assert_eq!(reader.copy_to(&mut rest).unwrap(), (text.len() - read) as u64);
        assert!([first, rest].concat() == text, "{read}");
    }
}

#[test]
fn all_say_the_commitment() {
    let w = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
    let commitment = w.commitment();
    let sealed = w.finish().unwrap();
    assert_eq!(commitment, sealed[SALT..PREFIX]);
    let stream = StreamReader::new(&KEY, b"context", &sealed[..]).unwrap();
    assert_eq!(stream.commitment(), commitment);
    let n = sealed.len() as u64;
    let seek = SeekReader::new(&KEY, b"context", &sealed[..], 0, n).unwrap();
    assert_eq!(seek.commitment(), commitment);
    let behind = [&[9; 7][..], &sealed].concat();
    assert_eq!(read_commitment(&behind, 7).unwrap(), commitment);
}

/// Counts the calls, and the flushes.
#[derive(Default)]
struct Counting {
    writes: usize,
    flushes: usize,
}

impl Write for Counting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }
}

#[test]
fn large_content_is_written_by_batches() {
    let mut w = Encryptor::new(&KEY, b"context", Counting::default()).unwrap();
    w.write_all(&text(3 * BATCH * CHUNK)).unwrap();
    w.flush().unwrap();
    let counted = w.finish().unwrap();
    assert_eq!((counted.writes, counted.flushes), (1 + 3 + 1, 1));
}

#[test]
fn a_message_has_at_most_4_pib() {
    for (chunk, good) in [(MAX_CHUNKS - 1, true), (MAX_CHUNKS, false)] {
        let mut w = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
        w.chunk = chunk;
        w.write_all(b"x").unwrap();
        assert_eq!(w.finish().map_err(|e| e.code()).err(), (!good).then_some(Code::BadArgument));
    }
    let stored = |chunks: u64| PREFIX as u64 + chunks * SLOT as u64 + crate::aead::TAG as u64;
    assert_eq!(plaintext_len(stored(MAX_CHUNKS - 1)), Some((MAX_CHUNKS - 1) * CHUNK as u64));
    assert_eq!(plaintext_len(stored(MAX_CHUNKS)), None);
}

/// A message with nothing in it yet, in a file.
fn begun() -> Encryptor<Out> {
    Encryptor::new(&KEY, b"context", Out(tempfile::tempfile().unwrap())).unwrap()
}

#[test]
fn parts_are_of_a_message_without_content() {
    for len in [1, BATCH * CHUNK] {
        let mut w = begun();
        w.write_all(&text(len)).unwrap();
        assert_eq!(Parts::of(w).map(|_| ()).unwrap_err().code(), Code::State, "{len}");
    }
}

#[test]
fn a_part_is_read_where_it_was_filled() {
    let (parts, _) = Parts::of(begun()).unwrap();
    let mut part = parts.part();
    assert!(part.is_empty());
    let text = text(5 * CHUNK + 100);
    for piece in text.chunks(10_000) {
        assert_eq!(part.fill(piece), piece.len());
    }
    assert!(!part.is_empty());
    for (at, len) in [(0, 10), (7, 4 * CHUNK), (CHUNK - 1, 2 * CHUNK + 3), (CHUNK + 1, CHUNK)] {
        let mut out = vec![0; len];
        assert_eq!(part.read(&mut out, at), len);
        assert!(out == text[at..at + len], "{at} {len}");
    }
    let mut out = vec![0; text.len()];
    assert_eq!(part.read(&mut out, 5 * CHUNK), 100);
    assert_eq!(part.read(&mut out, text.len()), 0);
}

#[test]
fn parts_have_at_most_4_pib() {
    let (parts, _) = Parts::of(begun()).unwrap();
    let most = MAX_CHUNKS / BATCH as u64;
    // The one before may be refused by the file system, for its place.
    for (number, code) in [(most, Code::BadArgument), (most - 1, Code::Io)] {
        let mut part = parts.part();
        part.number = number;
        part.fill(&text(BATCH * CHUNK));
        let refused = parts.seal(part).unwrap_err();
        assert_eq!(refused.code() == Code::BadArgument, code == Code::BadArgument, "{refused}");
    }
}

#[test]
fn sources_have_sizes_and_files() {
    let bytes = vec![7; 5];
    let (shared, mut out) = (Arc::new(bytes.clone()), [0; 9]);
    assert_eq!(bytes[..].size().unwrap(), 5);
    assert_eq!((bytes.size().unwrap(), shared.size().unwrap()), (5, 5));
    assert_eq!(ReadAt::size(&&bytes).unwrap(), 5);
    assert_eq!(shared.read_at(&mut out, 2).unwrap(), 3);
    assert!(shared.file().is_none());
    let file = tempfile::tempfile().unwrap();
    assert!(file.file().is_some() && ReadAt::file(&&file).is_some());
    assert!(Arc::new(file).file().is_some());
}

#[test]
fn a_message_that_is_cut_has_an_impossible_length() {
    let sealed = seal(b"twelve bytes");
    for len in [0, SALT, PREFIX - 1] {
        assert_eq!(stream(&KEY, b"context", &sealed[..len]).unwrap_err().code(), Code::Length);
    }
    // Asked for nothing, it reads nothing.
    let mut failing = Uneven::new(&sealed[..], 2);
    failing.calls = AtomicUsize::new(1);
    let mut whole = StreamReader::new(&KEY, b"context", failing).unwrap();
    assert_eq!(whole.read(&mut []).unwrap(), 0);
    assert!(whole.read(&mut [0]).is_err());
    // Cut after its size was asked for.
    let n = sealed.len() as u64;
    for len in [PREFIX - 1, sealed.len() - 1] {
        let reader = SeekReader::new(&KEY, b"context", &sealed[..len], 0, n);
        assert_eq!(reader.map(|_| ()).unwrap_err().code(), Code::Length, "{len}");
    }
}

/// A source that is changed while it is read.
struct Changing(Mutex<Vec<u8>>);

impl ReadAt for &Changing {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.lock().unwrap().read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.lock().unwrap().size()
    }
}

#[test]
fn a_reader_at_rest_has_nothing_to_give() {
    let source = Changing(Mutex::new(seal(b"twelve bytes")));
    let n = (&source).size().unwrap();
    let reader = SeekReader::new(&KEY, b"context", &source, 0, n).unwrap();
    assert!(!reader.is_empty());
    let empty = seal(b"");
    let none = SeekReader::new(&KEY, b"context", &empty[..], 0, empty.len() as u64).unwrap();
    assert!(none.is_empty());
    let mut out = [0; 12];
    source.0.lock().unwrap()[PREFIX] ^= 1;
    assert_eq!(reader.read_at(&mut out, 0).unwrap(), 12, "kept since it was opened");
    reader.rest();
    assert_eq!(reader.read_at(&mut out, 0).unwrap_err().code(), Code::Chunk);
}

fn failed(why: &'static str) -> Error {
    Error::new(Code::Changed, why)
}

#[test]
fn work_ends_with_its_first_error() {
    let one = std::num::NonZeroUsize::MIN;
    let called = AtomicUsize::new(0);
    let each = |batch, _: &mut [u8]| {
        called.fetch_add(1, Ordering::Relaxed);
        if batch == 3 { Err(failed("three")) } else { Ok(10) }
    };
    let mut work = Work { threads: one, progress: &mut |_| Ok(()) };
    batches::in_any_order(100, 1, &mut work, each).unwrap_err();
    assert_eq!(called.into_inner(), 4);

    // In the order of the file, whichever came first.
    for first in [0, 1] {
        let gone = AtomicBool::new(false);
        let each = |batch, _: &mut [u8]| match batch {
            0 | 1 => {
                if batch == first {
                    gone.store(true, Ordering::Relaxed);
                } else {
                    while !gone.load(Ordering::Relaxed) {
                        thread::yield_now();
                    }
                    thread::sleep(Duration::from_millis(50));
                }
                Err(failed(["zero", "one"][batch as usize]))
            }
            _ => Ok(1),
        };
        let refused = by_threads(|work| batches::in_any_order(100, 1, work, each)).unwrap_err();
        assert_eq!(refused.to_string(), "zero");
    }
}

#[test]
fn a_thread_more_is_for_four_batches_more() {
    for (batches, most) in [(1, 1), (7, 1), (8, 2), (12, 3), (100, 3)] {
        let threads = Mutex::new(std::collections::HashSet::new());
        let each = |_, _: &mut [u8]| {
            threads.lock().unwrap().insert(thread::current().id());
            thread::sleep(Duration::from_millis(3));
            Ok(1)
        };
        by_threads(|work| batches::in_any_order(batches, 1, work, each)).unwrap();
        let used = threads.into_inner().unwrap().len();
        assert!(used <= most, "{used} threads for {batches} batches");
    }
}

#[test]
fn progress_is_told_once_and_to_the_end() {
    thread_local!(static CALLER: Cell<bool> = const { Cell::new(false) });
    CALLER.set(true);
    let (begun, told_seven) = (AtomicBool::new(false), AtomicBool::new(false));
    let wait_for = |what: &AtomicBool| {
        let start = Instant::now();
        while !what.load(Ordering::Relaxed) {
            assert!(start.elapsed() < Duration::from_secs(60), "the other thread does nothing");
            thread::sleep(Duration::from_millis(1));
        }
    };
    for threads in [1, 2] {
        let mut told = Vec::new();
        let mut progress = |done| {
            told.push(done);
            told_seven.store(done == 70, Ordering::Relaxed);
            Ok(())
        };
        let mut work = Work { threads: threads.try_into().unwrap(), progress: &mut progress };
        // The other thread ends last, after all that the caller's has told.
        let each = |_, _: &mut [u8]| {
            if !CALLER.get() {
                begun.store(true, Ordering::Relaxed);
                wait_for(&told_seven);
            } else if threads == 2 {
                wait_for(&begun);
            }
            Ok(10)
        };
        assert_eq!(batches::in_any_order(8, 1, &mut work, each).unwrap(), 80);
        assert_eq!(told, [10, 20, 30, 40, 50, 60, 70, 80]);
    }
}

#[test]
fn benches_run_the_very_loop() {
    let sealer = bench::SlotSealer::default();
    let mut slots = vec![5; 2 * SLOT];
    sealer.seal(7, &mut slots);
    let message = Message::derive(&[0; 32], &[0; 24], b"bench");
    for (chunk, slot) in (7..).zip(slots.chunks_mut(SLOT)) {
        assert_eq!(message.open(chunk, slot).unwrap(), [5; CHUNK]);
    }
    assert!(bench::commitments_equal(&[1; COMMITMENT], &[1; COMMITMENT]));
    assert!(!bench::commitments_equal(&[1; COMMITMENT], &[2; COMMITMENT]));
}
