//! The library as a host program uses it: readers, writers, saves, and constant memory.

mod support;

use bulla::{
    Code, Error, Existing, Id, KemKind, Metadata, OutputFile, Reader, Right, Session, inspect,
};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use support::{Desk, POLICY, Random, bytes, code, names, policy};

/// A desk and a folder with a sealed file.
struct Fixture {
    folder: tempfile::TempDir,
    desk: Desk,
}

impl Fixture {
    fn new(policy: &str, text: &[u8]) -> Self {
        let fixture =
            Fixture { folder: tempfile::tempdir().unwrap(), desk: Desk::new(KemKind::X25519) };
        let new = fixture.desk.sealer(policy).prepare(&meta("first.csv")).unwrap();
        let mut writer = new.into_file(&fixture.path(), Existing::Keep).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap();
        fixture
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sealed")
    }

    fn open(&self) -> Reader {
        self.desk.session.open(&self.path()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

fn meta(name: &str) -> Metadata {
    let media_type = Some("text/csv".into());
    Metadata { name: Some(name.into()), media_type, created: Some(-5), modified: Some(1) }
}

fn read_all(mut reader: Reader) -> Vec<u8> {
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    text
}

/// The license as it stands in a file.
fn license(path: &Path) -> Vec<u8> {
    let sealed = fs::read(path).unwrap();
    sealed[12..].split(|b| *b == b'\n').next().unwrap().to_vec()
}

#[test]
fn reading_and_seeking() {
    let text = bytes(50_000, 1);
    let fixture = Fixture::new(POLICY, &text);
    let mut reader = fixture.open();
    assert_eq!((reader.len(), reader.is_empty()), (50_000, false));
    assert_eq!(reader.metadata(), &meta("first.csv"));
    assert_eq!(reader.revision(), 1);
    let rights = [Right::View, Right::Edit, Right::Export];
    assert_eq!(reader.rights(), BTreeSet::from(rights));

    let mut buf = [0; 100];
    let mut read_at = |reader: &mut Reader, to: SeekFrom| {
        let position = reader.seek(to).unwrap();
        let n = reader.read(&mut buf).unwrap();
        let expected = text.get(position as usize..).unwrap_or_default();
        assert_eq!(buf[..n], expected[..n]);
        assert_eq!(reader.stream_position().unwrap(), position + n as u64);
        (position, n)
    };
    assert_eq!(read_at(&mut reader, SeekFrom::Start(0)), (0, 100));
    assert_eq!(read_at(&mut reader, SeekFrom::Current(16_300)), (16_400, 100));
    assert_eq!(read_at(&mut reader, SeekFrom::Current(-200)), (16_300, 100));
    assert_eq!(read_at(&mut reader, SeekFrom::End(-30)), (49_970, 30));
    // Behind the end there is nothing, and going there is no error.
    assert_eq!(read_at(&mut reader, SeekFrom::End(0)), (50_000, 0));
    assert_eq!(read_at(&mut reader, SeekFrom::End(10)), (50_010, 0));
    assert_eq!(read_at(&mut reader, SeekFrom::Start(u64::MAX)), (u64::MAX, 0));
    // Before the start there is no place; the position stays.
    reader.seek(SeekFrom::Start(7)).unwrap();
    for before in [SeekFrom::Current(-8), SeekFrom::End(-50_001), SeekFrom::Current(i64::MIN)] {
        let e = reader.seek(before).unwrap_err();
        assert_eq!(e.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(reader.stream_position().unwrap(), 7);
    }
    reader.seek(SeekFrom::Start(u64::MAX)).unwrap();
    assert!(reader.seek(SeekFrom::Current(1)).is_err());
    let mut rest = Vec::new();
    reader.seek(SeekFrom::Start(7)).unwrap();
    reader.read_to_end(&mut rest).unwrap();
    assert!(rest == text[7..]);

    // `read_at` fills what it can and leaves the position alone.
    let reader = reader;
    let mut large = vec![0; 60_000];
    assert_eq!(reader.read_at(&mut large, 1).unwrap(), 49_999);
    assert!(large[..49_999] == text[1..]);
    assert_eq!(reader.read_at(&mut large, 50_000).unwrap(), 0);
    assert_eq!(reader.read_at(&mut large, u64::MAX).unwrap(), 0);
    assert_eq!(reader.read_at(&mut [], 0).unwrap(), 0);

    let empty = Fixture::new(POLICY, b"").open();
    assert!(empty.is_empty() && read_all(empty).is_empty());
}

/// 10,000 places from 8 threads.
#[test]
fn many_threads_read_at_random_places() {
    let text = bytes(3_000_000, 2);
    let fixture = Fixture::new(POLICY, &text);
    let reader = fixture.open();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (reader, text) = (&reader, &text);
            scope.spawn(move || {
                let mut random = Random(thread);
                let mut buf = vec![0; 100_000];
                for i in 0..1250 {
                    // Mostly small reads, now and then one over several chunks.
                    let want = if i % 50 == 0 { 100_000 } else { 1 + random.below(5000) };
                    let at = random.below(text.len() + 1000);
                    let n = reader.read_at(&mut buf[..want], at as u64).unwrap();
                    let expected = &text[at.min(text.len())..(at + want).min(text.len())];
                    assert!(buf[..n] == *expected, "{want} bytes at {at}");
                }
            });
        }
    });
}

/// A session and its readers go to other threads.
#[test]
fn threads_may_share() {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
    shared::<Reader>();
    shared::<Error>();
    shared::<bulla::Sealer<'_>>();
    fn sent<T: Send>() {}
    sent::<bulla::Writer>();
}

#[test]
fn streams() {
    let text = bytes(1_100_000, 3);
    let desk = Desk::new(KemKind::Hybrid);
    let sealed = desk.seal(&text);
    let mut stream = desk.session.open_stream(&sealed[..]).unwrap();
    assert_eq!(stream.metadata().name.as_deref(), Some("a.csv"));
    let mut start = [0; 1000];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(start, text[..1000]);
    // What is left, from the middle of a chunk.
    let mut rest = Vec::new();
    assert_eq!(stream.export(&mut rest).unwrap(), 1_099_000);
    assert!(rest == text[1000..]);
    assert_eq!(stream.read(&mut start).unwrap(), 0);

    // One byte at a time.
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = out.len().min(1);
            self.0.read(&mut out[..n])
        }
    }
    let sealed = desk.seal(&text[..40_000]);
    let mut out = Vec::new();
    desk.session.open_stream(Drip(&sealed)).unwrap().read_to_end(&mut out).unwrap();
    assert!(out == text[..40_000]);
}

