//! Structs, of which host and library may know different versions.

use super::{bad, null};
use crate::options::Plain;
use bulla_core::Result;

/// Largest struct that is looked at: far above what a later version may need.
const MAX_STRUCT: usize = 4096;

/// A struct of the host, as far as both sides know it; what the host's lacks is zero.
///
/// # Errors
/// [`Code::BadArgument`] if its size is none that this struct ever had, or if it holds something
/// behind what this library knows.
pub(crate) unsafe fn read_struct<T: Plain>(p: *const T, name: &str) -> Result<T> {
    let size = struct_size(p, name)?;
    let known = size.min(size_of::<T>());
    let tail = std::slice::from_raw_parts(p.cast::<u8>().add(known), size - known);
    if tail.iter().any(|b| *b != 0) {
        return Err(bad(format!("{name} asks for something that this version does not know")));
    }
    let mut own: T = std::mem::zeroed();
    std::ptr::copy_nonoverlapping(p.cast::<u8>(), (&raw mut own).cast(), known);
    Ok(own)
}

/// The same where NULL means all zeros.
pub(crate) unsafe fn read_struct_or_zero<T: Plain>(p: *const T, name: &str) -> Result<T> {
    if p.is_null() { Ok(std::mem::zeroed()) } else { read_struct(p, name) }
}

/// A struct of the host that is to be filled; all of it but its size is zero from now on.
pub(crate) struct Target<T: Plain> {
    at: *mut T,
    size: usize,
}

pub(crate) unsafe fn out_struct<T: Plain>(p: *mut T, name: &str) -> Result<Target<T>> {
    let size = struct_size(p, name)?;
    p.cast::<u8>().add(size_of::<u32>()).write_bytes(0, size - size_of::<u32>());
    Ok(Target { at: p, size })
}

impl<T: Plain> Target<T> {
    /// Fills what both sides know. The host's size stays.
    pub(crate) unsafe fn fill(self, value: T) {
        let from = size_of::<u32>();
        let known = self.size.min(size_of::<T>()) - from;
        let own = (&raw const value).cast::<u8>();
        std::ptr::copy_nonoverlapping(own.add(from), self.at.cast::<u8>().add(from), known);
    }
}

unsafe fn struct_size<T: Plain>(p: *const T, name: &str) -> Result<usize> {
    if p.is_null() {
        return Err(null(name));
    }
    let size = p.cast::<u32>().read_unaligned() as usize;
    let grown = size >= size_of::<T>() && size <= MAX_STRUCT;
    if grown || T::ENDS.contains(&size) {
        return Ok(size);
    }
    Err(bad(format!("{name}.struct_size is {size}: set it to the size of the struct")))
}
