//! A view of one folder: names and attributes, opening, reading.

use crate::attributes::{self, LARGE, Owner};
use crate::content::Content;
use crate::errno;
use crate::folder::{Entry, Folder, Kind};
use crate::folders::Folders;
use crate::opened::{Handle, Lease, Sealed, scratch};
use crate::recent::{Program, Recent, Stamp};
use crate::serve::Daemon;
use crate::tree::{ROOT, Tree};
use bulla::policy::{Condition, Policy};
use bulla::{Access, Client, Code, Error, Reader, Right};
use fuser::{Errno, FileAttr};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Something that is open.
pub(crate) enum Opened {
    Plain(File),
    Sealed(Handle),
    /// A folder, with its names when it was opened.
    List(Vec<(OsString, Entry)>),
}

pub(crate) struct View {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) root: Arc<Folder>,
    pub(crate) tree: Tree,
    pub(crate) folders: Folders,
    pub(crate) owner: Owner,
    handles: RwLock<HashMap<u64, Arc<Opened>>>,
    last: AtomicU64,
    /// What is open, by number, and how many share it.
    contents: Mutex<HashMap<u64, (Arc<Content>, usize)>>,
    /// Names that sealed files had before they were renamed, and their numbers: what is made by
    /// such a name is a save of that file.
    pub(crate) moved: Mutex<HashMap<(u64, OsString), u64>>,
    /// Which content the kernel's pages of a file are of.
    stamps: Mutex<HashMap<u64, Stamp>>,
    pub(crate) recent: Recent,
    /// Whether the kernel can map files of which it keeps no pages.
    pub(crate) direct: AtomicBool,
}

/// What a name was found to be, opened.
enum Found {
    Plain(File),
    Sealed(Sealed),
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
            root: Arc::new(Folder::root(folder)?.hiding(daemon.home.folder())?),
            daemon,
            tree: Tree::default(),
            folders: Folders::default(),
            owner: Owner::this(),
            handles: RwLock::default(),
            last: AtomicU64::new(0),
            contents: Mutex::default(),
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

    fn contents(&self) -> MutexGuard<'_, HashMap<u64, (Arc<Content>, usize)>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shared content of a file that is open.
    pub(crate) fn content(&self, number: u64) -> Option<Arc<Content>> {
        self.contents().get(&number).map(|(content, _)| Arc::clone(content))
    }

    /// Whether a number is in use by something that is open.
    pub(crate) fn in_use(&self, number: u64) -> bool {
        self.contents().contains_key(&number)
    }

    /// The content of a file, shared with all who have it open. Whoever renames the file shares it
    /// as well, so that all learn of it.
    fn share(&self, number: u64) -> Result<Arc<Content>, Errno> {
        let mut contents = self.contents();
        if let Some((content, shared)) = contents.get_mut(&number) {
            *shared += 1;
            return Ok(Arc::clone(content));
        }
        let content = Arc::new(Content::at(Some(self.place(number)?)));
        contents.insert(number, (Arc::clone(&content), 1));
        Ok(content)
    }

    fn release(&self, number: u64, content: &Arc<Content>) {
        let mut contents = self.contents();
        if let Some((known, shared)) = contents.get_mut(&number)
            && Arc::ptr_eq(known, content)
        {
            *shared -= 1;
            if *shared == 0 {
                contents.remove(&number);
            }
        }
    }

    /// Does something with the content of a file, whether it is open or not.
    pub(crate) fn sharing<T>(
        &self,
        number: u64,
        work: impl FnOnce(&Content) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let content = self.share(number)?;
        let done = work(&content);
        self.release(number, &content);
        done
    }

    /// Whether somebody has a file open to write.
    pub(crate) fn is_written(&self, number: u64) -> bool {
        self.all_opened()
            .iter()
            .any(|opened| matches!(&**opened, Opened::Sealed(h) if h.number == number && h.writes))
    }

    /// A file that was made here goes on as this content.
    pub(crate) fn made(&self, number: u64, content: Arc<Content>, wants: Wants) -> u64 {
        self.contents().insert(number, (Arc::clone(&content), 1));
        let lease = Lease::new(None, content.read_state().version);
        self.keep(Opened::Sealed(Handle::new(number, content, (wants.read, wants.write), lease)))
    }