#[test]
fn a_failed_chunk_ends_all_reading() {
    let desk = Desk::new(KemKind::X25519);
    let mut sealed = desk.seal(&bytes(100_000, 4));
    let middle = sealed.len() - 50_000;
    sealed[middle] ^= 1;
    let mut reader = desk.session.open_source(sealed).unwrap();
    let mut buf = [0; 10];
    assert_eq!(reader.read_at(&mut buf, 0).unwrap(), 10);
    let mut all = vec![0; 100_000];
    assert_eq!(reader.read_at(&mut all, 0).unwrap_err().code(), Code::Chunk);
    // What could be read before cannot any more: somebody is at work here.
    assert_eq!(reader.read_at(&mut buf, 0).unwrap_err().code(), Code::State);
    assert_eq!(code(reader.read(&mut buf).unwrap_err()), Code::State);
    assert_eq!(reader.export(&mut Vec::new()).unwrap_err().code(), Code::State);
}

#[test]
fn a_writer_without_finish_leaves_nothing() {
    let fixture = Fixture::new(POLICY, b"content");
    let before = fs::read(fixture.path()).unwrap();
    let start = |existing| {
        let new = fixture.desk.sealer(POLICY).prepare(&meta("x")).unwrap();
        let target = match existing {
            Existing::Keep => fixture.folder.path().join("new"),
            Existing::Replace => fixture.path(),
        };
        let mut writer = new.into_file(&target, existing).unwrap();
        writer.write_all(&bytes(3_000_000, 1)).unwrap();
        writer.flush().unwrap();
        writer
    };
    drop(start(Existing::Keep));
    drop(start(Existing::Replace));
    let mut saving = fixture.open().save(&meta("x")).unwrap();
    saving.write_all(b"half").unwrap();
    drop(saving);
    let mut output =
        OutputFile::create(&fixture.folder.path().join("out"), Existing::Keep).unwrap();
    output.write_all(b"half").unwrap();
    drop(output);
    assert_eq!(fixture.names(), ["sealed"]);
    assert!(fs::read(fixture.path()).unwrap() == before);
    // A panic in between is no finish either.
    let writer = start(Existing::Replace);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _writer = writer;
        std::panic::resume_unwind(Box::new("the host program fails"));
    }));
    assert!(died.is_err());
    assert_eq!(fixture.names(), ["sealed"]);
    assert!(fs::read(fixture.path()).unwrap() == before);
}

