//! Facts that a policy asks for: attested by the wrong people, or asserted by the host.

use crate::Attempt;
use crate::world::{HOUR, Try, World, agents, trusted};
use bulla::policy::{self, Duty, Facts, Known, Mode, Posture, Provenance};
use bulla::{
    About, Attestation, Badge, BadgeTerms, Code, Home, Host, Identity, KeyUse, ProgramHash, Result,
    Revocations, Revoked, Session, Signatory, TrustList,
};
use serde_json::{Value, json};

/// For whom the day's checklist was done.
fn checked(w: &World, t: &mut Try) {
    t.file = w.seal(&agents(json!({"attested": {"daily-checklist": "24h"}})));
}

/// Attests the checklist of Kim, or something else about somebody else.
fn attested(by: Signatory<'_>, kind: &str, about: &About, from: u64, hours: u64) -> Vec<String> {
    let until = from + hours * HOUR;
    let attested = Attestation::sign(by, kind, about, None, from, until).unwrap();
    vec![attested.as_str().to_owned()]
}

fn kim() -> About {
    About::Subject("kim".into())
}

/// The checklist of Kim, attested by the insurer or by somebody else.
fn attested_by(w: &World, t: &mut Try, honest: bool, other: Signatory<'_>) -> Result<()> {
    checked(w, t);
    let by = if honest { Signatory::Root(&w.insurer) } else { other };
    t.host.attestations = attested(by, "daily-checklist", &kim(), w.now, 1);
    Ok(())
}

/// The host asserts these facts; they are asked for by the attacker's file alone.
fn asserted(w: &World, t: &mut Try, honest: [Value; 2], facts: Facts) -> Result<()> {
    let [wanted, when] = honest;
    t.host.asserted = facts;
    t.file = w.seal(&agents(if wanted == true { when } else { wanted }));
    Ok(())
}

fn managed(sha256: [u8; 32]) -> Facts {
    let program = policy::Program { mode: Mode::Managed, path: None, sha256: Some(sha256) };
    Facts { program: Some(Known::measured(program)), ..Facts::default() }
}

/// A list of a root that names this very program as managed, and the root itself for badges.
fn naming_this_program(w: &World, honest: bool) -> Result<TrustList> {
    let program = ProgramHash::of(&std::fs::read("/proc/self/exe").unwrap());
    let root = w.root(honest);
    let keys = vec![trusted(root.line().key(), &KeyUse::ALL, None)];
    TrustList::sign(root, 9, w.now, w.now + HOUR, keys, vec![program])
}

fn revocations(w: &World, t: &Try, issued: u64) -> Result<()> {
    let by = Signatory::Root(&w.insurer);
    let root = w.insurer.thumbprint();
    t.home.use_revocations(&Revocations::sign(by, root, 1, Revoked::default(), issued)?)
}

