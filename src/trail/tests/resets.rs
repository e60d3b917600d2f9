//! Resets: on a sound trail, a missing one, a broken one; and who they count for.

use super::*;
use crate::Reset;
use std::time::Duration;

pub(super) struct Insurer(RootKey);

impl Insurer {
    pub(super) fn new() -> Self {
        Insurer(RootKey::generate("Hanbit").unwrap())
    }

    pub(super) fn reset(&self, desk: &Desk, now: u64) -> Reset {
        Reset::sign(&self.0, desk.identity.thumbprint(), desk.identity.trail(), now).unwrap()
    }

    fn root(&self) -> Thumbprint {
        self.0.thumbprint()
    }
}

pub(super) fn apply(desk: &Desk, insurer: &Insurer, reset: &Reset, now: u64) -> Result<Id> {
    let (folder, device) = (desk.folder.path(), desk.identity.thumbprint());
    let (wait, key) = (Duration::from_millis(50), insurer.0.line().key());
    apply_reset(folder, desk.identity.trail(), device, reset, key, wait, now)
}

/// The identity as the caller stores it after a reset.
pub(super) fn with_id(desk: Desk, id: Id) -> Desk {
    let text = crate::keys::with_trail(&desk.identity.to_file(None).unwrap(), id).unwrap();
    Desk { identity: Identity::from_file(&text, None).unwrap(), folder: desk.folder }
}

#[test]
fn a_clock_far_ahead_is_put_right_for_the_root_that_says_so() {
    let desk = Desk::new();
    let (hanbit, other) = (Insurer::new(), root(9));
    let far = NOW + 10_000_000;
    let trail = desk.open().unwrap();
    let old_anchor = trail.anchor().unwrap();
    trail.lock().unwrap().append(&opened(1, "kim"), far).unwrap();

    let reset = hanbit.reset(&desk, NOW + 5);
    let id = apply(&desk, &hanbit, &reset, NOW + 10).unwrap();
    assert_eq!(id, reset.id());
    // Crash before the identity was stored: both ids open, and doing it again adds nothing.
    let length = desk.bytes().len();
    assert_eq!(apply(&desk, &hanbit, &reset, NOW + 11).unwrap(), id);
    assert_eq!(desk.bytes().len(), length);
    assert!(desk.open().is_ok());

    let desk = with_id(desk, id);
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    assert_eq!(locked.state().ids(), [old_anchor.id, id]);
    assert_eq!(locked.state().latest_time(&hanbit.root()), NOW + 10);
    assert_eq!(locked.state().latest_time(&other), far);
    assert!(locked.state().counts_for(&hanbit.root()) && locked.state().counts_for(&other));
    locked.append(&opened(1, "kim"), NOW + 8).unwrap();
    assert_eq!(desk.records().last().unwrap().time, NOW + 10);
    locked.append(&opened(1, "kim"), NOW + 20).unwrap();
    assert_eq!(locked.state().latest_time(&hanbit.root()), NOW + 20);
    assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), NOW + 10), 3);
    assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), NOW + 21), 1);
    assert_eq!(locked.anchor().unwrap().id, id);
    assert!(locked.extends(&old_anchor).unwrap());
    for known in [old_anchor.id, id] {
        let anchors = [old_anchor.clone(), locked.anchor().unwrap()];
        let expect = TrailExpectation { id: Some(known), anchors: &anchors, device: None };
        let report = verify_trail(&desk.bytes()[..], &expect).unwrap();
        assert_eq!((report.id, report.resets), (id, 1));
    }

    // Used up: the identity has gone on.
    drop(locked);
    assert_eq!(apply(&desk, &hanbit, &reset, NOW).unwrap_err().code(), Code::NotPermitted);
}

