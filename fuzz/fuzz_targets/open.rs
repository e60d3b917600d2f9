//! A sound envelope with bytes changed, cut or added, read at random places: whatever comes out is
//! what was sealed.
#![no_main]

use bulla::{Identity, KemKind, Kinds, Metadata, RootKey, Sealer, Session, Trust};
use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::sync::LazyLock;

const POLICY: &[u8] = br#"{"version":1,"name":"n","grants":[{"to":["anyone"],"rights":["view"]}]}"#;

struct World {
    session: Session,
    text: Vec<u8>,
    envelope: Vec<u8>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let root = RootKey::generate("root").unwrap();
    let identity = Identity::generate(KemKind::X25519, "").unwrap();
    let to = [identity.recipient().clone()];
    let sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same).unwrap();
    let text: Vec<u8> = (0..40_000u32).map(|i| (i * 7 / 3) as u8).collect();
    let new = sealer.prepare(&Metadata::default()).unwrap();
    let mut writer = new.into_stream(Vec::new()).unwrap();
    writer.write_all(&text).unwrap();
    let envelope = writer.finish().unwrap();
    let mut trust = Trust::default();
    trust.pin(root.line().clone());
    World { session: Session::new(trust, identity), text, envelope }
});

fuzz_target!(|edits: Vec<(u8, u16, u16)>| {
    let world = &*WORLD;
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
});
