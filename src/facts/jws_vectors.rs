//! Wycheproof's vectors for JSON Web Signatures and Keys (`tests/vectors/wycheproof`), through what a single
//! sign-on's token goes through before its claims are read: the trust list's key and `alg`, the parts, the
//! signature. Their payloads are no claims, and their headers lack the `typ` that tokens have.

use super::signature::{usable, verifies};
use crate::Code;
use crate::jws::Parts;
use crate::keys::RootKey;
use crate::trust::{KeyUse, PublicKey, TrustList, TrustedKey};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    /// A JWK, or a set of one.
    public: Value,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    tc_id: u32,
    comment: String,
    jws: String,
    result: String,
}

/// The entry of a trust list for a JWK: its public members, where those that are left out say that it is
/// for signatures, and its `alg`.
fn entry(jwk: &Value) -> Option<TrustedKey> {
    let mut jwk = jwk.as_object()?.clone();
    jwk.remove("kid");
    let alg = jwk.remove("alg");
    jwk.retain(|name, value| match name.as_str() {
        "use" => value != "sig",
        "key_ops" => *value != serde_json::json!(["verify"]),
        _ => true,
    });
    let jwk: PublicKey = serde_json::from_value(jwk.into()).ok()?;
    let alg = alg.map_or(jwk.default_alg().into(), |alg| alg.as_str().unwrap().to_owned());
    let text = Some("https://sso.example".to_owned());
    let entry = TrustedKey {
        jwk,
        alg,
        uses: vec![KeyUse::Badge],
        iss: text.clone(),
        aud: text,
        roles: None,
    };
    let root = RootKey::generate("root").unwrap();
    TrustList::sign(&root, 1, 1, 2, vec![entry.clone()], vec![]).ok()?;
    Some(entry)
}

fn accepted(jwk: &Value, jws: &str) -> bool {
    let Some(trusted) = entry(jwk) else { return false };
    let Ok(parts) = Parts::of(jws) else { return false };
    let Ok(header) = serde_json::from_slice::<Value>(&parts.header) else { return false };
    header["alg"] == *trusted.alg
        && parts.claims().is_ok()
        && usable(&trusted.jwk)
        && parts.signature().is_ok_and(|s| verifies(&trusted.jwk, parts.signed.as_bytes(), &s))
}

fn read(name: &str) -> Vectors {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/wycheproof").join(name);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn run(name: &str, valid: usize) {
    let vectors = read(name);
    let (mut ran, mut accept) = (0, 0);
    for group in &vectors.test_groups {
        let jwk = group.public.get("keys").map_or(&group.public, |keys| &keys[0]);
        for test in &group.tests {
            let wanted = test.result == "valid";
            assert_eq!(accepted(jwk, &test.jws), wanted, "test {}: {}", test.tc_id, test.comment);
            ran += 1;
            accept += usize::from(wanted);
        }
    }
    assert_eq!((ran, accept), (vectors.number_of_tests, valid));
}

#[test]
fn json_web_signature() {
    run("json_web_signature.json", 10);
}

#[test]
fn json_web_key() {
    run("json_web_key.json", 1);
}

/// Who writes a trust list hears of it at once.
#[test]
fn weak_keys_are_not_read() {
    let groups = read("json_web_key.json").test_groups;
    for comment in ["rejectsPublicExponent1", "rejectsKeyWithRocaVulnerability"] {
        let group = groups.iter().find(|group| group.tests[0].comment == comment).unwrap();
        let (n, e) = (&group.public["keys"][0]["n"], &group.public["keys"][0]["e"]);
        let jwk = serde_json::json!({"kty": "RSA", "n": n, "e": e});
        let error = PublicKey::from_jwk(&jwk.to_string()).unwrap_err();
        assert_eq!(error.code(), Code::BadKey);
        assert!(error.to_string().contains("not an RSA key to trust"), "{error}");
    }
}