#[test]
fn existing_targets() {
    let fixture = Fixture::new(POLICY, b"content");
    let before = fs::read(fixture.path()).unwrap();
    let prepare = || fixture.desk.sealer(POLICY).prepare(&meta("new")).unwrap();
    let e = prepare().into_file(&fixture.path(), Existing::Keep).err().unwrap();
    assert_eq!(e.code(), Code::Exists);
    // It came while we wrote.
    let late = fixture.folder.path().join("late");
    let mut writer = prepare().into_file(&late, Existing::Keep).unwrap();
    writer.write_all(b"ours").unwrap();
    fs::write(&late, "theirs").unwrap();
    assert_eq!(writer.finish().unwrap_err().code(), Code::Exists);
    assert_eq!(fs::read(&late).unwrap(), b"theirs");
    assert!(fs::read(fixture.path()).unwrap() == before);
    // Replaced when that is wanted, at the end and not before.
    let mut writer = prepare().into_file(&fixture.path(), Existing::Replace).unwrap();
    writer.write_all(b"second").unwrap();
    assert_eq!(read_all(fixture.open()), b"content");
    writer.finish().unwrap();
    assert_eq!(read_all(fixture.open()), b"second");
    let e = prepare().into_file(fixture.folder.path(), Existing::Replace).err().unwrap();
    assert_eq!(e.code(), Code::BadArgument);
    assert_eq!(fixture.names(), ["late", "sealed"]);
}

#[test]
fn saving_keeps_the_license() {
    let fixture = Fixture::new(&policy(&["view", "edit"]), b"first");
    let terms = license(&fixture.path());
    let id = fixture.open().file_id();
    for (rev, text) in [(2, bytes(40_000, 1)), (3, Vec::new()), (4, bytes(16_384, 2))] {
        let reader = fixture.open();
        let name = format!("{rev}.csv");
        let mut writer = reader.save(&meta(&name)).unwrap();
        writer.write_all(&text).unwrap();
        // Until it is finished all others see the old content.
        assert_eq!(fixture.open().revision(), rev - 1);
        writer.finish().unwrap();
        // And who has it open goes on with the old.
        assert_eq!(reader.revision(), rev - 1);
        read_all(reader);
        let saved = fixture.open();
        assert_eq!((saved.revision(), saved.file_id()), (rev, id));
        assert_eq!(saved.metadata().name.as_ref(), Some(&name));
        assert!(read_all(saved) == text);
        assert_eq!(license(&fixture.path()), terms);
        let file = fs::File::open(fixture.path()).unwrap();
        let seen = inspect(&file).unwrap();
        assert_eq!((seen.seq, seen.revision, seen.content_size), (1, rev, text.len() as u64));
    }
    assert_eq!(fixture.names(), ["sealed"]);
}

#[test]
fn saving_takes_the_right_to_edit() {
    let fixture = Fixture::new(&policy(&["view", "export"]), b"first");
    let e = fixture.open().save(&meta("x")).err().unwrap();
    assert_eq!(e.code(), Code::Right);
    // And a path to save to.
    let desk = Desk::new(KemKind::X25519);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, desk.seal(b"text")).unwrap();
    let nameless = desk.session.open_source(fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(nameless.save(&meta("x")).err().unwrap().code(), Code::State);
    assert_eq!(fixture.names(), ["sealed"]);
}

