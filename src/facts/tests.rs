//! Every signed object, every refusal.

use super::*;
use crate::encoding::{b64, unb64};
use crate::keys::{KemKind, RootKey};
use crate::template::{Permit, Template, TemplateTerms};
use crate::trust::TrustList;
use crate::{Kinds, POLICY, license::License};

struct World {
    root: RootKey,
    device: Identity,
}

/// One of each signed object: its text, and how it is read and verified.
type Read = fn(&str, &VerifyingKey) -> Result<()>;

impl World {
    fn new() -> Self {
        let device = Identity::generate(KemKind::X25519, "").unwrap();
        World { root: RootKey::generate("root").unwrap(), device }
    }

    fn objects(&self) -> Vec<(&'static str, String, Read)> {
        let by = Signatory::Root(&self.root);
        let root = self.root.thumbprint();
        let anchor = Anchor { id: Id::random(), seq: 3, head: Digest256([7; 32]) };
        let roles = ["agent".to_owned()];
        let badge = BadgeTerms {
            subject: "kim",
            roles: &roles,
            groups: &[],
            device: self.device.thumbprint(),
            anchor: Some(&anchor),
        };
        let about = About::Subject("kim".into());
        let revoked = Revoked { subjects: vec!["lee".into()], ..Revoked::default() };
        let to = [self.device.public().clone()];
        let kinds = Kinds::Same;
        let terms =
            TemplateTerms { name: "t", label: "", policy: POLICY, to: &to, kinds, seal_roles: &[] };
        let template = Template::sign(by, root, terms, 5).unwrap();
        let permit = Permit::sign(by, &template, self.device.thumbprint(), 5, 9);
        let list = TrustList::sign(&self.root, 1, 5, 9, vec![], vec![]).unwrap();
        let to = [self.device.recipient().clone()];
        let sealer = crate::Sealer::issued(&self.root, "", POLICY, &to, kinds).unwrap();
        let license = sealer.prepare(&crate::Metadata::default()).unwrap().header.license;
        vec![
            ("badge", Badge::sign(by, badge, 5, 9).unwrap().as_str().into(), |t, k| {
                Badge::parse(t)?.verify(k)
            }),
            (
                "attestation",
                Attestation::sign(by, "attendance", &about, Some(&anchor), 5, 9)
                    .unwrap()
                    .as_str()
                    .into(),
                |t, k| Attestation::parse(t)?.verify(k),
            ),
            (
                "revocations",
                Revocations::sign(by, root, 1, revoked, 5).unwrap().as_str().into(),
                |t, k| Revocations::parse(t)?.verify(k),
            ),
            (
                "reset",
                Reset::sign(&self.root, self.device.thumbprint(), Id::random(), 5)
                    .unwrap()
                    .as_str()
                    .into(),
                |t, k| Reset::parse(t)?.verify(k),
            ),
            ("template", template.token.text.clone(), |t, k| {
                Token::<crate::template::TemplateClaims>::parse(t, Code::Token)?.verify(k)
            }),
            ("permit", permit.as_str().into(), |t, k| Permit::parse(t)?.0.verify(k)),
            ("trust list", list.as_str().into(), |t, k| TrustList::parse(t)?.0.verify(k)),
            ("license", license.token.text.clone(), |t, k| License::parse(t)?.token.verify(k)),
        ]
    }
}

/// Puts other text in place of some in a part of a JWS, without signing again.
fn edit(token: &str, part: usize, from: &str, to: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let text = String::from_utf8(unb64(&parts[part]).unwrap()).unwrap();
    let edited = text.replacen(from, to, 1);
    assert_ne!(text, edited, "{from} does not stand in {text}");
    parts[part] = b64(edited.as_bytes());
    parts.join(".")
}

