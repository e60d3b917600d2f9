//! `trail.state`: used when it is right, ignored when it is not.

use super::*;

fn state(desk: &Desk) -> PathBuf {
    desk.folder.path().join("trail.state")
}

/// A desk whose trail is long enough, and has a snapshot.
fn long() -> Desk {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    for n in 0..=snapshot::AFTER {
        let subject = if n % 2 == 0 { "kim" } else { "lee" };
        locked.append(&opened(1, subject), NOW + n).unwrap();
    }
    locked.append(&seen(1, 2, 3, 4), NOW).unwrap();
    drop(locked);
    assert!(!state(&desk).exists());
    desk.open().unwrap();
    assert!(state(&desk).exists());
    desk
}

/// Whether opening took the snapshot: the first line no longer reads, and only it would notice.
fn trusts(desk: &Desk) -> bool {
    let good = desk.bytes();
    let mut bytes = good.clone();
    bytes[0] = b'[';
    desk.put(&bytes);
    let opened = desk.open();
    desk.put(&good);
    opened.map_err(|e| assert_eq!(e.code(), Code::Trail)).is_ok()
}

#[test]
fn a_snapshot_says_what_the_records_say() {
    let desk = long();
    let before = fs::read(state(&desk)).unwrap();
    assert!(trusts(&desk));
    let trail = desk.open().unwrap();
    trail.lock().unwrap().append(&opened(1, "kim"), NOW + 20_000).unwrap();
    let with = desk.open().unwrap();
    // Not written again before much has happened.
    assert_eq!(fs::read(state(&desk)).unwrap(), before);
    fs::remove_file(state(&desk)).unwrap();
    let without = desk.open().unwrap();
    let json = |t: &Trail| serde_json::to_value(t.lock().unwrap().state()).unwrap();
    assert_eq!(json(&with), json(&without));
    assert_eq!(with.anchor().unwrap(), without.anchor().unwrap());
    let locked = with.lock().unwrap();
    assert_eq!(locked.state().revision(&id(1)), Some((3, [4; 32])));
    assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), NOW + 9_999), 2);
}

#[test]
fn a_snapshot_that_is_not_right_is_ignored() {
    let desk = long();
    let good = fs::read_to_string(state(&desk)).unwrap();
    assert!(trusts(&desk));
    let seq = format!("\"seq\":{}", snapshot::AFTER + 3);
    for bad in [
        String::new(),
        good[..good.len() - 1].to_owned(),
        good.replacen(&seq, "\"seq\":1", 1),
        good.replacen('A', "B", 1),
        format!("{good}\n"),
    ] {
        assert_ne!(bad, good);
        fs::write(state(&desk), &bad).unwrap();
        assert!(!trusts(&desk), "{}", &bad[..bad.len().min(300)]);
        assert!(desk.open().is_ok());
    }
    // Another device's word.
    fs::write(state(&desk), &good).unwrap();
    let signed = good.split_once('\n').unwrap().1.trim_end();
    let other = Identity::generate(KemKind::X25519, "").unwrap();
    let signature = other.signing.sign(&snapshot::signed(signed.as_bytes()));
    let other = format!("{}\n{signed}\n", crate::encoding::b64(&signature));
    fs::write(state(&desk), other).unwrap();
    assert!(!trusts(&desk));

    // One that is of another trail of the same length, or of a longer one.
    fs::write(state(&desk), &good).unwrap();
    let bytes = desk.bytes();
    let changed = String::from_utf8(bytes.clone()).unwrap();
    let at = changed.rfind("\"rev\":3").unwrap();
    desk.put(format!("{}\"rev\":4{}", &changed[..at], &changed[at + 7..]).as_bytes());
    assert!(!trusts(&desk));
    desk.put(&bytes);
    fs::write(state(&desk), &good).unwrap();
    assert!(trusts(&desk));
    let bytes = desk.bytes();
    let cut = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    desk.put(&bytes[..cut]);
    assert!(!trusts(&desk));
    assert_eq!(desk.open().unwrap().anchor().unwrap().seq, snapshot::AFTER + 1);
}
