//! The signatures of a company's single sign-on, by the kind of the trusted key and nothing else.

use crate::encoding::b64;
use crate::rsa::weakness;
use crate::trust::PublicKey;
use jsonwebtoken::{Algorithm, DecodingKey};

// Named here, never found out at run time: jsonwebtoken's own choice panics where both backends
// are compiled in, and a host program's choice is its own.
#[cfg(feature = "aws-lc")]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
#[cfg(not(feature = "aws-lc"))]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

/// Longest RSA modulus that the backend takes, in bits.
pub(crate) const MAX_RSA: usize = if cfg!(feature = "aws-lc") { 8192 } else { 4096 };

/// Whether this build verifies signatures of this key at all: one backend has no lower bound, and neither
/// looks at all that makes a key weak.
pub(crate) fn usable(key: &PublicKey) -> bool {
    match key {
        PublicKey::Rsa { n, e } => {
            let zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
            (2048..=MAX_RSA).contains(&(8 * n.len() - zeros)) && weakness(n, e).is_none()
        }
        _ => true,
    }
}

/// Verifies RS256 for RSA keys, ES256 for P-256 keys (the raw 64 bytes of RFC 7518), and Ed25519
/// strictly, as in our own objects: the backends differ in what they let pass there.
pub(crate) fn verifies(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let (alg, key) = match key {
        PublicKey::Ed25519(key) => {
            return signature.try_into().is_ok_and(|signature| key.verify(message, signature));
        }
        PublicKey::Rsa { n, e } => (Algorithm::RS256, DecodingKey::from_rsa_raw_components(n, e)),
        PublicKey::P256 { x, y } => match DecodingKey::from_ec_components(&b64(x), &b64(y)) {
            Ok(key) => (Algorithm::ES256, key),
            Err(_) => return false,
        },
    };
    (DEFAULT_PROVIDER.verifier_factory)(&alg, &key)
        .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
}
