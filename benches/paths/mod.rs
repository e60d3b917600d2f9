//! The hot paths, each by its name and made ready to be run many times: what is counted by
//! `counts` is what is timed by `micro`.

use bulla::bench::{Licensed, SlotSealer, Wrapped};
use bulla::cobblestone::SLOT;
use bulla::policy::{Facts, Policy, evaluate};
use bulla::{
    Existing, Home, Host, Identity, KemKind, Kinds, Metadata, Reader, Right, RootKey, Sealer,
    Session,
};
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;

/// All of them.
pub const PATHS: [&str; 14] = [
    "seal-slots",
    "wrap-hybrid",
    "wrap-x25519",
    "unwrap-hybrid",
    "unwrap-x25519",
    "verify-license",
    "seal-1k",
    "batch-seal-1k",
    "open-1k",
    "batch-open-1k",
    "read-4k",
    "read-1m",
    "record",
    "decide",
];

const POLICY: &str = r#"{"version":1,"name":"counts","grants":[{"to":["anyone"],
"rights":["view","print"]}]}"#;

/// An issuer and a desk in one.
struct Desk {
    folder: tempfile::TempDir,
    root: RootKey,
    session: Session,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        let identity = Identity::generate(KemKind::Hybrid, "desk").expect("an identity");
        home.create_identity(&identity, None).expect("a home");
        let root = RootKey::generate("counts").expect("a root");
        home.pin(root.line()).expect("pinned");
        let session = Session::start(&home, identity, Host::default()).expect("a session");
        Desk { folder, root, session }
    }

    fn sealer(&self) -> Sealer<'_> {
        let to = [self.session.identity().recipient().clone()];
        Sealer::issued(&self.root, "", POLICY.as_bytes(), &to, Kinds::Same).expect("a sealer")
    }

    /// With a batch key where the path's name says so.
    fn sealer_for(&self, path: &str) -> Sealer<'_> {
        let sealer = self.sealer();
        if path.starts_with("batch") { sealer.batch().expect("a batch key") } else { sealer }
    }

    fn seal(&self, sealer: &Sealer<'_>, name: &str, len: usize) -> PathBuf {
        let path = self.folder.path().join(name);
        let new = sealer.prepare(&Metadata::default()).expect("prepared");
        let mut writer = new.into_file(&path, Existing::Replace).expect("begun");
        writer.write_all(&vec![b'x'; len]).expect("written");
        writer.finish().expect("finished");
        path
    }

    fn open(&self, len: usize) -> Reader<File> {
        self.session.open(&self.seal(&self.sealer(), "file", len)).expect("opened")
    }
}

/// What a path does in the round of this number.
type Work<'a> = &'a mut dyn FnMut(usize);

/// Makes a path ready and gives its work, which takes the number of the round, to `run`. What needs
/// a file of its own each round has so many of them.
pub fn with(path: &str, rounds: usize, run: &mut dyn FnMut(Work<'_>)) {
    let desk = Desk::new();
    match path {
        "seal-slots" => {
            let (sealer, mut buf) = (SlotSealer::new(), vec![0; 64 * SLOT]);
            run(&mut |i| sealer.seal(64 * i as u64, &mut buf));
        }
        "wrap-hybrid" | "wrap-x25519" => {
            let wrapped = wrapped(path);
            run(&mut |_| wrapped.wrap().expect("wrapped"));
        }
        "unwrap-hybrid" | "unwrap-x25519" => {
            let wrapped = wrapped(path);
            run(&mut |_| wrapped.unwrap().expect("unwrapped"));
        }
        "verify-license" => {
            let license = Licensed::new(3).expect("a license");
            run(&mut |_| license.verify().expect("verified"));
        }
        "seal-1k" | "batch-seal-1k" => {
            let sealer = desk.sealer_for(path);
            run(&mut |_| _ = desk.seal(&sealer, "made", 1024));
        }
        "open-1k" | "batch-open-1k" => {
            let sealer = desk.sealer_for(path);
            let files: Vec<_> =
                (0..=rounds).map(|i| desk.seal(&sealer, &i.to_string(), 1024)).collect();
            let open = |path| desk.session.open(path).expect("opened");
            open(&files[rounds]);
            run(&mut |i| _ = black_box(open(&files[i])));
        }
        "read-4k" => {
            let (file, mut buf) = (desk.open(4 << 20), [0; 4096]);
            // A stride that visits another chunk each time.
            run(&mut |i| {
                let at = (i as u64 * 1_000_003) % ((4 << 20) - 4096);
                assert_eq!(file.read_at(&mut buf, at).expect("read"), 4096);
            });
        }
        "read-1m" => {
            let (file, mut buf) = (desk.open(1 << 20), vec![0; 1 << 20]);
            run(&mut |_| assert_eq!(file.read_at(&mut buf, 0).expect("read"), 1 << 20));
        }
        "record" => {
            let file = desk.open(1);
            run(&mut |_| file.exercise(Right::Print).expect("recorded"));
        }
        "decide" => {
            let policy = include_bytes!("../../examples/policies/claims-from-home.json");
            let policy = Policy::parse(policy).expect("the example parses");
            let facts = Facts::parse(br#"{"time": "2026-11-24T10:12:00+09:00"}"#).expect("facts");
            run(&mut |_| _ = black_box(evaluate(black_box(&policy), black_box(&facts))));
        }
        _ => panic!("one of {PATHS:?}"),
    }
}

fn wrapped(path: &str) -> Wrapped {
    let kind = if path.ends_with("hybrid") { KemKind::Hybrid } else { KemKind::X25519 };
    Wrapped::new(kind).expect("wrapped")
}
