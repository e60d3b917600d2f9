//! Sound inputs that are as large as their kinds may be, or a mebibyte: none hangs. Bytes by chance
//! and repeated ones (`replay.rs`) are refused before most of the work.

use bulla::policy::MAX_POLICY;
use bulla::{
    Existing, Home, Host, Id, Identity, KemKind, Kinds, Metadata, ProgramHash, Recipient,
    Revocations, Revoked, RevokedFile, RootKey, Sealer, Session, Signatory, TrailExpectation,
    TrustList, verify_trail,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// As in `replay.rs`.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

const POLICY: &[u8] =
    br#"{"version":1,"name":"open-office","grants":[{"to":["anyone"],"rights":["view"]}]}"#;
const NOW: u64 = 1_795_482_720;

#[track_caller]
fn within<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = run();
    let took = start.elapsed();
    println!("{what}: {took:?}");
    assert!(took < LONGEST, "{what} takes {took:?}");
    done
}

/// The body takes it as sound.
#[track_caller]
fn sound(target: &str, what: &str, data: &[u8]) {
    let bytes = data.len();
    assert!(within(&format!("{what}, {bytes} bytes"), || bulla_fuzz_bodies::run(target, data)));
}

struct Desk {
    folder: tempfile::TempDir,
    root: RootKey,
    session: Session,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let root = RootKey::generate("root").unwrap();
        let identity = Identity::generate(KemKind::Hybrid, "desk").unwrap();
        home.create_identity(&identity, None).unwrap();
        std::fs::write(home.folder().join("config.toml"), "[trail]\nsync = \"never\"\n").unwrap();
        home.pin(root.line()).unwrap();
        let session = Session::start(&home, identity, Host::default()).unwrap();
        Desk { folder, root, session }
    }

    fn recipient(&self) -> Recipient {
        self.session.identity().recipient().clone()
    }

    fn seal(&self, to: &[Recipient]) -> PathBuf {
        let sealer = Sealer::issued(&self.root, "", POLICY, to, Kinds::Same).unwrap();
        let path = self.folder.path().join("sealed");
        let new = sealer.prepare(&Metadata::default()).unwrap();
        new.into_file(&path, Existing::Keep).unwrap().finish().unwrap();
        path
    }
}

/// For as many recipients as there may be, each with the longer of the two kinds of keys.
#[test]
fn an_envelope_for_five_hundred() {
    let desk = Desk::new();
    let other = || Identity::generate(KemKind::Hybrid, "").unwrap().recipient().clone();
    let mut to: Vec<Recipient> = (0..499).map(|_| other()).collect();
    to.push(desk.recipient());
    let path = desk.seal(&to);
    let sealed = std::fs::read(&path).unwrap();
    assert!(sealed.len() > 700_000, "{}", sealed.len());
    sound("header", "a header for 500", &sealed);
    within("opening it", || desk.session.open(&path).unwrap());
}

#[test]
fn lists() {
    let root = RootKey::generate("root").unwrap();
    let files = (0..15_000).map(|i: u32| RevokedFile {
        file: Id::from_text(&format!("{i:032x}")).unwrap(),
        below_seq: Some(u64::from(u32::MAX)),
    });
    let revoked = Revoked { files: files.collect(), ..Revoked::default() };
    let list =
        Revocations::sign(Signatory::Root(&root), root.thumbprint(), 1, revoked, NOW).unwrap();
    assert!(list.as_str().len() > 1 << 20, "{}", list.as_str().len());
    sound("objects", "revocations", list.as_str().as_bytes());
    let programs = (0..10_000u64).map(|i| ProgramHash::of(&i.to_be_bytes()));
    let list = TrustList::sign(&root, 1, NOW, NOW + 1, Vec::new(), programs.collect()).unwrap();
    assert!(list.as_str().len() > 850_000, "{}", list.as_str().len());
    sound("objects", "a trust list", list.as_str().as_bytes());
}

/// As many grants as there may be, each with conditions, in as many bytes as there may be.
#[test]
fn a_policy() {
    let when = r#"{"opens":{"at_most":3,"per":"24h"}}"#;
    let grant = |i: usize| {
        let to = format!(r#"{{"user":"{i}{}"}},{{"role":"agent"}}"#, "x".repeat(60));
        format!(r#"{{"to":[{to}],"rights":["view"],"when":{when}}}"#)
    };
    let grants: Vec<String> = (0..256).map(grant).collect();
    let policy = format!(r#"{{"version":1,"name":"long","grants":[{}]}}"#, grants.join(","));
    assert!(policy.len() < MAX_POLICY && policy.len() > MAX_POLICY / 2, "{}", policy.len());
    let facts = br#"{"time":"2026-11-24T08:29:59+09:00",
"badge":{"subject":"kim","roles":["agent"],"expires":"2026-11-24T20:00:00+09:00"}}"#;
    sound("policy", "a policy", &[policy.as_bytes(), b"\0", facts].concat());
}

#[test]
fn a_trail() {
    let desk = Desk::new();
    let path = desk.seal(&[desk.recipient()]);
    let home = Home::at(desk.folder.path().join("home"));
    let len = || std::fs::metadata(home.trail_file()).unwrap().len();
    while len() < 1 << 20 {
        desk.session.open(&path).unwrap();
    }
    within("verifying a trail", || {
        verify_trail(home.read_trail().unwrap(), &TrailExpectation::default()).unwrap()
    });
    let identity = home.identity(None).unwrap();
    within("starting on a trail", || Session::start(&home, identity, Host::default()).unwrap());
}
