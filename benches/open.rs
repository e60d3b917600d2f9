//! What opening a sealed file of 1 KiB costs through a warm session, decision and trail record
//! included: `cargo bench --bench open`. Under `claims-from-home` with all its conditions, and
//! under a policy that is open to anyone; what one record of the trail costs by itself; and what
//! 4 KiB at a random place of a warm file of 1 GiB cost.
//! Without `--bench` it only proves that it runs; with the name of a kind of key only that one.

use bulla::policy::Duty;
use bulla::{
    About, Attestation, Badge, BadgeTerms, Checkpoint, Existing, Home, Host, Identity, KemKind,
    Kinds, Metadata, ProgramHash, PublicKey, Revocations, Revoked, Right, RootKey, Sealer, Session,
    Signatory, TrustList,
};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Files that are opened in turn, so that not one page alone is warm.
const FILES: usize = 64;

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let rounds = if measuring { 200 } else { 1 };
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let only = std::env::args().nth(1).filter(|arg| !arg.starts_with('-'));
    for (kind, name, most) in
        [(KemKind::Hybrid, "hybrid", 400.0), (KemKind::X25519, "x25519", 150.0)]
    {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let desk = Desk::new(&folder.path().join(name), kind);
        for (what, policy) in [("claims-from-home", claims()), ("anyone", anyone())] {
            let median = desk.measure(what, &policy, rounds);
            println!("{name}, {what}: {median:.0} µs (at most {most:.0})");
            if measuring && median > most {
                println!("  MISSED");
            }
        }
        let median = desk.record(if measuring { 20_000 } else { 1 });
        println!("{name}, one record of the trail: {median:.1} µs (at most 100)");
        if kind == KemKind::X25519 {
            let (size, rounds) = if measuring { (1 << 30, 100_000) } else { (1 << 20, 1) };
            let median = desk.random_reads(size, rounds);
            println!("4 KiB at a random place of {} MiB: {median:.1} µs (at most 5)", size >> 20);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// The example, with hours, network and count that hold wherever and whenever this runs.
fn claims() -> Value {
    let text = include_str!("../examples/policies/claims-from-home.json");
    let mut policy: Value = serde_json::from_str(text).expect("the example parses");
    let when = &mut policy["grants"][0]["when"];
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    when["hours"] = json!({"zone": "Asia/Seoul", "days": days, "from": "00:00", "to": "24:00"});
    when["network"] = json!({"any": ["0.0.0.0/0", "::/0"]});
    when["opens"] = json!({"at_most": 1_000_000_000, "per": "24h"});
    policy
}

fn anyone() -> Value {
    json!({"version": 1, "name": "anyone", "grants": [{"to": ["anyone"], "rights": ["view", "print"]}]})
}

struct Desk {
    folder: PathBuf,
    root: RootKey,
    home: Home,
}

impl Desk {
    fn new(folder: &Path, kind: KemKind) -> Self {
        let home = Home::at(folder.join("home"));
        let identity = Identity::generate(kind, "desk").expect("an identity");
        home.create_identity(&identity, None).expect("a home");
        let root = RootKey::generate("bench").expect("a root");
        home.create_root(&root, None).expect("a root's home");
        let keys = home.create_first_list(&root, 1).expect("a list").keys().to_vec();
        assert!(matches!(keys[0].jwk, PublicKey::Ed25519(_)));
        let program = std::env::current_exe().and_then(std::fs::read).expect("this program");
        let programs = vec![ProgramHash::of(&program)];
        let list =
            TrustList::sign(&root, 2, now(), now() + 86_400, keys, programs).expect("a list");
        home.use_list(&list).expect("a list");
        let desk = Desk { folder: folder.to_owned(), root, home };
        desk.sign_in(&identity);
        desk
    }

    fn sign_in(&self, identity: &Identity) {
        let signer = Signatory::Root(&self.root);
        let (now, until) = (now(), now() + 3600);
        let checkpoint: Checkpoint = self.home.checkpoint(identity).expect("a checkpoint");
        let roles = ["claims-agent".to_owned()];
        let terms = BadgeTerms {
            subject: "kim.minjun",
            roles: &roles,
            groups: &[],
            device: identity.thumbprint(),
            anchor: Some(checkpoint.anchor()),
        };
        let badge = Badge::sign(signer, terms, now, until).expect("a badge");
        self.home.use_badge(badge.as_str()).expect("a badge");
        let device = About::Device(identity.thumbprint());
        for kind in [
            "daily-checklist",
            "attendance",
            "posture.screen-capture-blocked",
            "posture.usb-storage-blocked",
            "posture.printing-blocked",
            "posture.unapproved-software-blocked",
        ] {
            let signed = Attestation::sign(signer, kind, &device, None, now, until);
            self.home.use_attestation(signed.expect("an attestation").as_str()).expect("used");
        }
        let list = Revocations::sign(signer, self.root.thumbprint(), 1, Revoked::default(), now);
        self.home.use_revocations(&list.expect("a list")).expect("used");
    }

    fn session(&self) -> Session {
        let identity = self.home.identity(None).expect("an identity");
        let duties = Duty::ALL.iter().copied().collect();
        let host = Host { duties, ticket: Some("T-1".into()), ..Host::default() };
        Session::start(&self.home, identity, host).expect("a session")
    }

    /// The median of recording a use of an open file, in µs.
    fn record(&self, rounds: usize) -> f64 {
        let file = self.session().open(&self.folder.join("anyone-0")).expect("opened");
        let mut times: Vec<f64> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                file.exercise(Right::Print).expect("recorded");
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// The median of reading 4 KiB at a random place, in µs.
    fn random_reads(&self, size: u64, rounds: usize) -> f64 {
        let path = self.folder.join("large");
        let identity = self.home.identity(None).expect("an identity");
        let to = [identity.recipient().clone()];
        let policy = anyone().to_string();
        let sealer = Sealer::issued(&self.root, "", policy.as_bytes(), &to, Kinds::Same);
        let new = sealer.and_then(|s| s.prepare(&Metadata::default())).expect("prepared");
        let mut writer = new.into_file(&path, Existing::Keep).expect("begun");
        writer.copy_from(&mut std::io::repeat(b'x').take(size)).expect("written");
        writer.finish().expect("finished");
        let file = self.session().open(&path).expect("opened");
        let (mut buf, mut random) = ([0; 4096], 1u64);
        let mut times: Vec<f64> = (0..rounds)
            .map(|_| {
                random = random.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
                let at = (random >> 12) % (size - 4096);
                let start = Instant::now();
                assert_eq!(file.read_at(&mut buf, at).expect("read"), 4096);
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        times.sort_by(f64::total_cmp);
        std::fs::remove_file(path).expect("removed");
        times[times.len() / 2]
    }

    /// The median of opening the files in turn and reading each, in µs.
    fn measure(&self, what: &str, policy: &Value, rounds: usize) -> f64 {
        let identity = self.home.identity(None).expect("an identity");
        let to = [identity.recipient().clone()];
        let policy = policy.to_string();
        let sealer = Sealer::issued(&self.root, "", policy.as_bytes(), &to, Kinds::Same);
        let sealer = sealer.expect("a sealer");
        let paths: Vec<PathBuf> =
            (0..FILES).map(|i| self.folder.join(format!("{what}-{i}"))).collect();
        for path in &paths {
            let new = sealer.prepare(&Metadata::default()).expect("prepared");
            let mut writer = new.into_file(path, Existing::Keep).expect("begun");
            writer.write_all(&[b'x'; 1024]).expect("written");
            writer.finish().expect("finished");
        }
        let session = self.session();
        let mut text = [0; 1024];
        let mut open = |path: &Path| {
            let start = Instant::now();
            let file = session.open(path).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(file.read_at(&mut text, 0).expect("read"), 1024);
            start.elapsed().as_secs_f64() * 1e6
        };
        paths.iter().for_each(|path| _ = open(path));
        let mut times: Vec<f64> =
            (0..rounds).flat_map(|_| paths.iter()).map(|path| open(path)).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}