    /// Opens a file; gives its handle, and whether the kernel's pages of it are of this content.
    pub(crate) fn open(
        &self,
        number: u64,
        client: Client,
        wants: Wants,
    ) -> Result<(u64, Pages), Errno> {
        let content = self.share(number)?;
        let opened = self.open_shared(number, &content, client, wants);
        if !matches!(opened, Ok((Opened::Sealed(_), _))) {
            self.release(number, &content);
        }
        opened.map(|(opened, pages)| (self.keep(opened), pages))
    }

    /// Opens a file under the name that it has by now.
    fn open_shared(
        &self,
        number: u64,
        content: &Arc<Content>,
        client: Client,
        wants: Wants,
    ) -> Result<(Opened, Pages), Errno> {
        loop {
            let (place, moves) = content.place();
            let (folder, real) = place.ok_or(Errno::ENOENT)?;
            // So that it can be decided about, and is there whatever happens to its maker.
            if content.is_made() {
                self.seal(content)?;
            }
            // What is sealed from now on is news to the handle.
            let version = content.read_state().version;
            let opened = self.open_at(number, (&folder, &real), client, wants);
            if content.place().1 != moves {
                // It was renamed meanwhile, and this may have been another.
                continue;
            }
            let (file, pages) = opened?;
            let sealed = match file {
                Found::Plain(file) => return Ok((Opened::Plain(file), pages)),
                Found::Sealed(sealed) => sealed,
            };
            if wants.write {
                content.writable(&sealed, scratch(folder, Arc::clone(&self.root)));
            }
            let lease = Lease::new(Some(sealed), version);
            let wants = (wants.read, wants.write);
            let handle = Handle::new(number, Arc::clone(content), wants, lease);
            return Ok((Opened::Sealed(handle), pages));
        }
    }

    fn open_at(
        &self,
        number: u64,
        (folder, real): (&Folder, &OsStr),
        client: Client,
        wants: Wants,
    ) -> Result<(Found, Pages), Errno> {
        let entry = folder.real(real).map_err(errno::system)?.ok_or(Errno::ENOENT)?;
        let stamp = stamp(&entry);
        match entry.kind {
            Kind::Plain if wants.write => Err(Errno::EACCES),
            Kind::Plain => {
                let file = folder.open(real).map_err(errno::system)?;
                Ok((Found::Plain(file), self.pages(number, stamp)))
            }
            Kind::Sealed(_) if wants.write && !self.daemon.writable => Err(Errno::EROFS),
            Kind::Sealed(size) => {
                let pages = self.pages(number, stamp);
                let direct = !wants.write && size >= LARGE && self.direct.load(Ordering::Relaxed);
                let pages = if direct { Pages::None } else { pages };
                let program = if wants.write { None } else { Program::of(client.pid) };
                let key = program.map(|program| (number, stamp, program));
                // What was decided a moment ago holds.
                if let Some(sealed) = key.as_ref().and_then(|key| self.recent.get(key)) {
                    return Ok((Found::Sealed(sealed), pages));
                }
                let sealed = self.open_sealed(folder, real, client, wants)?;
                if let Some(key) = key
                    && !self.is_counted(sealed.policy())?
                {
                    self.recent.put(key, &sealed);
                }
                Ok((Found::Sealed(sealed), pages))
            }
            Kind::Folder => Err(Errno::EISDIR),
            Kind::Link => Err(Errno::ELOOP),
        }
    }

    /// Decides, and opens a sealed file for a program.
    pub(crate) fn open_sealed(
        &self,
        folder: &Folder,
        real: &OsStr,
        client: Client,
        wants: Wants,
    ) -> Result<Sealed, Errno> {
        if !self.daemon.confined {
            self.allows_bare(&folder.open(real).map_err(errno::system)?)?;
        }
        let right = if wants.write { Right::Edit } else { Right::View };
        let also = self.daemon.exits.demand().filter(|_| wants.read);
        let access = Access { right, also, older: false, client: Some(client) };
        let opened = self.daemon.session.open_for(&folder.path(real), access);
        self.admitted(opened, wants)
    }

