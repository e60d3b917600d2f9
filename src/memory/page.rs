//! Pages for secrets: one for each, so that what is asked of the system for it never touches a neighbour.
//!
//! Where Linux has `memfd_secret(2)`, pages are of it: they are in no swap, no core dump, no process that
//! is forked off and not in the kernel's own map, and neither a debugger nor `/proc/PID/mem` reads them.
//! While there are such pages the machine does not hibernate. Elsewhere a page is locked where the system
//! allows, and on Linux left out of core dumps and wiped in a process that is forked off.
//!
//! Both count against `RLIMIT_MEMLOCK` on Linux, locking against the working-set minimum on Windows; where
//! the limit is used up a secret still works but may reach swap. Pages are never given back to the system:
//! the next secret takes them.

use super::SECRET;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroize;

#[repr(C, align(4096))]
struct Memory {
    secret: [u8; SECRET],
}

impl Memory {
    const WIPED: Memory = Memory { secret: [0; SECRET] };
}

/// Tells the process that made a page from one that was forked off: on a page of its own, which the
/// kernel wipes there. A process id would not do: one in another namespace may be the same.
#[repr(C, align(4096))]
struct Mark(AtomicBool);

impl Mark {
    fn is_here(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A page that holds a secret, or zeros while it waits for one.
pub(super) struct Page {
    memory: &'static mut Memory,
    mark: &'static Mark,
    /// Secret memory needs none.
    _lock: Option<region::LockGuard>,
}

/// Pages of secret memory that are made at a time, which is one mapping: 64 KiB, all that old systems let a
/// process lock, and the size of the largest pages.
const PAGES: usize = 16;

/// The pages of a process.
struct Pool {
    mark: &'static Mark,
    /// Wiped: to make a page costs as much as all that a small file's keys are used for.
    waiting: Vec<Page>,
    /// Of a process that this one was forked from: neither they nor their locks may be touched.
    inherited: Vec<Page>,
    /// Whether to ask for secret memory.
    secret: bool,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

impl Pool {
    fn of_this_process(pool: &mut Option<Pool>) -> &mut Pool {
        let old = pool.take_if(|pool| !pool.mark.is_here());
        let pool = pool.get_or_insert_with(Pool::new);
        if let Some(old) = old {
            pool.inherited.extend(old.waiting.into_iter().chain(old.inherited));
        }
        pool
    }

    fn new() -> Self {
        let mark = Box::leak(Box::new(Mark(AtomicBool::new(true))));
        // Secret memory is not there in a forked process; only the mark tells before it is touched.
        let secret = system::wipe_on_fork(mark);
        Pool { mark, waiting: Vec::new(), inherited: Vec::new(), secret }
    }

    fn take(&mut self) -> Page {
        if self.waiting.is_empty() && self.secret {
            let mark = self.mark;
            let page = |memory| Page { memory, mark, _lock: None };
            let pages = system::secret_memory();
            // Once refused, by a limit or for good, it is not asked for again.
            self.secret = pages.is_some();
            self.waiting.extend(pages.into_iter().flatten().map(page));
        }
        self.waiting.pop().unwrap_or_else(|| {
            let memory = Box::leak(Box::new(Memory::WIPED));
            system::wipe_on_fork(memory);
            system::leave_out_of_dumps(memory);
            let lock = region::lock(memory.secret.as_ptr(), SECRET).ok();
            Page { memory, mark: self.mark, _lock: lock }
        })
    }
}

impl Page {
    pub(super) fn take() -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        Pool::of_this_process(&mut pool).take()
    }

    pub(super) fn secret(&mut self) -> &mut [u8; SECRET] {
        &mut self.memory.secret
    }

    /// Panics in a process that was forked off: what is there, if anything, is no key.
    pub(super) fn expose(&self) -> &[u8; SECRET] {
        let here = self.mark.is_here();
        assert!(here, "this secret belongs to the process that this one was forked from");
        &self.memory.secret
    }

    pub(super) fn give_back(self) {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = Pool::of_this_process(&mut pool);
        if self.mark.is_here() {
            self.memory.secret.zeroize();
            pool.waiting.push(self);
        } else {
            pool.inherited.push(self);
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod system {
    use super::{Memory, PAGES};
    use rustix::fs::ftruncate;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap};
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::ptr;

    /// `None` where the kernel has none, or the limit is used up. It is never unmapped.
    pub(super) fn secret_memory() -> Option<&'static mut [Memory; PAGES]> {
        // SAFETY: the call takes flags alone.
        let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: the kernel has just made it, for us alone.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let size = size_of::<[Memory; PAGES]>();
        ftruncate(&fd, size as u64).ok()?;
        // SAFETY: a mapping where nothing was before, of memory that nobody else has, as long as what it is
        // cast to, and of zeros, which are a value of it. It is not in a forked process, or else the
        // mark keeps that process from it.
        unsafe {
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            let at = mmap(ptr::null_mut(), size, protection, MapFlags::SHARED, &fd, 0).ok()?;
            let _ = madvise(at, size, Advice::LinuxDontFork);
            Some(&mut *at.cast())
        }
    }

    /// Whether the kernel will do it.
    pub(super) fn wipe_on_fork<T>(page: &mut T) -> bool {
        advise(page, Advice::LinuxWipeOnFork)
    }

    pub(super) fn leave_out_of_dumps<T>(page: &mut T) {
        advise(page, Advice::LinuxDontDump);
    }

    /// Advice changes nothing for this process. Where the kernel does not take it, or its pages are
    /// larger, secrets still work.
    fn advise<T>(page: &mut T, advice: Advice) -> bool {
        // SAFETY: the range is exactly one object, borrowed mutably, of a kind for which zero bytes are a
        // value; it is never freed, so that nothing else will be there in a forked process.
        unsafe { madvise(ptr::from_mut(page).cast(), size_of::<T>(), advice) }.is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Memory, PAGES};

    pub(super) fn secret_memory() -> Option<&'static mut [Memory; PAGES]> {
        None
    }

    pub(super) fn wipe_on_fork<T>(_: &mut T) -> bool {
        false
    }

    pub(super) fn leave_out_of_dumps<T>(_: &mut T) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of secret memory, where the kernel has it, and of ordinary.
    fn pools() -> [Pool; 2] {
        [Pool::new(), Pool { secret: false, ..Pool::new() }]
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn secrets_are_locked() {
        for mut pool in pools() {
            let before = locked_kib();
            let _pages: Vec<_> = (0..100).map(|_| pool.take()).collect();
            assert!(locked_kib() >= before + 400, "a hundred pages of 4 KiB");
        }
    }

    #[cfg(target_os = "linux")]
    fn locked_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|l| l.starts_with("VmLck")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn pages_wait_wiped() {
        let mut pages: Vec<_> = (0..100).map(|_| Page::take()).collect();
        for page in &mut pages {
            page.secret().fill(7);
        }
        pages.into_iter().for_each(Page::give_back);
        let pool = POOL.lock().unwrap();
        let waiting = &pool.as_ref().unwrap().waiting;
        // Other tests may have taken some of them by now.
        assert!(!waiting.is_empty());
        assert!(waiting.iter().all(|page| page.memory.secret == [0; SECRET]));
    }

    /// As the kernel says: locked, not dumped, and not in a forked process, or wiped there.
    #[cfg(target_os = "linux")]
    #[test]
    fn pages_stay_in_this_process() {
        for mut pool in pools() {
            let page = pool.take();
            let flags = flags(&page);
            for flag in ["lo", "dd", if pool.secret { "dc" } else { "wf" }] {
                assert!(flags.split_whitespace().any(|f| f == flag), "no {flag} in {flags}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn flags(page: &Page) -> String {
        let at = page.memory.secret.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut here = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|r| r.split_once('-'));
            let ends = range.and_then(|(from, to)| {
                Some((usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?))
            });
            if let Some((from, to)) = ends {
                here = (from..to).contains(&at);
            }
            if let (true, Some(flags)) = (here, line.strip_prefix("VmFlags:")) {
                return flags.to_owned();
            }
        }
        panic!("the page is nowhere");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn debuggers_do_not_read_secret_memory() {
        use std::os::unix::fs::FileExt;
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        for mut pool in pools() {
            let mut page = pool.take();
            page.secret().fill(7);
            let mut seen = [0; SECRET];
            let read = memory.read_at(&mut seen, page.memory.secret.as_ptr() as u64);
            if pool.secret {
                assert!(read.is_err(), "{read:?}");
            } else {
                assert_eq!((read.unwrap(), seen), (SECRET, [7; SECRET]));
            }
        }
    }

    #[test]
    #[should_panic = "forked"]
    fn in_a_forked_process_it_is_no_key() {
        let page = Pool::new().take();
        page.mark.0.store(false, Ordering::Relaxed); // as the kernel does
        page.expose();
    }

    #[test]
    fn a_forked_process_starts_anew() {
        let mut inherited = Some(Pool::new());
        let pool = Pool::of_this_process(&mut inherited);
        let (mark, page) = (pool.mark, pool.take());
        pool.waiting.push(page);
        assert!(std::ptr::eq(Pool::of_this_process(&mut inherited).mark, mark));
        mark.0.store(false, Ordering::Relaxed);
        let pool = Pool::of_this_process(&mut inherited);
        assert!(pool.mark.is_here() && pool.waiting.is_empty());
        assert!(!pool.inherited.is_empty());
    }
}