#[test]
fn a_lost_trail_begins_anew_for_the_root_that_says_so() {
    let (hanbit, daehan) = (Insurer::new(), Insurer::new());
    for broken in [false, true] {
        let desk = Desk::new();
        let old = desk.identity.trail();
        if broken {
            desk.put(b"not a trail\n");
        } else {
            fs::remove_file(desk.path()).unwrap();
        }
        let reset = hanbit.reset(&desk, NOW);
        let new = apply(&desk, &hanbit, &reset, NOW + 1).unwrap();
        let aside = desk.folder.path().join(format!("trail-{old}.jsonl"));
        assert_eq!(fs::read(&aside).ok(), broken.then(|| b"not a trail\n".to_vec()));
        let events: Vec<_> = desk.records().iter().map(|r| r.event).collect();
        assert_eq!(events, [Event::Begun, Event::Reset]);
        assert_eq!(desk.open().err().unwrap().code(), Code::Trail, "under the old id");
        let length = desk.bytes().len();
        assert_eq!(apply(&desk, &hanbit, &reset, NOW + 2).unwrap(), new);
        assert_eq!(desk.bytes().len(), length);

        let desk = with_id(desk, new);
        let trail = desk.open().unwrap();
        let counts = |who: &Insurer| trail.lock().unwrap().state().counts_for(&who.root());
        assert!(counts(&hanbit) && !counts(&daehan));
        let reset = daehan.reset(&desk, NOW);
        let newer = apply(&desk, &daehan, &reset, NOW + 3).unwrap();
        assert!(counts(&hanbit) && counts(&daehan));
        assert_eq!(trail.anchor().unwrap().id, newer);

        // Without the reset it counts for nobody, and nothing but the reset may come next.
        let records = desk.records();
        let lines =
            |second: &TrailRecord| [records[0].to_line(), second.to_line(), vec![]].join(&b'\n');
        let found = |bytes: Vec<u8>| verify_trail(&bytes[..], &TrailExpectation::default());
        assert!(found(lines(&records[1])).is_ok());
        let mut other = opened(1, "kim");
        (other.seq, other.device, other.prev) = (1, records[1].device, records[1].prev);
        let unfit = found(lines(&other)).unwrap_err();
        assert_eq!((unfit.line, unfit.kind), (2, TrailFaultKind::Misplaced));
        // Nor the reset of a trail that another root's began, or with another id.
        let begun_otherwise = |change: &dyn Fn(&mut TrailRecord)| {
            let (mut begun, mut reset) = (records[0].clone(), records[1].clone());
            change(&mut begun);
            reset.prev = Digest256(sha256(&begun.to_line()));
            let bytes = [begun.to_line(), reset.to_line(), vec![]].join(&b'\n');
            found(bytes).map(|_| ()).map_err(|f| (f.line, f.kind))
        };
        assert_eq!(begun_otherwise(&|_| ()), Ok(()));
        let misplaced = Err((2, TrailFaultKind::Misplaced));
        assert_eq!(begun_otherwise(&|r| r.root = Some(daehan.root())), misplaced);
        assert_eq!(begun_otherwise(&|r| r.trail = Some(id(1))), misplaced);

        // The remains of a second loss do not replace those of the first.
        // Open, it could not be renamed on Windows.
        let trail = Some(trail).filter(|_| !cfg!(windows));
        let desk = with_id(desk, old);
        desk.put(b"again\n");
        apply(&desk, &hanbit, &hanbit.reset(&desk, NOW), NOW).unwrap();
        assert_eq!(
            fs::read(&aside).unwrap(),
            if broken { &b"not a trail\n"[..] } else { b"again\n" }
        );
        // The trail that was open notices.
        if let Some(trail) = trail {
            assert_eq!(trail.lock().err().unwrap().code(), Code::Trail);
        }
    }
}

