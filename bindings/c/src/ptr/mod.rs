//! Every pointer that a host passes, checked and turned into one of Rust's types.
//!
//! What can be seen of a bad pointer is seen: NULL, wrong alignment, impossible lengths, text that
//! is not UTF-8. The rest is the host's word, given in the header: that a pointer is valid for its
//! length during the call, and that a handle is one of ours and not freed.

mod handle;
mod output;
mod structs;
mod system;
mod text;

pub(crate) use handle::{
    Core, Object, clear, error, free, free_error, give, give_error, object, object_or_none,
};
pub(crate) use output::{c_text, free_string, out, out_or_none, string};
pub(crate) use structs::{out_struct, read_struct, read_struct_or_zero};
pub(crate) use system::{Close, file_of_fd, file_of_handle, unsupported};
pub(crate) use text::{buffer, bytes, path, text, text_or_none, texts, wide_path};

use bulla_core::{Code, Error};

pub(crate) fn bad(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::BadArgument, why)
}

fn null(name: &str) -> Error {
    bad(format!("{name} is NULL"))
}
