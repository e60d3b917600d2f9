//! All fuzz targets over their seeds, over what a fuzzer has found here, and over bytes by chance.

use bulla_fuzz_bodies::TARGETS;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An input of at most 1 MiB that takes longer hangs. Builds without optimization get more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Runs a body, and says whether its input got anywhere.
fn timed(name: &str, what: &str, data: &[u8]) -> bool {
    let start = Instant::now();
    let done = catch_unwind(AssertUnwindSafe(|| bulla_fuzz_bodies::run(name, data)));
    let took = start.elapsed();
    assert!(took < LONGEST, "{name}, {what}: took {took:?}");
    done.unwrap_or_else(|_| panic!("{name}, {what}"))
}

/// How many of a target's seeds must get to what it checks. Where they choose edits, most are refused
/// before, and are there for that: then those that got there when they were chosen.
fn least(name: &str, seeds: usize) -> usize {
    match name {
        "c_abi" => 50,
        "license" => 18,
        "open" => 20,
        "tokens" => 21,
        "trail" => 15,
        "view" => 58,
        _ => seeds,
    }
}

fn replay(name: &str) {
    let seeds = inputs(&fuzz().join("seeds").join(name));
    let got_there =
        seeds.iter().filter(|(path, data)| timed(name, &path.display().to_string(), data)).count();
    let (of, least) = (seeds.len(), least(name, seeds.len()));
    assert!(got_there >= least, "{got_there} of {of} seeds of {name} get there, not {least}");
    // What reads bytes as they are, with as many as are looked at within a second.
    if ["header", "keys", "objects", "policy", "tokens", "trail"].contains(&name) {
        for (path, data) in seeds.iter().filter(|(_, data)| !data.is_empty()) {
            let long: Vec<u8> = data.iter().copied().cycle().take(1 << 20).collect();
            timed(name, &format!("{}, repeated", path.display()), &long);
        }
    }
    for (path, data) in inputs(&fuzz().join("corpus").join(name)) {
        timed(name, &path.display().to_string(), &data);
    }
    let mut state = 7u64;
    for round in 0..50 {
        let data: Vec<u8> = (0..round * 20)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        timed(name, &format!("chance {round}"), &data);
    }
}

macro_rules! replays {
    ($($(#[$cfg:meta])* $name:ident),* $(,)?) => {
        $($(#[$cfg])* #[test] fn $name() { replay(stringify!($name)); })*

        /// Each target has a test here, seeds, and a target of libFuzzer's.
        #[test]
        fn no_target_is_left_out() {
            let here = BTreeSet::from([$($(#[$cfg])* stringify!($name)),*]);
            assert_eq!(here, TARGETS.iter().map(|target| target.name).collect());
            let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
            for name in here {
                assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
            }
        }
    };
}

replays!(
    aead,
    #[cfg(unix)]
    c_abi,
    header,
    keys,
    license,
    objects,
    open,
    policy,
    tokens,
    trail,
    #[cfg(target_os = "linux")]
    view,
    write,
);
