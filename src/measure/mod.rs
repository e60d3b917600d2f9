//! Facts that the library measures on the machine it runs on; `docs/facts.md` says what each is
//! worth. All of it happens in a process that the user controls, so none of it is proof.
//!
//! Another platform is one more [`Machine`].

mod addresses;
#[cfg(test)]
mod fake;
mod hash;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod recent;

#[cfg(test)]
pub(crate) use fake::FakeMachine;

use crate::policy::Storage;
use std::fs::File;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

/// Everything that is measured of the machine. `None`: cannot be told here, which denies.
pub(crate) trait Machine: Send + Sync {
    /// All addresses of all interfaces that are up, loopback included, as one fact; at most one
    /// second old. `None` if they cannot be listed.
    fn addresses(&self) -> Option<Vec<IpAddr>>;

    /// The program of this process, or of another one by its pid. Of a script it is the
    /// interpreter.
    fn program(&self, pid: Option<u32>) -> Option<MeasuredProgram>;

    /// The kind of storage under an open file; at most two seconds old.
    fn storage(&self, file: &File) -> Option<Storage>;

    /// The time on a clock that is never set. It starts anywhere; only differences mean anything.
    fn uptime(&self) -> Duration;
}

/// A program as found on the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MeasuredProgram {
    /// Where its file is now. `None` if it is nowhere any more, or the path is not UTF-8.
    pub(crate) path: Option<String>,
    /// The SHA-256 of its file. `None` if it could not be read whole and unchanged.
    pub(crate) sha256: Option<[u8; 32]>,
}

/// This machine.
pub(crate) fn machine() -> &'static dyn Machine {
    #[cfg(target_os = "linux")]
    static THIS: LazyLock<linux::Linux> = LazyLock::new(linux::Linux::default);
    #[cfg(not(target_os = "linux"))]
    static THIS: LazyLock<other::Other> = LazyLock::new(other::Other::default);
    &*THIS
}
