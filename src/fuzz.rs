//! What only the fuzz targets call: inner parts, at a time that is given.

use crate::aead::{self, Aead};
use crate::facts::{self, About, VerifiedBadge};
use crate::{Result, Thumbprint, Trust};

/// What a badge is worth; see `docs/tokens.md`.
pub fn badge(
    text: &str,
    trust: &Trust,
    root: &Thumbprint,
    device: &Thumbprint,
    now: u64,
) -> Result<VerifiedBadge> {
    facts::verify_badge(text, trust, root, device, now)
}

/// What an attestation is worth.
pub struct Attested {
    /// The fact's name.
    pub kind: String,
    /// Whom or what it is about.
    pub about: About,
    /// Unix seconds.
    pub issued: u64,
    /// Unix seconds, exclusive, with the leeway added.
    pub expires: u64,
    /// The key that signed.
    pub signer: Thumbprint,
}

/// What an attestation is worth; see `docs/tokens.md`.
pub fn attestation(text: &str, trust: &Trust, root: &Thumbprint, now: u64) -> Result<Attested> {
    let found = facts::verify_attestation(text, trust, root, now)?;
    let facts::VerifiedAttestation { kind, about, issued, expires, signer, .. } = found;
    Ok(Attested { kind, about, issued, expires, signer })
}

/// An AEAD backend.
#[derive(Clone, Copy, Debug)]
pub enum Backend {
    /// aws-lc-rs.
    AwsLc,
    /// RustCrypto.
    PureRust,
}

impl Backend {
    /// Ciphertext and tag.
    pub fn seal(self, key: &[u8; 32], nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
        fn with<A: Aead>(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], text: &[u8]) -> Vec<u8> {
            let mut sealed = text.to_vec();
            let tag = A::new(key).seal(nonce, aad, &mut sealed);
            sealed.extend(tag);
            sealed
        }
        match self {
            Backend::AwsLc => with::<aead::aws_lc::Aes256Gcm>(key, nonce, aad, text),
            Backend::PureRust => with::<aead::rust_crypto::Aes256Gcm>(key, nonce, aad, text),
        }
    }

    /// The plaintext, in both ways; `None` if it does not verify.
    pub fn open(
        self,
        key: &[u8; 32],
        nonce: [u8; 12],
        aad: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        fn with<A: Aead>(
            key: &[u8; 32],
            nonce: [u8; 12],
            aad: &[u8],
            sealed: &[u8],
        ) -> Option<Vec<u8>> {
            let key = A::new(key);
            let mut text = sealed.to_vec();
            let mut apart = vec![0; sealed.len().saturating_sub(aead::TAG)];
            let opened = key.open(nonce, aad, &mut text);
            assert_eq!(key.open_into(nonce, aad, sealed, &mut apart), opened, "the ways to open");
            if opened.is_err() {
                assert!(apart.iter().all(|b| *b == 0), "plaintext is left");
                return None;
            }
            text.truncate(apart.len());
            assert!(text == apart, "the ways to open give different plaintexts");
            Some(text)
        }
        match self {
            Backend::AwsLc => with::<aead::aws_lc::Aes256Gcm>(key, nonce, aad, sealed),
            Backend::PureRust => with::<aead::rust_crypto::Aes256Gcm>(key, nonce, aad, sealed),
        }
    }
}
