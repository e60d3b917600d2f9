//! Writing a message as a stream.

use super::batches::{self, Work};
use super::{BATCH, CHUNK, COMMITMENT, MAX_CHUNKS, Message, SALT, SLOT, positional, slot_offset};
use crate::aead::TAG;
use crate::{Code, Error, Result, memory};
use std::fs::File;
use std::io::{self, IoSliceMut, Read, Seek, SeekFrom, Write};
use zeroize::{Zeroize, Zeroizing};

/// Encrypts what is written to it. Nothing is complete before [`finish`](Encryptor::finish):
/// without its last chunk a message is refused as cut.
///
/// After a call that failed, all others fail with [`Code::State`]: what was sealed last may be
/// missing, and sealing other content in its place would use a nonce twice.
pub struct Encryptor<W: Write> {
    inner: W,
    message: Message,
    batch: Batch,
    /// Number of the chunk in the first slot.
    pub(super) chunk: u64,
    /// Whether a call has failed, or is under way.
    failed: bool,
}

/// The slots being filled; the plaintext of each stands where its ciphertext will.
struct Batch {
    /// A few at first, for small messages; a batch once they are full.
    slots: Vec<u8>,
    /// Plaintext bytes waiting in `slots`.
    filled: usize,
}

/// Slots to begin with: they hold what is shorter than 32 KiB.
const FEW: usize = 2;

impl Batch {
    fn grow(&mut self) {
        let few = std::mem::replace(&mut self.slots, vec![0; BATCH * SLOT]);
        let few = Zeroizing::new(few);
        self.slots[..few.len()].copy_from_slice(&few);
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // Plaintext that was never sealed; the rest is ciphertext.
        let end = slot_offset(self.filled);
        self.slots[..end].zeroize();
    }
}

/// Seals consecutive chunks, each in its slot.
pub(super) fn seal_slots<'a>(
    message: &Message,
    first: u64,
    slots: impl Iterator<Item = &'a mut [u8]>,
) {
    for (chunk, slot) in (first..).zip(slots) {
        message.seal(chunk, slot);
    }
}

impl<W: Write> Encryptor<W> {
    /// Starts a message under a uniformly random `key`, with a fresh random salt, and writes its
    /// first 56 bytes. `context` is authenticated and must be given again to read.
    pub fn new(key: &[u8; 32], context: &[u8], inner: W) -> Result<Self> {
        let mut salt = [0; SALT];
        memory::random(&mut salt);
        Self::with_salt(key, &salt, context, inner)
    }

