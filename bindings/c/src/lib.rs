//! The C ABI. Every exported function is a plain `extern "C"` function around one closure that
//! [`guard`] runs; pointers are checked and followed in [`ptr`] and nowhere else.
//!
//! What the functions promise stands in their comments, which become `include/bulla.h`.

// What a pointer must be is stated in the header, for those who can break it: C callers.
#![allow(clippy::missing_safety_doc)]
// Everything here is called by C; a block around each pointer would mark nothing out.
#![allow(unsafe_op_in_unsafe_fn)]

#[cfg(panic = "abort")]
compile_error!("a panic must come back to the host as an error: build with panic = \"unwind\"");

mod about;
pub mod codes;
mod error;
mod export;
mod file;
mod guard;
mod inspect;
mod io;
pub mod names;
mod open;
mod options;
mod ptr;
mod save;
mod seal;
mod sealer;
mod session;
mod trail;
mod version;
mod window;
mod writer;
