//! The world of a run: a root of its own in memory with the system's programs in it, read-only,
//! the views, a scratch, and nothing else of the machine.

use crate::display::SOCKETS;
use bulla::{Code, Error, Result};
use rustix::fs::{Mode, OFlags, StatVfsMountFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::mount::{
    mount, mount_bind, mount_bind_recursive, mount_change, mount_remount, unmount,
};
use rustix::thread::UnshareFlags;
use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Where the new root is put together. Any folder will do: it is covered for this process alone.
pub(crate) const NEW_ROOT: &str = "/tmp";

/// What of the system is shown, read-only.
const SYSTEM: [&str; 9] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt"];

/// Devices that are there.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Where programs may write what vanishes with the run.
pub(crate) const SCRATCH: [&str; 2] = ["/tmp", "/dev/shm"];

fn lacking(part: &'static str) -> impl Fn(rustix::io::Errno) -> Error {
    move |e| {
        let why = format!("this system does not let a run have {part}: {e}");
        Error::new(Code::Unsupported, why)
    }
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |e| Error::io(doing, e)
}

/// Leaves the namespaces of the machine. What is started next is the first of the pid namespace.
pub(crate) fn enter(own_network: bool) -> Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let mut flags = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    if own_network {
        flags |= UnshareFlags::NEWNET;
    }
    // SAFETY: the tables of open files and of signal handlers are not among what is left, and
    // this process has one thread.
    #[allow(unsafe_code)]
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(lacking("namespaces of its own"))?;
    let write = |path: &str, text: String| fs::write(path, text).map_err(io("mapping the user"));
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("{0} {0} 1\n", uid.as_raw()))?;
    write("/proc/self/gid_map", format!("{0} {0} 1\n", gid.as_raw()))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(lacking("mounts of its own"))
}

fn memory(at: &Path, mode: &str) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let options = CString::new(format!("mode={mode}")).expect("no zero in it");
    mount("bulla", at, "tmpfs", flags, options.as_c_str()).map_err(lacking("memory of its own"))
}

/// Whether this, without links, is in what is shown of the system.
pub(crate) fn shows(path: &Path) -> bool {
    SYSTEM.iter().any(|name| path.starts_with(Path::new("/").join(name)))
}

/// Puts the new root together, without `/proc`, and mounts a view over each folder; gives the
/// devices through which they are served. `display` is the socket of one; what is in `covered`
/// is not shown.
pub(crate) fn build(
    folders: &[PathBuf],
    display: Option<&Path>,
    covered: Option<&Path>,
) -> Result<Vec<OwnedFd>> {
    // Found before anything is covered.
    let fuse: Vec<File> = folders
        .iter()
        .map(|_| OpenOptions::new().read(true).write(true).open("/dev/fuse"))
        .collect::<std::io::Result<_>>()
        .map_err(io("opening /dev/fuse"))?;
    let display = display.map(Socket::of).transpose()?;
    let root = Path::new(NEW_ROOT);
    memory(root, "0755")?;
    for name in SYSTEM {
        show(&Path::new("/").join(name), &root.join(name))?;
    }
    if let Some(covered) = covered {
        let at = root.join(covered.strip_prefix("/").unwrap_or(covered));
        memory(&at, "0755")?;
        read_only(&at, MountFlags::NOEXEC).map_err(lacking("the folder with the keys covered"))?;
    }
    let folder = |path: PathBuf| fs::create_dir_all(path).map_err(io("making a folder"));
    folder(root.join("dev/pts"))?;
    for name in DEVICES {
        let (outside, inside) = (Path::new("/dev").join(name), root.join("dev").join(name));
        File::create(&inside).map_err(io("making a device"))?;
        mount_bind(&outside, &inside).map_err(lacking("devices"))?;
    }
    let options = c"newinstance,ptmxmode=0666,mode=0620";
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devpts", root.join("dev/pts"), "devpts", flags, options)
        .map_err(lacking("terminals of its own"))?;
    for (name, target) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        symlink(target, root.join("dev").join(name)).map_err(io("making a link"))?;
    }
    folder(root.join("proc"))?;
    for scratch in SCRATCH {
        let at = root.join(&scratch[1..]);
        folder(at.clone())?;
        memory(&at, "1777")?;
    }
    if let Some(socket) = display {
        socket.show(&root.join(&SOCKETS[1..]))?;
    }
    for (path, device) in folders.iter().zip(&fuse) {
        let at = root.join(path.strip_prefix("/").unwrap_or(path));
        folder(at.clone())?;
        view(&at, device)?;
    }
    Ok(fuse.into_iter().map(OwnedFd::from).collect())
}

