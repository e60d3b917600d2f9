//! Open sealed files: at any place, and as streams.

use crate::atomic::{Beside, OutputFile};
use crate::cobblestone::{Encryptor, ReadAt, SeekReader, StreamReader, Work};
use crate::encoding::Id;
use crate::header::{Description, Header, Metadata};
use crate::lease::Lease;
use crate::memory::Secret;
use crate::parts::{Ending, PartsWriter};
use crate::policy::{Decision, Duties, Right};
use crate::save::{Original, Save, SaveStream};
use crate::seal::Writer;
use crate::session::Session;
use crate::{Code, Error, Result, payload};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open sealed file: `Read` and `Seek`, and [`read_at`](Reader::read_at) from many threads.
pub struct Reader<S = File> {
    inner: SeekReader<S>,
    header: Header,
    file_key: Secret,
    metadata: Metadata,
    lease: Arc<Lease>,
    position: u64,
    path: Option<PathBuf>,
}

impl<S: ReadAt> Reader<S> {
    pub(crate) fn new(
        inner: SeekReader<S>,
        header: Header,
        file_key: Secret,
        metadata: Metadata,
        lease: Lease,
    ) -> Self {
        let lease = Arc::new(lease);
        Reader { inner, header, file_key, metadata, lease, position: 0, path: None }
    }

    pub(crate) fn at(self, path: &Path) -> Self {
        Reader { path: Some(path.to_owned()), ..self }
    }

    /// Bytes of the content.
    pub fn len(&self) -> u64 {
        self.inner.len()
    }

    /// Whether there is no content.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Reads from `offset` until `out` is full or the end is reached; 0 past the end.
    ///
    /// # Errors
    /// [`Code::Chunk`] if the file was changed; from then on every read fails. [`Code::Right`]
    /// without the right to view, [`Code::Ended`] after the decision's end.
    pub fn read_at(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        self.lease.require(Right::View)?;
        let n = self.inner.read_at(out, offset).map_err(|e| self.lease.failed_read(e))?;
        self.lease.still(&mut out[..n])?;
        Ok(n)
    }

    /// Lets go of the content that is kept for the next read, where nobody reads for a while.
    pub fn rest(&self) {
        self.inner.rest();
    }

    /// The original's name, type and times.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What was decided: rights, duties, until when, and why not more. After a refresh of the session
    /// it may be another; once it ended it grants nothing.
    pub fn decision(&self) -> Arc<Decision> {
        self.lease.decision()
    }

    /// What may be done with the file.
    pub fn rights(&self) -> BTreeSet<Right> {
        self.decision().rights().map(|(right, _)| right).collect()
    }

    /// What the host must do while it uses a right; `None` where it is not granted.
    pub fn duties(&self, right: Right) -> Option<Duties> {
        self.decision().duties(right).cloned()
    }

    /// Until when (exclusive) reads succeed: Unix seconds; `None` without an end.
    pub fn until(&self) -> Option<u64> {
        self.lease.until()
    }

    /// The text of the watermark, ready to draw.
    pub fn watermark(&self) -> String {
        Session::watermark(self.lease.shared(), &self.header.license.claims().iss)
    }

    /// The file's id.
    pub fn file_id(&self) -> Id {
        self.header.license.claims().file
    }

    /// How often the file was saved, the first sealing included.
    pub fn revision(&self) -> u64 {
        self.header.description.rev
    }

    /// The policy's bytes.
    pub fn policy(&self) -> &[u8] {
        &self.header.license.claims().policy.0
    }

    /// The name of the template that a device made the file under; `None` of an issued file.
    pub fn template(&self) -> Option<&str> {
        let delegation = self.header.license.delegation.as_ref()?;
        Some(&delegation.template.claims.name)
    }

    /// Checks a right and records that it is used now, before the host lets it happen: printing,
    /// copying to the clipboard, a capture, an export by the host itself.
    ///
    /// # Errors
    /// [`Code::Right`] without the right, [`Code::Ended`] after the decision's end,
    /// [`Code::BadArgument`] for `View` and `Edit`, which reads and saves check by themselves.
    pub fn exercise(&self, right: Right) -> Result<()> {
        if matches!(right, Right::View | Right::Edit) {
            let why = "viewing and editing are checked by reads and saves themselves";
            return Err(Error::new(Code::BadArgument, why));
        }
        self.lease.exercise(right, |entry| entry)
    }

