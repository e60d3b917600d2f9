//! Sessions on made-up machines at made-up times: what opens, what ends, what is remembered.

use super::*;
use crate::access::{Access, Demand};
use crate::cobblestone::Work;
use crate::cobblestone::tests::by_threads;
use crate::facts::{About, Attestation, Badge, BadgeTerms, Revocations, Revoked, RevokedFile};
use crate::keys::{KemKind, Kinds, RootKey, Signatory};
use crate::measure::{FakeMachine, MeasuredProgram};
use crate::policy::{Duty, Failed, Posture, Provenance, Right};
use crate::seal::Sealer;
use crate::trail::TrailRecord;
use crate::trust::{KeyUse, Roles, TrustList, TrustedKey};
use crate::{Changes, Class, Code, Existing, Metadata, ProgramHash, Reset, relicense};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Tuesday, 2026-11-24, 12:00 in Seoul.
const NOON: u64 = 1_795_489_200;
const HOUR: u64 = 3600;

/// An insurer and one desk, with a clock and a machine that tests set.
struct Desk {
    _folder: tempfile::TempDir,
    folder: PathBuf,
    root: RootKey,
    home: Home,
    clock: Arc<AtomicU64>,
    machine: &'static FakeMachine,
}

impl Desk {
    fn new() -> Self {
        let folder = crate::memory_folder();
        let home = Home::at(folder.path().join("desk"));
        let identity = Identity::generate(KemKind::X25519, "desk 7").unwrap();
        home.create_identity_at(&identity, None, NOON - HOUR).unwrap();
        let root = RootKey::generate("Hanbit Insurance").unwrap();
        home.pin(root.line()).unwrap();
        let machine = Box::leak(Box::<FakeMachine>::default());
        *machine.storage.lock().unwrap() = Some(Storage::Fixed);
        let desk = Desk {
            folder: folder.path().to_owned(),
            _folder: folder,
            clock: Arc::new(AtomicU64::new(NOON)),
            root,
            home,
            machine,
        };
        desk.use_list(1, None, vec![]);
        desk
    }

    fn use_list(&self, seq: u64, roles: Option<Roles>, programs: Vec<ProgramHash>) {
        let key = TrustedKey { roles, ..TrustedKey::ours(self.root.line().key(), &KeyUse::ALL) };
        let (from, until) = (NOON - HOUR, NOON + 1000 * HOUR);
        let list = TrustList::sign(&self.root, seq, from, until, vec![key], programs).unwrap();
        self.home.use_list_at(&list, NOON - HOUR).unwrap();
    }

    fn identity(&self) -> Identity {
        self.home.identity(None).unwrap()
    }

    fn badge(&self, subject: &str, roles: &[&str], from: u64, until: u64) -> String {
        self.anchored_badge(subject, roles, from, until, None)
    }

    fn anchored_badge(
        &self,
        subject: &str,
        roles: &[&str],
        from: u64,
        until: u64,
        anchor: Option<&crate::Anchor>,
    ) -> String {
        let roles: Vec<String> = roles.iter().map(|r| r.to_string()).collect();
        let device = self.identity().thumbprint();
        let terms = BadgeTerms { subject, roles: &roles, groups: &[], device, anchor };
        Badge::sign(Signatory::Root(&self.root), terms, from, until).unwrap().as_str().into()
    }

    fn attestation(&self, kind: &str, about: &About, from: u64, until: u64) -> String {
        let root = Signatory::Root(&self.root);
        Attestation::sign(root, kind, about, None, from, until).unwrap().as_str().into()
    }

    fn revoke(&self, seq: u64, revoked: Revoked, at: u64) {
        let root = Signatory::Root(&self.root);
        let list = Revocations::sign(root, self.root.thumbprint(), seq, revoked, at).unwrap();
        let file = format!("{}.{}", self.root.thumbprint(), self.root.thumbprint());
        let folder = self.home.folder().join("revocations");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), list.as_str()).unwrap();
    }

    /// Seals a few bytes under a policy and gives the path.
    fn seal(&self, name: &str, policy: &Value) -> PathBuf {
        self.seal_text(name, policy, b"name,phone\n")
    }

    fn seal_text(&self, name: &str, policy: &Value, text: &[u8]) -> PathBuf {
        let to = [self.identity().recipient().clone()];
        let policy = policy.to_string();
        let sealer = Sealer::issued(&self.root, "", policy.as_bytes(), &to, Kinds::Same).unwrap();
        let path = self.folder.join(name);
        let new = sealer.prepare(&Metadata::default()).unwrap();
        let mut writer = new.into_file(&path, Existing::Replace).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap();
        path
    }

    fn session(&self, host: Host) -> Session {
        self.try_session(host).unwrap()
    }

    fn try_session(&self, host: Host) -> Result<Session> {
        let clock = Clock::Fixed(Arc::clone(&self.clock));
        Session::with(&self.home, self.identity(), host, clock, self.machine)
    }

    fn with_badge(&self, badge: &str) -> Session {
        self.session(Host { badge: Some(badge.into()), duties: all_duties(), ..Host::default() })
    }

    fn set_clock(&self, now: u64) {
        self.clock.store(now, Ordering::Relaxed);
    }

    fn uptime(&self, seconds: u64) {
        *self.machine.uptime.lock().unwrap() = Duration::from_secs(seconds);
    }

    fn records(&self) -> Vec<TrailRecord> {
        let text = std::fs::read_to_string(self.home.trail_file()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The names of the events, the first one (`begun`) and lists left out.
    fn events(&self) -> Vec<String> {
        let names = self.records().into_iter().map(|r| r.event.name().to_owned());
        names.filter(|n| n != "begun" && n != "list-used").collect()
    }
}

fn all_duties() -> DutySet {
    Duty::ALL.iter().copied().collect()
}

fn agents(when: Value) -> Value {
    json!({"version": 1, "name": "agents", "grants": [
        {"to": [{"role": "agent"}], "rights": ["view", "print"], "when": when}]})
}

/// For whoever has the role, whenever.
fn agents_always() -> Value {
    json!({"version": 1, "name": "agents", "grants": [
        {"to": [{"role": "agent"}], "rights": ["view", "print"]}]})
}

fn anyone(rights: &[&str]) -> Value {
    json!({"version": 1, "name": "anyone", "grants": [{"to": ["anyone"], "rights": rights}]})
}

#[track_caller]
fn code<T>(result: Result<T>) -> Code {
    match result {
        Ok(_) => panic!("this was to be refused"),
        Err(e) => e.code(),
    }
}

/// The condition that failed in the first grant.
#[track_caller]
fn failed<T>(result: Result<T>) -> Failed {
    let e = result.err().expect("this was to be denied");
    assert_eq!(e.code(), Code::Denied, "{e}");
    e.decision().unwrap().refusals()[0].failed
}

#[test]
fn a_badge_is_the_lease() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    assert_eq!(failed(desk.session(Host::default()).open(&path)), Failed::Badge);
    let badge = desk.badge("kim", &["agent"], NOON - 60, NOON + HOUR);
    let session = desk.with_badge(&badge);
    let file = session.open(&path).unwrap();
    let mut text = [0; 4];
    assert_eq!(file.read_at(&mut text, 0).unwrap(), 4);
    assert_eq!(file.until(), Some(NOON + HOUR + 60));
    assert_eq!(file.watermark(), watermark(&desk, "kim"));

    // Its end, with the leeway, ends reads; a new one goes on after a refresh.
    desk.set_clock(NOON + HOUR + 59);
    file.read_at(&mut text, 0).unwrap();
    desk.set_clock(NOON + HOUR + 60);
    assert_eq!(code(file.read_at(&mut text, 0)), Code::Ended);
    assert_eq!(code(file.exercise(Right::Print)), Code::Ended);
    assert!(file.rights().is_empty() && file.decision().is_denial());
    assert_eq!(code(session.open(&path)), Code::Denied);
    let new = desk.badge("kim", &["agent"], NOON + HOUR, NOON + 9 * HOUR);
    session.refresh_with(&new, &[]).unwrap();
    file.read_at(&mut text, 0).unwrap();
    file.exercise(Right::Print).unwrap();
    assert_eq!(desk.events(), ["denied", "opened", "seen", "denied", "denied", "printed"]);
    let records = desk.records();
    let by_kim = records.iter().filter(|r| r.subject.as_deref() == Some("kim"));
    let by_kim: Vec<_> = by_kim.map(|r| r.event.name()).collect();
    assert_eq!(by_kim, ["opened", "denied", "printed"]);
}