#[test]
fn exporting_takes_the_right_to_export() {
    let fixture = Fixture::new(&policy(&["view", "edit"]), b"text");
    let mut out = Vec::new();
    assert_eq!(fixture.open().export(&mut out).unwrap_err().code(), Code::Right);
    let sealed = fs::read(fixture.path()).unwrap();
    let mut stream = fixture.desk.session.open_stream(&sealed[..]).unwrap();
    assert_eq!(stream.export(&mut out).unwrap_err().code(), Code::Right);
    assert!(out.is_empty());
    // Viewing is through the library.
    assert_eq!(read_all(fixture.open()), b"text");

    let fixture = Fixture::new(&policy(&["view", "export"]), b"text");
    assert_eq!(fixture.open().export(&mut out).unwrap(), 4);
    assert_eq!(out, b"text");
    // Who asks to view, as by default, and may not, gets no reader.
    let fixture = Fixture::new(&policy(&["edit", "export"]), b"text");
    assert_eq!(fixture.desk.session.open(&fixture.path()).err().unwrap().code(), Code::Right);
}

#[test]
fn who_saves_second_is_refused() {
    let fixture = Fixture::new(POLICY, b"first");
    let (one, two) = (fixture.open(), fixture.open());
    let mut winner = one.save(&meta("winner")).unwrap();
    let mut loser = two.save(&meta("loser")).unwrap();
    winner.write_all(b"winner").unwrap();
    loser.write_all(b"loser").unwrap();
    winner.finish().unwrap();
    let won = fs::read(fixture.path()).unwrap();
    assert_eq!(loser.finish().unwrap_err().code(), Code::Changed);
    assert!(fs::read(fixture.path()).unwrap() == won);
    assert_eq!(read_all(fixture.open()), b"winner");
    // From the same reader, once it is stale, no second save either.
    let mut again = one.save(&meta("again")).unwrap();
    again.write_all(b"again").unwrap();
    assert_eq!(again.finish().unwrap_err().code(), Code::Changed);
    assert!(fs::read(fixture.path()).unwrap() == won);
    // Opened again it goes.
    let mut again = fixture.open().save(&meta("again")).unwrap();
    again.write_all(b"again").unwrap();
    again.finish().unwrap();
    assert_eq!(fixture.open().revision(), 3);

    // Something else stands there now, or nothing.
    let reader = fixture.open();
    for other in [&b"plain"[..], b"", &won] {
        let writer = reader.save(&meta("x")).unwrap();
        fs::write(fixture.path(), other).unwrap();
        assert_eq!(writer.finish().unwrap_err().code(), Code::Changed);
        assert_eq!(fs::read(fixture.path()).unwrap(), other);
    }
    let writer = reader.save(&meta("x")).unwrap();
    fs::remove_file(fixture.path()).unwrap();
    assert_eq!(writer.finish().unwrap_err().code(), Code::NotFound);
    assert!(fixture.names().is_empty());
}

/// A host that keeps envelopes elsewhere gets the new one whole, and puts it in place itself.
#[test]
fn saves_to_any_writer() {
    let fixture = Fixture::new(POLICY, b"first");
    let before = fs::read(fixture.path()).unwrap();
    let kept = fixture.desk.session.open_source(before.clone()).unwrap();
    let mut save = kept.save_to(&meta("second"), Vec::new()).unwrap();
    save.write_all(b"second").unwrap();
    let after = save.finish().unwrap();
    assert!(fs::read(fixture.path()).unwrap() == before);
    let mut out = Vec::new();
    let mut again = fixture.desk.session.open_source(after.clone()).unwrap();
    again.read_to_end(&mut out).unwrap();
    assert_eq!((&out[..], again.revision()), (&b"second"[..], 2));
    assert_eq!(again.metadata(), &meta("second"));
    // It is news only now; from here on the old one is refused.
    let old = fixture.desk.session.open_source(before).err().unwrap();
    assert_eq!(old.code(), Code::Rollback);

    let viewer = Fixture::new(&policy(&["view"]), b"text");
    let refused = viewer.open().save_to(&meta("x"), Vec::new()).err().unwrap();
    assert_eq!(refused.code(), Code::Right);
}

