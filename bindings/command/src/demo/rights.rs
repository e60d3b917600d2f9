//! The second half: a desk at home under `claims-from-home`, with badge, checklist, revocations
//! and trail.

use super::story::{Story, io, say};
use crate::context::instant;
use crate::output::outln;
use bulla::policy::{Condition, Duty, Facts, Failed};
use bulla::{Code, Error, Home, Host, Result, Session};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

const POLICY: &str = include_str!("../../../../examples/policies/claims-from-home.json");
const BADGE: [&str; 6] = ["badge", "issue", "--subject", "kim.minjun", "--role", "claims-agent"];
const TICKET: &str = "T-1001";
/// What somebody checks at a home desk each day, and of which the policy wants to see a signature.
const POSTURE: [&str; 4] = [
    "posture.screen-capture-blocked",
    "posture.usb-storage-blocked",
    "posture.printing-blocked",
    "posture.unapproved-software-blocked",
];

pub fn tell(story: &Story, samples: &[PathBuf]) -> Result<()> {
    let device = story.json("desk", &["identity", "show"])?;
    let device = text(&device, "device")?;

    say("Now the agent Kim works from home, under examples/policies/claims-from-home.json.");
    say("The insurer names this very program as managed software; the desk takes the list.");
    let program = std::env::current_exe().and_then(fs::read).map_err(io)?;
    let program = bulla::ProgramHash::of(&program).to_string();
    story.step("issuer", &["trust", "sign", "--program", &program, "-o", "trust.list"], 0)?;
    story.step("desk", &["trust", "use", "trust.list"], 0)?;
    say("It signs who sits there until tonight; the desk's audit trail is anchored with it.");
    anchored_badge(story)?;
    say("And what is revoked: nothing so far. The policy wants a list of today.");
    story.step("issuer", &["revoke", "-o", "revoked.list"], 0)?;
    story.step("desk", &["revoke", "use", "revoked.list"], 0)?;
    say("Somebody checked the device, and that Kim is there. The checklist is still to be done.");
    for kind in POSTURE {
        attest(story, kind, &["--device", &device])?;
    }
    attest(story, "attendance", &["--subject", "kim.minjun"])?;

    // A file with lines, where there is one.
    let lines = |path: &&PathBuf| path.extension().is_some_and(|e| e == "csv");
    let sample = samples.iter().find(lines).unwrap_or(&samples[0]);
    let claims = policy(story, sample)?;
    say("Without the day's checklist:");
    claims.view_denied(None, "attested")?;
    say("With it. A card program, written with the library, declares the duties it carries out:");
    attest(story, "daily-checklist", &["--subject", "kim.minjun"])?;
    claims.view()?;
    say("Kim may view. Plain bytes don't leave:");
    story.step("desk", &["open", &claims.envelope, "-o", "leaked", "--ticket", TICKET], 3)?;
    say("Would Kim be able to print on Friday at seven in the evening, under the policy as it is?");
    story.write("claims-from-home.json", POLICY)?;
    let friday = ["policy", "explain", "claims-from-home.json", "--right", "print"];
    let at = ["--at", "2026-11-27T19:00:00+09:00", "--fact", "revocations=2026-11-27T00:00:00Z"];
    let kim = ["--user", "kim.minjun", "--role", "claims-agent"];
    story.step("desk", &[&friday[..], &at, &kim].concat(), 3)?;
    say("A file whose hours are over by now:");
    claims.elsewhere("closed.bulla").view_denied(None, "hours")?;
    say("Yesterday's badge, put in again:");
    let from = instant_text(-24 * 3600)?;
    let old = ["--to", "desk/identity.pub", "--from", &from, "--for", "10h", "-o", "old.badge"];
    story.step("issuer", &[&BADGE[..], &old].concat(), 0)?;
    story.step("desk", &["badge", "use", "old.badge"], 3)?;
    let old = fs::read_to_string(story.path("old.badge")).map_err(io)?;
    claims.view_denied(Some(old), "badge")?;
    say("Kim's access is revoked. The desk hears of it:");
    story.step("issuer", &["revoke", "--subject", "kim.minjun", "-o", "revoked.list"], 0)?;
    story.step("desk", &["revoke", "use", "revoked.list"], 0)?;
    claims.view_denied(None, "revoked")?;
    story.step("issuer", &["revoke", "--lift", "kim.minjun", "-o", "revoked.list"], 0)?;
    story.step("desk", &["revoke", "use", "revoked.list"], 0)?;

    say("All of it stands in the desk's audit trail, each line bound to the one before.");
    story.step("desk", &["trail", "show", "--event", "denied"], 0)?;
    story.step("desk", &["trail", "verify"], 0)?;
    say("One line is edited: the verification points at it.");
    let trail = story.path("desk/trail.jsonl");
    let original = fs::read_to_string(&trail).map_err(io)?;
    let line = original.lines().position(|l| l.contains(r#""event":"denied""#));
    let line = line.ok_or_else(|| Error::new(Code::Internal, "no denial was recorded"))?;
    let edited: Vec<_> = original
        .lines()
        .enumerate()
        .map(|(i, l)| if i == line { l.replace("denied", "opened") } else { l.to_owned() })
        .collect();
    fs::write(&trail, edited.join("\n") + "\n").map_err(io)?;
    outln!("  (line {} now says opened in place of denied)", line + 1);
    let said = story.output("desk", &["trail", "verify"], 5)?;
    if !said.contains(&format!("line {}", line + 1)) {
        return Err(Error::new(Code::Internal, "the verification points elsewhere"));
    }
    fs::write(&trail, original).map_err(io)?;
    say("The trail is deleted: nothing opens any more …");
    fs::remove_file(&trail).map_err(io)?;
    let open = format!("data/{}.bulla", name(&samples[0]));
    story.step("desk", &["open", &open, "-o", "never"], 3)?;
    say("… until the insurer signs a reset, which it will ask questions about first.");
    let identity = fs::read_to_string(story.path("desk/identity")).map_err(io)?;
    let identity: Value = serde_json::from_str(&identity).unwrap_or_default();
    let id = text(&identity, "trail")?;
    let sign = ["trail", "sign-reset", "--device", &device, "--trail", &id, "-o", "reset"];
    story.step("issuer", &sign, 0)?;
    story.step("desk", &["trail", "reset", "reset"], 0)?;
    say("The badge in use still names the old trail: a new one names the new.");
    anchored_badge(story)?;
    story.step("desk", &["open", &open, "-o", "again"], 0)
}

fn anchored_badge(story: &Story) -> Result<()> {
    story.step("desk", &["trail", "checkpoint", "-o", "desk.checkpoint"], 0)?;
    let to = ["--to", "desk/identity.pub", "--for", "10h", "--anchor", "desk.checkpoint"];
    story.step("issuer", &[&BADGE[..], &to, &["-o", "kim.badge"]].concat(), 0)?;
    story.step("desk", &["badge", "use", "kim.badge"], 0)
}

fn attest(story: &Story, kind: &str, about: &[&str]) -> Result<()> {
    let file = format!("{kind}.attestation");
    let attest = ["attest", kind, "--for", "2h", "-o", &file];
    story.step("issuer", &[&attest[..], about].concat(), 0)?;
    story.step("desk", &["attest", "use", &file], 0)
}

/// A file under the policy, as far as this machine can satisfy it.
struct Claims<'a> {
    story: &'a Story,
    envelope: String,
}

/// Seals a file under the policy, with hours and network of here and now in place of an office
/// in Seoul, and one with hours that are over.
fn policy<'a>(story: &'a Story, sample: &Path) -> Result<Claims<'a>> {
    let mut policy: Value = serde_json::from_str(POLICY).expect("an example that is tested");
    let all = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let hours = |from: &str, to: &str| json!({"zone": "UTC", "days": all, "from": from, "to": to});
    say("For the demo the policy's hours are all day and its network is any, since this is not");
    say("an office in Seoul. All else stands as it is.");
    policy["grants"][0]["when"]["hours"] = hours("00:00", "24:00");
    policy["grants"][0]["when"]["network"] = json!({"any": ["0.0.0.0/0", "::/0"]});
    let claims = Claims { story, envelope: "claims.bulla".into() };
    loop {
        claims.seal("claims.json", &policy, sample, "claims.bulla")?;
        // What a machine cannot tell of itself cannot be demanded of it.
        let Some(failed) = claims.first_untold()? else { break };
        outln!("    (this machine cannot tell its {}: left out)\n", failed.name());
        let when = policy["grants"][0]["when"].as_object_mut().expect("an object");
        when.remove(failed.name());
    }
    // An hour that begins in two hours and lasts for one: closed now.
    let start = &instant_text(2 * 3600)?[11..13];
    let end = &instant_text(3 * 3600)?[11..13];
    policy["grants"][0]["when"]["hours"] = hours(&format!("{start}:00"), &format!("{end}:00"));
    claims.seal("closed.json", &policy, sample, "closed.bulla")?;
    Ok(claims)
}

