//! Revocations that are taken away, and trails that are cut, rewritten, replaced and reset.

use crate::Attempt;
use crate::support::forge::{Token, b64};
use crate::world::{LAX, Try, World, agents, root_secrets, secrets};
use bulla::{Code, Home, Reset, Result, Revocations, Revoked, RevokedFile, Signatory};
use ed25519_dalek::Signer;
use serde_json::json;
use sha2::{Digest, Sha256};

fn list(w: &World, by: Signatory<'_>, seq: u64, revoked: Revoked) -> Result<Revocations> {
    Revocations::sign(by, w.insurer.thumbprint(), seq, revoked, w.now)
}

/// The name under which the insurer's list lies in the home.
fn listed(w: &World) -> String {
    format!("revocations/{0}.{0}", w.insurer.thumbprint())
}

/// A lax file that the insurer's second list revokes, which was in use here once.
fn revoked(w: &World, t: &mut Try) -> Result<()> {
    t.file = w.seal(&serde_json::from_str(LAX).unwrap());
    t.view(&t.file);
    let file = bulla::inspect(&t.file)?.file;
    let entry = RevokedFile { file, below_seq: None };
    let revoked = Revoked { files: vec![entry], ..Revoked::default() };
    t.home.use_revocations(&list(w, Signatory::Root(&w.insurer), 2, revoked)?)?;
    assert_eq!(t.export().unwrap_err().code(), Code::Revoked);
    Ok(())
}

/// The insurer lifts it, or else.
fn lifted(w: &World, t: &Try, honest: bool, or: impl FnOnce() -> Result<()>) -> Result<()> {
    if honest {
        let by = Signatory::Root(&w.insurer);
        return t.home.use_revocations(&list(w, by, 3, Revoked::default())?);
    }
    or()
}

/// A file that opens while the trail is anchored, with a badge that says where it stood after some
/// accesses.
fn anchored(w: &World, t: &mut Try) {
    for _ in 0..3 {
        t.view(&w.strict);
    }
    t.file = w.seal(&agents(json!({"anchored": "12h"})));
    t.host.badge = Some(w.anchored_badge(&t.home));
}

/// The lines, each with the hash of the one before.
fn chained(lines: &[String]) -> String {
    let (mut out, mut head) = (String::new(), b64(&[0; 32]));
    for line in lines {
        let (start, _) = line.rsplit_once("\"prev\":").unwrap();
        let line = format!("{start}\"prev\":\"{head}\"}}");
        head = b64(&Sha256::digest(&line));
        out += &format!("{line}\n");
    }
    out
}

/// Rewrites the trail of an anchored badge, so that it holds together.
fn rewritten(
    w: &World,
    t: &mut Try,
    honest: bool,
    edit: impl FnOnce(&mut Vec<String>),
) -> Result<()> {
    anchored(w, t);
    let trail = t.read("trail.jsonl");
    let mut lines: Vec<String> = trail.lines().map(str::to_owned).collect();
    assert_eq!(chained(&lines), trail, "nothing edited, nothing changed");
    if !honest {
        edit(&mut lines);
    }
    t.write("trail.jsonl", &chained(&lines));
    Ok(())
}

/// The trail is gone; a root signs a reset.
fn reset_by(w: &World, t: &Try, honest: bool) -> Result<()> {
    t.host_is_supervisor(w);
    let (device, trail) = (w.desk.thumbprint(), t.home.trail_id()?);
    t.remove("trail.jsonl");
    t.home.use_reset(&Reset::sign(w.root(honest), device, trail, w.now)?).map(drop)
}

impl Try {
    /// Puts a supervisor's badge into the home.
    fn host_is_supervisor(&self, w: &World) {
        self.write("badge", &w.badge(Signatory::Root(&w.insurer), "supervisor"));
    }
}

