//! Opens and reads a sealed file so many times in one process, saves it now and then, and tells
//! whether memory and handles stay what they were.
//!
//! `cargo run --release --example soak -- 1000000`

use bulla::{
    Existing, Home, Host, Identity, KemKind, Kinds, Metadata, Result, RootKey, Sealer, Session,
};
use std::io::{Read, Write};
use std::process::ExitCode;

const POLICY: &[u8] = br#"{"version":1,"name":"soak",
"grants":[{"to":["anyone"],"rights":["view","edit"]}]}"#;

/// Opens of one session. The trail that they all write is what a session keeps in memory.
const A_SESSION: u64 = 10_000;

/// How much resident memory may grow, in KiB, after the first session.
const GROWTH: u64 = 8 * 1024;

/// Handles that a session has beside those of open files: its trail, and its folder's lock.
const OF_A_SESSION: usize = 4;

fn main() -> Result<ExitCode> {
    let opens: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let io = |e| bulla::Error::io("the soak's folder", e);
    let shm = std::path::Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
    let folder = folder.map_err(io)?;
    let root = RootKey::generate("soak")?;
    let (mut done, mut round) = (0, 0);
    let mut first = None;
    while done < opens {
        // A device of its own for each session: a trail only grows, and is read at each start.
        let home = Home::at(folder.path().join(format!("home-{round}")));
        let identity = Identity::generate(KemKind::X25519, "desk")?;
        home.create_identity(&identity, None)?;
        home.pin(root.line())?;
        let to = [identity.recipient().clone()];
        let path = folder.path().join("sealed");
        let sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same)?;
        let prepared = sealer.prepare(&Metadata::default())?;
        let mut writer = prepared.into_file(&path, Existing::Replace)?;
        writer.write_all(&[7; 40_000]).map_err(io)?;
        writer.finish()?;
        let session = Session::start(&home, identity, Host::default())?;
        for n in 0..A_SESSION.min(opens - done) {
            let mut reader = session.open(&path)?;
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map_err(|e| bulla::Error::io("reading", e))?;
            assert!(content.len() == 40_000 && content.iter().all(|b| *b == 7));
            if n % 1000 == 999 {
                let mut writer = reader.save(reader.metadata())?;
                writer.write_all(&content).map_err(|e| bulla::Error::io("saving", e))?;
                writer.finish()?;
            }
        }
        done += A_SESSION.min(opens - done);
        let within = Held::now().map_err(io)?;
        drop(session);
        std::fs::remove_dir_all(home.folder()).map_err(io)?;
        let after = Held::now().map_err(io)?;
        println!("{done} opens: {after}; before its session ended {within}");
        let (first_within, first_after) = first.get_or_insert((within, after));
        for (now, first) in [(within, first_within), (after, first_after)] {
            if now.handles > first.handles || now.memory > first.memory + GROWTH {
                println!("memory or handles grow: they were {first}");
                return Ok(ExitCode::FAILURE);
            }
        }
        // No handle is a file's that was closed.
        if within.handles > after.handles + OF_A_SESSION {
            println!("the session holds more handles than its own");
            return Ok(ExitCode::FAILURE);
        }
        round += 1;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the process holds.
#[derive(Clone, Copy)]
struct Held {
    /// Resident memory in KiB.
    memory: u64,
    handles: usize,
}

impl Held {
    fn now() -> std::io::Result<Self> {
        Ok(Held { memory: resident()?, handles: handles()? })
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} KiB resident, {} handles", self.memory, self.handles)
    }
}

/// Resident memory in KiB.
fn resident() -> std::io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let number = line.and_then(|l| l.trim().split(' ').next()?.parse().ok());
    number.ok_or_else(|| std::io::Error::other("no VmRSS"))
}

/// Open handles.
fn handles() -> std::io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}
