//! Badges, and the lists that say whose badges count. The honest twin is a supervisor.

use crate::Attempt;
use crate::support::forge::Token;
use crate::world::{HOUR, Try, World, trusted};
use bulla::{About, Attestation, Code, KeyUse, Result, Right, RootKey, Signatory, TrustList};
use serde_json::json;

/// Puts a badge into the home past the check that would refuse it.
fn plant(t: &Try, badge: &str) -> Result<()> {
    t.write("badge", badge);
    Ok(())
}

/// A list of a root that lets these of its signers give badges.
fn list_of(w: &World, root: &RootKey, seq: u64, signers: &[&RootKey]) -> TrustList {
    let badges = [KeyUse::Badge];
    let keys = signers.iter().map(|r| trusted(r.line().key(), &badges, None)).collect();
    TrustList::sign(root, seq, w.now, w.now + HOUR, keys, vec![]).unwrap()
}

/// The name under which the insurer's list lies in the home.
fn insurers_list(w: &World) -> String {
    format!("trust/{}", w.insurer.thumbprint())
}

pub const ATTEMPTS: &[Attempt] = &[
    ("the badge of an agent", Code::Right, |w, t, honest| {
        let role = if honest { "supervisor" } else { "agent" };
        plant(t, &w.badge(Signatory::Root(&w.insurer), role))
    }),
    ("a badge by an own root", Code::Denied, |w, t, honest| {
        plant(t, &w.badge(Signatory::Root(w.root(honest)), "supervisor"))
    }),
    ("a badge by the device", Code::Denied, |w, t, honest| {
        let by = if honest { Signatory::Root(&w.insurer) } else { Signatory::Identity(&w.desk) };
        plant(t, &w.badge(by, "supervisor"))
    }),
    ("a badge by the device in the root's name", Code::Denied, |w, t, honest| {
        let badge = w.badge(Signatory::Root(&w.insurer), "agent");
        plant(t, &w.again(&badge, honest, |claims| claims["roles"] = json!(["supervisor"])))
    }),
    ("a role written into a badge", Code::Denied, |w, t, honest| {
        let badge = w.badge(Signatory::Root(&w.insurer), "agent");
        let edit = |claims: &mut serde_json::Value| claims["roles"] = json!(["supervisor"]);
        let mut edited = w.again(&badge, true, edit);
        if !honest {
            let signature = badge.rsplit('.').next().unwrap();
            edited = format!("{}.{signature}", edited.rsplit_once('.').unwrap().0);
        }
        plant(t, &edited)
    }),
    ("a badge by an own root, by the front door", Code::NotTrusted, |w, t, honest| {
        // Where that root is pinned the badge is taken, and counts for its files alone.
        for folder in ["roots", "trust"] {
            t.remove(&format!("{folder}/{}", w.own.thumbprint()));
        }
        t.home.use_badge(&w.badge(Signatory::Root(w.root(honest)), "supervisor"))
    }),
    ("the badge of another device", Code::Denied, |w, t, honest| {
        let at = if honest { &w.desk } else { &w.other };
        plant(t, &w.badge_at(Signatory::Root(&w.insurer), "supervisor", at, w.now))
    }),
    ("yesterday's badge", Code::Denied, |w, t, honest| {
        let from = if honest { w.now } else { w.now - 24 * HOUR };
        plant(t, &w.badge_at(Signatory::Root(&w.insurer), "supervisor", &w.desk, from))
    }),
    ("tomorrow's badge", Code::Denied, |w, t, honest| {
        let from = if honest { w.now } else { w.now + 24 * HOUR };
        plant(t, &w.badge_at(Signatory::Root(&w.insurer), "supervisor", &w.desk, from))
    }),
    ("a role that its signer may not give", Code::Denied, |w, t, honest| {
        let by = if honest { Signatory::Root(&w.insurer) } else { Signatory::Identity(&w.clerk) };
        plant(t, &w.badge(by, "supervisor"))
    }),
    ("a badge by whoever signs attestations", Code::Denied, |w, t, honest| {
        let by = if honest { Signatory::Root(&w.insurer) } else { Signatory::Identity(&w.lead) };
        plant(t, &w.badge(by, "supervisor"))
    }),
    ("a badge under the typ of a single sign-on", Code::Denied, |w, t, honest| {
        let mut token = Token::of(&w.badge(Signatory::Root(&w.insurer), "supervisor"));
        if !honest {
            token.header["typ"] = "JWT".into();
            token.claims["iss"] = "https://sso.example".into();
        }
        plant(t, &token.signed(&w.keys(honest).signing))
    }),
    ("an attestation in place of a badge", Code::Denied, |w, t, honest| {
        let by = Signatory::Root(&w.insurer);
        let about = About::Subject("kim".into());
        let attested = Attestation::sign(by, "supervisor", &about, None, w.now, w.now + 60);
        let badge = w.badge(by, "supervisor");
        plant(t, if honest { &badge } else { attested.as_ref().unwrap().as_str() })
    }),
    ("no badge at all", Code::Denied, |w, t, honest| {
        t.remove("badge");
        let badge = w.badge(Signatory::Root(&w.insurer), "supervisor");
        if honest { plant(t, &badge) } else { Ok(()) }
    }),
    ("an own list under the insurer's name", Code::Rollback, |w, t, honest| {
        let list = list_of(w, w.root(honest), 9, &[&w.own]);
        t.write(&insurers_list(w), list.as_str());
        plant(t, &w.badge(Signatory::Root(&w.own), "supervisor"))
    }),
    ("an own list in the insurer's name", Code::Signature, |w, t, honest| {
        let list = list_of(w, &w.insurer, 9, &[&w.own]);
        t.write(&insurers_list(w), &w.again(list.as_str(), honest, |_| {}));
        plant(t, &w.badge(Signatory::Root(&w.own), "supervisor"))
    }),
    ("an own list for the insurer's files", Code::Token, |w, t, honest| {
        let mut list = Token::of(list_of(w, w.root(honest), 9, &[&w.own]).as_str());
        list.claims["iss"] = w.insurer.thumbprint().to_string().into();
        let by = crate::world::root_secrets(w.root(honest));
        t.write(&insurers_list(w), &list.signed(&by.signing));
        plant(t, &w.badge(Signatory::Root(&w.own), "supervisor"))
    }),
    ("a key written into the insurer's list", Code::Signature, |w, t, honest| {
        let own = list_of(w, &w.insurer, 9, &[&w.own]);
        let key = Token::of(own.as_str()).claims["keys"][0].clone();
        let list = t.read(&insurers_list(w));
        let add = |claims: &mut serde_json::Value| {
            claims["keys"].as_array_mut().unwrap().push(key);
        };
        t.write(&insurers_list(w), &w.again(&list, honest, add));
        plant(t, &w.badge(Signatory::Root(&w.own), "supervisor"))
    }),
    ("the older list, which named another signer", Code::Rollback, |w, t, honest| {
        let list = if honest {
            w.again(w.lists[0].as_str(), true, |claims| claims["seq"] = 3.into())
        } else {
            w.lists[0].as_str().to_owned()
        };
        t.write(&insurers_list(w), &list);
        plant(t, &w.badge(Signatory::Identity(&w.leaver), "supervisor"))
    }),
    ("the older list, by the front door", Code::Rollback, |w, t, honest| {
        let text = w.again(w.lists[0].as_str(), true, |claims| claims["seq"] = 3.into());
        let newer = TrustList::parse(&text).unwrap();
        t.home.use_list(if honest { &newer } else { &w.lists[0] })?;
        plant(t, &w.badge(Signatory::Identity(&w.leaver), "supervisor"))
    }),
    ("a badge by who may sign them no more", Code::Denied, |w, t, honest| {
        let by = if honest { Signatory::Root(&w.insurer) } else { Signatory::Identity(&w.leaver) };
        plant(t, &w.badge(by, "supervisor"))
    }),
    ("the insurer's list removed", Code::Rollback, |w, t, honest| {
        if !honest {
            t.remove(&insurers_list(w));
        }
        plant(t, &w.badge(Signatory::Root(&w.insurer), "supervisor"))
    }),
    ("an expired list", Code::Denied, |w, t, honest| {
        let until = if honest { w.now + HOUR } else { w.now - 1 };
        let list = list_of(w, &w.insurer, 9, &[&w.insurer]);
        let list = w.again(list.as_str(), true, |claims| {
            claims["exp"] = until.into();
            claims["iat"] = (w.now - HOUR).into();
        });
        t.write(&insurers_list(w), &list);
        plant(t, &w.badge(Signatory::Root(&w.insurer), "supervisor"))
    }),
    ("a right that no grant gives", Code::Right, |w, t, honest| {
        let rights: &[Right] =
            if honest { &[Right::View, Right::Export] } else { &[Right::View, Right::Print] };
        let rights: Vec<_> = rights.iter().map(|r| r.name()).collect();
        let grants = json!([{"to": [{"role": "agent"}], "rights": rights}]);
        t.file = w.seal(&json!({"version": 1, "name": "n", "grants": grants}));
        Ok(())
    }),
];
