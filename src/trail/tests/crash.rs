//! Torn lines, full disks, files that cannot be written.

use super::*;
use crate::encoding::unb64;
#[cfg(target_os = "linux")]
use std::fs::File;

#[test]
fn a_torn_last_line_goes_into_a_repair_whatever_is_left_of_it() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    trail.lock().unwrap().append(&seen(1, 1, 1, 1), NOW).unwrap();
    let sound = desk.bytes().len();
    trail.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
    drop(trail);
    let whole = desk.bytes();
    for end in sound + 1..whole.len() {
        desk.put(&whole[..end]);
        let trail = desk.open().unwrap();
        let mut locked = trail.lock().unwrap();
        assert_eq!(locked.anchor().unwrap().seq, 1);
        assert_eq!(locked.append(&opened(2, "lee"), NOW).unwrap(), 3);
        drop(locked);
        let records = desk.records();
        let repair = &records[2];
        assert_eq!(repair.event, Event::Repaired);
        assert_eq!(unb64(repair.lost.as_ref().unwrap()).unwrap(), whole[sound..end]);
        assert_eq!(repair.lost_bytes, Some((end - sound) as u64));
        assert_eq!(records[3].file, Some(id(2)));
        assert!(desk.open().is_ok());
    }
}

#[test]
fn an_open_trail_repairs_what_another_process_tore() {
    let desk = Desk::new();
    let (a, b) = (desk.open().unwrap(), desk.open().unwrap());
    let sound = desk.bytes();
    desk.put(&[&sound[..], b"{\"seq\":1"].concat());
    // Looking does not touch it.
    assert_eq!(a.anchor().unwrap().seq, 0);
    assert_eq!(desk.bytes().len(), sound.len() + 8);
    assert_eq!(b.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap(), 2);
    assert_eq!(desk.records()[1].lost_bytes, Some(8));
    let report = verify_trail(&desk.bytes()[..], &TrailExpectation::default()).unwrap();
    assert_eq!((report.records, report.repaired), (3, 1));
    assert_eq!(a.anchor().unwrap(), b.anchor().unwrap());
}

#[test]
fn a_long_torn_tail_is_counted() {
    for torn in [&[0; 20_000][..], &[b'x'; 200_000]] {
        let desk = Desk::new();
        let trail = desk.open().unwrap();
        desk.put(&[&desk.bytes()[..], torn].concat());
        trail.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
        let records = desk.records();
        assert_eq!(unb64(records[1].lost.as_ref().unwrap()).unwrap(), torn[..16 * 1024]);
        assert_eq!(records[1].lost_bytes, Some(torn.len() as u64));
        assert_eq!(records.len(), 3);
    }
}

/// A loss of power can leave a page out of which only the later ones were written.
#[test]
fn a_page_that_was_not_written_is_torn_as_far_as_all_of_it_can_be_kept() {
    for (hole, after, repaired) in [(1, 1, true), (500, 12_000, true), (500, 16_384, false)] {
        let desk = Desk::new();
        let sound = desk.bytes();
        let torn = [b"{", &vec![0; hole][..], b"\"}\n", &vec![b'x'; after - 1], b"\n"].concat();
        desk.put(&[&sound[..], &torn].concat());
        let fault = verify_trail(&desk.bytes()[..], &TrailExpectation::default()).unwrap_err();
        assert_eq!(fault.line, 2);
        if repaired {
            assert_eq!(fault.kind, TrailFaultKind::Torn);
            desk.open().unwrap().lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
            assert_eq!(unb64(desk.records()[1].lost.as_ref().unwrap()).unwrap(), torn);
            assert_eq!(desk.records().len(), 3);
        } else {
            assert_eq!(fault.kind, TrailFaultKind::Record);
            assert_eq!(desk.open().err().unwrap().code(), Code::Trail);
        }
    }
}

/// The last byte of a repair is its first: without it, it is torn itself.
#[test]
fn a_long_repair_that_was_interrupted_is_repaired() {
    for len in [12_100, 16_384, 200_000] {
        let desk = Desk::new();
        let sound = desk.bytes();
        desk.put(&[&sound[..], &vec![b'x'; len]].concat());
        desk.open().unwrap().lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
        let repaired = desk.records()[1].to_line();
        assert_eq!(desk.records()[1].lost_bytes, Some(len as u64));
        let torn = [b"\0", &repaired[1..], b"\n"].concat();
        desk.put(&[&sound[..], &torn].concat());
        let fault = verify_trail(&desk.bytes()[..], &TrailExpectation::default()).unwrap_err();
        assert_eq!((fault.line, fault.kind), (2, TrailFaultKind::Torn), "{len}");

        desk.open().unwrap().lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
        let records = desk.records();
        let kept = torn.len().min(record::MAX_LOST);
        assert_eq!(unb64(records[1].lost.as_ref().unwrap()).unwrap(), torn[..kept]);
        assert_eq!((records[1].lost_bytes, records.len()), (Some(torn.len() as u64), 3));
    }
}