pub const ATTEMPTS: &[Attempt] = &[
    ("revocations removed", Code::Rollback, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            t.remove(&listed(w));
            Ok(())
        })
    }),
    ("revocations of before", Code::Rollback, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            let old = list(w, Signatory::Root(&w.insurer), 1, Revoked::default())?;
            t.write(&listed(w), old.as_str());
            Ok(())
        })
    }),
    ("revocations of before, by the front door", Code::Rollback, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            let old = list(w, Signatory::Root(&w.insurer), 1, Revoked::default())?;
            t.home.use_revocations(&old)
        })
    }),
    ("revocations with an entry struck out", Code::Signature, |w, t, honest| {
        revoked(w, t)?;
        let struck = w.again(&t.read(&listed(w)), honest, |claims| {
            claims["revoked"] = json!({});
            claims["seq"] = 3.into();
        });
        t.write(&listed(w), &struck);
        Ok(())
    }),
    ("revocations by the device", Code::Revoked, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            let own = list(w, Signatory::Identity(&w.desk), 9, Revoked::default())?;
            let name = format!("revocations/{}.{}", own.root(), own.signer());
            t.write(&name, own.as_str());
            Ok(())
        })
    }),
    ("revocations by an own root in their place", Code::Rollback, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            let own = list(w, Signatory::Root(&w.own), 9, Revoked::default())?;
            t.write(&listed(w), own.as_str());
            Ok(())
        })
    }),
    ("revocations by an own root, by the front door", Code::NotTrusted, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            t.home.use_revocations(&list(w, Signatory::Root(&w.own), 9, Revoked::default())?)
        })
    }),
    ("older terms of a revoked file", Code::Revoked, |w, t, honest| {
        revoked(w, t)?;
        t.older = true;
        lifted(w, t, honest, || Ok(()))
    }),
    ("revocations and trail removed", Code::Trail, |w, t, honest| {
        revoked(w, t)?;
        lifted(w, t, honest, || {
            t.remove(&listed(w));
            t.remove("trail.jsonl");
            Ok(())
        })
    }),
    ("a reset by an own root", Code::Trail, |w, t, honest| reset_by(w, t, honest)),
    ("a reset in the root's name", Code::Signature, |w, t, honest| {
        t.host_is_supervisor(w);
        let (device, trail) = (w.desk.thumbprint(), t.home.trail_id()?);
        t.remove("trail.jsonl");
        let reset = Reset::sign(&w.insurer, device, trail, w.now)?;
        let reset = Reset::parse(&w.again(reset.as_str(), honest, |_| {}))?;
        t.home.use_reset(&reset).map(drop)
    }),
    ("a reset of another device", Code::NotPermitted, |w, t, honest| {
        t.host_is_supervisor(w);
        let device = if honest { &w.desk } else { &w.other }.thumbprint();
        let trail = t.home.trail_id()?;
        t.remove("trail.jsonl");
        t.home.use_reset(&Reset::sign(&w.insurer, device, trail, w.now)?).map(drop)
    }),
    ("a reset by an own root, written into the trail", Code::Trail, |w, t, honest| {
        // What the command writes for an own reset, with the insurer named as the one who gave it.
        t.host_is_supervisor(w);
        reset_by(w, t, honest)?;
        if !honest {
            let lines = t.read("trail.jsonl");
            let (own, insurer) = (w.own.thumbprint().to_string(), w.insurer.thumbprint());
            let lines = lines.replace(&own, &insurer.to_string());
            let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
            t.write("trail.jsonl", &chained(&lines));
        }
        Ok(())
    }),
    ("the same reset twice", Code::NotPermitted, |w, t, honest| {
        t.host_is_supervisor(w);
        let (device, trail) = (w.desk.thumbprint(), t.home.trail_id()?);
        let reset = Reset::sign(&w.insurer, device, trail, w.now)?;
        t.home.use_reset(&reset)?;
        if !honest {
            t.remove("trail.jsonl");
            t.home.use_reset(&reset)?;
        }
        Ok(())
    }),
    ("no trail", Code::Trail, |w, t, honest| {
        t.host_is_supervisor(w);
        if !honest {
            t.remove("trail.jsonl");
        }
        Ok(())
    }),
    ("the trail of another device", Code::Trail, |w, t, honest| {
        t.host_is_supervisor(w);
        if !honest {
            let other = Home::at(w.home("other")).trail_file();
            t.write("trail.jsonl", &std::fs::read_to_string(other).unwrap());
        }
        Ok(())
    }),
    ("one line of the trail edited", Code::Trail, |w, t, honest| {
        t.host_is_supervisor(w);
        if !honest {
            let trail = t.read("trail.jsonl").replacen("\"opened\"", "\"denied\"", 1);
            t.write("trail.jsonl", &trail);
        }
        Ok(())
    }),
    ("a trail that was begun anew by hand", Code::Trail, |w, t, honest| {
        rewritten(w, t, honest, |lines| lines.truncate(1))
    }),
    ("a trail cut before its anchor", Code::Trail, |w, t, honest| {
        rewritten(w, t, honest, |lines| drop(lines.pop()))
    }),
    ("a person struck out of an anchored trail", Code::Trail, |w, t, honest| {
        rewritten(w, t, honest, |lines| {
            let opened = lines.iter_mut().rfind(|l| l.contains("\"opened\"")).unwrap();
            assert!(opened.contains("\"kim\""));
            *opened = opened.replace("\"subject\":\"kim\",", "");
        })
    }),
    ("opens struck out of an anchored trail", Code::Trail, |w, t, honest| {
        let when = json!({"anchored": "12h", "opens": {"at_most": 1, "per": "24h"}});
        let file = w.seal(&agents(when));
        t.host.badge = Some(w.anchored_badge(&t.home));
        let before = t.read("trail.jsonl");
        if !honest {
            t.view(&file);
            t.host.badge = Some(w.anchored_badge(&t.home));
            t.write("trail.jsonl", &before);
        }
        t.file = file;
        Ok(())
    }),
    ("a badge anchored in the trail of another device", Code::Trail, |w, t, honest| {
        anchored(w, t);
        if !honest {
            let badge = w.anchored_badge(&t.home);
            let other = Home::at(w.home("other"));
            let anchor = other.checkpoint(&other.identity(None)?)?.anchor().clone();
            let mut token = Token::of(&badge);
            token.claims["trail"] = json!(anchor);
            // Signed by the insurer, who was shown the wrong checkpoint.
            t.host.badge = Some(token.signed(&root_secrets(&w.insurer).signing));
        }
        Ok(())
    }),
];

