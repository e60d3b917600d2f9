//! A machine for tests, with whatever facts they need.

use super::{Machine, MeasuredProgram};
use crate::policy::Storage;
use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

/// Nothing is known of it until a test sets it.
#[derive(Default)]
pub(crate) struct FakeMachine {
    pub(crate) addresses: Mutex<Option<Vec<IpAddr>>>,
    /// By pid; `None` is this process.
    pub(crate) programs: Mutex<HashMap<Option<u32>, MeasuredProgram>>,
    /// The same for every file.
    pub(crate) storage: Mutex<Option<Storage>>,
    pub(crate) uptime: Mutex<Duration>,
}

impl Machine for FakeMachine {
    fn addresses(&self) -> Option<Vec<IpAddr>> {
        self.addresses.lock().unwrap().clone()
    }

    fn program(&self, pid: Option<u32>) -> Option<MeasuredProgram> {
        self.programs.lock().unwrap().get(&pid).cloned()
    }

    fn storage(&self, _file: &File) -> Option<Storage> {
        *self.storage.lock().unwrap()
    }

    fn uptime(&self) -> Duration {
        *self.uptime.lock().unwrap()
    }
}
