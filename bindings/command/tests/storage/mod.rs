//! The command under a tracer that counts what it does to its files, and makes one of these
//! operations go wrong: see `tracer.c`.

// Each test file uses another part of it.
#![allow(dead_code)]

use super::office::{Done, finish};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub mod scenes;

/// One operation on a file or folder below the traced folder.
#[derive(Clone, Debug)]
pub struct Operation {
    /// From 1; 0 or less: interrupted, and not counted.
    pub number: i64,
    /// The system call.
    pub name: String,
    /// What it gave, or minus the error.
    pub result: i64,
    /// What it was about, as it was before; of `open` and `link` what they gave a name or handle.
    pub inode: u64,
    /// Of reads and writes: where they began.
    pub offset: i64,
    /// Of `open` its flags, of `ftruncate` the length, of `fchmod` the mode.
    pub flags: i64,
    pub path: PathBuf,
    pub other: PathBuf,
    /// Whether the path was there before.
    pub existed: bool,
    /// Of writes: the bytes, where they were kept.
    pub data: Vec<u8>,
}

impl Operation {
    /// Whether it changes what a file holds.
    pub fn writes(&self) -> bool {
        let names =
            ["write", "pwrite", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"];
        names.contains(&&*self.name)
    }

    pub fn reads(&self) -> bool {
        ["read", "pread", "readv", "preadv", "preadv2"].contains(&&*self.name)
    }

    /// Whether it can fail because no space is left.
    pub fn takes_space(&self) -> bool {
        let names = ["fsync", "fdatasync", "syncfs", "mkdir", "mkdirat"];
        let named = ["link", "rename"].iter().any(|name| self.name.starts_with(name));
        self.writes() || named || names.contains(&&*self.name) || self.opens_new()
    }

    /// Whether it opens a file that has no name, or was not there.
    pub fn opens_new(&self) -> bool {
        const O_CREAT: i64 = 0o100;
        const TMPFILE: i64 = 0o20_000_000;
        self.name.starts_with("open") && self.flags & (O_CREAT | TMPFILE) != 0
    }

    /// Whether it changes anything on the disk, or makes it last.
    pub fn changes(&self) -> bool {
        self.takes_space() || ["unlink", "unlinkat", "ftruncate"].contains(&&*self.name)
    }
}

/// A command that ran under the tracer.
pub struct Traced {
    pub done: Done,
    pub operations: Vec<Operation>,
}

/// Runs `command`, counting what it does below its folder, with these options of the tracer.
pub fn traced(command: &Command, options: &[&str], keep: bool) -> Traced {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let scratch = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
    let log = Path::new(scratch).join(format!("bulla-traced-{run}.log"));
    let data = log.with_extension("data");
    let folder = command.get_current_dir().expect("a folder");
    let mut tracer = Command::new(tracer());
    tracer.current_dir(folder).arg("--under").arg(folder).arg("--log").arg(&log);
    if keep {
        tracer.arg("--data").arg(&data);
    }
    tracer.args(options).arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => tracer.env(name, value),
            None => tracer.env_remove(name),
        };
    }
    let done = finish(tracer, b"");
    let text = fs::read_to_string(&log).expect("the tracer's log");
    let bytes = if keep { fs::read(&data).expect("what was written") } else { Vec::new() };
    let _ = (fs::remove_file(&log), fs::remove_file(&data));
    let mut rest = keep.then_some(&bytes[..]);
    let operations = text.lines().map(|line| operation(line, &mut rest)).collect();
    assert!(rest.is_none_or(<[u8]>::is_empty), "more was kept than the log says");
    Traced { done, operations }
}

/// One line of the log, and the bytes that belong to it where bytes were kept.
fn operation(line: &str, bytes: &mut Option<&[u8]>) -> Operation {
    let parts: Vec<&str> = line.split('\t').collect();
    let [number, name, result, inode, offset, flags, path, other, existed] = parts[..] else {
        panic!("not a line of the log: {line}");
    };
    let integer = |text: &str| text.parse::<i64>().expect("an integer");
    let mut operation = Operation {
        number: integer(number),
        name: name.into(),
        result: integer(result),
        inode: inode.parse().expect("an integer"),
        offset: integer(offset),
        flags: integer(flags),
        path: path.into(),
        other: other.into(),
        existed: existed == "1",
        data: Vec::new(),
    };
    if let Some(kept) = bytes
        && operation.writes()
        && operation.result > 0
    {
        let (own, rest) = kept.split_at(operation.result as usize);
        (operation.data, *kept) = (own.to_vec(), rest);
    }
    operation
}

/// The tracer, built once.
fn tracer() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/storage/tracer.c");
        let new = folder.join(format!("tracer-{}", std::process::id()));
        let flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o"];
        let built = Command::new("cc").args(flags).arg(&new).arg(source).status();
        let built = built.expect("cc is not installed, and these tests build a tracer with it");
        assert!(built.success(), "the tracer does not build");
        // Other tests may build it at the same time.
        let named = folder.join("tracer");
        fs::rename(&new, &named).expect("naming the tracer");
        named
    })
}

/// Whether everything is to be tried, which takes many minutes, and not only what CI has time for.
pub fn all() -> bool {
    std::env::var_os("BULLA_TEST_ALL").is_some()
}
