//! Whatever is done to a trail, the line is named.

use super::*;
use TrailFaultKind as Kind;
use std::io::{self, BufRead, ErrorKind, Read};

const LINES: usize = 8;

/// A trail of many kinds of records, and where it stood at each.
fn sample() -> (Desk, Vec<Vec<u8>>, Vec<Anchor>) {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut anchors = vec![trail.anchor().unwrap()];
    for n in 1..LINES as u64 {
        let entry = match n % 4 {
            0 => Entry { reasons: vec!["no badge".into()], ..Entry::new(Event::Denied) },
            1 => opened(1, "kim"),
            2 => seen(1, n, n, 4),
            _ => Entry { of: Some(n - 2), ..Entry::new(Event::Exported) },
        };
        trail.lock().unwrap().append(&entry, NOW + n).unwrap();
        anchors.push(trail.anchor().unwrap());
    }
    let lines = desk.bytes().split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    (desk, lines, anchors)
}

fn verify(lines: &[Vec<u8>], anchors: &[Anchor]) -> Result<TrailReport, (u64, Kind)> {
    let expect = TrailExpectation { anchors, ..TrailExpectation::default() };
    verify_trail(&lines.concat()[..], &expect).map_err(|f| (f.line, f.kind))
}

fn record(line: &[u8]) -> TrailRecord {
    TrailRecord::from_line(&line[..line.len() - 1]).unwrap()
}

pub(super) fn line(record: &TrailRecord) -> Vec<u8> {
    [&record.to_line()[..], b"\n"].concat()
}

