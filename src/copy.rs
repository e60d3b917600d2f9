//! Copying from file to file, without looking at the bytes.

use crate::cobblestone::{ReadAt, Work, in_any_order, write_all_at};
use crate::{Code, Error, Result};
use std::fs::File;

/// Bytes at a time; half a megabyte stays within the L2 cache.
const BATCH: u64 = 512 << 10;

/// Copies the `len` bytes from `from_at` on to `to_at`. Where the file system may share blocks
/// between files, the kernel is asked to; elsewhere it would copy with one thread, and this does
/// with as many as `work` has.
///
/// # Errors
/// [`Code::Changed`] if the file gets shorter meanwhile; that of `work.progress`.
pub(crate) fn copy_range(
    (from, from_at): (&File, u64),
    (to, to_at): (&File, u64),
    len: u64,
    work: &mut Work<'_>,
) -> Result<()> {
    let shared = share((from, from_at), (to, to_at), len)?;
    let left = len - shared;
    in_any_order(left.div_ceil(BATCH), BATCH as usize, work, |batch, buf| {
        let at = shared + batch * BATCH;
        let buf = &mut buf[..BATCH.min(len - at) as usize];
        let read = from.read_full_at(buf, from_at + at);
        if read.map_err(|e| Error::io("reading the file", e))? < buf.len() {
            return Err(shorter());
        }
        write_all_at(to, buf, to_at + at).map_err(|e| Error::io("writing the new file", e))?;
        Ok(buf.len() as u64)
    })?;
    Ok(())
}

fn shorter() -> Error {
    Error::new(Code::Changed, "the file became shorter while it was read")
}

/// How many bytes the kernel has copied or shared: all, or none where it should not try.
#[cfg(target_os = "linux")]
fn share((from, from_at): (&File, u64), (to, to_at): (&File, u64), len: u64) -> Result<u64> {
    use rustix::io::Errno;
    // Btrfs, XFS, bcachefs, ZFS, overlayfs over such, NFS and SMB.
    const SHARING: [u32; 7] =
        [0x9123_683e, 0x5846_5342, 0xca45_1a4e, 0x2fc1_2fc1, 0x794c_7630, 0x6969, 0xfe53_4d42];
    let kind = rustix::fs::fstatfs(to).map(|fs| fs.f_type as u32);
    if !kind.is_ok_and(|kind| SHARING.contains(&kind)) {
        return Ok(0);
    }
    let mut done = 0;
    while done < len {
        let (mut read_at, mut write_at) = (from_at + done, to_at + done);
        let most = usize::try_from(len - done).unwrap_or(usize::MAX);
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), most) {
            Ok(0) => return Err(shorter()),
            Ok(n) => done += n as u64,
            Err(Errno::INTR) => {}
            // Two file systems, or one that cannot.
            Err(Errno::XDEV | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => break,
            Err(e) => return Err(Error::io("writing the new file", e.into())),
        }
    }
    Ok(done)
}

#[cfg(not(target_os = "linux"))]
fn share(_from: (&File, u64), _to: (&File, u64), _len: u64) -> Result<u64> {
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};
    use std::num::NonZeroUsize;

    fn copied(len: u64, from_at: u64, to_at: u64) -> Result<Vec<u8>> {
        let content: Vec<u8> = (0..from_at + len).map(|i| (i / 7) as u8).collect();
        let (mut from, mut to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.write_all(&content).unwrap();
        to.write_all(&vec![9; to_at as usize]).unwrap();
        let mut told = 0;
        let mut progress = |done| {
            told = done;
            Ok(())
        };
        let threads = NonZeroUsize::new(3).unwrap();
        let mut work = Work { threads, progress: &mut progress };
        copy_range((&from, from_at), (&to, to_at), len, &mut work)?;
        assert_eq!(told, len);
        let mut out = Vec::new();
        to.rewind().unwrap();
        to.read_to_end(&mut out).unwrap();
        assert!(out[..to_at as usize].iter().all(|b| *b == 9));
        assert!(out[to_at as usize..] == content[from_at as usize..]);
        Ok(out)
    }

    #[test]
    fn all_bytes_arrive_where_they_should() {
        for len in [0, 1, BATCH - 1, BATCH, BATCH + 1, 20 * BATCH + 77] {
            copied(len, 100, 5000).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_shorter_is_refused() {
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        from.set_len(10 * BATCH).unwrap();
        let mut work = Work { threads: NonZeroUsize::MIN, progress: &mut |_| Ok(()) };
        let refused = copy_range((&from, 1), (&to, 0), 10 * BATCH, &mut work).unwrap_err();
        assert_eq!(refused.code(), Code::Changed);
    }
}
