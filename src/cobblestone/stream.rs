//! Reading a message as a stream.

use super::{BATCH, CHUNK, COMMITMENT, Message, PREFIX, SLOT, bad_length};
use crate::aead::TAG;
use crate::{Code, Error, Result};
use std::io::{self, IoSlice, Read, Write};
use zeroize::Zeroizing;

/// Decrypts a message from its start to its end. Each chunk is verified before a byte of it is
/// given out; that the message was not cut is known only when the end has been reached without an
/// error.
pub struct StreamReader<R: Read> {
    inner: R,
    message: Message,
    /// Slots of a batch, opened in place.
    buf: Zeroizing<Vec<u8>>,
    /// Plaintext bytes in `buf`, and how many of them were given out.
    filled: usize,
    taken: usize,
    /// Number of the next chunk to read.
    chunk: u64,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Reading,
    Ended,
    Failed,
}

impl<R: Read> StreamReader<R> {
    /// Reads the first 56 bytes from `inner` and checks the commitment.
    ///
    /// # Errors
    /// [`Code::Commitment`] for another key or context, [`Code::Length`] if there are fewer bytes.
    pub fn new(key: &[u8; 32], context: &[u8], mut inner: R) -> Result<Self> {
        let mut prefix = [0; PREFIX];
        if read_full(&mut inner, &mut prefix)? < PREFIX {
            return Err(bad_length());
        }
        let message = Message::check(key, &prefix, context)?;
        let buf = Zeroizing::new(vec![0; BATCH * SLOT]);
        let state = State::Reading;
        Ok(StreamReader { inner, message, buf, filled: 0, taken: 0, chunk: 0, state })
    }

    /// The message's key commitment.
    pub fn commitment(&self) -> [u8; COMMITMENT] {
        self.message.commitment
    }

    /// Writes all that is left to `to`, without copying it, and gives the number of bytes.
    pub fn copy_to(&mut self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        let mut total = 0;
        while self.taken < self.filled || self.fill()? {
            let (first, within) = (self.taken / CHUNK, self.taken % CHUNK);
            let mut left = self.filled - first * CHUNK;
            let mut parts = Vec::with_capacity(BATCH);
            for (i, slot) in self.buf.chunks_exact(SLOT).skip(first).enumerate() {
                let text = &slot[..left.min(CHUNK)];
                left -= text.len();
                parts.push(IoSlice::new(if i == 0 { &text[within..] } else { text }));
            }
            write_all_vectored(to, &mut parts)
                .map_err(|e| Error::io("writing the opened content", e))?;
            total += (self.filled - self.taken) as u64;
            self.taken = self.filled;
        }
        Ok(total)
    }

    /// Reads and opens the next batch; false at the end of the message.
    fn fill(&mut self) -> Result<bool> {
        match self.state {
            State::Ended => return Ok(false),
            State::Failed => return Err(poisoned()),
            State::Reading => {}
        }
        // Until this batch has verified as a whole nothing more can be read.
        self.state = State::Failed;
        let got = read_full(&mut self.inner, &mut self.buf)?;
        let whole = got == self.buf.len();
        // The last chunk is short by definition: a full batch cannot hold it, a short read must.
        if !whole && got % SLOT < TAG {
            return Err(bad_length());
        }
        (self.filled, self.taken) = (0, 0);
        let mut opened = 0;
        for slot in self.buf[..got].chunks_mut(SLOT) {
            opened += self.message.open(self.chunk, slot)?.len();
            self.chunk += 1;
        }
        self.filled = opened;
        self.state = if whole { State::Reading } else { State::Ended };
        Ok(self.filled > 0 || whole)
    }
}

impl<R: Read> Read for StreamReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || (self.taken == self.filled && !self.fill()?) {
            return Ok(0);
        }
        let at = super::slot_offset(self.taken);
        let n = out.len().min(self.filled - self.taken).min(CHUNK - self.taken % CHUNK);
        out[..n].copy_from_slice(&self.buf[at..at + n]);
        self.taken += n;
        Ok(n)
    }
}

/// The error of every read after one that failed.
pub(super) fn poisoned() -> Error {
    Error::new(Code::State, "an earlier read found this file changed; open it again")
}

fn read_full(from: &mut impl Read, mut buf: &mut [u8]) -> Result<usize> {
    let wanted = buf.len();
    while !buf.is_empty() {
        match from.read(buf) {
            Ok(0) => break,
            Ok(n) => buf = &mut buf[n..],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io("reading the sealed content", e)),
        }
    }
    Ok(wanted - buf.len())
}

/// `Write::write_all_vectored` is not stable.
pub(super) fn write_all_vectored(
    to: &mut (impl Write + ?Sized),
    mut parts: &mut [IoSlice<'_>],
) -> io::Result<()> {
    // Drops empty leading parts, so that a write of 0 bytes means that nothing more fits.
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match to.write_vectored(parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut parts, n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
