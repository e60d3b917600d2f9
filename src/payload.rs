//! The payload of an envelope: one Cobblestone message, bound to the file id, its root and the
//! description.

use crate::Error;
use crate::Result;
use crate::cobblestone::{Encryptor, ReadAt, SeekReader, StreamReader};
use crate::header::Header;
use crate::kdf;
use crate::memory::Secret;
use std::io::{Read, Write};

/// The root is in it so that nobody can put a file under a root of their own, whose badges and
/// lists would then count for it: also not a reader who has held the file key.
fn context(header: &Header) -> Vec<u8> {
    let claims = header.license.claims();
    let (file, root) = (claims.file.as_bytes(), claims.iss.as_bytes());
    [b"bulla/1\0", &file[..], root, &header.description_digest()].concat()
}

fn key(header: &Header, file_key: &Secret) -> Secret {
    kdf::subkey(file_key, "bulla/1 payload", header.license.claims().file.as_bytes())
}

/// Writes the header to `out` and starts the payload behind it.
pub(crate) fn begin<W: Write>(
    header: &Header,
    file_key: &Secret,
    mut out: W,
) -> Result<Encryptor<W>> {
    out.write_all(&header.to_bytes()).map_err(|e| Error::io("writing the sealed file", e))?;
    Encryptor::new(key(header, file_key).expose(), &context(header), out)
}

/// Opens the payload of `stored` bytes behind the header: commitment and last chunk are verified.
pub(crate) fn open<S: ReadAt>(
    header: &Header,
    file_key: &Secret,
    source: S,
    stored: u64,
) -> Result<SeekReader<S>> {
    let key = key(header, file_key);
    SeekReader::new(key.expose(), &context(header), source, header.payload_at, stored)
}

/// Opens the payload that a stream has next: the commitment is verified.
pub(crate) fn open_stream<R: Read>(
    header: &Header,
    file_key: &Secret,
    stream: R,
) -> Result<StreamReader<R>> {
    StreamReader::new(key(header, file_key).expose(), &context(header), stream)
}
