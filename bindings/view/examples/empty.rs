//! A file system of one file of zeros, `large`, that does nothing to answer: what reading through
//! any of this kind takes on a machine. For `benches/view.py`.
//!
//! `empty MOUNTPOINT MIB`

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = || std::io::Error::other("usage: empty MOUNTPOINT MIB");
    let mountpoint = args.next().ok_or_else(usage)?;
    let mib: u64 = args.next().and_then(|n| n.parse().ok()).ok_or_else(usage)?;
    linux::serve(&mountpoint, mib)
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use fuser::{
        Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
        LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen, Request,
        Session,
    };
    use std::ffi::OsStr;
    use std::io;
    use std::time::{Duration, UNIX_EPOCH};

    /// As a view has them.
    const TRANSFER: u32 = 1 << 20;
    const THREADS: usize = 4;

    const FILE: INodeNo = INodeNo(2);
    const BELIEVE: Duration = Duration::from_secs(1);

    struct Empty {
        size: u64,
        zeros: Vec<u8>,
    }

    impl Empty {
        fn attributes(&self, ino: INodeNo) -> FileAttr {
            let (kind, perm, size) = match ino {
                FILE => (FileType::RegularFile, 0o444, self.size),
                _ => (FileType::Directory, 0o555, 0),
            };
            FileAttr {
                ino,
                size,
                blocks: size / 512,
                atime: UNIX_EPOCH,
                mtime: UNIX_EPOCH,
                ctime: UNIX_EPOCH,
                crtime: UNIX_EPOCH,
                kind,
                perm,
                nlink: 1,
                uid: 0,
                gid: 0,
                rdev: 0,
                blksize: 4096,
                flags: 0,
            }
        }
    }

    impl Filesystem for Empty {
        fn lookup(&self, _request: &Request, _parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
            match name == "large" {
                true => reply.entry(&BELIEVE, &self.attributes(FILE), Generation(0)),
                false => reply.error(Errno::ENOENT),
            }
        }

        fn getattr(
            &self,
            _request: &Request,
            number: INodeNo,
            _handle: Option<FileHandle>,
            reply: ReplyAttr,
        ) {
            reply.attr(&BELIEVE, &self.attributes(number));
        }

        fn open(&self, _request: &Request, _number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
            reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
        }

        fn read(
            &self,
            _request: &Request,
            _number: INodeNo,
            _handle: FileHandle,
            offset: u64,
            size: u32,
            _flags: OpenFlags,
            _owner: Option<LockOwner>,
            reply: ReplyData,
        ) {
            let size = u64::from(size.min(TRANSFER)).min(self.size.saturating_sub(offset));
            reply.data(&self.zeros[..size as usize]);
        }
    }

    pub fn serve(mountpoint: &str, mib: u64) -> io::Result<()> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("empty".into()), MountOption::RO];
        config.n_threads = Some(THREADS);
        config.clone_fd = true;
        let empty = Empty { size: mib << 20, zeros: vec![0; TRANSFER as usize] };
        Session::new(empty, mountpoint, &config)?.run()
    }
}
