//! Secrets in memory: each on a [`page`] of its own, wiped when dropped. Cipher key schedules live inside
//! the AEAD backend, which wipes but does not lock them.

mod page;

use page::Page;
use std::fmt;
use subtle::ConstantTimeEq;

/// Fills `out` from the system's random generator. Panics if it has none: no key made without it
/// would be one.
pub(crate) fn random(out: &mut [u8]) {
    getrandom::fill(out).expect("the system has no random generator");
}

/// Bytes of a secret: all keys and seeds here have 32.
pub(crate) const SECRET: usize = 32;

/// 32 secret bytes. `Debug` shows nothing of them, and there is no `Clone`.
pub(crate) struct Secret(Option<Page>);

impl Secret {
    /// Lets `fill` write the secret straight into its page.
    pub(crate) fn fill(fill: impl FnOnce(&mut [u8; SECRET])) -> Self {
        let mut page = Page::take();
        fill(page.secret());
        Secret(Some(page))
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
        self.0.as_ref().expect("until it is dropped").expose()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        if let Some(page) = self.0.take() {
            page.give_back();
        }
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

    #[test]
    fn comparison_sees_every_byte() {
        assert!(equal(&[1, 2, 3], &[1, 2, 3]));
        assert!(!equal(&[1, 2, 3], &[1, 2, 4]));
        assert!(!equal(&[1, 2, 3], &[1, 2]));
    }
}
