//! How long a trail of a million records takes to verify and to read:
//! `cargo bench --bench trail`.

use bulla::{TrailExpectation, trail_records, verify_trail};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::time::Instant;

const RECORDS: u64 = 1_000_000;

/// A day's work, over and over: open, seen, export, about 10,000 files.
fn trail() -> Vec<u8> {
    let b64 = |byte: u8| BASE64URL_NOPAD.encode(&[byte; 32]);
    let device = b64(1);
    let mut bytes = Vec::new();
    let mut prev = b64(0);
    for seq in 0..RECORDS {
        let file = seq / 3 % 10_000;
        let about = match (seq, seq % 3) {
            (0, _) => format!(r#""begun","device":"{device}","trail":"{:032x}""#, 7),
            (_, 1) => format!(
                r#""opened","subject":"minjun@hanbit.example","device":"{device}","root":"{}","file":"{file:032x}","license":"{file:032x}","license_seq":1,"policy":"claims-from-home","policy_sha256":"{}","ticket":"CS-2026-11873","program":{{"mode":"managed","path":"/opt/crm/crm"}},"rights":["view","print"]"#,
                b64(2),
                b64(3),
            ),
            (_, 2) => format!(
                r#""seen","device":"{device}","root":"{}","file":"{file:032x}","license_seq":1,"rev":2,"commitment":"{}","of":{}"#,
                b64(2),
                b64(4),
                seq - 1,
            ),
            _ => format!(
                r#""exported","subject":"minjun@hanbit.example","device":"{device}","file":"{file:032x}","of":{}"#,
                seq - 1,
            ),
        };
        let second = seq / 10 % 60;
        let line = format!(
            r#"{{"seq":{seq},"time":"2026-11-24T13:37:{second:02}Z","event":{about},"prev":"{prev}"}}"#
        );
        prev = BASE64URL_NOPAD.encode(&Sha256::digest(&line));
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn main() {
    let trail = trail();
    println!("{RECORDS} records, {} MB", trail.len() / 1_000_000);
    let start = Instant::now();
    let report = verify_trail(&trail[..], &TrailExpectation::default()).expect("a sound trail");
    assert_eq!(report.records, RECORDS);
    println!("verify: {:.2} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    assert_eq!(trail_records(&trail[..]).filter(Result::is_ok).count() as u64, RECORDS);
    println!("read, without verifying: {:.2} s", start.elapsed().as_secs_f64());
}
