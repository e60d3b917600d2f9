//! What a host program brings: sources, sinks and progress, with faults. They stay until the end of
//! a run, so that a call after `close` is noticed.

use super::abi::{Progress, Sink, Source};
use arbitrary::Arbitrary;
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What goes wrong with a source or sink, and at which of its calls.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Fault {
    kind: Kind,
    call: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Kind {
    None,
    Fails,
    /// Less than was asked for, which is allowed.
    Less,
    ClaimsMore,
    OtherSize,
    NoSize,
    Ends,
}

impl Fault {
    /// Whether it can make a sound envelope fail.
    pub fn is_some(self) -> bool {
        !matches!(self.kind, Kind::None | Kind::Less)
    }
}

struct Host {
    data: Vec<u8>,
    taken: Mutex<Vec<u8>>,
    fault: Fault,
    calls: AtomicU32,
    /// Whether a call has failed, or has told what is not so.
    failed: AtomicBool,
    closed: AtomicU32,
}

impl Host {
    fn fails(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }
}

pub struct Stopping {
    after: Option<u8>,
    calls: AtomicU32,
}

/// A sink that gives on what it gets in two halves, so that the one behind it may fail in between.
struct Halving {
    behind: Sink,
    failed: Cell<bool>,
}

#[derive(Default)]
pub struct Arena {
    // Boxes: what C points to does not move.
    #[allow(clippy::vec_box)]
    hosts: Vec<Box<Host>>,
    #[allow(clippy::vec_box)]
    stopping: Vec<Box<Stopping>>,
    #[allow(clippy::vec_box)]
    halving: Vec<Box<Halving>>,
}

unsafe extern "C" fn read_at(
    user: *mut c_void,
    offset: u64,
    buf: *mut c_void,
    len: usize,
    out: *mut usize,
) -> i32 {
    let host = unsafe { &*user.cast::<Host>() };
    assert_ne!(host.closed.load(Ordering::SeqCst), 1, "read after it was closed");
    let now = host.calls.fetch_add(1, Ordering::SeqCst) >= host.fault.call.into();
    let rest = usize::try_from(offset).ok().and_then(|at| host.data.get(at..)).unwrap_or(&[]);
    let mut n = rest.len().min(len);
    match host.fault.kind {
        Kind::Fails if now => {
            host.fails();
            return 5;
        }
        Kind::Less => n = n.min(1 + usize::from(host.fault.call) * 100),
        Kind::Ends if now => {
            host.fails();
            n = 0;
        }
        Kind::ClaimsMore if now => {
            host.fails();
            unsafe { *out = len + 1 };
            return 0;
        }
        _ => {}
    }
    unsafe {
        std::ptr::copy_nonoverlapping(rest.as_ptr(), buf.cast(), n);
        *out = n;
    }
    0
}

unsafe extern "C" fn size(user: *mut c_void, out: *mut u64) -> i32 {
    let host = unsafe { &*user.cast::<Host>() };
    assert_ne!(host.closed.load(Ordering::SeqCst), 1, "asked after it was closed");
    let size = host.data.len() as u64;
    let told = match host.fault.kind {
        Kind::NoSize => {
            host.fails();
            return -1;
        }
        Kind::OtherSize if host.fault.call % 2 == 0 => size + u64::from(host.fault.call) + 1,
        Kind::OtherSize => u64::MAX - u64::from(host.fault.call),
        _ => size,
    };
    if told != size {
        host.fails();
    }
    unsafe { *out = told };
    0
}

unsafe extern "C" fn write(user: *mut c_void, data: *const c_void, len: usize) -> i32 {
    let host = unsafe { &*user.cast::<Host>() };
    assert_ne!(host.closed.load(Ordering::SeqCst), 1, "written to after it was closed");
    let now = host.calls.fetch_add(1, Ordering::SeqCst) >= host.fault.call.into();
    if now && host.fault.kind == Kind::Fails {
        host.fails();
        return 28;
    }
    let data = match len {
        0 => &[],
        _ => unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) },
    };
    host.taken.lock().expect("not poisoned").extend(data);
    0
}

unsafe extern "C" fn close(user: *mut c_void) {
    let host = unsafe { &*user.cast::<Host>() };
    assert_eq!(host.closed.fetch_add(1, Ordering::SeqCst), 0, "closed twice");
}

