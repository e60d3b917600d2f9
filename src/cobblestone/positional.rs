//! Reading into slots and writing from them at a place of a file, without copying.

use super::{BATCH, CHUNK, SLOT};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};

/// Reads `slots.len() / SLOT` chunks of plaintext from `offset`, each to the start of its slot;
/// gives the number of bytes, fewer only at the end.
#[cfg(target_os = "linux")]
pub(super) fn read_chunks(from: &File, slots: &mut [u8], offset: u64) -> io::Result<usize> {
    let wanted = slots.len() / SLOT * CHUNK;
    let mut got = 0;
    while got < wanted {
        match rustix::io::preadv(from, &mut free(slots, got), offset + got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(got)
}

/// The same where a call reads to one place: moving it in memory costs less than more calls.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_chunks(from: &File, slots: &mut [u8], offset: u64) -> io::Result<usize> {
    let wanted = slots.len() / SLOT * CHUNK;
    let behind = slots.len() - wanted;
    let got = super::ReadAt::read_full_at(from, &mut slots[behind..], offset)?;
    spread(slots, behind, got);
    Ok(got)
}

/// Moves `len` bytes of plaintext at `from` to the slots that they belong in, which begin before.
#[cfg(any(test, not(target_os = "linux")))]
fn spread(slots: &mut [u8], from: usize, len: usize) {
    for i in 0..len.div_ceil(CHUNK) {
        let at = i * CHUNK;
        slots.copy_within(from + at..from + len.min(at + CHUNK), i * SLOT);
    }
}

/// Moves the plaintext of `len` bytes that stands in slots to the front, in one piece.
#[cfg(any(test, not(target_os = "linux")))]
fn gather(slots: &mut [u8], len: usize) -> &[u8] {
    for i in 1..len.div_ceil(CHUNK) {
        let at = i * CHUNK;
        slots.copy_within(i * SLOT..i * SLOT + CHUNK.min(len - at), at);
    }
    &slots[..len]
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

/// Writes the plaintext of `len` bytes that stands in slots at `offset`. The slots are of no more
/// use then.
#[cfg(target_os = "linux")]
pub(super) fn write_chunks(to: &File, slots: &mut [u8], len: usize, offset: u64) -> io::Result<()> {
    write_parts(to, &mut parts(slots, len), offset)
}

/// The same where a call writes from one place.
#[cfg(not(target_os = "linux"))]
pub(super) fn write_chunks(to: &File, slots: &mut [u8], len: usize, offset: u64) -> io::Result<()> {
    write_all_at(to, gather(slots, len), offset)
}

/// Writes all of `data` at `offset`.
pub(crate) fn write_all_at(to: &File, data: &[u8], offset: u64) -> io::Result<()> {
    write_parts(to, &mut [IoSlice::new(data)], offset)
}

fn write_parts(to: &File, mut parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
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

#[cfg(target_os = "linux")]
fn write_vectored_at(to: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    Ok(rustix::io::pwritev(to, from, offset)?)
}

#[cfg(not(target_os = "linux"))]
fn write_vectored_at(to: &File, from: &[IoSlice<'_>], offset: u64) -> io::Result<usize> {
    let Some(part) = from.iter().find(|part| !part.is_empty()) else { return Ok(0) };
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::write_at(to, part, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_write(to, part, offset);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_over_slots_is_gathered_again() {
        let slots = 4;
        for len in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, slots * CHUNK - 1, slots * CHUNK] {
            let text: Vec<u8> = (0..len).map(|i| (i / 3 + i / CHUNK * 7) as u8).collect();
            let mut memory = vec![0; slots * SLOT];
            let behind = slots * (SLOT - CHUNK);
            memory[behind..behind + len].copy_from_slice(&text);
            spread(&mut memory, behind, len);
            for (chunk, slot) in text.chunks(CHUNK).zip(memory.chunks(SLOT)) {
                assert!(chunk == &slot[..chunk.len()], "{len}");
            }
            assert!(gather(&mut memory, len) == text, "{len}");
        }
    }
}