/// Eight threads save the same file over and over; each save that succeeds counts, none is lost.
#[test]
fn concurrent_saves_lose_nothing() {
    let fixture = Fixture::new(POLICY, b"0");
    let saved: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut saved = 0;
                    for _ in 0..12 {
                        let reader = fixture.open();
                        let mut buf = [0; 20];
                        let n = reader.read_at(&mut buf, 0).unwrap();
                        let count: u64 = std::str::from_utf8(&buf[..n]).unwrap().parse().unwrap();
                        let mut writer = reader.save(&meta("x")).unwrap();
                        write!(writer, "{}", count + 1).unwrap();
                        match writer.finish() {
                            Ok(()) => saved += 1,
                            Err(e) => assert_eq!(e.code(), Code::Changed, "{e}"),
                        }
                    }
                    saved
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert!(saved > 0);
    assert_eq!(fixture.open().revision(), 1 + saved);
    assert_eq!(read_all(fixture.open()), saved.to_string().as_bytes());
    assert_eq!(fixture.names(), ["sealed"]);
}

#[cfg(unix)]
#[test]
fn saves_keep_permissions_and_owner() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    let fixture = Fixture::new(POLICY, b"first");
    if support::is_root() {
        chown(fixture.path(), Some(12_345), Some(23_456)).unwrap();
    }
    fs::set_permissions(fixture.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(fixture.path()).unwrap();
    // Through a link, which stays one.
    let link = fixture.folder.path().join("link");
    symlink("sealed", &link).unwrap();
    let writer = fixture.desk.session.open(&link).unwrap().save(&meta("x")).unwrap();
    writer.finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let after = fs::metadata(fixture.path()).unwrap();
    assert_eq!(fixture.open().revision(), 2);
    assert_eq!(after.mode(), before.mode());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
}

#[test]
fn metadata_has_bounds() {
    let desk = Desk::new(KemKind::X25519);
    let sealer = desk.sealer(POLICY);
    let name = |len| Metadata { name: Some("n".repeat(len)), ..Metadata::default() };
    for len in [0, 1, 255, 10_000] {
        let sealed = sealer.prepare(&name(len)).unwrap().into_stream(Vec::new()).unwrap();
        let reader = desk.session.open_source(sealed.finish().unwrap()).unwrap();
        assert_eq!(reader.metadata(), &name(len));
    }
    assert_eq!(sealer.prepare(&name(16_384)).err().unwrap().code(), Code::BadArgument);
    let late = Metadata { modified: Some(i64::MAX), ..Metadata::default() };
    assert_eq!(sealer.prepare(&late).err().unwrap().code(), Code::BadArgument);
    // Names of different lengths do not show in the size.
    let size = |len: usize| {
        sealer.prepare(&name(len)).unwrap().into_stream(Vec::new()).unwrap().finish().unwrap().len()
    };
    assert_eq!(size(1), size(200));
}

#[test]
fn ids_are_fresh() {
    let desk = Desk::new(KemKind::X25519);
    let sealer = desk.sealer(POLICY);
    let ids: BTreeSet<Id> =
        (0..100).map(|_| sealer.prepare(&meta("x")).unwrap().file_id()).collect();
    assert_eq!(ids.len(), 100);
    // Nothing repeats between two envelopes of the same content, past the fixed bytes.
    let (a, b) = (desk.seal(&[7; 5000]), desk.seal(&[7; 5000]));
    assert!(a[4096..].chunks(16).zip(b[4096..].chunks(16)).all(|(a, b)| a != b));
}

/// What the README shows is an example, so it builds.
#[test]
fn the_readme_has_an_example() {
    let lines = |text: &str| text.lines().map(|l| l.trim().to_owned()).collect::<Vec<_>>();
    let readme = lines(include_str!("../README.md"));
    let start = readme.iter().position(|line| line == "```rust").unwrap() + 1;
    let snippet: Vec<_> = readme[start..].iter().take_while(|line| *line != "```").collect();
    assert!(snippet.len() > 10, "{snippet:?}");
    let example = lines(include_str!("../examples/read.rs"));
    let mut rest = example.iter();
    for line in snippet {
        assert!(rest.any(|other| other == line), "not in examples/read.rs, or not there: {line}");
    }
}

