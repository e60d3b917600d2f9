//! Where a program's output leaves to: a terminal, or a pipe or file of the caller's. What was read
//! may go there if the policies of all files say so; else that way out is closed. A display cannot
//! be closed: nothing is opened that may not go there.

use crate::display;
use bulla::{Demand, Error, Reader, Result, Right};
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};

/// One kind of way out.
#[derive(Default)]
struct Way {
    used: AtomicBool,
    closed: AtomicBool,
}

/// The ways out of a run.
#[derive(Default)]
pub(crate) struct Exits {
    terminal: Way,
    /// A pipe, a file, a socket: anything that is no terminal.
    other: Way,
    /// Whether there is a display.
    pub(crate) display: bool,
}

impl Exits {
    /// What a file takes to be opened beside the right to view.
    pub(crate) fn demand(&self) -> Option<Demand> {
        self.display.then_some(display::DEMAND)
    }

    /// There is a way out of this kind.
    pub(crate) fn used(&self, terminal: bool) {
        self.way(terminal).used.store(true, Ordering::SeqCst);
    }

    /// Whether bytes may still leave this way.
    pub(crate) fn open(&self, terminal: bool) -> bool {
        !self.way(terminal).closed.load(Ordering::SeqCst)
    }

    fn way(&self, terminal: bool) -> &Way {
        if terminal { &self.terminal } else { &self.other }
    }

    /// Before a file's content can be read: records that it may leave, or closes the way. Text on
    /// a terminal can be marked and taken along, so it needs the right to copy, or to export.
    /// Gives why a way was closed now.
    pub(crate) fn before(&self, reader: &Reader<File>) -> Result<Option<Error>> {
        for right in self.demand().iter().flat_map(|demand| demand.rights) {
            reader.exercise(*right)?;
        }
        let mut why = None;
        for (way, rights) in
            [(&self.terminal, &[Right::Copy, Right::Export][..]), (&self.other, &[Right::Export])]
        {
            if !way.used.load(Ordering::SeqCst) || way.closed.load(Ordering::SeqCst) {
                continue;
            }
            let decision = reader.decision();
            match rights.iter().find(|right| decision.allows(**right)) {
                Some(right) => reader.exercise(*right)?,
                None => {
                    way.closed.store(true, Ordering::SeqCst);
                    let to = if std::ptr::eq(way, &self.terminal) {
                        "the terminal, which takes the right to copy or to export"
                    } else {
                        "a pipe or file, which takes the right to export"
                    };
                    let said = format!(
                        "a file was opened whose policy does not let its content go to {to}: \
                         nothing more is passed on there"
                    );
                    why = Some(Error::new(bulla::Code::Right, said));
                }
            }
        }
        Ok(why)
    }
}
