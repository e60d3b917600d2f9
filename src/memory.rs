//! Secrets in memory: on pages of their own, locked where the system allows, wiped when dropped.
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

/// A page of its own, so that locking and unlocking never touch a neighbour.
#[repr(C, align(4096))]
struct Page([u8; SECRET]);

/// A page, and its lock where the system gave one.
struct Locked {
    page: Box<Page>,
    lock: Option<region::LockGuard>,
}

/// Wiped and locked pages that wait for the next secret: to lock and unlock one costs as much as
/// all that a small file's keys are used for.
static WAITING: Mutex<Vec<Locked>> = Mutex::new(Vec::new());

/// Most pages that wait; beyond that they are given back.
const MOST_WAITING: usize = 64;

impl Locked {
    fn take() -> Self {
        let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).pop();
        waiting.unwrap_or_else(|| {
            let page = Box::new(Page([0; SECRET]));
            let lock = region::lock(page.0.as_ptr(), SECRET).ok();
            Locked { page, lock }
        })
    }
}

/// 32 secret bytes. `Debug` shows nothing of them, and there is no `Clone`.
pub(crate) struct Secret(Option<Locked>);

impl Secret {
    /// Lets `fill` write the secret straight into its locked page.
    pub(crate) fn fill(fill: impl FnOnce(&mut [u8; SECRET])) -> Self {
        let mut secret = Secret(Some(Locked::take()));
        if let Some(locked) = &mut secret.0 {
            fill(&mut locked.page.0);
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

    pub(crate) fn expose(&self) -> &[u8; SECRET] {
        &self.0.as_ref().expect("until it is dropped").page.0
    }

    /// Whether the system keeps these bytes out of swap.
    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.0.as_ref().is_some_and(|locked| locked.lock.is_some())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let Some(mut locked) = self.0.take() else { return };
        locked.page.0.zeroize();
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        // One that could not be locked is tried anew the next time.
        if locked.lock.is_some() && waiting.len() < MOST_WAITING {
            waiting.push(locked);
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

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
        assert!(waiting.len() <= MOST_WAITING);
        assert!(waiting.iter().all(|locked| locked.page.0 == [0; SECRET]));
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