#[test]
fn a_sound_trail_is_reported() {
    let (desk, lines, anchors) = sample();
    let report = verify(&lines, &anchors).unwrap();
    assert_eq!(report.records, LINES as u64);
    assert_eq!((report.first, report.last), (NOW, NOW + LINES as u64 - 1));
    assert_eq!((report.device, report.id), (desk.identity.thumbprint(), desk.identity.trail()));
    assert_eq!(report.head, anchors.last().unwrap().head);
    assert_eq!((report.repaired, report.resets), (0, 0));
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.contains(r#""first":"2026-11-24T13:37:22Z""#), "{json}");

    let bytes = lines.concat();
    let with = |expect| verify_trail(&bytes[..], &expect).map_err(|f| (f.line, f.kind));
    let none = TrailExpectation::default();
    let (id_right, device_right) = (desk.identity.trail(), desk.identity.thumbprint());
    assert!(
        with(TrailExpectation { id: Some(id_right), device: Some(device_right), ..none }).is_ok()
    );
    let another = TrailExpectation { id: Some(id(1)), ..none };
    assert_eq!(with(another), Err((1, Kind::Identity)));
    let another = TrailExpectation { device: Some(root(1)), ..none };
    assert_eq!(with(another), Err((1, Kind::Identity)));
}

/// One character of every line at a time: the line is named, except the last one's where nothing
/// says what it was.
#[test]
fn every_changed_character_is_found_in_its_line() {
    let (_desk, lines, anchors) = sample();
    for n in 0..LINES {
        for at in 0..lines[n].len() {
            let mut changed = lines.clone();
            let byte = &mut changed[n][at];
            *byte = match *byte {
                b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => *byte + 1,
                _ => b'0',
            };
            let found = verify(&changed, &anchors[LINES - 1..]);
            let (at_line, _) = found.expect_err("a changed line");
            assert_eq!(at_line, n as u64 + 1, "{}", String::from_utf8_lossy(&changed[n]));
            if n + 1 < LINES {
                let (at_line, _) = verify(&changed, &[]).expect_err("a changed line");
                // Of the last two, where only `prev` differs, either may be the one.
                let of_two = n + 2 == LINES || at_line == n as u64 + 1;
                assert!(of_two && at_line.abs_diff(n as u64 + 1) <= 1, "{at_line} for {n}");
            }
        }
    }
}

/// Opening reads the chain too, and is as strict.
#[test]
fn a_touched_trail_does_not_open() {
    let (desk, lines, _) = sample();
    let opens = |lines: &[Vec<u8>]| {
        desk.put(&lines.concat());
        desk.open().map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(opens(&lines), Ok(()));
    for n in 0..LINES {
        let mut touched = lines.clone();
        touched.insert(n, lines[n].clone());
        assert_eq!(opens(&touched), Err(Code::Trail));
        if n + 1 < LINES {
            let mut touched = lines.clone();
            touched[n] = line(&TrailRecord { time: NOW + 100, ..record(&lines[n]) });
            assert_eq!(opens(&touched), Err(Code::Trail));
            touched.remove(n);
            assert_eq!(opens(&touched), Err(Code::Trail));
            let mut touched = lines.clone();
            touched.swap(n, n + 1);
            assert_eq!(opens(&touched), Err(Code::Trail));
        }
    }
}

#[test]
fn a_record_that_was_changed_well_is_found() {
    let (_desk, lines, anchors) = sample();
    for n in 1..LINES {
        let mut changed = lines.clone();
        let record = TrailRecord { subject: Some("park".into()), ..record(&lines[n]) };
        changed[n] = line(&record);
        let expected = if n + 1 < LINES { Err((n as u64 + 1, Kind::Changed)) } else { Ok(()) };
        assert_eq!(verify(&changed, &[]).map(|_| ()), expected);
        // With an anchor later on, the line; with one at the line, the same.
        let later = if n + 1 < LINES { Kind::Changed } else { Kind::Anchor };
        assert_eq!(verify(&changed, &anchors[LINES - 1..]), Err((n as u64 + 1, later)));
        assert_eq!(verify(&changed, &anchors[n..=n]), Err((n as u64 + 1, Kind::Anchor)));
        // Another number, another `prev`.
        let seq = self::record(&lines[n]).seq;
        for other in [seq + 1, seq - 1, 1000] {
            changed[n] = line(&TrailRecord { seq: other, ..self::record(&lines[n]) });
            assert_eq!(verify(&changed, &[]), Err((n as u64 + 1, Kind::Changed)));
        }
        changed[n] = line(&TrailRecord { prev: Digest256([7; 32]), ..self::record(&lines[n]) });
        assert_eq!(verify(&changed, &anchors[n..=n]), Err((n as u64 + 1, Kind::Changed)));
        if n + 1 < LINES {
            assert_eq!(verify(&changed, &[]), Err((n as u64 + 1, Kind::Changed)));
        }
    }
}

#[test]
fn lines_that_are_missing_moved_or_put_in_are_found() {
    let (_desk, lines, anchors) = sample();
    for n in 0..LINES {
        let here = n as u64 + 1;
        let mut missing = lines.clone();
        missing.remove(n);
        if n + 1 < LINES {
            assert_eq!(verify(&missing, &[]), Err((here, Kind::Missing)));
        } else {
            assert!(verify(&missing, &[]).is_ok());
        }
        let at_end = if n + 1 < LINES { Kind::Missing } else { Kind::Anchor };
        assert_eq!(verify(&missing, &anchors[LINES - 1..]), Err((here, at_end)));

        let mut twice = lines.clone();
        twice.insert(n, lines[n].clone());
        assert_eq!(verify(&twice, &[]), Err((here + 1, Kind::Order)));

        for to in n + 1..LINES {
            let mut swapped = lines.clone();
            swapped.swap(n, to);
            let kind = if to == n + 1 { Kind::Order } else { Kind::Missing };
            assert_eq!(verify(&swapped, &[]), Err((here, kind)), "{n} and {to}");
        }
        if n > 0 {
            let mut put_in = lines.clone();
            let genuine = record(&lines[n]);
            put_in.insert(n, line(&TrailRecord { subject: Some("park".into()), ..genuine }));
            // Before the last line nothing says which of the two is right.
            let expected =
                if n + 1 < LINES { (here, Kind::Inserted) } else { (here + 1, Kind::Order) };
            assert_eq!(verify(&put_in, &[]), Err(expected));
        }
        for (junk, kind) in [(&b"\n"[..], Kind::Record), (b"{}\n", Kind::Record)] {
            let mut put_in = lines.clone();
            put_in.insert(n, junk.to_vec());
            assert_eq!(verify(&put_in, &[]), Err((here, kind)));
        }
    }
    assert_eq!(verify(&[], &[]), Err((1, Kind::Missing)));
}

/// Of two lines that claim one place, the later is right only if it followed the line before them,
/// has the number for that, and the next line follows it.
#[test]
fn a_line_is_not_called_put_in_for_less() {
    let (_desk, lines, _) = sample();
    let hash = |line: &[u8]| Digest256(sha256(line.strip_suffix(b"\n").unwrap()));
    let after_two = |seq, prev, next_prev: Option<Digest256>| {
        let park = Some("park".to_owned());
        let third = line(&TrailRecord { seq, prev, subject: park, ..record(&lines[1]) });
        let prev = next_prev.unwrap_or_else(|| hash(&third));
        let fourth = line(&TrailRecord { prev, ..record(&lines[2]) });
        verify(&[lines[0].clone(), lines[1].clone(), third, fourth], &[]).map(|_| ())
    };
    let first = hash(&lines[0]);
    assert_eq!(after_two(1, first, None), Err((2, Kind::Inserted)));
    assert_eq!(after_two(0, first, None), Err((3, Kind::Order)));
    assert_eq!(after_two(1, Digest256([9; 32]), None), Err((3, Kind::Order)));
    assert_eq!(after_two(1, first, Some(Digest256([9; 32]))), Err((3, Kind::Order)));
    assert_eq!(after_two(0, Digest256([9; 32]), None), Err((3, Kind::Order)));

    let missing = [&lines[..2], &lines[5..]].concat().concat();
    let fault = verify_trail(&missing[..], &TrailExpectation::default()).unwrap_err();
    assert!(fault.message.contains("records 2 to 4 are missing"), "{}", fault.message);
}

/// A source that answers every other call with an error.
struct Failing<'a> {
    bytes: &'a [u8],
    kind: ErrorKind,
    failed: bool,
}

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Failing<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.failed = !self.failed;
        if self.failed {
            Err(self.kind.into())
        } else {
            Ok(&self.bytes[..self.bytes.len().min(1000)])
        }
    }

    fn consume(&mut self, n: usize) {
        self.bytes = &self.bytes[n..];
    }
}

