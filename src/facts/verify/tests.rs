//! Our own tokens. Those of single sign-ons, and more of ours, are in the vectors.

use super::*;
use crate::facts::BadgeTerms;
use crate::keys::{RootKey, Signatory};
use crate::trust::{Roles, TrustList};

const NOW: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const DEVICE: Thumbprint = Thumbprint([7; 32]);

struct World {
    trust: Trust,
    root: RootKey,
    signer: RootKey,
    stranger: RootKey,
}

impl World {
    /// A root whose list names `signer` as `edit` leaves its entry.
    fn new(edit: impl FnOnce(&mut TrustedKey)) -> Self {
        let key = |name| RootKey::generate(name).unwrap();
        let (root, signer) = (key("root"), key("signer"));
        let uses = [KeyUse::Badge, KeyUse::Attestation];
        let mut trusted = TrustedKey::ours(signer.line().key(), &uses);
        edit(&mut trusted);
        let list = TrustList::sign(&root, 1, NOW, NOW + 99 * DAY, vec![trusted], vec![]).unwrap();
        World { trust: Trust::of(&root, list), root, signer, stranger: key("stranger") }
    }

    fn badge(&self, by: &RootKey, from: u64, until: u64) -> String {
        let roles = ["agent".to_owned(), "admin".to_owned()];
        let groups = ["seoul".to_owned()];
        let (subject, device) = ("kim", DEVICE);
        let terms = BadgeTerms { subject, roles: &roles, groups: &groups, device, anchor: None };
        Badge::sign(Signatory::Root(by), terms, from, until).unwrap().as_str().into()
    }

    fn attestation(&self, by: &RootKey, from: u64, until: u64) -> String {
        let about = About::Device(DEVICE);
        let by = Signatory::Root(by);
        let token = Attestation::sign(by, "daily-checklist", &about, None, from, until).unwrap();
        token.as_str().into()
    }

    fn badge_at(&self, text: &str, now: u64) -> Result<VerifiedBadge> {
        verify_badge(text, &self.trust, &self.root.thumbprint(), &DEVICE, now)
    }

    fn attestation_at(&self, text: &str, now: u64) -> Result<VerifiedAttestation> {
        verify_attestation(text, &self.trust, &self.root.thumbprint(), now)
    }

    /// The codes of a badge and of an attestation of that signer and time.
    fn codes(&self, by: &RootKey, from: u64, until: u64, now: u64) -> [Option<Code>; 2] {
        let badge = self.badge_at(&self.badge(by, from, until), now);
        let attestation = self.attestation_at(&self.attestation(by, from, until), now);
        [badge.err().map(|e| e.code()), attestation.err().map(|e| e.code())]
    }
}

#[test]
fn what_ours_are_worth() {
    let world = World::new(|_| ());
    let badge = world.badge_at(&world.badge(&world.signer, NOW, NOW + DAY), NOW).unwrap();
    assert_eq!((badge.subject.as_str(), badge.issued), ("kim", NOW));
    assert_eq!(
        (badge.roles, badge.groups),
        (vec!["agent".into(), "admin".into()], vec!["seoul".into()])
    );
    assert_eq!((badge.expires, badge.signer), (NOW + DAY + 60, world.signer.thumbprint()));

    let text = world.attestation(&world.signer, NOW, NOW + DAY);
    let attestation = world.attestation_at(&format!(" {text}\n"), NOW).unwrap();
    assert_eq!(attestation.kind, "daily-checklist");
    assert_eq!((attestation.about, attestation.expires), (About::Device(DEVICE), NOW + DAY + 60));
    assert_eq!(attestation.signer, world.signer.thumbprint());
}

#[test]
fn times() {
    let world = World::new(|_| ());
    let codes = |from, until| world.codes(&world.signer, from, until, NOW);
    let (fine, not_now) = ([None, None], [Some(Code::Badge), Some(Code::Badge)]);
    assert_eq!(codes(NOW + 60, NOW + 90), fine);
    assert_eq!(codes(NOW + 61, NOW + 90), not_now);
    assert_eq!(codes(NOW - 90, NOW - 59), fine);
    assert_eq!(codes(NOW - 90, NOW - 60), not_now);
    // Only a badge is short-lived.
    assert_eq!(codes(NOW, NOW + 31 * DAY), fine);
    assert_eq!(codes(NOW, NOW + 31 * DAY + 1), [Some(Code::Badge), None]);
}

#[test]
fn whose_word_counts() {
    let untrusted = [Some(Code::NotTrusted), Some(Code::NotTrusted)];
    let world = World::new(|_| ());
    assert_eq!(world.codes(&world.stranger, NOW, NOW + DAY, NOW), untrusted);
    assert_eq!(world.codes(&world.root, NOW, NOW + DAY, NOW), untrusted);
    // The list's own end.
    let late = NOW + 99 * DAY;
    assert_eq!(world.codes(&world.signer, late - 1, late + 9, late - 1), [None, None]);
    assert_eq!(world.codes(&world.signer, late - 1, late + 9, late), untrusted);

    for edit in [
        (|key| key.iss = Some("https://sso.example".into())) as fn(&mut TrustedKey),
        |key| key.aud = Some("bulla".into()),
        |key| key.alg = "EdDSA".into(),
        |key| key.uses = vec![KeyUse::Template],
    ] {
        let world = World::new(edit);
        assert_eq!(world.codes(&world.signer, NOW, NOW + DAY, NOW), untrusted);
    }
    let world = World::new(|key| key.uses = vec![KeyUse::Badge]);
    assert_eq!(world.codes(&world.signer, NOW, NOW + DAY, NOW), [None, untrusted[0]]);

    // Another root's list does not count, though the same signer stands in it.
    let (text, other) = (world.badge(&world.signer, NOW, NOW + DAY), world.stranger.thumbprint());
    let got = verify_badge(&text, &world.trust, &other, &DEVICE, NOW);
    assert_eq!(got.unwrap_err().code(), Code::NotTrusted);
}

#[test]
fn a_signer_gives_only_its_roles() {
    let given = |allow: &[&str]| {
        let allow = allow.iter().map(|&role| role.into()).collect();
        let world = World::new(|key| key.roles = Some(Roles { claim: "elsewhere".into(), allow }));
        world.badge_at(&world.badge(&world.signer, NOW, NOW + DAY), NOW).unwrap().roles
    };
    assert_eq!(given(&["agent", "auditor"]), ["agent"]);
    assert!(given(&[]).is_empty());
}

#[test]
fn one_kind_never_stands_for_another() {
    let world = World::new(|_| ());
    let badge = world.badge(&world.signer, NOW, NOW + DAY);
    let attestation = world.attestation(&world.signer, NOW, NOW + DAY);
    assert_eq!(world.badge_at(&attestation, NOW).unwrap_err().code(), Code::Token);
    assert_eq!(world.attestation_at(&badge, NOW).unwrap_err().code(), Code::Token);
    let elsewhere =
        verify_badge(&badge, &world.trust, &world.root.thumbprint(), &Thumbprint([8; 32]), NOW);
    assert_eq!(elsewhere.unwrap_err().code(), Code::Badge);
}
