//! Every changed envelope is refused: every flipped bit, every cut, every splice, by both readers.
//! Never a panic, and never a byte that was not in the original.

mod support;

use bulla::{Class, Code, Error, KemKind};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::tampered::{
    PREFIX, damaged, extended, lengths_at_chunks, payload_at, rearranged, spliced,
};
use support::{Desk, bytes, envelope, policy};

/// Three chunks.
const LONG: usize = 33_000;

/// An envelope with its plaintext and the desk that can open it.
struct Sample {
    desk: Desk,
    text: Vec<u8>,
    sealed: Vec<u8>,
}

impl Sample {
    /// A small header: one recipient, a minimal policy.
    fn new(kind: KemKind, len: usize) -> Self {
        let desk = Desk::new(kind);
        let text = bytes(len, 7);
        let sealed = envelope(&desk.sealer(&policy(&["view"])), &text);
        let sample = Sample { desk, text, sealed };
        // Otherwise all below would be refused for a wrong reason.
        for read in [by_seeking, by_streaming] {
            read(&sample, sample.sealed.clone()).expect("the untouched envelope opens");
        }
        sample
    }

    fn payload_at(&self) -> usize {
        payload_at(&self.sealed)
    }

    /// The class that both readers refuse this with.
    #[track_caller]
    fn refused(&self, changed: &[u8], what: &str) -> Class {
        assert!(changed != self.sealed, "{what}: nothing was changed");
        let seeking = by_seeking(self, changed.to_vec());
        let streaming = by_streaming(self, changed.to_vec());
        for (reader, result) in [("seeking", &seeking), ("streaming", &streaming)] {
            let Err(e) = result else { panic!("{what}: accepted by the {reader} reader") };
            let fine = [Class::Format, Class::Tampered, Class::Denied].contains(&e.class());
            assert!(fine, "{what}, {reader}: {:?}: {e}", e.code());
        }
        seeking.unwrap_err().class()
    }
}

/// Opens and reads everything, backwards and forwards; checks every byte that comes out.
fn by_seeking(sample: &Sample, sealed: Vec<u8>) -> Result<(), Error> {
    let reader = sample.desk.session.open_source(sealed)?;
    let text = &sample.text;
    let mut failure = None;
    let mut buf = [0; 1000];
    for at in (0..text.len() + 20_000).step_by(16_384).rev() {
        match reader.read_at(&mut buf, at as u64) {
            Ok(n) => {
                let expected = text.get(at..(at + buf.len()).min(text.len())).unwrap_or_default();
                assert_eq!(&buf[..n], expected, "a wrong byte came out at {at}");
                assert!(failure.is_none(), "a reader went on after a failure");
            }
            Err(e) => _ = failure.get_or_insert(e),
        }
    }
    if let Some(e) = failure {
        return Err(e);
    }
    let mut out = vec![0; text.len() + 20_000];
    let n = reader.read_at(&mut out, 0)?;
    assert!(out[..n] == *text, "wrong bytes came out");
    assert_eq!(reader.metadata().name.as_deref(), Some("a.csv"));
    Ok(())
}

/// Reads a stream to its end. A verified prefix may come out before it fails.
fn by_streaming(sample: &Sample, sealed: Vec<u8>) -> Result<(), Error> {
    let mut stream = sample.desk.session.open_stream(&sealed[..])?;
    let (mut out, mut buf) = (Vec::new(), [0; 5000]);
    loop {
        match stream.read(&mut buf) {
            Ok(n) => {
                out.extend(&buf[..n]);
                assert!(sample.text.starts_with(&out), "wrong bytes came out");
                if n == 0 {
                    assert_eq!(out.len(), sample.text.len(), "the stream ended early");
                    return Ok(());
                }
            }
            Err(e) => {
                assert!(stream.read(&mut buf).is_err(), "a stream went on after a failure");
                return Err(Error::io("reading", e));
            }
        }
    }
}

/// Runs `check` for every number below `n`, on all cores; gives back how often which class came.
fn for_each(n: usize, check: impl Fn(usize) -> Class + Sync) -> [usize; 3] {
    let next = AtomicUsize::new(0);
    let counts = [const { AtomicUsize::new(0) }; 3];
    let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        return;
                    }
                    let class = match check(i) {
                        Class::Format => 0,
                        Class::Tampered => 1,
                        _ => 2,
                    };
                    counts[class].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let counts = counts.map(|c| c.into_inner());
    assert_eq!(counts.iter().sum::<usize>(), n);
    counts
}

