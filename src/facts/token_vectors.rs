//! The token vectors of `tests/vectors/tokens`, made by other software: PyJWT, jose and OpenSSL.

use super::About;
use super::verify::{VerifiedAttestation, VerifiedBadge, verify_attestation, verify_badge};
use crate::encoding::Thumbprint;
use crate::{Error, Result, Trust, TrustList};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Setting {
    now: u64,
    roots: Vec<String>,
    device: Thumbprint,
    lists: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    want: String,
    token: String,
    /// Another time than the setting's.
    now: Option<u64>,
    /// Another list than `main`, or `none`.
    list: Option<String>,
    expect: Value,
    /// What the backend `pure-rust` makes of it, where that differs.
    pure_rust: Option<Value>,
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/tokens");
    let text = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn of_badge(badge: VerifiedBadge) -> Value {
    let VerifiedBadge { subject, roles, groups, issued, expires, signer, anchor } = badge;
    let mut badge = json!({"subject": subject, "roles": roles, "groups": groups, "issued": issued,
        "expires": expires, "signer": signer});
    if let Some(anchor) = anchor {
        badge["trail"] = json!(anchor);
    }
    json!({ "badge": badge })
}

fn of_attestation(attestation: VerifiedAttestation) -> Value {
    let VerifiedAttestation { kind, about, issued, expires, signer, anchor } = attestation;
    let about = match about {
        About::Subject(subject) => json!({ "subject": subject }),
        About::Device(device) => json!({ "device": device }),
    };
    let mut attestation = json!({"kind": kind, "about": about, "issued": issued,
        "expires": expires, "signer": signer});
    if let Some(anchor) = anchor {
        attestation["trail"] = json!(anchor);
    }
    json!({ "attestation": attestation })
}

impl Setting {
    fn trust(&self, list: &str) -> Trust {
        let mut trust = Trust::default();
        for root in &self.roots {
            trust.pin(root.parse().unwrap());
        }
        if list != "none" {
            trust.use_list(TrustList::parse(&self.lists[list]).unwrap()).unwrap();
        }
        trust
    }

    fn run(&self, case: &Case) -> Result<Value> {
        let trust = self.trust(case.list.as_deref().unwrap_or("main"));
        let root = self.roots[0].parse::<crate::RootLine>().unwrap().thumbprint();
        let now = case.now.unwrap_or(self.now);
        match case.want.as_str() {
            "badge" => verify_badge(&case.token, &trust, &root, &self.device, now).map(of_badge),
            "attestation" => {
                verify_attestation(&case.token, &trust, &root, now).map(of_attestation)
            }
            other => panic!("no such token: {other}"),
        }
    }
}

fn run_all(file: &str, least: usize) {
    let setting: Setting = read("setting");
    let cases: Vec<Case> = read(file);
    let mut wrong = Vec::new();
    for case in &cases {
        let result = setting.run(case);
        let message = result.as_ref().err().map(Error::to_string).unwrap_or_default();
        let got = result.unwrap_or_else(|e| json!({ "error": e.code().name() }));
        let pure_rust = case.pure_rust.as_ref().filter(|_| !cfg!(feature = "aws-lc"));
        let expect = pure_rust.unwrap_or(&case.expect);
        if got != *expect {
            wrong.push(format!("{}: {got}, not {expect} {message}", case.name));
        }
        // Texts of the token do not belong in messages.
        assert!(!message.contains("kim@"), "{}: {message}", case.name);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() >= least, "{} cases", cases.len());
}

#[test]
fn by_pyjwt() {
    run_all("pyjwt", 250);
}

#[test]
fn by_jose() {
    run_all("jose", 50);
}

#[test]
fn by_openssl() {
    run_all("openssl", 20);
}

/// No changed byte and no cut passes, wherever it is.
#[test]
fn every_byte_counts() {
    let setting: Setting = read("setting");
    let cases: Vec<Case> = read("openssl");
    let good = cases.into_iter().filter(|case| case.expect.get("badge").is_some());
    let mut tried = 0;
    for mut case in good.filter(|case| !case.name.contains("4096")) {
        let token = case.token.clone();
        setting.run(&case).unwrap();
        for i in 0..token.len() {
            let other = if token.as_bytes()[i] == b'Q' { "g" } else { "Q" };
            for text in [format!("{}{other}{}", &token[..i], &token[i + 1..]), token[..i].into()] {
                case.token = text;
                assert!(setting.run(&case).is_err(), "{}, byte {i}", case.name);
                tried += 1;
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}
