//! The hot paths for counting their instructions: `benches/counts.py` runs them under callgrind,
//! which counts what happens inside `hot` alone. `list` names them; a number says how often, for a
//! profiler. Without a name it proves that all of them run.

mod paths;

use paths::PATHS;

/// What is counted; the name is what callgrind looks for.
#[inline(never)]
fn hot(rounds: usize, work: &mut dyn FnMut(usize)) {
    (0..rounds).for_each(work);
}

fn run(path: &str, rounds: usize) {
    // Short ones more often, so that the loop is little of it.
    let times = if matches!(path, "read-4k" | "decide") { 50 } else { 1 };
    paths::with(path, rounds, &mut |work| hot(rounds * times, work));
}

fn main() {
    match std::env::args().nth(1).filter(|arg| !arg.starts_with('-')) {
        Some(list) if list == "list" => println!("{}", PATHS.join("\n")),
        Some(path) => {
            let rounds = std::env::args().nth(2).map(|n| n.parse().expect("a number"));
            run(&path, rounds.unwrap_or(20));
        }
        None => PATHS.iter().for_each(|path| run(path, 1)),
    }
}
