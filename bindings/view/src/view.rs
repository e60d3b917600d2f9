//! A view of one folder: names and attributes, opening, reading.

use crate::attributes::{self, LARGE, Owner};
use crate::content::{Content, Place};
use crate::errno;
use crate::folder::{Entry, Folder, Kind};
use crate::folders::Folders;
use crate::opened::{Handle, Sealed, scratch};
use crate::recent::{Program, Recent, Stamp};
use crate::serve::Daemon;
use crate::tree::{ROOT, Tree};
use bulla::policy::{Condition, Policy};
use bulla::{Access, Client, Code, Error, Right};
use fuser::{Errno, FileAttr};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

/// Something that is open.
pub(crate) enum Opened {
    Plain(File),
    Sealed(Handle),
    /// A folder, with its names when it was opened.
    List(Vec<(OsString, Entry)>),
}

pub(crate) struct View {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) root: Folder,
    pub(crate) tree: Tree,
    pub(crate) folders: Folders,
    pub(crate) owner: Owner,
    handles: RwLock<HashMap<u64, Arc<Opened>>>,
    last: AtomicU64,
    contents: Mutex<HashMap<u64, Arc<Content>>>,
    /// Folders that open files are in, by device and inode: one descriptor for each.
    shared: Mutex<HashMap<(u64, u64), Weak<Folder>>>,
    /// Names that sealed files had before they were renamed, and their numbers: what is made by
    /// such a name is a save of that file.
    pub(crate) moved: Mutex<HashMap<(u64, OsString), u64>>,
    /// Which content the kernel's pages of a file are of.
    stamps: Mutex<HashMap<u64, Stamp>>,
    pub(crate) recent: Recent,
    /// Whether the kernel can map files of which it keeps no pages.
    pub(crate) direct: AtomicBool,
}

/// What the kernel is to make of its pages of a file that is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pages {
    /// They are of another content.
    Fresh,
    /// They are of this content.
    Same,
    /// It is to keep none: of large files that are only read, copying costs more than asking again.
    None,
}

