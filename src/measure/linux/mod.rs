//! Linux, by what the kernel shows under `/proc` and `/sys`.

mod block;
mod mounts;
mod program;
mod storage;
#[cfg(test)]
mod trees;

use super::addresses::Addresses;
use super::recent::Recent;
use super::{Machine, MeasuredProgram};
use crate::policy::Storage;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

pub(super) struct Linux {
    addresses: Addresses,
    hashes: program::Hashes,
    /// By mount and device. Both numbers are used again after an unmount, hence not for long.
    storage: Recent<(u64, u64), Option<Storage>>,
}

impl Default for Linux {
    fn default() -> Self {
        Linux {
            addresses: Addresses::default(),
            hashes: program::Hashes::default(),
            storage: Recent::new(Duration::from_secs(2)),
        }
    }
}

impl Machine for Linux {
    fn addresses(&self) -> Option<Vec<IpAddr>> {
        self.addresses.all(self.uptime())
    }

    fn program(&self, pid: Option<u32>) -> Option<MeasuredProgram> {
        self.hashes.program(pid)
    }

    fn storage(&self, file: &File) -> Option<Storage> {
        let key = (mounts::mount_of(file)?, file.metadata().ok()?.dev());
        self.storage.get_or(key, self.uptime(), || storage::under_mount(Path::new("/"), key.0))
    }

    /// Since the machine started, suspended time included.
    fn uptime(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_clock_is_the_kernels() {
        let before = fs::read_to_string("/proc/uptime").unwrap();
        let uptime = Linux::default().uptime().as_secs_f64();
        let before: f64 = before.split(' ').next().unwrap().parse().unwrap();
        assert!((before - 0.02..before + 60.0).contains(&uptime), "{uptime} after {before}");
    }

    /// Where the kernel says that a temporary file is on real hardware, so do we.
    #[test]
    fn storage_here() {
        let file = tempfile::tempfile().unwrap();
        let device = file.metadata().unwrap().dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let link = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}"));
        let found = Linux::default().storage(&file);
        if let Ok(path) = link
            && !path.starts_with("/sys/devices/virtual")
        {
            let usb = path.to_str().unwrap().contains("/usb");
            let kinds =
                if usb { [Storage::Removable; 2] } else { [Storage::Fixed, Storage::Removable] };
            assert!(found.is_some_and(|f| kinds.contains(&f)), "{found:?} at {path:?}");
        }
        let proc = File::open("/proc/self/status").unwrap();
        assert_eq!(Linux::default().storage(&proc), None);
    }
}
