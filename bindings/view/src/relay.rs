//! The program's standard streams: each goes through the daemon, which passes on what may leave.

use crate::serve::Daemon;
use bulla::{Error, Result};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that are passed on at once.
const STEP: usize = 64 * 1024;

/// How often the terminal's size is looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// What a standard stream of the caller's is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Terminal,
    Nothing,
    Other,
}

/// The ends of the streams that the program gets, and what passes them on.
pub(crate) struct Relay {
    /// Standard input, output, error; taken once.
    pub(crate) ends: Option<[OwnedFd; 3]>,
    outgoing: Vec<JoinHandle<()>>,
    _terminal: Option<Raw>,
}

impl Relay {
    /// For the streams of this process.
    pub(crate) fn of(daemon: &Arc<Daemon>) -> Result<Self> {
        let io = |e: rustix::io::Errno| Error::io("preparing the program's streams", e.into());
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let here = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
        let kinds = here.map(|fd| kind(&fd));
        let copy = |i: usize| rustix::io::fcntl_dupfd_cloexec(here[i], 3).map(File::from);
        let mut outgoing = Vec::new();
        let terminal = kinds.iter().position(|kind| *kind == Stream::Terminal);
        let pty = match terminal {
            Some(i) => Some(Pty::like(&copy(i).map_err(io)?).map_err(io)?),
            None => None,
        };
        let mut raw = None;
        if let (Some(i), Some(pty)) = (terminal, &pty) {
            daemon.exits.used(true);
            let show = copy(if kinds[1] == Stream::Terminal { 1 } else { i }).map_err(io)?;
            outgoing.push(pass_out(daemon, pty.outside()?, show, true));
            if kinds[0] == Stream::Terminal {
                raw = Some(Raw::set(copy(0).map_err(io)?).map_err(io)?);
                pass_in(copy(0).map_err(io)?, pty.outside()?);
            }
            follow_size(copy(i).map_err(io)?, pty.outside()?);
        }
        let mut ends = Vec::new();
        for (i, kind) in kinds.iter().enumerate() {
            ends.push(match (kind, &pty) {
                (Stream::Terminal, Some(pty)) => pty
                    .inside
                    .try_clone()
                    .map_err(|e| Error::io("preparing the program's streams", e))?,
                (Stream::Other, _) => {
                    let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(io)?;
                    if i == 0 {
                        pass_in(copy(0).map_err(io)?, write.into());
                        read
                    } else {
                        daemon.exits.used(false);
                        outgoing.push(pass_out(daemon, read.into(), copy(i).map_err(io)?, false));
                        write
                    }
                }
                _ => rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                    .map_err(io)?,
            });
        }
        let ends = ends.try_into().ok();
        Ok(Relay { ends, outgoing, _terminal: raw })
    }

    /// Waits until all that the program wrote was passed on: its ends are closed by now.
    pub(crate) fn finish(self) {
        for thread in self.outgoing {
            let _ = thread.join();
        }
    }
}

fn kind(fd: &impl AsFd) -> Stream {
    if isatty(fd) {
        return Stream::Terminal;
    }
    let Ok(stat) = rustix::fs::fstat(fd) else { return Stream::Nothing };
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    if is_device && null == Ok(stat.st_rdev) { Stream::Nothing } else { Stream::Other }
}

/// A terminal of the program's own.
struct Pty {
    outside: File,
    inside: OwnedFd,
}

impl Pty {
    fn like(terminal: &File) -> rustix::io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let outside = openpt(flags)?;
        grantpt(&outside)?;
        unlockpt(&outside)?;
        let name = ptsname(&outside, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let inside = rustix::fs::open(name, flags, Mode::empty())?;
        tcsetattr(&inside, OptionalActions::Now, &tcgetattr(terminal)?)?;
        tcsetwinsize(&inside, tcgetwinsize(terminal)?)?;
        Ok(Pty { outside: outside.into(), inside })
    }

    fn outside(&self) -> Result<File> {
        self.outside.try_clone().map_err(|e| Error::io("preparing the program's terminal", e))
    }
}

/// The caller's terminal passes keys on as they are, until this is dropped.
struct Raw {
    terminal: File,
    before: Termios,
}

impl Raw {
    fn set(terminal: File) -> rustix::io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Raw { terminal, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// Ends with the program, or with what is typed.
fn pass_in(mut from: File, mut to: File) {
    thread::spawn(move || {
        let mut bytes = vec![0; STEP];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
    });
}

/// Asked before each part: what was written after a file was opened is held back if it may not
/// leave. Closing the pipe is how the program hears of it.
fn pass_out(daemon: &Arc<Daemon>, mut from: File, mut to: File, terminal: bool) -> JoinHandle<()> {
    let daemon = Arc::clone(daemon);
    thread::spawn(move || {
        let mut bytes = vec![0; STEP];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            if daemon.exits.open(terminal) {
                if to.write_all(&bytes[..n]).is_err() {
                    break;
                }
            } else if !terminal {
                break;
            }
        }
    })
}

fn follow_size(terminal: File, pty: File) {
    thread::spawn(move || {
        while let (Ok(here), Ok(there)) = (tcgetwinsize(&terminal), tcgetwinsize(&pty)) {
            let differs = (here.ws_row, here.ws_col) != (there.ws_row, there.ws_col);
            if differs && tcsetwinsize(&pty, here).is_err() {
                break;
            }
            thread::sleep(PERIOD);
        }
    });
}