    /// The same with a given salt, which must never repeat under a key.
    pub(super) fn with_salt(
        key: &[u8; 32],
        salt: &[u8; SALT],
        context: &[u8],
        mut inner: W,
    ) -> Result<Self> {
        let message = Message::derive(key, salt, context);
        inner
            .write_all(&[&salt[..], &message.commitment].concat())
            .map_err(|e| Error::io("writing the sealed content", e))?;
        let batch = Batch { slots: vec![0; FEW * SLOT], filled: 0 };
        Ok(Encryptor { inner, message, batch, chunk: 0, failed: false })
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            let why = "an earlier call with this writer failed: begin anew with another";
            return Err(Error::new(Code::State, why));
        }
        Ok(())
    }

    /// Does something after which nothing goes on unless it succeeds; that it panics counts, too.
    fn whole<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.check()?;
        self.failed = true;
        let done = act(self)?;
        self.failed = false;
        Ok(done)
    }

    /// The message's key commitment.
    pub fn commitment(&self) -> [u8; COMMITMENT] {
        self.message.commitment
    }

    /// What a message consists of as long as nothing but its first bytes was written.
    pub(super) fn begun(self) -> Result<(W, Message)> {
        self.check()?;
        if self.chunk > 0 || self.batch.filled > 0 {
            return Err(Error::new(Code::State, "this message has content already"));
        }
        Ok((self.inner, self.message))
    }

    /// Encrypts all that `from` has, reading straight into the slots; returns the bytes read.
    ///
    /// # Errors
    /// Those of reading and writing; [`Code::State`] after a call that failed.
    pub fn copy_from(&mut self, from: &mut (impl Read + ?Sized)) -> Result<u64> {
        self.whole(|this| this.copy_all(from))
    }

    fn copy_all(&mut self, from: &mut (impl Read + ?Sized)) -> Result<u64> {
        let mut total = 0;
        loop {
            let n = match from
                .read_vectored(&mut positional::free(&mut self.batch.slots, self.batch.filled))
            {
                Ok(0) => return Ok(total),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(Error::io("reading the content to seal", e)),
            };
            total += n as u64;
            self.advance(n)?;
        }
    }

    /// Encrypts the file `from` from its start to its end, by several threads where it is large and
    /// nothing was written yet; returns the bytes read.
    ///
    /// # Errors
    /// [`Code::Changed`] if the file gets shorter meanwhile; that of `work.progress`;
    /// [`Code::State`] after a call that failed.
    pub(crate) fn copy_file(&mut self, from: &File, work: &mut Work<'_>) -> Result<u64>
    where
        W: AsRef<File>,
    {
        self.whole(|this| this.copy_batches(from, work))
    }

    fn copy_batches(&mut self, from: &File, work: &mut Work<'_>) -> Result<u64>
    where
        W: AsRef<File>,
    {
        let read = |e| Error::io("reading the content to seal", e);
        let wrote = |e| Error::io("writing the sealed content", e);
        let mut total = 0;
        if self.chunk == 0 && self.batch.filled == 0 {
            let batches = from.metadata().map_err(read)?.len() / (BATCH * CHUNK) as u64;
            let batches = batches.min(MAX_CHUNKS / BATCH as u64);
            if batches == 0 {
                return self.copy_rest(from, 0, work);
            }
            let mut to = self.inner.as_ref();
            let start = to.stream_position().map_err(wrote)?;
            let message = &self.message;
            total = batches::in_any_order(batches, BATCH * SLOT, work, |batch, slots| {
                let at = batch * (BATCH * CHUNK) as u64;
                if positional::read_chunks(from, slots, at).map_err(read)? < BATCH * CHUNK {
                    let why = "the file got shorter while it was being sealed";
                    return Err(Error::new(Code::Changed, why));
                }
                seal_slots(message, batch * BATCH as u64, slots.chunks_exact_mut(SLOT));
                let at = start + batch * (BATCH * SLOT) as u64;
                positional::write_all_at(to, slots, at).map_err(wrote)?;
                Ok((BATCH * CHUNK) as u64)
            })?;
            self.chunk = batches * BATCH as u64;
            to.seek(SeekFrom::Start(start + self.chunk * SLOT as u64)).map_err(wrote)?;
        }
        self.copy_rest(from, total, work)
    }

    fn copy_rest(&mut self, mut from: &File, done: u64, work: &mut Work<'_>) -> Result<u64> {
        let at = SeekFrom::Start(done);
        from.seek(at).map_err(|e| Error::io("reading the content to seal", e))?;
        let mut counted = Counted { inner: from, done, progress: &mut *work.progress };
        Ok(done + self.copy_all(&mut counted)?)
    }

    /// Writes the last chunk and gives back the inner writer, which is not flushed.
    ///
    /// # Errors
    /// Those of writing; [`Code::State`] after a call that failed.
    pub fn finish(mut self) -> Result<W> {
        self.check()?;
        // `advance` leaves free slots, so the last chunk has room and is short.
        let end = slot_offset(self.batch.filled) + TAG;
        self.seal_and_write(end)?;
        Ok(self.inner)
    }

    /// Counts `n` more plaintext bytes; a full batch is sealed and written.
    fn advance(&mut self, n: usize) -> Result<()> {
        self.batch.filled += n;
        let room = self.batch.slots.len() / SLOT * CHUNK;
        assert!(self.batch.filled <= room, "a reader claims more than it was asked for");
        match self.batch.slots.len() {
            _ if self.batch.filled < room => Ok(()),
            full if full == BATCH * SLOT => self.seal_and_write(full),
            _ => {
                self.batch.grow();
                Ok(())
            }
        }
    }

    fn seal_and_write(&mut self, end: usize) -> Result<()> {
        let chunks = end.div_ceil(SLOT) as u64;
        if self.chunk + chunks > MAX_CHUNKS {
            return Err(Error::new(Code::BadArgument, "the content is larger than 4 PiB"));
        }
        let slots = &mut self.batch.slots[..end];
        seal_slots(&self.message, self.chunk, slots.chunks_mut(SLOT));
        self.batch.filled = 0;
        self.chunk += chunks;
        self.inner.write_all(slots).map_err(|e| Error::io("writing the sealed content", e))
    }
}

/// Tells how far it is read.
struct Counted<'a> {
    inner: &'a File,
    done: u64,
    progress: &'a mut dyn FnMut(u64) -> Result<()>,
}

impl Counted<'_> {
    fn count(&mut self, n: usize) -> io::Result<usize> {
        self.done += n as u64;
        (self.progress)(self.done)?;
        Ok(n)
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count(n)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let n = self.inner.read_vectored(bufs)?;
        self.count(n)
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.whole(|this| {
            let at = slot_offset(this.batch.filled);
            let n = data.len().min(CHUNK - this.batch.filled % CHUNK);
            this.batch.slots[at..at + n].copy_from_slice(&data[..n]);
            this.advance(n)?;
            Ok(n)
        });
        Ok(written?)
    }

    /// Flushes the inner writer. What has not filled a batch stays here until `finish`.
    fn flush(&mut self) -> io::Result<()> {
        let flush = |this: &mut Self| {
            this.inner.flush().map_err(|e| Error::io("writing the sealed content", e))
        };
        Ok(self.whole(flush)?)
    }
}
