//! Reading into slots and writing from them at a place of a file, without copying.

use super::{BATCH, CHUNK, SLOT};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};

/// Reads `slots.len() / SLOT` chunks of plaintext from `offset`, each to the start of its slot;
/// gives the number of bytes, fewer only at the end.
pub(super) fn read_chunks(from: &File, slots: &mut [u8], offset: u64) -> io::Result<usize> {
    let wanted = slots.len() / SLOT * CHUNK;
    let mut got = 0;
    while got < wanted {
        match read_vectored_at(from, &mut free(slots, got), offset + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// The places for plaintext in slots that hold `filled` bytes of it already, in order.
pub(super) fn free(slots: &mut [u8], filled: usize) -> [IoSliceMut<'_>; BATCH] {
    let (first, within) = (filled / CHUNK, filled % CHUNK);
    let mut free = slots.chunks_exact_mut(SLOT).skip(first).enumerate();
    std::array::from_fn(|_| match free.next() {
        Some((i, slot)) => IoSliceMut::new(&mut slot[if i == 0 { within } else { 0 }..CHUNK]),
        None => IoSliceMut::new(&mut []),
    })
}

/// The plaintext of `len` bytes that stands in slots, in parts.
pub(super) fn parts(slots: &[u8], len: usize) -> [IoSlice<'_>; BATCH] {
    let mut left = len;
    let mut slots = slots.chunks(SLOT);
    std::array::from_fn(|_| {
        let n = left.min(CHUNK);
        left -= n;
        IoSlice::new(slots.next().map_or(&[], |slot| &slot[..n]))
    })
}

/// Writes all parts from `offset` on.
pub(super) fn write_parts(
    to: &File,
    mut parts: &mut [IoSlice<'_>],
    mut offset: u64,
) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match write_vectored_at(to, parts, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                offset += n as u64;
                IoSlice::advance_slices(&mut parts, n);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Writes all of `data` at `offset`.
pub(crate) fn write_all_at(to: &File, data: &[u8], offset: u64) -> io::Result<()> {
    write_parts(to, &mut [IoSlice::new(data)], offset)
}

#[cfg(target_os = "linux")]
fn read_vectored_at(from: &File, to: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::preadv(from, to, offset)?)
}

#[cfg(target_os = "linux")]
fn write_vectored_at(to: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::pwritev(to, from, offset)?)
}

/// One part a call, where there is no call for many.
#[cfg(not(target_os = "linux"))]
fn read_vectored_at(from: &File, to: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<usize> {
    let Some(part) = to.iter_mut().find(|part| !part.is_empty()) else { return Ok(0) };
    super::ReadAt::read_at(from, part, offset)
}

#[cfg(not(target_os = "linux"))]
fn write_vectored_at(to: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    let Some(part) = from.iter().find(|part| !part.is_empty()) else { return Ok(0) };
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_at(to, part, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_write(to, part, offset);
}
