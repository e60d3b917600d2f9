//! Changes in a view: what is made is sealed under the folder's template, what takes a sealed
//! file's place is a save of that file, plain files stay as they are.

use crate::content::Content;
use crate::errno;
use crate::folder::{Entry, Folder, Kind, SETTINGS};
use crate::opened::{Handle, Sealed, scratch};
use crate::seal::{Terms, metadata};
use crate::stream::Job;
use crate::view::{Opened, View, Wants};
use bulla::{Client, Existing, Right};
use fuser::{Errno, FileAttr, TimeOrNow};
use rustix::fs::{AtFlags, Mode, RenameFlags, Timespec, Timestamps};
use std::ffi::OsStr;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A name in a folder, by the folder's number.
type Name<'a> = (u64, &'a OsStr);

/// What is to be set.
pub(crate) struct Attributes {
    pub(crate) mode: Option<u32>,
    pub(crate) owner: (Option<u32>, Option<u32>),
    pub(crate) size: Option<u64>,
    pub(crate) times: (Option<TimeOrNow>, Option<TimeOrNow>),
}

const EDIT: Wants = Wants { read: false, write: true };

impl View {
    /// Makes a file, sealed and empty.
    pub(crate) fn create(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
        client: Client,
        wants: Wants,
    ) -> Result<(FileAttr, u64), Errno> {
        let path = self.tree.path(parent).ok_or(Errno::ENOENT)?;
        let folder = self.free(parent, name)?;
        let mut terms = match self.moved_from(parent, name, client)? {
            Some(terms) => terms,
            None => Terms::of_folder(&self.root, &path, &self.daemon.home)
                .map_err(|e| self.refused(&e))?,
        };
        self.may_seal(&terms)?;
        let (real, metadata) = (folder.name_for(name), metadata(name));
        let session = &self.daemon.session;
        terms
            .seal(session, &folder.path(&real), Existing::Keep, &metadata, |_| Ok(()))
            .map_err(|e| self.refused(&e))?;
        let mode = Mode::from_raw_mode(mode & 0o777);
        folder.set_mode(&real, mode).map_err(errno::system)?;
        let number = self.tree.number(parent, &real, true);
        let scratch = scratch(Arc::clone(&folder), Arc::clone(&self.root));
        let content = Content::made(Some((folder, real)), terms, metadata, scratch);
        let handle = self.made(number, Arc::new(content), wants);
        self.forget_stamp(number);
        let attributes = self.attributes(number)?;
        Ok((attributes, handle))
    }

    /// The folder, if the name is free there and may be used.
    fn free(&self, parent: u64, name: &OsStr) -> Result<Arc<Folder>, Errno> {
        if name == SETTINGS {
            return Err(Errno::EPERM);
        }
        let folder = self.folder(parent)?;
        match folder.shown(name) {
            // `X.bulla` is not shown where it is shown as `X`; no other file is shown by that name.
            Err(rustix::io::Errno::NOENT) if folder.is_free(name) => Ok(folder),
            Err(rustix::io::Errno::NOENT) | Ok(_) => Err(Errno::EEXIST),
            Err(e) => Err(errno::system(e)),
        }
    }

    /// The terms of a sealed file that had this name before it was renamed: programs save by
    /// moving the old file away and making a new one. One that somebody goes on to write is no
    /// older state of the new one, but another file.
    fn moved_from(
        &self,
        parent: u64,
        name: &OsStr,
        client: Client,
    ) -> Result<Option<Terms>, Errno> {
        let key = (parent, name.to_owned());
        let number = self.moved.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let number = number.filter(|number| !self.stays_written(*number));
        let Some((folder, real)) = number.and_then(|number| self.place(number).ok()) else {
            return Ok(None);
        };
        Ok(Some(Terms::Of(self.open_sealed(&folder, &real, client, EDIT)?)))
    }