fn watermark(desk: &Desk, subject: &str) -> String {
    let thumbprint = desk.identity().thumbprint().to_string();
    format!("{subject} · desk 7 ({}) · 2026-11-24 03:00 UTC", &thumbprint[..12])
}

#[test]
fn the_end_counts_suspend_and_no_clock_that_is_set_back() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let badge = desk.badge("kim", &["agent"], NOON, NOON + HOUR);
    let file = desk.with_badge(&badge).open(&path).unwrap();
    desk.uptime(HOUR + 59);
    desk.set_clock(NOON - 30);
    file.read_at(&mut [0; 1], 0).unwrap();
    desk.uptime(HOUR + 60);
    assert_eq!(code(file.read_at(&mut [0; 1], 0)), Code::Ended);
}

/// Storage that takes, once it is slow, until all badges are over.
struct Slow<'a> {
    sealed: &'a [u8],
    clock: &'a AtomicU64,
    slow: &'a AtomicBool,
}

impl crate::cobblestone::ReadAt for Slow<'_> {
    fn read_at(&self, out: &mut [u8], offset: u64) -> std::io::Result<usize> {
        if self.slow.load(Ordering::Relaxed) {
            self.clock.store(NOON + 9 * HOUR, Ordering::Relaxed);
        }
        self.sealed.read_at(out, offset)
    }

    fn size(&self) -> std::io::Result<u64> {
        self.sealed.size()
    }
}

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.read_at(out, 0)?;
        self.sealed = &self.sealed[n..];
        Ok(n)
    }
}

#[test]
fn nothing_is_given_out_if_the_decision_ends_while_the_storage_reads() {
    let desk = Desk::new();
    let path = desk.seal_text("a", &agents_always(), &[7; 100_000]);
    let sealed = std::fs::read(path).unwrap();
    let slow = AtomicBool::new(false);
    let storage = || Slow { sealed: &sealed, clock: &desk.clock, slow: &slow };
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let file = session.open_source(storage()).unwrap();
    let mut stream = session.open_stream(storage()).unwrap();
    slow.store(true, Ordering::Relaxed);
    let mut text = [0; 4];
    assert_eq!(code(file.read_at(&mut text, 0)), Code::Ended);
    assert_eq!(text, [0; 4]);
    desk.set_clock(NOON);
    let e = stream.read(&mut text).unwrap_err().downcast::<Error>().unwrap();
    assert_eq!((e.code(), text), (Code::Ended, [0; 4]));
}

/// Whoever asks, by a read or for the rights: what was found over is over when the clock is set back.
#[test]
fn what_has_ended_stays_so() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let file = session.open(&path).unwrap();
    desk.set_clock(NOON + 2 * HOUR);
    assert!(file.rights().is_empty());
    assert_eq!(desk.events(), ["opened", "seen", "denied"]);
    desk.set_clock(NOON);
    assert!(file.rights().is_empty());
    assert_eq!(code(file.read_at(&mut [0; 1], 0)), Code::Ended);
    assert_eq!(desk.events(), ["opened", "seen", "denied"]);
}

#[test]
fn badges_that_do_not_count() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let other = Desk::new();
    for (badge, why) in [
        (other.badge("kim", &["agent"], NOON, NOON + HOUR), "does not name"),
        (desk.badge("kim", &["agent"], NOON - 2 * HOUR, NOON - 60), "expired"),
        (desk.badge("kim", &["agent"], NOON + 61, NOON + HOUR), "not valid yet"),
        ("rubbish".into(), "not a valid"),
    ] {
        let e = desk.with_badge(&badge).open(&path).err().unwrap();
        assert_eq!(e.code(), Code::Denied);
        assert!(e.to_string().contains("the badge in use does not count"), "{e}");
        assert!(e.to_string().contains(why), "{e}");
    }
    let device = other.identity().thumbprint();
    let roles = ["agent".to_owned()];
    let terms = BadgeTerms { subject: "kim", roles: &roles, groups: &[], device, anchor: None };
    let badge = Badge::sign(Signatory::Root(&desk.root), terms, NOON, NOON + HOUR).unwrap();
    let e = desk.with_badge(badge.as_str()).open(&path).err().unwrap();
    assert!(e.to_string().contains("another device"), "{e}");
    // A badge that counts later does so without a refresh.
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON + 100, NOON + HOUR));
    assert_eq!(code(session.open(&path)), Code::Denied);
    desk.set_clock(NOON + 41);
    session.open(&path).unwrap();
}

