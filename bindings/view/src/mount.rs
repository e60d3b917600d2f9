//! `bulla mount`: a view for all programs of the user, without confinement.

use crate::caller;
use crate::filesystem::Requests;
use crate::hide::hide_this_process;
use crate::inside::{self, INSIDE};
use crate::recent::raise_limit;
use crate::run::{find_home, refuse_home};
use crate::serve::{Callers, Daemon};
use crate::view::View;
use crate::watch::watch;
use bulla::{Code, Error, Home, Result, Session};
use fuser::{Config, MountOption};
use rustix::mount::UnmountFlags;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

/// Threads that serve one view.
pub(crate) const THREADS: usize = 4;

/// How often it is looked whether the view is to end.
const PERIOD: Duration = Duration::from_millis(50);

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.mount_options =
        vec![MountOption::FSName("bulla".into()), MountOption::NoSuid, MountOption::NoDev];
    config.n_threads = Some(THREADS);
    config.clone_fd = true;
    config
}

/// Shows `folder` at `mountpoint`, read-only unless `writable`, until it is unmounted or this
/// process is told to end. `session` is called once others cannot read this process's memory, and
/// `ready` once the view is there.
///
/// # Errors
/// [`Code::BadArgument`] for a mountpoint in the folder itself, and for the home or a folder in it; [`Code::Unsupported`] where file
/// systems of this kind cannot be mounted, and those of `session`.
pub fn mount(
    home: &Home,
    session: impl FnOnce() -> Result<Session>,
    folder: &Path,
    mountpoint: &Path,
    writable: bool,
    ready: impl FnOnce(),
) -> Result<()> {
    hide_this_process()?;
    let found =
        |path: &Path| fs::canonicalize(path).map_err(|e| Error::io("finding the folder", e));
    let (folder, mountpoint) = (found(folder)?, found(mountpoint)?);
    if mountpoint.starts_with(&folder) || folder.starts_with(&mountpoint) {
        let why = "the view of a folder cannot be mounted in it, nor the other way round";
        return Err(Error::new(Code::BadArgument, why));
    }
    raise_limit();
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|e| Error::io("waiting for signals", e))?;
    let mut daemon = Daemon::new(session()?, home.clone(), Callers::User(OnceLock::new()));
    daemon.writable = writable;
    refuse_home(&folder, &find_home(home)?)?;
    let view = View::of(&folder, Arc::new(daemon))
        .map_err(|e| Error::io("opening the folder", e.into()))?;
    let view = Arc::new(view);
    let mut undertaker = undertaker(&mountpoint)?;
    let failed = |e| Error::new(Code::Unsupported, format!("mounting the view: {e}"));
    let session = fuser::Session::new(Requests(Arc::clone(&view)), &mountpoint, &config());
    let session = session.map_err(failed)?;
    // Before the first request.
    if let (Callers::User(there), Some(device)) =
        (&view.daemon.callers, caller::device(&mountpoint))
    {
        let _ = there.set(device);
    }
    let mounted = session.spawn().map_err(failed)?;
    if let Some(told) = &mut undertaker.stdin {
        // It watches all the same if it cannot be told.
        let _ = told.write_all(&[0]);
    }
    let (end, ended) = mpsc::channel();
    let (watched, notifier) = (Arc::clone(&view), mounted.notifier());
    let watcher = thread::spawn(move || watch(vec![(watched, notifier)], ended));
    ready();
    let served = loop {
        if mounted.guard.is_finished() {
            break mounted.join().map_err(|e| Error::io("serving the view", e));
        }
        if signals.pending().next().is_some() {
            // From sight at once; who still has a file open gets errors once this process ends.
            let hidden = rustix::mount::unmount(&mountpoint, UnmountFlags::DETACH);
            view.seal_all();
            if hidden.is_err() {
                // As another user than root, with the system's help.
                break mounted.umount_and_join().map_err(|e| Error::io("unmounting", e));
            }
            break Ok(());
        }
        thread::sleep(PERIOD);
    };
    drop(end);
    let _ = watcher.join();
    drop(undertaker.stdin.take());
    let _ = undertaker.wait();
    served
}

/// A process that unmounts the view if this one is killed. It holds no keys. It is there before
/// the view, and is told of it by a byte.
fn undertaker(mountpoint: &Path) -> Result<Child> {
    let failed = |e| Error::io("starting the watch over the mount", e);
    let mut undertaker = Command::new("/proc/self/exe")
        .args([INSIDE, inside::UNDERTAKER])
        .arg(mountpoint)
        // Its environment can be read by others, unlike this process's.
        .env_remove("BULLA_PASSPHRASE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut watching) = undertaker.stdout.take() {
        watching.read_exact(&mut [0]).map_err(failed)?;
    }
    Ok(undertaker)
}
