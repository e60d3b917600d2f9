//! What the integration tests share: keys in memory, envelopes, forgeries.

// Each test file uses another part of it.
#![allow(dead_code)]

use bulla::{
    Code, Error, Home, Host, Identity, KemKind, Kinds, Metadata, RootKey, Sealer, Session,
};
use std::fs;
use std::io::Write;
use std::path::Path;

pub mod forge;
pub mod tampered;

/// A temporary folder, in memory where there is such a place: homes sync many files.
pub fn memory_folder() -> tempfile::TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a folder")
}

/// The plainest policy, which opens, with every right that the tests need.
pub const POLICY: &str = r#"{"version":1,"name":"open-office",
"grants":[{"to":["anyone"],"rights":["view","edit","export"]}]}"#;

/// The plainest policy with these rights.
pub fn policy(rights: &[&str]) -> String {
    let grants = serde_json::json!([{"to": ["anyone"], "rights": rights}]);
    serde_json::json!({"version": 1, "name": "test", "grants": grants}).to_string()
}

/// `len` bytes that look random and are the same for the same seed.
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut out: Vec<u8> = std::iter::repeat_with(|| random.next().to_le_bytes())
        .take(len.div_ceil(8))
        .flatten()
        .collect();
    out.truncate(len);
    out
}

/// SplitMix64: tests that can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// The sizes at which chunks and batches of chunks begin and end.
pub const EDGES: [usize; 8] = [0, 1, 16_383, 16_384, 16_385, (1 << 20) - 1, 1 << 20, (1 << 20) + 1];

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Tests run as root in most containers; some things then cannot be shown, others only then.
#[cfg(unix)]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Keys in memory, for tests that need no command.
pub struct Desk {
    pub root: RootKey,
    pub session: Session,
    _home: tempfile::TempDir,
}

impl Desk {
    pub fn new(kind: KemKind) -> Self {
        let root = RootKey::generate("Hanbit Insurance").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let identity = Identity::generate(kind, "desk").unwrap();
        home.create_identity(&identity, None).unwrap();
        home.pin(root.line()).unwrap();
        let session = Session::start(&home, identity, Host::default()).unwrap();
        Desk { root, session, _home: folder }
    }

    pub fn sealer(&self, policy: &str) -> Sealer<'_> {
        let to = [self.session.identity().recipient().clone()];
        Sealer::issued(&self.root, "test", policy.as_bytes(), &to, Kinds::Same).unwrap()
    }

    pub fn seal(&self, text: &[u8]) -> Vec<u8> {
        envelope(&self.sealer(POLICY), text)
    }
}

/// One envelope in memory.
pub fn envelope(sealer: &Sealer<'_>, text: &[u8]) -> Vec<u8> {
    let name = Some("a.csv".into());
    let meta = Metadata { name, media_type: None, created: None, modified: Some(1) };
    let mut writer = sealer.prepare(&meta).unwrap().into_stream(Vec::new()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

/// The code that a `Read` or `Seek` failed with.
pub fn code(e: std::io::Error) -> Code {
    Error::io("test", e).code()
}
