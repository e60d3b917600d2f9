//! Forging, by the published format alone, as somebody would who knows the secrets of devices:
//! envelopes and tokens are taken apart, changed, and signed again with a key of the forger's.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[track_caller]
pub fn unb64(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url")
}

#[track_caller]
fn unhex(text: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_str().expect("an id").as_bytes()).expect("hex")
}

/// The secrets in a key file that has no passphrase: an identity's, or a root's.
pub struct Secrets {
    pub signing: SigningKey,
    kem: Option<[u8; 32]>,
}

impl Secrets {
    #[track_caller]
    pub fn of(key_file: &str) -> Self {
        let file: Value = serde_json::from_str(key_file).expect("a key file");
        let seed = |name: &str| file[name].as_str().map(|t| unb64(t).try_into().expect("32 bytes"));
        let signing = SigningKey::from_bytes(&seed("signing").expect("a seed in the clear"));
        Secrets { signing, kem: seed("kem") }
    }

    /// The signing key as a JWK.
    pub fn jwk(&self) -> Value {
        let x = b64(&self.signing.verifying_key().to_bytes());
        json!({"crv": "Ed25519", "kty": "OKP", "x": x})
    }

    pub fn thumbprint(&self) -> String {
        b64(&Sha256::digest(self.jwk().to_string()))
    }

    fn private(&self) -> <X25519HkdfSha256 as Kem>::PrivateKey {
        let kem = self.kem.as_ref().expect("an identity");
        Deserializable::from_bytes(kem).expect("32 bytes")
    }

    pub fn public(&self) -> [u8; 32] {
        let public = X25519HkdfSha256::sk_to_pk(&self.private()).to_bytes();
        public.as_slice().try_into().expect("32 bytes")
    }

    fn key_id(&self) -> String {
        b64(&Sha256::digest(self.public()))
    }

    /// The file's or batch's key out of a license, and whether it is a batch's.
    #[track_caller]
    pub fn unwrap(&self, claims: &Value) -> ([u8; 32], bool) {
        let wraps = claims["wraps"].as_array().expect("wraps");
        let wrap = wraps.iter().find(|w| w["to"] == self.key_id().as_str()).expect("a recipient");
        let batch = wrap["scope"] == "batch";
        let part = |name: &str| unb64(wrap[name].as_str().expect("text"));
        let enc = Deserializable::from_bytes(&part("enc")).expect("32 bytes");
        let key = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private(),
            &enc,
            &info(claims, batch, &self.public()),
            &part("ct"),
            &[],
        );
        (key.expect("the wrap opens").try_into().expect("32 bytes"), batch)
    }
}

fn info(claims: &Value, batch: bool, to: &[u8; 32]) -> Vec<u8> {
    let id = unhex(if batch { &claims["batch"] } else { &claims["file"] });
    let policy = Sha256::digest(unb64(claims["policy"].as_str().expect("text")));
    let to = Sha256::digest(to);
    [b"bulla/1 wrap\0", &[1 + u8::from(batch)][..], &id, &policy, &to].concat()
}

/// Wraps a file key for each of these public keys, under the claims' file and policy.
pub fn wrap(claims: &mut Value, key: &[u8; 32], to: &[[u8; 32]]) {
    let wraps: Vec<Value> = to
        .iter()
        .map(|to| {
            let public = Deserializable::from_bytes(to).expect("a key");
            let (enc, ct) =
                hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                    &OpModeS::Base,
                    &public,
                    &info(claims, false, to),
                    key,
                    &[],
                )
                .expect("wrapping");
            let id = b64(&Sha256::digest(to));
            json!({"kind": "x25519", "scope": "file", "to": id, "enc": b64(&enc.to_bytes()), "ct": b64(&ct)})
        })
        .collect();
    claims["wraps"] = wraps.into();
    claims.as_object_mut().expect("an object").remove("batch");
}

/// A compact JWS taken apart.
#[derive(Clone)]
pub struct Token {
    pub header: Value,
    pub claims: Value,
}

impl Token {
    #[track_caller]
    pub fn of(text: &str) -> Self {
        let mut parts = text.trim().split('.').map(unb64);
        let mut part = || serde_json::from_slice(&parts.next().expect("a part")).expect("JSON");
        Token { header: part(), claims: part() }
    }

    /// The text, signed by this key whatever the header says.
    pub fn signed(&self, by: &SigningKey) -> String {
        let part = |value: &Value| b64(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = b64(&by.sign(text.as_bytes()).to_bytes());
        format!("{text}.{signature}")
    }
}

/// An envelope taken apart.
#[derive(Clone)]
pub struct Envelope {
    /// Line 1.
    pub license: String,
    /// Line 2.
    pub description: String,
    pub payload: Vec<u8>,
}

impl Envelope {
    #[track_caller]
    pub fn of(sealed: &[u8]) -> Self {
        let at = u32::from_le_bytes(sealed[8..12].try_into().expect("4 bytes")) as usize;
        let mut lines = sealed[12..at].split(|b| *b == b'\n');
        let mut line = || String::from_utf8(lines.next().expect("a line").to_vec()).expect("text");
        let (license, description) = (line(), line());
        Envelope { license, description, payload: sealed[at..].to_vec() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let lines = format!("{}\n{}\n", self.license, self.description);
        let at = (12 + lines.len()).next_multiple_of(4096);
        let mut out = b"\x89BULLA\x01\n".to_vec();
        out.extend((at as u32).to_le_bytes());
        out.extend(lines.as_bytes());
        out.resize(at, 0);
        [out, self.payload.clone()].concat()
    }

    pub fn token(&self) -> Token {
        Token::of(&self.license)
    }
}
