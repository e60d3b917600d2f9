//! A file that is written from its start in order is sealed while it is written: each part by the
//! thread that took the request which filled it, once the program has its answer.

use crate::draft::Base;
use bulla::cobblestone::{PART, Part};
use bulla::{Code, Error, PartsWriter, Result};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Content on its way into a new envelope. It can be read all the time.
pub(crate) struct Stream {
    writer: PartsWriter,
    flow: Mutex<Flow>,
    idle: Condvar,
}

struct Flow {
    /// What comes behind the full parts, and is not sealed before the end.
    tail: Part,
    /// Full parts.
    full: u64,
    /// Parts that are being sealed.
    busy: usize,
    /// Why a part could not be written: its content is lost.
    failed: Option<(Code, String)>,
    /// Whether the tail is in the envelope, too.
    finished: bool,
}

/// A full part, to be sealed.
pub(crate) struct Job {
    stream: Arc<Stream>,
    part: Option<Part>,
}

impl Job {
    /// Seals it; the next who writes, or reads it, or ends the stream, hears of a failure.
    pub(crate) fn run(mut self) {
        if let Some(part) = self.part.take() {
            self.stream.ended(self.stream.writer.seal(part).err());
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.part.is_some() {
            self.stream.ended(Some(Error::new(Code::Internal, "a part was never sealed")));
        }
    }
}

impl Stream {
    pub(crate) fn new(writer: PartsWriter) -> Arc<Self> {
        let tail = writer.part();
        let flow = Flow { tail, full: 0, busy: 0, failed: None, finished: false };
        Arc::new(Stream { writer, flow: Mutex::new(flow), idle: Condvar::new() })
    }

    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, failure: Option<Error>) {
        let mut flow = self.flow();
        flow.busy -= 1;
        if let (Some(e), None) = (failure, &flow.failed) {
            flow.failed = Some((e.code(), e.to_string()));
        }
        self.idle.notify_all();
    }

    /// Waits until no part is being sealed.
    fn settled(&self) -> Result<MutexGuard<'_, Flow>> {
        let flow = self.idle.wait_while(self.flow(), |flow| flow.busy > 0);
        let flow = flow.unwrap_or_else(PoisonError::into_inner);
        flow.sound()?;
        Ok(flow)
    }

    /// Takes data behind all that it has; gives the parts that are full now.
    pub(crate) fn append(self: &Arc<Self>, mut data: &[u8]) -> Result<Vec<Job>> {
        let mut jobs = Vec::new();
        let mut flow = self.flow();
        flow.sound()?;
        while !data.is_empty() {
            data = &data[flow.tail.fill(data)..];
            if flow.tail.is_full() {
                flow.full += 1;
                flow.busy += 1;
                let next = self.writer.part();
                let part = Some(std::mem::replace(&mut flow.tail, next));
                jobs.push(Job { stream: Arc::clone(self), part });
            }
        }
        Ok(jobs)
    }

    /// Ends it, by what is left to do once all full parts are written.
    pub(crate) fn finish(
        &self,
        finish: impl FnOnce(&PartsWriter, &Part) -> Result<()>,
    ) -> Result<()> {
        let mut flow = self.settled()?;
        finish(&self.writer, &flow.tail)?;
        flow.finished = true;
        Ok(())
    }
}

impl Flow {
    fn sound(&self) -> Result<()> {
        match &self.failed {
            Some((code, why)) => Err(Error::new(*code, why.clone())),
            None => Ok(()),
        }
    }
}

impl Base for Stream {
    fn read(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let flow = self.settled()?;
        let full = flow.full * PART as u64;
        if offset < full || flow.finished {
            let (len, finished) = (full + flow.tail.len() as u64, flow.finished);
            drop(flow);
            return Ok(self.writer.read_at(out, offset, if finished { len } else { full })?);
        }
        // A part holds half a megabyte.
        Ok(flow.tail.read(out, (offset - full) as usize))
    }
}
