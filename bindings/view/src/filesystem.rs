//! The kernel's requests. Each is checked for where it comes from before anything else.

use crate::ahead::Job;
use crate::errno;
use crate::opened::ReadAhead;
use crate::view::{Opened, Pages, View, Wants};
use crate::{attributes, change, stream};
use bulla::Client;
use fuser::{
    AccessFlags, BsdFileFlags, Errno, FileAttr, FileHandle, Filesystem, FopenFlags, Generation,
    INodeNo, InitFlags, KernelConfig, LockOwner, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// How long the kernel may believe a name or an attribute without asking.
const BELIEVE: Duration = Duration::from_secs(1);

/// Largest read and write at once.
const TRANSFER: u32 = 1 << 20;

/// Requests that wait in the kernel: reading ahead, mostly.
const WAITING: u16 = 64;

thread_local! {
    /// What a thread read last. The kernel's own pages hold the same, so it is wiped at the end.
    /// It has all its memory from the start: growing would leave copies behind.
    static OUTGOING: RefCell<Zeroizing<Vec<u8>>> =
        RefCell::new(Zeroizing::new(Vec::with_capacity(TRANSFER as usize)));
}

/// A view as the kernel asks it.
pub(crate) struct Requests(pub(crate) Arc<View>);

impl Requests {
    fn client(&self, request: &Request) -> Result<Client, Errno> {
        self.0.daemon.client(request.pid()).ok_or(Errno::EACCES)
    }

    fn admit(&self, request: &Request) -> Result<(), Errno> {
        if self.0.daemon.admits(request.pid()) { Ok(()) } else { Err(Errno::EACCES) }
    }

    fn read_now(
        &self,
        request: &Request,
        opened: &Opened,
        offset: u64,
        size: usize,
        reply: ReplyData,
    ) {
        OUTGOING.with_borrow_mut(|room| {
            if room.len() < size {
                room.resize(size, 0);
            }
            match self.0.read(opened, || self.client(request), &mut room[..size], offset) {
                Ok(n) => reply.data(&room[..n]),
                Err(e) => reply.error(e),
            }
        });
    }

    fn change(&self, request: &Request) -> Result<Client, Errno> {
        let client = self.client(request)?;
        if self.0.daemon.writable { Ok(client) } else { Err(Errno::EROFS) }
    }
}

fn wants(flags: OpenFlags) -> Wants {
    let mode = flags.acc_mode();
    Wants { read: mode != OpenAccMode::O_WRONLY, write: mode != OpenAccMode::O_RDONLY }
}

fn entry(result: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match result {
        Ok(attributes) => reply.entry(&BELIEVE, &attributes, Generation(0)),
        Err(e) => reply.error(e),
    }
}

fn empty(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(e) => reply.error(e),
    }
}

fn attr(result: Result<FileAttr, Errno>, reply: ReplyAttr) {
    match result {
        Ok(attributes) => reply.attr(&BELIEVE, &attributes),
        Err(e) => reply.error(e),
    }
}

