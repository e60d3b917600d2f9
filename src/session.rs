//! Opening: bytes → header → license → decision → key → chunks, in that order.

use crate::access::{self, require};
use crate::atomic::Beside;
use crate::clock::Clock;
use crate::cobblestone::{ReadAt, SeekReader, StreamReader};
use crate::encoding::Id;
use crate::header::{Description, Header, Metadata};
use crate::keys::Identity;
use crate::memory::Secret;
use crate::policy::Right;
use crate::save::Original;
use crate::seal::Writer;
use crate::trust::Trust;
use crate::{Code, Error, Result, payload};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A device at work: its identity and whom it trusts. Can be shared by threads.
pub struct Session {
    trust: Trust,
    identity: Identity,
    pub(crate) clock: Clock,
}

impl Session {
    /// A session of this device.
    pub fn new(trust: Trust, identity: Identity) -> Self {
        Session { trust, identity, clock: Clock::System }
    }

    /// The device's identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Opens a sealed file.
    ///
    /// # Errors
    /// Class *format* if it is not a sound envelope, *denied* if root, license or policy do not
    /// let this device open it, *tampered* if anything in it was changed.
    pub fn open(&self, path: &Path) -> Result<Reader<File>> {
        let file = File::open(path).map_err(|e| Error::io("opening the file", e))?;
        let mut reader = self.open_source(file)?;
        reader.path = Some(path.to_owned());
        Ok(reader)
    }

    /// The same from any source of bytes.
    pub fn open_source<S: ReadAt>(&self, source: S) -> Result<Reader<S>> {
        let (header, stored) = Header::read(&source)?;
        let (rights, file_key) = self.admit(&header)?;
        let inner = payload::open(&header, &file_key, source, stored)?;
        let metadata = header.description.open(&file_key, &header.license.claims().file)?;
        Ok(Reader { inner, header, file_key, metadata, rights, position: 0, path: None })
    }

    /// The same from a stream, to be read once from start to end.
    pub fn open_stream<R: Read>(&self, mut stream: R) -> Result<SealedStream<R>> {
        let header = Header::read_stream(&mut stream)?;
        let (rights, file_key) = self.admit(&header)?;
        let inner = payload::open_stream(&header, &file_key, stream)?;
        let metadata = header.description.open(&file_key, &header.license.claims().file)?;
        Ok(SealedStream { inner, metadata, rights })
    }

    /// License, then decision, then key: a denial touches no key.
    fn admit(&self, header: &Header) -> Result<(BTreeSet<Right>, Secret<32>)> {
        header.license.verify(&self.trust, self.clock.now())?;
        let rights = access::decide(&header.license.claims().policy.0)?;
        require(&rights, Right::View)?;
        Ok((rights, header.license.file_key(&self.identity.kem)?))
    }
}

/// An open sealed file: `Read` and `Seek`, and [`read_at`](Reader::read_at) from many threads.
pub struct Reader<S = File> {
    inner: SeekReader<S>,
    header: Header,
    file_key: Secret<32>,
    metadata: Metadata,
    rights: BTreeSet<Right>,
    position: u64,
    path: Option<PathBuf>,
}

impl<S: ReadAt> Reader<S> {
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
    /// [`Code::Chunk`] if the file was changed; from then on every read fails.
    pub fn read_at(&self, out: &mut [u8], offset: u64) -> Result<usize> {
        self.inner.read_at(out, offset)
    }

    /// The original's name, type and times.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What may be done with the file.
    pub fn rights(&self) -> &BTreeSet<Right> {
        &self.rights
    }

    /// The file's id.
    pub fn file_id(&self) -> Id {
        self.header.license.claims().file
    }

    /// How often the file was saved, the first sealing included.
    pub fn revision(&self) -> u64 {
        self.header.description.rev
    }

    /// Lets the plain content leave.
    ///
    /// # Errors
    /// [`Code::Right`] without the right to export.
    pub fn export(&self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        require(&self.rights, Right::Export)?;
        self.inner.copy_to(to)
    }
}

impl Reader<File> {
    /// Starts a save: new content under the same license. The file is replaced by
    /// [`Writer::finish`], if it is still the one that was opened.
    ///
    /// # Errors
    /// [`Code::Right`] without the right to edit.
    pub fn save(&self, metadata: &Metadata) -> Result<Writer> {
        require(&self.rights, Right::Edit)?;
        let Some(path) = &self.path else {
            return Err(Error::new(Code::State, "this file was not opened from a path"));
        };
        let commitment = self.inner.commitment();
        let rev = self.header.description.rev + 1;
        let prev = Some(&commitment);
        let id = self.file_id();
        let description = Description::new(&self.file_key, &id, rev, prev, metadata)?;
        let header = Header::new(self.header.license.clone(), description)?;
        let inner = payload::begin(&header, &self.file_key, Beside::create(path, false)?)?;
        let original = Original { path: path.clone(), header: self.header.to_bytes(), commitment };
        Ok(Writer::over(inner, original))
    }
}

impl<S: ReadAt> Read for Reader<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read_at(out, self.position)?;
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
    rights: BTreeSet<Right>,
}

impl<R: Read> SealedStream<R> {
    /// The original's name, type and times.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Lets the plain content leave; errors as [`Reader::export`].
    pub fn export(&mut self, to: &mut (impl Write + ?Sized)) -> Result<u64> {
        require(&self.rights, Right::Export)?;
        self.inner.copy_to(to)
    }
}

impl<R: Read> Read for SealedStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out)
    }
}
