//! The limits of a header, each met and passed by one.

use super::*;
use crate::POLICY;
use crate::keys::{Identity, KemKind, Kinds, RootKey};
use crate::seal::Sealer;
use serde_json::Value;

fn header() -> Header {
    let root = RootKey::generate("R").unwrap();
    let to = [Identity::generate(KemKind::X25519, "").unwrap().recipient().clone()];
    let sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same).unwrap();
    sealer.prepare(&Metadata::default()).unwrap().header
}

fn described(meta: &Metadata) -> Result<Description> {
    Description::new(&Secret::random(), &Id::random(), 1, None, meta)
}

/// Of a description in which members are others.
fn parsed<const N: usize>(members: [(&str, Value); N]) -> Result<Description> {
    let mut line = serde_json::to_value(described(&Metadata::default()).unwrap()).unwrap();
    for (member, value) in members {
        line[member] = value;
    }
    Description::parse(line.to_string().as_bytes())
}

#[test]
fn both_lines_end_and_zeros_follow_up_to_the_payload() {
    let whole = header();
    for len in 0..=ALIGN {
        let line2 = vec![b'x'; len];
        let one =
            Header::with_line2(whole.license.clone(), whole.description.clone(), line2).unwrap();
        let bytes = one.to_bytes();
        assert_eq!(bytes.len() as u64, one.payload_at);
        assert_eq!(payload_offset(&bytes).unwrap(), bytes.len());
        let text = &one.license.token.text;
        let lines = [text.as_bytes(), b"\n", &one.line2, b"\n"].concat();
        let padding = bytes[FIXED..].strip_prefix(&lines[..]).unwrap();
        assert!(padding.len() < ALIGN && padding.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_header_has_at_most_4_mib() {
    let one = header();
    let room = MAX_HEADER - FIXED - one.license.token.text.len() - 2;
    let with =
        |len| Header::with_line2(one.license.clone(), one.description.clone(), vec![b'x'; len]);
    assert_eq!(with(room).unwrap().payload_at, MAX_HEADER as u64);
    assert_eq!(with(room + 1).unwrap_err().code(), Code::BadArgument);
}

#[test]
fn metadata_has_at_most_16_kib_and_times_that_can_be_read() {
    let named = |len| described(&Metadata { name: Some("x".repeat(len)), ..Default::default() });
    let room = MAX_META - r#"{"name":""}"#.len();
    assert_eq!(named(room).unwrap().meta.0.len(), NONCE + MAX_META + TAG);
    assert_eq!(named(room + 1).unwrap_err().code(), Code::BadArgument);
    let made = |created| described(&Metadata { created: Some(created), ..Default::default() });
    assert!(made(0).is_ok());
    assert_eq!(made(i64::MAX).unwrap_err().code(), Code::BadArgument);
}

#[test]
fn a_revision_has_the_commitment_of_the_one_before() {
    let before = b64(&[7; COMMITMENT]);
    let with = |rev: u64, prev: &str| parsed([("rev", rev.into()), ("prev", prev.into())]);
    assert!(with(1, "").is_ok() && with(2, &before).is_ok());
    for (rev, prev) in [(0, ""), (0, &before[..]), (1, &before), (2, ""), (2, &before[1..])] {
        assert_eq!(with(rev, prev).unwrap_err().code(), Code::Header, "{rev} {prev}");
    }
}

#[test]
fn sealed_metadata_fills_blocks() {
    let meta = |text: usize| parsed([("meta", b64(&vec![7; NONCE + text + TAG]).into())]);
    for text in [META_BLOCK, 2 * META_BLOCK, MAX_META] {
        meta(text).unwrap();
    }
    for text in [0, 1, META_BLOCK - 1, META_BLOCK + 1, MAX_META + META_BLOCK] {
        assert_eq!(meta(text).unwrap_err().code(), Code::Header, "{text}");
    }
    assert_eq!(parsed([("meta", "".into())]).unwrap_err().code(), Code::Header);
}

#[test]
fn the_payload_begins_at_a_multiple_within_the_limit() {
    let at = |at: usize| payload_offset(&[&MAGIC[..], &(at as u32).to_le_bytes()].concat());
    for good in [ALIGN, 2 * ALIGN, MAX_HEADER] {
        assert_eq!(at(good).unwrap(), good);
    }
    for bad in [0, 1, ALIGN - 1, ALIGN + 1, MAX_HEADER - 1, MAX_HEADER + ALIGN] {
        assert_eq!(at(bad).unwrap_err().code(), Code::Header, "{bad}");
    }
}

#[test]
fn other_versions_are_sealed_files_too() {
    let mut start = [&MAGIC[..], &(ALIGN as u32).to_le_bytes()].concat();
    start[6] = 2;
    assert!(is_sealed(&start));
    assert_eq!(payload_offset(&start).unwrap_err().code(), Code::Version);
    for i in 0..6 {
        let mut other = start.clone();
        other[i] ^= 1;
        assert_eq!(payload_offset(&other).unwrap_err().code(), Code::NotSealed);
    }
}

/// A header of 12 KiB, so that it takes two reads.
fn long() -> Vec<u8> {
    let one = header();
    let line2 = serde_json::to_vec(&one.description).unwrap();
    let mut bytes = one.to_bytes();
    bytes.resize(3 * ALIGN, 0);
    bytes[8..12].copy_from_slice(&(3 * ALIGN as u32).to_le_bytes());
    assert_eq!(Header::parse(&bytes).unwrap().line2, line2);
    bytes
}

/// Says that it has more than it gives.
struct Shorter(Vec<u8>);

impl ReadAt for Shorter {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.as_slice().read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok((3 * ALIGN) as u64 + MIN_PAYLOAD)
    }
}

#[test]
fn a_header_that_is_cut_while_it_is_read_is_no_header() {
    let bytes = long();
    assert_eq!(Header::read(&Shorter(bytes.clone())).unwrap().0.payload_at, 3 * ALIGN as u64);
    for len in [FIXED - 1, FIXED, ALIGN, 2 * ALIGN, 2 * ALIGN + 1, 3 * ALIGN - 1] {
        let cut = &bytes[..len];
        assert_eq!(Header::read(&Shorter(cut.to_vec())).unwrap_err().code(), Code::Length, "{len}");
        assert_eq!(Header::read_stream(&mut &cut[..]).unwrap_err().code(), Code::Length, "{len}");
    }
}

#[test]
fn a_stream_is_left_at_the_payload() {
    let bytes = [long(), b"payload".to_vec()].concat();
    let mut stream = &bytes[..];
    assert_eq!(Header::read_stream(&mut stream).unwrap().payload_at, 3 * ALIGN as u64);
    assert_eq!(stream, b"payload");
}
