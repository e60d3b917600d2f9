//! The writer's loop over slots in a warm buffer, against the AEAD library alone over the same
//! slots. `cargo bench --bench aead` prints the ratio and fails if it is below the target.
//! Without `--bench` (as `cargo test --benches` starts it) it only proves that it runs.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bulla::bench::SlotSealer;
use bulla::cobblestone::{CHUNK, SLOT};
use std::hint::black_box;
use std::time::Instant;

/// Slots in the buffer: 1 MiB of plaintext.
const SLOTS: usize = (1 << 20) / CHUNK;

/// The writer's part of the library's speed that must be reached.
const TARGET: f64 = 0.85;

/// A ratio counts only if the medians of ten parts of the run differ by at most this much.
const WIDEST: f64 = 0.05;

/// How often a measurement goes over the buffer: short, so that few are interrupted.
const PASSES: usize = 4;

fn main() {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let rounds = if measuring { 4000 } else { 10 };

    let writer = SlotSealer::new();
    let key = UnboundKey::new(&AES_256_GCM, &[0; 32]).expect("the key has the right length");
    let key = LessSafeKey::new(key);
    let mut buf = vec![0; SLOTS * SLOT];
    let mut chunk = 0;
    let mut ours = |buf: &mut [u8]| {
        writer.seal(chunk, buf);
        chunk += SLOTS as u64;
    };
    let mut nonce = 0u64;
    let mut alone = |buf: &mut [u8]| {
        for slot in buf.chunks_exact_mut(SLOT) {
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&nonce.to_be_bytes());
            nonce += 1;
            let bytes = Nonce::assume_unique_for_key(bytes);
            let text = &mut slot[..CHUNK];
            let tag = key
                .seal_in_place_separate_tag(bytes, Aad::empty(), text)
                .expect("the length is within AES-GCM's limit");
            let _ = black_box(tag);
        }
    };

    // The first rounds warm buffer and clock.
    for _ in 0..rounds.min(5) {
        speed(&mut buf, &mut ours);
        speed(&mut buf, &mut alone);
    }
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (x, y);
        if round % 2 == 0 {
            x = speed(&mut buf, &mut ours);
            y = speed(&mut buf, &mut alone);
        } else {
            y = speed(&mut buf, &mut alone);
            x = speed(&mut buf, &mut ours);
        }
        a.push(x);
        b.push(y);
        ratios.push(x / y);
    }

    let mut parts: Vec<f64> = ratios.chunks_mut(rounds / 10).map(median).collect();
    let ratio = median(&mut ratios);
    parts.sort_by(f64::total_cmp);
    let (low, high) = (parts[0], parts[parts.len() - 1]);
    let percent = |part: f64| format!("{:.1} %", part * 100.0);
    println!("sealing {SLOTS} slots of 16 KiB in a warm buffer, {rounds} rounds by turns");
    println!("  writer's loop    {:5.1} GB/s", median(&mut a));
    println!("  aws-lc-rs alone  {:5.1} GB/s", median(&mut b));
    if !measuring {
        println!("  ratio not judged: run `cargo bench`");
    } else if high - low > WIDEST {
        println!("  ratio withheld, too noisy: from {} to {}", percent(low), percent(high));
        std::process::exit(1);
    } else {
        println!("  ratio {} (target at least {})", percent(ratio), percent(TARGET));
        std::process::exit(if ratio < TARGET { 1 } else { 0 });
    }
}

/// Plaintext in GB/s.
fn speed(buf: &mut [u8], seal: &mut impl FnMut(&mut [u8])) -> f64 {
    let start = Instant::now();
    for _ in 0..PASSES {
        seal(black_box(buf));
    }
    (PASSES * SLOTS * CHUNK) as f64 / start.elapsed().as_secs_f64() / 1e9
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
