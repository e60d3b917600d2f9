//! Writing a message from its start in parts, each sealed by the thread that has it, and reading
//! back what was written.

use super::encrypt::{Encryptor, seal_slots};
use super::{BATCH, CHUNK, COMMITMENT, MAX_CHUNKS, Message, SLOT, bad_length, slot_offset};
use super::{positional, source::ReadAt};
use crate::aead::TAG;
use crate::{Code, Error, Result};
use std::fs::File;
use std::io::{Seek, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// Plaintext bytes of every part but the last.
pub const PART: usize = BATCH * CHUNK;

/// Buffers that wait for the next part: memory of that size costs more to get than to fill.
const SPARE: usize = 8;

/// A part of a message on its way: plaintext until it is sealed.
pub struct Part {
    pub(super) number: u64,
    /// Which message it is of.
    commitment: [u8; COMMITMENT],
    /// Slots; the plaintext of each stands where its ciphertext will.
    slots: Vec<u8>,
    filled: usize,
}

impl Part {
    /// Takes what fits of `data` behind what it has; gives the bytes taken.
    pub fn fill(&mut self, data: &[u8]) -> usize {
        let mut done = 0;
        while done < data.len() && self.filled < PART {
            let at = slot_offset(self.filled);
            let n = (data.len() - done).min(CHUNK - self.filled % CHUNK);
            self.slots[at..at + n].copy_from_slice(&data[done..done + n]);
            self.filled += n;
            done += n;
        }
        done
    }

    /// Plaintext bytes that it has.
    pub fn len(&self) -> usize {
        self.filled
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.filled == PART
    }

    /// Copies from `offset` in it; gives the bytes copied.
    pub fn read(&self, out: &mut [u8], offset: usize) -> usize {
        let wanted = out.len().min(self.filled.saturating_sub(offset));
        let mut done = 0;
        while done < wanted {
            let at = offset + done;
            let n = (wanted - done).min(CHUNK - at % CHUNK);
            let slot = slot_offset(at);
            out[done..done + n].copy_from_slice(&self.slots[slot..slot + n]);
            done += n;
        }
        wanted
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let end = slot_offset(self.filled).min(self.slots.len());
        self.slots[..end].zeroize();
    }
}

/// A message in a file that is written part by part.
pub(crate) struct Parts {
    file: File,
    message: Message,
    /// Offset of the first slot in the file.
    start: u64,
    /// The number of the next part: each is given once, as no nonce may serve twice.
    next: AtomicU64,
    /// Full parts that were sealed and written.
    sealed: AtomicU64,
    /// Whether the last part was sealed.
    ended: AtomicBool,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Parts {
    /// Goes on with a message of which nothing but the prefix was written; gives the writer too,
    /// which is of the same file.
    pub(crate) fn of<W: Write + AsRef<File>>(encryptor: Encryptor<W>) -> Result<(Self, W)> {
        let (inner, message) = encryptor.begun()?;
        let wrote = |e| Error::io("writing the sealed content", e);
        let start = inner.as_ref().stream_position().map_err(wrote)?;
        let file = inner.as_ref().try_clone().map_err(wrote)?;
        let (next, sealed, ended, spare) = Default::default();
        Ok((Parts { file, message, start, next, sealed, ended, spare }, inner))
    }

    pub(crate) fn commitment(&self) -> [u8; COMMITMENT] {
        self.message.commitment
    }

    /// The next part, empty.
    pub(crate) fn part(&self) -> Part {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Part {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            commitment: self.message.commitment,
            slots: spare.unwrap_or_else(|| vec![0; BATCH * SLOT]),
            filled: 0,
        }
    }

    fn check(&self, part: &Part) -> Result<()> {
        if part.commitment != self.message.commitment {
            return Err(Error::new(Code::State, "this part is of another message"));
        }
        Ok(())
    }

    /// Seals a full part, and writes it at its place.
    ///
    /// # Errors
    /// [`Code::State`] for a part that is not full or of another message, and after the last one.
    pub(crate) fn seal(&self, mut part: Part) -> Result<()> {
        self.check(&part)?;
        if self.ended.load(Ordering::Relaxed) {
            return Err(ended());
        }
        if !part.is_full() {
            return Err(Error::new(Code::State, "only the last part is shorter than the others"));
        }
        let mut slots = std::mem::take(&mut part.slots);
        self.seal_at(part.number, &mut slots)?;
        self.sealed.fetch_add(1, Ordering::AcqRel);
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(slots);
        }
        Ok(())
    }

    /// Seals the last part, which is not full, and writes it. Works once: what is sealed under its
    /// numbers must not be anything else later.
    ///
    /// # Errors
    /// [`Code::State`] for a part that is full or of another message, or not the last that was
    /// given; where one before it was not sealed, or could not be written; and the second time.
    pub(crate) fn seal_last(&self, part: &Part) -> Result<()> {
        self.check(part)?;
        if part.is_full() {
            return Err(Error::new(Code::State, "the last part is shorter than the others"));
        }
        // As each number is given once, all those before it were sealed if so many were.
        let given = self.next.load(Ordering::Relaxed);
        let sealed = self.sealed.load(Ordering::Acquire);
        if given != part.number + 1 || sealed != part.number {
            let why = "a part of this message was not sealed, or could not be written: begin anew";
            return Err(Error::new(Code::State, why));
        }
        if self.ended.swap(true, Ordering::Relaxed) {
            return Err(ended());
        }
        let end = slot_offset(part.filled) + TAG;
        let mut slots = part.slots[..end].to_vec();
        self.seal_at(part.number, &mut slots)
    }

    fn seal_at(&self, number: u64, slots: &mut [u8]) -> Result<()> {
        if number >= MAX_CHUNKS / BATCH as u64 {
            return Err(Error::new(Code::BadArgument, "the content is larger than 4 PiB"));
        }
        seal_slots(&self.message, number * BATCH as u64, slots.chunks_mut(SLOT));
        positional::write_all_at(&self.file, slots, self.start + number * (BATCH * SLOT) as u64)
            .map_err(|e| Error::io("writing the sealed content", e))
    }

    /// Reads back plaintext from `offset` of a message of `len` bytes so far, of which only the
    /// last chunk may be short; gives the bytes read, fewer than `out` only at the end.
    pub(crate) fn read_at(&self, out: &mut [u8], offset: u64, len: u64) -> Result<usize> {
        let wanted = (out.len() as u64).min(len.saturating_sub(offset)) as usize;
        let mut slot = Zeroizing::new(vec![0; SLOT]);
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let (chunk, within) = (at / CHUNK as u64, (at % CHUNK as u64) as usize);
            let text = (len - chunk * CHUNK as u64).min(CHUNK as u64) as usize;
            let slot = &mut slot[..text + TAG];
            let got = self.file.read_full_at(slot, self.start + chunk * SLOT as u64);
            if got.map_err(|e| Error::io("reading the sealed content", e))? < slot.len() {
                return Err(bad_length());
            }
            let text = self.message.open(chunk, slot)?;
            let n = (text.len() - within).min(wanted - done);
            out[done..done + n].copy_from_slice(&text[within..within + n]);
            done += n;
        }
        Ok(wanted)
    }
}

