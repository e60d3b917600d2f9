//! Whether comparing a secret takes the same time whatever is compared with it, after dudect
//! (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time? DATE 2017): two classes of input
//! in random order, and Welch's t-test of their times.
//!
//! The library compares one kind of secret itself: a payload's commitment, worked out from the key,
//! with the one that the file holds. Tags and wrapped keys are compared within the AEADs' crates.
//!
//! A comparison that stops at the first difference is measured too and must be seen, or the
//! machine is too noisy for an answer. Run alone: `cargo bench --bench constant_time`. As a test it
//! only proves that it runs.

use bulla::bench::commitments_equal;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// |t| above which times differ beyond doubt, as in dudect.
const DIFFERS: f64 = 10.0;
/// Comparisons in one measurement: the clock itself takes as long as a few.
const ROUNDS: usize = 32;

fn main() -> ExitCode {
    let measuring = std::env::args().any(|arg| arg == "--bench");
    let measurements = if measuring { 1_000_000 } else { 1_000 };
    let ours = most(measurements, commitments_equal);
    let leaky = most(measurements, stops_early);
    println!("commitments: |t| = {ours:.1}; one that stops early: |t| = {leaky:.1}");
    match (measuring, ours > DIFFERS, leaky > DIFFERS) {
        (false, ..) => ExitCode::SUCCESS,
        (true, false, true) => ExitCode::SUCCESS,
        (true, true, _) => {
            eprintln!("comparing commitments takes time that depends on them");
            ExitCode::FAILURE
        }
        (true, false, false) => {
            eprintln!("no answer: this machine is too noisy now to see even what stops early");
            ExitCode::FAILURE
        }
    }
}

#[inline(never)]
fn stops_early(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(*a) == black_box(*b))
}

/// The largest |t| over pairs of classes: what is equal, what differs in the first byte, in the
/// last, everywhere.
fn most(measurements: usize, equal: fn(&[u8; 32], &[u8; 32]) -> bool) -> f64 {
    let secret: [u8; 32] = std::array::from_fn(|i| (i * 37 + 11) as u8);
    let changed = |at: usize| {
        let mut other = secret;
        other[at] ^= 0x80;
        other
    };
    let all: [u8; 32] = secret.map(|byte| !byte);
    let pairs = [[secret, all], [secret, changed(0)], [changed(0), changed(31)]];
    let each = measurements / pairs.len();
    pairs.iter().map(|pair| welch(&times(each, &secret, pair, equal)).abs()).fold(0.0, f64::max)
}

/// Nanoseconds of each measurement, by class.
fn times(
    measurements: usize,
    secret: &[u8; 32],
    classes: &[[u8; 32]; 2],
    equal: fn(&[u8; 32], &[u8; 32]) -> bool,
) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let (mut random, mut other) = (0x9e37_79b9_7f4a_7c15_u64, [0; 32]);
    for _ in 0..measurements {
        // xorshift64: the order must not follow anything that the machine does in turns.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let class = (random >> 40) as usize & 1;
        // Both classes are read from the same place.
        other.copy_from_slice(black_box(&classes[class]));
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(equal(black_box(secret), black_box(&other)));
        }
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    // What took longest was interrupted.
    let mut pooled = times.concat();
    pooled.sort_by(f64::total_cmp);
    let longest = pooled[pooled.len() * 9 / 10];
    times.map(|class| class.into_iter().filter(|time| *time <= longest).collect())
}

/// Welch's t of two samples.
fn welch(samples: &[Vec<f64>; 2]) -> f64 {
    let [(a, va), (b, vb)] = samples.each_ref().map(|times| {
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    if va + vb == 0.0 { 0.0 } else { (a - b) / (va + vb).sqrt() }
}