    /// Lets the plain content leave. It is recorded first.
    ///
    /// # Errors
    /// [`Code::Right`] without the right to export.
    pub fn export(&self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        self.lease.exercise(Right::Export, |entry| entry)?;
        let exported = self.inner.copy_to(&mut While { inner: to, lease: &self.lease });
        exported.map_err(|e| self.lease.failed(e))
    }

    /// The same by several threads.
    pub fn export_by<W: Write + Send + ?Sized>(
        &self,
        to: &mut W,
        work: &mut Work<'_>,
    ) -> Result<u64> {
        self.lease.exercise(Right::Export, |entry| entry)?;
        let exported = self.inner.copy_by(&mut While { inner: to, lease: &self.lease }, work);
        exported.map_err(|e| self.lease.failed(e))
    }

    /// The same to a new file, which is not finished by it.
    pub fn export_to(&self, to: &mut OutputFile, work: &mut Work<'_>) -> Result<u64> {
        self.lease.exercise(Right::Export, |entry| entry)?;
        let allowed = || self.lease.require(Right::Export);
        let exported = self.inner.copy_to_file(to.file(), work, allowed);
        exported.map_err(|e| self.lease.failed(e))
    }

    /// Starts a save whose envelope goes to `out`: for files that a host keeps elsewhere than at a
    /// path, such as in a database. The host puts it in the old one's place, if that still is the
    /// one that was opened.
    ///
    /// # Errors
    /// [`Code::Right`] without the right to edit.
    pub fn save_to<W: Write>(&self, metadata: &Metadata, out: W) -> Result<SaveStream<W>> {
        self.lease.permit(Right::Edit)?;
        let header = self.next_header(metadata)?;
        let rev = header.description.rev;
        let inner = payload::begin(&header, &self.file_key, out)?;
        Ok(SaveStream { inner, lease: Arc::clone(&self.lease), rev })
    }

    /// The header of the revision that comes after this one.
    fn next_header(&self, metadata: &Metadata) -> Result<Header> {
        let rev = self.header.description.rev + 1;
        let (id, prev) = (self.file_id(), self.inner.commitment());
        let description = Description::new(&self.file_key, &id, rev, Some(&prev), metadata)?;
        Header::new(self.header.license.clone(), description)
    }
}

impl Reader<File> {
    /// Starts a save: new content under the same license. The file is replaced by
    /// [`Writer::finish`], if it is still the one that was opened.
    ///
    /// # Errors
    /// [`Code::Right`] without the right to edit.
    pub fn save(&self, metadata: &Metadata) -> Result<Writer> {
        self.save_at(self.path()?, metadata)
    }

    /// The same for a file that has this path by now: it, or a folder above it, was renamed.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_at(&self, path: &Path, metadata: &Metadata) -> Result<Writer> {
        let (inner, save) = self.begin_save(path, metadata)?;
        Ok(Writer::saving(inner, save))
    }

    /// The same for content that comes in parts; ended by [`PartsWriter::finish_save`].
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_in_parts(&self, path: &Path, metadata: &Metadata) -> Result<PartsWriter> {
        let (inner, save) = self.begin_save(path, metadata)?;
        PartsWriter::new(inner, Ending::Saved(save))
    }

    fn begin_save(&self, path: &Path, metadata: &Metadata) -> Result<(Encryptor<Beside>, Save)> {
        self.lease.permit(Right::Edit)?;
        let header = self.next_header(metadata)?;
        let (rev, commitment) = (header.description.rev, self.inner.commitment());
        let inner = payload::begin(&header, &self.file_key, Beside::create(path, false)?)?;
        let path = path.to_owned();
        let original = Original { path, header: self.header.to_bytes(), commitment };
        let save = Save { original, lease: Arc::clone(&self.lease), rev };
        Ok((inner, save))
    }

    fn path(&self) -> Result<&Path> {
        let none = || Error::new(Code::State, "this file was not opened from a path");
        self.path.as_deref().ok_or_else(none)
    }
}

