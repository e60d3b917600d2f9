//! The envelope's header: magic, license, description, zeros up to the payload.

use crate::aead::{Aead, Backend, NONCE, TAG};
use crate::cobblestone::{COMMITMENT, PREFIX, ReadAt, plaintext_len};
use crate::encoding::{Bytes, Id, b64, sha256, unb64_array};
use crate::license::License;
use crate::memory::{self, Secret};
use crate::{Code, Error, Result, json, kdf};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The first eight bytes of an envelope of format 1.
pub const MAGIC: [u8; 8] = *b"\x89BULLA\x01\n";

/// The payload's offset is a multiple of this.
const ALIGN: usize = 4096;
/// Largest header.
pub(crate) const MAX_HEADER: usize = 4 << 20;
/// Longest description line.
const MAX_DESCRIPTION: usize = 64 * 1024;
/// Magic and offset.
const FIXED: usize = 12;
/// Metadata is padded to a multiple of this, …
const META_BLOCK: usize = 256;
/// … and has at most this many bytes with its padding.
const MAX_META: usize = 16 * 1024;
/// Least bytes of a payload: salt, commitment and one empty chunk.
const MIN_PAYLOAD: u64 = (PREFIX + TAG) as u64;

/// What is known of the original file. All of it is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The original file name, without folders.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    /// When the original was made: milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<i64>,
    /// When the original was last changed: milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub modified: Option<i64>,
}

/// Line 2: the payload's description.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    aead: String,
    pub(crate) rev: u64,
    prev: String,
    meta: Bytes,
}

const AEAD: &str = "AEAD_AES_256_GCM";

impl Description {
    /// Seals the metadata of revision `rev` of a file.
    pub(crate) fn new(
        file_key: &Secret,
        file: &Id,
        rev: u64,
        prev: Option<&[u8; COMMITMENT]>,
        meta: &Metadata,
    ) -> Result<Self> {
        let mut text = serde_json::to_vec(meta).expect("strings and numbers");
        text.resize(text.len().next_multiple_of(META_BLOCK), b' ');
        let mut text = Zeroizing::new(text);
        // The reader's own rules, among them the range of times.
        if text.len() > MAX_META || json::from_slice::<Metadata>(&text).is_err() {
            let why = "the file's name or type is too long, or a time is out of range";
            return Err(Error::new(Code::BadArgument, why));
        }
        let mut nonce = [0; NONCE];
        memory::random(&mut nonce);
        let tag = meta_key(file_key, file).seal(nonce, &meta_aad(file, rev), &mut text);
        Ok(Description {
            aead: AEAD.into(),
            rev,
            prev: prev.map(|c| b64(c)).unwrap_or_default(),
            meta: Bytes([&nonce[..], &text, &tag].concat()),
        })
    }

    fn parse(line: &[u8]) -> Result<Self> {
        let bad = |why: &str| Error::new(Code::Header, format!("not a valid description: {why}"));
        let d: Description = json::from_slice(line).map_err(|e| bad(&e))?;
        if d.aead != AEAD {
            return Err(bad("its aead is unknown"));
        }
        let prev_fits = match d.rev {
            0 => false,
            1 => d.prev.is_empty(),
            _ => unb64_array::<COMMITMENT>(&d.prev).is_some(),
        };
        if !prev_fits {
            return Err(bad("its prev does not go with its rev"));
        }
        let text = d.meta.0.len().checked_sub(NONCE + TAG).unwrap_or(1);
        if !(META_BLOCK..=MAX_META).contains(&text) || !text.is_multiple_of(META_BLOCK) {
            return Err(bad("its meta has an impossible length"));
        }
        Ok(d)
    }

    /// Opens the metadata; the commitment has been checked.
    ///
    /// # Errors
    /// [`Code::Meta`]
    pub(crate) fn open(&self, file_key: &Secret, file: &Id) -> Result<Metadata> {
        memory::on_wiped_stack::<{ memory::SHALLOW }, _>(|| self.open_inner(file_key, file))
    }

    fn open_inner(&self, file_key: &Secret, file: &Id) -> Result<Metadata> {
        let bad = || Error::new(Code::Meta, "the sealed name and times do not verify");
        let (nonce, text) = self.meta.0.split_first_chunk().ok_or_else(bad)?;
        let mut text = Zeroizing::new(text.to_vec());
        let key = meta_key(file_key, file);
        key.open(*nonce, &meta_aad(file, self.rev), &mut text).map_err(|_| bad())?;
        json::from_slice(&text[..text.len() - TAG]).map_err(|_| bad())
    }
}

fn meta_key(file_key: &Secret, file: &Id) -> Backend {
    Backend::new(kdf::subkey(file_key, "bulla/1 meta", file.as_bytes()).expose())
}

fn meta_aad(file: &Id, rev: u64) -> Vec<u8> {
    [&file.as_bytes()[..], &rev.to_le_bytes()].concat()
}

/// A header that was read; nothing in it is verified yet.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) license: Arc<License>,
    pub(crate) description: Description,
    /// Line 2 as it stands.
    line2: Vec<u8>,
    pub(crate) payload_at: u64,
}

impl Header {
    /// Puts a new header together.
    pub(crate) fn new(license: impl Into<Arc<License>>, description: Description) -> Result<Self> {
        let line2 = serde_json::to_vec(&description).expect("strings and numbers");
        Self::with_line2(license.into(), description, line2)
    }