/// Where what is torn is longer than what is put in its place, and cannot be cut.
#[cfg(target_os = "linux")]
#[test]
fn a_repair_of_what_cannot_be_cut_leaves_it_torn() {
    let desk = Desk::new();
    let torn = [&desk.bytes()[..], &[b'x'; 200_000]].concat();
    let _file = seal_file(&desk, &torn, rustix::fs::SealFlags::SHRINK);
    let trail = desk.open().unwrap();
    trail.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap_err();
    let left = desk.bytes();
    fs::remove_file(desk.path()).unwrap();
    desk.put(&left);
    desk.open().unwrap().lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
    assert_eq!(desk.records()[1].lost_bytes, Some(200_000));
}

/// A line that ends is not torn: somebody wrote it.
#[test]
fn a_whole_line_that_is_no_record_is_not_repaired() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let bytes = [&desk.bytes()[..], b"{\"seq\":1\n"].concat();
    desk.put(&bytes);
    let refused = trail.lock().err().unwrap();
    assert_eq!(refused.code(), Code::Trail);
    assert!(refused.to_string().contains("line 2"), "{refused}");
    assert!(refused.to_string().contains("bulla trail verify"), "{refused}");
    assert_eq!(desk.bytes(), bytes);
}

/// Puts a memory file in the trail's place with which, root or not, nobody does what its seals forbid.
#[cfg(target_os = "linux")]
pub(super) fn seal_file(desk: &Desk, bytes: &[u8], seals: rustix::fs::SealFlags) -> File {
    use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};
    use std::os::fd::AsRawFd;
    let memory = memfd_create("trail", MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::io::write(&memory, bytes).unwrap();
    fcntl_add_seals(&memory, seals).unwrap();
    fs::remove_file(desk.path()).unwrap();
    let named = format!("/proc/self/fd/{}", memory.as_raw_fd());
    std::os::unix::fs::symlink(named, desk.path()).unwrap();
    memory.into()
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_denied() {
    let desk = Desk::new();
    let bytes = desk.bytes();
    let _file = seal_file(&desk, &bytes, rustix::fs::SealFlags::WRITE);
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    let refused = locked.append(&opened(1, "kim"), NOW).unwrap_err();
    assert_eq!(refused.code(), Code::Trail);
    assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), 0), 0);
    drop(locked);
    assert_eq!(desk.bytes(), bytes);
}

/// Runs itself again under a limit on the size of files: what a full disk looks like, with writes
/// that stop short.
#[cfg(target_os = "linux")]
#[test]
fn a_short_write_leaves_nothing() {
    const FOLDER: &str = "BULLA_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let text = fs::read_to_string(Path::new(&folder).join("identity")).unwrap();
        let identity = Identity::from_file(&text, None).unwrap();
        let options = TrailOptions::default();
        let (folder, id) = (Path::new(&folder), identity.trail());
        let trail = Trail::open(folder, id, identity.thumbprint(), options, NOW).unwrap();
        let mut locked = trail.lock().unwrap();
        let mut written = 0;
        let refused = loop {
            match locked.append(&opened(1, "kim"), NOW) {
                Ok(_) => written += 1,
                Err(e) => break e,
            }
        };
        assert!(written > 0);
        assert!([Code::Full, Code::Trail].contains(&refused.code()), "{refused}");
        assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), 0), written);
        return;
    }
    let desk = Desk::new();
    let key = desk.identity.to_file(None).unwrap();
    fs::write(desk.folder.path().join("identity"), key.as_bytes()).unwrap();
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("trail::tests::crash::a_short_write_leaves_nothing")
        .env(FOLDER, desk.folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    let records = desk.records();
    assert!(records.len() > 2, "{}", records.len());
    assert!(records.iter().all(|r| r.event != Event::Repaired));
    assert!(desk.open().is_ok());
}
