//! The lines of a trail, read with bounded memory.

use super::record::{MAX_LINE, MAX_LOST};
use std::io::{self, BufRead, Read};

/// What comes next in a trail.
pub(super) enum Piece<'a> {
    /// A line, without its LF.
    Line(&'a [u8]),
    /// A line that is longer than any record.
    TooLong,
    /// The end, with no LF before it, or with a hole before it that a loss of power left: the
    /// first of the bytes after the last sound line, and how many.
    Torn(&'a [u8], u64),
    /// The end.
    End,
}

/// Cuts a source into lines.
pub(super) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Lines { source, buffer: Vec::new() }
    }

    /// The next piece. After [`Piece::TooLong`] comes the line after it.
    pub(super) fn next(&mut self) -> io::Result<Piece<'_>> {
        self.buffer.clear();
        (&mut self.source).take(MAX_LINE as u64).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(Piece::End);
        }
        if self.buffer.ends_with(b"\n") {
            let len = self.buffer.len() - 1;
            if self.is_torn()? {
                return Ok(self.torn(self.buffer.len() as u64));
            }
            return Ok(Piece::Line(&self.buffer[..len]));
        }
        let mut count = self.buffer.len() as u64;
        loop {
            let more = match self.source.fill_buf() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                more => more?,
            };
            if more.is_empty() {
                return Ok(self.torn(count));
            }
            let lf = more.iter().position(|b| *b == b'\n');
            let used = lf.map_or(more.len(), |at| at + 1);
            self.source.consume(used);
            count += used as u64;
            if lf.is_some() {
                return Ok(Piece::TooLong);
            }
        }
    }

    /// Whether the line in the buffer, and all after it, is what a crash left. No record has a NUL.
    /// A page that was not written before the next one reads as NULs; where that is too long ago to
    /// keep all that follows, it was something else. A repair that was interrupted begins with one,
    /// and is no longer than a line, though longer than what it keeps.
    fn is_torn(&mut self) -> io::Result<bool> {
        let most = match self.buffer.iter().position(|byte| *byte == 0) {
            None => return Ok(false),
            Some(0) => MAX_LINE,
            Some(_) => MAX_LOST,
        };
        let more = (most + 1).saturating_sub(self.buffer.len());
        (&mut self.source).take(more as u64).read_to_end(&mut self.buffer)?;
        Ok(self.buffer.len() <= most)
    }

    fn torn(&self, count: u64) -> Piece<'_> {
        Piece::Torn(&self.buffer[..self.buffer.len().min(MAX_LOST)], count)
    }
}
