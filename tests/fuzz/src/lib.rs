//! The bodies of the fuzz targets: each takes any bytes, and panics where something does not hold.
//! `fuzz/` runs them under libFuzzer, `tests/replay.rs` over the seeds in `fuzz/seeds`.
//!
//! A body gives whether its input got to where the target's checks are, so that seeds which no
//! longer do are noticed.

mod aead;
#[cfg(unix)]
mod c_abi;
mod header;
mod json;
mod keys;
mod license;
mod objects;
mod open;
mod policy;
mod tokens;
mod trail;
#[cfg(target_os = "linux")]
mod view;
mod world;
mod write;

/// One fuzz target.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of the folder with its seeds, too.
    pub name: &'static str,
    /// Its body.
    pub run: fn(&[u8]) -> bool,
}

macro_rules! targets {
    ($($(#[$cfg:meta])* $name:ident),* $(,)?) => {
        /// All targets.
        pub const TARGETS: &[Target] =
            &[$($(#[$cfg])* Target { name: stringify!($name), run: $name::run }),*];
    };
}

targets!(
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

/// As many of these as the input says, at most so many.
fn some<'a, T: arbitrary::Arbitrary<'a>>(
    u: &mut arbitrary::Unstructured<'a>,
    most: u8,
) -> arbitrary::Result<Vec<T>> {
    let count = u.int_in_range(0..=most)?;
    // Where it ends, there are no more.
    Ok((0..count).map_while(|_| (!u.is_empty()).then(|| u.arbitrary().ok())?).collect())
}

/// Runs the body of this name.
///
/// # Panics
/// If there is none, or if something does not hold.
pub fn run(name: &str, data: &[u8]) -> bool {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target's name");
    (target.run)(data)
}