fn ended() -> Error {
    Error::new(Code::State, "the last part of this message was sealed already")
}

#[cfg(test)]
mod tests {
    use super::super::tests::Out;
    use super::super::{Encryptor, SeekReader};
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i / 3 + i / CHUNK * 7) as u8).collect()
    }

    /// The parts of a text, filled by steps of this many bytes; the last is never full.
    fn parts_of(parts: &Parts, text: &[u8], step: usize) -> Vec<Part> {
        let mut all = vec![parts.part()];
        for mut data in text.chunks(step) {
            while !data.is_empty() {
                let last = all.last_mut().unwrap();
                data = &data[last.fill(data)..];
                if last.is_full() {
                    all.push(parts.part());
                }
            }
        }
        all
    }

    #[test]
    fn so_many_buffers_wait() {
        let (parts, _) =
            Parts::of(Encryptor::new(&KEY, b"", Out(tempfile::tempfile().unwrap())).unwrap())
                .unwrap();
        let full = parts_of(&parts, &text((SPARE + 2) * PART), PART);
        for (n, part) in full.into_iter().filter(Part::is_full).enumerate() {
            parts.seal(part).unwrap();
            assert_eq!(parts.spare.lock().unwrap().len(), SPARE.min(n + 1));
        }
    }

    #[test]
    fn parts_in_any_order_make_a_message() {
        for len in [0, 1, CHUNK, PART - 1, PART, PART + 1, 3 * PART + CHUNK, 2 * PART + 12_345] {
            let text = text(len);
            let mut file = Out(tempfile::tempfile().unwrap());
            file.write_all(b"head").unwrap();
            let (parts, out) = Parts::of(Encryptor::new(&KEY, b"c", file).unwrap()).unwrap();
            let mut all = parts_of(&parts, &text, 100_001);
            let last = all.pop().unwrap();
            // What is not full yet can be read as it is.
            let mut tail = vec![0; last.len() + 9];
            let n = last.read(&mut tail, 0);
            assert!(tail[..n] == text[text.len() - last.len()..]);
            for part in all.into_iter().rev() {
                parts.seal(part).unwrap();
            }
            parts.seal_last(&last).unwrap();
            let stored = out.0.size().unwrap() - 4;
            let reader = SeekReader::new(&KEY, b"c", out.0, 4, stored).unwrap();
            assert_eq!(reader.commitment(), parts.commitment());
            let mut read = Vec::new();
            reader.copy_to(&mut read).unwrap();
            assert!(read == text, "{len}");
            for offset in [0, 1, CHUNK - 1, len / 2, len] {
                let mut back = vec![0; len + 5];
                let n = parts.read_at(&mut back, offset as u64, len as u64).unwrap();
                assert!(back[..n] == *text.get(offset..).unwrap_or_default(), "{len} {offset}");
                // Less than there is.
                let mut some = [0; 100];
                let n = parts.read_at(&mut some, offset as u64, len as u64).unwrap();
                let there = text.get(offset..).unwrap_or_default();
                assert!(some[..n] == there[..there.len().min(100)], "{len} {offset}");
            }
        }
    }

    #[test]
    fn what_was_changed_is_not_read_back() {
        let (parts, out) =
            Parts::of(Encryptor::new(&KEY, b"c", Out(tempfile::tempfile().unwrap())).unwrap())
                .unwrap();
        let text = text(2 * PART);
        for part in parts_of(&parts, &text, PART).into_iter().take(2) {
            parts.seal(part).unwrap();
        }
        positional::write_all_at(&out.0, b"x", 1_000_000).unwrap();
        let mut back = vec![0; text.len()];
        assert!(parts.read_at(&mut back, 0, text.len() as u64).is_err());
        assert!(back != text);
        // Nor what is not there.
        let beyond = parts.read_at(&mut back[..1], text.len() as u64, text.len() as u64 + 1);
        assert_eq!(beyond.unwrap_err().code(), Code::Length);
    }

    /// Parts of a message, each full, and which of them to seal; the last to end it with.
    fn ends(sealed: &[usize], last: usize) -> Result<()> {
        let (parts, _) =
            Parts::of(Encryptor::new(&KEY, b"c", Out(tempfile::tempfile().unwrap())).unwrap())
                .unwrap();
        let mut all: Vec<_> = (0..4).map(|_| Some(parts.part())).collect();
        for n in sealed {
            let mut part = all[*n].take().unwrap();
            part.fill(&text(PART));
            parts.seal(part).unwrap();
        }
        parts.seal_last(&all[last].take().unwrap())
    }

    /// A part that is missing would be a hole, under a file that says it is whole.
    #[test]
    fn all_parts_are_there_before_the_last() {
        ends(&[2, 0, 1], 3).unwrap();
        for (sealed, last) in
            [(&[0, 1][..], 3), (&[], 3), (&[1, 2], 3), (&[0, 1], 2), (&[0, 2, 3], 1), (&[2], 1)]
        {
            assert_eq!(ends(sealed, last).unwrap_err().code(), Code::State, "{sealed:?} {last}");
        }
    }

    /// Also one that could not be written.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_part_that_was_lost_is_missing() {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
        let file = memfd_create("parts", MemfdFlags::ALLOW_SEALING).unwrap();
        let file = Out(file.into());
        let (parts, out) = Parts::of(Encryptor::new(&KEY, b"c", file).unwrap()).unwrap();
        let mut part = parts.part();
        part.fill(&text(PART));
        fcntl_add_seals(&out.0, SealFlags::GROW).unwrap();
        assert_eq!(parts.seal(part).unwrap_err().code(), Code::Permission);
        let e = parts.seal_last(&parts.part()).unwrap_err();
        assert_eq!(e.code(), Code::State, "{e}");
    }

    #[test]
    fn only_the_last_part_is_short() {
        let (parts, _) =
            Parts::of(Encryptor::new(&KEY, b"c", Out(tempfile::tempfile().unwrap())).unwrap())
                .unwrap();
        let of = || Encryptor::new(&KEY, b"c", Out(tempfile::tempfile().unwrap())).unwrap();
        let (elsewhere, _) = Parts::of(of()).unwrap();
        let mut part = elsewhere.part();
        part.fill(b"short");
        assert_eq!(elsewhere.seal(part).unwrap_err().code(), Code::State);
        let mut part = parts.part();
        assert_eq!(part.fill(&text(PART + 1)), PART);
        assert_eq!(parts.seal_last(&part).unwrap_err().code(), Code::State);
        parts.seal(part).unwrap();
        // Nothing comes after it, nor what is of another message.
        let mut last = parts.part();
        last.fill(b"last");
        let (other, _) = Parts::of(of()).unwrap();
        assert_eq!(other.seal_last(&last).unwrap_err().code(), Code::State);
        let mut foreign = other.part();
        foreign.fill(&text(PART));
        assert_eq!(parts.seal(foreign).unwrap_err().code(), Code::State);
        parts.seal_last(&last).unwrap();
        assert_eq!(parts.seal_last(&last).unwrap_err().code(), Code::State);
        let mut more = parts.part();
        more.fill(&text(PART));
        assert_eq!(parts.seal(more).unwrap_err().code(), Code::State);
        let mut begun = Encryptor::new(&KEY, b"c", Out(tempfile::tempfile().unwrap())).unwrap();
        begun.write_all(b"x").unwrap();
        assert!(Parts::of(begun).is_err());
    }
}
