//! The kind of storage under a mount.

use super::mounts::Mounts;
use crate::policy::Storage;
use procfs_core::process::MountInfo;
use std::fs;
use std::path::{Path, PathBuf};

/// So many mounts and devices are looked at for one answer. Stacks are seldom deeper than five.
const MAX_VISITS: u32 = 64;

/// What is under the mount `id`, going by `proc`, `sys` and `dev` below `root`.
pub(super) fn under_mount(root: &Path, id: u64) -> Option<Storage> {
    let root = fs::canonicalize(root).ok()?;
    let mounts = Mounts::read(&root)?;
    let mut walk = Walk { root: &root, mounts: &mounts, visits: MAX_VISITS };
    walk.mount(&mounts.by_id(id)?)
}

/// One way down, from a mount through the layers of devices.
pub(super) struct Walk<'a> {
    /// Without links.
    pub(super) root: &'a Path,
    mounts: &'a Mounts,
    visits: u32,
}

impl Walk<'_> {
    /// Counts a step, so that a circle ends.
    pub(super) fn step(&mut self) -> Option<()> {
        self.visits = self.visits.checked_sub(1)?;
        Some(())
    }

    fn mount(&mut self, mount: &MountInfo) -> Option<Storage> {
        self.step()?;
        match mount.fs_type.as_str() {
            // The cluster file systems are on block devices, but on shared ones.
            "9p" | "afs" | "ceph" | "cifs" | "coda" | "gfs2" | "lustre" | "ncpfs" | "nfs"
            | "nfs4" | "ocfs2" | "orangefs" | "smb3" | "smbfs" => Some(Storage::Network),
            "tmpfs" | "ramfs" => Some(Storage::Fixed),
            "btrfs" => self.btrfs(mount),
            "overlay" => self.overlay(mount),
            // FUSE, except `fuseblk`, and all that is not listed: no device, no answer.
            _ => {
                let (major, minor) = mount.majmin.split_once(':')?;
                let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
                (major != 0).then(|| self.device(&format!("{major}:{minor}")))?
            }
        }
    }

    /// All devices of the file system, not only the one that the mount names.
    fn btrfs(&mut self, mount: &MountInfo) -> Option<Storage> {
        let source = mount.mount_source.as_deref()?.strip_prefix("/dev/")?;
        let dev = self.root.join("dev");
        let device = fs::canonicalize(dev.join(source)).ok()?;
        // The kernel's own name has `!` for a slash.
        let name = device.strip_prefix(&dev).ok()?.to_str()?.replace('/', "!");
        for system in entries(&self.root.join("sys/fs/btrfs"))? {
            let devices = system.join("devices");
            if devices.join(&name).exists() {
                return self.all(&entries(&devices)?);
            }
        }
        None
    }

    /// Every layer: a file may be on any of them.
    fn overlay(&mut self, mount: &MountInfo) -> Option<Storage> {
        let option = |name| mount.super_options.get(name).and_then(Option::as_deref);
        // A list given piece by piece is shown with a name for every piece.
        if mount.super_options.keys().any(|k| k.ends_with('+')) {
            return None;
        }
        // `::` stands before layers of data only.
        let layers = option("lowerdir")?.split(':').filter(|l| !l.is_empty());
        join(layers.chain(option("upperdir")).map(|layer| self.path(layer)))
    }

    /// What is under a path that a driver was given, if it is here as it was there.
    pub(super) fn path(&mut self, path: &str) -> Option<Storage> {
        // Escapes, and what is outside of this process's view, are not looked into.
        let below = path.strip_prefix('/').filter(|p| !p.contains('\\'))?;
        let here = self.root.join(below);
        if fs::canonicalize(&here).ok()? != here {
            return None;
        }
        let mount = self.mounts.holding(Path::new(path))?;
        self.mount(&mount)
    }
}

/// What a folder of the kernel holds, by name.
pub(super) fn entries(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).ok()?.take(1024) {
        paths.push(entry.ok()?.path());
    }
    paths.sort();
    Some(paths)
}

/// One kind for several parts: no part may be unknown, and one that is not built in decides.
/// Parts that can be taken away together with parts on another machine have no name.
pub(super) fn join(parts: impl Iterator<Item = Option<Storage>>) -> Option<Storage> {
    let mut all = None;
    for part in parts {
        all = match (all, part?) {
            (None | Some(Storage::Fixed), kind) => Some(kind),
            (Some(kind), Storage::Fixed) => Some(kind),
            (Some(a), b) if a == b => Some(a),
            _ => return None,
        };
    }
    all
}
