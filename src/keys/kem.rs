//! KEM keys and the one HPKE suite a kind (RFC 9180; X-Wing is KEM id 0x647a).

use crate::encoding::{KeyId, sha256};
use crate::memory::{DEEP, Secret, on_wiped_stack};
use crate::{Code, Error, Result};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The kind of a KEM key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KemKind {
    /// X-Wing: ML-KEM-768 and X25519 together. The default.
    Hybrid,
    /// X25519 alone: smaller and faster, not safe against quantum computers.
    X25519,
}

impl KemKind {
    /// The name in wraps and public lines.
    pub fn name(self) -> &'static str {
        match self {
            KemKind::Hybrid => "hybrid",
            KemKind::X25519 => "x25519",
        }
    }

    /// By its name; `None` for a kind that is not known here.
    pub fn from_name(name: &str) -> Option<Self> {
        [KemKind::Hybrid, KemKind::X25519].into_iter().find(|k| k.name() == name)
    }

    /// Bytes of a public key.
    pub fn public_len(self) -> usize {
        match self {
            KemKind::Hybrid => 1216,
            KemKind::X25519 => 32,
        }
    }

    /// Bytes of an encapsulated key.
    pub(crate) fn enc_len(self) -> usize {
        match self {
            KemKind::Hybrid => 1120,
            KemKind::X25519 => 32,
        }
    }
}

/// A public KEM key that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KemPublic {
    pub(crate) kind: KemKind,
    pub(crate) bytes: Vec<u8>,
}

impl KemPublic {
    /// Checks length, encoding and that the X25519 half is not of low order.
    pub(crate) fn new(kind: KemKind, bytes: &[u8]) -> Result<Self> {
        let bad = |why| Err(Error::new(Code::BadKey, why));
        if bytes.len() != kind.public_len() {
            return bad("the public key has the wrong length for its kind");
        }
        // The KEM itself accepts such a half and would fall back to ML-KEM alone, silently.
        if low_order_half(bytes) {
            return bad("the public key is unusable: its X25519 part is of low order");
        }
        if kind == KemKind::Hybrid && <XWing as Kem>::PublicKey::from_bytes(bytes).is_err() {
            return bad("the public key is not a valid ML-KEM-768 key");
        }
        Ok(KemPublic { kind, bytes: bytes.to_vec() })
    }

    pub(crate) fn key_id(&self) -> KeyId {
        KeyId(sha256(&self.bytes))
    }

    /// HPKE base mode, one message, empty AAD: (`enc`, `ct`).
    pub(crate) fn seal(&self, info: &[u8], key: &Secret) -> Result<(Vec<u8>, Vec<u8>)> {
        on_wiped_stack::<DEEP, _>(|| match self.kind {
            KemKind::Hybrid => seal::<XWing>(&self.bytes, info, key),
            KemKind::X25519 => seal::<X25519HkdfSha256>(&self.bytes, info, key),
        })
    }
}

/// The x-coordinates of order 1, 2, 4 and 8 in all encodings that X25519 (RFC 7748) reads, which
/// takes 255 bits modulo 2^255 − 19: 0, 1, the two of order 8, −1, and 0 and 1 plus the modulus.
const LOW_ORDER: [[u8; 32]; 7] = {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let [zero, mut one, mut minus_one, mut p_plus_one] = [[0; 32], [0; 32], p, p];
    (one[0], minus_one[0], p_plus_one[0]) = (1, 0xec, 0xee);
    let eight = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ];
    let other_eight = [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ];
    [zero, one, eight, other_eight, minus_one, p, p_plus_one]
};

/// Whether the last 32 bytes, the X25519 half of a key or encapsulated key, are of low order. They
/// are public: comparing them need not take constant time.
pub(crate) fn low_order_half(bytes: &[u8]) -> bool {
    bytes.last_chunk().is_none_or(|half: &[u8; 32]| {
        let mut half = *half;
        half[31] &= 0x7f;
        LOW_ORDER.contains(&half)
    })
}

fn seal<K: Kem>(public: &[u8], info: &[u8], key: &Secret) -> Result<(Vec<u8>, Vec<u8>)> {
    let bad = |_| Error::new(Code::BadKey, "the recipient's public key cannot be used");
    let public = K::PublicKey::from_bytes(public).map_err(bad)?;
    let (enc, ct) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        info,
        key.expose(),
        &[],
    )
    .map_err(bad)?;
    Ok((enc.to_bytes().to_vec(), ct))
}

/// A secret KEM key: X-Wing's 32-byte seed, or X25519's 32-byte scalar.
pub(crate) struct KemSecret {
    pub(crate) kind: KemKind,
    pub(crate) secret: Secret,
    public: KemPublic,
}

impl KemSecret {
    pub(crate) fn generate(kind: KemKind) -> Self {
        // Any 32 bytes are a seed, or a scalar that is clamped when used.
        Self::from_secret(kind, Secret::random())
    }

