//! `bulla run`: a program in namespaces of its own, with views of folders that nobody else has.

use crate::caller;
use crate::confine::{Network, available};
use crate::display::{AUTHORITY, Display};
use crate::filesystem::Requests;
use crate::hide::hide_this_process;
use crate::inside::{self, MAX_DESCRIPTORS, Message, Setup, receive, send};
use crate::mount::config;
use crate::namespaces;
use crate::recent::raise_limit;
use crate::relay::Relay;
use crate::serve::{Callers, Daemon};
use crate::view::View;
use crate::watch::watch;
use bulla::{Code, Error, Home, Result, Session};
use fuser::{BackgroundSession, SessionACL};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

/// What the program must not hear of: ways to processes outside, and the keys' whereabouts.
const UNHEARD: [&str; 14] = [
    "BULLA_HOME",
    "BULLA_PASSPHRASE",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "DISPLAY",
    "GPG_AGENT_INFO",
    "OLDPWD",
    "PULSE_SERVER",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_ID",
];

/// A run.
pub struct Run {
    /// Folders that the program sees with their content. At least one.
    pub folders: Vec<PathBuf>,
    /// Its network.
    pub net: Network,
    /// Whether it has the caller's X11 display. Files then take the rights to copy and to capture.
    pub display: bool,
    /// Whether it may write in the folders, sealed.
    pub writable: bool,
    /// Whether to run where the kernel lacks a part of the confinement. It then counts as *bare*.
    pub weaker: bool,
    /// The program, and its arguments.
    pub program: OsString,
    /// The arguments.
    pub arguments: Vec<OsString>,
}

/// Runs the program and gives its exit status; 128 and the signal's number if one ended it.
/// `session` is called once the processes of the run are on their way: they have nothing of it.
///
/// # Errors
/// [`Code::Unsupported`] where this machine lacks a part of what confines it,
/// [`Code::BadArgument`] for the home or a folder in it, and those of `session`.
pub fn run(home: &Home, run: Run, session: impl FnOnce() -> Result<Session>) -> Result<u8> {
    hide_this_process()?;
    let lacking = available(&run.net).err();
    if let (Some(e), false) = (&lacking, run.weaker) {
        let why =
            format!("{e}; --allow-weaker runs without, where the policies allow bare programs");
        return Err(Error::new(Code::Unsupported, why));
    }
    if run.folders.is_empty() || run.folders.len() > MAX_DESCRIPTORS {
        let why = format!("a run has between 1 and {MAX_DESCRIPTORS} folders");
        return Err(Error::new(Code::BadArgument, why));
    }
    let folders: Vec<PathBuf> = run
        .folders
        .iter()
        .map(|folder| fs::canonicalize(folder).map_err(|e| Error::io("finding the folder", e)))
        .collect::<Result<_>>()?;
    let display = if run.display { Some(Display::of_caller()?) } else { None };
    if let Some(display) = &display {
        display.beside(&folders)?;
    }
    let callers = Callers::Run(OnceLock::new());
    let mut daemon = Daemon::new(session()?, home.clone(), callers);
    let home = find_home(home)?;
    for folder in &folders {
        refuse_home(folder, &home)?;
    }
    let setup = Setup {
        folders: folders.iter().map(|f| f.clone().into_os_string()).collect(),
        net: run.net.clone(),
        display: display.as_ref().map(|display| display.socket.clone()),
        weaker: run.weaker,
        covered: namespaces::shows(&home).then(|| home.into_os_string()),
        folder: std::env::current_dir().unwrap_or_else(|_| "/".into()).into(),
        program: run.program,
        arguments: run.arguments,
    };
    daemon.confined = lacking.is_none() && run.net == Network::None;
    daemon.writable = run.writable;
    daemon.exits.display = display.is_some();
    let daemon = Arc::new(daemon);
    let mut relay = Relay::of(&daemon)?;
    let [stdin, stdout, stderr] = relay
        .ends
        .take()
        .ok_or_else(|| Error::new(Code::Internal, "the program has no streams"))?;

    let flags = SocketFlags::CLOEXEC;
    let (here, there) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|e| Error::io("starting the run", e.into()))?;
    let mut outer = Outer(start(&setup, display.as_ref(), there, stdout, stderr)?);
    // Not the program's.
    raise_limit();
    let (Message::Mounted, devices) = receive(here.as_fd())? else { return Err(unexpected()) };
    let mut views = Vec::new();
    let mut served = Vec::new();
    for (folder, device) in folders.iter().zip(devices) {
        let view = View::of(folder, Arc::clone(&daemon))
            .map_err(|e| Error::io("opening the folder", e.into()))?;
        let view = Arc::new(view);
        let session = serve(&view, device)?;
        views.push((view, session.notifier()));
        served.push(session);
    }
    let (Message::First(first), _) = receive(here.as_fd())? else { return Err(unexpected()) };
    let Callers::Run(callers) = &daemon.callers else { return Err(unexpected()) };
    let belonging = caller::Run::of(first).ok_or_else(unexpected)?;
    let _ = callers.set(belonging);
    let (end, ended) = mpsc::channel();
    let watcher = thread::spawn(move || watch(views, ended));
    let authority = display.and_then(|display| display.authority);
    send(here.as_fd(), &Message::Go { authority }, &[stdin.as_fd()])?;
    drop(stdin);
    end_with_signals(outer.0.id())?;
    let status = outer.0.wait().map_err(|e| Error::io("waiting for the run", e))?;
    let failed = receive_rest(here);
    relay.finish();
    for session in served {
        // What the program left open is sealed before the connection ends.
        let _ = session.join();
    }
    drop(end);
    let _ = watcher.join();
    match failed {
        Some(e) => Err(e),
        None => Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(137)),
    }
}