#[test]
fn roles_that_a_signer_may_not_give_are_worth_nothing() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let roles = Roles { claim: "roles".into(), allow: vec!["clerk".into()] };
    desk.use_list(2, Some(roles), vec![]);
    let badge = desk.badge("kim", &["agent", "clerk"], NOON, NOON + HOUR);
    assert_eq!(failed(desk.with_badge(&badge).open(&path)), Failed::To);
}

#[test]
fn revocations_end_open_files() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let file = session.open(&path).unwrap();
    let license = desk.records().iter().find_map(|r| r.license).unwrap();
    let entry = |below_seq| RevokedFile { file: file.file_id(), below_seq };
    let lists = [
        Revoked { files: vec![entry(None)], ..Revoked::default() },
        Revoked { files: vec![entry(Some(2))], ..Revoked::default() },
        Revoked { licenses: vec![license], ..Revoked::default() },
        Revoked { subjects: vec!["kim".into()], ..Revoked::default() },
        Revoked { devices: vec![desk.identity().thumbprint()], ..Revoked::default() },
    ];
    let mut seq = 0;
    for list in lists {
        seq += 2;
        desk.revoke(seq - 1, list, NOON);
        file.read_at(&mut [0; 1], 0).unwrap();
        session.refresh().unwrap();
        assert_eq!(code(file.read_at(&mut [0; 1], 0)), Code::Revoked);
        assert_eq!(code(session.open(&path)), Code::Revoked);
        // What is lifted again goes on.
        let other = Revoked { files: vec![entry(Some(1))], ..Revoked::default() };
        desk.revoke(seq, other, NOON);
        session.refresh().unwrap();
        file.read_at(&mut [0; 1], 0).unwrap();
        session.open(&path).unwrap();
    }
    // An older list, or none, is no way back.
    desk.revoke(1, Revoked::default(), NOON);
    session.refresh().unwrap();
    assert_eq!(code(session.open(&path)), Code::Rollback);
    std::fs::remove_dir_all(desk.home.folder().join("revocations")).unwrap();
    session.refresh().unwrap();
    assert_eq!(code(session.open(&path)), Code::Rollback);
    assert_eq!(code(desk.session(Host::default()).open(&path)), Code::Rollback);
}

#[test]
fn revocations_are_for_the_files_of_their_root() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let (bank, id) = (RootKey::generate("Bank").unwrap(), desk.identity().thumbprint());
    desk.home.pin(bank.line()).unwrap();
    let revoked = Revoked { devices: vec![id], ..Revoked::default() };
    // A key of the insurer's list has no say for the bank's files, nor the bank's for the insurer's.
    for (signer, root) in [(&bank, &desk.root), (&desk.root, &bank)] {
        let signatory = Signatory::Root(signer);
        let list =
            Revocations::sign(signatory, root.thumbprint(), 1, revoked.clone(), NOON).unwrap();
        let folder = desk.home.folder().join("revocations");
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("{}.{}", list.root(), list.signer());
        std::fs::write(folder.join(name), list.as_str()).unwrap();
    }
    desk.session(Host::default()).open(&path).unwrap();
}

#[test]
fn freshness_of_revocations() {
    let desk = Desk::new();
    let mut policy = anyone(&["view"]);
    policy["require"] = json!({"revocations": "24h"});
    let path = desk.seal("a", &policy);
    let condition = Failed::Condition(crate::policy::Condition::Revocations);
    assert_eq!(failed(desk.session(Host::default()).open(&path)), condition);
    desk.revoke(1, Revoked::default(), NOON - 24 * HOUR);
    assert_eq!(failed(desk.session(Host::default()).open(&path)), condition);
    desk.revoke(2, Revoked::default(), NOON - 23 * HOUR);
    let file = desk.session(Host::default()).open(&path).unwrap();
    assert_eq!(file.until(), Some(NOON + HOUR));
}

#[test]
fn the_clock_never_goes_back() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let session = desk.session(Host::default());
    session.open(&path).unwrap();
    // As far as clocks differ.
    desk.set_clock(NOON - 60);
    session.open(&path).unwrap();
    desk.set_clock(NOON - 61);
    assert_eq!(code(session.open(&path)), Code::Clock);
    // To 2099 and back: everything is denied until the issuer says otherwise.
    desk.set_clock(4_070_908_800);
    session.open(&path).unwrap();
    desk.set_clock(NOON + HOUR);
    assert_eq!(code(session.open(&path)), Code::Clock);
    assert_eq!(code(desk.session(Host::default()).open(&path)), Code::Clock);
    drop(session);
    let (device, trail) = (desk.identity().thumbprint(), desk.home.trail_id().unwrap());
    let mine = RootKey::generate("the agent's own").unwrap();
    desk.home.pin(mine.line()).unwrap();
    let own = Reset::sign(&mine, device, trail, NOON + HOUR).unwrap();
    desk.home.use_reset_at(&own, NOON + HOUR).unwrap();
    assert_eq!(code(desk.session(Host::default()).open(&path)), Code::Clock);
    let trail = desk.home.trail_id().unwrap();
    let reset = Reset::sign(&desk.root, device, trail, NOON + HOUR).unwrap();
    desk.home.use_reset_at(&reset, NOON + HOUR).unwrap();
    desk.session(Host::default()).open(&path).unwrap();
}

/// Windows does not let anybody remove a trail that is open.
#[cfg(not(windows))]
#[test]
fn a_lost_trail_denies_until_the_issuer_resets_it() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let session = desk.session(Host::default());
    let file = session.open(&path).unwrap();
    std::fs::remove_file(desk.home.trail_file()).unwrap();
    assert_eq!(code(session.open(&path)), Code::Trail);
    assert_eq!(code(desk.try_session(Host::default())), Code::Trail);
    drop((file, session));
    let (device, trail) = (desk.identity().thumbprint(), desk.home.trail_id().unwrap());
    // The agent's own root resets the trail for its own files, and for nobody else's.
    let mine = RootKey::generate("the agent's own").unwrap();
    desk.home.pin(mine.line()).unwrap();
    let own = Reset::sign(&mine, device, trail, NOON).unwrap();
    desk.home.use_reset_at(&own, NOON).unwrap();
    assert_eq!(code(desk.session(Host::default()).open(&path)), Code::Trail);
    let trail = desk.home.trail_id().unwrap();
    let reset = Reset::sign(&desk.root, device, trail, NOON).unwrap();
    desk.home.use_reset_at(&reset, NOON).unwrap();
    desk.session(Host::default()).open(&path).unwrap();
    // Once: after the next loss the same reset is worth nothing.
    std::fs::remove_file(desk.home.trail_file()).unwrap();
    assert_eq!(code(desk.home.use_reset_at(&reset, NOON)), Code::NotPermitted);
}

