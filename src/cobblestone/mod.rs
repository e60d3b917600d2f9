//! C2SP chunked encryption (<https://c2sp.org/chunked-encryption>) as Cobblestone-256: HKDF-Expand
//! with SHA-512 and AES-256-GCM over chunks of 16 KiB, the last one always shorter.
//!
//! - [`Encryptor`] writes a message as a stream.
//! - [`StreamReader`] reads one as a stream.
//! - [`SeekReader`] reads one at any place, from many threads.
//!
//! Memory use is constant. A message holds less than 4 PiB.

mod batches;
mod encrypt;
mod parts;
mod positional;
mod seek;
mod source;
mod stream;
#[cfg(test)]
pub(crate) mod tests;

pub use batches::Work;
pub(crate) use batches::in_any_order;
pub use encrypt::Encryptor;
pub(crate) use parts::Parts;
pub use parts::{PART, Part};
pub(crate) use positional::write_all_at;
pub use seek::SeekReader;
pub(crate) use seek::read_commitment;
pub use source::ReadAt;
pub use stream::StreamReader;

use crate::aead::{Aead, Backend, NONCE, TAG};
use crate::{Code, Error, Result, kdf, memory};
use zeroize::Zeroizing;

/// Plaintext bytes of every chunk but the last.
pub const CHUNK: usize = 16 * 1024;

/// Bytes of a full chunk as it is stored: ciphertext and tag.
pub const SLOT: usize = CHUNK + TAG;

/// Bytes of the salt at the start of a message.
pub const SALT: usize = 24;

/// Bytes of the key commitment behind the salt.
pub const COMMITMENT: usize = 32;

/// Bytes in front of the first chunk.
pub const PREFIX: usize = SALT + COMMITMENT;

/// Chunks that are read or written at a time; half a megabyte stays within the L2 cache.
const BATCH: usize = 32;

/// Most chunks a message may have.
const MAX_CHUNKS: u64 = 1 << 38;

/// The plaintext's length in a message of `stored` bytes, before anything is verified; `None` if
/// no message has that length.
pub fn plaintext_len(stored: u64) -> Option<u64> {
    let chunks = stored.checked_sub(PREFIX as u64)?;
    let last = (chunks % SLOT as u64).checked_sub(TAG as u64)?;
    let full = chunks / SLOT as u64;
    (full < MAX_CHUNKS).then(|| full * CHUNK as u64 + last)
}

/// What is derived for one message: the AEAD key, the base nonce and the commitment.
struct Message {
    aead: Backend,
    base_nonce: [u8; NONCE],
    commitment: [u8; COMMITMENT],
}

impl Message {
    fn derive(key: &[u8; 32], salt: &[u8; SALT], context: &[u8]) -> Message {
        let mut out = Zeroizing::new([0; 32 + NONCE + COMMITMENT]);
        let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
        kdf::expand(key, &[label, salt, context], &mut *out);
        let (key, rest) = out.split_first_chunk::<32>().expect("76 bytes");
        let (nonce, commitment) = rest.split_first_chunk::<NONCE>().expect("44 bytes");
        Message {
            aead: Backend::new(key),
            base_nonce: *nonce,
            commitment: commitment.try_into().expect("32 bytes"),
        }
    }

    /// Derives from the stored prefix and checks the commitment.
    fn check(key: &[u8; 32], prefix: &[u8; PREFIX], context: &[u8]) -> Result<Message> {
        let (salt, commitment) = prefix.split_first_chunk::<SALT>().expect("56 bytes");
        let message = Message::derive(key, salt, context);
        let commitment = commitment.try_into().expect("32 bytes");
        if !commitments_equal(&message.commitment, commitment) {
            return Err(Error::new(
                Code::Commitment,
                "the payload does not belong to this key and description: the file was changed, \
                 or its parts come from different files",
            ));
        }
        Ok(message)
    }

    fn nonce(&self, chunk: u64) -> [u8; NONCE] {
        let mut nonce = self.base_nonce;
        for (n, c) in nonce[NONCE - 8..].iter_mut().zip(chunk.to_be_bytes()) {
            *n ^= c;
        }
        nonce
    }

    /// Seals the chunk in `slot`, whose last 16 bytes are room for the tag.
    fn seal(&self, chunk: u64, slot: &mut [u8]) {
        let (text, room) = slot.split_last_chunk_mut::<TAG>().expect("slots hold a tag");
        *room = self.aead.seal(self.nonce(chunk), &[], text);
    }

    /// Opens the chunk in `slot` in place and gives its plaintext.
    fn open<'a>(&self, chunk: u64, slot: &'a mut [u8]) -> Result<&'a mut [u8]> {
        self.aead.open(self.nonce(chunk), &[], slot).map_err(|_| changed(chunk))?;
        let text = slot.len() - TAG;
        Ok(&mut slot[..text])
    }

    /// Opens the chunk in `slot` into `out`, which has just its plaintext's length.
    fn open_into(&self, chunk: u64, slot: &[u8], out: &mut [u8]) -> Result<()> {
        self.aead.open_into(self.nonce(chunk), &[], slot, out).map_err(|_| changed(chunk))
    }
}

/// Whether they are the same, in a time that does not depend on them: one was worked out from the key.
#[inline(never)]
fn commitments_equal(a: &[u8; COMMITMENT], b: &[u8; COMMITMENT]) -> bool {
    memory::equal(a, b)
}

/// The error for a chunk that does not verify.
fn changed(chunk: u64) -> Error {
    let why = format!("part {chunk} of the sealed content does not verify: the file was changed");
    Error::new(Code::Chunk, why)
}

/// The error for a length that no message has.
fn bad_length() -> Error {
    Error::new(
        Code::Length,
        "the sealed content has an impossible length: the file was cut or extended",
    )
}

/// The place of plaintext byte `at` in a buffer of slots.
fn slot_offset(at: usize) -> usize {
    at / CHUNK * SLOT + at % CHUNK
}

/// So that the benches can run the very loop.
pub(crate) mod bench {
    use super::{COMMITMENT, Message, SLOT};

    /// The very comparison that readers make.
    pub fn commitments_equal(a: &[u8; COMMITMENT], b: &[u8; COMMITMENT]) -> bool {
        super::commitments_equal(a, b)
    }

    /// Seals slot after slot of a buffer in place, as [`super::Encryptor`] does.
    pub struct SlotSealer(Message);

    impl SlotSealer {
        /// For a key of zeros.
        pub fn new() -> Self {
            SlotSealer(Message::derive(&[0; 32], &[0; 24], b"bench"))
        }

        /// Seals every whole slot of `buf`, numbering them from `first`.
        pub fn seal(&self, first: u64, buf: &mut [u8]) {
            super::encrypt::seal_slots(&self.0, first, buf.chunks_exact_mut(SLOT));
        }
    }

    impl Default for SlotSealer {
        fn default() -> Self {
            Self::new()
        }
    }
}