/// Whether somebody wants to read, and to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl View {
    /// Of this folder.
    pub(crate) fn of(folder: &Path, daemon: Arc<Daemon>) -> Result<Self, rustix::io::Errno> {
        Ok(View {
            daemon,
            root: Folder::root(folder)?,
            tree: Tree::default(),
            folders: Folders::default(),
            owner: Owner::this(),
            handles: RwLock::default(),
            last: AtomicU64::new(0),
            contents: Mutex::default(),
            shared: Mutex::default(),
            moved: Mutex::default(),
            stamps: Mutex::default(),
            recent: Recent::new(),
            direct: AtomicBool::new(false),
        })
    }

    /// The folder of this number.
    pub(crate) fn folder(&self, number: u64) -> Result<Arc<Folder>, Errno> {
        self.folders.get(number, || {
            let path = self.tree.path(number).ok_or(Errno::ENOENT)?;
            self.root.below(&path).map_err(errno::system)
        })
    }

    /// The descriptor that open files of this folder share.
    fn shared(&self, folder: Arc<Folder>) -> Result<Arc<Folder>, Errno> {
        let stat = rustix::fs::fstat(&*folder).map_err(errno::system)?;
        let mut folders = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        #[allow(clippy::unnecessary_cast)] // of other widths on other machines
        let key = (stat.st_dev as u64, stat.st_ino as u64);
        if let Some(there) = folders.get(&key).and_then(Weak::upgrade) {
            return Ok(there);
        }
        folders.retain(|_, folder| folder.strong_count() > 0);
        folders.insert(key, Arc::downgrade(&folder));
        Ok(folder)
    }

    /// What has this number: its folder and name.
    pub(crate) fn place(&self, number: u64) -> Result<(Arc<Folder>, OsString), Errno> {
        let (parent, real) = self.tree.place(number).ok_or(Errno::ENOENT)?;
        Ok((self.folder(parent)?, real))
    }

    /// The number of an entry, which the kernel is told of.
    pub(crate) fn told(&self, parent: u64, entry: &Entry) -> FileAttr {
        let number = self.tree.number(parent, &entry.real, true);
        self.attributes_of(number, entry)
    }

    fn attributes_of(&self, number: u64, entry: &Entry) -> FileAttr {
        let mut kind = entry.kind;
        if let Some(len) = self.content(number).and_then(|content| content.len()) {
            kind = Kind::Sealed(len);
        }
        attributes::of(number, kind, &entry.stat, self.owner, self.daemon.writable)
    }

    pub(crate) fn lookup(&self, parent: u64, name: &OsStr) -> Result<FileAttr, Errno> {
        let entry = self.folder(parent)?.shown(name).map_err(errno::system)?;
        Ok(self.told(parent, &entry))
    }

    pub(crate) fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        if number == ROOT {
            let stat = rustix::fs::fstat(&self.root).map_err(errno::system)?;
            let (owner, writable) = (self.owner, self.daemon.writable);
            return Ok(attributes::of(number, Kind::Folder, &stat, owner, writable));
        }
        let by_name = self.place(number).and_then(|(folder, real)| {
            folder.real(&real).map_err(errno::system)?.ok_or(Errno::ENOENT)
        });
        match by_name {
            Ok(entry) => Ok(self.attributes_of(number, &entry)),
            Err(e) => self.nameless(number).ok_or(e),
        }
    }

    /// What is known of an open file whose name is gone.
    fn nameless(&self, number: u64) -> Option<FileAttr> {
        let size = self.all_opened().iter().find_map(|opened| match &**opened {
            Opened::Sealed(handle) if handle.number == number => Some(handle.len()),
            _ => None,
        })?;
        let stat = rustix::fs::fstat(&self.root).ok()?;
        let kind = Kind::Sealed(size);
        let attributes = attributes::of(number, kind, &stat, self.owner, true);
        Some(FileAttr { perm: 0o600, nlink: 0, ..attributes })
    }

    pub(crate) fn link(&self, number: u64) -> Result<Vec<u8>, Errno> {
        let (folder, real) = self.place(number)?;
        let link = rustix::fs::readlinkat(&folder, real, Vec::new()).map_err(errno::system)?;
        Ok(link.into_bytes())
    }

    /// Whether what `access` asks for may be tried; it is decided when the file is opened.
    pub(crate) fn access(&self, number: u64, write: bool, execute: bool) -> Result<(), Errno> {
        let attributes = self.attributes(number)?;
        if write && (!self.daemon.writable || attributes.perm & 0o222 == 0) {
            return Err(Errno::EACCES);
        }
        let is_folder = attributes.kind == fuser::FileType::Directory;
        if execute && !is_folder && attributes.perm & 0o111 == 0 {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    pub(crate) fn list(&self, number: u64) -> Result<u64, Errno> {
        let list = self.folder(number)?.list().map_err(errno::system)?;
        Ok(self.keep(Opened::List(list)))
    }

    // --- What is open --------------------------------------------------------------------------

    fn keep(&self, opened: Opened) -> u64 {
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        handles.insert(handle, Arc::new(opened));
        self.recent.leave_room(handles.len());
        handle
    }

    pub(crate) fn opened(&self, handle: u64) -> Result<Arc<Opened>, Errno> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        handles.get(&handle).cloned().ok_or(Errno::EBADF)
    }

    /// All that is open.
    pub(crate) fn all_opened(&self) -> Vec<Arc<Opened>> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        handles.values().cloned().collect()
    }

    fn contents(&self) -> MutexGuard<'_, HashMap<u64, Arc<Content>>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shared content of a file that is open.
    pub(crate) fn content(&self, number: u64) -> Option<Arc<Content>> {
        self.contents().get(&number).cloned()
    }

    /// Whether a number is in use by something that is open.
    pub(crate) fn in_use(&self, number: u64) -> bool {
        self.contents().contains_key(&number)
    }

    /// A file that was made here goes on as this content.
    pub(crate) fn made(&self, number: u64, content: Arc<Content>) -> u64 {
        self.contents().insert(number, Arc::clone(&content));
        self.keep(Opened::Sealed(Handle::new(number, content, (true, true), None)))
    }

    /// Opens a file; gives its handle, and whether the kernel's pages of it are of this content.
    pub(crate) fn open(
        &self,
        number: u64,
        client: Client,
        wants: Wants,
    ) -> Result<(u64, Pages), Errno> {
        let (folder, real) = self.place(number)?;
        let entry = folder.real(&real).map_err(errno::system)?.ok_or(Errno::ENOENT)?;
        let stamp = stamp(&entry);
        let same = if self.is_same(number, stamp) { Pages::Same } else { Pages::Fresh };
        match entry.kind {
            Kind::Plain if wants.write => Err(Errno::EACCES),
            Kind::Plain => {
                let file = folder.open(&real).map_err(errno::system)?;
                Ok((self.keep(Opened::Plain(file)), same))
            }
            Kind::Sealed(size) => {
                if wants.write && !self.daemon.writable {
                    return Err(Errno::EROFS);
                }
                // So that it can be decided about, and is there whatever happens to its maker.
                if let Some(content) = self.content(number).filter(|content| content.is_made()) {
                    self.seal(number, &content)?;
                }
                let folder = self.shared(folder)?;
                let program = if wants.write { None } else { Program::of(client.pid) };
                let key = program.map(|program| (number, stamp, program));
                let sealed = match key.as_ref().and_then(|key| self.recent.get(key)) {
                    Some(sealed) => sealed,
                    None => {
                        let sealed = self.open_sealed(&folder, &real, client, wants)?;
                        if let Some(key) = key
                            && !self.is_counted(&sealed)?
                        {
                            self.recent.put(key, &sealed);
                        }
                        sealed
                    }
                };
                let mut contents = self.contents();
                let content = Arc::clone(contents.entry(number).or_default());
                drop(contents);
                if wants.write {
                    content.writable(&sealed, scratch(Arc::clone(&folder)));
                }
                let wanted = (wants.read, wants.write);
                let handle = Handle::new(number, content, wanted, Some(sealed));
                let direct = !wants.write && size >= LARGE && self.direct.load(Ordering::Relaxed);
                let pages = if direct { Pages::None } else { same };
                Ok((self.keep(Opened::Sealed(handle)), pages))
            }
            Kind::Folder => Err(Errno::EISDIR),
            Kind::Link => Err(Errno::ELOOP),
        }
    }

    /// Decides, and opens a sealed file for a program.
    pub(crate) fn open_sealed(
        &self,
        folder: &Arc<Folder>,
        real: &OsStr,
        client: Client,
        wants: Wants,
    ) -> Result<Sealed, Errno> {
        if !self.daemon.confined {
            self.allows_bare(folder, real)?;
        }
        let right = if wants.write { Right::Edit } else { Right::View };
        let access = Access { right, older: false, client: Some(client) };
        let opened = self.daemon.session.open_for(&folder.path(real), access);
        let reader = Arc::new(opened.map_err(|e| self.refused(&e))?);
        if wants.read {
            if !reader.decision().allows(Right::View) {
                let why = "the file's policy does not grant the right to view";
                return Err(self.refused(&Error::new(Code::Right, why)));
            }
            self.is_counted_policy(reader.policy())?;
            let closed = self.daemon.exits.before(&reader).map_err(|e| self.refused(&e))?;
            if let Some(why) = closed {
                self.daemon.say(&why.to_string());
            }
        }
        Ok(Sealed { reader, folder: Arc::clone(folder) })
    }

    /// A policy that says nothing of programs was not written with this in mind: where nothing
    /// confines them, it must speak of them.
    fn allows_bare(&self, folder: &Folder, real: &OsStr) -> Result<(), Errno> {
        let file = folder.open(real).map_err(errno::system)?;
        let policy = bulla::inspect(&file).map_err(|e| self.refused(&e))?.policy;
        let policy = policy.and_then(|policy| serde_json::from_value::<Policy>(policy).ok());
        if policy.is_some_and(|policy| policy.uses(Condition::Software)) {
            return Ok(());
        }
        let why = "the file's policy does not name the mode bare, which this program runs in";
        Err(self.refused(&Error::new(Code::Denied, why)))
    }

    /// Tells the user why, and gives what the program is told.
    pub(crate) fn refused(&self, e: &Error) -> Errno {
        self.daemon.say(&format!("{e} [{}]", e.code().name()));
        errno::of(e)
    }

    fn is_counted(&self, sealed: &Sealed) -> Result<bool, Errno> {
        self.is_counted_policy(sealed.reader.policy())
    }

    /// Remembers that a file under this policy was opened; gives whether it counts openings.
    fn is_counted_policy(&self, policy: &[u8]) -> Result<bool, Errno> {
        self.daemon.sources.add(policy).map_err(|e| self.refused(&e))
    }

    fn is_same(&self, number: u64, stamp: Stamp) -> bool {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        stamps.insert(number, stamp) == Some(stamp)
    }

    pub(crate) fn forget_stamp(&self, number: u64) {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    pub(crate) fn read(&self, handle: u64, out: &mut [u8], offset: u64) -> Result<usize, Errno> {
        match &*self.opened(handle)? {
            Opened::Plain(file) => {
                let mut done = 0;
                while done < out.len() {
                    match file.read_at(&mut out[done..], offset + done as u64) {
                        Ok(0) => break,
                        Ok(n) => done += n,
                        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(e) => return Err(e.into()),
                    }
                }
                Ok(done)
            }
            // Pages of a file that is only written are read to be completed.
            Opened::Sealed(h) if h.reads || h.writes => {
                h.read(out, offset).map_err(|e| self.refused(&e))
            }
            _ => Err(Errno::EBADF),
        }
    }

    /// The folder and name of a file, as long as it has one.
    pub(crate) fn where_it_is(&self, number: u64) -> Place {
        self.place(number).ok()
    }

    /// Seals what is not sealed yet of an open file.
    pub(crate) fn seal(&self, number: u64, content: &Content) -> Result<(), Errno> {
        let place = || self.where_it_is(number);
        let allow = |policy: &[u8], template: Option<&str>| self.daemon.allow(policy, template);
        content.seal(&self.daemon.session, allow, place).map_err(|e| self.refused(&e))
    }

    /// Seals what is not sealed yet of all open files.
    pub(crate) fn seal_all(&self) {
        let contents = self.contents().clone();
        for (number, content) in contents {
            // Who changed it is not there to be told; the user is.
            let _ = self.seal(number, &content);
        }
    }

    /// Closes; the last who has a file open seals it.
    pub(crate) fn close(&self, handle: u64) -> Result<(), Errno> {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = handles.remove(&handle) else { return Err(Errno::EBADF) };
        let Opened::Sealed(closed) = &*opened else { return Ok(()) };
        closed.rest();
        let others = handles
            .values()
            .any(|other| matches!(&**other, Opened::Sealed(h) if h.number == closed.number));
        drop(handles);
        if others {
            return Ok(());
        }
        let done = self.seal(closed.number, &closed.content);
        let mut contents = self.contents();
        // Somebody may have opened it meanwhile.
        if contents.get(&closed.number).is_some_and(|c| Arc::strong_count(c) <= 2) {
            contents.remove(&closed.number);
        }
        done
    }
}

fn stamp(entry: &Entry) -> Stamp {
    let stat = &entry.stat;
    #[allow(clippy::unnecessary_cast)] // of other widths on other machines
    (stat.st_ino as u64, stat.st_ctime as i64, stat.st_ctime_nsec as u64, stat.st_size as u64)
}