unsafe extern "C" fn write_halves(user: *mut c_void, data: *const c_void, len: usize) -> i32 {
    // SAFETY: what `Arena::in_halves` gave as `user`, which is there until the end of the run.
    let halving = unsafe { &*user.cast::<Halving>() };
    assert!(!halving.failed.get(), "written to after it has failed");
    let (behind, half) = (&halving.behind, len / 2);
    let write = behind.write.expect("a sink writes");
    // SAFETY: both halves are of what the library gave.
    let mut status = unsafe { write(behind.user, data, half) };
    if status == 0 {
        // SAFETY: as above.
        status = unsafe { write(behind.user, data.cast::<u8>().add(half).cast(), len - half) };
    }
    halving.failed.set(status != 0);
    status
}

unsafe extern "C" fn close_halves(user: *mut c_void) {
    // SAFETY: as in `write_halves`.
    let behind = unsafe { &(*user.cast::<Halving>()).behind };
    // SAFETY: the sink's own, called in its place.
    unsafe { behind.close.expect("a sink is closed")(behind.user) }
}

unsafe extern "C" fn progress(user: *mut c_void, _done: u64, _total: u64) -> i32 {
    let stopping = unsafe { &*user.cast::<Stopping>() };
    let calls = stopping.calls.fetch_add(1, Ordering::SeqCst);
    i32::from(stopping.after.is_some_and(|after| calls >= after.into()))
}

pub const PROGRESS: Progress = progress;

impl Arena {
    fn host(&mut self, data: Vec<u8>, fault: Fault) -> (usize, *mut c_void) {
        let (taken, calls, failed, closed) = Default::default();
        self.hosts.push(Box::new(Host { data, taken, fault, calls, failed, closed }));
        let host: *const Host = &*self.hosts[self.hosts.len() - 1];
        (self.hosts.len() - 1, host.cast_mut().cast())
    }

    /// A source of these bytes. `short`: its struct is so many bytes too short, where negative.
    pub fn source(&mut self, data: Vec<u8>, fault: Fault, short: i8) -> (usize, Source) {
        let (number, user) = self.host(data, fault);
        let short = if short < -100 { u32::from(short.unsigned_abs()) - 100 } else { 0 };
        let struct_size = size_of::<Source>() as u32 - short;
        let close = Some(close as _);
        if short > 0 {
            // Too short to be read, or that of a host which has nothing to close: `close` never runs.
            self.hosts[number].closed.store(u32::MAX, Ordering::SeqCst);
        }
        let (read_at, size) = (Some(read_at as _), Some(size as _));
        (number, Source { struct_size, flags: 0, user, read_at, size, close })
    }

    pub fn sink(&mut self, fault: Fault) -> (usize, Sink) {
        let (number, user) = self.host(Vec::new(), fault);
        let struct_size = size_of::<Sink>() as u32;
        let (write, close) = (Some(write as _), Some(close as _));
        (number, Sink { struct_size, flags: 0, user, write, close })
    }

    /// The same sink, which gets each write in two.
    pub fn in_halves(&mut self, behind: Sink) -> Sink {
        let (write, close) = (Some(write_halves as _), Some(close_halves as _));
        self.halving.push(Box::new(Halving { behind, failed: Cell::new(false) }));
        let user: *const Halving = &*self.halving[self.halving.len() - 1];
        Sink { struct_size: 0, flags: 0, user: user.cast_mut().cast(), write, close }
    }

    /// For `progress_user`.
    pub fn progress(&mut self, after: Option<u8>) -> *mut c_void {
        self.stopping.push(Box::new(Stopping { after, calls: AtomicU32::new(0) }));
        let stopping: *const Stopping = &*self.stopping[self.stopping.len() - 1];
        stopping.cast_mut().cast()
    }

    pub fn taken(&self, number: usize) -> Vec<u8> {
        self.hosts[number].taken.lock().expect("not poisoned").clone()
    }

    /// Whether it has done anything wrong by now.
    pub fn has_failed(&self, number: usize) -> bool {
        self.hosts[number].failed.load(Ordering::SeqCst)
    }

    pub fn must_be_closed(&self, number: usize) {
        let closed = self.hosts[number].closed.load(Ordering::SeqCst);
        assert!(closed == 1 || closed == u32::MAX, "not closed");
    }

    pub fn all_are_closed(&self) {
        for number in 0..self.hosts.len() {
            self.must_be_closed(number);
        }
    }
}