#[test]
fn a_reset_is_for_one_device_and_trail_by_its_root() {
    let desk = Desk::new();
    let before = desk.bytes();
    let (hanbit, other) = (Insurer::new(), Insurer::new());
    let code = |r: Result<Id>| r.unwrap_err().code();
    let (device, trail) = (desk.identity.thumbprint(), desk.identity.trail());
    let sign = |device, trail| Reset::sign(&hanbit.0, device, trail, NOW).unwrap();
    assert_eq!(code(apply(&desk, &hanbit, &sign(root(1), trail), NOW)), Code::NotPermitted);
    assert_eq!(code(apply(&desk, &hanbit, &sign(device, id(1)), NOW)), Code::NotPermitted);
    assert_eq!(code(apply(&desk, &other, &sign(device, trail), NOW)), Code::Signature);
    // A key that signs in a root's name.
    let reset = Reset::sign_for(hanbit.root(), &other.0, device, trail, NOW).unwrap();
    assert_eq!(code(apply(&desk, &other, &reset, NOW)), Code::NotPermitted);
    assert_eq!(desk.bytes(), before);
}

/// What `append` lets pass is what is read back: resets in the file prove themselves.
#[test]
fn a_forged_reset_breaks_the_chain() {
    let (hanbit, mallory) = (Insurer::new(), Insurer::new());
    let desk = Desk::new();
    let reset = hanbit.reset(&desk, NOW);
    apply(&desk, &hanbit, &reset, NOW).unwrap();
    let good = desk.records();
    let bytes = desk.bytes();
    let rewrite = |change: &dyn Fn(&mut TrailRecord)| {
        let mut forged = good[1].clone();
        change(&mut forged);
        let first = good[0].to_line();
        desk.put(&[&first[..], b"\n", &forged.to_line(), b"\n"].concat());
        let opened = desk.open().map(|_| ()).map_err(|e| e.code());
        let found = verify_trail(&desk.bytes()[..], &TrailExpectation::default());
        let found = found.map_err(|f| (f.line, f.kind));
        match opened {
            Ok(()) => assert!(found.is_ok()),
            Err(_) => assert_eq!(found, Err((2, TrailFaultKind::Misplaced))),
        }
        opened
    };
    assert_eq!(rewrite(&|_| ()), Ok(()));
    assert_eq!(rewrite(&|r| r.root = Some(mallory.root())), Err(Code::Trail));
    assert_eq!(rewrite(&|r| r.trail = Some(id(1))), Err(Code::Trail));
    let key = *mallory.0.line().key().as_bytes();
    assert_eq!(rewrite(&|r| r.root_key = Some(key)), Err(Code::Trail));
    let of_another = Reset::sign(&hanbit.0, root(1), desk.identity.trail(), NOW).unwrap();
    assert_eq!(
        rewrite(&|r| {
            r.trail = Some(of_another.id());
            r.reset = Some(of_another.as_str().into());
        }),
        Err(Code::Trail)
    );
    // Signed by the key that stands beside it, in another root's name.
    let (device, trail) = (desk.identity.thumbprint(), desk.identity.trail());
    let borrowed = Reset::sign_for(hanbit.root(), &mallory.0, device, trail, NOW).unwrap();
    let by_mallory = |r: &mut TrailRecord| {
        (r.root, r.root_key) = (Some(mallory.root()), Some(key));
        (r.trail, r.reset) = (Some(borrowed.id()), Some(borrowed.as_str().into()));
    };
    assert_eq!(rewrite(&by_mallory), Err(Code::Trail));
    // The signature's first character.
    let dot = reset.as_str().rfind('.').unwrap();
    let (signed, signature) = reset.as_str().split_at(dot + 1);
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let unsigned = format!("{signed}{other}{}", &signature[1..]);
    assert_eq!(rewrite(&|r| r.reset = Some(unsigned.clone())), Err(Code::Trail));
    // The same reset twice.
    desk.put(&bytes);
    let desk = with_id(desk, reset.id());
    let trail = desk.open().unwrap();
    let again = trail.lock().unwrap().append(&good[1], NOW);
    assert_eq!(again.unwrap_err().code(), Code::Internal);
}