    /// Decides about a program that reads on, where the file has got another license.
    fn decide_again(&self, handle: &Handle, client: Client) -> Result<(), Errno> {
        let state = handle.content.read_state();
        let Some(base) = state.base().cloned() else { return Err(Errno::EACCES) };
        let version = state.version;
        drop(state);
        if !self.daemon.confined {
            self.allows_bare(base.file())?;
        }
        let also = self.daemon.exits.demand();
        let access = Access { right: Right::View, also, older: false, client: Some(client) };
        // It may have no name any more.
        let file = base.file().try_clone()?;
        let opened = self.daemon.session.open_source_for(file, access);
        let sealed = self.admitted(opened, Wants { read: true, write: false })?;
        handle.renew(Lease::new(Some(sealed), version));
        Ok(())
    }

    /// What was opened, as far as it may be read.
    fn admitted(&self, opened: bulla::Result<Reader<File>>, wants: Wants) -> Result<Sealed, Errno> {
        let reader = Arc::new(opened.map_err(|e| self.refused(&e))?);
        if wants.read {
            if !reader.decision().allows(Right::View) {
                let why = "the file's policy does not grant the right to view";
                return Err(self.refused(&Error::new(Code::Right, why)));
            }
            self.is_counted(reader.policy())?;
            let closed = self.daemon.exits.before(&reader).map_err(|e| self.refused(&e))?;
            if let Some(why) = closed {
                self.daemon.say(&why.to_string());
            }
        }
        Ok(reader)
    }

    /// A policy that says nothing of programs was not written with this in mind: where nothing
    /// confines them, it must speak of them.
    fn allows_bare(&self, file: &File) -> Result<(), Errno> {
        let policy = bulla::inspect(file).map_err(|e| self.refused(&e))?.policy;
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

    /// Remembers that a file under this policy was opened; gives whether it counts openings.
    fn is_counted(&self, policy: &[u8]) -> Result<bool, Errno> {
        self.daemon.sources.add(policy).map_err(|e| self.refused(&e))
    }

    /// What its pages of a file are worth that looks like this now.
    fn pages(&self, number: u64, stamp: Stamp) -> Pages {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if stamps.insert(number, stamp) == Some(stamp) { Pages::Same } else { Pages::Fresh }
    }

    pub(crate) fn forget_stamp(&self, number: u64) {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Reads for the process that `client` finds.
    pub(crate) fn read(
        &self,
        opened: &Opened,
        client: impl Fn() -> Result<Client, Errno>,
        out: &mut [u8],
        offset: u64,
    ) -> Result<usize, Errno> {
        match opened {
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
            Opened::Sealed(h) if h.reads || h.writes => loop {
                if let Some(n) = h.read(out, offset).map_err(|e| self.refused(&e))? {
                    return Ok(n);
                }
                self.decide_again(h, client()?)?;
            },
            _ => Err(Errno::EBADF),
        }
    }

    /// Seals what is not sealed yet of an open file.
    pub(crate) fn seal(&self, content: &Content) -> Result<(), Errno> {
        let allow = |policy: &[u8], template: Option<&str>| self.daemon.allow(policy, template);
        content.seal(&self.daemon.session, allow).map_err(|e| self.refused(&e))
    }

    /// Seals what is not sealed yet of all open files.
    pub(crate) fn seal_all(&self) {
        let contents: Vec<_> = self.contents().values().map(|(c, _)| Arc::clone(c)).collect();
        for content in contents {
            // Who changed it is not there to be told; the user is.
            let _ = self.seal(&content);
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
        let done = if others { Ok(()) } else { self.seal(&closed.content) };
        self.release(closed.number, &closed.content);
        done
    }
}

fn stamp(entry: &Entry) -> Stamp {
    let stat = &entry.stat;
    #[allow(clippy::unnecessary_cast)] // of other widths on other machines
    (stat.st_ino as u64, stat.st_ctime as i64, stat.st_ctime_nsec as u64, stat.st_size as u64)
}
