//! What lies right beside what is allowed, and the ways that are seldom taken.

use super::resets::{Insurer, apply, with_id};
use super::tampering::line;
use super::*;
use crate::json::MAX_INTEGER;
use crate::trail::record::MAX_LINE;
use crate::trail::reset::put_unused_aside;

impl Desk {
    /// Puts a record after those that there are: the next, but for what is changed.
    fn put_record(&self, change: impl FnOnce(&mut TrailRecord)) {
        let bytes = self.bytes();
        let last = bytes[..bytes.len() - 1].rsplit(|b| *b == b'\n').next().unwrap();
        let mut record = TrailRecord::from_line(last).unwrap();
        record = TrailRecord {
            seq: record.seq + 1,
            time: record.time,
            device: record.device,
            prev: Digest256(sha256(last)),
            ..opened(1, "kim")
        };
        change(&mut record);
        self.put(&[bytes, line(&record)].concat());
    }

    fn refusal(&self) -> String {
        let e = self.open().err().expect("it does not open");
        assert_eq!(e.code(), Code::Trail);
        e.to_string()
    }
}

#[test]
fn numbers_follow_each_other() {
    for (seq, good) in [(1, true), (0, false), (2, false)] {
        let desk = Desk::new();
        desk.put_record(|record| record.seq = seq);
        match desk.open() {
            Ok(_) => assert!(good, "{seq}"),
            Err(e) => assert!(!good && e.to_string().contains("number"), "{seq}: {e}"),
        }
    }
    let mut record = seen(1, MAX_INTEGER, 1, 1);
    let too_large = |record: &TrailRecord| record.rules().is_err_and(|why| why.contains("2^53"));
    assert!(!too_large(&record));
    record.license_seq = Some(MAX_INTEGER + 1);
    assert!(too_large(&record));
}

#[test]
fn a_line_that_is_too_long_is_named() {
    let desk = Desk::new();
    let long = [&vec![b'x'; MAX_LINE + 1][..], b"\n"].concat();
    desk.put(&[&desk.bytes()[..], &long].concat());
    assert!(desk.refusal().contains("line 2"));
    // Whoever shows the records goes on with the next line.
    let bytes = [&desk.bytes()[..], b"{}\n"].concat();
    let shown: Vec<_> = trail_records(&bytes[..]).map(|r| r.map_err(|e| e.to_string())).collect();
    assert_eq!(shown.len(), 3);
    assert!(shown[0].is_ok());
    assert!(shown[1].as_ref().unwrap_err().contains("too long"));
    assert!(shown[2].as_ref().unwrap_err().contains("line 3"));
}

