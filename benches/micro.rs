//! How long each hot path takes: `cargo bench --bench micro`. The same that `counts` counts the
//! instructions of.

mod paths;

use divan::Bencher;
use divan::counter::BytesCount;

/// Samples of one round each, where rounds need a file of their own.
const SAMPLES: u32 = 500;

fn main() {
    divan::main();
}

#[divan::bench(args = paths::PATHS, sample_count = SAMPLES, sample_size = 1)]
fn path(bencher: Bencher<'_, '_>, path: &str) {
    let mut bencher = Some(bencher);
    // One more round than samples: the first tells divan how long it takes.
    paths::with(path, SAMPLES as usize + 1, &mut |work| {
        let (bencher, mut round) = (bencher.take().expect("once"), 0);
        let bytes: usize = match path {
            "seal-slots" | "read-1m" => 1 << 20,
            "read-4k" => 4096,
            _ => 0,
        };
        let mut next = || {
            work(round);
            round += 1;
        };
        if bytes > 0 {
            bencher.counter(BytesCount::new(bytes)).bench_local(next);
        } else {
            bencher.bench_local(&mut next);
        }
    });
}