impl Claims<'_> {
    fn seal(&self, name: &str, policy: &Value, plain: &Path, envelope: &str) -> Result<()> {
        let text = serde_json::to_string_pretty(policy).expect("plain data");
        self.story.write(name, text)?;
        let plain = plain.canonicalize().map_err(io)?;
        let plain = plain.to_string_lossy();
        let to = ["--to", "desk/identity.pub", "--to", "issuer/identity.pub", "--force"];
        let seal = ["seal", "--policy", name, &plain, "-o", envelope];
        self.story.step("issuer", &[&seal[..], &to].concat(), 0)
    }

    /// Network or storage, where this machine cannot tell them.
    fn first_untold(&self) -> Result<Option<Condition>> {
        let session = self.session(None)?;
        let decision = session.explain(&self.story.path(&self.envelope), &Facts::default())?;
        let failed = decision.refusals().first().map(|r| r.failed);
        Ok(match failed {
            Some(Failed::Condition(c @ (Condition::Network | Condition::Storage))) => Some(c),
            _ => None,
        })
    }

    fn elsewhere(&self, envelope: &str) -> Self {
        Claims { story: self.story, envelope: envelope.into() }
    }

    /// The session of a program that draws the watermark over what it shows, shows no value of any
    /// column, and whose output is this terminal's.
    fn session(&self, badge: Option<String>) -> Result<Session> {
        let home = Home::at(self.story.path("desk"));
        let duties = Duty::ALL.iter().copied().collect();
        let host = Host { duties, badge, ticket: Some(TICKET.into()), ..Host::default() };
        Session::start(&home, home.identity(None)?, host)
    }

    fn view(&self) -> Result<()> {
        outln!("  (the card program opens {} for ticket {TICKET})", self.envelope);
        let file = self.session(None)?.open(&self.story.path(&self.envelope))?;
        outln!("    watermark: {}", file.watermark());
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        file.read_until(b'\n', &mut line).map_err(io)?;
        let columns: String = String::from_utf8_lossy(&line).trim_end().chars().take(70).collect();
        let more = file.split(b'\n').collect::<std::result::Result<Vec<_>, _>>().map_err(io)?;
        outln!("    {} lines follow this one: {columns}\n", more.len());
        Ok(())
    }

    fn view_denied(&self, badge: Option<String>, because: &str) -> Result<()> {
        outln!("  (the card program opens {} for ticket {TICKET})", self.envelope);
        let opened = self.session(badge)?.open(&self.story.path(&self.envelope));
        let Err(e) = opened else {
            return Err(Error::new(Code::Internal, "this was to be denied"));
        };
        outln!("    {e} [{}]\n", e.code().name());
        let failed = e.decision().and_then(|d| d.refusals().first()).map(|r| r.failed.name());
        if failed.unwrap_or(e.code().name()) == because {
            return Ok(());
        }
        Err(Error::new(Code::Internal, format!("this was to be denied because of {because}")))
    }
}

/// A time so many seconds from now, as the command reads it.
fn instant_text(ahead: i64) -> Result<String> {
    let now = i64::try_from(crate::context::now()).unwrap_or_default();
    let text = crate::context::time(u64::try_from(now + ahead).unwrap_or_default());
    instant(&text).map(|_| text).map_err(|e| Error::new(Code::Internal, e))
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str().map(str::to_owned);
    text.ok_or_else(|| Error::new(Code::Internal, format!("{key} is missing in a step's output")))
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}