    /// Whether somebody keeps a file open to write.
    fn stays_written(&self, number: u64) -> bool {
        // The kernel tells of a closing after whoever closed has gone on.
        for _ in 0..20 {
            if !self.is_written(number) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    fn may_seal(&self, terms: &Terms) -> Result<(), Errno> {
        let (policy, template) = terms.policy();
        self.may_write(policy, template)
    }

    fn may_write(&self, policy: &[u8], template: Option<&str>) -> Result<(), Errno> {
        self.daemon.allow(policy, template).map_err(|e| self.refused(&e))
    }

    pub(crate) fn make_folder(
        &self,
        parent: u64,
        name: &OsStr,
        mode: u32,
    ) -> Result<FileAttr, Errno> {
        let folder = self.free(parent, name)?;
        let mode = Mode::from_raw_mode(mode & 0o777);
        rustix::fs::mkdirat(&folder, name, mode).map_err(errno::system)?;
        let entry = folder.real(name).map_err(errno::system)?.ok_or(Errno::EIO)?;
        Ok(self.told(parent, &entry))
    }

    /// Removes a file or an empty folder.
    pub(crate) fn remove(&self, parent: u64, name: &OsStr, is_folder: bool) -> Result<(), Errno> {
        let folder = self.folder(parent)?;
        let entry = folder.shown(name).map_err(errno::system)?;
        let flags = match entry.kind {
            Kind::Folder if is_folder => AtFlags::REMOVEDIR,
            Kind::Folder => return Err(Errno::EISDIR),
            _ if is_folder => return Err(Errno::ENOTDIR),
            Kind::Plain => return Err(Errno::EACCES),
            Kind::Link | Kind::Sealed(_) => AtFlags::empty(),
        };
        let unlink = || -> Result<(), Errno> {
            rustix::fs::unlinkat(&folder, &entry.real, flags).map_err(errno::system)?;
            self.tree.remove(parent, &entry.real);
            Ok(())
        };
        match entry.kind {
            Kind::Folder => self.folders.change(unlink),
            Kind::Sealed(_) => {
                self.sharing(self.tree.number(parent, &entry.real, false), |content| {
                    let mut state = content.write_state();
                    unlink().map(|()| state.moved(None))
                })
            }
            Kind::Link | Kind::Plain => unlink(),
        }
    }

    pub(crate) fn rename(
        &self,
        from: Name<'_>,
        to: Name<'_>,
        keep: bool,
        client: Client,
    ) -> Result<(), Errno> {
        if to.1 == SETTINGS {
            return Err(Errno::EPERM);
        }
        let (source, target) = (self.folder(from.0)?, self.folder(to.0)?);
        let moving = source.shown(from.1).map_err(errno::system)?;
        if moving.kind == Kind::Plain {
            return Err(Errno::EACCES);
        }
        let mut replaces = moving.kind == Kind::Folder;
        let real = match target.shown(to.1) {
            Err(rustix::io::Errno::NOENT)
                if !target.is_free(to.1) && (from.0, moving.real.as_os_str()) != (to.0, to.1) =>
            {
                return Err(Errno::EEXIST);
            }
            Err(rustix::io::Errno::NOENT) => match moving.kind {
                Kind::Sealed(_) => target.name_for(to.1),
                _ => to.1.to_owned(),
            },
            Ok(_) if keep => return Err(Errno::EEXIST),
            Ok(there) if (from.0, &moving.real) == (to.0, &there.real) => return Ok(()),
            Ok(there) => match (moving.kind, there.kind) {
                (Kind::Sealed(_), Kind::Sealed(_)) => {
                    return self.save_over((from.0, source, moving), (to.0, target, there), client);
                }
                (_, Kind::Plain) => return Err(Errno::EACCES),
                (Kind::Folder, Kind::Folder) | (Kind::Link, Kind::Link) => {
                    replaces = true;
                    there.real
                }
                (Kind::Folder, _) => return Err(Errno::ENOTDIR),
                (_, Kind::Folder) => return Err(Errno::EISDIR),
                _ => return Err(Errno::EACCES),
            },
            Err(e) => return Err(errno::system(e)),
        };
        let flags = match replaces && !keep {
            true => RenameFlags::empty(),
            false => RenameFlags::NOREPLACE,
        };
        let rename = || -> Result<(), Errno> {
            rustix::fs::renameat_with(&source, &moving.real, &target, &real, flags)
                .map_err(errno::system)?;
            self.tree.rename((from.0, &moving.real), (to.0, &real));
            Ok(())
        };
        match moving.kind {
            Kind::Sealed(_) => {
                let number = self.tree.number(from.0, &moving.real, false);
                let made = self.sharing(number, |content| {
                    let mut state = content.write_state();
                    rename()?;
                    state.moved(Some((Arc::clone(&target), real.clone())));
                    Ok(state.is_made())
                })?;
                let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
                moved.remove(&(to.0, to.1.to_owned()));
                if !made {
                    moved.insert((from.0, from.1.to_owned()), number);
                }
                Ok(())
            }
            Kind::Folder => self.folders.change(rename),
            Kind::Link | Kind::Plain => rename(),
        }
    }

    /// A sealed file takes another's place: its content is saved under the other's license. Whoever
    /// has it open goes on with that; whoever has the other open has a file without a name.
    fn save_over(
        &self,
        from: (u64, Arc<Folder>, Entry),
        to: (u64, Arc<Folder>, Entry),
        client: Client,
    ) -> Result<(), Errno> {
        let (source, target) = (from.1, to.1);
        let number = self.tree.number(from.0, &from.2.real, false);
        let replaced = self.tree.number(to.0, &to.2.real, false);
        let path = target.path(&to.2.real);
        let view = Wants { read: true, write: false };
        let over = |content: &Content, replaced: &Content| loop {
            let before = replaced.read_state().version;
            let moving = match content.is_made() {
                true => None,
                false => Some(self.open_sealed(&source, &from.2.real, client, view)?),
            };
            let last = moving.clone().or_else(|| content.read_state().saved().cloned());
            // A later state of the other one needs no more than its name.
            let later = last.filter(|last| precedes(&target, &to.2.real, last));
            let other = match &later {
                Some(_) => None,
                None => Some(self.open_sealed(&target, &to.2.real, client, EDIT)?),
            };
            for terms in later.iter().chain(&other) {
                self.may_write(terms.policy(), terms.template())?;
            }
            // Not before: what is asked about a program may be in these very files. The kernel lets
            // nobody rename the other way round meanwhile.
            let (mut replaced, mut state) = (replaced.write_state(), content.write_state());
            if replaced.version != before {
                // It was sealed meanwhile, and is not what was opened.
                continue;
            }
            let (old, new) = ((&source, &from.2.real), (&target, &to.2.real));
            let done = match &other {
                None => {
                    state.seal(&self.daemon.session).map_err(|e| self.refused(&e))?;
                    rustix::fs::renameat(old.0, old.1, new.0, new.1).map_err(errno::system)?;
                    bulla::sync_folder(&new.0.path(OsStr::new(""))).map_err(|e| self.refused(&e))
                }
                Some(other) => {
                    content
                        .take_over(&mut state, other, &path, moving.as_ref())
                        .map_err(|e| self.refused(&e))?;
                    rustix::fs::unlinkat(old.0, old.1, AtFlags::empty()).map_err(errno::system)
                }
            };
            // It has the name by now, whatever came of the rest.
            replaced.moved(None);
            state.moved(Some((Arc::clone(new.0), new.1.clone())));
            self.tree.rename((from.0, old.1), (to.0, new.1));
            return done;
        };
        self.sharing(number, |content| self.sharing(replaced, |replaced| over(content, replaced)))
    }

    pub(crate) fn set_attributes(
        &self,
        number: u64,
        handle: Option<u64>,
        client: Client,
        wanted: &Attributes,
    ) -> Result<FileAttr, Errno> {
        let (owner, this) = (wanted.owner, self.owner);
        if owner.0.is_some_and(|uid| uid != this.uid) || owner.1.is_some_and(|gid| gid != this.gid)
        {
            return Err(Errno::EPERM);
        }
        if let Some(size) = wanted.size {
            self.truncate(number, handle, client, size)?;
        }
        let settable = || {
            let (folder, real) = self.place(number)?;
            let entry = folder.real(&real).map_err(errno::system)?.ok_or(Errno::ENOENT)?;
            if entry.kind == Kind::Plain { Err(Errno::EACCES) } else { Ok((folder, real)) }
        };
        // What is set of an open file without a name, nobody sees.
        let seen = self.tree.place(number).is_some() || !self.in_use(number);
        if let Some(mode) = wanted.mode.filter(|_| seen) {
            let (folder, real) = settable()?;
            let mode = Mode::from_raw_mode(mode & 0o777);
            folder.set_mode(&real, mode).map_err(errno::system)?;
        }
        // The times of a file that was cut are those of its sealing.
        if seen && wanted.size.is_none() && (wanted.times.0.is_some() || wanted.times.1.is_some()) {
            let (folder, real) = settable()?;
            let (accessed, modified) = wanted.times;
            let times =
                Timestamps { last_access: time(accessed), last_modification: time(modified) };
            rustix::fs::utimensat(&folder, &real, &times, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(errno::system)?;
        }
        self.attributes(number)
    }

    fn truncate(
        &self,
        number: u64,
        handle: Option<u64>,
        client: Client,
        size: u64,
    ) -> Result<(), Errno> {
        if let Some(handle) = handle {
            return self.written(handle, |h| h.content.truncate(size));
        }
        let (handle, _) = self.open(number, client, EDIT)?;
        let done = self.written(handle, |h| h.content.truncate(size));
        let sealed = self.flush(handle);
        self.close(handle)?;
        done.and(sealed)
    }

    /// Changes the content of an open file.
    fn written<T>(
        &self,
        handle: u64,
        change: impl FnOnce(&Handle) -> io::Result<T>,
    ) -> Result<T, Errno> {
        match &*self.opened(handle)? {
            Opened::Sealed(h) if h.writes => {
                if !h.allows(Right::Edit) {
                    return Err(Errno::EACCES);
                }
                // Again when it is sealed; but not all programs look at what comes of closing.
                let allow =
                    |policy: &[u8], template: Option<&str>| self.daemon.allow(policy, template);
                h.content.allowed(allow).map_err(|e| self.refused(&e))?;
                change(h).map_err(|e| self.refused(&bulla::Error::io("writing", e)))
            }
            Opened::Sealed(_) | Opened::Plain(_) | Opened::List(_) => Err(Errno::EBADF),
        }
    }

    /// Gives what is to be sealed once the program has its answer.
    pub(crate) fn write(&self, handle: u64, data: &[u8], offset: u64) -> Result<Vec<Job>, Errno> {
        self.written(handle, |h| h.content.write(&self.daemon.session, data, offset))
    }

    pub(crate) fn allocate(&self, handle: u64, offset: u64, length: u64) -> Result<(), Errno> {
        let end = offset.checked_add(length).ok_or(Errno::EFBIG)?;
        self.written(handle, |h| match h.content.len() {
            Some(len) if len < end => h.content.truncate(end),
            _ => Ok(()),
        })
    }

    /// Seals what was changed through this handle.
    pub(crate) fn flush(&self, handle: u64) -> Result<(), Errno> {
        match &*self.opened(handle)? {
            Opened::Sealed(h) if h.writes => self.seal(&h.content),
            _ => Ok(()),
        }
    }
}

/// Whether what has this name is an earlier state, under the same license, of a file that may be
/// edited.
fn precedes(folder: &Folder, real: &OsStr, last: &Sealed) -> bool {
    let there = folder.open(real).ok().and_then(|file| bulla::inspect(&file).ok());
    let (Some(there), Ok(made)) = (there, bulla::inspect(last.file())) else { return false };
    let same = there.file == made.file && there.license == made.license;
    same && there.revision < made.revision && last.decision().allows(Right::Edit)
}

fn time(time: Option<TimeOrNow>) -> Timespec {
    match time {
        None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        Some(TimeOrNow::Now) => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
        Some(TimeOrNow::SpecificTime(time)) => since_1970(time),
    }
}

fn since_1970(time: SystemTime) -> Timespec {
    match time.duration_since(UNIX_EPOCH) {
        Ok(d) => Timespec { tv_sec: d.as_secs() as i64, tv_nsec: d.subsec_nanos().into() },
        // Whole seconds will do before 1970.
        Err(e) => Timespec { tv_sec: -(e.duration().as_secs() as i64), tv_nsec: 0 },
    }
}