pub const ATTEMPTS: &[Attempt] = &[
    ("a checklist that nobody attested", Code::Denied, |w, t, honest| {
        checked(w, t);
        let by = Signatory::Root(&w.insurer);
        let done = attested(by, "daily-checklist", &kim(), w.now, 1);
        t.host.attestations = if honest { done } else { vec![] };
        Ok(())
    }),
    ("a checklist attested by an own root", Code::Denied, |w, t, honest| {
        attested_by(w, t, honest, Signatory::Root(&w.own))
    }),
    ("a checklist attested by the device", Code::Denied, |w, t, honest| {
        attested_by(w, t, honest, Signatory::Identity(&w.desk))
    }),
    ("a checklist attested by a signer of templates", Code::Denied, |w, t, honest| {
        attested_by(w, t, honest, Signatory::Identity(&w.clerk))
    }),
    ("a checklist attested in the lead's name", Code::Denied, |w, t, honest| {
        checked(w, t);
        let by = Signatory::Identity(&w.lead);
        let mut done = attested(by, "daily-checklist", &kim(), w.now, 1);
        if !honest {
            done[0] = w.again(&done[0], false, |_| {});
        }
        t.host.attestations = done;
        Ok(())
    }),
    ("a checklist about somebody else", Code::Denied, |w, t, honest| {
        checked(w, t);
        let about = if honest { kim() } else { About::Subject("lee".into()) };
        let by = Signatory::Identity(&w.lead);
        t.host.attestations = attested(by, "daily-checklist", &about, w.now, 1);
        Ok(())
    }),
    ("a checklist about another device", Code::Denied, |w, t, honest| {
        checked(w, t);
        let about = About::Device(if honest { &w.desk } else { &w.other }.thumbprint());
        let by = Signatory::Identity(&w.lead);
        t.host.attestations = attested(by, "daily-checklist", &about, w.now, 1);
        Ok(())
    }),
    ("a checklist of the day before yesterday", Code::Denied, |w, t, honest| {
        checked(w, t);
        let from = w.now - if honest { 23 } else { 25 } * HOUR;
        let by = Signatory::Identity(&w.lead);
        t.host.attestations = attested(by, "daily-checklist", &kim(), from, 48);
        Ok(())
    }),
    ("a checklist that is over", Code::Denied, |w, t, honest| {
        checked(w, t);
        let hours = if honest { 3 } else { 1 };
        let by = Signatory::Identity(&w.lead);
        let from = w.now - 2 * HOUR;
        t.host.attestations = attested(by, "daily-checklist", &kim(), from, hours);
        Ok(())
    }),
    ("another kind of attestation", Code::Denied, |w, t, honest| {
        checked(w, t);
        let kind = if honest { "daily-checklist" } else { "daily-checklist.2" };
        let by = Signatory::Identity(&w.lead);
        t.host.attestations = attested(by, kind, &kim(), w.now, 1);
        Ok(())
    }),
    ("a badge in place of an attestation", Code::Denied, |w, t, honest| {
        checked(w, t);
        let by = Signatory::Root(&w.insurer);
        let done = attested(by, "daily-checklist", &kim(), w.now, 1);
        let badge = vec![w.badge(by, "daily-checklist")];
        t.host.attestations = if honest { done } else { badge };
        Ok(())
    }),
    ("an attestation that the host calls attested", Code::Denied, |w, t, honest| {
        let attestation = policy::Attestation {
            kind: "daily-checklist".into(),
            issued: w.now as i64,
            expires: (w.now + HOUR) as i64,
            by: Provenance::Attested,
        };
        let facts = Facts { attestations: vec![attestation], ..Facts::default() };
        let need = json!({"daily-checklist": "24h"});
        // A policy may take the host's word, in the open.
        let relaxed = json!({"attested": {"need": need, "accept": "asserted"}});
        let strict = json!({"attested": need});
        asserted(w, t, [if honest { true.into() } else { strict }, relaxed], facts)
    }),
    ("posture that the host calls attested", Code::Denied, |w, t, honest| {
        let by = Provenance::Attested;
        let posture = vec![Posture { name: "disk-encrypted".into(), expires: None, by }];
        let facts = Facts { posture, ..Facts::default() };
        let need = json!(["disk-encrypted"]);
        let relaxed = json!({"posture": {"need": need, "accept": "asserted"}});
        let strict = json!({"posture": need});
        asserted(w, t, [if honest { true.into() } else { strict }, relaxed], facts)
    }),
    ("a program that the host calls managed", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"software": {"mode": ["managed"]}})));
        t.host.asserted = managed([7; 32]);
        if honest { t.home.use_list(&naming_this_program(w, true)?) } else { Ok(()) }
    }),
    ("a program that an own list calls managed", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"software": {"mode": ["managed"]}})));
        t.home.use_list(&naming_this_program(w, honest)?)
    }),
    ("another device, says the host", Code::Denied, |w, t, honest| {
        let listed = |device: &Identity| json!({"devices": [device.thumbprint()]});
        let device = Some(Known::attested(*w.other.thumbprint().as_bytes()));
        let facts = Facts { device, ..Facts::default() };
        let when = [if honest { true.into() } else { listed(&w.other) }, listed(&w.desk)];
        asserted(w, t, when, facts)
    }),
    ("another time, says the host", Code::Denied, |w, t, honest| {
        let over = json!({"valid": {"until": "2020-01-01T00:00:00Z"}});
        let valid = json!({"valid": {"until": "2999-01-01T00:00:00Z"}});
        let facts = Facts { time: Some(Known::attested(1_500_000_000)), ..Facts::default() };
        asserted(w, t, [if honest { true.into() } else { over }, valid], facts)
    }),
    ("fresh revocations, says the host", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"revocations": "24h"})));
        let revocations_at = Some(Known::attested(w.now as i64));
        t.host.asserted = Facts { revocations: revocations_at, ..Facts::default() };
        if honest { revocations(w, t, w.now) } else { Ok(()) }
    }),
    ("revocations that are too old", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"revocations": "24h"})));
        revocations(w, t, w.now - if honest { 23 } else { 24 } * HOUR)
    }),
    ("an anchored trail, says the host", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"anchored": "12h"})));
        let anchor = Some(Known::attested(w.now as i64));
        t.host.asserted = Facts { anchor, ..Facts::default() };
        if honest {
            t.host.badge = Some(w.anchored_badge(&t.home));
        }
        Ok(())
    }),
    ("no opens so far, says the host", Code::Denied, |w, t, honest| {
        t.file = w.seal(&agents(json!({"opens": {"at_most": 1, "per": "24h"}})));
        let opens = [(24 * HOUR, Known::attested(0))].into_iter().collect();
        t.host.asserted = Facts { opens, ..Facts::default() };
        if !honest {
            t.view(&t.file);
        }
        Ok(())
    }),
    ("a badge among the host's facts", Code::Right, |w, t, honest| {
        let badge = policy::Badge {
            subject: "kim".into(),
            roles: vec!["supervisor".into()],
            groups: vec![],
            expires: (w.now + HOUR) as i64,
        };
        t.host.asserted = Facts { badge: Some(badge), ..Facts::default() };
        if honest {
            t.host.badge = Some(w.badge(Signatory::Root(&w.insurer), "supervisor"));
        }
        Ok(())
    }),
    ("a duty that the host does not declare", Code::Right, |w, t, honest| {
        let mut policy = agents(json!({"ticket": true}));
        policy["grants"][0]["rights"] = json!(["export"]);
        policy["grants"][0]["duties"] = json!(["watermark"]);
        let view = json!({"to": ["anyone"], "rights": ["view"]});
        policy["grants"].as_array_mut().unwrap().push(view);
        t.file = w.seal(&policy);
        t.host.ticket = Some("T-1".into());
        // Declared among the facts, it is no declaration.
        let duties = [Duty::Watermark].into_iter().collect();
        t.host.asserted = Facts { duties, ..Facts::default() };
        if honest {
            t.host.duties = [Duty::Watermark].into_iter().collect();
        }
        Ok(())
    }),
    ("a group, by a badge of another device", Code::Denied, |w, t, honest| {
        let grants = json!([{"to": [{"group": "team-4"}], "rights": ["view", "export"]}]);
        t.file = w.seal(&json!({"version": 1, "name": "n", "grants": grants}));
        let (groups, at) = (["team-4".to_owned()], if honest { &w.desk } else { &w.other });
        let device = at.thumbprint();
        let terms =
            BadgeTerms { subject: "kim", roles: &[], groups: &groups, device, anchor: None };
        let badge = Badge::sign(Signatory::Root(&w.insurer), terms, w.now, w.now + HOUR)?;
        t.host.badge = Some(badge.as_str().to_owned());
        Ok(())
    }),
    ("another identity's home", Code::Trail, |w, t, honest| {
        t.host.badge = Some(w.badge(Signatory::Root(&w.insurer), "supervisor"));
        if !honest {
            // The other device's secrets, in the desk's home.
            let other = Home::at(w.home("other")).identity(None)?;
            Session::start(&t.home, other, Host::default()).map(drop)?;
        }
        Ok(())
    }),
];
