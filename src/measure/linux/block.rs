//! The kind of storage that a block device is.

use super::mounts::text;
use super::storage::{Walk, entries, join};
use crate::policy::Storage;
use std::fs;
use std::path::{Path, PathBuf};

/// No attribute in sysfs is longer than a page.
const MAX_ATTRIBUTE: u64 = 4096;

impl Walk<'_> {
    /// By its number, like `8:1`.
    pub(super) fn device(&mut self, number: &str) -> Option<Storage> {
        self.disk(&self.root.join("sys/dev/block").join(number))
    }

    /// Several, by their folders in sysfs or links to them.
    pub(super) fn all(&mut self, disks: &[PathBuf]) -> Option<Storage> {
        join(disks.iter().map(|disk| self.disk(disk)))
    }

    fn disk(&mut self, link: &Path) -> Option<Storage> {
        self.step()?;
        let mut disk = fs::canonicalize(link).ok()?;
        if disk.join("partition").exists() {
            disk.pop();
        }
        match attribute(&disk, "removable")?.as_str() {
            "0" => {}
            "1" => return Some(Storage::Removable),
            _ => return None,
        }
        let devices = self.root.join("sys/devices");
        let place = disk.strip_prefix(devices.join("virtual"));
        match place {
            Err(_) => self.hardware(&disk),
            Ok(place) if place.starts_with("nvme-fabrics") => self.hardware(&disk),
            Ok(place) if place.starts_with("nvme-subsystem") => self.multipath(&disk),
            Ok(_) => self.made_of_others(&disk),
        }
    }

    /// Device mapper, md, bcache (made of other devices), loop (of a file). What is made of
    /// nothing that can be seen is not known.
    fn made_of_others(&mut self, disk: &Path) -> Option<Storage> {
        if disk.join("loop").exists() {
            // Of a file that is gone the path ends in ` (deleted)`, and leads nowhere.
            return self.path(&attribute(disk, "loop/backing_file")?);
        }
        self.all(&entries(&disk.join("slaves"))?)
    }

    /// One name for what several NVMe controllers lead to.
    fn multipath(&mut self, disk: &Path) -> Option<Storage> {
        let mut controllers = entries(disk.parent()?)?;
        controllers.retain(|c| c.is_symlink() && name(c).is_some_and(|n| n.starts_with("nvme")));
        join(controllers.iter().map(|c| {
            self.step()?;
            self.hardware(&fs::canonicalize(c).ok()?)
        }))
    }

    /// Every device that the disk hangs on, up to the root of the machine.
    fn hardware(&self, disk: &Path) -> Option<Storage> {
        let devices = self.root.join("sys/devices");
        let parents = disk.ancestors().take_while(|p| **p != devices);
        // Outside of that folder nothing is hardware.
        if !disk.starts_with(&devices) {
            return None;
        }
        join(parents.map(link_of_the_chain))
    }
}

fn link_of_the_chain(device: &Path) -> Option<Storage> {
    let subsystem = fs::read_link(device.join("subsystem")).ok();
    match subsystem.as_deref().and_then(name).unwrap_or_default() {
        // Whether it sits inside of the case cannot be told reliably.
        "usb" | "firewire" | "ieee1394" | "memstick" | "pcmcia" | "thunderbolt" => {
            return Some(Storage::Removable);
        }
        // `MMC` is a chip on the board (eMMC); `SD` and its like are cards.
        "mmc" if attribute(device, "type")? != "MMC" => return Some(Storage::Removable),
        "nvme" => match attribute(device, "transport")?.as_str() {
            "pcie" | "apple-nvme" => {}
            "tcp" | "rdma" | "fc" => return Some(Storage::Network),
            _ => return None,
        },
        "rbd" => return Some(Storage::Network),
        _ => {}
    }
    // A port that leads out of the case, as the firmware tells: Thunderbolt and USB4 show as PCI.
    if attribute(device, "removable").as_deref() == Some("removable") {
        return Some(Storage::Removable);
    }
    // iSCSI; Fibre Channel and SRP.
    let remote_port = name(device).is_some_and(|n| n.starts_with("rport-"));
    if remote_port || device.join("iscsi_session").exists() {
        return Some(Storage::Network);
    }
    Some(Storage::Fixed)
}

fn attribute(device: &Path, name: &str) -> Option<String> {
    let text = text(&device.join(name), MAX_ATTRIBUTE)?;
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
