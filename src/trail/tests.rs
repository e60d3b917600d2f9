//! The trail as its users see it: one file, many hands.

use super::*;
use crate::Identity;
use crate::encoding::{Digest256, sha256};
use crate::{KemKind, RootKey};
use std::fs;
use tempfile::TempDir;

mod crash;
mod limits;
mod resets;
mod shared;
mod summaries;
mod tampering;

const NOW: u64 = 1_795_527_442;

/// A device with its trail.
struct Desk {
    folder: TempDir,
    identity: Identity,
}

impl Desk {
    fn new() -> Self {
        let identity = Identity::generate(KemKind::X25519, "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        Trail::create(folder.path(), identity.trail(), identity.thumbprint(), NOW).unwrap();
        Desk { folder, identity }
    }

    fn open_with(&self, options: TrailOptions) -> Result<Trail> {
        let (id, device) = (self.identity.trail(), self.identity.thumbprint());
        Trail::open(self.folder.path(), id, device, options, NOW)
    }

    fn open(&self) -> Result<Trail> {
        self.open_with(TrailOptions { sync: Sync::Never, ..TrailOptions::default() })
    }

    fn path(&self) -> PathBuf {
        path(self.folder.path())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn put(&self, bytes: &[u8]) {
        // In place: the file stays the same file.
        fs::write(self.path(), bytes).unwrap();
    }

    fn records(&self) -> Vec<TrailRecord> {
        let bytes = self.bytes();
        let lines = bytes.split_inclusive(|b| *b == b'\n');
        lines.map(|l| TrailRecord::from_line(&l[..l.len() - 1]).unwrap()).collect()
    }
}

fn id(n: u8) -> Id {
    Id([n; 16])
}

fn root(n: u8) -> Thumbprint {
    Thumbprint([n; 32])
}

fn opened(file: u8, subject: &str) -> Entry {
    Entry {
        subject: Some(subject.into()),
        file: Some(id(file)),
        policy_sha256: Some(Digest256([1; 32])),
        ..Entry::new(Event::Opened)
    }
}

const ROOT: Thumbprint = Thumbprint([3; 32]);

fn seen(file: u8, license_seq: u64, rev: u64, commitment: u8) -> Entry {
    Entry {
        root: Some(ROOT),
        file: Some(id(file)),
        license_seq: Some(license_seq),
        rev: Some(rev),
        commitment: Some([commitment; 32]),
        ..Entry::new(Event::Seen)
    }
}

#[test]
fn records_are_chained_and_read_back() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut entry = opened(1, "kim \"k\" \u{1f4c4}\n");
    entry.program = Some(TrailProgram {
        mode: crate::policy::Mode::Managed,
        path: Some("/opt/crm/crm".into()),
        sha256: Some(crate::ProgramHash([9; 32])),
    });
    entry.rights = vec![crate::Right::View, crate::Right::Print];
    entry.older = true;
    assert_eq!(trail.lock().unwrap().append(&entry, NOW + 1).unwrap(), 1);
    assert_eq!(trail.lock().unwrap().append(&seen(1, 2, 3, 4), NOW + 2).unwrap(), 2);

    let records = desk.records();
    assert_eq!(records[0].trail, Some(desk.identity.trail()));
    assert_eq!(records[0].prev, Digest256([0; 32]));
    let bytes = desk.bytes();
    for (n, line) in bytes.split(|b| *b == b'\n').take(2).enumerate() {
        assert_eq!(records[n + 1].prev.0, sha256(line));
    }
    let record = &records[1];
    assert_eq!((record.seq, record.time, record.event), (1, NOW + 1, Event::Opened));
    assert_eq!(record.device, Some(desk.identity.thumbprint()));
    assert_eq!((&record.subject, &record.program), (&entry.subject, &entry.program));
    assert_eq!((&record.rights, record.older), (&entry.rights, true));
    assert!(String::from_utf8(bytes).unwrap().contains(r#","time":"2026-11-24T13:37:23Z","#));

    let again = desk.open().unwrap();
    assert_eq!(again.anchor().unwrap(), trail.anchor().unwrap());
    assert_eq!(again.anchor().unwrap().seq, 2);
}

#[test]
fn only_the_written_form_is_a_record() {
    let desk = Desk::new();
    let good = String::from_utf8(desk.bytes()).unwrap();
    let good = good.trim_end();
    assert!(TrailRecord::from_line(good.as_bytes()).is_ok());
    for (from, to) in [
        ("{\"seq\":0", "{\"seq\":0,\"seq\":0"),
        ("{\"seq\":0", "{ \"seq\":0"),
        ("\"seq\":0", "\"seq\":00"),
        ("\"seq\":0", "\"seq\":9007199254740992"),
        ("\"begun\"", "\"began\""),
        ("\"begun\"", "\"\\u0062egun\""),
        ("\"event\"", "\"note\":1,\"event\""),
        ("\"event\":", "\"subject\":null,\"event\":"),
        ("\"event\":\"begun\",", "\"event\":\"begun\",\"subject\":\"\","),
        ("\"event\":\"begun\",", "\"event\":\"begun\",\"older\":false,"),
        ("\"event\":\"begun\",", "\"event\":\"begun\",\"commitment\":null,"),
        ("\"trail\"", "\"file\""),
        ("13:37:22Z", "13:37:22+00:00"),
        ("2026-", "3026-"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(TrailRecord::from_line(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn a_missing_or_strange_trail_denies() {
    let desk = Desk::new();
    let code = |r: Result<Trail>| r.err().unwrap().code();
    let good = desk.bytes();
    for bad in [&b""[..], b"\n", b"{}\n", &good[..good.len() - 1], &[&good[..], b"x\n"].concat()] {
        desk.put(bad);
        assert_eq!(code(desk.open()), Code::Trail, "{}", String::from_utf8_lossy(bad));
    }
    desk.put(&good);
    let other = Identity::generate(KemKind::X25519, "").unwrap();
    let options = TrailOptions::default();
    let folder = desk.folder.path();
    assert_eq!(
        code(Trail::open(folder, desk.identity.trail(), other.thumbprint(), options, NOW)),
        Code::Trail
    );
    assert_eq!(
        code(Trail::open(folder, id(7), desk.identity.thumbprint(), options, NOW)),
        Code::Trail
    );
    assert!(desk.open().is_ok());

    let again = Trail::create(folder, id(7), desk.identity.thumbprint(), NOW).unwrap_err();
    assert_eq!(again.code(), Code::Exists);
    assert_eq!(desk.bytes(), good);
    fs::remove_file(desk.path()).unwrap();
    let missing = desk.open().err().unwrap();
    assert_eq!(missing.code(), Code::Trail);
    assert!(missing.to_string().contains("reset"), "{missing}");
    fs::create_dir(desk.path()).unwrap();
    assert_eq!(code(desk.open()), Code::Trail);
}

#[cfg(unix)]
#[test]
fn it_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    assert_eq!(fs::metadata(desk.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn only_what_was_seen_is_remembered() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    let about = |locked: &Locked<'_>| {
        (locked.state().license_seq(&ROOT, &id(1)), locked.state().revision(&ROOT, &id(1)))
    };
    let entry = Entry { rev: Some(9), license_seq: Some(9), ..opened(1, "kim") };
    locked.append(&entry, NOW).unwrap();
    assert_eq!(about(&locked), (None, None));
    locked.append(&seen(1, 5, 2, 20), NOW).unwrap();
    assert_eq!(about(&locked), (Some(5), Some((2, [20; 32]))));
    // A newer payload under an older license: each keeps its highest.
    locked.append(&seen(1, 4, 3, 30), NOW).unwrap();
    assert_eq!(about(&locked), (Some(5), Some((3, [30; 32]))));
    locked.append(&seen(1, 6, 1, 10), NOW).unwrap();
    assert_eq!(about(&locked), (Some(6), Some((3, [30; 32]))));
    locked.append(&seen(1, 6, 3, 31), NOW).unwrap();
    assert_eq!(about(&locked), (Some(6), Some((3, [31; 32]))));
    assert_eq!(locked.state().license_seq(&ROOT, &id(2)), None);
    // What one root says of a file binds no other's.
    assert_eq!(locked.state().license_seq(&Thumbprint([4; 32]), &id(1)), None);
}

#[test]
fn opens_are_counted_by_policy_and_subject_from_a_second_on() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    for time in [NOW, NOW, NOW + 10, NOW + 20] {
        locked.append(&opened(1, "kim"), time).unwrap();
    }
    locked.append(&opened(1, "lee"), NOW + 20).unwrap();
    locked.append(&Entry { subject: None, ..opened(1, "") }, NOW + 20).unwrap();
    locked.append(&Entry { event: Event::Denied, ..opened(1, "kim") }, NOW + 20).unwrap();
    let policy = Digest256([1; 32]);
    let opens = |who, from| locked.state().opens(&policy, who, from);
    let kim = Some("kim");
    for (from, n) in [(0, 4), (NOW, 4), (NOW + 1, 2), (NOW + 10, 2), (NOW + 11, 1), (NOW + 21, 0)] {
        assert_eq!(opens(kim, from), n, "{from}");
    }
    assert_eq!((opens(Some("lee"), 0), opens(None, 0), opens(Some("park"), 0)), (1, 1, 0));
    assert_eq!(locked.state().opens(&Digest256([2; 32]), kim, 0), 0);
}

#[test]
fn lists_keep_their_highest_number() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    let list = |kind: &str, of: u8, by: u8, seq| Entry {
        kind: Some(kind.into()),
        root: Some(root(of)),
        signer: Some(root(by)),
        list_seq: Some(seq),
        ..Entry::new(Event::ListUsed)
    };
    for entry in [
        list("revocations", 1, 2, 5),
        list("revocations", 1, 2, 4),
        list("revocations", 1, 3, 1),
        list("trust", 1, 2, 9),
        list("revocations", 4, 2, 7),
    ] {
        locked.append(&entry, NOW).unwrap();
    }
    let state = locked.state();
    assert_eq!(state.list_seq("revocations", &root(1), &root(2)), Some(5));
    assert_eq!(state.list_seq("revocations", &root(1), &root(9)), None);
    let all: Vec<_> = state.lists("revocations", &root(1)).collect();
    assert_eq!(all, [(root(2), 5), (root(3), 1)]);
    assert_eq!(state.lists("badges", &root(1)).count(), 0);
}

#[test]
fn time_does_not_run_backwards() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    let mut time_of = |now| {
        locked.append(&opened(1, "kim"), now).unwrap();
        (desk.records().last().unwrap().time, locked.state().latest_time(&root(1)))
    };
    assert_eq!(time_of(NOW + 100), (NOW + 100, NOW + 100));
    assert_eq!(time_of(NOW + 99), (NOW + 100, NOW + 100));
    assert_eq!(time_of(NOW + 40), (NOW + 100, NOW + 100));
    // Further behind is not this clock's drift: it is recorded as it is.
    assert_eq!(time_of(NOW + 39), (NOW + 39, NOW + 100));
    assert_eq!(time_of(NOW + 101), (NOW + 101, NOW + 101));
}

#[test]
fn anchors_are_found_wherever_they_stand() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut anchors = vec![trail.anchor().unwrap()];
    assert!(trail.extends(&anchors[0]).unwrap(), "the only one");
    for n in 0..40 {
        let ticket = Some("x".repeat(n * 37 % 1000));
        let entry = Entry { ticket, ..opened(1, "kim") };
        trail.lock().unwrap().append(&entry, NOW).unwrap();
        anchors.push(trail.anchor().unwrap());
    }
    for anchor in &anchors {
        assert!(trail.extends(anchor).unwrap(), "{anchor:?}");
        let other = Anchor { head: Digest256([9; 32]), ..anchor.clone() };
        assert!(!trail.extends(&other).unwrap());
        assert!(!trail.extends(&Anchor { id: id(9), ..anchor.clone() }).unwrap());
    }
    let last = anchors.last().unwrap();
    assert!(!trail.extends(&Anchor { seq: last.seq + 1, ..last.clone() }).unwrap());
    assert!(!trail.extends(&Anchor { seq: u64::MAX, ..last.clone() }).unwrap());
    assert!(!trail.extends(&Anchor { seq: last.seq - 1, ..last.clone() }).unwrap());
}

#[test]
fn what_is_synced_is_as_configured() {
    for (sync, after_opened, after_denied) in
        [(Sync::Always, false, false), (Sync::Batched, true, false), (Sync::Never, true, true)]
    {
        let desk = Desk::new();
        let trail = desk.open_with(TrailOptions { sync, ..TrailOptions::default() }).unwrap();
        let mut locked = trail.lock().unwrap();
        locked.append(&opened(1, "kim"), NOW).unwrap();
        assert_eq!(locked.journal().unsynced, after_opened, "{sync:?}");
        locked.append(&Entry::new(Event::Denied), NOW).unwrap();
        assert_eq!(locked.journal().unsynced, after_denied, "{sync:?}");
        locked.sync().unwrap();
        assert!(!locked.journal().unsynced);
    }
}

#[test]
fn a_record_is_bounded() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let before = desk.bytes();
    let entry = Entry { ticket: Some("x".repeat(65_000)), ..opened(1, "kim") };
    trail.lock().unwrap().append(&entry, NOW).unwrap();
    let entry = Entry { ticket: Some("x".repeat(65_536)), ..opened(1, "kim") };
    let refused = trail.lock().unwrap().append(&entry, NOW).unwrap_err();
    assert_eq!(refused.code(), Code::BadArgument);
    assert_eq!(desk.records().len(), 2);
    assert!(desk.open().is_ok());
    // One that lacks what its event needs is a defect of the caller's.
    let entry = Entry { file: None, ..seen(1, 1, 1, 1) };
    assert_eq!(trail.lock().unwrap().append(&entry, NOW).unwrap_err().code(), Code::Internal);
    // A whole record but for its length.
    let mut long = desk.records().pop().unwrap();
    let with = |long: &TrailRecord| [&before[..], &long.to_line(), b"\n"].concat();
    desk.put(&with(&long));
    assert!(desk.open().is_ok());
    long.ticket = Some("x".repeat(65_536));
    desk.put(&with(&long));
    let refused = desk.open().err().unwrap();
    assert_eq!(refused.code(), Code::Trail);
    assert!(refused.to_string().contains("too long"), "{refused}");
}

const MAX_LINE_PLUS: usize = record::MAX_LINE + 1;
