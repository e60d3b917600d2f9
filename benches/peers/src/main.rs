//! Many small files for three recipients, sealed and opened in one process: the library against the
//! `age` crate, by turns, on the same number of threads, from and to memory where there is such a
//! folder. `cargo run --release --manifest-path benches/peers/Cargo.toml [FILES] [BYTES] [ROUNDS]`
//!
//! Our recipients are hybrid (ML-KEM-768 and X25519), those of `age` X25519. Ours seals under a
//! policy and a batch key, records each file in the trail and syncs it; opening verifies license and
//! policy and records each file.

use age::x25519::{Identity as AgeIdentity, Recipient as AgeRecipient};
use bulla::cobblestone::Work;
use bulla::{
    Home, Host, Identity, KemKind, Kinds, Metadata, Recipient, RootKey, Sealer, Session, place_all,
};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const POLICY: &[u8] =
    br#"{"version":1,"name":"open","grants":[{"to":["anyone"],"rights":["view","export"]}]}"#;

/// Files that are made durable together.
const TOGETHER: usize = 16;

struct Bench {
    folder: PathBuf,
    files: usize,
    threads: usize,
    root: RootKey,
    session: Session,
    to: Vec<Recipient>,
    age: AgeIdentity,
    age_to: Vec<AgeRecipient>,
}

impl Bench {
    fn new(folder: &Path, files: usize, bytes: usize) -> Self {
        let home = Home::at(folder.join("home"));
        let ids: Vec<Identity> = (0..3)
            .map(|_| Identity::generate(KemKind::Hybrid, "desk").expect("an identity"))
            .collect();
        let to = ids.iter().map(|id| id.recipient().clone()).collect();
        let own = ids.into_iter().next().expect("three");
        home.create_identity(&own, None).expect("a home");
        let root = RootKey::generate("peers").expect("a root");
        home.pin(root.line()).expect("pinned");
        let session = Session::start(&home, own, Host::default()).expect("a session");
        let age = AgeIdentity::generate();
        let mut age_to = vec![age.to_public()];
        age_to.extend((0..2).map(|_| AgeIdentity::generate().to_public()));
        let mut noise = File::open("/dev/urandom").expect("random bytes");
        let mut content = vec![0; bytes];
        for i in 0..files {
            noise.read_exact(&mut content).expect("random bytes");
            fs::write(folder.join(format!("{i}.csv")), &content).expect("a plain file");
        }
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Bench { folder: folder.to_owned(), files, threads, root, session, to, age, age_to }
    }

    fn path(&self, i: usize, suffix: &str) -> PathBuf {
        self.folder.join(format!("{i}.csv{suffix}"))
    }