#[test]
fn interrupted_reads_go_on_and_failed_ones_are_said() {
    let (_desk, lines, _) = sample();
    let long = [vec![b'x'; MAX_LINE_PLUS + 5000], b"\n".to_vec()].concat();
    let mut torn = long.clone();
    torn.pop();
    for (last, kind) in [(long, Kind::Record), (torn, Kind::Torn)] {
        let bytes = [lines.concat(), last].concat();
        let found = |kind| {
            let source = Failing { bytes: &bytes, kind, failed: false };
            verify_trail(source, &TrailExpectation::default()).map_err(|f| (f.line, f.kind))
        };
        let here = LINES as u64 + 1;
        assert_eq!(found(ErrorKind::Interrupted), Err((here, kind)));
        assert_eq!(found(ErrorKind::Other), Err((1, Kind::Unreadable)));
    }
    // A failure in the middle of the line that is too long.
    let bytes = vec![b'x'; MAX_LINE_PLUS + 5000];
    let source = io::BufReader::with_capacity(100, bytes[..].chain(Broken));
    let found = verify_trail(source, &TrailExpectation::default()).unwrap_err();
    assert_eq!((found.line, found.kind), (1, Kind::Unreadable));
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::Other.into())
    }
}

/// A line with a NUL, and what follows it, is torn as long as a repair keeps all of it; one that
/// begins with a NUL, up to what a repair that was interrupted may leave.
#[test]
fn what_was_not_written_is_torn_up_to_what_a_repair_keeps_or_leaves() {
    let (_desk, lines, _) = sample();
    for (hole, most) in [(0, record::MAX_LINE), (1, record::MAX_LOST), (9, record::MAX_LOST)] {
        for (size, kind) in [(most, Kind::Torn), (most + 1, Kind::Record)] {
            let mut end = vec![b'x'; size];
            (end[hole], end[10]) = (0, b'\n');
            let bytes = [lines.concat(), end].concat();
            let found = verify_trail(&bytes[..], &TrailExpectation::default()).unwrap_err();
            assert_eq!((found.line, found.kind), (LINES as u64 + 1, kind), "{hole} {size}");
        }
    }
}

#[test]
fn a_cut_trail_is_found_by_its_end_or_its_anchor() {
    let (_desk, lines, anchors) = sample();
    for n in 1..LINES {
        let whole = &lines[..n];
        assert!(verify(whole, &anchors[..n]).is_ok());
        assert_eq!(verify(whole, &anchors), Err((n as u64 + 1, Kind::Anchor)));
        for keep in 1..lines[n].len() {
            let mut torn = lines[..=n].to_vec();
            torn[n].truncate(keep);
            assert_eq!(verify(&torn, &[]), Err((n as u64 + 1, Kind::Torn)));
        }
    }
    let other = Anchor { id: id(1), ..anchors[2].clone() };
    assert_eq!(verify(&lines, &[other]), Err((3, Kind::Anchor)));
}

/// A chain written anew from some line on holds together, and is found at the first anchor in it.
#[test]
fn a_rewritten_trail_is_found_at_the_anchor() {
    let (_desk, lines, anchors) = sample();
    for from in 1..LINES {
        let mut rewritten = lines.clone();
        for n in from..LINES {
            let head = sha256(rewritten[n - 1].strip_suffix(b"\n").unwrap());
            let mut record = record(&lines[n]);
            record.prev = Digest256(head);
            record.time += 1;
            rewritten[n] = line(&record);
        }
        assert!(verify(&rewritten, &anchors[..from]).is_ok());
        let found = verify(&rewritten, &anchors);
        assert_eq!(found, Err((from as u64 + 1, Kind::Anchor)));
        let found = verify(&rewritten, &anchors[LINES - 1..]);
        assert_eq!(found, Err((LINES as u64, Kind::Anchor)));
    }
}

