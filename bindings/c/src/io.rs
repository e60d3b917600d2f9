//! Sources and sinks of the host: envelopes in a database, on a server, in memory.

use crate::options::{Plain, plain};
use crate::ptr::{self, Close};
use bulla_core::cobblestone::ReadAt;
use bulla_core::{Code, Error, Result};
use std::ffi::c_void;
use std::io::{self, Write};

/// Reads up to `len` bytes at `offset` into `buf`, and says in `out_read` how many there were: 0
/// only at the end. 0 for success; anything else fails the call with `BULLA_E_IO`.
pub type ReadFn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        offset: u64,
        buf: *mut c_void,
        len: usize,
        out_read: *mut usize,
    ) -> i32,
>;

/// Says in `out_size` how many bytes there are. 0 for success.
pub type SizeFn = Option<unsafe extern "C" fn(user: *mut c_void, out_size: *mut u64) -> i32>;

/// Takes all `len` bytes. 0 for success; anything else fails the call with `BULLA_E_IO`.
pub type WriteFn =
    Option<unsafe extern "C" fn(user: *mut c_void, data: *const c_void, len: usize) -> i32>;

/// Runs exactly once, when the library is done with `user`.
pub type CloseFn = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// An envelope that the host keeps, read by callbacks.
///
/// They run in the thread that calls the library, during that call: with a file that many threads
/// read, in many threads at once. They may call the library, but not free the object that the
/// call is about. They must come back: no `longjmp`, no exception.
#[repr(C)]
pub struct Source {
    /// `sizeof(bulla_source)`.
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// Given to the callbacks.
    pub user: *mut c_void,
    /// Required.
    pub read_at: ReadFn,
    /// Required.
    pub size: SizeFn,
    /// NULL if there is nothing to close. Runs exactly once if the struct could be read, also when
    /// the call fails; not in a forked process.
    pub close: CloseFn,
}
plain!(Source: flags, user, read_at, size, close);

/// Where the host wants bytes to go, in order. The callbacks run as those of `bulla_source`, but
/// never two at once.
#[repr(C)]
pub struct Sink {
    /// `sizeof(bulla_sink)`.
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// Given to the callbacks.
    pub user: *mut c_void,
    /// Required.
    pub write: WriteFn,
    /// As of `bulla_source`. That it runs does not say that all went well.
    pub close: CloseFn,
}
plain!(Sink: flags, user, write, close);

/// A source of the host's.
pub(crate) struct HostSource {
    user: *mut c_void,
    read_at: unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize, *mut usize) -> i32,
    size: unsafe extern "C" fn(*mut c_void, *mut u64) -> i32,
    _close: Close,
}

// SAFETY: the header says that the callbacks run in every thread that uses the file.
unsafe impl Send for HostSource {}
unsafe impl Sync for HostSource {}

impl HostSource {
    pub(crate) unsafe fn new(p: *const Source) -> Result<Self> {
        let given = ptr::read_struct(p, "source")?;
        // From here on it runs whatever happens.
        let close = Close::new(given.user, given.close);
        crate::options::flags(given.flags, 0)?;
        Ok(HostSource {
            user: given.user,
            read_at: given.read_at.ok_or_else(|| ptr::bad("source.read_at is NULL"))?,
            size: given.size.ok_or_else(|| ptr::bad("source.size is NULL"))?,
            _close: close,
        })
    }
}

impl ReadAt for HostSource {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut n = 0;
        // SAFETY: the host's own function, called as the header says.
        let status = unsafe {
            (self.read_at)(self.user, offset, buf.as_mut_ptr().cast(), buf.len(), &mut n)
        };
        check(status, "read")?;
        if n > buf.len() {
            let why = "the host's read callback claims more bytes than it was asked for";
            return Err(Error::new(Code::Io, why).into());
        }
        Ok(n)
    }

    fn size(&self) -> io::Result<u64> {
        let mut size = 0;
        // SAFETY: as above.
        check(unsafe { (self.size)(self.user, &mut size) }, "size")?;
        Ok(size)
    }
}

/// A sink of the host's.
pub(crate) struct HostSink {
    user: *mut c_void,
    write: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> i32,
    _close: Close,
}

// SAFETY: the header says that a writer's callbacks run in whatever thread calls it.
unsafe impl Send for HostSink {}

impl HostSink {
    pub(crate) unsafe fn new(p: *const Sink) -> Result<Self> {
        let given = ptr::read_struct(p, "sink")?;
        let close = Close::new(given.user, given.close);
        crate::options::flags(given.flags, 0)?;
        let write = given.write.ok_or_else(|| ptr::bad("sink.write is NULL"))?;
        Ok(HostSink { user: given.user, write, _close: close })
    }
}

impl Write for HostSink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // SAFETY: the host's own function, called as the header says.
        check(unsafe { (self.write)(self.user, data.as_ptr().cast(), data.len()) }, "write")?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn check(status: i32, what: &str) -> io::Result<()> {
    if status == crate::guard::OK {
        return Ok(());
    }
    let why = format!("the host's {what} callback failed with status {status}");
    Err(Error::new(Code::Io, why).into())
}