/// Every signed object, every refusal that they share.
#[test]
fn refusals() {
    let world = World::new();
    let key = world.root.signing.public();
    for (name, token, read) in world.objects() {
        read(&token, key).unwrap_or_else(|e| panic!("{name}: {e}"));
        let jwk = serde_json::to_string(key).unwrap();
        let (alg, typ) = (r#""alg":"Ed25519""#, "\"typ\":\"");
        let format = [
            edit(&token, 0, alg, r#""alg":"none""#),
            edit(&token, 0, alg, r#""alg":"EdDSA""#),
            edit(&token, 0, alg, r#""alg":"HS256""#),
            edit(&token, 0, typ, "\"typ\":\"x"),
            edit(&token, 0, "bulla-", "Bulla-"),
            edit(&token, 0, "{", r#"{"jku":"https://example.org","#),
            edit(&token, 0, "{", r#"{"crit":["b64"],"b64":false,"#),
            edit(&token, 0, "{", &format!(r#"{{"jwk":{jwk},"#)),
            edit(
                &token,
                0,
                &format!("\"kid\":\"{}\"", key.thumbprint()),
                &format!(r#""jwk":{jwk}"#),
            ),
            edit(&token, 0, "{", r#"{"alg":"Ed25519","#),
            edit(&token, 1, "{", r#"{"extra":1,"#),
            edit(&token, 1, "{", r#"{"iat":5,"#),
            edit(&token, 1, "\"iat\":", "\"iat\":null,\"x\":"),
            edit(&token, 1, "\"iat\":", "\"iat\":9007199254740992,\"x\":"),
            format!("{token}="),
            format!("{token}.x"),
            token.replace('.', ".."),
            token[..token.len() - 1].to_owned(),
        ];
        for (i, bad) in format.iter().enumerate() {
            let class = read(bad, key).map_err(|e| e.class()).unwrap_err();
            assert_eq!(class.name(), "format", "{name}, case {i}");
        }
        // Changed within its own rules, or signed by somebody else: the signature tells.
        let iat = token.split('.').nth(1).and_then(unb64).unwrap();
        let iat: serde_json::Value = serde_json::from_slice(&iat).unwrap();
        let was = format!("\"iat\":{}", iat["iat"]);
        let changed = edit(&token, 1, &was, "\"iat\":1");
        for (text, key) in [(&changed, key), (&token, world.device.signing.public())] {
            assert_eq!(read(text, key).unwrap_err().code(), Code::Signature, "{name}");
        }
    }
}

#[test]
fn limits() {
    let world = World::new();
    let by = Signatory::Root(&world.root);
    let long = ["x".repeat(MAX_TEXT + 1)];
    let many = vec!["r".to_owned(); MAX_LIST + 1];
    let device = world.device.thumbprint();
    for (subject, roles, until) in [
        ("", &[][..], 9),
        ("kim", &long[..], 9),
        ("kim", &many[..], 9),
        ("kim", &[][..], 5),
        ("a\nb", &[][..], 9),
    ] {
        let terms = BadgeTerms { subject, roles, groups: &[], device, anchor: None };
        assert!(Badge::sign(by, terms, 5, until).is_err(), "{subject:?}");
    }
    for kind in ["", "Attendance", "a b", &"x".repeat(65)] {
        assert!(Attestation::sign(by, kind, &About::Device(device), None, 5, 9).is_err(), "{kind}");
    }
    assert!(Revocations::sign(by, world.root.thumbprint(), 0, Revoked::default(), 5).is_err());
}

#[test]
fn checkpoints_are_the_devices_own() {
    let world = World::new();
    let anchor = Anchor { id: Id::random(), seq: 0, head: Digest256([0; 32]) };
    let checkpoint = Checkpoint::sign(&world.device, anchor.clone(), 7).unwrap();
    let again = Checkpoint::parse(checkpoint.as_str()).unwrap();
    again.verify(world.device.signing.public()).unwrap();
    assert_eq!((again.anchor(), again.issued_at()), (&anchor, 7));
    assert_eq!(again.signer(), world.device.thumbprint());
}
