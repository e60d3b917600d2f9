//! The two processes between the daemon and the program. The *outer* one makes namespaces and
//! mounts; the *inner* one is the first process in them, confines itself, and starts the program.
//! Both are this command started anew, so that nothing of the daemon's memory is in them.

use crate::confine::{Network, confine};
use crate::display::AUTHORITY;
use crate::hide::NO_CORE;
use crate::namespaces::{self, SCRATCH};
use bulla::{Code, Error, Result};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{Resource, Signal, WaitOptions, setrlimit};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The first argument of a command that was started to be one of these processes.
pub const INSIDE: &str = "_inside";

const OUTER: &str = "outer";
const INNER: &str = "inner";
pub(crate) const UNDERTAKER: &str = "undertaker";

/// What a run is to be.
#[derive(Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) folders: Vec<OsString>,
    pub(crate) net: Network,
    /// The socket of a display.
    pub(crate) display: Option<PathBuf>,
    pub(crate) weaker: bool,
    /// The folder with the keys, where the program would see it among the system's.
    pub(crate) covered: Option<OsString>,
    pub(crate) folder: OsString,
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
}

/// Tells the daemon, or is told by it.
#[derive(Serialize, Deserialize)]
pub(crate) enum Message {
    /// The devices of the views come with it.
    Mounted,
    /// The first process of the run, as the daemon sees it.
    First(u32),
    /// The program's standard input comes with it. What lets into the display does not stand in
    /// the arguments of a process, which others can read.
    Go { authority: Option<Vec<u8>> },
    /// It cannot be done.
    Failed { code: i32, message: String },
}

/// Longest message, and most descriptors that come with one.
const MAX_MESSAGE: usize = 16 * 1024;
pub(crate) const MAX_DESCRIPTORS: usize = 64;

pub(crate) fn send(
    socket: BorrowedFd<'_>,
    message: &Message,
    with: &[BorrowedFd<'_>],
) -> Result<()> {
    let text = serde_json::to_vec(message).expect("plain data");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !with.is_empty() && !control.push(SendAncillaryMessage::ScmRights(with)) {
        return Err(Error::new(Code::BadArgument, "too many folders for one run"));
    }
    sendmsg(socket, &[IoSlice::new(&text)], &mut control, SendFlags::NOSIGNAL)
        .map(drop)
        .map_err(|e| Error::io("talking to the run's processes", e.into()))
}

pub(crate) fn receive(socket: BorrowedFd<'_>) -> Result<(Message, Vec<OwnedFd>)> {
    let mut text = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got =
        recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut control, RecvFlags::CMSG_CLOEXEC)
            .map_err(|e| Error::io("talking to the run's processes", e.into()))?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    let message = serde_json::from_slice(&text[..got.bytes])
        .map_err(|_| Error::new(Code::Io, "the processes of the run ended before it began"))?;
    match message {
        Message::Failed { code, message } => {
            let code = Code::ALL.iter().find(|c| c.number() == code);
            Err(Error::new(code.copied().unwrap_or(Code::Internal), message))
        }
        message => Ok((message, descriptors)),
    }
}

/// Does the work of such a process. Gives its exit status.
pub fn inside(arguments: &[OsString]) -> u8 {
    let stdin = std::io::stdin();
    let done = match arguments {
        [role, mountpoint] if role == UNDERTAKER => return undertake(Path::new(mountpoint)),
        [role, setup] if role == OUTER => outer(stdin.as_fd(), setup),
        [role, setup] if role == INNER => inner(stdin.as_fd(), setup),
        _ => return 2,
    };
    done.unwrap_or_else(|e| {
        let message = Message::Failed { code: e.code().number(), message: e.to_string() };
        let _ = send(stdin.as_fd(), &message, &[]);
        1
    })
}

/// The command of the outer process.
pub(crate) fn command(setup: &Setup) -> Result<Command> {
    let setup = serde_json::to_string(setup).map_err(|_| {
        Error::new(Code::BadArgument, "the program's arguments cannot be passed on")
    })?;
    let mut command = Command::new("/proc/self/exe");
    command.args([INSIDE, OUTER, &setup]);
    Ok(command)
}

