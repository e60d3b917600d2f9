//! Content that was changed and is not sealed yet: in memory, and beyond a bound encrypted in a
//! file without a name, under a key that is nowhere else.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Bytes of a block.
const BLOCK: usize = 64 * 1024;
const TAG: usize = 16;
/// Bytes of a block in the scratch file: content, tag, nonce.
const SLOT: usize = BLOCK + TAG + NONCE_LEN;

/// Blocks that all drafts together keep in memory: 64 MiB.
const IN_MEMORY: usize = 1024;

static USED: AtomicUsize = AtomicUsize::new(0);

enum Block {
    Memory(Zeroizing<Box<[u8]>>),
    /// Its number in the scratch file.
    Scratch(u64),
}

/// What lies under a draft: the content as it was sealed last.
pub(crate) trait Base {
    fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;
}

struct Scratch {
    file: File,
    key: RandomizedNonceKey,
    slots: u64,
    /// For one block on its way back.
    room: Mutex<Zeroizing<Vec<u8>>>,
}

/// Changed content over a base.
pub(crate) struct Draft {
    len: u64,
    /// Bytes of the base that still show.
    base: u64,
    blocks: HashMap<u64, Block>,
    scratch: Option<Scratch>,
    /// Makes the scratch file.
    make: Box<dyn Fn() -> io::Result<File> + Send + Sync>,
    /// Whether there is anything that is not sealed.
    pub(crate) dirty: bool,
    /// Whether all of it was written in order, from the start, over nothing.
    pub(crate) in_order: bool,
}

impl Draft {
    /// Over a base of this length.
    pub(crate) fn new(
        base: u64,
        make: impl Fn() -> io::Result<File> + Send + Sync + 'static,
    ) -> Self {
        let make = Box::new(make);
        let (blocks, in_order) = (HashMap::new(), base == 0);
        Draft { len: base, base, blocks, scratch: None, make, dirty: false, in_order }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads until `out` is full or the end is reached.
    pub(crate) fn read(&self, base: &dyn Base, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let wanted = (out.len() as u64).min(self.len.saturating_sub(offset)) as usize;
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let (number, within) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
            let n = (BLOCK - within).min(wanted - done);
            let part = &mut out[done..done + n];
            match self.blocks.get(&number) {
                Some(Block::Memory(block)) => part.copy_from_slice(&block[within..within + n]),
                Some(Block::Scratch(slot)) => self.scratched(*slot, within, part)?,
                None => self.shown_base(base, part, at)?,
            }
            done += n;
        }
        Ok(wanted)
    }

    /// The base as far as it shows, zeros behind it.
    fn shown_base(&self, base: &dyn Base, out: &mut [u8], offset: u64) -> io::Result<()> {
        let n = (out.len() as u64).min(self.base.saturating_sub(offset)) as usize;
        let (shows, behind) = out.split_at_mut(n);
        let mut done = 0;
        while done < n {
            match base.read(&mut shows[done..], offset + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                got => done += got,
            }
        }
        behind.fill(0);
        Ok(())
    }

    pub(crate) fn write(&mut self, base: &dyn Base, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset.checked_add(data.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let (number, within) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
            let n = (BLOCK - within).min(data.len() - done);
            let block = self.block(base, number, n == BLOCK)?;
            block[within..within + n].copy_from_slice(&data[done..done + n]);
            done += n;
        }
        self.in_order &= offset == self.len;
        self.len = self.len.max(end);
        self.dirty = true;
        Ok(())
    }

