//! Machines for which nothing better is written yet: Windows, macOS, the BSDs.

use super::addresses::Addresses;
use super::hash::sha256_of;
use super::{Machine, MeasuredProgram};
use crate::policy::Storage;
use std::fs::File;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(super) struct Other {
    start: Instant,
    addresses: Addresses,
    program: OnceLock<Option<MeasuredProgram>>,
}

impl Default for Other {
    fn default() -> Self {
        let start = Instant::now();
        Other { start, addresses: Addresses::default(), program: OnceLock::new() }
    }
}

impl Machine for Other {
    fn addresses(&self) -> Option<Vec<IpAddr>> {
        self.addresses.all(self.uptime())
    }

    /// This process only, once: later another file may have the program's path.
    fn program(&self, pid: Option<u32>) -> Option<MeasuredProgram> {
        if pid.is_some() {
            return None;
        }
        let measure = || {
            let path = std::env::current_exe().ok()?;
            let sha256 = sha256_of(&File::open(&path).ok()?);
            Some(MeasuredProgram { path: path.into_os_string().into_string().ok(), sha256 })
        };
        self.program.get_or_init(measure).clone()
    }

    /// Not told here. On Windows `GetDriveType` would, which takes `unsafe`.
    fn storage(&self, _file: &File) -> Option<Storage> {
        None
    }

    /// Windows counts suspended time; where `Instant` does not, the clock stands still meanwhile.
    fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}