#[test]
fn the_longest_record_fits() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let entry = |len| Entry { ticket: Some("x".repeat(len)), ..opened(1, "kim") };
    trail.lock().unwrap().append(&entry(1), NOW).unwrap();
    let room = MAX_LINE - (desk.records()[1].to_line().len() - 1 + 1);
    let refused = trail.lock().unwrap().append(&entry(room + 1), NOW).unwrap_err();
    assert_eq!(refused.code(), Code::BadArgument);
    trail.lock().unwrap().append(&entry(room), NOW).unwrap();
    let bytes = desk.bytes();
    assert_eq!(bytes.split_inclusive(|b| *b == b'\n').next_back().unwrap().len(), MAX_LINE);
    assert!(desk.open().is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_no_trail() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let desk = Desk::new();
    fs::remove_file(desk.path()).unwrap();
    mknodat(CWD, desk.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(desk.refusal().contains("not a regular file"));
}

#[test]
fn a_trail_is_never_overwritten() {
    let desk = Desk::new();
    let (folder, device) = (desk.folder.path(), desk.identity.thumbprint());
    let refused = Trail::create(folder, id(7), device, NOW).unwrap_err();
    assert!(refused.to_string().contains("never overwritten"), "{refused}");
}

/// Records that may wait for others wait at most so long.
#[test]
fn a_batch_of_records_ends() {
    let desk = Desk::new();
    let options = TrailOptions { sync: Sync::Batched, ..TrailOptions::default() };
    let trail = desk.open_with(options).unwrap();
    let mut locked = trail.lock().unwrap();
    locked.append(&opened(1, "kim"), NOW).unwrap();
    assert!(locked.journal().unsynced);
    locked.journal_mut().last_sync -= std::time::Duration::from_secs(6);
    locked.append(&opened(1, "kim"), NOW).unwrap();
    assert!(!locked.journal().unsynced);
}

/// Where it cannot be written over what is torn, that is still there for the next to repair.
#[cfg(target_os = "linux")]
#[test]
fn what_is_torn_stays_until_it_is_repaired() {
    let desk = Desk::new();
    let bytes = [&desk.bytes()[..], b"{\"seq\":1"].concat();
    let _file = super::crash::seal_file(&desk, &bytes, rustix::fs::SealFlags::GROW);
    let trail = desk.open().unwrap();
    trail.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap_err();
    assert_eq!(desk.bytes().len(), bytes.len());
    let report = verify_trail(&desk.bytes()[..], &TrailExpectation::default());
    assert_eq!(report.unwrap_err().kind, TrailFaultKind::Torn);
}

/// A sound trail that is not the one the identity names is put aside like a lost one's remains.
#[test]
fn a_reset_begins_anew_beside_a_trail_of_another_id() {
    let (desk, other, hanbit) = (Desk::new(), Desk::new(), Insurer::new());
    let (folder, device) = (desk.folder.path(), desk.identity.thumbprint());
    fs::remove_file(desk.path()).unwrap();
    Trail::create(folder, other.identity.trail(), device, NOW).unwrap();
    let theirs = desk.bytes();
    let new = apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap();
    let aside = folder.join(format!("trail-{}.jsonl", desk.identity.trail()));
    assert_eq!(fs::read(aside).unwrap(), theirs);
    let desk = with_id(desk, new);
    let trail = desk.open().unwrap();
    assert_eq!(trail.lock().unwrap().state().ids(), [new], "once, though begun and reset name it");
}

#[test]
fn a_reset_of_an_id_that_the_trail_has_left_is_refused() {
    let (desk, hanbit, daehan) = (Desk::new(), Insurer::new(), Insurer::new());
    apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap();
    let before = desk.bytes();
    let refused = apply(&desk, &daehan, &daehan.reset(&desk, NOW), NOW).unwrap_err();
    assert_eq!(refused.code(), Code::NotPermitted);
    assert_eq!(desk.bytes(), before);
}

/// A trail that somebody holds is not a broken one.
#[test]
fn a_reset_waits_for_who_holds_the_trail() {
    let (desk, hanbit) = (Desk::new(), Insurer::new());
    let trail = desk.open().unwrap();
    let held = trail.lock().unwrap();
    let before = desk.bytes();
    let refused = apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap_err();
    assert_eq!(refused.code(), Code::TrailBusy);
    assert_eq!(desk.bytes(), before);
    drop(held);
    apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap();
}

#[test]
fn so_many_old_trails_lie_in_a_folder() {
    let (desk, hanbit) = (Desk::new(), Insurer::new());
    let old = desk.identity.trail();
    let aside = |n: u32| {
        let number = if n == 1 { String::new() } else { format!("-{n}") };
        desk.folder.path().join(format!("trail-{old}{number}.jsonl"))
    };
    (1..99).for_each(|n| fs::write(aside(n), "").unwrap());
    desk.put(b"broken\n");
    apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap();
    assert_eq!(fs::read(aside(99)).unwrap(), b"broken\n");
    desk.put(b"again\n");
    let refused = apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap_err();
    assert_eq!(refused.code(), Code::Trail);
    assert_eq!(desk.bytes(), b"again\n");
}

#[test]
fn only_a_trail_that_was_never_used_is_put_aside() {
    let desk = Desk::new();
    let folder = desk.folder.path();
    let begun = desk.bytes();
    let used = [&begun[..], b"x"].concat();
    let opened = line(&opened(1, "kim"));
    for other in [&used[..], b"not a trail\n", &begun[..begun.len() - 1], &opened, b""] {
        desk.put(other);
        assert!(!put_unused_aside(folder).unwrap());
        assert_eq!(desk.bytes(), other);
    }
    desk.put(&begun);
    assert!(put_unused_aside(folder).unwrap());
    assert!(!desk.path().exists());
    let aside = folder.join(format!("trail-{}.jsonl", desk.identity.trail()));
    assert_eq!(fs::read(aside).unwrap(), begun);
    assert!(put_unused_aside(folder).is_err(), "there is none");
}
