//! Secrets in memory: on pages of their own, locked where the system allows, wiped when dropped. On
//! Linux they are left out of core dumps, and a process that is forked off finds none of them.
//!
//! Locking needs `RLIMIT_MEMLOCK` on Linux and the working-set minimum on Windows; where the
//! limit is used up the secret still works but may reach swap. [`Secret::is_locked`] tells. A page
//! that was wiped stays locked for the next secret.
//! Cipher key schedules live inside the AEAD backend, which wipes but does not lock them.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Fills `out` from the system's random generator. Aborts the process if it has none: no key made
/// without it would be one.
pub(crate) fn random(out: &mut [u8]) {
    getrandom::fill(out).expect("the system has no random generator");
}

/// Bytes of a secret: all keys and seeds here have 32.
pub(crate) const SECRET: usize = 32;

/// A page of its own, so that what is asked of the system for it never touches a neighbour.
#[repr(C, align(4096))]
struct Page {
    secret: [u8; SECRET],
    /// Zero after a fork, with the rest of the page: a key of zeros must never be used for one.
    present: bool,
}

/// A page, and its lock where the system gave one. Never given back to the allocator: what was
/// asked for it would hold for whatever came there next.
struct Locked {
    page: &'static mut Page,
    lock: Option<region::LockGuard>,
}

/// Wiped and locked pages that wait for the next secret: to lock and unlock one costs as much as
/// all that a small file's keys are used for.
static WAITING: Mutex<Vec<Locked>> = Mutex::new(Vec::new());

/// The pages are read-write memory of ours, and advice changes nothing for this process. Where the
/// kernel cannot do it, or its pages are larger, the secret still works.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn keep_to_this_process(page: &mut Page) {
    use rustix::mm::{Advice, madvise};
    for advice in [Advice::LinuxWipeOnFork, Advice::LinuxDontDump] {
        // SAFETY: the range is exactly one object, borrowed mutably, of a kind for which zero bytes
        // are a value; it is never freed, so that nothing else will be there in a forked process.
        let _ = unsafe { madvise(std::ptr::from_mut(page).cast(), size_of::<Page>(), advice) };
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_to_this_process(_: &mut Page) {}

impl Locked {
    fn take() -> Self {
        let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut locked = waiting.unwrap_or_else(|| {
            let page = Box::leak(Box::new(Page { secret: [0; SECRET], present: false }));
            keep_to_this_process(page);
            Locked { page, lock: None }
        });
        // A forked process inherits the page, wiped, but not its lock.
        if locked.lock.is_none() || !locked.page.present {
            drop(locked.lock.take());
            locked.lock = region::lock(locked.page.secret.as_ptr(), SECRET).ok();
        }
        locked.page.present = true;
        locked
    }
}

/// 32 secret bytes. `Debug` shows nothing of them, and there is no `Clone`.
pub(crate) struct Secret(Option<Locked>);

impl Secret {
    /// Lets `fill` write the secret straight into its locked page.
    pub(crate) fn fill(fill: impl FnOnce(&mut [u8; SECRET])) -> Self {
        let mut secret = Secret(Some(Locked::take()));
        if let Some(locked) = &mut secret.0 {
            fill(&mut locked.page.secret);
        }
        secret
    }

    pub(crate) fn random() -> Self {
        Self::fill(|out| random(out))
    }

    /// `None` if the length differs. The caller wipes its own copy.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == SECRET).then(|| Self::fill(|out| out.copy_from_slice(bytes)))
    }

    /// Panics in a process that was forked off from the secret's own.
    pub(crate) fn expose(&self) -> &[u8; SECRET] {
        let page = &self.0.as_ref().expect("until it is dropped").page;
        assert!(page.present, "this secret belongs to the process that this one was forked from");
        &page.secret
    }

    /// Whether the system keeps these bytes out of swap.
    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.0.as_ref().is_some_and(|locked| locked.lock.is_some())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let Some(locked) = self.0.take() else { return };
        locked.page.secret.zeroize();
        WAITING.lock().unwrap_or_else(PoisonError::into_inner).push(locked);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Runs `work` and then wipes the `STACK` bytes of stack that it may have used: libraries leave copies
/// of keys there, moved values for example, that they cannot reach themselves. What `work` returns
/// must not hold secrets in itself, only behind pointers.
pub(crate) fn on_wiped_stack<const STACK: usize, T>(work: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn apart<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let result = apart(work);
    zeroize::zeroize_stack::<STACK>();
    result
}

/// Stack that derivations and ciphers use, by far.
pub(crate) const SHALLOW: usize = 8 * 1024;
/// Stack that ML-KEM-768 uses, by far.
pub(crate) const DEEP: usize = 64 * 1024;

/// Equality in constant time.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stand_alone_and_say_nothing() {
        let s = Secret::random();
        assert_eq!(s.expose().as_ptr() as usize % 4096, 0);
        assert_ne!(s.expose(), &[0; 32]);
        assert_eq!(format!("{s:?}"), "Secret");
        assert!(Secret::from_slice(&[1; 31]).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn secrets_are_locked() {
        let secrets: Vec<_> = (0..100).map(|_| Secret::random()).collect();
        assert!(secrets.iter().all(Secret::is_locked));
        assert!(locked_kib() >= 400, "a hundred pages of 4 KiB");
    }

    #[test]
    fn pages_wait_wiped() {
        drop((0..100).map(|_| Secret::random()).collect::<Vec<_>>());
        let waiting = WAITING.lock().unwrap();
        // Other tests may have taken some of them by now.
        assert!(!waiting.is_empty());
        assert!(waiting.iter().all(|locked| locked.page.secret == [0; SECRET]));
    }

    /// As the kernel says: locked, wiped on fork, not dumped.
    #[cfg(target_os = "linux")]
    #[test]
    fn pages_stay_in_this_process() {
        let secret = Secret::random();
        let at = secret.expose().as_ptr() as usize;
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
                for flag in ["lo", "wf", "dd"] {
                    assert!(flags.split_whitespace().any(|f| f == flag), "no {flag} in {flags}");
                }
                return;
            }
        }
        panic!("the page is nowhere");
    }

    #[test]
    #[should_panic = "forked"]
    fn a_wiped_page_is_no_key() {
        let mut secret = Secret::random();
        secret.0.as_mut().unwrap().page.present = false; // as after a fork
        secret.expose();
    }

    #[cfg(target_os = "linux")]
    fn locked_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|l| l.starts_with("VmLck")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    #[test]
    fn comparison_sees_every_byte() {
        assert!(equal(&[1, 2, 3], &[1, 2, 3]));
        assert!(!equal(&[1, 2, 3], &[1, 2, 4]));
        assert!(!equal(&[1, 2, 3], &[1, 2]));
    }
}
