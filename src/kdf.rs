//! HKDF-Expand (RFC 5869 section 2.3) with SHA-512, from 32-byte keys.

use crate::memory::{SHALLOW, Secret, on_wiped_stack};
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

/// Expands `key` with the concatenation of `info` into `out` (at most 255 × 64 bytes).
pub(crate) fn expand(key: &[u8; 32], info: &[&[u8]], out: &mut [u8]) {
    // The crate wants keys of at least the hash's length, as Extract gives them. HMAC pads a key
    // with zeros to its block, so zeros up to 64 bytes change nothing.
    on_wiped_stack::<SHALLOW, _>(|| {
        let mut padded = Zeroizing::new([0; 64]);
        padded[..32].copy_from_slice(key);
        let hkdf = Hkdf::<Sha512>::from_prk(&*padded).expect("64 bytes is the hash's length");
        hkdf.expand_multi_info(info, out).expect("callers ask for less than 255 blocks");
    });
}

/// The 32-byte subkey of `key` for one purpose and one file.
pub(crate) fn subkey(key: &Secret, label: &str, file: &[u8; 16]) -> Secret {
    Secret::fill(|out| expand(key.expose(), &[label.as_bytes(), &[0], file], out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against Python: `hmac.digest(bytes(range(32)), b"bulla\x01", "sha512")[:42]`.
    #[test]
    fn matches_hmac_with_a_short_key() {
        let key: [u8; 32] = std::array::from_fn(|i| i as u8);
        let mut out = [0; 42];
        expand(&key, &[b"bul", b"la"], &mut out);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&out),
            "de635295fd97efd06ee2915b7586cbbceb6527d7fa7f92a499f27ee66a87d6d6f1cfa53f4fd52f64c931"
        );
    }
}
