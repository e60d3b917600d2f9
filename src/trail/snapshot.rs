//! `trail.state`: what the trail says up to some line, so that opening a long one is quick.
//!
//! Two lines: a signature by the device, and the JSON that it signs. One that does not verify or
//! does not fit the trail is as good as none; nothing depends on it but time.

use super::journal::Position;
use super::record::MAX_LINE;
use super::state::State;
use crate::atomic::{self, Existing};
use crate::encoding::{Digest256, b64, sha256, unb64_array};
use crate::{Identity, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How many records are read before they are worth a snapshot.
pub(super) const AFTER: u64 = 10_000;

const NAME: &str = "trail.state";

/// Longest snapshot that is read: 256 MiB, the state of millions of files.
const MAX: usize = 256 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot<'a> {
    version: u32,
    offset: u64,
    seq: u64,
    head: Digest256,
    state: Cow<'a, State>,
}

/// What is signed: never anything that could be read as another signed object of ours.
pub(super) fn signed(json: &[u8]) -> Vec<u8> {
    [&b"bulla/1 trail state\0"[..], &sha256(json)].concat()
}

/// The newest snapshot, if it is by this device and fits this trail.
pub(super) fn load(folder: &Path, device: &Identity, trail: &File) -> Option<Position> {
    let text = atomic::read_text(&folder.join(NAME), MAX).ok()?;
    let (signature, json) = text.strip_suffix('\n')?.split_once('\n')?;
    if !device.public().signing_key().verify(&signed(json.as_bytes()), &unb64_array(signature)?) {
        return None;
    }
    let Snapshot { version: 1, offset, seq, head, state } = serde_json::from_str(json).ok()? else {
        return None;
    };
    let line = line_before(trail, offset).ok()??;
    let state = state.into_owned();
    (sha256(&line) == head.0).then_some(Position { offset, seq, head: head.0, state })
}

/// The line whose LF is the last byte before `end`.
fn line_before(mut trail: &File, end: u64) -> std::io::Result<Option<Vec<u8>>> {
    let start = end.saturating_sub(MAX_LINE as u64 + 1);
    let mut bytes = Vec::new();
    trail.seek(SeekFrom::Start(start))?;
    trail.take(end - start).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != end - start || bytes.pop() != Some(b'\n') {
        return Ok(None);
    }
    let after_lf = bytes.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
    Ok(after_lf.or((start == 0).then_some(0)).map(|at| bytes.split_off(at)))
}

/// Writes a snapshot, if that works: without one the trail is read from the start.
pub(super) fn save(folder: &Path, device: &Identity, at: &Position) {
    let Position { offset, seq, head, state } = at;
    let (head, state) = (Digest256(*head), Cow::Borrowed(state));
    let snapshot = Snapshot { version: 1, offset: *offset, seq: *seq, head, state };
    let Ok(json) = serde_json::to_string(&snapshot) else { return };
    let signature = b64(&device.signing.sign(&signed(json.as_bytes())));
    let text = format!("{signature}\n{json}\n");
    if text.len() <= MAX {
        let _: Result<()> =
            atomic::write(&folder.join(NAME), text.as_bytes(), true, Existing::Replace);
    }
}
