//! `include/bulla.h` is what cbindgen makes of the sources, and the library exports what
//! `include/bulla.symbols` lists.

use std::fs;
use std::path::PathBuf;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// With `BULLA_UPDATE` set, the file is written in place of being compared.
fn compare(file: &str, made: &str) {
    let path = here().join("../../include").join(file);
    if std::env::var_os("BULLA_UPDATE").is_some() {
        fs::write(&path, made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let differs = committed.lines().zip(made.lines()).find(|(a, b)| a != b);
    assert!(
        committed == made,
        "{file} is not up to date (first difference: {differs:?}); \
         run BULLA_UPDATE=1 cargo test -p bulla-capi --test header"
    );
}

#[test]
fn the_header_is_up_to_date() {
    let config = cbindgen::Config::from_file(here().join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::generate_with_config(here(), config).unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    compare("bulla.h", &String::from_utf8(made).unwrap());
}

/// Elsewhere other tools list them.
#[cfg(target_os = "linux")]
#[test]
fn the_exported_symbols_are_listed() {
    let library = build();
    let nm = std::process::Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(&library)
        .output()
        .unwrap();
    assert!(nm.status.success(), "{}", String::from_utf8_lossy(&nm.stderr));
    let text = String::from_utf8(nm.stdout).unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|l| l.split_whitespace().nth(2)).collect();
    names.sort_unstable();
    compare("bulla.symbols", &format!("{}\n", names.join("\n")));
}

/// The shared library, built as the host's programs get it.
#[cfg(target_os = "linux")]
fn build() -> PathBuf {
    let target = target_folder();
    let status = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "bulla-capi", "--target-dir"])
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success());
    target.join("debug/libbulla.so")
}

/// Test programs lie in `target/debug/deps`.
#[cfg(target_os = "linux")]
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().to_owned()
}