    /// A block in memory, to be changed; one that is `replaced` as a whole need not be read.
    fn block(&mut self, base: &dyn Base, number: u64, replaced: bool) -> io::Result<&mut [u8]> {
        if !matches!(self.blocks.get(&number), Some(Block::Memory(_))) {
            let mut new = Zeroizing::new(vec![0; BLOCK].into_boxed_slice());
            match self.blocks.get(&number) {
                Some(Block::Scratch(slot)) => self.scratched(*slot, 0, &mut new)?,
                _ if !replaced => self.shown_base(base, &mut new, number * BLOCK as u64)?,
                _ => {}
            }
            if USED.load(Ordering::Relaxed) >= IN_MEMORY {
                self.spill()?;
            }
            USED.fetch_add(1, Ordering::Relaxed);
            self.blocks.insert(number, Block::Memory(new));
        }
        match self.blocks.entry(number) {
            Entry::Occupied(entry) => match entry.into_mut() {
                Block::Memory(block) => Ok(block),
                Block::Scratch(_) => Err(io::ErrorKind::InvalidData.into()),
            },
            Entry::Vacant(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Moves all blocks in memory to the scratch file.
    fn spill(&mut self) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(Scratch {
                file: (self.make)()?,
                key: key()?,
                slots: 0,
                room: Mutex::default(),
            }),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(SLOT));
        for block in self.blocks.values_mut() {
            let Block::Memory(text) = block else { continue };
            let slot = scratch.slots;
            bytes.clear();
            bytes.extend_from_slice(text);
            let place = Aad::from(slot.to_le_bytes());
            let nonce = scratch.key.seal_in_place_append_tag(place, &mut *bytes);
            let nonce = nonce.map_err(|_| io::Error::other("encrypting"))?;
            bytes.extend_from_slice(nonce.as_ref());
            scratch.file.write_all_at(&bytes, slot * SLOT as u64)?;
            scratch.slots += 1;
            *block = Block::Scratch(slot);
            USED.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Copies a part of a block out of the scratch file.
    fn scratched(&self, slot: u64, within: usize, out: &mut [u8]) -> io::Result<()> {
        let scratch = self.scratch.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut room = scratch.room.lock().unwrap_or_else(PoisonError::into_inner);
        room.resize(SLOT, 0);
        scratch.file.read_exact_at(&mut room, slot * SLOT as u64)?;
        let (sealed, nonce) = room.split_at_mut(BLOCK + TAG);
        let bad = |_| io::Error::from(io::ErrorKind::InvalidData);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(bad)?;
        let place = Aad::from(slot.to_le_bytes());
        let text = scratch.key.open_in_place(nonce, place, sealed).map_err(bad)?;
        out.copy_from_slice(&text[within..within + out.len()]);
        Ok(())
    }

    pub(crate) fn truncate(&mut self, base: &dyn Base, len: u64) -> io::Result<()> {
        if len < self.len {
            let (last, within) = (len / BLOCK as u64, (len % BLOCK as u64) as usize);
            if within > 0 && self.blocks.contains_key(&last) {
                self.block(base, last, false)?[within..].fill(0);
            }
            self.forget(|number| number > last || number == last && within == 0);
            self.base = self.base.min(len);
        }
        self.dirty |= len != self.len;
        self.in_order = len == 0 || self.in_order && len == self.len;
        self.len = len;
        Ok(())
    }

    /// The base has all of it, up to this length; it is not sealed yet.
    pub(crate) fn appended(&mut self, len: u64) {
        self.len = len;
        self.sealed();
        self.dirty = true;
    }

    /// All of it is sealed now, and the base is what was sealed.
    pub(crate) fn sealed(&mut self) {
        self.forget(|_| true);
        (self.base, self.dirty, self.scratch) = (self.len, false, None);
        self.in_order = self.len == 0;
    }

    fn forget(&mut self, gone: impl Fn(u64) -> bool) {
        self.blocks.retain(|number, block| {
            let gone = gone(*number);
            if gone && matches!(block, Block::Memory(_)) {
                USED.fetch_sub(1, Ordering::Relaxed);
            }
            !gone
        });
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.forget(|_| true);
    }
}

fn key() -> io::Result<RandomizedNonceKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    aws_lc_rs::rand::fill(&mut *bytes).map_err(|_| io::Error::other("no random bytes"))?;
    RandomizedNonceKey::new(&AES_256_GCM, &*bytes).map_err(|_| io::Error::other("no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Base for Vec<u8> {
        fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = self.get(offset as usize..).unwrap_or_default();
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            Ok(n)
        }
    }

    fn all(draft: &Draft, base: &Vec<u8>) -> Vec<u8> {
        let mut out = vec![0xee; draft.len() as usize + 10];
        let n = draft.read(base, &mut out, 0).unwrap();
        out.truncate(n);
        out
    }

    /// The same changes to a draft and to plain bytes.
    #[test]
    fn a_draft_is_like_a_file() {
        let base: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let mut plain = base.clone();
        let mut draft = Draft::new(base.len() as u64, tempfile::tempfile);
        let mut seed = 7u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for round in 0..400 {
            let at = random(300_000);
            if random(4) == 0 {
                draft.truncate(&base, at).unwrap();
                plain.resize(at as usize, 0);
            } else {
                let data = vec![round as u8; 1 + random(150_000) as usize];
                let end = at as usize + data.len();
                draft.write(&base, &data, at).unwrap();
                plain.resize(plain.len().max(end), 0);
                plain[at as usize..end].copy_from_slice(&data);
            }
            if random(10) == 0 {
                draft.spill().unwrap();
                assert!(!draft.blocks.values().any(|b| matches!(b, Block::Memory(_))));
            }
            assert!(all(&draft, &base) == plain, "after {round}");
        }
    }

    #[test]
    fn nothing_plain_is_in_the_scratch_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let make = move || File::options().read(true).write(true).open(&path);
        let mut draft = Draft::new(0, make);
        let text = b"secret marker ".repeat(10_000);
        draft.write(&Vec::new(), &text, 5).unwrap();
        draft.spill().unwrap();
        assert_eq!(all(&draft, &Vec::new())[5..], text);
        let mut scratch = std::fs::read(file.path()).unwrap();
        assert!(scratch.len() >= text.len());
        assert!(!scratch.windows(13).any(|w| w == b"secret marker"));

        // Somebody changes it: an error, not other content.
        scratch[3] ^= 1;
        std::fs::write(file.path(), scratch).unwrap();
        let mut out = vec![0; text.len()];
        assert!(draft.read(&Vec::new(), &mut out, 0).is_err());
    }
}