    /// The seconds that all files take on all threads; each thread works on a few at a time.
    fn each(&self, work: impl Fn(&[usize]) + Sync) -> f64 {
        let (next, start) = (AtomicUsize::new(0), Instant::now());
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    loop {
                        let from = next.fetch_add(TOGETHER, Ordering::Relaxed);
                        let some: Vec<_> = (from..self.files.min(from + TOGETHER)).collect();
                        if some.is_empty() {
                            break;
                        }
                        work(&some);
                    }
                });
            }
        });
        start.elapsed().as_secs_f64()
    }

    fn remove(&self, suffix: &str) {
        (0..self.files).for_each(|i| _ = fs::remove_file(self.path(i, suffix)));
    }

    fn seal(&self) -> f64 {
        self.remove(".bulla");
        let start = Instant::now();
        let sealer = Sealer::issued(&self.root, "", POLICY, &self.to, Kinds::Same);
        let sealer = sealer.and_then(Sealer::batch).expect("a sealer").recorded(&self.session);
        let before = start.elapsed().as_secs_f64();
        before
            + self.each(|some| {
                let made = some.iter().map(|i| {
                    let plain = File::open(self.path(*i, "")).expect("a plain file");
                    let new = sealer.prepare(&Metadata::default()).expect("prepared");
                    let to = self.path(*i, ".bulla");
                    let mut writer = new.into_file(&to, bulla::Existing::Keep).expect("begun");
                    let one = NonZeroUsize::MIN;
                    let mut work = Work { threads: one, progress: &mut |_| Ok(()) };
                    writer.copy_file(&plain, &mut work).expect("sealed");
                    writer.finish_unplaced().expect("complete")
                });
                place_all(made.collect()).into_iter().for_each(|done| done.expect("placed"));
            })
    }

    fn age_seal(&self) -> f64 {
        self.remove(".age");
        self.each(|some| {
            for i in some {
                let mut plain = File::open(self.path(*i, "")).expect("a plain file");
                let to = self.age_to.iter().map(|r| r as &dyn age::Recipient);
                let out = BufWriter::new(File::create(self.path(*i, ".age")).expect("begun"));
                let encryptor = age::Encryptor::with_recipients(to).expect("recipients");
                let mut writer = encryptor.wrap_output(out).expect("begun");
                io::copy(&mut plain, &mut writer).expect("sealed");
                writer.finish().and_then(|mut out| out.flush()).expect("complete");
            }
        })
    }

    fn open(&self) -> f64 {
        self.each(|some| {
            for i in some {
                let file = self.session.open(&self.path(*i, ".bulla")).expect("opened");
                let mut text = Vec::with_capacity(file.len() as usize);
                (&mut { file }).read_to_end(&mut text).expect("read");
                self.check(*i, &text);
            }
        })
    }

    fn age_open(&self) -> f64 {
        self.each(|some| {
            for i in some {
                let file = io::BufReader::new(File::open(self.path(*i, ".age")).expect("sealed"));
                let decryptor = age::Decryptor::new(file).expect("sealed");
                let by = std::iter::once(&self.age as &dyn age::Identity);
                let mut text = Vec::new();
                let mut reader = decryptor.decrypt(by).expect("opened");
                reader.read_to_end(&mut text).expect("read");
                self.check(*i, &text);
            }
        })
    }

    /// Of some files, that it is what was sealed.
    fn check(&self, i: usize, text: &[u8]) {
        if i % 100 == 0 {
            assert!(fs::read(self.path(i, "")).expect("a plain file") == text, "another text");
        }
    }
}

/// Runs both by turns, and prints medians and the ratio of ours to theirs, round by round.
fn compare(what: &str, rounds: usize, ours: impl Fn() -> f64, theirs: impl Fn() -> f64) {
    let mut times = Vec::new();
    for round in 0..=rounds {
        let pair = if round % 2 == 0 {
            let ours = ours();
            (ours, theirs())
        } else {
            let theirs = theirs();
            (ours(), theirs)
        };
        // The first warms everything.
        if round > 0 {
            times.push(pair);
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2], values[0], values[values.len() - 1])
    };
    let (ours, ..) = median(times.iter().map(|t| t.0).collect());
    let (theirs, ..) = median(times.iter().map(|t| t.1).collect());
    let (ratio, low, high) = median(times.iter().map(|t| t.0 / t.1).collect());
    println!("| {what} | {ours:.2} s | {theirs:.2} s | {ratio:.2} ({low:.2} to {high:.2}) |");
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse::<usize>().expect("a number"));
    let files = numbers.next().unwrap_or(10_000);
    let bytes = numbers.next().unwrap_or(16 << 10);
    let rounds = numbers.next().unwrap_or(9);
    let shm = Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let bench = Bench::new(folder.path(), files, bytes);
    println!("{files} files of {bytes} bytes, three recipients, {} threads\n", bench.threads);
    println!("| | bulla | age crate | ratio |\n|---|---|---|---|");
    compare("sealing", rounds, || bench.seal(), || bench.age_seal());
    compare("opening", rounds, || bench.open(), || bench.age_open());
}