#[test]
fn a_trail_rewound_from_a_backup_is_found_at_the_next_anchor() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents(json!({"anchored": "12h"})));
    let backup = std::fs::read(desk.home.trail_file()).unwrap();
    let anchor = desk.home.checkpoint(&desk.identity()).unwrap().anchor().clone();
    let badge = desk.anchored_badge("kim", &["agent"], NOON, NOON + 9 * HOUR, Some(&anchor));
    let session = desk.with_badge(&badge);
    let file = session.open(&path).unwrap();
    assert_eq!(file.until(), Some(NOON + 9 * HOUR + 60));
    drop((file, session));
    let later = desk.home.checkpoint(&desk.identity()).unwrap().anchor().clone();
    std::fs::write(desk.home.trail_file(), backup).unwrap();
    desk.set_clock(NOON + 5);
    // The first anchor still holds: that is the stated limit. The next one finds it.
    desk.with_badge(&badge).open(&path).unwrap();
    let badge = desk.anchored_badge("kim", &["agent"], NOON, NOON + 9 * HOUR, Some(&later));
    assert_eq!(code(desk.with_badge(&badge).open(&path)), Code::Trail);
    let unanchored = desk.badge("kim", &["agent"], NOON, NOON + HOUR);
    let condition = Failed::Condition(crate::policy::Condition::Anchored);
    assert_eq!(failed(desk.with_badge(&unanchored).open(&path)), condition);
}

#[test]
fn opens_are_counted_by_policy_and_person() {
    let desk = Desk::new();
    let policy = agents(json!({"opens": {"at_most": 2, "per": "1h"}}));
    let (a, b) = (desk.seal("a", &policy), desk.seal("b", &policy));
    let kim = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + 9 * HOUR));
    let lee = desk.with_badge(&desk.badge("lee", &["agent"], NOON, NOON + 9 * HOUR));
    let file = kim.open(&a).unwrap();
    desk.set_clock(NOON + 10);
    kim.open(&b).unwrap();
    let opens = Failed::Condition(crate::policy::Condition::Opens);
    assert_eq!(failed(kim.open(&a)), opens);
    assert_eq!(
        failed(desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR)).open(&b)),
        opens
    );
    lee.open(&a).unwrap();
    // A refresh is no open, and takes none away.
    kim.refresh().unwrap();
    file.read_at(&mut [0; 1], 0).unwrap();
    desk.set_clock(NOON + HOUR - 1);
    assert_eq!(failed(kim.open(&a)), opens);
    desk.set_clock(NOON + HOUR);
    kim.open(&a).unwrap();
    assert_eq!(failed(kim.open(&a)), opens);
}

#[test]
fn measured_facts_and_the_hosts_word() {
    let desk = Desk::new();
    let when =
        json!({"network": ["10.20.0.0/16"], "software": {"mode": ["managed"]}, "storage": "fixed"});
    let path = desk.seal("a", &agents(when));
    let relaxed = desk.seal(
        "b",
        &agents(json!({
        "network": {"need": ["10.20.0.0/16"], "accept": "asserted"},
        "posture": {"need": ["usb-storage-blocked"], "accept": "asserted"}})),
    );
    let strict = desk.seal("c", &agents(json!({"posture": ["usb-storage-blocked"]})));
    let badge = desk.badge("kim", &["agent"], NOON, NOON + HOUR);
    let by = |path: &Path| failed(desk.with_badge(&badge).open(path)).name();
    assert_eq!(by(&path), "network");
    let ip = |text: &str| text.parse().unwrap();
    *desk.machine.addresses.lock().unwrap() = Some(vec![ip("10.20.1.1"), ip("192.168.0.2")]);
    assert_eq!(by(&path), "network");
    *desk.machine.addresses.lock().unwrap() = Some(vec![ip("10.20.1.1")]);
    assert_eq!(by(&path), "software");
    let program = MeasuredProgram { path: None, sha256: Some([7; 32]) };
    desk.machine.programs.lock().unwrap().insert(None, program);
    assert_eq!(by(&path), "software");
    desk.use_list(2, None, vec![ProgramHash([7; 32])]);
    *desk.machine.storage.lock().unwrap() = Some(Storage::Removable);
    assert_eq!(by(&path), "storage");
    *desk.machine.storage.lock().unwrap() = Some(Storage::Fixed);
    desk.with_badge(&badge).open(&path).unwrap();

    // The host's word counts where a policy takes it, and only in place of what is not known.
    *desk.machine.addresses.lock().unwrap() = None;
    let asserted = Facts {
        network: Some(crate::policy::Known::measured(vec![ip("10.20.9.9")])),
        posture: vec![Posture {
            name: "usb-storage-blocked".into(),
            expires: None,
            by: Provenance::Attested,
        }],
        badge: Some(crate::policy::Badge { subject: "root".into(), ..Default::default() }),
        ..Facts::default()
    };
    let host =
        Host { badge: Some(badge.clone()), duties: all_duties(), asserted, ..Host::default() };
    let session = desk.session(host);
    session.open(&relaxed).unwrap();
    assert_eq!(failed(session.open(&path)).name(), "network");
    assert_eq!(failed(session.open(&strict)).name(), "posture");
    *desk.machine.addresses.lock().unwrap() = Some(vec![ip("192.168.0.2")]);
    assert_eq!(failed(session.open(&relaxed)).name(), "network");
    // An attestation satisfies the strict one, about this device or this person only.
    let about =
        |about: About| desk.attestation("posture.usb-storage-blocked", &about, NOON, NOON + 100);
    let device = about(About::Device(desk.identity().thumbprint()));
    let with = |attestation: String| {
        let attestations = vec![attestation];
        desk.session(Host { badge: Some(badge.clone()), attestations, ..Host::default() })
    };
    assert_eq!(failed(with(about(About::Subject("lee".into()))).open(&strict)).name(), "posture");
    with(about(About::Subject("kim".into()))).open(&strict).unwrap();
    let file = with(device).open(&strict).unwrap();
    assert_eq!(file.until(), Some(NOON + 160));
}

