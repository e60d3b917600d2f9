//! Closing this process to others of the same user.

use bulla::{Error, Result};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// One byte: a core dump is not even handed to a program of the machine's then, which nought would
/// not prevent.
pub(crate) const NO_CORE: Rlimit = Rlimit { current: Some(1), maximum: Some(1) };

/// Others cannot debug this process or read its memory, and it leaves no core dump.
pub(crate) fn hide_this_process() -> Result<()> {
    let io = |e: rustix::io::Errno| Error::io("closing this process to others", e.into());
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(io)?;
    setrlimit(Resource::Core, NO_CORE).map_err(io)
}