    /// The same description and payload under another license.
    pub(crate) fn relicensed(&self, license: impl Into<Arc<License>>) -> Result<Self> {
        Self::with_line2(license.into(), self.description.clone(), self.line2.clone())
    }

    fn with_line2(license: Arc<License>, description: Description, line2: Vec<u8>) -> Result<Self> {
        let used = FIXED + license.token.text.len() + 1 + line2.len() + 1;
        let payload_at = used.next_multiple_of(ALIGN);
        if payload_at > MAX_HEADER {
            let why = "policy and recipients together are too large for a header of 4 MiB";
            return Err(Error::new(Code::BadArgument, why));
        }
        Ok(Header { license, description, line2, payload_at: payload_at as u64 })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload_at as usize);
        out.extend(MAGIC);
        out.extend((self.payload_at as u32).to_le_bytes());
        out.extend(self.license.token.text.as_bytes());
        out.push(b'\n');
        out.extend(&self.line2);
        out.push(b'\n');
        out.resize(self.payload_at as usize, 0);
        out
    }

    /// Reads the header of a source of known size, and the size of the payload behind it.
    pub(crate) fn read(source: &impl ReadAt) -> Result<(Self, u64)> {
        let io = |e| Error::io("reading the file", e);
        let size = source.size().map_err(io)?;
        // Most headers fit; one call then reads it all.
        let mut bytes = vec![0; 2 * ALIGN];
        let got = source.read_full_at(&mut bytes, 0).map_err(io)?;
        bytes.truncate(got);
        let payload_at = payload_offset(&bytes)?;
        let payload = size.checked_sub(payload_at as u64).filter(|p| *p >= MIN_PAYLOAD);
        let payload = payload.filter(|p| plaintext_len(*p).is_some()).ok_or_else(cut)?;
        if payload_at > bytes.len() {
            let have = bytes.len();
            bytes.resize(payload_at, 0);
            let got = source.read_full_at(&mut bytes[have..], have as u64).map_err(io)?;
            bytes.truncate(have + got);
        }
        let header = Self::parse(bytes.get(..payload_at).ok_or_else(cut)?)?;
        Ok((header, payload))
    }

    /// Reads the header of a stream, which is left at the payload.
    pub(crate) fn read_stream(from: &mut impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        read_up_to(from, FIXED, &mut bytes)?;
        let payload_at = payload_offset(&bytes)?;
        read_up_to(from, payload_at, &mut bytes)?;
        if bytes.len() < payload_at {
            return Err(cut());
        }
        Self::parse(&bytes)
    }

    /// Reads exactly the bytes up to the payload.
    fn parse(bytes: &[u8]) -> Result<Self> {
        let bad = |why: &'static str| Error::new(Code::Header, why);
        let mut lines = bytes[FIXED..].splitn(3, |b| *b == b'\n');
        let (Some(line1), Some(line2), Some(padding)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(bad("not a valid header: a line is missing"));
        };
        if line2.len() > MAX_DESCRIPTION {
            return Err(bad("not a valid header: the description is too long"));
        }
        if padding.iter().any(|b| *b != 0) {
            return Err(bad("not a valid header: the padding is not zero"));
        }
        let license = std::str::from_utf8(line1)
            .map_err(|_| Error::new(Code::License, "not a valid license: it is not text"))
            .and_then(License::parse)?;
        let description = Description::parse(line2)?;
        let payload_at = bytes.len() as u64;
        let license = Arc::new(license);
        Ok(Header { license, description, line2: line2.to_vec(), payload_at })
    }

    /// SHA-256 of line 2, which the payload is bound to.
    pub(crate) fn description_digest(&self) -> [u8; 32] {
        sha256(&self.line2)
    }
}

/// Whether these first bytes of a file are those of an envelope, of whatever version.
pub fn is_sealed(start: &[u8]) -> bool {
    start.starts_with(&MAGIC[..6])
}

/// Checks magic and offset.
fn payload_offset(bytes: &[u8]) -> Result<usize> {
    if !is_sealed(bytes) {
        return Err(Error::new(Code::NotSealed, "this is not a sealed file"));
    }
    let Some((fixed, _)) = bytes.split_first_chunk::<FIXED>() else { return Err(cut()) };
    if fixed[6] != MAGIC[6] {
        let why = "sealed with another version of the format: a newer bulla is needed";
        return Err(Error::new(Code::Version, why));
    }
    let at = u32::from_le_bytes(*fixed.last_chunk().expect("12 bytes")) as usize;
    if fixed[7] != MAGIC[7] || !at.is_multiple_of(ALIGN) || !(ALIGN..=MAX_HEADER).contains(&at) {
        let why = "not a valid header: magic or offset of the content is wrong";
        return Err(Error::new(Code::Header, why));
    }
    Ok(at)
}

fn cut() -> Error {
    Error::new(Code::Length, "the file has an impossible length: it was cut or extended")
}

/// Reads until `bytes` has `len` bytes or the stream ends; allocates only what arrives.
fn read_up_to(from: &mut impl Read, len: usize, bytes: &mut Vec<u8>) -> Result<()> {
    let more = (len - bytes.len()) as u64;
    let read: io::Result<usize> = from.take(more).read_to_end(bytes);
    read.map(drop).map_err(|e| Error::io("reading the file", e))
}

#[cfg(test)]
mod tests;
