//! The text forms of ids, thumbprints and bytes: canonical, one text for one value.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read};
use zeroize::Zeroizing;

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of all that a source gives, and how many bytes that is.
pub(crate) fn sha256_of(mut source: impl Read) -> io::Result<([u8; 32], u64)> {
    let (mut hash, mut count) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok((hash.finalize().into(), count)),
            Ok(n) => {
                hash.update(&buffer[..n]);
                count += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Unpadded base64url (RFC 4648 section 5).
pub(crate) fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The bytes of canonical, unpadded base64url; `None` for anything else.
pub(crate) fn unb64(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// The same for exactly `N` bytes.
pub(crate) fn unb64_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != BASE64URL_NOPAD.encode_len(N) {
        return None;
    }
    unb64(text)?.try_into().ok()
}

pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

macro_rules! text_value {
    ($name:ident, $size:literal, $to:expr, $from:expr, $what:literal) => {
        impl $name {
            /// From its text; `None` if the text is not the canonical one.
            pub fn from_text(text: &str) -> Option<Self> {
                $from(text).map($name)
            }

            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8; $size] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$to(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::from_text(&text).ok_or_else(|| de::Error::custom(concat!("not ", $what)))
            }
        }
    };
}

/// A random 16-byte id of a file, batch, license, template or permit; text: 32 hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(crate) [u8; 16]);
text_value!(Id, 16, |b: &[u8]| HEXLOWER.encode(b), unhex, "an id of 32 hex characters");

impl Id {
    /// A fresh random id.
    pub(crate) fn random() -> Id {
        let mut id = [0; 16];
        crate::memory::random(&mut id);
        Id(id)
    }
}

/// RFC 7638 SHA-256 thumbprint of a signing key; text: 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thumbprint(pub(crate) [u8; 32]);
text_value!(
    Thumbprint,
    32,
    |b: &[u8]| b64(b),
    unb64_array,
    "a thumbprint (43 base64url characters)"
);

/// SHA-256 of a recipient's public KEM key; text: 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(crate) [u8; 32]);
text_value!(KeyId, 32, |b: &[u8]| b64(b), unb64_array, "a key id (43 base64url characters)");

/// A SHA-256 digest; text: 43 base64url characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest256(pub(crate) [u8; 32]);
text_value!(Digest256, 32, |b: &[u8]| b64(b), unb64_array, "a digest (43 base64url characters)");

/// SHA-256 of a program, as `sha256sum` prints it; text: 64 hex characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramHash(pub(crate) [u8; 32]);
text_value!(
    ProgramHash,
    32,
    |b: &[u8]| HEXLOWER.encode(b),
    unhex,
    "a SHA-256 of 64 hex characters"
);

impl ProgramHash {
    /// Of a program's bytes.
    pub fn of(program: &[u8]) -> ProgramHash {
        ProgramHash(sha256(program))
    }
}

/// 32 bytes, where there are any, that stand in JSON as canonical base64url.
pub(crate) mod bytes32 {
    use super::{b64, unb64_array};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(b: &Option<[u8; 32]>, s: S) -> Result<S::Ok, S::Error> {
        match b {
            Some(b) => s.serialize_str(&b64(b)),
            None => s.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        let text = String::deserialize(d)?;
        unb64_array(&text).map(Some).ok_or_else(|| de::Error::custom("not 32 bytes as base64url"))
    }
}

/// Bytes that stand in JSON as canonical base64url.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        // They may be those of a key.
        s.serialize_str(&Zeroizing::new(b64(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(d)?);
        unb64(&text).map(Bytes).ok_or_else(|| de::Error::custom("not canonical base64url"))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A short text of people's choosing: bounded, without control characters.
pub(crate) fn plain_text(text: &str, max: usize) -> bool {
    text.len() <= max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_canonical() {
        assert_eq!(unb64("AA"), Some(vec![0]));
        for bad in ["AB", "A", "AA==", "A A", "AA\n", "+/", "á"] {
            assert_eq!(unb64(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_have_one_text() {
        let id = Id([0xab; 16]);
        assert_eq!(Id::from_text(&id.to_string()), Some(id));
        assert_eq!(Id::from_text(&id.to_string().to_uppercase()), None);
        assert_eq!(Id::from_text("ab"), None);
        let t = Thumbprint([7; 32]);
        assert_eq!(Thumbprint::from_text(&t.to_string()), Some(t));
        assert_eq!(Thumbprint::from_text(&format!("{t}=")), None);
    }
}
