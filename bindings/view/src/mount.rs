//! `bulla mount`: a view for all programs of the user, without confinement.

use crate::filesystem::Requests;
use crate::inside::{self, INSIDE};
use crate::serve::{Callers, Daemon};
use crate::view::View;
use crate::watch::watch;
use bulla::{Code, Error, Home, Result, Session};
use fuser::{Config, MountOption};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

/// Threads that serve one view.
pub(crate) const THREADS: usize = 4;

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.mount_options =
        vec![MountOption::FSName("bulla".into()), MountOption::NoSuid, MountOption::NoDev];
    config.n_threads = Some(THREADS);
    config.clone_fd = true;
    config
}

/// Shows `folder` at `mountpoint`, read-only unless `writable`, until it is unmounted or this
/// process is told to end. `ready` is called once it is there.
///
/// # Errors
/// [`Code::BadArgument`] for a mountpoint in the folder itself, [`Code::Unsupported`] where file
/// systems of this kind cannot be mounted.
pub fn mount(
    home: &Home,
    session: Session,
    folder: &Path,
    mountpoint: &Path,
    writable: bool,
    ready: impl FnOnce(),
) -> Result<()> {
    let found =
        |path: &Path| fs::canonicalize(path).map_err(|e| Error::io("finding the folder", e));
    let (folder, mountpoint) = (found(folder)?, found(mountpoint)?);
    if mountpoint.starts_with(&folder) || folder.starts_with(&mountpoint) {
        let why = "the view of a folder cannot be mounted in it, nor the other way round";
        return Err(Error::new(Code::BadArgument, why));
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|e| Error::io("waiting for signals", e))?;
    let mut daemon = Daemon::new(session, home.clone(), Callers::User);
    daemon.writable = writable;
    let view = View::of(&folder, Arc::new(daemon))
        .map_err(|e| Error::io("opening the folder", e.into()))?;
    let view = Arc::new(view);
    let mut mounted = fuser::Session::new(Requests(Arc::clone(&view)), &mountpoint, &config())
        .map_err(|e| Error::new(Code::Unsupported, format!("mounting the view: {e}")))?;
    let mut undertaker = undertaker(&mountpoint)?;
    let (end, ended) = mpsc::channel();
    let (notifier, mut unmounter) = (mounted.notifier(), mounted.unmount_callable());
    let watcher = thread::spawn(move || watch(vec![(view, notifier)], ended));
    let told = signals.handle();
    let waiter = thread::spawn(move || {
        if signals.forever().next().is_some() {
            // What is still in use is unmounted once it is not.
            let _ = unmounter.unmount();
        }
    });
    ready();
    let served = mounted.run().map_err(|e| Error::io("serving the view", e));
    told.close();
    drop(end);
    let _ = (waiter.join(), watcher.join());
    drop(undertaker.stdin.take());
    let _ = undertaker.wait();
    served
}

/// A process that unmounts the view if this one is killed. It holds no keys.
fn undertaker(mountpoint: &Path) -> Result<std::process::Child> {
    Command::new("/proc/self/exe")
        .args([INSIDE, inside::UNDERTAKER])
        .arg(mountpoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|e| Error::io("starting the watch over the mount", e))
}
