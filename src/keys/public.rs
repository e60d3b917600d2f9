//! Public keys as one-line texts: what is mailed, put in a directory, or given to `--to`.
//!
//! `bulla-hybrid:<base64url> comment` and `bulla-x25519:<base64url> comment` hold an identity's
//! Ed25519 key (32 bytes) and its KEM key; `bulla-root:<base64url> comment` holds a root's
//! Ed25519 key. A file of such lines is a team; blank lines and lines from `#` on are skipped.

use super::{KemKind, KemPublic, VerifyingKey};
use crate::encoding::{KeyId, Thumbprint, b64, plain_text, unb64};
use crate::{Code, Error, Result};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Most recipients of a file.
pub(crate) const MAX_RECIPIENTS: usize = 500;

/// Longest comment of a line, in bytes.
const MAX_COMMENT: usize = 256;

/// The public half of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIdentity {
    pub(crate) signing: VerifyingKey,
    pub(crate) recipient: Recipient,
    comment: String,
}

/// A public KEM key that files are sealed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient(pub(crate) KemPublic);

impl Recipient {
    /// SHA-256 of the public KEM key.
    pub fn key_id(&self) -> KeyId {
        self.0.key_id()
    }

    /// The kind of the key.
    pub fn kind(&self) -> KemKind {
        self.0.kind
    }
}

/// Whether one license may have hybrid and X25519 recipients: the latter undo what the former are
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// All recipients have the same kind.
    Same,
    /// They may differ.
    Mixed,
}

/// Checks number, repetition and kinds.
pub(crate) fn check_recipients(recipients: &[Recipient], kinds: Kinds) -> Result<()> {
    let bad = |why: &'static str| Err(Error::new(Code::BadArgument, why));
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        return bad("a file is sealed to at least one and at most 500 recipients");
    }
    let ids: BTreeSet<_> = recipients.iter().map(Recipient::key_id).collect();
    if ids.len() != recipients.len() {
        return bad("a recipient is named twice");
    }
    if kinds == Kinds::Same && recipients.iter().any(|r| r.kind() != recipients[0].kind()) {
        return Err(mixed_kinds());
    }
    Ok(())
}

pub(crate) fn mixed_kinds() -> Error {
    Error::new(
        Code::BadArgument,
        "hybrid and x25519 recipients in one file: the x25519 key undoes the protection of the \
         hybrid ones; allow mixed kinds expressly if that is meant",
    )
}

impl PublicIdentity {
    pub(crate) fn new(signing: VerifyingKey, kem: KemPublic, comment: &str) -> Result<Self> {
        let comment = checked_comment(comment)?;
        Ok(PublicIdentity { signing, recipient: Recipient(kem), comment })
    }

    /// The device's name everywhere: the thumbprint of its Ed25519 key.
    pub fn thumbprint(&self) -> Thumbprint {
        self.signing.thumbprint()
    }

    /// The key to seal to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The Ed25519 key.
    pub fn signing_key(&self) -> &VerifyingKey {
        &self.signing
    }

    /// The free text behind the keys.
    pub fn comment(&self) -> &str {
        &self.comment
    }
}

impl fmt::Display for PublicIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kem = &self.recipient.0;
        let keys = b64(&[self.signing.as_bytes(), &kem.bytes[..]].concat());
        write_line(f, kem.kind.name(), &keys, &self.comment)
    }
}

impl FromStr for PublicIdentity {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let (kind, bytes, comment) = split_line(line)?;
        let kind = KemKind::from_name(kind).ok_or_else(|| {
            bad("not the public line of an identity: it starts with bulla-hybrid: or bulla-x25519:")
        })?;
        let (signing, kem) = bytes.split_first_chunk().ok_or_else(|| bad("the line is cut"))?;
        let signing = VerifyingKey::from_bytes(signing)
            .ok_or_else(|| bad("the line's Ed25519 key is unusable"))?;
        PublicIdentity::new(signing, KemPublic::new(kind, kem)?, comment)
    }
}

/// A root's public key with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootLine {
    pub(crate) key: VerifyingKey,
    name: String,
}

impl RootLine {
    pub(crate) fn new(key: VerifyingKey, name: &str) -> Result<Self> {
        Ok(RootLine { key, name: checked_comment(name)? })
    }

    /// The root's name everywhere: the thumbprint of its key.
    pub fn thumbprint(&self) -> Thumbprint {
        self.key.thumbprint()
    }

    /// The Ed25519 key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// What the issuer is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RootLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, "root", &b64(self.key.as_bytes()), &self.name)
    }
}

impl FromStr for RootLine {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let (kind, bytes, name) = split_line(line)?;
        let key = bytes.as_slice().try_into().ok().filter(|_| kind == "root");
        let key = key.ok_or_else(|| bad("not the line of a root: it starts with bulla-root:"))?;
        let key = VerifyingKey::from_bytes(key).ok_or_else(|| bad("the root's key is unusable"))?;
        RootLine::new(key, name)
    }
}

/// Reads all lines of a team's file, or of any text that holds such lines.
///
/// # Errors
/// [`Code::BadKey`] with the number of the line that cannot be read.
pub fn read_lines<T: FromStr<Err = Error>>(text: &str) -> Result<Vec<T>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(i, line)| line.parse::<T>().map_err(|e| e.context(&format!("line {}", i + 1))))
        .collect()
}

fn bad(why: &'static str) -> Error {
    Error::new(Code::BadKey, why)
}

fn checked_comment(comment: &str) -> Result<String> {
    if !plain_text(comment, MAX_COMMENT) {
        return Err(bad("a name has at most 256 bytes and no control characters"));
    }
    Ok(comment.trim().to_owned())
}

fn write_line(f: &mut fmt::Formatter<'_>, kind: &str, keys: &str, comment: &str) -> fmt::Result {
    write!(f, "bulla-{kind}:{keys}")?;
    if comment.is_empty() { Ok(()) } else { write!(f, " {comment}") }
}

/// Kind, key bytes and comment of a line.
fn split_line(line: &str) -> Result<(&str, Vec<u8>, &str)> {
    let (keys, comment) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let (kind, keys) = keys
        .strip_prefix("bulla-")
        .and_then(|rest| rest.split_once(':'))
        .ok_or_else(|| bad("not a public line: it starts with bulla-"))?;
    let bytes = unb64(keys).ok_or_else(|| bad("the key in the line is not base64url"))?;
    Ok((kind, bytes, comment))
}