fn parse(setup: &OsString) -> Result<Setup> {
    let bad = || Error::new(Code::BadArgument, "not to be called by hand");
    serde_json::from_str(setup.to_str().ok_or_else(bad)?).map_err(|_| bad())
}

/// Ends with the process that started this one.
fn die_with_parent() -> Result<()> {
    let signal = Some(Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal)
        .map_err(|e| Error::io("tying the run to this process", e.into()))
}

/// What the caller left open goes no further.
fn close_inherited() -> Result<()> {
    // SAFETY: nothing is closed now, and what is closed at the next program is that program's
    // loss alone.
    #[allow(unsafe_code)]
    let done =
        unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return Ok(());
    }
    Err(Error::io("closing inherited files", std::io::Error::last_os_error()))
}

fn outer(socket: BorrowedFd<'_>, setup: &OsString) -> Result<u8> {
    let io = |e| Error::io("starting the run's first process", e);
    die_with_parent()?;
    close_inherited()?;
    let text = setup;
    let setup = parse(text)?;
    namespaces::enter(setup.net == Network::None)?;
    let folders: Vec<PathBuf> = setup.folders.iter().map(PathBuf::from).collect();
    let covered = setup.covered.as_deref().map(Path::new);
    let devices = namespaces::build(&folders, setup.display.as_deref(), covered)?;
    let borrowed: Vec<_> = devices.iter().map(AsFd::as_fd).collect();
    send(socket, &Message::Mounted, &borrowed)?;
    drop(devices);
    keep_privileges()?;
    let mut first = Command::new("/proc/self/exe")
        .args([INSIDE.as_ref(), INNER.as_ref(), text.as_os_str()])
        .stdin(socket.try_clone_to_owned().map_err(io)?)
        .spawn()
        .map_err(io)?;
    send(socket, &Message::First(first.id()), &[])?;
    let status = first.wait().map_err(io)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(137))
}

fn inner(socket: BorrowedFd<'_>, setup: &OsString) -> Result<u8> {
    die_with_parent()?;
    let setup = parse(setup)?;
    namespaces::settle()?;
    let (Message::Go { authority }, mut stdin) = receive(socket)? else {
        return Err(Error::new(Code::Internal, "an unexpected message"));
    };
    let stdin = stdin.pop().ok_or_else(|| Error::new(Code::Internal, "no standard input"))?;
    if let Some(authority) = authority {
        write_authority(&authority)?;
    }
    take_terminal(&stdin);
    setrlimit(Resource::Core, NO_CORE).map_err(|e| Error::io("forbidding core dumps", e.into()))?;
    let folders: Vec<PathBuf> = setup.folders.iter().map(PathBuf::from).collect();
    // Where the caller is, if that is there in the new root.
    let start = [Path::new(&setup.folder), &folders[0]];
    let entered = std::env::set_current_dir(start[0]);
    entered
        .or_else(|_| std::env::set_current_dir(start[1]))
        .map_err(|e| Error::io("entering the folder", e))?;
    drop_privileges()?;
    let writable: Vec<_> = folders.into_iter().chain(SCRATCH.map(PathBuf::from)).collect();
    confine(&writable, &setup.net, setup.weaker)?;
    let program = Command::new(&setup.program)
        .args(&setup.arguments)
        .stdin(Stdio::from(stdin))
        .spawn()
        .map_err(|e| Error::io("starting the program", e))?;
    wait_for(program.id())
}

/// For the user alone, in the run's memory.
fn write_authority(authority: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(AUTHORITY);
    made.and_then(|mut file| file.write_all(authority))
        .map_err(|e| Error::io("writing the display's cookie", e))
}

/// The terminal becomes this session's own, if one of the streams is one.
fn take_terminal(stdin: &OwnedFd) {
    if rustix::process::setsid().is_err() {
        return;
    }
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    for stream in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
        if rustix::process::ioctl_tiocsctty(stream).is_ok() {
            return;
        }
    }
}