    pub(crate) fn from_secret(kind: KemKind, secret: Secret) -> Self {
        let bytes = on_wiped_stack::<DEEP, _>(|| match kind {
            KemKind::Hybrid => public::<XWing>(&secret),
            KemKind::X25519 => public::<X25519HkdfSha256>(&secret),
        });
        KemSecret { kind, secret, public: KemPublic { kind, bytes } }
    }

    pub(crate) fn public(&self) -> &KemPublic {
        &self.public
    }

    /// Opens what [`KemPublic::seal`] made; `None` if it was made for anything else.
    pub(crate) fn open(&self, info: &[u8], enc: &[u8], ct: &[u8]) -> Option<Secret> {
        // Plain X25519 refuses these by RFC 9180; X-Wing leaves it to us.
        if low_order_half(enc) {
            return None;
        }
        let key = on_wiped_stack::<DEEP, _>(|| match self.kind {
            KemKind::Hybrid => open::<XWing>(&self.secret, info, &[], enc, ct),
            KemKind::X25519 => open::<X25519HkdfSha256>(&self.secret, info, &[], enc, ct),
        })?;
        Secret::from_slice(&key)
    }
}

fn private<K: Kem>(secret: &Secret) -> K::PrivateKey {
    K::PrivateKey::from_bytes(secret.expose()).expect("32 bytes are a private key of either kind")
}

fn public<K: Kem>(secret: &Secret) -> Vec<u8> {
    K::sk_to_pk(&private::<K>(secret)).to_bytes().to_vec()
}

fn open<K: Kem>(
    secret: &Secret,
    info: &[u8],
    aad: &[u8],
    enc: &[u8],
    ct: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let enc = K::EncappedKey::from_bytes(enc).ok()?;
    let mut ctx = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, K>(
        &OpModeR::Base,
        &private::<K>(secret),
        &enc,
        info,
    )
    .ok()?;
    ctx.open(ct, aad).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_crate() {
        for kind in [KemKind::Hybrid, KemKind::X25519] {
            let key = KemSecret::generate(kind);
            let public = KemPublic::new(kind, &key.public().bytes).unwrap();
            assert_eq!(&public, key.public());
            let file_key = Secret::random();
            let (enc, ct) = public.seal(b"info", &file_key).unwrap();
            assert_eq!((enc.len(), ct.len()), (kind.enc_len(), 48));
            assert_eq!(key.open(b"info", &enc, &ct).unwrap().expose(), file_key.expose());
            assert!(key.open(b"inf0", &enc, &ct).is_none());
            assert!(KemSecret::generate(kind).open(b"info", &enc, &ct).is_none());
        }
    }

    /// Published vectors of the two suites, through the function that opens wraps.
    #[test]
    fn published_vectors() {
        let vectors: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(include_str!("../../tests/vectors/hpke.json")).unwrap();
        assert_eq!(vectors.len(), 2);
        for v in &vectors {
            let bytes = |name: &str| {
                let hex = v[name].as_str().unwrap();
                data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
            };
            let secret = Secret::from_slice(&bytes("secret")).unwrap();
            let (info, aad, enc, ct) = (bytes("info"), bytes("aad"), bytes("enc"), bytes("ct"));
            let open = |enc: &[u8]| match v["kind"].as_str().unwrap() {
                "hybrid" => open::<XWing>(&secret, &info, &aad, enc, &ct),
                _ => open::<X25519HkdfSha256>(&secret, &info, &aad, enc, &ct),
            };
            assert_eq!(*open(&enc).expect("opens"), bytes("pt"), "{}", v["source"]);
            let changed = [&enc[..enc.len() - 1], &[enc[enc.len() - 1] ^ 1]].concat();
            assert!(open(&changed).is_none());
        }
    }

    /// The seven low-order points of curve25519, as in libsodium's and Wycheproof's lists.
    #[test]
    fn low_order_points_are_refused() {
        let good = KemSecret::generate(KemKind::Hybrid).public().bytes.clone();
        for hex in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let point = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            let mut high = <[u8; 32]>::try_from(&point[..]).unwrap();
            assert_eq!(x25519_dalek::x25519([0x55; 32], high), [0; 32]);
            high[31] |= 0x80;
            assert!(low_order_half(&high), "{hex}");
            assert!(KemPublic::new(KemKind::X25519, &point).is_err(), "{hex}");
            let hybrid = [&good[..1184], &point].concat();
            assert!(KemPublic::new(KemKind::Hybrid, &hybrid).is_err(), "{hex}");
        }
    }

    #[test]
    fn other_points_are_not_of_low_order() {
        for _ in 0..100 {
            let key = KemSecret::generate(KemKind::X25519);
            assert!(!low_order_half(&key.public().bytes));
        }
        for n in 2..=255 {
            let mut point = [0; 32];
            point[0] = n;
            let low = x25519_dalek::x25519([0x55; 32], point) == [0; 32];
            assert_eq!(low_order_half(&point), low);
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        for n in [0, 31, 33, 1215, 1217] {
            assert!(KemPublic::new(KemKind::X25519, &vec![9; n]).is_err());
            assert!(KemPublic::new(KemKind::Hybrid, &vec![9; n]).is_err());
        }
    }
}