impl Reader<File> {
    /// The content that a finished [`save`](Self::save), or several, have put in this one's place,
    /// under the same decision: so that what was saved need not be opened and counted again.
    ///
    /// # Errors
    /// [`Code::Changed`] if the file is no later revision of this one under the same license.
    pub fn saved(&self) -> Result<Self> {
        self.saved_at(self.path()?)
    }

    /// The same for a file that has this path by now: it, or a folder above it, was renamed.
    ///
    /// # Errors
    /// Those of [`saved`](Self::saved).
    pub fn saved_at(&self, path: &Path) -> Result<Self> {
        let source = File::open(path).map_err(|e| Error::io("opening the file", e))?;
        Ok(self.follow(source, self.revision() + 1)?.at(path))
    }

    /// The content that another has open of the same file, under this one's decision: also of a
    /// file that was removed since.
    ///
    /// # Errors
    /// [`Code::Changed`] if the other's is an earlier revision, or under another license.
    pub fn saved_as(&self, other: &Self) -> Result<Self> {
        let source = other.file().try_clone().map_err(|e| Error::io("opening the file", e))?;
        self.follow(source, self.revision())
    }

    /// The sealed file that this reads.
    pub fn file(&self) -> &File {
        self.inner.source()
    }

    fn follow(&self, source: File, least: u64) -> Result<Self> {
        let (header, stored) = Header::read(&source)?;
        if header.license.token.text != self.header.license.token.text
            || header.description.rev < least
        {
            let why = "somebody else saved or re-licensed this file meanwhile: open it again";
            return Err(Error::new(Code::Changed, why));
        }
        let file_key = Secret::from_slice(self.file_key.expose()).expect("a key's length");
        let inner = payload::open(&header, &file_key, source, stored)?;
        let metadata = header.description.open(&file_key, &self.file_id())?;
        let (lease, path) = (Arc::clone(&self.lease), self.path.clone());
        Ok(Reader { inner, header, file_key, metadata, lease, position: 0, path })
    }
}

/// A writer that fails when the decision ends.
struct While<'a, W: ?Sized> {
    inner: &'a mut W,
    lease: &'a Lease,
}

impl<W: Write + ?Sized> Write for While<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.lease.require(Right::Export)?;
        self.inner.write(data)
    }

    fn write_vectored(&mut self, data: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.lease.require(Right::Export)?;
        self.inner.write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: ReadAt> Read for Reader<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.read_at(out, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl<S: ReadAt> Seek for Reader<S> {
    /// Past the end is allowed; reads there give nothing.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(n) => self.len().checked_add_signed(n),
            SeekFrom::Current(n) => self.position.checked_add_signed(n),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "a seek before the start");
        self.position = position.ok_or_else(before)?;
        Ok(self.position)
    }
}

/// A sealed stream being read once. That it was not cut is known only at its end.
pub struct SealedStream<R: Read> {
    inner: StreamReader<R>,
    metadata: Metadata,
    lease: Lease,
}

impl<R: Read> SealedStream<R> {
    pub(crate) fn new(inner: StreamReader<R>, metadata: Metadata, lease: Lease) -> Self {
        SealedStream { inner, metadata, lease }
    }

    /// The original's name, type and times.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What was decided.
    pub fn decision(&self) -> Arc<Decision> {
        self.lease.decision()
    }

    /// Lets the plain content leave; errors as [`Reader::export`].
    pub fn export(&mut self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        self.lease.exercise(Right::Export, |entry| entry)?;
        let exported = self.inner.copy_to(&mut While { inner: to, lease: &self.lease });
        exported.map_err(|e| self.lease.failed(e))
    }
}

impl<R: Read> Read for SealedStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.lease.require(Right::View)?;
        let read = self.inner.read(out);
        let n = read.map_err(|e| self.lease.failed_read(Error::io("reading the file", e)))?;
        self.lease.still(&mut out[..n])?;
        Ok(n)
    }
}
