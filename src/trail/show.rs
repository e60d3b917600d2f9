//! Reading records one by one, to show and to filter them.

use super::lines::{Lines, Piece};
use super::record::{Event, MAX_LINE, TrailRecord};
use super::{broken, path};
use crate::encoding::Id;
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Take};
use std::path::Path;
use std::time::Duration;

/// The records of a trail, line by line. What is no record is an error, and the next line comes
/// after it; whether the lines follow each other is for [`verify_trail`](crate::verify_trail).
///
/// # Errors
/// [`Code::Trail`](crate::Code::Trail) with the line; [`Code::Io`](crate::Code::Io), after which
/// nothing comes.
pub fn trail_records(source: impl BufRead) -> impl Iterator<Item = Result<TrailRecord>> {
    let mut lines = Lines::new(source);
    let mut number = 0u64;
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        number += 1;
        let bad = |why: &str| Some(Err(broken(format!("line {number} of the trail: {why}"))));
        match lines.next() {
            Ok(Piece::Line(line)) => match TrailRecord::from_line(line) {
                Ok(record) => Some(Ok(record)),
                Err(why) => bad(&format!("it is no record: {why}")),
            },
            Ok(Piece::TooLong) => bad("it is no record: it is too long"),
            Ok(Piece::Torn(..)) => {
                done = true;
                bad("it has no end: a crash, or the trail is being written")
            }
            Ok(Piece::End) => {
                done = true;
                None
            }
            Err(e) => {
                done = true;
                Some(Err(Error::io("reading the audit trail", e)))
            }
        }
    })
}

/// Which records to show. What is not set lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// About this file.
    pub file: Option<Id>,
    /// By this person.
    pub subject: Option<String>,
    /// Of this kind.
    pub event: Option<Event>,
    /// From this time on (inclusive): Unix seconds.
    pub from: Option<u64>,
    /// Until this time (exclusive): Unix seconds.
    pub until: Option<u64>,
}

impl TrailFilter {
    /// Whether the record passes.
    pub fn matches(&self, record: &TrailRecord) -> bool {
        self.file.is_none_or(|f| record.file == Some(f))
            && self.subject.as_ref().is_none_or(|s| record.subject.as_ref() == Some(s))
            && self.event.is_none_or(|e| record.event == e)
            && self.from.is_none_or(|t| record.time >= t)
            && self.until.is_none_or(|t| record.time < t)
    }
}

/// The trail of a home as it stands: under its lock for a moment, so that no line that is being
/// written is taken for a torn one, and not longer, so that others go on.
///
/// # Errors
/// [`Code::Trail`](crate::Code::Trail) if it is missing or unreadable;
/// [`Code::TrailBusy`](crate::Code::TrailBusy) after `wait`.
pub(crate) fn open_for_reading(folder: &Path, wait: Duration) -> Result<BufReader<Take<File>>> {
    let (file, len) = super::journal::Journal::open(&path(folder))?.into_reader(wait)?;
    Ok(BufReader::with_capacity(MAX_LINE, file.take(len)))
}