#[test]
fn what_cannot_stand_is_found() {
    let (_desk, lines, _) = sample();
    let follow = |change: &dyn Fn(&mut TrailRecord)| {
        let mut next = record(&lines[1]);
        change(&mut next);
        verify(&[lines[0].clone(), line(&next)], &[]).map(|_| ())
    };
    assert_eq!(follow(&|_| ()), Ok(()));
    assert_eq!(follow(&|r| r.device = Some(root(1))), Err((2, Kind::Misplaced)));
    let begun = record(&lines[0]);
    let again = |r: &mut TrailRecord| (r.event, r.trail) = (Event::Begun, begun.trail);
    assert_eq!(follow(&again), Err((2, Kind::Misplaced)));
    let mut not_begun = record(&lines[1]);
    (not_begun.seq, not_begun.prev) = (0, Digest256([0; 32]));
    assert_eq!(verify(&[line(&not_begun)], &[]), Err((1, Kind::Misplaced)));
    let long = [vec![b'x'; MAX_LINE_PLUS], b"\n".to_vec()].concat();
    assert_eq!(verify(&[lines[0].clone(), long], &[]), Err((2, Kind::Record)));
}

#[test]
fn records_are_shown_and_filtered() {
    let (desk, mut lines, _) = sample();
    let bytes = lines.concat();
    let count = |filter: TrailFilter| {
        trail_records(&bytes[..]).filter(|r| filter.matches(r.as_ref().unwrap())).count()
    };
    let all = TrailFilter::default;
    assert_eq!(count(all()), LINES);
    assert_eq!(count(TrailFilter { file: Some(id(1)), ..all() }), 4);
    assert_eq!(count(TrailFilter { file: Some(id(2)), ..all() }), 0);
    assert_eq!(count(TrailFilter { subject: Some("kim".into()), ..all() }), 2);
    assert_eq!(count(TrailFilter { event: Some(Event::Denied), ..all() }), 1);
    let (from, until) = (Some(NOW + 2), Some(NOW + 4));
    assert_eq!(count(TrailFilter { from, until, ..all() }), 2);
    assert_eq!(count(TrailFilter { from, event: Some(Event::Begun), ..all() }), 0);

    lines[2] = b"{}\n".to_vec();
    lines[7].truncate(10);
    let bad = lines.concat();
    let shown: Vec<_> = trail_records(&bad[..]).collect();
    assert_eq!(shown.len(), LINES);
    for (n, r) in shown.iter().enumerate() {
        assert_eq!(r.is_err(), n == 2 || n == 7);
        if let Err(e) = r {
            assert_eq!(e.code(), Code::Trail);
            assert!(e.to_string().contains(&format!("line {}", n + 1)), "{e}");
        }
    }

    // After a failure nothing comes, though more could be read.
    let source = Failing { bytes: &bytes, kind: ErrorKind::Other, failed: false };
    let shown: Vec<_> = trail_records(source).collect();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].as_ref().unwrap_err().code(), Code::Io);

    let read = open_for_reading(desk.folder.path(), Duration::ZERO).unwrap();
    assert_eq!(trail_records(read).count(), LINES);
    let trail = desk.open().unwrap();
    let held = trail.lock().unwrap();
    let busy = open_for_reading(desk.folder.path(), Duration::ZERO).err().unwrap();
    assert_eq!(busy.code(), Code::TrailBusy);
    drop(held);
}

#[test]
fn the_only_line_and_the_last_one_are_judged() {
    let (_desk, mut lines, anchors) = sample();
    let mut first = record(&lines[0]);
    first.prev = Digest256([1; 32]);
    assert_eq!(verify(&[line(&first)], &[]), Err((1, Kind::Changed)));

    // No line comes after the last, and no anchor is of it: the one before it may be what was changed.
    let mut last = record(&lines[LINES - 1]);
    last.prev = Digest256([1; 32]);
    lines[LINES - 1] = line(&last);
    assert_eq!(verify(&lines, &[]), Err((LINES as u64 - 1, Kind::Changed)));
    let later = Anchor { seq: LINES as u64, ..anchors[LINES - 1].clone() };
    assert_eq!(verify(&lines, &[later]), Err((LINES as u64 - 1, Kind::Changed)));
    assert_eq!(verify(&lines, &anchors), Err((LINES as u64, Kind::Changed)));
}
