//! What all views of one daemon share.

use crate::caller::{self, Device, Run};
use crate::derive::Sources;
use crate::exits::Exits;
use bulla::{Client, Home, Session};
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Different messages that are shown; one that was shown is not shown again.
const MESSAGES: usize = 256;

/// Whose requests are served.
pub(crate) enum Callers {
    /// Everybody whom the kernel lets in: the user who mounted it. And which file system the view
    /// is, once that is known.
    User(OnceLock<Device>),
    /// The processes of one run, once its first is known.
    Run(OnceLock<Run>),
}

/// The daemon.
pub(crate) struct Daemon {
    pub(crate) session: Session,
    pub(crate) home: Home,
    pub(crate) callers: Callers,
    /// Whether all layers hold that keep content in.
    pub(crate) confined: bool,
    pub(crate) writable: bool,
    pub(crate) sources: Sources,
    pub(crate) exits: Exits,
    shown: Mutex<BTreeSet<String>>,
}

impl Daemon {
    pub(crate) fn new(session: Session, home: Home, callers: Callers) -> Self {
        Daemon {
            session,
            home,
            callers,
            confined: false,
            writable: false,
            sources: Sources::default(),
            exits: Exits::default(),
            shown: Mutex::default(),
        }
    }

    /// The process that a request is from, if it is served.
    pub(crate) fn client(&self, thread: u32) -> Option<Client> {
        let pid = match &self.callers {
            // The daemon must not wait for itself.
            Callers::User(_) if caller::is_this_process(thread) => None,
            // So a program in the view is not measured: no process has this number. Measuring it
            // would take another of the threads that serve the view.
            Callers::User(view) => caller::process_of(thread).map(|process| match view.get() {
                Some(view) if !caller::runs_from(process, *view) => process,
                _ => 0,
            }),
            Callers::Run(run) => run.get().and_then(|run| run.process(thread)),
        };
        Some(Client { pid: pid?, confined: self.confined })
    }

    /// The same without asking which process.
    pub(crate) fn admits(&self, thread: u32) -> bool {
        match &self.callers {
            Callers::User(_) => true,
            Callers::Run(run) => run.get().is_some_and(|run| run.process(thread).is_some()),
        }
    }

    /// Whether what was read may be written there. Where nothing confines programs they could
    /// write it anywhere, so it is no use to ask.
    pub(crate) fn allow(&self, policy: &[u8], template: Option<&str>) -> bulla::Result<()> {
        if self.confined { self.sources.allow(policy, template) } else { Ok(()) }
    }

    /// Tells the user why something was refused, once.
    pub(crate) fn say(&self, message: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() < MESSAGES && shown.insert(message.to_owned()) {
            // The terminal may be in raw mode.
            eprint!("bulla: {message}\r\n");
        }
    }
}