/// Where the folder with the keys is.
pub(crate) fn find_home(home: &Home) -> Result<PathBuf> {
    fs::canonicalize(home.folder()).map_err(|e| Error::io("finding the home", e))
}

/// A view does not show the home where that lies below its folder; but it has to show its folder.
pub(crate) fn refuse_home(folder: &Path, home: &Path) -> Result<()> {
    if folder.starts_with(home) {
        let why = "this folder belongs to the home folder with the keys: there is no view of it";
        return Err(Error::new(Code::BadArgument, why));
    }
    Ok(())
}

fn unexpected() -> Error {
    Error::new(Code::Io, "the processes of the run ended before it began")
}

/// Ends the run, whatever happens to this function's caller.
struct Outer(Child);

impl Drop for Outer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(
    setup: &Setup,
    display: Option<&Display>,
    socket: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
) -> Result<Child> {
    let mut command: Command = inside::command(setup)?;
    command.stdin(Stdio::from(socket)).stdout(stdout).stderr(stderr);
    for name in UNHEARD {
        command.env_remove(name);
    }
    command.env("HOME", "/tmp").env("TMPDIR", "/tmp");
    if let Some(display) = display {
        command.env("DISPLAY", &display.name);
        if display.authority.is_some() {
            command.env("XAUTHORITY", AUTHORITY);
        }
    }
    command.spawn().map_err(|e| Error::io("starting the run", e))
}

fn serve(view: &Arc<View>, device: OwnedFd) -> Result<BackgroundSession> {
    let requests = Requests(Arc::clone(view));
    let session = fuser::Session::from_fd(requests, device, SessionACL::All, config());
    session
        .and_then(fuser::Session::spawn)
        .map_err(|e| Error::new(Code::Unsupported, format!("serving the view: {e}")))
}

/// A signal to this process ends the run.
fn end_with_signals(outer: u32) -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|e| Error::io("waiting for signals", e))?;
    thread::spawn(move || {
        if signals.forever().next().is_some()
            && let Some(pid) = i32::try_from(outer).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    Ok(())
}

/// What the run's processes said at last.
fn receive_rest(socket: OwnedFd) -> Option<Error> {
    match receive(socket.as_fd()) {
        Err(e) if e.code() != Code::Io => Some(e),
        Err(e) if e.to_string().starts_with("starting the program") => Some(e),
        _ => None,
    }
}
