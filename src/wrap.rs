//! Key wraps: a file key or batch key for one recipient, under one policy, for one file or batch.

use crate::encoding::{Id, KeyId, sha256};
use crate::keys::{KemKind, KemSecret, Recipient};
use crate::memory::Secret;
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};

/// What the wrapped key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// One file's key.
    File,
    /// A batch key, from which each file's key is derived.
    Batch,
}

/// One wrap of a license.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrap {
    /// A [`KemKind`]'s name, or one that is not known here.
    pub(crate) kind: String,
    pub(crate) scope: Scope,
    pub(crate) to: KeyId,
    pub(crate) enc: String,
    pub(crate) ct: String,
}

impl Wrap {
    /// The kind, where it is known.
    pub(crate) fn kind(&self) -> Option<KemKind> {
        KemKind::from_name(&self.kind)
    }

    /// Exact lengths for known kinds.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let Some(kind) = self.kind() else { return Ok(()) };
        let len = |text: &str| crate::encoding::unb64(text).map(|b| b.len());
        if len(&self.enc) != Some(kind.enc_len()) || len(&self.ct) != Some(48) {
            return Err("a wrap has the wrong length for its kind");
        }
        Ok(())
    }
}

/// HPKE's `info`: what the wrap is bound to.
fn info(scope: Scope, id: &Id, policy: &[u8], to: &KeyId) -> Vec<u8> {
    let scope = match scope {
        Scope::File => 1,
        Scope::Batch => 2,
    };
    let policy = sha256(policy);
    [b"bulla/1 wrap\0", &[scope][..], id.as_bytes(), &policy, to.as_bytes()].concat()
}

/// Wraps `key` for a recipient.
pub(crate) fn wrap(
    recipient: &Recipient,
    scope: Scope,
    id: &Id,
    policy: &[u8],
    key: &Secret,
) -> Result<Wrap> {
    let to = recipient.key_id();
    let (enc, ct) = recipient.0.seal(&info(scope, id, policy, &to), key)?;
    let text = crate::encoding::b64;
    let kind = recipient.kind().name().to_owned();
    Ok(Wrap { kind, scope, to, enc: text(&enc), ct: text(&ct) })
}

/// What stands for a wrap and all that it was made for.
pub(crate) fn digest(wrap: &Wrap, id: &Id, policy: &[u8]) -> [u8; 32] {
    // The parts before the texts have fixed lengths, and the texts' lengths are those of the kind.
    let info = info(wrap.scope, id, policy, &wrap.to);
    sha256(&[&info, wrap.kind.as_bytes(), b"\0", wrap.enc.as_bytes(), wrap.ct.as_bytes()].concat())
}

/// Opens the wrap with the secret key that it was made for.
///
/// # Errors
/// [`Code::NotRecipient`] if the key is of another kind, [`Code::Wrap`] if it does not open.
pub(crate) fn unwrap(secret: &KemSecret, wrap: &Wrap, id: &Id, policy: &[u8]) -> Result<Secret> {
    if wrap.kind() != Some(secret.kind) {
        return Err(Error::new(Code::NotRecipient, "the wrap is of another kind than this key"));
    }
    let text = |t: &str| crate::encoding::unb64(t).unwrap_or_default();
    secret
        .open(&info(wrap.scope, id, policy, &wrap.to), &text(&wrap.enc), &text(&wrap.ct))
        .ok_or_else(|| {
            Error::new(
                Code::Wrap,
                "the wrapped key does not open: it was changed, or made for another file or policy",
            )
        })
}
