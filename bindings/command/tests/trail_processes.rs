//! Eight processes that open, are denied and look at the trail at once: every access has its
//! records, and the chain holds, also in between.
//!
//! `BULLA_TEST_SECONDS=30 cargo test --test trail_processes` goes on for longer than 3 s.

#![cfg(unix)]

mod office;

use office::rights::{agents, by, copied_command, grant, policy_of};
use office::{Office, finish, refused};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const TEXT: &[u8] = b"name,phone\n";

#[test]
fn eight_processes_lose_no_record() {
    let seconds = std::env::var("BULLA_TEST_SECONDS").map_or(3, |s| s.parse().expect("a number"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let office = Office::at_work();
    office.seal_under("open", &policy_of(&[grant(json!("anyone"), &["export"], json!({}))]));
    office.seal_under("closed", &agents(json!({})));
    let folder = tempfile::tempdir().unwrap();
    let binary = copied_command(folder.path());
    let run = |args: &[&str]| finish(by(&binary, &office.command("desk", args)), b"");
    let (opened, denied, verified) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (run, opened, denied, verified) = (&run, &opened, &denied, &verified);
            scope.spawn(move || {
                let ticket = format!("W-{worker}");
                while Instant::now() < end {
                    match worker {
                        0 => {
                            let done = run(&["trail", "verify"]);
                            assert_eq!(done.status, 0, "{}", done.stderr);
                            verified.fetch_add(1, Ordering::Relaxed);
                        }
                        1 => {
                            let args = ["open", "closed", "-", "--ticket", &ticket];
                            refused(&run(&args), &args, 3, "denied");
                            denied.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => {
                            let args = ["open", "open", "-", "--ticket", &ticket];
                            let done = run(&args);
                            assert_eq!(
                                (done.status, &done.stdout[..]),
                                (0, TEXT),
                                "{}",
                                done.stderr
                            );
                            opened.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (opened, denied, verified) =
        (opened.into_inner(), denied.into_inner(), verified.into_inner());
    eprintln!("{opened} opened, {denied} denied, {verified} times verified meanwhile");
    assert!(opened >= 8 && denied > 0 && verified > 0);

    let records = office.records("desk");
    let count = |event: &str| records.iter().filter(|r| r["event"] == event).count();
    assert_eq!((count("opened"), count("exported")), (opened, opened));
    assert_eq!((count("denied"), count("failed")), (denied, 0));
    assert_eq!(count("repaired"), 0);
    let report = office.ok("desk", &["--json", "trail", "verify"]).json();
    assert_eq!(report["trail"]["records"], records.len());
    // Whoever opened also exported, under the same ticket, and says of which opening.
    for exported in records.iter().filter(|r| r["event"] == "exported") {
        let of = &records[exported["of"].as_u64().expect("of which opening") as usize];
        assert_eq!((&of["event"], &of["ticket"]), (&json!("opened"), &exported["ticket"]));
    }
    for (i, record) in records.iter().enumerate() {
        assert_eq!(record["seq"], i);
        let time = |r: &Value| r["time"].as_str().expect("a time").to_owned();
        assert!(i == 0 || time(&records[i - 1]) <= time(record), "time went back at {i}");
    }
}
