//! Any text as a trail, and a real trail with its lines changed, moved, left out or written anew
//! with hashes that fit. Where a checkpoint saw it, nothing before that is another.

use crate::world::{World, envelope};
use arbitrary::{Arbitrary, Result, Unstructured};
use bulla::{Anchor, TrailExpectation, TrailRecord, trail_records, verify_trail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::cell::OnceCell;
use std::io::Read;

struct Base {
    lines: Vec<String>,
    /// Where it stood after each line.
    anchors: Vec<Anchor>,
    device: bulla::Thumbprint,
}

thread_local! {
    static BASE: OnceCell<Base> = const { OnceCell::new() };
}

#[derive(Arbitrary, Debug)]
enum Change {
    Remove {
        line: u8,
    },
    Twice {
        line: u8,
    },
    Swap {
        a: u8,
        b: u8,
    },
    Cut {
        at: u16,
    },
    Byte {
        line: u8,
        at: u16,
        to: u8,
    },
    Member {
        line: u8,
        member: u8,
        from: u8,
    },
    Time {
        line: u8,
        by: i8,
    },
    /// All hashes and numbers from here on as they must be.
    Rewrite {
        from: u8,
    },
}

pub fn run(data: &[u8]) -> bool {
    let Some((mode, rest)) = data.split_first() else { return false };
    if mode % 2 == 0 {
        return std::str::from_utf8(rest).is_ok_and(as_it_is);
    }
    BASE.with(|base| {
        let base = base.get_or_init(Base::new);
        changed(base, &mut Unstructured::new(rest)).unwrap_or(false)
    })
}

fn as_it_is(text: &str) -> bool {
    let expect = TrailExpectation::default();
    let sound = verify_trail(text.as_bytes(), &expect);
    if let Ok(report) = &sound {
        assert_eq!(report.records, text.lines().count() as u64);
    }
    // A record has one text.
    for (record, line) in trail_records(text.as_bytes()).zip(text.split('\n')) {
        match record {
            Ok(record) => assert_eq!(serde_json::to_string(&record).unwrap(), line),
            Err(_) => assert!(sound.is_err(), "a sound trail of which a line is no record"),
        }
    }
    sound.is_ok()
}

impl Base {
    fn new() -> Self {
        let world = World::new(crate::world::POLICY);
        let mut sealed = envelope(&world.issued(), b"text");
        world.session.open_source(&sealed[..]).unwrap().export(&mut Vec::new()).unwrap();
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(world.session.open_source(&sealed[..]).is_err());
        sealed[20] ^= 1;
        assert!(world.session.open_source(&sealed[..]).is_err());
        let another = envelope(&world.delegated(), b"");
        world.session.open_source(&another[..]).unwrap();
        let mut text = String::new();
        world.home.read_trail().unwrap().read_to_string(&mut text).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert!(lines.len() >= 5, "{text}");
        let now = world.home.checkpoint(world.session.identity()).unwrap();
        let id = now.anchor().id;
        let anchor = |(seq, line): (usize, &String)| Anchor {
            id,
            seq: seq as u64,
            head: serde_json::from_value(hash(line)).unwrap(),
        };
        let anchors: Vec<Anchor> = lines.iter().enumerate().map(anchor).collect();
        assert_eq!(anchors.last(), Some(now.anchor()));
        Base { lines, anchors, device: world.session.identity().thumbprint() }
    }
}

fn hash(line: &str) -> Value {
    json!(crate::json::b64(&Sha256::digest(line)))
}

fn changed(base: &Base, u: &mut Unstructured<'_>) -> Result<bool> {
    let mut lines = base.lines.clone();
    let mut cut = None;
    for change in crate::some(u, 12)? {
        let count = lines.len();
        let at = |line: u8| usize::from(line) % count.max(1);
        match change {
            Change::Cut { at } => cut = Some(at),
            _ if lines.is_empty() => {}
            Change::Remove { line } => drop(lines.remove(at(line))),
            Change::Twice { line } => lines.insert(at(line), lines[at(line)].clone()),
            Change::Swap { a, b } => lines.swap(at(a), at(b)),
            Change::Byte { line, at: byte, to } => {
                let line = &mut lines[at(line)];
                let byte = usize::from(byte) % line.len().max(1);
                if line.is_char_boundary(byte) && line.is_char_boundary(byte + 1) {
                    line.replace_range(byte..byte + 1, &char::from(to % 128).to_string());
                }
            }
            // Another event has these members, too.
            Change::Member { line, member, from } => {
                let other: Option<Value> = serde_json::from_str(&lines[at(from)]).ok();
                let member = other
                    .iter()
                    .filter_map(Value::as_object)
                    .find_map(|other| other.iter().nth(usize::from(member) % other.len().max(1)));
                if let Some((name, value)) = member {
                    edit(&mut lines[at(line)], |record| record[name.as_str()] = value.clone());
                }
            }
            Change::Time { line, by } => edit(&mut lines[at(line)], |record| {
                let minute = 30 + i32::from(by) % 30;
                record["time"] = format!("2026-11-24T10:{minute:02}:00Z").into();
            }),
            Change::Rewrite { from } => {
                let from = at(from);
                for i in from..lines.len() {
                    let before = match i {
                        0 => json!(crate::json::b64(&[0; 32])),
                        _ => hash(&lines[i - 1]),
                    };
                    edit(&mut lines[i], |record| {
                        (record["seq"], record["prev"]) = (i.into(), before);
                    });
                }
            }
        }
    }
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some(at) = cut {
        text.truncate(text.floor_char_boundary(usize::from(at)));
    }
    as_it_is(&text);
    let same = base.lines.iter().zip(text.split_inclusive('\n'));
    let same = same.take_while(|(old, new)| new.strip_suffix('\n') == Some(old)).count();
    // What one anchor vouches for.
    let known = u.choose_index(base.anchors.len()).unwrap_or(0);
    let anchors = &base.anchors[known..=known];
    let id = Some(base.anchors[0].id);
    let expect = TrailExpectation { id, device: Some(base.device), anchors };
    let Ok(report) = verify_trail(text.as_bytes(), &expect) else { return Ok(false) };
    assert!(same > known, "line {} is another than the one that was seen", same + 1);
    assert_eq!((report.id, report.device), (base.anchors[0].id, base.device));
    Ok(true)
}

/// Changes a record, and writes it as records are written.
fn edit(line: &mut String, change: impl FnOnce(&mut Value)) {
    let Ok(mut record) = serde_json::from_str::<Value>(line) else { return };
    if !record.is_object() {
        return;
    }
    change(&mut record);
    if let Ok(record) = serde_json::from_value::<TrailRecord>(record) {
        *line = serde_json::to_string(&record).unwrap();
    }
}