#[test]
fn rights_are_checked_where_they_are_used() {
    let desk = Desk::new();
    let view = desk.seal("view", &anyone(&["view"]));
    let session = desk.session(Host::default());
    let file = session.open(&view).unwrap();
    for right in [Right::Print, Right::Copy, Right::Capture, Right::Export] {
        assert_eq!(code(file.exercise(right)), Code::Right);
    }
    assert_eq!(code(file.exercise(Right::View)), Code::BadArgument);
    assert_eq!(code(file.save(&Metadata::default())), Code::Right);
    let mut out = Vec::new();
    assert_eq!(code(file.export(&mut out)), Code::Right);
    assert!(out.is_empty());
    assert_eq!(desk.events().iter().filter(|e| *e == "denied").count(), 6);

    let export = desk.seal("export", &anyone(&["export"]));
    assert_eq!(code(session.open(&export)), Code::Right);
    let access = Access { right: Right::Export, ..Access::default() };
    let file = session.open_for(&export, access).unwrap();
    assert_eq!(code(file.read_at(&mut [0; 1], 0)), Code::Right);
    file.export(&mut out).unwrap();
    assert_eq!(out, b"name,phone\n");
    assert_eq!(code(session.open_for(&view, access)), Code::Right);

    let all = desk.seal("all", &anyone(&["view", "edit", "print", "copy", "capture", "export"]));
    let file = session.open(&all).unwrap();
    let before = desk.records().len();
    for right in [Right::Print, Right::Copy, Right::Capture, Right::Export] {
        file.exercise(right).unwrap();
    }
    let names: Vec<_> =
        desk.records()[before..].iter().map(|r| r.event.name().to_owned()).collect();
    assert_eq!(names, ["printed", "copied", "captured", "exported"]);
}

/// What a host cannot close takes its rights to open, and as long as it is open.
#[test]
fn rights_that_are_demanded_beside() {
    let desk = Desk::new();
    let demand = Demand { rights: &[Right::Copy, Right::Capture], why: "there is a display" };
    let access = Access { also: Some(demand), ..Access::default() };
    let session = desk.session(Host::default());
    for (granted, lacking) in [
        (&["view"][..], "the right to copy and to capture"),
        (&["view", "copy"], "the right to capture"),
        (&["view", "capture", "export"], "the right to copy"),
    ] {
        let path = desk.seal("a", &anyone(granted));
        let e = session.open_for(&path, access).err().unwrap();
        assert_eq!(e.code(), Code::Right, "{e}");
        let why = format!("there is a display, and the file's policy does not grant {lacking}");
        assert_eq!(e.to_string(), why);
        let record = desk.records().pop().unwrap();
        assert_eq!((record.event.name(), record.reasons), ("denied", vec![why]));
        session.open(&path).unwrap();
    }
    // Without the right that it is opened for, nothing else counts.
    let path = desk.seal("a", &anyone(&["copy", "capture"]));
    assert!(session.open_for(&path, access).err().unwrap().to_string().contains("to view"));

    let grant = |role: &str, rights: &[&str]| json!({"to": [{"role": role}], "rights": rights});
    let policy = json!({"version": 1, "name": "two", "grants": [
        grant("agent", &["view"]), grant("supervisor", &["view", "copy", "capture"])]});
    let path = desk.seal("a", &policy);
    let badge = |roles| desk.badge("kim", roles, NOON, NOON + HOUR);
    let session = desk.with_badge(&badge(&["supervisor"]));
    let [plain, beside] = [Access::default(), access].map(|a| session.open_for(&path, a).unwrap());
    beside.read_at(&mut [0; 1], 0).unwrap();
    session.refresh_with(&badge(&["agent"]), &[]).unwrap();
    plain.read_at(&mut [0; 1], 0).unwrap();
    assert_eq!(code(beside.read_at(&mut [0; 1], 0)), Code::Right);
    assert!(beside.rights().is_empty());
    assert_eq!(desk.events().last().unwrap(), "denied");
    session.refresh_with(&badge(&["supervisor"]), &[]).unwrap();
    beside.read_at(&mut [0; 1], 0).unwrap();
}

#[test]
fn duties_that_a_host_does_not_declare() {
    let desk = Desk::new();
    let policy = json!({"version": 1, "name": "two", "grants": [
        {"to": ["anyone"], "rights": ["view"]},
        {"to": ["anyone"], "rights": ["view"], "duties": ["watermark"]}]});
    let path = desk.seal("a", &policy);
    let e = desk.session(Host::default()).open(&path).err().unwrap();
    assert!(e.to_string().contains("watermark"), "{e}");
    let duties = [Duty::Watermark].into_iter().collect();
    let file = desk.session(Host { duties, ..Host::default() }).open(&path).unwrap();
    assert!(file.duties(Right::View).unwrap().kinds().contains(Duty::Watermark));
    assert_eq!(file.duties(Right::Edit), None);
}

#[test]
fn older_content_and_older_licenses() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view", "edit"]));
    let first = std::fs::read(&path).unwrap();
    let session = desk.session(Host::default());
    let save = |text: &[u8]| {
        let file = session.open(&path).unwrap();
        let mut writer = file.save(&Metadata::default()).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap();
    };
    save(b"second");
    let second = std::fs::read(&path).unwrap();
    let older = Access { older: true, ..Access::default() };
    std::fs::write(&path, &first).unwrap();
    assert_eq!(code(session.open(&path)), Code::Rollback);
    assert_eq!(session.open_for(&path, older).unwrap().revision(), 1);
    assert!(desk.records().iter().any(|r| r.older));
    // Another second content, saved from the first: a fork.
    let file = session.open_for(&path, older).unwrap();
    let mut writer = file.save(&Metadata::default()).unwrap();
    writer.write_all(b"fork").unwrap();
    writer.finish().unwrap();
    std::fs::write(&path, &second).unwrap();
    assert_eq!(code(session.open(&path)), Code::Rollback);
    session.open_for(&path, older).unwrap();

    let path = desk.seal("b", &anyone(&["view"]));
    let first = std::fs::read(&path).unwrap();
    let changes =
        Changes { add: &[], remove: &[], policy: Some(b"{\"version\":1,\"name\":\"none\",\"grants\":[{\"to\":[{\"user\":\"x\"}],\"rights\":[\"view\"]}]}"), known: &[desk.identity().recipient().clone()], kinds: Kinds::Same };
    session.open(&path).unwrap();
    by_threads(|work| relicense(&path, &desk.root, &session, &changes, work)).unwrap();
    std::fs::write(&path, &first).unwrap();
    assert_eq!(code(session.open(&path)), Code::Rollback);
    session.open_for(&path, older).unwrap();
}