/// A socket that is held while its folder is covered.
struct Socket<'a> {
    held: OwnedFd,
    name: &'a OsStr,
}

impl<'a> Socket<'a> {
    fn of(path: &'a Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| Error::io("finding the display's socket", e.into()))?;
        Ok(Socket { held, name: path.file_name().unwrap_or_default() })
    }

    /// Shows it alone in this folder: who listens elsewhere cannot be reached, and nobody can
    /// change the socket's permissions.
    fn show(&self, folder: &Path) -> Result<()> {
        fs::create_dir(folder).map_err(io("making a folder"))?;
        let inside = folder.join(self.name);
        File::create(&inside).map_err(io("making a socket"))?;
        let held = format!("/proc/self/fd/{}", self.held.as_raw_fd());
        mount_bind(held.as_str(), &inside).map_err(lacking("a display"))?;
        read_only(&inside, MountFlags::NOEXEC).map_err(lacking("a display"))
    }
}

/// Shows a folder of the system read-only, or a link as it is.
fn show(outside: &Path, inside: &Path) -> Result<()> {
    let Ok(found) = fs::symlink_metadata(outside) else { return Ok(()) };
    if found.is_symlink() {
        let target = fs::read_link(outside).map_err(io("reading a link"))?;
        return symlink(target, inside).map_err(io("making a link"));
    }
    fs::create_dir(inside).map_err(io("making a folder"))?;
    mount_bind_recursive(outside, inside).map_err(lacking("the system's folders"))?;
    match all_read_only(inside) {
        // Before Linux 5.12: only without what is mounted below, where the kernel lets that away.
        Err(rustix::io::Errno::NOSYS) => unmount(inside, UnmountFlags::DETACH)
            .and_then(|()| mount_bind(outside, inside))
            .and_then(|()| read_only(inside, MountFlags::empty())),
        done => done,
    }
    .map_err(lacking("the system's folders read-only"))
}

/// Nothing under this mount, nor under those in it, can be changed from here on.
fn all_read_only(inside: &Path) -> rustix::io::Result<()> {
    let path = CString::new(inside.as_os_str().as_bytes()).map_err(|_| rustix::io::Errno::INVAL)?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path ends with a zero, the attributes have the length that is given, and the
    // kernel reads both during the call only.
    #[allow(unsafe_code)]
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of_val(&attributes),
        )
    };
    if done == 0 {
        return Ok(());
    }
    let e = std::io::Error::last_os_error();
    Err(rustix::io::Errno::from_io_error(&e).unwrap_or(rustix::io::Errno::IO))
}

/// Nothing under this mount can be changed from here on.
fn read_only(inside: &Path, more: MountFlags) -> rustix::io::Result<()> {
    let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    flags |= more;
    // What the mount already forbids has to stay forbidden.
    let before = rustix::fs::statvfs(inside)?.f_flag;
    for (had, keep) in [
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if before.contains(had) {
            flags |= keep;
        }
    }
    mount_remount(inside, flags, c"")
}

/// Mounts a view. All processes of these namespaces may ask it, and the kernel lets no other;
/// the daemon looks at each by itself.
fn view(at: &Path, device: &File) -> Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let options = format!(
        "fd={},rootmode=40000,user_id={},group_id={},allow_other",
        device.as_raw_fd(),
        uid.as_raw(),
        gid.as_raw()
    );
    let options = CString::new(options).expect("no zero in it");
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("bulla", at, "fuse.bulla", flags, options.as_c_str())
        .map_err(lacking("a file system of its own"))
}

/// Makes the new root the only one, with the processes of the run in `/proc`.
pub(crate) fn settle() -> Result<()> {
    let root = Path::new(NEW_ROOT);
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", root.join("proc"), "proc", flags, c"").map_err(lacking("a /proc of its own"))?;
    let read_only = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    let private = lacking("a root of its own");
    std::env::set_current_dir(root).map_err(io("entering the new root"))?;
    rustix::process::pivot_root(".", ".").map_err(&private)?;
    unmount(".", UnmountFlags::DETACH).map_err(&private)?;
    std::env::set_current_dir("/").map_err(io("entering the new root"))?;
    mount_remount("/", read_only | MountFlags::BIND, c"").map_err(&private)
}
