//! What all commands share: the home, secrets with their passphrases, arguments that name keys or
//! files, results as text or JSON, progress.

use crate::output::{self, outln};
use bulla::{
    Code, Error, Existing, Home, Host, Identity, OutputFile, Passphrase, PublicIdentity, Result,
    RootKey, Session, read_lines,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

/// Longest policy, template, list or team that is read from a file.
const MAX_FILE: u64 = 8 << 20;

pub struct Context {
    pub home: Home,
    pub json: bool,
}

impl Context {
    pub fn new(home: Option<PathBuf>, json: bool) -> Result<Self> {
        let home = home.map_or_else(Home::default_folder, |dir| Ok(Home::at(dir)))?;
        Ok(Context { home, json })
    }

    pub fn identity(&self) -> Result<Identity> {
        with_passphrase(|p| self.home.identity(p))
    }

    pub fn root_key(&self) -> Result<RootKey> {
        with_passphrase(|p| self.home.root_key(p))
    }

    pub fn session(&self, host: Host) -> Result<Session> {
        Session::start(&self.home, self.identity()?, host)
    }

    /// Prints a result: `text` for people, `value` for machines.
    pub fn print(&self, text: &str, value: Value) {
        if self.json { outln!("{value}") } else { outln!("{text}") }
    }

    /// The same, unless the command's output went to standard output.
    pub fn print_beside(&self, output: &Path, text: &str, value: Value) {
        if output != Path::new("-") {
            self.print(text, value);
        }
    }
}

/// Asks for the passphrase only where one is needed.
fn with_passphrase<T>(get: impl Fn(Option<&Passphrase>) -> Result<T>) -> Result<T> {
    match get(None) {
        Err(e) if e.code() == Code::Passphrase => get(Some(&passphrase("Passphrase: ")?)),
        other => other,
    }
}

/// From `$BULLA_PASSPHRASE`, else asked for on the terminal.
pub fn passphrase(prompt: &str) -> Result<Passphrase> {
    if let Some(set) = std::env::var_os("BULLA_PASSPHRASE") {
        let text = set.into_string();
        let text =
            text.map_err(|_| Error::new(Code::BadArgument, "BULLA_PASSPHRASE is no text"))?;
        return Ok(Passphrase::new(text));
    }
    if !std::io::stdin().is_terminal() {
        let why = "a passphrase is needed: run this on a terminal or set BULLA_PASSPHRASE";
        return Err(Error::new(Code::Passphrase, why));
    }
    rpassword::prompt_password(prompt)
        .map(Passphrase::new)
        .map_err(|e| Error::io("reading the passphrase", e))
}

/// Public lines, each given as such or as a file of lines (a team).
pub fn public_lines(args: &[String]) -> Result<Vec<PublicIdentity>> {
    let mut lines = Vec::new();
    for arg in args {
        if arg.starts_with("bulla-") && arg.contains(':') {
            lines.push(arg.parse()?);
        } else {
            let found = read_lines(&text_file(Path::new(arg))?);
            lines.extend(found.map_err(|e| e.context(arg))?);
        }
    }
    Ok(lines)
}

pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let io = |e| Error::io(&path.display().to_string(), e);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_FILE {
        let why = format!("{}: too long for what it should be", path.display());
        return Err(Error::new(Code::BadArgument, why));
    }
    Ok(bytes)
}

pub fn text_file(path: &Path) -> Result<String> {
    String::from_utf8(read_file(path)?)
        .map_err(|_| Error::new(Code::BadArgument, format!("{}: not text", path.display())))
}

/// Writes a small result, or prints it for `-`.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    if path == Path::new("-") {
        return output::write(format_args!("{text}"));
    }
    let mut file = OutputFile::create(path, Existing::Replace)?;
    file.write_all(text.as_bytes()).map_err(|e| Error::io(&path.display().to_string(), e))?;
    file.finish()
}

pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

/// A time for people, in UTC.
pub fn time(seconds: u64) -> String {
    let time = std::time::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    // The library cannot write years of more than four digits.
    match time {
        Some(time) if seconds < 253_402_300_800 => {
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => format!("{seconds} s"),
    }
}

/// A duration such as `12h` or `90d`, in seconds.
pub fn duration(text: &str) -> std::result::Result<u64, String> {
    let d = humantime::parse_duration(text).map_err(|e| format!("{e}; try 12h or 90d"))?;
    if d.as_secs() == 0 { Err("a duration of at least a second".into()) } else { Ok(d.as_secs()) }
}

/// A time such as `2026-11-27T08:00:00+09:00`, in Unix seconds.
pub fn instant(text: &str) -> std::result::Result<u64, String> {
    let wrong = "a time like 2026-11-27T08:00:00+09:00, with its offset";
    let time: jiff::Timestamp = text.parse().map_err(|_| wrong)?;
    u64::try_from(time.as_second()).map_err(|_| wrong.into())
}

/// A bar on a terminal for work that takes over a second; nothing in a pipe.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: Once,
}

impl Progress {
    pub fn new(bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        let style = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        Progress { bar, started: Instant::now(), shown: Once::new() }
    }

    pub fn add(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.started.elapsed() > Duration::from_secs(1) {
            // Draws only if standard error is a terminal.
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// For work that tells how far it is with one file.
    pub fn with_file(&self) -> impl FnMut(u64) -> Result<()> + '_ {
        let mut before = 0;
        move |done| {
            self.add(done - before);
            before = done;
            Ok(())
        }
    }

    pub fn reader<'a, R: Read>(&'a self, inner: R) -> ProgressReader<'a, R> {
        ProgressReader { inner, progress: self }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// As many threads as were asked for, else one a core.
pub fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    // Asked of the system once: it looks into several files for that.
    static CORES: LazyLock<NonZeroUsize> =
        LazyLock::new(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    asked.unwrap_or_else(|| *CORES)
}

/// Standard input without a buffer.
pub fn standard_input() -> Result<File> {
    let own = own(&std::io::stdin()).map_err(|e| Error::io("opening standard input", e))?;
    widen(&own);
    Ok(own)
}

/// Standard output without the buffer and its search for ends of lines.
pub fn standard_output() -> Result<File> {
    let own = own(&std::io::stdout()).map_err(|e| Error::io("opening standard output", e))?;
    widen(&own);
    Ok(own)
}

#[cfg(unix)]
fn own(stream: &impl std::os::fd::AsFd) -> std::io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn own(stream: &impl std::os::windows::io::AsHandle) -> std::io::Result<File> {
    stream.as_handle().try_clone_to_owned().map(File::from)
}

/// Lets a pipe hold a megabyte, where it is one and may: whoever is at the other end then waits less
/// often.
#[cfg(target_os = "linux")]
fn widen(file: &File) {
    let _ = rustix::pipe::fcntl_setpipe_size(file, 1 << 20);
}

#[cfg(not(target_os = "linux"))]
fn widen(_file: &File) {}

/// Counts what is read through it.
pub struct ProgressReader<'a, R> {
    inner: R,
    progress: &'a Progress,
}

impl<R: Read> Read for ProgressReader<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buf).inspect(|n| self.progress.add(*n as u64))
    }

    fn read_vectored(&mut self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
        self.inner.read_vectored(bufs).inspect(|n| self.progress.add(*n as u64))
    }
}
