//! Sound envelopes with bytes changed, cut, added, moved or taken from another, opened at any place
//! and as streams. Whatever comes out is what was sealed at that place.

use crate::world::{self, World, envelope, text};
use arbitrary::{Arbitrary, Result, Unstructured};
use bulla::{Class, Id, Identity, KemKind, Kinds, Sealer, Session};
use std::cell::RefCell;

/// Bytes of content of an envelope's chunk, sealed.
const SLOT: usize = 16_400;

struct Base {
    /// Of which kind the key is that opens it; none of ours where it is to somebody else.
    to: Option<KemKind>,
    file: Id,
    text: Vec<u8>,
    sealed: Vec<u8>,
    payload_at: usize,
}

struct Bases {
    issuer: String,
    of: Vec<Base>,
}

thread_local! {
    static BASES: RefCell<Option<Bases>> = const { RefCell::new(None) };
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Where {
    Anywhere(u32),
    Header(u16),
    Payload(u32),
    End(u8),
}

#[derive(Arbitrary, Debug)]
enum Change {
    Flip {
        at: Where,
        bits: u8,
    },
    Set {
        at: Where,
        to: u32,
    },
    Cut {
        at: Where,
    },
    Append {
        byte: u8,
        count: u16,
    },
    Remove {
        at: Where,
        count: u16,
    },
    Insert {
        at: Where,
        bytes: [u8; 3],
    },
    SwapChunks {
        a: u8,
        b: u8,
    },
    DropChunk {
        chunk: u8,
    },
    /// The header, or the payload, of another envelope.
    Take {
        from: u8,
        header: bool,
    },
    Read {
        at: Where,
        count: u32,
    },
}

pub fn run(data: &[u8]) -> bool {
    world::with(|world| {
        BASES.with_borrow_mut(|bases| {
            let issuer = world.root.thumbprint().to_string();
            if bases.as_ref().is_none_or(|bases| bases.issuer != issuer) {
                *bases = Some(Bases { issuer, of: bases_of(world) });
            }
            let bases = &bases.as_ref().expect("made above").of;
            drive(world, bases, &mut Unstructured::new(data)).unwrap_or(false)
        })
    })
}

fn bases_of(world: &World) -> Vec<Base> {
    let (hybrid, x25519) = (KemKind::Hybrid, KemKind::X25519);
    let sizes = [
        (40_000, x25519),
        (0, x25519),
        (1, hybrid),
        (16_383, x25519),
        (16_384, hybrid),
        (32_768, x25519),
    ];
    let issued = |(seed, (size, kind))| {
        let sealer = world.issued_to(&[device(world, kind)]);
        Base::new(Some(kind), &sealer, size, seed)
    };
    let mut bases: Vec<Base> = (1..).zip(sizes).map(issued).collect();
    let batch = world.issued_to(&[&world.session, &world.hybrid]).batch().unwrap();
    bases.push(Base::new(Some(x25519), &batch, 20_000, 11));
    bases.push(Base::new(Some(hybrid), &batch, 20_000, 12));
    bases.push(Base::new(Some(x25519), &world.delegated(), 5_000, 13));
    let to = [Identity::generate(KemKind::Hybrid, "").unwrap().recipient().clone()];
    let policy = world::POLICY.as_bytes();
    let other = Sealer::issued(&world.root, "", policy, &to, Kinds::Same).unwrap();
    bases.push(Base::new(None, &other, 100, 14));
    bases
}

fn device(world: &World, kind: KemKind) -> &Session {
    if kind == KemKind::Hybrid { &world.hybrid } else { &world.session }
}

impl Base {
    fn new(to: Option<KemKind>, sealer: &Sealer<'_>, len: usize, seed: u8) -> Self {
        let text = text(len, seed);
        let sealed = envelope(sealer, &text);
        let file = bulla::inspect(&sealed).unwrap().file;
        let payload_at = u32::from_le_bytes(sealed[8..12].try_into().unwrap()) as usize;
        Base { to, file, text, sealed, payload_at }
    }
}

impl Where {
    fn of(self, len: usize, payload_at: usize) -> usize {
        let at = match self {
            Where::Anywhere(at) => at as usize,
            Where::Header(at) => usize::from(at) % payload_at,
            Where::Payload(at) => payload_at + at as usize % len.saturating_sub(payload_at).max(1),
            Where::End(back) => len.saturating_sub(1 + usize::from(back)),
        };
        at % len.max(1)
    }
}

fn drive(world: &World, bases: &[Base], u: &mut Unstructured<'_>) -> Result<bool> {
    let base = u.choose(bases)?;
    let (mut sealed, mut payload_at) = (base.sealed.clone(), base.payload_at);
    let mut reads = Vec::new();
    for change in crate::some(u, 16)? {
        let len = sealed.len();
        let chunk = |n: u8| payload_at + 56 + usize::from(n) % (len / SLOT + 1) * SLOT;
        match change {
            Change::Read { at, count } => {
                let at = at.of(base.text.len() + 20_000, payload_at.min(base.text.len().max(1)));
                reads.push((at, count as usize % 70_000));
            }
            Change::Append { byte, count } => {
                sealed.extend(std::iter::repeat_n(byte, usize::from(count)));
            }
            Change::Cut { at } => sealed.truncate(at.of(len, payload_at)),
            Change::Take { from, header } => {
                let other = &bases[usize::from(from) % bases.len()];
                let own = sealed.get(payload_at..).unwrap_or_default().to_vec();
                sealed = if header {
                    payload_at = other.payload_at;
                    [&other.sealed[..payload_at], &own].concat()
                } else {
                    sealed.truncate(payload_at);
                    [&sealed, &other.sealed[other.payload_at..]].concat()
                };
            }
            _ if sealed.is_empty() => {}
            Change::Flip { at, bits } => sealed[at.of(len, payload_at)] ^= bits,
            Change::Set { at, to } => {
                let at = at.of(len, payload_at);
                for (byte, new) in sealed[at..].iter_mut().zip(to.to_le_bytes()) {
                    *byte = new;
                }
            }
            Change::Remove { at, count } => {
                let at = at.of(len, payload_at);
                sealed.drain(at..len.min(at + usize::from(count)));
            }
            Change::Insert { at, bytes } => {
                let at = at.of(len, payload_at);
                sealed.splice(at..at, bytes);
            }
            Change::SwapChunks { a, b } => {
                let (a, b) = (chunk(a), chunk(b));
                let fits = a.max(b) + SLOT <= len && a.abs_diff(b) >= SLOT;
                for i in (0..SLOT).filter(|_| fits) {
                    sealed.swap(a + i, b + i);
                }
            }
            Change::DropChunk { chunk: n } => {
                let at = chunk(n);
                if at < len {
                    sealed.drain(at..len.min(at + SLOT));
                }
            }
        }
    }
    let session = device(world, base.to.unwrap_or(KemKind::X25519));
    let (opened, by_place) = at_places(session, bases, &sealed, &reads);
    let streamed = as_stream(session, bases, &sealed);
    assert_eq!(by_place, streamed, "what is sound by place is sound as a stream");
    if sealed == base.sealed {
        assert_eq!(by_place, base.to.is_some(), "as it was sealed, it opens to whom it is for");
    }
    Ok(opened)
}

fn sealed_text(bases: &[Base], file: Id) -> &[u8] {
    &bases.iter().find(|base| base.file == file).expect("a file that was sealed").text
}

/// Whether it opened, and whether all of it could be read.
fn at_places(
    session: &Session,
    bases: &[Base],
    sealed: &[u8],
    reads: &[(usize, usize)],
) -> (bool, bool) {
    let reader = match session.open_source(sealed) {
        Ok(reader) => reader,
        Err(e) => {
            assert!(matches!(e.class(), Class::Format | Class::Tampered | Class::Denied), "{e}");
            return (false, false);
        }
    };
    let text = sealed_text(bases, reader.file_id());
    assert_eq!(reader.len(), text.len() as u64);
    let mut broken = false;
    for (at, count) in reads {
        let mut out = vec![0xa5; *count];
        match reader.read_at(&mut out, *at as u64) {
            Ok(n) => {
                assert!(!broken || n == 0, "it went on after something that was changed");
                let from = (*at).min(text.len());
                let end = (at + count).min(text.len()).max(from);
                assert!(out[..n] == text[from..end], "other bytes than were sealed");
                assert!(out[n..].iter().all(|b| *b == 0xa5), "bytes behind the end");
            }
            Err(e) => {
                // What was found changed once stays closed, also where it is sound.
                let expected = if broken { Class::State } else { Class::Tampered };
                assert_eq!(e.class(), expected, "{e}");
                broken = true;
            }
        }
    }
    let mut out = Vec::new();
    let whole = reader.export(&mut out).is_ok();
    assert!(text.starts_with(&out), "other bytes than were sealed");
    assert!(!whole || (!broken && out == text));
    (true, whole)
}

fn as_stream(session: &Session, bases: &[Base], sealed: &[u8]) -> bool {
    let Ok(mut stream) = session.open_stream(sealed) else { return false };
    let mut out = Vec::new();
    let whole = stream.export(&mut out).is_ok();
    let is = |base: &Base| if whole { base.text == out } else { base.text.starts_with(&out) };
    assert!(bases.iter().any(is), "other bytes than were sealed");
    whole
}
