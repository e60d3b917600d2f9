//! Storage on made-up machines: small copies of `proc`, `sys` and `dev`.

use super::storage::under_mount;
use crate::policy::Storage::{self, Fixed, Network, Removable};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const SATA: &str = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
const USB: &str = "pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host1/target1:0:0/1:0:0:0/block/sdb";
const NVME: &str = "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0/nvme0n1";

struct Tree {
    folder: tempfile::TempDir,
    mounts: String,
}

impl Tree {
    fn new() -> Self {
        Tree { folder: tempfile::tempdir().unwrap(), mounts: String::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn file(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        symlink(self.path(to), self.path(path)).unwrap();
    }

    fn folder(&self, path: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
    }

    /// A whole disk at `place` below sys/devices.
    fn disk(&self, number: &str, place: &str, removable: &str) {
        self.file(&format!("sys/devices/{place}/removable"), removable);
        self.folder(&format!("sys/devices/{place}/slaves"));
        self.link(&format!("sys/dev/block/{number}"), &format!("sys/devices/{place}"));
    }

    fn partition(&self, number: &str, place: &str, name: &str) {
        self.file(&format!("sys/devices/{place}/{name}/partition"), "1\n");
        self.link(&format!("sys/dev/block/{number}"), &format!("sys/devices/{place}/{name}"));
    }

    fn slave(&self, of: &str, name: &str, place: &str) {
        self.link(&format!("sys/devices/{of}/slaves/{name}"), &format!("sys/devices/{place}"));
    }

    fn bus(&self, device: &str, subsystem: &str) {
        self.link(&format!("sys/devices/{device}/subsystem"), &format!("sys/bus/{subsystem}"));
    }

    /// A disk in the case with one partition, 8:1.
    fn sata(&self) {
        self.disk("8:0", SATA, "0\n");
        self.partition("8:1", SATA, "sda1");
        self.bus("pci0000:00/0000:00:17.0", "pci");
        self.bus("pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0", "scsi");
    }

    /// A disk at a USB port with one partition, 8:17.
    fn usb(&self, removable: &str) {
        self.disk("8:16", USB, removable);
        self.partition("8:17", USB, "sdb1");
        self.bus("pci0000:00/0000:00:14.0/usb2/2-3", "usb");
        self.bus("pci0000:00/0000:00:14.0/usb2/2-3/2-3:1.0/host1/target1:0:0/1:0:0:0", "scsi");
    }

    fn mount(&mut self, id: u64, number: &str, point: &str, rest: &str) {
        self.mounts += &format!("{id} 1 {number} / {point} rw,relatime shared:1 - {rest}\n");
    }

    fn kind(&self, id: u64) -> Option<Storage> {
        self.file("proc/self/mountinfo", &self.mounts);
        under_mount(self.folder.path(), id)
    }

    /// What a file system on this one device is on.
    fn on(&mut self, number: &str) -> Option<Storage> {
        self.mount(7, number, "/", "ext4 /dev/any rw");
        self.kind(7)
    }
}

#[test]
fn disks_in_the_case() {
    let mut tree = Tree::new();
    tree.sata();
    assert_eq!(tree.on("8:1"), Some(Fixed));
    tree.mount(8, "8:0", "/whole", "xfs /dev/sda rw");
    assert_eq!(tree.kind(8), Some(Fixed));
    assert_eq!(tree.kind(9), None, "no such mount");
    tree.mount(9, "8:2", "/missing", "xfs /dev/sda2 rw");
    assert_eq!(tree.kind(9), None, "no such device");
    // Where the device is known, the file system need not be.
    tree.mount(10, "8:1", "/new", "newfs /dev/sda1 rw");
    assert_eq!(tree.kind(10), Some(Fixed));
}

#[test]
fn a_disk_that_does_not_say_is_unknown() {
    for said in ["", "2\n", "yes\n"] {
        let mut tree = Tree::new();
        tree.disk("8:0", SATA, said);
        assert_eq!(tree.on("8:0"), None, "{said:?}");
    }
    let mut tree = Tree::new();
    tree.partition("8:1", SATA, "sda1");
    assert_eq!(tree.on("8:1"), None);
}

#[test]
fn nvme() {
    for (transport, kind) in [
        ("pcie\n", Some(Fixed)),
        ("tcp\n", Some(Network)),
        ("rdma\n", Some(Network)),
        ("loop\n", None),
    ] {
        let mut tree = Tree::new();
        tree.disk("259:0", NVME, "0\n");
        tree.partition("259:1", NVME, "nvme0n1p1");
        tree.bus("pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0", "nvme");
        tree.file(
            "sys/devices/pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0/transport",
            transport,
        );
        assert_eq!(tree.on("259:1"), kind, "{transport}");
    }
}

#[test]
fn nvme_by_several_paths() {
    let mut tree = Tree::new();
    let subsystem = "virtual/nvme-subsystem/nvme-subsys0";
    let controller = "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0";
    tree.disk("259:0", &format!("{subsystem}/nvme0n1"), "0\n");
    tree.bus(subsystem, "nvme-subsystem");
    assert_eq!(tree.on("259:0"), None, "no controller");
    tree.bus(controller, "nvme");
    tree.file(&format!("sys/devices/{controller}/transport"), "pcie\n");
    tree.link(&format!("sys/devices/{subsystem}/nvme0"), &format!("sys/devices/{controller}"));
    assert_eq!(tree.kind(7), Some(Fixed));

    let remote = "virtual/nvme-fabrics/ctl/nvme1";
    tree.bus(remote, "nvme");
    tree.file(&format!("sys/devices/{remote}/transport"), "tcp\n");
    tree.link(&format!("sys/devices/{subsystem}/nvme1"), &format!("sys/devices/{remote}"));
    assert_eq!(tree.kind(7), Some(Network));
    tree.disk("259:1", &format!("{remote}/nvme1n1"), "0\n");
    tree.mount(8, "259:1", "/remote", "ext4 /dev/nvme1n1 rw");
    assert_eq!(tree.kind(8), Some(Network));
}

#[test]
fn usb() {
    for removable in ["1\n", "0\n"] {
        let mut tree = Tree::new();
        tree.usb(removable);
        assert_eq!(tree.on("8:17"), Some(Removable), "{removable}");
        tree.mount(8, "8:17", "/ntfs", "fuseblk /dev/sdb1 rw");
        assert_eq!(tree.kind(8), Some(Removable));
    }
}

#[test]
fn cards_and_chips() {
    for (kind, expected) in [
        ("SD\n", Some(Removable)),
        ("MMC\n", Some(Fixed)),
        ("SDcombo\n", Some(Removable)),
        ("", Some(Removable)),
    ] {
        let mut tree = Tree::new();
        let card = "pci0000:00/0000:00:1a.0/mmc_host/mmc0/mmc0:aaaa";
        tree.disk("179:0", &format!("{card}/block/mmcblk0"), "0\n");
        tree.bus(card, "mmc");
        tree.file(&format!("sys/devices/{card}/type"), kind);
        assert_eq!(tree.on("179:0"), expected, "{kind}");
        fs::remove_file(tree.path(&format!("sys/devices/{card}/type"))).unwrap();
        assert_eq!(tree.kind(7), None);
    }
}

#[test]
fn ports_out_of_the_case() {
    for (said, kind) in [("removable\n", Removable), ("fixed\n", Fixed), ("unknown\n", Fixed)] {
        let mut tree = Tree::new();
        tree.disk("259:0", NVME, "0\n");
        tree.bus("pci0000:00/0000:00:1d.0/0000:3d:00.0", "pci");
        tree.file("sys/devices/pci0000:00/0000:00:1d.0/0000:3d:00.0/removable", said);
        assert_eq!(tree.on("259:0"), Some(kind), "{said}");
    }
}

#[test]
fn disks_of_other_machines() {
    let mut tree = Tree::new();
    tree.disk("8:32", "platform/host2/session1/target2:0:0/2:0:0:0/block/sdc", "0\n");
    tree.folder("sys/devices/platform/host2/session1/iscsi_session/session1");
    assert_eq!(tree.on("8:32"), Some(Network));
    tree.disk(
        "8:48",
        "pci0000:00/0000:05:00.0/host3/rport-3:0-1/target3:0:0/3:0:0:0/block/sdd",
        "0\n",
    );
    tree.mount(8, "8:48", "/san", "ext4 /dev/sdd rw");
    assert_eq!(tree.kind(8), Some(Network));
    tree.disk("252:0", "rbd/0/block/rbd0", "0\n");
    tree.bus("rbd/0", "rbd");
    tree.mount(9, "252:0", "/rbd", "ext4 /dev/rbd0 rw");
    assert_eq!(tree.kind(9), Some(Network));
    // What is at the other end of it may be anything.
    tree.disk("43:0", "virtual/block/nbd0", "0\n");
    tree.mount(10, "43:0", "/nbd", "ext4 /dev/nbd0 rw");
    assert_eq!(tree.kind(10), None);
}

#[test]
fn device_mapper_and_md() {
    let mut tree = Tree::new();
    tree.sata();
    tree.usb("0\n");
    let (crypt, raid) = ("virtual/block/dm-0", "virtual/block/md0");
    tree.disk("253:0", crypt, "0\n");
    assert_eq!(tree.on("253:0"), None, "made of nothing");
    tree.slave(crypt, "sdb1", &format!("{USB}/sdb1"));
    assert_eq!(tree.kind(7), Some(Removable), "dm-crypt on USB");

    tree.disk("9:0", raid, "0\n");
    tree.slave(raid, "sda1", &format!("{SATA}/sda1"));
    tree.mount(8, "9:0", "/raid", "ext4 /dev/md0 rw");
    assert_eq!(tree.kind(8), Some(Fixed), "md over SATA");
    tree.slave(raid, "dm-0", crypt);
    assert_eq!(tree.kind(8), Some(Removable), "one of two");
    tree.disk("252:0", "rbd/0/block/rbd0", "0\n");
    tree.bus("rbd/0", "rbd");
    tree.slave(raid, "rbd0", "rbd/0/block/rbd0");
    assert_eq!(tree.kind(8), None, "both removable and remote");
}

#[test]
fn circles_end() {
    let mut tree = Tree::new();
    for (a, b) in [("dm-0", "dm-1"), ("dm-1", "dm-0")] {
        let (number, place) = (a.replace("dm-", "253:"), format!("virtual/block/{a}"));
        tree.disk(&number, &place, "0\n");
        tree.slave(&place, b, &format!("virtual/block/{b}"));
        tree.slave(&place, a, &place);
    }
    assert_eq!(tree.on("253:0"), None);
}

#[test]
fn loops() {
    let mut tree = Tree::new();
    tree.sata();
    tree.usb("1\n");
    tree.mount(1, "8:1", "/", "ext4 /dev/sda1 rw");
    tree.mount(2, "8:17", "/media/My\\040Stick", "vfat /dev/sdb1 rw");
    tree.mount(3, "0:50", "/srv", "nfs4 server:/srv rw");
    tree.disk("7:0", "virtual/block/loop0", "0\n");
    tree.partition("7:1", "virtual/block/loop0", "loop0p1");
    tree.mount(4, "7:1", "/mnt", "ext4 /dev/loop0p1 rw");
    assert_eq!(tree.kind(4), None, "no file");
    for (file, kind) in [
        ("home/image", Some(Fixed)),
        ("media/My Stick/image", Some(Removable)),
        ("srv/image", Some(Network)),
    ] {
        tree.file("sys/devices/virtual/block/loop0/loop/backing_file", &format!("/{file}\n"));
        assert_eq!(tree.kind(4), None, "{file} is not in sight");
        tree.file(file, "");
        assert_eq!(tree.kind(4), kind, "{file}");
    }
    tree.file("sys/devices/virtual/block/loop0/loop/backing_file", "/home/image (deleted)\n");
    assert_eq!(tree.kind(4), None);
    tree.link("home/link", "media/My Stick/image");
    tree.file("sys/devices/virtual/block/loop0/loop/backing_file", "/home/link\n");
    assert_eq!(tree.kind(4), None, "not the file that it was set up with");
}

#[test]
fn btrfs() {
    let mut tree = Tree::new();
    tree.sata();
    tree.usb("0\n");
    // By the device mapper's other name, as udev makes it.
    tree.file("dev/dm-0", "");
    tree.link("dev/mapper/root", "dev/dm-0");
    tree.disk("253:0", "virtual/block/dm-0", "0\n");
    tree.slave("virtual/block/dm-0", "sda1", &format!("{SATA}/sda1"));
    let line = "btrfs /dev/mapper/root rw,subvolid=257,subvol=/home";
    tree.mount(7, "0:42", "/home", line);
    assert_eq!(tree.kind(7), None, "not in the kernel's list");
    let devices = "sys/fs/btrfs/0e2c/devices";
    tree.folder("sys/fs/btrfs/features");
    tree.link(&format!("{devices}/dm-0"), "sys/devices/virtual/block/dm-0");
    assert_eq!(tree.kind(7), Some(Fixed));
    tree.link(&format!("{devices}/sdb1"), &format!("sys/devices/{USB}/sdb1"));
    assert_eq!(tree.kind(7), Some(Removable), "on two devices");
}

#[test]
fn overlays() {
    let mut tree = Tree::new();
    tree.sata();
    tree.usb("1\n");
    tree.mount(1, "8:1", "/", "ext4 /dev/sda1 rw");
    tree.mount(2, "8:17", "/stick", "ext4 /dev/sdb1 rw");
    tree.mount(
        3,
        "0:60",
        "/a",
        "overlay overlay rw,lowerdir=/low/1:/low/2,upperdir=/up,workdir=/work",
    );
    assert_eq!(tree.kind(3), None, "the layers are not in sight");
    for folder in ["low/1", "low/2", "up", "stick/low"] {
        tree.folder(folder);
    }
    assert_eq!(tree.kind(3), Some(Fixed));
    tree.mount(
        4,
        "0:61",
        "/b",
        "overlay overlay rw,lowerdir=/stick/low,upperdir=/up,workdir=/work",
    );
    assert_eq!(tree.kind(4), Some(Removable), "a live system");
    tree.mount(5, "0:62", "/c", "overlay overlay ro,lowerdir=/low/1:/low/2");
    assert_eq!(tree.kind(5), Some(Fixed));
    let refused = [
        "rw,upperdir=/up",
        "rw,lowerdir+=/stick/low,lowerdir=/low/1",
        "rw,lowerdir=low/1",
        r"rw,lowerdir=/low\134:1",
    ];
    for (id, options) in (10..).zip(refused) {
        tree.mount(id, "0:63", "/d", &format!("overlay overlay {options}"));
        assert_eq!(tree.kind(id), None, "{options}");
    }
    // The layers seem to be on the overlay itself, as in a container.
    tree.mount(8, "0:64", "/low", "overlay overlay rw,lowerdir=/low/1,upperdir=/low/2");
    assert_eq!(tree.kind(8), None);
}

#[test]
fn file_systems_without_a_device() {
    for (rest, kind) in [
        ("nfs4 server:/home rw", Some(Network)),
        ("nfs server:/home rw", Some(Network)),
        ("cifs //server/share rw", Some(Network)),
        ("9p share rw", Some(Network)),
        ("ceph 10.0.0.1:/ rw", Some(Network)),
        ("tmpfs tmpfs rw,size=1k", Some(Fixed)),
        ("ramfs none rw", Some(Fixed)),
        ("fuse.sshfs user@server:/ rw", None),
        ("fuse /dev/sda1 rw", None),
        ("virtiofs share rw", None),
        ("zfs pool/home rw", None),
        ("ecryptfs /home/.private rw", None),
        ("nfsd nfsd rw", None),
        ("proc proc rw", None),
    ] {
        let mut tree = Tree::new();
        tree.sata();
        tree.mount(7, "0:55", "/x", rest);
        assert_eq!(tree.kind(7), kind, "{rest}");
    }
}

/// They are on block devices, but on shared ones.
#[test]
fn cluster_file_systems() {
    let mut tree = Tree::new();
    tree.sata();
    tree.mount(7, "8:1", "/x", "gfs2 /dev/sda1 rw");
    tree.mount(8, "8:1", "/y", "ocfs2 /dev/sda1 rw");
    assert_eq!((tree.kind(7), tree.kind(8)), (Some(Network), Some(Network)));
}