#[test]
fn a_forged_revision_does_not_lock_the_genuine_file_out() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view", "edit"]));
    let writer = desk.session(Host::default()).open(&path).unwrap().save(&Metadata::default());
    writer.unwrap().finish().unwrap();
    let genuine = std::fs::read(&path).unwrap();
    let at = genuine.windows(8).position(|w| w == b"\"rev\":2,").unwrap();
    let mut forged = genuine.clone();
    forged[at + 6] = b'9';
    std::fs::write(&path, &forged).unwrap();
    let session = desk.session(Host::default());
    let e = session.open(&path).err().unwrap();
    assert_eq!(e.class(), Class::Tampered, "{e}");
    assert_eq!(desk.events()[desk.events().len() - 2..], ["opened", "failed"]);
    std::fs::write(&path, &genuine).unwrap();
    session.open(&path).unwrap();
}

#[test]
fn what_cannot_be_recorded_does_not_happen() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view", "edit", "export"]));
    let session = desk.session(Host::default());
    let file = session.open(&path).unwrap();
    let trail = std::fs::read(desk.home.trail_file()).unwrap();
    std::fs::write(desk.home.trail_file(), &trail[..trail.len() / 2]).unwrap();
    assert_eq!(code(session.open(&path)), Code::Trail);
    let mut out = Vec::new();
    assert_eq!(code(file.export(&mut out)), Code::Trail);
    assert!(out.is_empty());
    let mut writer = file.save(&Metadata::default()).unwrap();
    writer.write_all(b"new").unwrap();
    let sealed = std::fs::read(&path).unwrap();
    assert_eq!(code(writer.finish()), Code::Trail);
    assert_eq!(std::fs::read(&path).unwrap(), sealed);
}

/// What a writer was given may be gone where a call failed: it replaces nothing.
#[test]
fn a_save_that_failed_is_not_finished() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view", "edit"]));
    let session = desk.session(Host::default());
    let file = session.open(&path).unwrap();
    let sealed = std::fs::read(&path).unwrap();
    let enough = |_| Err(Error::new(Code::Cancelled, "enough"));
    let mut writer = file.save(&Metadata::default()).unwrap();
    let mut work = Work { threads: std::num::NonZeroUsize::MIN, progress: &mut { enough } };
    let plain = File::open(&path).unwrap();
    assert_eq!(code(writer.copy_file(&plain, &mut work)), Code::Cancelled);
    assert_eq!(code(writer.finish()), Code::State);
    assert_eq!(std::fs::read(&path).unwrap(), sealed);

    // Nor without one of its parts.
    let parts = file.save_in_parts(&path, &Metadata::default()).unwrap();
    drop(parts.part());
    assert_eq!(code(parts.finish_save(&parts.part(), &path)), Code::State);
    assert_eq!(std::fs::read(&path).unwrap(), sealed);
}

#[test]
fn sealing_needs_the_role_and_is_recorded() {
    let desk = Desk::new();
    let identity = desk.identity();
    let policy = anyone(&["view"]).to_string();
    let terms = crate::TemplateTerms {
        name: "notes",
        label: "",
        policy: policy.as_bytes(),
        to: &[identity.public().clone()],
        kinds: Kinds::Same,
        seal_roles: &["agent".to_owned()],
    };
    let root = desk.root.thumbprint();
    let template = crate::Template::sign(Signatory::Root(&desk.root), root, terms, NOON).unwrap();
    let permit = crate::Permit::sign(
        Signatory::Root(&desk.root),
        &template,
        identity.thumbprint(),
        NOON,
        NOON + HOUR,
    );
    let seal = |session: &Session| {
        Sealer::delegated(session, &template, &permit)?.prepare(&Metadata::default()).map(drop)
    };
    assert_eq!(code(seal(&desk.session(Host::default()))), Code::NotPermitted);
    let clerk = desk.with_badge(&desk.badge("kim", &["clerk"], NOON, NOON + HOUR));
    assert_eq!(code(seal(&clerk)), Code::NotPermitted);
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + 9 * HOUR));
    seal(&session).unwrap();
    let record = desk.records().pop().unwrap();
    assert_eq!((record.event.name(), record.subject.as_deref()), ("sealed", Some("kim")));
    for list in [
        Revoked { templates: vec![template.id()], ..Revoked::default() },
        Revoked { permits: vec![permit.id()], ..Revoked::default() },
        Revoked { devices: vec![identity.thumbprint()], ..Revoked::default() },
        Revoked { subjects: vec!["kim".into()], ..Revoked::default() },
    ] {
        desk.revoke(desk.records().len() as u64, list, NOON);
        session.refresh().unwrap();
        assert_eq!(code(seal(&session)), Code::Revoked);
    }
    desk.revoke(1000, Revoked::default(), NOON);
    session.refresh().unwrap();
    // In the middle of a run, too.
    let sealer = Sealer::delegated(&session, &template, &permit).unwrap();
    desk.set_clock(NOON + HOUR);
    assert_eq!(code(sealer.prepare(&Metadata::default())), Code::NotPermitted);
}

#[test]
fn somebody_else_opens_anew() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents(json!({"opens": {"at_most": 1, "per": "24h"}})));
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let file = session.open(&path).unwrap();
    let lee = desk.badge("lee", &["agent"], NOON, NOON + HOUR);
    session.refresh_with(&lee, &[]).unwrap();
    // A refresh for the lists' sake does not bring Kim back.
    session.refresh().unwrap();
    assert!(file.watermark().starts_with("lee"));
    file.read_at(&mut [0; 1], 0).unwrap();
    let opened = desk.records().into_iter().filter(|r| r.event.name() == "opened");
    let by: Vec<_> = opened.map(|r| r.subject.unwrap()).collect();
    assert_eq!(by, ["kim", "lee"]);
    let opens = Failed::Condition(crate::policy::Condition::Opens);
    assert_eq!(failed(session.open(&path)), opens);
    // Whose turns are used up reads nothing of what another has open.
    let kim = desk.badge("kim", &["agent"], NOON, NOON + 2 * HOUR);
    session.refresh_with(&kim, &[]).unwrap();
    assert_eq!(code(file.read_at(&mut [0; 1], 0)), Code::Denied);
}

