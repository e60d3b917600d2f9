//! How structs of options are given: mostly as they should be, or by hosts that know more or less of
//! them, or wrongly.

use super::abi::{ExportOptions, OpenOptions, SealOptions};
use arbitrary::Arbitrary;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{null, null_mut};

pub const BAD_ARGUMENT: i32 = 1;

/// `BULLA_OLDER`.
pub const OLDER: u32 = 1;

/// Bytes of the largest struct that is looked at.
const LARGEST: usize = 4096;

/// How a struct is given: mostly as it should be.
#[derive(Arbitrary, Clone, Copy, Debug, Default)]
pub struct Shape {
    odd: bool,
    /// Bytes that it says to be longer or shorter than it should be.
    pub size: i8,
    /// Where behind it is something that no version knows, if its size is so large.
    unknown: Option<u8>,
}

/// Options of a call: mostly none.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Options {
    pub given: bool,
    pub shape: Shape,
    pub flags: u8,
    /// After so many calls of `progress` it says no.
    pub stop: Option<u8>,
}

/// A struct as a host has it that knows more or less of it: as many bytes as it says, and no more.
pub struct Given<T> {
    pub bytes: Box<[u8]>,
    pub there: bool,
    pub refused: bool,
    of: PhantomData<T>,
}

impl Shape {
    pub fn size<T>(self) -> u32 {
        let off = if self.odd { i64::from(self.size) } else { 0 };
        (size_of::<T>() as i64 + off) as u32
    }

    /// Whether a struct can be read that says to have this size: up to one of its fields it is an
    /// older one, and a newer one has more. Fields are aligned, and nothing is between them.
    pub fn is_of_a_version<T>(self) -> bool {
        let size = self.size::<T>() as usize;
        if size >= size_of::<T>() {
            return size <= LARGEST;
        }
        size == 4 || (size >= 8 && size.is_multiple_of(align_of::<T>()))
    }

    /// Where in it something stands that no version knows.
    pub fn unknown<T>(self) -> Option<usize> {
        let at = size_of::<T>() + usize::from(self.unknown.filter(|_| self.odd)?);
        (self.is_of_a_version::<T>() && at < self.size::<T>() as usize).then_some(at)
    }

    /// Whether its last field is there.
    pub fn is_whole<T>(self) -> bool {
        self.is_of_a_version::<T>() && self.size::<T>() as usize >= size_of::<T>()
    }

    /// What is made for a size, in this shape.
    pub fn of<T>(self, make: impl FnOnce(u32) -> T) -> Given<T> {
        let (size, whole) = (self.size::<T>(), size_of::<T>());
        let readable = self.is_of_a_version::<T>();
        // Of one that is not, no more than its size is looked at.
        let mut bytes = vec![0u8; if readable { size as usize } else { 4 }];
        let known = bytes.len().min(whole);
        let value = make(size);
        // SAFETY: both are that long. Such structs have no padding.
        unsafe {
            let from = (&raw const value).cast::<u8>();
            std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), known);
        }
        let unknown = self.unknown::<T>();
        if let Some(at) = unknown {
            bytes[at] = 1;
        }
        let refused = !readable || unknown.is_some();
        Given { bytes: bytes.into(), there: true, refused, of: PhantomData }
    }
}

impl Options {
    pub fn of<T>(self, make: impl FnOnce(u32) -> T) -> Given<T> {
        let shape = if self.given { self.shape } else { Shape::default() };
        Given { there: self.given, ..shape.of(make) }
    }

    pub fn flags(self) -> u32 {
        if self.flags < 200 { u32::from(self.flags % 2) } else { self.flags.into() }
    }

    /// What `progress` is called with; of a struct that ends before it, nothing calls that.
    pub fn user<T>(self, progress: *mut c_void) -> *mut c_void {
        if self.shape.is_whole::<T>() { progress } else { null_mut() }
    }

    pub fn seal(self, progress: *mut c_void) -> Given<SealOptions> {
        let user = self.user::<SealOptions>(progress);
        self.of(|size| SealOptions::of(size, self.flags(), user))
    }

    pub fn export(self, progress: *mut c_void) -> Given<ExportOptions> {
        let user = self.user::<ExportOptions>(progress);
        self.of(|size| ExportOptions::of(size, self.flags(), user))
    }

    pub fn open(self) -> Given<OpenOptions> {
        let (flags, right) = (self.flags(), self.right());
        self.of(|struct_size| OpenOptions { struct_size, flags, right, reserved: 0 })
    }

    pub fn right(self) -> u32 {
        self.stop.unwrap_or(0).into()
    }

    /// Whether a sound file is opened with them: they can be read, and ask for what is granted.
    pub fn admit(self, given: &Given<OpenOptions>) -> bool {
        let granted = [0, 1, 2, 32].contains(&self.right());
        !given.there || !given.refused && self.flags() <= OLDER && granted
    }

    /// Whether older files will do, too.
    pub fn older(self) -> bool {
        let size = self.shape.size::<OpenOptions>();
        self.given && size >= 8 && self.flags() == OLDER
    }
}

impl<T> Given<T> {
    pub fn at(&self) -> *const T {
        if self.there { self.bytes.as_ptr().cast() } else { null() }
    }

    /// After a call with it.
    pub fn holds(&self, status: i32) {
        let refused = self.there && self.refused;
        assert!(!refused || status == BAD_ARGUMENT, "an unknown option is passed over: {status}");
    }
}
