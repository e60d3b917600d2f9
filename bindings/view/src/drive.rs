//! A view without a kernel, called by numbers and handles as the kernel does: for the fuzz targets.
//! What fails gives the system's error number.

use crate::change::Attributes;
use crate::serve::{Callers, Daemon};
use crate::stream::Job;
use crate::view::{Opened, View, Wants};
use bulla::{Client, Error, Home, Session};
use fuser::{Errno, FileAttr, FileType};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The number of the folder that a view is of.
pub const ROOT: u64 = crate::tree::ROOT;

const BOTH: Wants = Wants { read: true, write: true };

/// A view of a folder, which this process uses without being confined.
pub struct Driven(View);

/// What `stat` says of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its number.
    pub number: u64,
    /// Bytes of content.
    pub size: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Of an operation.
pub type Result<T> = std::result::Result<T, i32>;

fn failed(e: Errno) -> i32 {
    e.code()
}

fn stat(a: FileAttr) -> Stat {
    Stat { number: a.ino.0, size: a.size, is_folder: a.kind == FileType::Directory }
}

impl Driven {
    /// Shows this folder, to be read and written.
    ///
    /// # Errors
    /// Those of opening the folder.
    pub fn of(home: &Home, session: Session, folder: &Path) -> bulla::Result<Self> {
        let mut daemon = Daemon::new(session, home.clone(), Callers::User(OnceLock::new()));
        daemon.writable = true;
        let view = View::of(folder, Arc::new(daemon));
        view.map(Driven).map_err(|e| Error::io("opening the folder", e.into()))
    }

    fn client() -> Client {
        Client { pid: std::process::id(), confined: false }
    }

    /// What has this name in a folder.
    pub fn lookup(&self, parent: u64, name: &str) -> Result<Stat> {
        self.0.lookup(parent, OsStr::new(name)).map(stat).map_err(failed)
    }

    /// The kernel no longer knows a number that it was told so many times.
    pub fn forget(&self, number: u64, times: u64) {
        self.0.tree.forget(number, times, self.0.in_use(number));
        self.0.forget_stamp(number);
    }

    /// What has this number.
    pub fn stat(&self, number: u64) -> Result<Stat> {
        self.0.attributes(number).map(stat).map_err(failed)
    }

    /// The names in a folder, in the order in which they are shown.
    pub fn list(&self, number: u64) -> Result<Vec<String>> {
        let handle = self.0.list(number).map_err(failed)?;
        let opened = self.0.opened(handle).map_err(failed)?;
        let names = match &*opened {
            Opened::List(list) => list.iter().map(|(n, _)| n.to_string_lossy().into()).collect(),
            _ => return Err(failed(Errno::EBADF)),
        };
        self.0.close(handle).map_err(failed)?;
        Ok(names)
    }

    /// Opens a file; gives a handle.
    pub fn open(&self, number: u64, read: bool, write: bool) -> Result<u64> {
        let opened = self.0.open(number, Self::client(), Wants { read, write });
        opened.map(|(handle, _)| handle).map_err(failed)
    }

    /// Makes a file; gives what it is and a handle to read and write it.
    pub fn create(&self, parent: u64, name: &str) -> Result<(Stat, u64)> {
        let made = self.0.create(parent, OsStr::new(name), 0o600, Self::client(), BOTH);
        made.map(|(attributes, handle)| (stat(attributes), handle)).map_err(failed)
    }

    /// Reads.
    pub fn read(&self, handle: u64, out: &mut [u8], offset: u64) -> Result<usize> {
        let opened = self.0.opened(handle).map_err(failed)?;
        self.0.read(&opened, || Ok(Self::client()), out, offset).map_err(failed)
    }

    /// Writes.
    pub fn write(&self, handle: u64, data: &[u8], offset: u64) -> Result<()> {
        let jobs = self.0.write(handle, data, offset).map_err(failed)?;
        jobs.into_iter().for_each(Job::run);
        Ok(())
    }

    /// Sets the length, through a handle or by number.
    pub fn truncate(&self, number: u64, handle: Option<u64>, size: u64) -> Result<Stat> {
        let wanted =
            Attributes { mode: None, owner: (None, None), size: Some(size), times: (None, None) };
        let set = self.0.set_attributes(number, handle, Self::client(), &wanted);
        set.map(stat).map_err(failed)
    }

    /// Makes room, as `fallocate` does.
    pub fn allocate(&self, handle: u64, offset: u64, length: u64) -> Result<()> {
        self.0.allocate(handle, offset, length).map_err(failed)
    }

    /// Seals what was changed through a handle.
    pub fn flush(&self, handle: u64) -> Result<()> {
        self.0.flush(handle).map_err(failed)
    }

    /// Closes a handle.
    pub fn close(&self, handle: u64) -> Result<()> {
        self.0.close(handle).map_err(failed)
    }

    /// Makes a folder.
    pub fn make_folder(&self, parent: u64, name: &str) -> Result<Stat> {
        self.0.make_folder(parent, OsStr::new(name), 0o700).map(stat).map_err(failed)
    }

    /// Removes a file, or an empty folder.
    pub fn remove(&self, parent: u64, name: &str, is_folder: bool) -> Result<()> {
        self.0.remove(parent, OsStr::new(name), is_folder).map_err(failed)
    }

    /// Renames; `keep`: fails if the new name is taken.
    pub fn rename(&self, from: (u64, &str), to: (u64, &str), keep: bool) -> Result<()> {
        let (from, to) = ((from.0, OsStr::new(from.1)), (to.0, OsStr::new(to.1)));
        self.0.rename(from, to, keep, Self::client()).map_err(failed)
    }
}
