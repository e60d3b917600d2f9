//! Sealed files for programs that are not changed: a file system in which they show their content,
//! and confinement for the programs that use it. `docs/view.md` says what holds and what does not.
//!
//! Linux only; elsewhere this crate is empty.
#![cfg(target_os = "linux")]
#![deny(missing_docs, unsafe_code)]

mod ahead;
mod attributes;
mod caller;
mod change;
mod confine;
mod content;
mod derive;
mod display;
mod draft;
#[cfg(feature = "drive")]
#[doc(hidden)]
pub mod drive;
mod errno;
mod exits;
mod filesystem;
mod folder;
mod folders;
mod hide;
mod inside;
mod kinds;
mod mount;
mod namespaces;
mod opened;
mod recent;
mod relay;
mod run;
mod seal;
mod serve;
mod stream;
mod tree;
mod view;
mod watch;

pub use confine::Network;
pub use inside::{INSIDE, inside};
pub use mount::mount;
pub use run::{Run, run};
