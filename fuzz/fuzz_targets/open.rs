//! A sound envelope with bytes changed, cut or added, read at random places: whatever comes out is
//! what was sealed.
#![no_main]

use bulla::{Home, Host, Identity, KemKind, Kinds, Metadata, RootKey, Sealer, Session};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

const POLICY: &[u8] = br#"{"version":1,"name":"n","grants":[{"to":["anyone"],"rights":["view"]}]}"#;

/// After so many openings a new home begins: each leaves records in its trail.
const OPENINGS: u32 = 20_000;

struct World {
    session: Session,
    text: Vec<u8>,
    envelope: Vec<u8>,
    openings: u32,
    _home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let shm = Path::new("/dev/shm");
        let folder = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() };
        let folder = folder.unwrap();
        let home = Home::at(folder.path());
        std::fs::write(folder.path().join("config.toml"), "[trail]\nsync = \"never\"\n").unwrap();
        let root = RootKey::generate("root").unwrap();
        let identity = Identity::generate(KemKind::X25519, "").unwrap();
        home.create_identity(&identity, None).unwrap();
        home.pin(root.line()).unwrap();
        let to = [identity.recipient().clone()];
        let sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same).unwrap();
        let text: Vec<u8> = (0..40_000u32).map(|i| (i * 7 / 3) as u8).collect();
        let new = sealer.prepare(&Metadata::default()).unwrap();
        let mut writer = new.into_stream(Vec::new()).unwrap();
        writer.write_all(&text).unwrap();
        let envelope = writer.finish().unwrap();
        let session = Session::start(&home, identity, Host::default()).unwrap();
        World { session, text, envelope, openings: 0, _home: folder }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

fuzz_target!(|edits: Vec<(u8, u16, u16)>| {
    WORLD.with_borrow_mut(|world| {
        world.openings += 1;
        if world.openings > OPENINGS {
            *world = World::new();
        }
        run(world, edits);
    });
});

fn run(world: &World, edits: Vec<(u8, u16, u16)>) {
    let mut envelope = world.envelope.clone();
    let mut reads = Vec::new();
    for (kind, a, b) in edits {
        let at = a as usize % envelope.len().max(1);
        match kind % 5 {
            0 if !envelope.is_empty() => envelope[at] ^= b as u8,
            1 => envelope.truncate(at),
            2 => envelope.extend(std::iter::repeat_n(b as u8, a as usize % 64)),
            3 if !envelope.is_empty() => {
                let n = (b as usize % 64).min(envelope.len() - at);
                envelope.drain(at..at + n);
            }
            _ => reads.push((a as usize, b as usize)),
        }
    }
    let Ok(reader) = world.session.open_source(envelope) else { return };
    for (at, len) in reads {
        let mut out = vec![0; len];
        if let Ok(n) = reader.read_at(&mut out, at as u64) {
            let end = (at + len).min(world.text.len());
            assert_eq!(out[..n], world.text[at.min(end)..end]);
        }
    }
}
