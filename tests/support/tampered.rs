//! Changed envelopes, for whatever opens them: the core, a view. `bindings/c/tests/c/tamper.c` makes
//! the same for C.

use super::{Random, bytes};

/// Bytes of a stored chunk, and of salt and commitment.
pub const SLOT: usize = 16_400;
pub const PREFIX: usize = 56;

/// What was done to an envelope, and what came of it.
pub type Form = (String, Vec<u8>);

pub fn payload_at(sealed: &[u8]) -> usize {
    u32::from_le_bytes(sealed[8..12].try_into().unwrap()) as usize
}

/// The same envelope with one bit of this byte changed: over all bytes each of the eight as often.
pub fn flipped(sealed: &[u8], at: usize) -> Form {
    let bit = (at * 5 + 3) % 8;
    let mut changed = sealed.to_vec();
    changed[at] ^= 1 << bit;
    (format!("bit {bit} of byte {at}"), changed)
}

/// More bytes behind the end, a second envelope, all chunks once more.
pub fn extended(sealed: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    for more in (1..=32).chain([SLOT - 1, SLOT, SLOT + 16, 2 * SLOT]) {
        for tail in [vec![0; more], bytes(more, 9)] {
            forms.push((format!("extended by {more}"), [sealed, &tail].concat()));
        }
    }
    forms.push(("an envelope twice".into(), sealed.repeat(2)));
    let again = &sealed[payload_at(sealed) + PREFIX..];
    forms.push(("all chunks twice".into(), [sealed, again].concat()));
    forms
}

/// Chunks that are swapped, in the place of another, twice there, or not at all.
pub fn rearranged(sealed: &[u8]) -> Vec<Form> {
    let (front, payload) = sealed.split_at(payload_at(sealed) + PREFIX);
    let good: Vec<&[u8]> = payload.chunks(SLOT).collect();
    let mut forms = Vec::new();
    let mut add = |chunks: &[&[u8]], what: String| {
        forms.push((what, [front, &chunks.concat()].concat()));
    };
    for i in 0..good.len() {
        for j in i + 1..good.len() {
            let mut swapped = good.clone();
            swapped.swap(i, j);
            add(&swapped, format!("chunks {i} and {j} swapped"));
            let mut copied = good.clone();
            copied[j] = good[i];
            add(&copied, format!("chunk {i} in the place of {j}"));
        }
        let mut twice = good.clone();
        twice.insert(i, good[i]);
        add(&twice, format!("chunk {i} twice"));
        let mut dropped = good.clone();
        dropped.remove(i);
        add(&dropped, format!("chunk {i} dropped"));
    }
    forms
}

/// Several changes at once, others for each seed; hardly ever none.
pub fn damaged(sealed: &[u8], seed: u64) -> Form {
    let mut random = Random(seed);
    let mut changed = sealed.to_vec();
    for _ in 0..1 + random.below(4) {
        let (at, len) = (random.below(changed.len()), 1 + random.below(64));
        let end = (at + len).min(changed.len());
        match random.below(4) {
            0 => changed[at..end].fill(random.next() as u8),
            1 => drop(changed.splice(at..end, bytes(random.below(64), seed))),
            2 => changed[at] = changed[at].wrapping_add(1 + random.below(255) as u8),
            _ => changed.truncate(changed.len().min(at + 100)),
        }
    }
    (format!("damage {seed}"), changed)
}

/// Lengths about each end of a chunk.
pub fn lengths_at_chunks(sealed: &[u8]) -> Vec<usize> {
    let first = payload_at(sealed) + PREFIX;
    (first..=sealed.len())
        .step_by(SLOT)
        .flat_map(|end| [0, 1, 15, 16, 17, SLOT - 1].map(|more| end + more))
        .filter(|n| *n < sealed.len())
        .collect()
}

/// What stands before the chunks.
const BEFORE: [&str; 4] = ["license", "description", "salt", "commitment"];

/// These four, and each stored chunk.
fn parts(sealed: &[u8]) -> Vec<&[u8]> {
    let (header, payload) = sealed.split_at(payload_at(sealed));
    let mut parts: Vec<&[u8]> = header[12..].split(|b| *b == b'\n').take(2).collect();
    parts.extend([&payload[..24], &payload[24..PREFIX]]);
    parts.extend(payload[PREFIX..].chunks(SLOT));
    parts
}

fn assemble(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = [&bulla::MAGIC[..], &[0; 4], parts[0], b"\n", parts[1], b"\n"].concat();
    let at = out.len().next_multiple_of(4096);
    out[8..12].copy_from_slice(&(at as u32).to_le_bytes());
    out.resize(at, 0);
    out.extend(parts[2..].concat());
    out
}

pub struct Spliced {
    pub what: String,
    pub envelope: Vec<u8>,
    /// Whether something before the chunks is of the other.
    pub before: bool,
}

/// Every mixture of the parts of two envelopes of as many chunks, such as one with the other's license
/// or salt alone. With all before the chunks of `b` it would be one of `b`, for the other way round.
pub fn spliced(a: &[u8], b: &[u8]) -> Vec<Spliced> {
    let (parts_a, parts_b) = (parts(a), parts(b));
    assert_eq!(parts_a.len(), parts_b.len());
    assert!(assemble(&parts_a) == a && assemble(&parts_b) == b, "an envelope has other parts");
    let all_before = (1 << BEFORE.len()) - 1;
    let mixture = |set: u32| {
        let (mut parts, mut taken) = (parts_a.clone(), String::new());
        for i in (0..parts.len()).filter(|i| set >> i & 1 == 1) {
            parts[i] = parts_b[i];
            taken += &format!(" {}", BEFORE.get(i).copied().unwrap_or("chunk"));
        }
        let what = format!("set {set:b} of another:{taken}");
        Spliced { what, envelope: assemble(&parts), before: set & all_before != 0 }
    };
    (1..1 << parts_a.len()).filter(|set| set & all_before != all_before).map(mixture).collect()
}