fn flip_everywhere(kind: KemKind, len: usize) {
    let sample = Sample::new(kind, len);
    let prefix = sample.payload_at()..sample.payload_at() + PREFIX;
    let flips: Vec<(usize, u32)> = (0..sample.sealed.len())
        .flat_map(|at| {
            // One bit a byte, each of the eight as often; all eight where a single byte decides.
            let all = at < 12 || prefix.contains(&at);
            let one = (at as u32 * 5 + 3) % 8;
            (0..8).filter(move |bit| all || *bit == one).map(move |bit| (at, bit))
        })
        .collect();
    assert_eq!(flips.len(), sample.sealed.len() + 7 * (12 + PREFIX));
    let [format, tampered, denied] = for_each(flips.len(), |i| {
        let (at, bit) = flips[i];
        let mut changed = sample.sealed.clone();
        changed[at] ^= 1 << bit;
        let class = sample.refused(&changed, &format!("bit {bit} of byte {at}"));
        if at >= sample.payload_at() {
            assert_eq!(class, Class::Tampered, "bit {bit} of byte {at}");
        }
        class
    });
    println!("{kind:?}, {len} bytes: {format} format, {tampered} tampered, {denied} denied");
    // Padding and payload alone are more than these.
    assert!(format > 1000 && tampered > len);
}

#[test]
fn a_flipped_bit_anywhere_in_a_small_envelope() {
    flip_everywhere(KemKind::X25519, 100);
}

#[test]
fn a_flipped_bit_anywhere_in_three_chunks() {
    flip_everywhere(KemKind::X25519, LONG);
}

#[test]
fn a_flipped_bit_anywhere_in_a_hybrid_envelope() {
    flip_everywhere(KemKind::Hybrid, 100);
}

fn cut_everywhere(len: usize) {
    let sample = Sample::new(KemKind::X25519, len);
    for_each(sample.sealed.len(), |n| {
        let class = sample.refused(&sample.sealed[..n], &format!("cut to {n} bytes"));
        if n < sample.payload_at() + PREFIX + 16 {
            assert_eq!(class, Class::Format, "cut to {n} bytes");
        }
        class
    });
}

#[test]
fn a_small_envelope_cut_anywhere() {
    cut_everywhere(100);
}

#[test]
fn three_chunks_cut_anywhere() {
    cut_everywhere(LONG);
}

/// Readers work on many chunks at a time: a cut where such a batch ends is no end either.
#[test]
fn long_envelopes_cut_at_chunks() {
    for chunks in [70, 96] {
        let sample = Sample::new(KemKind::X25519, chunks * 16_384 - 16_384 * (chunks % 4) / 2);
        let cuts = lengths_at_chunks(&sample.sealed);
        assert!(cuts.len() > 6 * chunks - 6, "{}", cuts.len());
        for_each(cuts.len(), |i| {
            sample.refused(&sample.sealed[..cuts[i]], &format!("cut to {}", cuts[i]))
        });
    }
}

#[test]
fn extended_envelopes() {
    for len in [0, 100, 16_383, 16_384, LONG] {
        let sample = Sample::new(KemKind::X25519, len);
        for (what, longer) in extended(&sample.sealed) {
            sample.refused(&longer, &format!("{len} bytes: {what}"));
        }
    }
}

#[test]
fn chunks_swapped_duplicated_dropped() {
    // One that ends with a whole chunk's worth, too: its last chunk is empty.
    for len in [LONG, 2 * 16_384, 5 * 16_384 + 1] {
        let sample = Sample::new(KemKind::X25519, len);
        for (what, changed) in rearranged(&sample.sealed) {
            sample.refused(&changed, &format!("{len} bytes: {what}"));
        }
    }
}

/// Every mixture of the parts of two envelopes, for the same reader, singly and of one batch.
#[test]
fn spliced_envelopes() {
    for (kind, in_batch) in
        [(KemKind::X25519, false), (KemKind::X25519, true), (KemKind::Hybrid, false)]
    {
        let desk = Desk::new(kind);
        let sealer = desk.sealer(&policy(&["view"]));
        let sealer = if in_batch { sealer.batch().unwrap() } else { sealer };
        // Equal lengths, so that no length gives it away.
        let (text, other) = (bytes(LONG, 1), bytes(LONG, 2));
        let (a, b) = (envelope(&sealer, &text), envelope(&sealer, &other));
        // Of the same content, too: even then nothing may be exchanged.
        let twin = envelope(&sealer, &text);
        let sample = Sample { desk, text, sealed: a.clone() };
        for (b, from) in [(&b, "another file"), (&twin, "a twin")] {
            let mixtures = spliced(&a, b);
            // Of seven parts all sets but the empty one and eight.
            assert_eq!(mixtures.len(), 128 - 1 - 8);
            for mixed in mixtures {
                let what = format!("{from}, {kind:?}, batch: {in_batch}: {}", mixed.what);
                assert_eq!(sample.refused(&mixed.envelope, &what), Class::Tampered, "{what}");
                if mixed.before {
                    let opened = sample.desk.session.open_source(mixed.envelope);
                    // Nothing is decrypted before it is seen that these do not belong together.
                    let e = opened.err().expect("refused at once");
                    assert_eq!(e.code(), Code::Commitment, "{what}");
                }
            }
        }
    }
}

/// Several changes at once: nothing but the untouched envelope opens.
#[test]
fn random_damage() {
    let sample = Sample::new(KemKind::X25519, LONG);
    for_each(1000, |i| {
        let (what, changed) = damaged(&sample.sealed, i as u64);
        if changed == sample.sealed {
            return Class::Format;
        }
        sample.refused(&changed, &what)
    });
}
