//! Standard output and standard error. A pipe that was closed or a full device is no reason to
//! panic, as `println!` would.

use bulla::{Error, Result};
use std::error::Error as _;
use std::fmt::Arguments;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// A line on standard output, formatted as by `println!`.
macro_rules! outln {
    ($($text:tt)*) => { $crate::output::line(format_args!($($text)*)) };
}

/// A line on standard error.
macro_rules! errln {
    ($($text:tt)*) => { $crate::output::complain(format_args!($($text)*)) };
}

pub(crate) use {errln, outln};

/// The first failure of [`line`].
static FAILED: Mutex<Option<Error>> = Mutex::new(None);

/// Behind `outln!`. The work goes on if it fails; [`finish`] tells.
pub fn line(text: Arguments<'_>) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = write(format_args!("{text}\n")).err();
    }
}

/// Writes to standard output at once.
pub fn write(text: Arguments<'_>) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text).and_then(|()| out.flush()).map_err(failure)
}

/// Why standard output could not be written to.
pub fn failure(e: io::Error) -> Error {
    Error::io("writing to standard output", e)
}

/// Fails if one of the lines could not be written.
pub fn finish() -> Result<()> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
}

/// Whether it failed since nobody reads the output any more: `head` has seen enough.
pub fn closed(e: &Error) -> bool {
    let source = e.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe) && is_closed()
}

/// Whether it is standard output that is closed, and no other pipe.
#[cfg(target_os = "linux")]
fn is_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let out = io::stdout();
    let mut out = [PollFd::new(&out, PollFlags::OUT)];
    let polled = poll(&mut out, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    polled.is_ok() && out[0].revents().contains(PollFlags::ERR)
}

#[cfg(not(target_os = "linux"))]
fn is_closed() -> bool {
    true
}

/// Behind `errln!`. Where this fails there is nobody to tell.
pub fn complain(text: Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}
