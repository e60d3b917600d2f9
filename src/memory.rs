//! Secrets in memory: on pages of their own, locked where the system allows, wiped when dropped.
//!
//! Locking needs `RLIMIT_MEMLOCK` on Linux and the working-set minimum on Windows; where the
//! limit is used up the secret still works but may reach swap. [`Secret::is_locked`] tells.
//! Cipher key schedules live inside the AEAD backend, which wipes but does not lock them.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Fills `out` from the system's random generator. Aborts the process if it has none: no key made
/// without it would be one.
pub(crate) fn random(out: &mut [u8]) {
    getrandom::fill(out).expect("the system has no random generator");
}

/// A page of its own, so that locking and unlocking never touch a neighbour.
#[repr(C, align(4096))]
struct Page<const N: usize>([u8; N]);

/// `N` secret bytes. `Debug` shows nothing of them, and there is no `Clone`.
pub(crate) struct Secret<const N: usize> {
    page: Box<Page<N>>,
    lock: Option<region::LockGuard>,
}

impl<const N: usize> Secret<N> {
    /// Locks the page first, then lets `fill` write the secret straight into it.
    pub(crate) fn fill(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut page = Box::new(Page([0; N]));
        let lock = region::lock(page.0.as_ptr(), N).ok();
        fill(&mut page.0);
        Secret { page, lock }
    }

    pub(crate) fn random() -> Self {
        Self::fill(|out| random(out))
    }

    /// `None` if the length differs. The caller wipes its own copy.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::fill(|out| out.copy_from_slice(bytes)))
    }

    pub(crate) fn expose(&self) -> &[u8; N] {
        &self.page.0
    }

    /// Whether the system keeps these bytes out of swap.
    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.page.0.zeroize();
        // Unlocked only after the wipe.
        drop(self.lock.take());
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
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
        let s = Secret::<32>::random();
        assert_eq!(s.expose().as_ptr() as usize % 4096, 0);
        assert_ne!(s.expose(), &[0; 32]);
        assert_eq!(format!("{s:?}"), "Secret");
        assert!(Secret::<32>::from_slice(&[1; 31]).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn secrets_are_locked() {
        let before = locked_kib();
        let secrets: Vec<_> = (0..4).map(|_| Secret::<32>::random()).collect();
        assert!(secrets.iter().all(Secret::is_locked));
        assert!(locked_kib() >= before + 16, "four pages of 4 KiB more than {before}");
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
