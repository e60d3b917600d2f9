//! Reading a message at any place.

use super::batches::{self, Work};
use super::source::ReadAt;
use super::stream::{poisoned, write_all_vectored};
use super::{
    BATCH, CHUNK, COMMITMENT, Message, PREFIX, SALT, SLOT, TAG, bad_length, plaintext_len,
    positional,
};
use crate::{Error, Result};
use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Decrypts a message at any place, from many threads at once. The last chunk is verified when
/// opening, so the length is authentic from then on. A chunk that fails to verify poisons the
/// reader: every later read fails too.
pub struct SeekReader<S> {
    source: S,
    message: Message,
    /// Offset of the first chunk in the source.
    chunks_at: u64,
    /// Bytes that the chunks take in the source.
    chunks_len: u64,
    /// Plaintext bytes.
    len: u64,
    /// The chunk that was opened last.
    cache: Mutex<Option<(u64, Buffer)>>,
    poisoned: AtomicBool,
}

thread_local! {
    /// Room for a batch of sealed chunks, kept by each thread that reads: memory of that size costs
    /// more to get than to fill.
    static SLOTS: Cell<Vec<u8>> = Cell::default();
}

/// Memory for the longest slot that a message has, wiped when dropped.
type Buffer = Zeroizing<Vec<u8>>;

impl<S: ReadAt> SeekReader<S> {
    /// Opens the message of `stored` bytes at `offset` in `source`: checks the length, the
    /// commitment and the last chunk.
    ///
    /// # Errors
    /// [`Code::Length`](crate::Code::Length) if no message has that length,
    /// [`Code::Commitment`](crate::Code::Commitment) for another key or context,
    /// [`Code::Chunk`](crate::Code::Chunk) if the last chunk does not verify.
    pub fn new(
        key: &[u8; 32],
        context: &[u8],
        source: S,
        offset: u64,
        stored: u64,
    ) -> Result<Self> {
        let len = plaintext_len(stored).ok_or_else(bad_length)?;
        let mut prefix = [0; PREFIX];
        read_exact(&source, &mut prefix, offset)?;
        let reader = SeekReader {
            message: Message::check(key, &prefix, context)?,
            source,
            chunks_at: offset + PREFIX as u64,
            chunks_len: stored - PREFIX as u64,
            len,
            cache: Mutex::new(None),
            poisoned: AtomicBool::new(false),
        };
        reader.with_chunk(len / CHUNK as u64, |_| ())?;
        Ok(reader)
    }

    /// Plaintext bytes in the message.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the message is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// Wipes the plaintext that is kept for the next read.
    pub fn rest(&self) {
        *self.cache.lock().unwrap_or_else(|e| e.into_inner()) = None;
    }

    /// The message's key commitment.
    pub fn commitment(&self) -> [u8; COMMITMENT] {
        self.message.commitment
    }

    /// Reads plaintext from `offset` until `out` is full or the end is reached, and gives the
    /// number of bytes; 0 past the end.
    pub fn read_at(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        let wanted = (out.len() as u64).min(self.len.saturating_sub(offset)) as usize;
        let (mut out, mut at) = (&mut out[..wanted], offset);
        while !out.is_empty() {
            let (chunk, within) = (at / CHUNK as u64, (at % CHUNK as u64) as usize);
            let n = if within == 0 && out.len() >= 2 * CHUNK {
                self.read_chunks(chunk, out)?
            } else {
                self.with_chunk(chunk, |text| {
                    let n = out.len().min(text.len() - within);
                    out[..n].copy_from_slice(&text[within..within + n]);
                    n
                })?
            };
            out = &mut out[n..];
            at += n as u64;
        }
        Ok(wanted)
    }

    /// Writes the whole plaintext to `to`, in order, without copying it.
    pub fn copy_to(&self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        let mut buf = Zeroizing::new(vec![0; self.memory()]);
        self.check_poison()?;
        for batch in 0..self.batches() {
            let len = self.open_whole(batch, &mut buf)?;
            write_all_vectored(to, &mut positional::parts(&buf, len as usize))
                .map_err(|e| Error::io("writing the opened content", e))?;
        }
        Ok(self.len)
    }

    /// The same by several threads; a batch is written once all before it are.
    pub fn copy_by<W: Write + Send + ?Sized>(
        &self,
        to: &mut W,
        work: &mut Work<'_>,
    ) -> Result<u64> {
        self.check_poison()?;
        let mut to = to;
        batches::in_order(
            self.batches(),
            self.memory(),
            work,
            |batch, buf| self.open_whole(batch, buf),
            |buf, len, to: &mut &mut W| {
                write_all_vectored(*to, &mut positional::parts(buf, len as usize))
                    .map_err(|e| Error::io("writing the opened content", e))
            },
            &mut to,
        )
    }

