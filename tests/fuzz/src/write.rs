//! A writer fed in any portions makes the message that one write makes, and all readers read it;
//! then the same of a save, after which the older envelope no longer opens.

use crate::world::{self, World, text};
use arbitrary::{Arbitrary, Result, Unstructured};
use bulla::cobblestone::{Encryptor, SeekReader, StreamReader};
use bulla::{Access, Code, Metadata};
use std::io::{Read, Seek, SeekFrom, Write};

/// Bytes of all portions together.
const MOST: usize = 300_000;

#[derive(Arbitrary, Debug)]
struct Portion {
    /// Near the sizes at which chunks end, or any.
    chunks: u8,
    and: i16,
    copied: bool,
}

impl Portion {
    fn len(&self) -> usize {
        (usize::from(self.chunks % 5) * 16_384).saturating_add_signed(self.and.into())
    }
}

/// Gives at most so many bytes at once.
struct Slowly<'a>(&'a [u8], usize);

impl Read for Slowly<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.1.max(1));
        self.0.read(&mut buf[..n])
    }
}

pub fn run(data: &[u8]) -> bool {
    let mut u = Unstructured::new(data);
    cobblestone(&mut u).is_ok() && world::with(|world| sealed(world, &mut u)).is_ok()
}

/// Feeds a writer; gives what it was fed.
macro_rules! feed {
    ($u:expr, $writer:expr) => {{
        let mut fed = Vec::new();
        for (i, portion) in crate::some::<Portion>($u, 32)?.iter().enumerate() {
            let part = text(portion.len().min(MOST - fed.len()), i as u8);
            if portion.copied {
                let mut slowly = Slowly(&part, portion.and.unsigned_abs().into());
                assert_eq!($writer.copy_from(&mut slowly).unwrap(), part.len() as u64);
            } else {
                $writer.write_all(&part).unwrap();
            }
            fed.extend(part);
        }
        fed
    }};
}

fn cobblestone(u: &mut Unstructured<'_>) -> Result<()> {
    let key = [9; 32];
    let mut writer = Encryptor::new(&key, b"fuzz", Vec::new()).unwrap();
    let text = feed!(u, writer);
    let sealed = writer.finish().unwrap();
    assert_eq!(bulla::cobblestone::plaintext_len(sealed.len() as u64), Some(text.len() as u64));
    let mut streamed = Vec::new();
    let slowly = Slowly(&sealed, 1 + usize::from(u.arbitrary::<u16>().unwrap_or(9_000)));
    StreamReader::new(&key, b"fuzz", slowly).unwrap().copy_to(&mut streamed).unwrap();
    assert!(streamed == text);
    let reader = SeekReader::new(&key, b"fuzz", &sealed[..], 0, sealed.len() as u64).unwrap();
    let mut sought = vec![0; text.len()];
    assert_eq!(reader.read_at(&mut sought, 0).unwrap(), text.len());
    assert!(sought == text);
    assert!(SeekReader::new(&key, b"other", &sealed[..], 0, sealed.len() as u64).is_err());
    Ok(())
}

fn sealed(world: &World, u: &mut Unstructured<'_>) -> Result<()> {
    let new = world.issued().prepare(&Metadata::default()).unwrap();
    let mut writer = new.into_stream(Vec::new()).unwrap();
    let first = feed!(u, writer);
    let first_sealed = writer.finish().unwrap();
    let reader = world.session.open_source(&first_sealed[..]).unwrap();
    let mut reader = reader;
    for _ in 0..8 {
        let (at, len): (u32, u16) = u.arbitrary()?;
        let at = at as usize % (first.len() + 100);
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut out = vec![0; len.into()];
        let n = reader.read(&mut out).unwrap();
        let rest = &first[at.min(first.len())..];
        assert!(out[..n] == rest[..n] && (n > 0 || out.is_empty() || rest.is_empty()));
    }
    // A save is of the same file, and it counts from when it was seen.
    let meta = Metadata { name: Some("b".into()), ..Metadata::default() };
    let mut writer = reader.save_to(&meta, Vec::new()).unwrap();
    let mut second = Vec::new();
    for portion in crate::some::<Portion>(u, 8)? {
        let part = text(portion.len().min(MOST - second.len()), 99);
        writer.write_all(&part).unwrap();
        second.extend(part);
    }
    let second_sealed = writer.finish().unwrap();
    let saved = world.session.open_source(&second_sealed[..]).unwrap();
    assert_eq!((saved.revision(), saved.file_id()), (2, reader.file_id()));
    let mut out = Vec::new();
    saved.export(&mut out).unwrap();
    assert!(out == second);
    let older = world.session.open_source(&first_sealed[..]).err().expect("an older save opened");
    assert_eq!(older.code(), Code::Rollback);
    let access = Access { older: true, ..Access::default() };
    let mut out = Vec::new();
    world.session.open_source_for(&first_sealed[..], access).unwrap().export(&mut out).unwrap();
    assert!(out == first);
    Ok(())
}