/// Has `then` done while something that `session` does waits for the trail.
fn meanwhile<T: Send>(
    session: &Session,
    waits: impl FnOnce() -> T + Send,
    then: impl FnOnce(),
) -> T {
    let held = session.0.trail.lock().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(waits);
        std::thread::sleep(Duration::from_millis(300));
        then();
        drop(held);
        waiting.join().unwrap()
    })
}

#[test]
fn somebody_else_opens_anew_also_while_it_is_decided() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents(json!({"opens": {"at_most": 1, "per": "24h"}})));
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let file = session.open(&path).unwrap();
    session.refresh().unwrap();
    let lee = desk.badge("lee", &["agent"], NOON, NOON + HOUR);
    let read = || file.read_at(&mut [0; 1], 0);
    meanwhile(&session, read, || session.refresh_with(&lee, &[]).unwrap()).unwrap();
    read().unwrap();
    let opened = desk.records().into_iter().filter(|r| r.event.name() == "opened");
    let by: Vec<_> = opened.map(|r| r.subject.unwrap()).collect();
    assert_eq!(by, ["kim", "lee"]);
}

#[test]
fn a_denial_names_whom_it_was_decided_about() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let lee = desk.badge("lee", &["clerk"], NOON, NOON + HOUR);
    let denied =
        meanwhile(&session, || session.open(&path), || session.refresh_with(&lee, &[]).unwrap());
    assert_eq!(code(denied), Code::Denied);
    let last = desk.records().pop().unwrap();
    assert_eq!((last.event.name(), last.subject.as_deref()), ("denied", Some("lee")));
}

#[test]
fn a_delegation_that_no_longer_counts_ends_what_is_open() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let session = desk.session(Host::default());
    let file = session.open(&path).unwrap();
    std::fs::remove_dir_all(desk.home.folder().join("roots")).unwrap();
    std::fs::remove_dir_all(desk.home.folder().join("trust")).unwrap();
    session.refresh().unwrap();
    let e = file.read_at(&mut [0; 1], 0).unwrap_err();
    assert_eq!(e.code(), Code::UnknownRoot, "{e}");
    assert_eq!(desk.events().last().unwrap(), "denied");
}

#[test]
fn each_file_has_a_key_of_its_own() {
    let desk = Desk::new();
    let to = [desk.identity().recipient().clone()];
    let policy = anyone(&["view"]).to_string();
    let sealer = || Sealer::issued(&desk.root, "", policy.as_bytes(), &to, Kinds::Same).unwrap();
    for sealer in [sealer(), sealer().batch().unwrap()] {
        let made: Vec<_> = (0..8).map(|_| sealer.prepare(&Metadata::default()).unwrap()).collect();
        let keys: BTreeSet<_> = made.iter().map(|new| new.file_key.expose().to_vec()).collect();
        let ids: BTreeSet<_> = made.iter().map(|new| new.file_id()).collect();
        assert_eq!((keys.len(), ids.len()), (8, 8));
    }
}

#[test]
fn the_trail_says_who_gave_new_terms() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let session = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let other = Identity::generate(KemKind::X25519, "").unwrap();
    let add = [other.recipient().clone()];
    let changes = Changes { add: &add, remove: &[], policy: None, known: &[], kinds: Kinds::Same };
    by_threads(|work| relicense(&path, &desk.root, &session, &changes, work)).unwrap();
    let records = desk.records();
    let last = records.iter().rfind(|r| r.event.name() == "relicensed").unwrap();
    assert_eq!(last.subject.as_deref(), Some("kim"));
}

#[test]
fn an_issuer_gives_no_new_terms_to_what_is_old_or_revoked() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view"]));
    let first = std::fs::read(&path).unwrap();
    let session = desk.session(Host::default());
    let other = Identity::generate(KemKind::X25519, "").unwrap();
    let add = [other.recipient().clone()];
    let changes = Changes { add: &add, remove: &[], policy: None, known: &[], kinds: Kinds::Same };
    by_threads(|work| relicense(&path, &desk.root, &session, &changes, work)).unwrap();
    std::fs::write(&path, &first).unwrap();
    let refused = || by_threads(|work| relicense(&path, &desk.root, &session, &changes, work));
    assert_eq!(code(refused()), Code::Rollback);
    let path = desk.seal("b", &anyone(&["view"]));
    let file = session.open(&path).unwrap().file_id();
    let entry = RevokedFile { file, below_seq: Some(2) };
    desk.revoke(1, Revoked { files: vec![entry], ..Revoked::default() }, NOON);
    session.refresh().unwrap();
    let sealed = std::fs::read(&path).unwrap();
    assert_eq!(
        code(by_threads(|work| relicense(&path, &desk.root, &session, &changes, work))),
        Code::Revoked
    );
    assert_eq!(std::fs::read(&path).unwrap(), sealed);
    assert_eq!(desk.events()[desk.events().len() - 1], "denied");
}

#[test]
fn failures_after_the_record_are_recorded() {
    let desk = Desk::new();
    let stranger = Identity::generate(KemKind::X25519, "").unwrap();
    let to = [stranger.recipient().clone()];
    let policy = anyone(&["view"]).to_string();
    let sealer = Sealer::issued(&desk.root, "", policy.as_bytes(), &to, Kinds::Same).unwrap();
    let writer = sealer.prepare(&Metadata::default()).unwrap().into_stream(Vec::new()).unwrap();
    let sealed = writer.finish().unwrap();
    let session = desk.session(Host::default());
    assert_eq!(code(session.open_source(sealed)), Code::NotRecipient);
    assert_eq!(desk.events(), ["opened", "failed"]);
    // Each save that fails is, too.
    let path = desk.seal("a", &anyone(&["view", "edit"]));
    let (file, again) = (session.open(&path).unwrap(), session.open(&path).unwrap());
    again.save(&Metadata::default()).unwrap().finish().unwrap();
    for _ in 0..2 {
        let writer = file.save(&Metadata::default()).unwrap();
        assert_eq!(code(writer.finish()), Code::Changed);
    }
    let failed = desk.events().iter().filter(|event| *event == "failed").count();
    assert_eq!(failed, 3);
}