/// A summary of the trail by the device is believed as far as it names the right line, and the
/// device's key is the attacker's: so an anchored trail, whole as it is, forgets.
pub const OPEN: &[Attempt] = &[
    ("a summary that forgets opens", Code::Denied, |w, t, honest| {
        let when = json!({"anchored": "12h", "opens": {"at_most": 1, "per": "24h"}});
        t.file = w.seal(&agents(when));
        t.host.badge = Some(w.anchored_badge(&t.home));
        if !honest {
            t.view(&t.file);
            t.host.badge = Some(w.anchored_badge(&t.home));
            summarize(w, t, json!({}))?;
        }
        Ok(())
    }),
    ("a summary that forgets lists", Code::Rollback, |w, t, honest| {
        let old = w.lists[0].as_str();
        let list = w.again(old, true, |claims| claims["seq"] = 3.into());
        let name = format!("trust/{}", w.insurer.thumbprint());
        t.write(&name, if honest { &list } else { old });
        t.write("badge", &w.badge(Signatory::Identity(&w.leaver), "supervisor"));
        if honest { Ok(()) } else { summarize(w, t, json!({})) }
    }),
];

/// Writes `trail.state` as of the last line: a signature, and what it is over.
fn summarize(w: &World, t: &Try, lists: serde_json::Value) -> Result<()> {
    let trail = t.read("trail.jsonl");
    let last = trail.lines().last().unwrap();
    let lineage = json!({"device": w.desk.thumbprint(), "ids": [t.home.trail_id()?],
                         "begun_by": null, "latest": w.now, "resets": {}});
    let state = json!({"lineage": lineage, "opens": {}, "files": {}, "lists": lists});
    let head = b64(&Sha256::digest(last));
    let summary = json!({"version": 1, "offset": trail.len(), "seq": trail.lines().count(),
                         "head": head, "state": state})
    .to_string();
    let signed = [&b"bulla/1 trail state\0"[..], &Sha256::digest(&summary)].concat();
    let signature = secrets(&w.desk).signing.sign(&signed).to_bytes();
    t.write("trail.state", &format!("{}\n{summary}\n", b64(&signature)));
    Ok(())
}