    /// Writes the whole plaintext to the file `to`, from its start, by several threads. `each` is
    /// asked before every batch whether to go on.
    pub(crate) fn copy_to_file(
        &self,
        to: &File,
        work: &mut Work<'_>,
        each: impl Fn() -> Result<()> + Sync,
    ) -> Result<u64> {
        self.check_poison()?;
        batches::in_any_order(self.batches(), self.memory(), work, |batch, buf| {
            each()?;
            let len = self.open_whole(batch, buf)?;
            let at = batch * (BATCH * CHUNK) as u64;
            positional::write_chunks(to, buf, len as usize, at)
                .map_err(|e| Error::io("writing the opened content", e))?;
            Ok(len)
        })
    }

    /// Bytes for a batch. All of it is wiped at the end, so a small message takes less.
    fn memory(&self) -> usize {
        self.chunks_len.min((BATCH * SLOT) as u64) as usize
    }

    fn batches(&self) -> u64 {
        self.len / (BATCH * CHUNK) as u64 + 1
    }

    /// Opens all chunks of a batch in their slots, and gives the plaintext bytes.
    fn open_whole(&self, batch: u64, buf: &mut [u8]) -> Result<u64> {
        let first = batch * BATCH as u64;
        let mut len = 0;
        for (chunk, slot) in (first..).zip(self.read_slots(first, buf)?.chunks_mut(SLOT)) {
            let text = self.message.open(chunk, slot).inspect_err(|_| self.poison())?;
            len += text.len() as u64;
        }
        Ok(len)
    }

    /// Reads whole chunks from `chunk` on, as many as fit into `out` and a batch.
    fn read_chunks(&self, chunk: u64, out: &mut [u8]) -> Result<usize> {
        self.check_poison()?;
        let chunks = (out.len() / CHUNK).min(BATCH);
        // Taken, not borrowed: a source may read another message on this thread.
        let mut buf = SLOTS.take();
        buf.resize(buf.len().max(chunks * SLOT), 0);
        let read = self.open_into(chunk, &mut buf[..chunks * SLOT], out);
        SLOTS.set(buf);
        read
    }

    /// Reads the chunks from `first` on that fit into `slots`, and opens them one behind the other.
    fn open_into(&self, first: u64, slots: &mut [u8], out: &mut [u8]) -> Result<usize> {
        let mut n = 0;
        for (chunk, slot) in (first..).zip(self.read_slots(first, slots)?.chunks(SLOT)) {
            let text = &mut out[n..n + slot.len() - TAG];
            self.message.open_into(chunk, slot, text).inspect_err(|_| self.poison())?;
            n += text.len();
        }
        Ok(n)
    }

    /// Reads the chunks from `first` on that fit into `buf`.
    fn read_slots<'a>(&self, first: u64, buf: &'a mut [u8]) -> Result<&'a mut [u8]> {
        let at = first * SLOT as u64;
        let n = (buf.len() as u64).min(self.chunks_len - at) as usize;
        read_exact(&self.source, &mut buf[..n], self.chunks_at + at)?;
        Ok(&mut buf[..n])
    }

    /// Opens one chunk, or takes it from the cache.
    fn with_chunk<T>(&self, chunk: u64, take: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.check_poison()?;
        let at = chunk * SLOT as u64;
        let size = (SLOT as u64).min(self.chunks_len - at) as usize;
        let mut cache = self.cache.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((cached, buf)) = &*cache
            && *cached == chunk
        {
            return Ok(take(&buf[..size - TAG]));
        }
        // Other threads go on with buffers of their own meanwhile.
        // A short message takes little: wiping costs more than opening it.
        let longest = (SLOT as u64).min(self.chunks_len) as usize;
        let mut buf = cache.take().map_or_else(|| vec![0; longest].into(), |(_, buf)| buf);
        drop(cache);
        let slot = &mut buf[..size];
        read_exact(&self.source, slot, self.chunks_at + at)?;
        let text = self.message.open(chunk, slot).inspect_err(|_| self.poison())?;
        let taken = take(text);
        *self.cache.lock().unwrap_or_else(|e| e.into_inner()) = Some((chunk, buf));
        Ok(taken)
    }

    fn check_poison(&self) -> Result<()> {
        if self.poisoned.load(Ordering::Relaxed) { Err(poisoned()) } else { Ok(()) }
    }

    fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
        *self.cache.lock().unwrap_or_else(|e| e.into_inner()) = None;
    }
}

/// The commitment of the message at `offset`, unchecked.
pub(crate) fn read_commitment<S: ReadAt>(source: &S, offset: u64) -> Result<[u8; COMMITMENT]> {
    let mut commitment = [0; COMMITMENT];
    read_exact(source, &mut commitment, offset + SALT as u64)?;
    Ok(commitment)
}

fn read_exact<S: ReadAt>(source: &S, buf: &mut [u8], offset: u64) -> Result<()> {
    let doing = "reading the sealed content";
    match source.read_full_at(buf, offset).map_err(|e| Error::io(doing, e))? {
        n if n == buf.len() => Ok(()),
        // Shorter than its size said: it was cut while we read.
        _ => Err(bad_length()),
    }
}
