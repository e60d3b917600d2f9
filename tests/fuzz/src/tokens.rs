//! Badges and attestations, ours and a single sign-on's: texts as they are, and claims with edits,
//! signed by a key of the tests. What counts was signed by the key that is named, and says what the
//! claims say.

use crate::json::{self, parts};
use arbitrary::{Result, Unstructured};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use bulla::{About, Thumbprint, Trust, TrustList, VerifiedBadge, fuzz};
use data_encoding::BASE64;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 60;

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

struct Setting {
    now: u64,
    root: Thumbprint,
    device: Thumbprint,
    trust: Trust,
    /// By the names of their files, with their thumbprints.
    keys: Vec<(Key, String)>,
    tokens: Vec<(Map<String, Value>, Map<String, Value>)>,
    /// What was signed by somebody else than this target, without the signatures.
    signed: BTreeSet<String>,
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Value {
    let path = tests().join("vectors/tokens").join(path);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

impl Key {
    fn of(pem: &str) -> Self {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = BASE64.decode(lines.as_bytes()).expect("base64");
        if let Ok(key) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Key::Ed25519(key);
        }
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map(Key::P256)
            .unwrap_or_else(|_| Key::Rsa(RsaKeyPair::from_pkcs8(&der).expect("a key")))
    }

    fn alg(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Rsa(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut out).expect("a signature");
                out
            }
            Key::P256(key) => key.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Key::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        let setting = read("setting.json");
        let root = setting["roots"][0].as_str().unwrap().parse::<bulla::RootLine>().unwrap();
        let mut trust = Trust::default();
        trust.pin(root.clone());
        let list = TrustList::parse(setting["lists"]["main"].as_str().unwrap()).unwrap();
        trust.use_list(list).unwrap();
        let device = serde_json::from_value(setting["device"].clone()).unwrap();
        // Signing with the largest would be most of the work; with the smallest nothing signs.
        let signers: BTreeMap<String, String> =
            serde_json::from_value(setting["signers"].clone()).unwrap();
        let apart = ["rsa-8192", "rsa-2047"];
        let keys = signers.into_iter().filter(|(name, _)| !apart.contains(&name.as_str()));
        let key = |(name, thumbprint): (String, String)| {
            let path = tests().join(format!("tokens/keys/{name}.pem"));
            (Key::of(&std::fs::read_to_string(path).unwrap()), thumbprint)
        };
        let keys = keys.map(key).collect();
        let cases = ["pyjwt.json", "jose.json", "openssl.json"].map(read);
        let cases: Vec<&Value> = cases.iter().flat_map(|c| c.as_array().unwrap()).collect();
        let sound = cases.iter().filter(|case| case["expect"].get("error").is_none());
        let texts: Vec<&str> = sound.map(|case| case["token"].as_str().unwrap()).collect();
        Setting {
            now: setting["now"].as_u64().unwrap(),
            root: root.thumbprint(),
            device,
            trust,
            keys,
            tokens: texts.iter().map(|text| parts(text)).collect(),
            signed: texts.iter().map(|text| signed(text)).collect(),
        }
    })
}

fn signed(token: &str) -> String {
    token.trim().rsplit_once('.').expect("a signature").0.to_owned()
}

pub fn run(data: &[u8]) -> bool {
    let Some((mode, rest)) = data.split_first() else { return false };
    if mode % 2 == 0 {
        return std::str::from_utf8(rest).is_ok_and(as_it_is);
    }
    made(&mut Unstructured::new(rest)).unwrap_or(false)
}

/// Nobody can make signatures: what counts was signed before.
fn as_it_is(text: &str) -> bool {
    let s = setting();
    let badge = fuzz::badge(text, &s.trust, &s.root, &s.device, s.now).is_ok();
    let attestation = fuzz::attestation(text, &s.trust, &s.root, s.now).is_ok();
    assert!(!(badge && attestation), "a token is both");
    let counts = badge || attestation;
    assert!(!counts || s.signed.contains(&signed(text)), "nobody signed this");
    counts
}

fn made(u: &mut Unstructured<'_>) -> Result<bool> {
    let s = setting();
    let (header, claims) = u.choose(&s.tokens)?;
    let named = header.get("kid").and_then(Value::as_str).map(str::to_owned);
    let issuer = claims.get("iss").and_then(Value::as_str).map(str::to_owned);
    // Mostly the key that should sign: the one named, or that of the issuer's name.
    let rightful = s.keys.iter().position(|(_, t)| Some(t) == named.as_ref());
    let key = match rightful {
        Some(key) if u.ratio(3, 4)? => key,
        _ => u.choose_index(s.keys.len())?,
    };
    let (key, thumbprint) = &s.keys[key];
    let mut header = header.clone();
    if named.is_none() && issuer.is_some() && u.ratio(3, 4)? {
        header.insert("alg".into(), key.alg().into());
    }
    let header = json::edited(u, &header, 1)?;
    let text = json::edited(u, claims, 3)?;
    let token = json::jws(&header, &text, |message| key.sign(message));
    let badge = fuzz::badge(&token, &s.trust, &s.root, &s.device, s.now);
    let attestation = fuzz::attestation(&token, &s.trust, &s.root, s.now);
    assert!(badge.is_err() || attestation.is_err(), "a token is both");
    let claims: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let signer = match (&badge, &attestation) {
        (Ok(badge), _) => {
            badge_holds(s, badge, &claims);
            badge.signer
        }
        (_, Ok(attestation)) => {
            assert_eq!(claims["kind"], attestation.kind.as_str());
            let period = (attestation.issued, attestation.expires);
            period_holds(s, period, &claims);
            match &attestation.about {
                About::Subject(subject) => assert_eq!(claims["sub"], subject.as_str()),
                About::Device(device) => assert_eq!(claims["device"], device.to_string()),
            }
            attestation.signer
        }
        _ => return Ok(false),
    };
    assert_eq!(signer.to_string(), *thumbprint, "signed by another: {token}");
    Ok(true)
}

/// Whole seconds: a single sign-on's may have parts.
fn time(claim: &Value) -> u64 {
    claim.as_f64().expect("a time") as u64
}

fn period_holds(s: &Setting, (issued, expires): (u64, u64), claims: &Value) {
    assert_eq!((time(&claims["iat"]), time(&claims["exp"])), (issued, expires - LEEWAY));
    assert!(issued <= s.now + LEEWAY && s.now < expires && issued < expires - LEEWAY);
    let from = claims.get("nbf").map_or(0, time);
    assert!(from <= s.now + LEEWAY);
}

fn badge_holds(s: &Setting, badge: &VerifiedBadge, claims: &Value) {
    period_holds(s, (badge.issued, badge.expires), claims);
    assert!(badge.expires - LEEWAY - badge.issued <= 31 * 86_400);
    assert_eq!(claims["sub"], badge.subject.as_str());
    assert_eq!(claims["cnf"]["jkt"], s.device.to_string());
    let list = s.trust.list(&s.root).expect("a list");
    let key = list.keys().iter().find(|key| key.jwk.thumbprint() == badge.signer);
    let key = key.expect("a key of the list");
    for (name, expected) in [("iss", &key.iss), ("aud", &key.aud)] {
        let Some(expected) = expected else { continue };
        let said = claims[name].as_str() == Some(expected)
            || claims[name].as_array().is_some_and(|a| a.iter().any(|a| a == expected.as_str()));
        assert!(said, "another {name}");
    }
    if let Some(roles) = &key.roles {
        assert!(badge.roles.iter().all(|role| roles.allow.contains(role)), "a role too many");
    }
}
