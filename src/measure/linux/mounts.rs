//! The mount that a file is on.

use procfs_core::process::MountInfo;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::Path;

/// A list of mounts longer than this is not read.
const MAX_LIST: u64 = 4 << 20;

/// The id of the mount through which a file was opened. Not its device number: on btrfs and
/// overlays that is one which no list has.
pub(super) fn mount_of(file: &File) -> Option<u64> {
    let info = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
    let info = text(Path::new(&info), 4096)?;
    info.lines().find_map(|l| l.strip_prefix("mnt_id:"))?.trim().parse().ok()
}

/// What a small file of the kernel says. Bytes that are not UTF-8 are replaced; a path that has
/// some then leads nowhere.
pub(super) fn text(path: &Path, max: u64) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(max + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= max).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// All mounts that this process sees, as proc_pid_mountinfo(5) describes.
pub(super) struct Mounts(String);

impl Mounts {
    pub(super) fn read(root: &Path) -> Option<Self> {
        text(&root.join("proc/self/mountinfo"), MAX_LIST).map(Mounts)
    }

    pub(super) fn by_id(&self, id: u64) -> Option<MountInfo> {
        let start = format!("{id} ");
        MountInfo::from_line(self.0.lines().find(|l| l.starts_with(&start))?).ok()
    }

    /// The mount that an absolute path without links leads to: the deepest one, of several at
    /// one place the last.
    pub(super) fn holding(&self, path: &Path) -> Option<MountInfo> {
        let mut best = None;
        for line in self.0.lines() {
            let mount = MountInfo::from_line(line).ok()?;
            let point = unescape(mount.mount_point.to_str()?);
            if path.starts_with(&point) && best.as_ref().is_none_or(|(l, _)| *l <= point.len()) {
                best = Some((point.len(), mount));
            }
        }
        best.map(|(_, mount)| mount)
    }
}

/// Undoes the kernel's `\040` for a space, and its like.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out: String = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) if code.is_ascii() => {
                out.push(char::from(code));
                out.push_str(&part[3..]);
            }
            _ => {
                out.push('\\');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Mounts {
        let lines = [
            "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "40 21 8:17 / /media/My\\040Stick rw - vfat /dev/sdb1 rw",
            "41 21 8:33 / /data rw - ext4 /dev/sdc1 rw",
            "4 21 8:49 / /data rw - ext4 /dev/sdd1 rw",
        ];
        Mounts(lines.join("\n"))
    }

    #[test]
    fn ids_are_whole_numbers() {
        assert_eq!(mounts().by_id(4).unwrap().majmin, "8:49");
        assert_eq!(mounts().by_id(40).unwrap().majmin, "8:17");
        assert!(mounts().by_id(2).is_none());
    }

    #[test]
    fn paths_lead_to_the_deepest_and_last_mount() {
        let device = |path: &str| mounts().holding(Path::new(path)).unwrap().majmin;
        assert_eq!(device("/media/My Stick/image"), "8:17");
        assert_eq!(device("/media/My Stick 2/image"), "8:1");
        assert_eq!(device("/data/image"), "8:49");
        assert_eq!(device("/database"), "8:1");
    }

    #[test]
    fn a_line_that_is_not_understood_gives_no_answer() {
        let broken = Mounts(format!("{}\n99 21 8:65 / /srv", mounts().0));
        assert!(broken.by_id(99).is_none());
        assert!(broken.holding(Path::new("/data/image")).is_none());
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"a\040b\134\011"), "a b\\\t");
        for same in ["", "plain", r"\", r"a\9é", r"\04", r"\777"] {
            assert_eq!(unescape(same), same);
        }
    }

    #[test]
    fn long_texts_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(text(&path, 5).as_deref(), Some("12345"));
        assert_eq!(text(&path, 4), None);
    }

    #[test]
    fn an_open_file_knows_its_mount() {
        let file = tempfile::tempfile().unwrap();
        let mount = Mounts::read(Path::new("/")).unwrap().by_id(mount_of(&file).unwrap()).unwrap();
        assert!(!mount.fs_type.is_empty());
        let proc = File::open("/proc/self/status").unwrap();
        let mount = Mounts::read(Path::new("/")).unwrap().by_id(mount_of(&proc).unwrap()).unwrap();
        assert_eq!(mount.fs_type, "proc");
    }
}
