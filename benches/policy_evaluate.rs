//! How long `evaluate` takes on `claims-from-home`: `cargo bench --bench policy_evaluate`.

use bulla::policy::{Facts, Policy, Right, evaluate};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: u32 = 200_000;

/// An agent at the desk at home, everything in order.
const FACTS: &str = r#"{
    "time": "2026-11-24T10:12:00+09:00",
    "badge": {"subject": "minjun", "roles": ["claims-agent"], "expires": "2026-11-24T20:00:00+09:00"},
    "device": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "anchor": "2026-11-24T08:20:00+09:00",
    "revocations": "2026-11-24T06:00:00+09:00",
    "network": ["192.168.0.7", "fe80::1", "10.20.3.4"],
    "program": {"mode": "managed", "path": "/opt/crm/crm"},
    "storage": "fixed",
    "attestations": [
        {"kind": "daily-checklist", "issued": "2026-11-24T08:25:00+09:00", "expires": "2026-11-25T08:25:00+09:00"},
        {"kind": "attendance", "issued": "2026-11-24T09:30:00+09:00", "expires": "2026-11-24T12:30:00+09:00"}
    ],
    "posture": ["screen-capture-blocked", "usb-storage-blocked", "printing-blocked", "unapproved-software-blocked"],
    "ticket": true,
    "opens": {"24h": 12},
    "duties": ["watermark", "block-capture", "block-clipboard", "mask", "wipe"]
}"#;

fn measure(name: &str, policy: &Policy, facts: &Facts, allowed: bool) {
    assert_eq!(evaluate(policy, facts).allows(Right::View), allowed, "{name}");
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(evaluate(black_box(policy), black_box(facts)));
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(ROUNDS));
    }
    println!("{name}: {:.0} ns", best * 1e9);
}

fn main() {
    let bytes = include_bytes!("../examples/policies/claims-from-home.json");
    let policy = Policy::parse(bytes).expect("the example parses");
    let mut facts = Facts::parse(FACTS.as_bytes()).expect("the facts parse");
    measure("evaluate, claims-from-home, an agent who may view", &policy, &facts, true);
    facts.network = None;
    measure("evaluate, claims-from-home, denied for the network", &policy, &facts, false);
    let start = Instant::now();
    for _ in 0..2_000 {
        black_box(Policy::parse(black_box(bytes)).expect("the example parses"));
    }
    println!("parse, claims-from-home: {:.1} µs", start.elapsed().as_secs_f64() / 2_000.0 * 1e6);
}
