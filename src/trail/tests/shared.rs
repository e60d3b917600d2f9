//! Several handles and threads on one trail. A lock belongs to a handle, so handles stand for processes.

use super::journal::{MAX_PAUSE, lock_within};
use super::*;
use std::fs::TryLockError;
use std::io;

#[test]
fn two_handles_see_each_others_records() {
    let desk = Desk::new();
    let (a, b) = (desk.open().unwrap(), desk.open().unwrap());
    for n in 0..10 {
        let trail = if n % 2 == 0 { &a } else { &b };
        let mut locked = trail.lock().unwrap();
        assert_eq!(locked.state().opens(&Digest256([1; 32]), Some("kim"), 0), n);
        assert_eq!(locked.append(&opened(1, "kim"), NOW).unwrap(), n + 1);
    }
    assert_eq!(a.anchor().unwrap(), b.anchor().unwrap());
    assert_eq!(desk.records().len(), 11);
}

#[test]
fn threads_share_one_and_have_their_own() {
    let desk = Desk::new();
    let shared = desk.open().unwrap();
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                let own = desk.open().unwrap();
                for _ in 0..50 {
                    for trail in [&shared, &own] {
                        let mut locked = trail.lock().unwrap();
                        let n = locked.state().opens(&Digest256([1; 32]), Some("kim"), 0);
                        assert_eq!(locked.append(&opened(1, "kim"), NOW).unwrap(), n + 1);
                    }
                }
            });
        }
    });
    assert_eq!(shared.anchor().unwrap().seq, 400);
    assert_eq!(desk.open().unwrap().anchor().unwrap(), shared.anchor().unwrap());
}

#[test]
fn waiting_for_the_lock_ends() {
    let desk = Desk::new();
    let wait = Duration::from_millis(80);
    let options = TrailOptions { sync: Sync::Never, wait, ..TrailOptions::default() };
    let (a, b) = (desk.open_with(options).unwrap(), desk.open_with(options).unwrap());
    let held = a.lock().unwrap();
    for trail in [&a, &b] {
        let start = Instant::now();
        let refused = trail.lock().err().unwrap();
        assert_eq!(refused.code(), Code::TrailBusy);
        assert!(refused.to_string().contains("another process holds the trail"));
        assert!((wait..wait * 20).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
    assert_eq!(desk.open_with(options).err().unwrap().code(), Code::TrailBusy);
    drop(held);
    assert!(a.lock().is_ok() && b.lock().is_ok());
}

/// Pauses grow, so that who waits for long does not keep a core busy.
#[test]
fn a_lock_is_tried_again_unless_that_is_in_vain() {
    let kinds = [io::ErrorKind::Interrupted, io::ErrorKind::Unsupported];
    let locked = |errors: &[TryLockError]| {
        let (mut tries, mut errors) = (0, errors.iter());
        let locked = lock_within(Duration::from_secs(60), || {
            tries += 1;
            match errors.next() {
                None => Ok(()),
                Some(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
                Some(TryLockError::Error(e)) => Err(TryLockError::Error(e.kind().into())),
            }
        });
        (tries, locked.map_err(|e| e.code()))
    };
    let [interrupted, refused] = kinds.map(|kind| TryLockError::Error(kind.into()));
    assert_eq!(locked(&[interrupted, TryLockError::WouldBlock]), (3, Ok(())));
    assert_eq!(locked(&[TryLockError::WouldBlock, refused]), (2, Err(Code::Trail)));

    let (wait, mut tries) = (MAX_PAUSE * 100, 0);
    let busy = lock_within(wait, || {
        tries += 1;
        Err(TryLockError::WouldBlock)
    });
    assert_eq!(busy.unwrap_err().code(), Code::TrailBusy);
    assert!((2..120).contains(&tries), "{tries}");
}

#[test]
fn who_waits_gets_it_as_soon_as_it_is_free() {
    let desk = Desk::new();
    let (a, b) = (desk.open().unwrap(), desk.open().unwrap());
    let held = a.lock().unwrap();
    std::thread::scope(|s| {
        let waiters = [&a, &b].map(|trail| {
            s.spawn(move || {
                let start = Instant::now();
                trail.lock().map(|_| start.elapsed())
            })
        });
        std::thread::sleep(Duration::from_millis(50));
        drop(held);
        for waiter in waiters {
            let waited = waiter.join().unwrap().unwrap();
            assert!(waited < Duration::from_secs(5), "{waited:?}");
        }
    });
}

#[test]
fn a_holder_that_panics_gives_the_lock_back() {
    let desk = Desk::new();
    let trail = desk.open().unwrap();
    let panicked = std::thread::scope(|s| {
        s.spawn(|| {
            let _held = trail.lock().unwrap();
            panic!("a holder fails");
        })
        .join()
    });
    assert!(panicked.is_err());
    assert!(trail.lock().is_ok());
}

/// Windows does not let anybody remove or replace a trail that is open.
#[cfg(not(windows))]
#[test]
fn a_file_that_was_replaced_or_cut_denies() {
    let code = |trail: &Trail| trail.lock().err().map(|e| e.code());
    let tamper: [&dyn Fn(&Desk); 4] = [
        &|desk| {
            // The same bytes, another file.
            let bytes = desk.bytes();
            fs::remove_file(desk.path()).unwrap();
            desk.put(&bytes);
        },
        &|desk| fs::remove_file(desk.path()).unwrap(),
        &|desk| {
            let bytes = desk.bytes();
            desk.put(&bytes[..bytes.len() - 1]);
        },
        &|desk| {
            // Cut, and longer again than before.
            let bytes = desk.bytes();
            let first = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
            desk.put(&[&bytes[..first], &bytes[..], &bytes[..]].concat());
        },
    ];
    for (n, tamper) in tamper.iter().enumerate() {
        let desk = Desk::new();
        let trail = desk.open().unwrap();
        trail.lock().unwrap().append(&opened(1, "kim"), NOW).unwrap();
        assert_eq!(code(&trail), None);
        tamper(&desk);
        assert_eq!(code(&trail), Some(Code::Trail), "case {n}");
        assert_eq!(code(&trail), Some(Code::Trail), "case {n}, again");
    }
}
