//! The hot paths, each by its name, for counting their instructions: `benches/counts.py` runs them
//! under callgrind, which counts what happens inside `hot` alone. `list` names them; a number says how
//! often, for a profiler. Without a name it proves that all
//! of them run.

use bulla::cobblestone::{SLOT, bench::SlotSealer};
use bulla::policy::{Facts, Policy, evaluate};
use bulla::{
    Existing, Home, Host, Identity, KemKind, Kinds, Metadata, Reader, Right, RootKey, Sealer,
    Session,
};
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;

const PATHS: [&str; 9] = [
    "seal-slots",
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

/// What is counted; the name is what callgrind looks for.
#[inline(never)]
fn hot(rounds: usize, mut work: impl FnMut(usize)) {
    (0..rounds).for_each(&mut work);
}

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

fn run(path: &str, rounds: usize) {
    let desk = Desk::new();
    match path {
        "seal-slots" => {
            let (sealer, mut buf) = (SlotSealer::new(), vec![0; 64 * SLOT]);
            hot(rounds, |i| sealer.seal(64 * i as u64, &mut buf));
        }
        "seal-1k" | "batch-seal-1k" => {
            let sealer = desk.sealer();
            let sealer =
                if path == "seal-1k" { sealer } else { sealer.batch().expect("a batch key") };
            hot(rounds, |_| _ = desk.seal(&sealer, "made", 1024));
        }
        "open-1k" | "batch-open-1k" => {
            let sealer = desk.sealer();
            let sealer =
                if path == "open-1k" { sealer } else { sealer.batch().expect("a batch key") };
            let files: Vec<_> =
                (0..=rounds).map(|i| desk.seal(&sealer, &i.to_string(), 1024)).collect();
            let open = |path| desk.session.open(path).expect("opened");
            open(&files[rounds]);
            hot(rounds, |i| _ = black_box(open(&files[i])));
        }
        "read-4k" => {
            let (file, mut buf) = (desk.open(4 << 20), [0; 4096]);
            // A stride that visits another chunk each time.
            hot(rounds * 50, |i| {
                let at = (i as u64 * 1_000_003) % ((4 << 20) - 4096);
                assert_eq!(file.read_at(&mut buf, at).expect("read"), 4096);
            });
        }
        "read-1m" => {
            let (file, mut buf) = (desk.open(1 << 20), vec![0; 1 << 20]);
            hot(rounds, |_| assert_eq!(file.read_at(&mut buf, 0).expect("read"), 1 << 20));
        }
        "record" => {
            let file = desk.open(1);
            hot(rounds, |_| file.exercise(Right::Print).expect("recorded"));
        }
        "decide" => {
            let policy = include_bytes!("../examples/policies/claims-from-home.json");
            let policy = Policy::parse(policy).expect("the example parses");
            let facts = Facts::parse(br#"{"time": "2026-11-24T10:12:00+09:00"}"#).expect("facts");
            hot(rounds * 50, |_| _ = black_box(evaluate(black_box(&policy), black_box(&facts))));
        }
        _ => panic!("one of {PATHS:?}"),
    }
}

fn main() {
    match std::env::args().nth(1).filter(|arg| !arg.starts_with('-')) {
        Some(list) if list == "list" => println!("{}", PATHS.join("\n")),
        Some(path) => {
            let rounds = std::env::args().nth(2).map(|n| n.parse().expect("a number"));
            run(&path, rounds.unwrap_or(20));
        }
        None => PATHS.iter().for_each(|path| run(path, 1)),
    }
}