/// Codes and their classes are an interface: of the C ABI, the wrappers, and exit statuses.
#[test]
fn codes_are_as_documented() {
    use bulla::Class;
    for code in Code::ALL {
        let class = match code.number() {
            1..100 => Class::Argument,
            100..200 => Class::Io,
            200..300 => Class::Format,
            300..400 => Class::Tampered,
            400..500 => Class::Denied,
            500..600 => Class::State,
            900 => Class::Internal,
            n => panic!("{n} is in no range"),
        };
        assert_eq!(code.class(), class);
    }
    let known = [
        (Code::BadArgument, 1, "bad-argument"),
        (Code::Exists, 102, "exists"),
        (Code::Full, 104, "full"),
        (Code::NotSealed, 200, "not-sealed"),
        (Code::Chunk, 302, "bad-chunk"),
        (Code::UnknownRoot, 400, "unknown-root"),
        (Code::Right, 404, "missing-right"),
        (Code::Changed, 501, "changed-meanwhile"),
        (Code::Exposed, 503, "secret-exposed"),
    ];
    for (code, number, name) in known {
        assert_eq!((code.number(), code.name()), (number, name));
    }
}

/// Errors of a target or source come back as what they are, and cost no content.
#[test]
fn targets_that_fail() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            let n = data.len().min(self.0);
            self.0 -= n;
            Ok(n)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let desk = Desk::new(KemKind::X25519);
    let text = bytes(2_000_000, 1);
    let sealed = desk.seal(&text);
    let reader = desk.session.open_source(sealed.clone()).unwrap();
    for room in [0, 1, 16_384, 1_000_000, 1_999_999] {
        assert_eq!(reader.export(&mut Full(room)).unwrap_err().code(), Code::Full, "{room}");
        let mut stream = desk.session.open_stream(&sealed[..]).unwrap();
        assert_eq!(stream.export(&mut Full(room)).unwrap_err().code(), Code::Full, "{room}");
        let sealing = desk.sealer(POLICY).prepare(&meta("x")).unwrap().into_stream(Full(room));
        let e = sealing.and_then(|mut w| {
            w.copy_from(&mut &text[..])?;
            w.finish().map(drop)
        });
        assert_eq!(e.unwrap_err().code(), Code::Full, "{room}");
    }
    assert_eq!(reader.export(&mut Full(2_000_000)).unwrap(), 2_000_000);

    // A source that ends before its size, or fails.
    struct Cut(Vec<u8>, usize);
    impl bulla::cobblestone::ReadAt for Cut {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
            let end = self.1.min(self.0.len());
            bulla::cobblestone::ReadAt::read_at(&self.0[..end], buf, offset)
        }
        fn size(&self) -> std::io::Result<u64> {
            Ok(self.0.len() as u64)
        }
    }
    for end in [0, 11, 4000, 4096, 4150, 100_000] {
        let e = desk.session.open_source(Cut(sealed.clone(), end)).err().expect("refused");
        assert_eq!(e.class(), bulla::Class::Format, "{end}: {e}");
    }
}

/// So that storage cannot say one thing when it is checked and another when it is used.
#[test]
fn nothing_of_the_header_is_read_twice() {
    /// How often each byte was read.
    struct Counting(Vec<u8>, Mutex<Vec<u32>>);
    impl bulla::cobblestone::ReadAt for &Counting {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
            let n = bulla::cobblestone::ReadAt::read_at(&self.0[..], buf, offset)?;
            let mut counts = self.1.lock().unwrap();
            counts[offset as usize..][..n].iter_mut().for_each(|count| *count += 1);
            Ok(n)
        }
        fn size(&self) -> std::io::Result<u64> {
            Ok(self.0.len() as u64)
        }
    }
    let desk = Desk::new(KemKind::Hybrid);
    let sealed = desk.seal(&bytes(100_000, 1));
    let content = u32::from_le_bytes(sealed[8..12].try_into().unwrap()) as usize;
    let counting = Counting(sealed, Mutex::default());
    counting.1.lock().unwrap().resize(counting.0.len(), 0);
    let mut reader = desk.session.open_source(&counting).unwrap();
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    assert!(text == bytes(100_000, 1));
    let counts = counting.1.lock().unwrap();
    assert_eq!(counts[..content].iter().max(), Some(&1));
    assert!(counts[content..].iter().all(|count| *count > 0));
}