/// What this process may do in its namespaces, the next one may, too: a user other than root would
/// lose it there.
fn keep_privileges() -> Result<()> {
    use rustix::thread::{
        CapabilitySet, CapabilitySets, capabilities, configure_capability_in_ambient_set,
        set_capabilities,
    };
    let io = |e: rustix::io::Errno| Error::io("keeping privileges", e.into());
    let now = capabilities(None).map_err(io)?;
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETPCAP;
    set_capabilities(None, CapabilitySets { inheritable: needed, ..now }).map_err(io)?;
    for capability in needed.iter() {
        configure_capability_in_ambient_set(capability, true).map_err(io)?;
    }
    Ok(())
}

/// Whoever this process is in its namespaces, it can do nothing more than the user there.
fn drop_privileges() -> Result<()> {
    use rustix::thread::{
        CapabilitiesSecureBits as Bits, CapabilitySet, CapabilitySets,
        remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
        set_no_new_privs,
    };
    let io = |e: rustix::io::Errno| Error::io("dropping privileges", e.into());
    let bits = Bits::NO_ROOT
        | Bits::NO_ROOT_LOCKED
        | Bits::NO_SETUID_FIXUP
        | Bits::NO_SETUID_FIXUP_LOCKED
        | Bits::KEEP_CAPS_LOCKED
        | Bits::NO_CAP_AMBIENT_RAISE
        | Bits::NO_CAP_AMBIENT_RAISE_LOCKED;
    set_capabilities_secure_bits(bits).map_err(io)?;
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            // One that this kernel does not know.
            Err(rustix::io::Errno::INVAL) | Ok(()) => {}
            Err(e) => return Err(io(e)),
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(io)?;
    set_no_new_privs(true).map_err(io)
}

/// Waits for the program, and for orphans meanwhile. With it, all that it has started ends.
fn wait_for(program: u32) -> Result<u8> {
    loop {
        let ended = rustix::process::wait(WaitOptions::empty())
            .map_err(|e| Error::io("waiting for the program", e.into()))?;
        let Some((pid, status)) = ended else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() != program {
            continue;
        }
        if let Some(status) = status.exit_status() {
            return Ok(u8::try_from(status).unwrap_or(255));
        }
        if let Some(signal) = status.terminating_signal() {
            return Ok(u8::try_from(128 + signal).unwrap_or(255));
        }
    }
}

/// Waits until the process that serves a mount is gone, and unmounts what it left.
fn undertake(mountpoint: &Path) -> u8 {
    // Away from the folders that somebody may want to unmount, and from the caller's terminal.
    let _ = (std::env::set_current_dir("/"), rustix::process::setsid());
    let device = || std::fs::metadata(mountpoint).map(|m| m.dev());
    let before = device();
    if std::io::stdout().write_all(&[0]).and_then(|()| std::io::stdout().flush()).is_err() {
        return 1;
    }
    let mut ours = None;
    let mut mounted = [0];
    while std::io::stdin().read(&mut mounted).is_ok_and(|n| n > 0) {
        ours = Some(device());
    }
    // A process that ends by itself has unmounted before it says so. One that was killed may not
    // have come to say that it mounted.
    let left = match (device(), ours) {
        (Ok(now), Some(Ok(ours))) => now == ours,
        (Ok(now), None) => before.is_ok_and(|before| now != before),
        (Err(e), _) => matches!(e.raw_os_error(), Some(libc::ENOTCONN | libc::ECONNABORTED)),
        (Ok(_), Some(Err(_))) => false,
    };
    if !left {
        return 0;
    }
    let flags = rustix::mount::UnmountFlags::DETACH;
    if rustix::mount::unmount(mountpoint, flags).is_ok() {
        return 0;
    }
    let unmounted = Command::new("fusermount3").arg("-uzq").arg(mountpoint).status();
    u8::from(!unmounted.is_ok_and(|status| status.success()))
}