impl Filesystem for Requests {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        for wanted in [
            InitFlags::FUSE_DO_READDIRPLUS,
            InitFlags::FUSE_READDIRPLUS_AUTO,
            InitFlags::FUSE_PARALLEL_DIROPS,
            InitFlags::FUSE_ASYNC_DIO,
            InitFlags::FUSE_CACHE_SYMLINKS,
        ] {
            // Each makes it faster; none is needed.
            let _ = config.add_capabilities(wanted);
        }
        // Files that are read directly must still be mapped.
        let mappable = config.add_capabilities(InitFlags::FUSE_DIRECT_IO_ALLOW_MMAP).is_ok();
        self.0.direct.store(mappable, Ordering::Relaxed);
        let _ = config.set_max_write(TRANSFER);
        let _ = config.set_max_readahead(TRANSFER).or_else(|most| config.set_max_readahead(most));
        let _ = config.set_max_background(WAITING);
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.admit(request).and_then(|()| self.0.lookup(parent.0, name)), reply);
    }

    fn forget(&self, _request: &Request, number: INodeNo, times: u64) {
        self.0.tree.forget(number.0, times, self.0.in_use(number.0));
        self.0.forget_stamp(number.0);
    }

    fn getattr(
        &self,
        request: &Request,
        number: INodeNo,
        _handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        attr(self.admit(request).and_then(|()| self.0.attributes(number.0)), reply);
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let wanted = change::Attributes { mode, owner: (uid, gid), size, times: (atime, mtime) };
        let handle = handle.map(|h| h.0);
        let result = self
            .change(request)
            .and_then(|client| self.0.set_attributes(number.0, handle, client, &wanted));
        attr(result, reply);
    }

    fn readlink(&self, request: &Request, number: INodeNo, reply: ReplyData) {
        match self.admit(request).and_then(|()| self.0.link(number.0)) {
            Ok(link) => reply.data(&link),
            Err(e) => reply.error(e),
        }
    }

    fn mknod(
        &self,
        _request: &Request,
        _parent: INodeNo,
        _name: &OsStr,
        _mode: u32,
        _umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        reply.error(Errno::EPERM);
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let made =
            self.change(request).and_then(|_| self.0.make_folder(parent.0, name, mode & !umask));
        entry(made, reply);
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.change(request).and_then(|_| self.0.remove(parent.0, name, false)), reply);
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.change(request).and_then(|_| self.0.remove(parent.0, name, true)), reply);
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let (from, to) = ((parent.0, name), (new_parent.0, new_name));
        let result = self.change(request).and_then(|client| {
            let keep = flags == RenameFlags::RENAME_NOREPLACE;
            if !keep && !flags.is_empty() {
                return Err(Errno::EINVAL);
            }
            self.0.rename(from, to, keep, client)
        });
        empty(result, reply);
    }

    fn open(&self, request: &Request, number: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let wants = wants(flags);
        match self.client(request).and_then(|client| self.0.open(number.0, client, wants)) {
            Ok((handle, pages)) => {
                let flags = match pages {
                    Pages::Fresh => FopenFlags::empty(),
                    Pages::Same => FopenFlags::FOPEN_KEEP_CACHE,
                    Pages::None => FopenFlags::FOPEN_DIRECT_IO,
                };
                // Closing what was only read is nothing to hear of.
                let quiet =
                    if wants.write { FopenFlags::empty() } else { FopenFlags::FOPEN_NOFLUSH };
                reply.opened(FileHandle(handle), flags | quiet);
            }
            Err(e) => reply.error(e),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let wants = wants(OpenFlags(flags));
        let made = self
            .change(request)
            .and_then(|client| self.0.create(parent.0, name, mode & !umask, client, wants));
        match made {
            Ok((attributes, handle)) => {
                let (handle, flags) = (FileHandle(handle), FopenFlags::empty());
                reply.created(&BELIEVE, &attributes, Generation(0), handle, flags);
            }
            Err(e) => reply.error(e),
        }
    }

    fn read(
        &self,
        request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        if let Err(e) = self.admit(request) {
            return reply.error(e);
        }
        let size = size.min(TRANSFER) as usize;
        let opened = match self.0.opened(handle.0) {
            Ok(opened) => opened,
            Err(e) => return reply.error(e),
        };
        let Opened::Sealed(sealed) = &*opened else {
            return self.read_now(request, &opened, offset, size, reply);
        };
        let ReadAhead { pieces, end, jobs } = sealed.read_ahead(offset, size);
        match &pieces[..] {
            [] => self.read_now(request, &opened, offset, size, reply),
            [piece] => reply.data(piece.part(offset, end)),
            several => OUTGOING.with_borrow_mut(|room| {
                room.clear();
                several.iter().for_each(|piece| room.extend_from_slice(piece.part(offset, end)));
                reply.data(room);
            }),
        }
        drop(pieces);
        sealed.pass();
        jobs.into_iter().for_each(Job::run);
    }

    fn write(
        &self,
        request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        flags: WriteFlags,
        _open_flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        // The kernel's own thread writes back pages that a program has mapped.
        let admitted = match flags.contains(WriteFlags::FUSE_WRITE_CACHE) {
            true => Ok(()),
            false => self.admit(request),
        };
        match admitted.and_then(|()| self.0.write(handle.0, data, offset)) {
            Ok(jobs) => {
                reply.written(data.len() as u32);
                jobs.into_iter().for_each(stream::Job::run);
            }
            Err(e) => reply.error(e),
        }
    }

    fn flush(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _owner: LockOwner,
        reply: ReplyEmpty,
    ) {
        empty(self.0.flush(handle.0), reply);
    }

    fn release(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        empty(self.0.close(handle.0), reply);
    }

    fn fsync(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _data_only: bool,
        reply: ReplyEmpty,
    ) {
        empty(self.0.flush(handle.0), reply);
    }

    fn opendir(&self, request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.admit(request).and_then(|()| self.0.list(number.0)) {
            Ok(handle) => reply.opened(FileHandle(handle), FopenFlags::empty()),
            Err(e) => reply.error(e),
        }
    }

    fn readdir(
        &self,
        request: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let opened = match self.admit(request).and_then(|()| self.0.opened(handle.0)) {
            Ok(opened) => opened,
            Err(e) => return reply.error(e),
        };
        let Opened::List(list) = &*opened else { return reply.error(Errno::EBADF) };
        for (i, (name, entry)) in (1..).zip(list).skip(offset as usize) {
            let inner = self.0.tree.number(number.0, &entry.real, false);
            if reply.add(INodeNo(inner), i, attributes::file_type(entry.kind), name) {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        request: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let opened = match self.admit(request).and_then(|()| self.0.opened(handle.0)) {
            Ok(opened) => opened,
            Err(e) => return reply.error(e),
        };
        let Opened::List(list) = &*opened else { return reply.error(Errno::EBADF) };
        for (i, (name, entry)) in (1..).zip(list).skip(offset as usize) {
            let attributes = self.0.told(number.0, entry);
            let inner = attributes.ino;
            if reply.add(inner, i, name, &BELIEVE, &attributes, Generation(0)) {
                // It did not fit, so the kernel has not heard of it.
                self.0.tree.forget(inner.0, 1, self.0.in_use(inner.0));
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        empty(self.0.close(handle.0), reply);
    }

    fn fsyncdir(
        &self,
        request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        _data_only: bool,
        reply: ReplyEmpty,
    ) {
        let synced = self.admit(request).and_then(|()| {
            let folder = self.0.folder(number.0)?;
            rustix::fs::fsync(&folder).map_err(errno::system)
        });
        empty(synced, reply);
    }

    fn statfs(&self, _request: &Request, _number: INodeNo, reply: ReplyStatfs) {
        match rustix::fs::fstatvfs(&self.0.root) {
            Ok(s) => reply.statfs(
                s.f_blocks,
                s.f_bfree,
                s.f_bavail,
                s.f_files,
                s.f_ffree,
                s.f_bsize as u32,
                255,
                s.f_frsize as u32,
            ),
            Err(e) => reply.error(errno::system(e)),
        }
    }

    fn access(&self, request: &Request, number: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let (write, execute) = (mask.contains(AccessFlags::W_OK), mask.contains(AccessFlags::X_OK));
        let allowed = self.admit(request).and_then(|()| self.0.access(number.0, write, execute));
        empty(allowed, reply);
    }

    fn fallocate(
        &self,
        request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode != 0 {
            return reply.error(Errno::EOPNOTSUPP);
        }
        let grown = self.change(request).and_then(|_| self.0.allocate(handle.0, offset, length));
        empty(grown, reply);
    }
}
