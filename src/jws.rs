//! Compact JWS (RFC 7515) for our own signed objects: `alg` `Ed25519` (RFC 9864) and nothing else.
//!
//! The JWT crates at hand do not know this `alg` name and decode leniently; what is needed here is
//! three canonical base64url parts, one fixed header and one signature.

use crate::encoding::{Thumbprint, b64, unb64, unb64_array};
use crate::keys::{SigningKey, VerifyingKey};
use crate::{Code, Error, Result, json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Longest signed object that is read, in bytes.
pub(crate) const MAX_TOKEN: usize = 4 << 20;

/// Longest header part, in characters; ours have about 130 and 220.
const MAX_HEADER: usize = 1024;

/// What an object says about itself: its `typ`, and the rules that its claims' types cannot say.
pub(crate) trait Object: Serialize + DeserializeOwned {
    const TYP: &'static str;

    /// Whether the signer's key may stand in the header: in delegated licenses only.
    const EMBEDS_KEY: bool = false;

    /// The name in error messages.
    const NAME: &'static str;

    /// The first rule that the claims break.
    fn check(&self) -> Result<(), &'static str>;
}

/// Who claims to have signed.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    /// A key known by its thumbprint.
    Kid(Thumbprint),
    /// The key itself; only in delegated licenses.
    Jwk(VerifyingKey),
}

/// A signed object that was read; whether its signature holds is up to [`verify`](Self::verify).
#[derive(Clone, Debug)]
pub(crate) struct Token<T> {
    pub(crate) text: String,
    pub(crate) signer: Signer,
    pub(crate) claims: T,
    signature: [u8; 64],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<Thumbprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<VerifyingKey>,
}

/// The parts of a compact JWS, and what its signature is over.
pub(crate) struct Parts<'a> {
    /// The header's bytes: JSON, if it is a JWS at all.
    pub(crate) header: Vec<u8>,
    claims: &'a str,
    signature: &'a str,
    /// The first two parts with the dot between them.
    pub(crate) signed: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes `text` apart, and decodes no more than the header.
    pub(crate) fn of(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > MAX_TOKEN {
            return Err("it is too long");
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("it does not have three parts");
        };
        if header.len() > MAX_HEADER {
            return Err("its header is too long");
        }
        let signed = &text[..header.len() + 1 + claims.len()];
        Ok(Parts { header: decoded(header)?, claims, signature, signed })
    }

    /// The bytes of the claims.
    pub(crate) fn claims(&self) -> Result<Vec<u8>, &'static str> {
        decoded(self.claims)
    }

    /// The bytes of the signature.
    pub(crate) fn signature(&self) -> Result<Vec<u8>, &'static str> {
        decoded(self.signature)
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, &'static str> {
    unb64(part).ok_or("a part is not canonical base64url")
}

impl<T: Object> Token<T> {
    /// Reads `text` strictly. `code` is the code of errors: another one inside an envelope.
    pub(crate) fn parse(text: &str, code: Code) -> Result<Self> {
        let bad = |why: &str| Error::new(code, format!("not a valid {}: {why}", T::NAME));
        let parts = Parts::of(text).map_err(bad)?;
        let header: Header =
            json::from_slice(&parts.header).map_err(|e| bad(&format!("its header {e}")))?;
        if header.alg != "Ed25519" {
            return Err(bad("its alg is not Ed25519"));
        }
        if header.typ != T::TYP {
            return Err(bad("its typ is another object's"));
        }
        let signer = match (header.kid, header.jwk) {
            (Some(kid), None) => Signer::Kid(kid),
            (None, Some(key)) if T::EMBEDS_KEY => Signer::Jwk(key),
            _ => return Err(bad("its header names no signer, or two")),
        };
        let claims: T = json::from_slice(&parts.claims().map_err(bad)?)
            .map_err(|e| bad(&format!("its content: {e}")))?;
        claims.check().map_err(bad)?;
        let signature = unb64_array(parts.signature)
            .ok_or_else(|| bad("its signature is not 64 bytes in base64url"))?;
        Ok(Token { text: text.to_owned(), signer, claims, signature })
    }

    /// Signs `claims`.
    pub(crate) fn sign(claims: T, key: &SigningKey, embed_key: bool) -> Self {
        let public = key.public();
        let signer =
            if embed_key { Signer::Jwk(public.clone()) } else { Signer::Kid(public.thumbprint()) };
        let (kid, jwk) = match &signer {
            Signer::Kid(kid) => (Some(*kid), None),
            Signer::Jwk(key) => (None, Some(key.clone())),
        };
        let header = Header { alg: "Ed25519".into(), typ: T::TYP.into(), kid, jwk };
        let part = |json: serde_json::Result<Vec<u8>>| b64(&json.expect("plain data"));
        let mut text = part(serde_json::to_vec(&header));
        text.push('.');
        text.push_str(&part(serde_json::to_vec(&claims)));
        let signature = key.sign(text.as_bytes());
        text.push('.');
        text.push_str(&b64(&signature));
        Token { text, signer, claims, signature }
    }

    /// Verifies the signature under `key`.
    pub(crate) fn verify(&self, key: &VerifyingKey) -> Result<()> {
        let signed = self.text.rfind('.').expect("a token has three parts");
        if key.verify(&self.text.as_bytes()[..signed], &self.signature) {
            return Ok(());
        }
        let why = format!("the signature of the {} does not verify: it was changed", T::NAME);
        Err(Error::new(Code::Signature, why))
    }

    /// The thumbprint of the key that claims to have signed.
    pub(crate) fn kid(&self) -> Thumbprint {
        match &self.signer {
            Signer::Kid(kid) => *kid,
            Signer::Jwk(key) => key.thumbprint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        let text = |len: usize| format!("e30.{}.", "A".repeat(len - "e30..".len()));
        assert!(Parts::of(&text(MAX_TOKEN)).is_ok());
        assert_eq!(Parts::of(&text(MAX_TOKEN + 1)).err(), Some("it is too long"));
        let text = |len: usize| format!("{}..", "A".repeat(len));
        assert!(Parts::of(&text(MAX_HEADER)).is_ok());
        assert_eq!(Parts::of(&text(MAX_HEADER + 1)).err(), Some("its header is too long"));
    }
}