#[test]
fn a_refusal_is_recorded_however_long_its_reasons_are() {
    let desk = Desk::new();
    let grants: Vec<_> = (0..40)
        .map(|i| {
            let software = json!({"mode": ["bare"], "path": [format!("/opt/{i}")]});
            json!({"to": ["anyone"], "rights": ["view"], "when": {"software": software}})
        })
        .collect();
    let path = desk.seal("a", &json!({"version": 1, "name": "many", "grants": grants}));
    let program =
        MeasuredProgram { path: Some(format!("/{}", "\u{1}".repeat(4000))), sha256: None };
    desk.machine.programs.lock().unwrap().insert(None, program);
    let e = desk.session(Host::default()).open(&path).err().unwrap();
    assert!(!e.to_string().contains("could not be recorded"), "{}", e.code().name());
    let record = desk.records().pop().unwrap();
    assert_eq!((record.event.name(), record.reasons.len()), ("denied", 17));
}

#[test]
fn a_batch_is_unwrapped_once() {
    let desk = Desk::new();
    let to = [desk.identity().recipient().clone()];
    let seal = |policy: &Value, name: &str| {
        let policy = policy.to_string();
        let sealer = Sealer::issued(&desk.root, "", policy.as_bytes(), &to, Kinds::Same);
        let sealer = sealer.unwrap().batch().unwrap();
        let paths = [0, 1, 2].map(|i| desk.folder.join(format!("{name}{i}")));
        for path in &paths {
            let new = sealer.prepare(&Metadata::default()).unwrap();
            let mut writer = new.into_file(path, Existing::Keep).unwrap();
            writer.write_all(path.to_str().unwrap().as_bytes()).unwrap();
            writer.finish().unwrap();
        }
        paths
    };
    let session = desk.session(Host::default());
    let batches = [seal(&anyone(&["view"]), "a"), seal(&anyone(&["view"]), "b")];
    for path in batches.as_flattened() {
        let mut text = String::new();
        session.open(path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, path.to_str().unwrap());
    }
    assert_eq!(session.0.batch_keys.len(), 2);
    // A key that is known opens nothing that was made for another policy.
    let sealed = std::fs::read(&batches[0][0]).unwrap();
    let strict = seal(&agents_always(), "c");
    assert_eq!(code(session.open(&strict[0])), Code::Denied);
    assert_eq!(session.0.batch_keys.len(), 2);
    session.open_source(sealed).unwrap();
}

#[test]
fn two_sessions_with_different_badges() {
    let desk = Desk::new();
    let path = desk.seal("a", &agents_always());
    let agent = desk.with_badge(&desk.badge("kim", &["agent"], NOON, NOON + HOUR));
    let clerk = desk.with_badge(&desk.badge("lee", &["clerk"], NOON, NOON + HOUR));
    for _ in 0..3 {
        agent.open(&path).unwrap();
        assert_eq!(failed(clerk.open(&path)), Failed::To);
    }
    let by =
        |name: &str| desk.records().iter().filter(|r| r.subject.as_deref() == Some(name)).count();
    assert_eq!((by("kim"), by("lee")), (3, 3));
}

/// The program that counts is the client's, as it was when the file was opened, and *managed* is no
/// mode of a client.
#[test]
fn a_file_is_opened_for_another_process() {
    let desk = Desk::new();
    let mode = |mode: &str| {
        let when = json!({"software": {"mode": [mode], "path": ["/usr/bin/viewer"]}});
        json!({"version": 1, "name": mode, "grants": [
            {"to": ["anyone"], "rights": ["view"], "when": when}]})
    };
    let [bare, managed, confined] =
        ["bare", "managed", "confined"].map(|name| desk.seal(name, &mode(name)));
    let viewer = MeasuredProgram { path: Some("/usr/bin/viewer".into()), sha256: Some([7; 32]) };
    let tar = MeasuredProgram { path: Some("/usr/bin/tar".into()), sha256: Some([8; 32]) };
    desk.machine.programs.lock().unwrap().extend([(Some(41), viewer), (Some(42), tar)]);
    desk.use_list(2, None, vec![ProgramHash([7; 32])]);
    let session = desk.session(Host::default());
    let open = |path: &Path, pid, confined| {
        let client = Some(crate::Client { pid, confined });
        session.open_for(path, Access { client, ..Access::default() })
    };
    let mut reader = open(&confined, 41, true).unwrap();
    let program = desk.records().into_iter().rev().find_map(|r| r.program).unwrap();
    assert_eq!(program.mode, crate::policy::Mode::Confined);
    assert_eq!(program.path.as_deref(), Some("/usr/bin/viewer"));
    open(&bare, 41, false).unwrap();
    for (path, pid, is_confined) in [
        (&confined, 42, true),
        (&confined, 43, true),
        (&confined, 41, false),
        (&managed, 41, false),
        (&managed, 41, true),
        (&bare, 41, true),
        (&bare, 42, false),
    ] {
        assert_eq!(failed(open(path, pid, is_confined)).name(), "software");
    }
    assert_eq!(failed(session.open(&confined)).name(), "software");
    // A program that cannot be measured has its mode, and nothing else.
    let any = json!({"version": 1, "name": "any", "grants": [
        {"to": ["anyone"], "rights": ["view"], "when": {"software": {"mode": ["confined"]}}}]});
    let any = desk.seal("any", &any);
    open(&any, 43, true).unwrap();
    assert_eq!(failed(open(&any, 43, false)).name(), "software");

    // The process has ended when it is decided anew.
    desk.machine.programs.lock().unwrap().clear();
    session.refresh().unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(!text.is_empty());
}

#[test]
fn what_was_saved_goes_on_under_the_same_decision() {
    let desk = Desk::new();
    let path = desk.seal("a", &anyone(&["view", "edit"]));
    let session = desk.session(Host::default());
    let save = |reader: &Reader<File>, text: &str| {
        let mut writer = reader.save(&Metadata::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
    };
    let first = session.open(&path).unwrap();
    let code = |reader: Result<Reader<File>>| reader.err().map(|e| e.code());
    assert_eq!(code(first.saved()), Some(Code::Changed));
    save(&first, "two");
    let mut second = first.saved().unwrap();
    save(&second, "three");
    let mut third = first.saved().unwrap();
    for (reader, expected) in [(&mut second, "two"), (&mut third, "three")] {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
    }
    let opened = desk.records().iter().filter(|r| r.event.name() == "opened").count();
    assert_eq!((third.revision(), opened), (3, 1));

    // Another file in its place is not what was opened.
    let other = desk.seal("b", &anyone(&["view", "edit"]));
    std::fs::rename(other, &path).unwrap();
    assert_eq!(code(third.saved()), Some(Code::Changed));
}
