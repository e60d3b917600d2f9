//! AES-256-GCM behind one small trait, so that the backend is a build-time choice.
//!
//! `aws-lc` (default) is the fast one, `pure-rust` needs no C compiler; where both are on,
//! `aws-lc` is used. Tests hold the two against each other.

pub(crate) const KEY: usize = 32;
pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// The bytes were changed, or the key, nonce or associated data is another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unauthentic;

/// One AES-256-GCM key with its schedule worked out.
pub(crate) trait Aead: Send + Sync + Sized {
    fn new(key: &[u8; KEY]) -> Self;

    /// Encrypts `buf` in place and returns the tag. At most 2^36 − 32 bytes, never reached here.
    fn seal(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> [u8; TAG];

    /// Verifies and decrypts `buf` = ciphertext ‖ tag in place; the plaintext is all but the last
    /// 16 bytes. On failure the content of `buf` is undefined but holds no plaintext.
    fn open(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> Result<(), Unauthentic>;

    /// The same from `sealed` = ciphertext ‖ tag into `out`, which has just the plaintext's length.
    /// On failure `out` holds no plaintext.
    fn open_into(
        &self,
        nonce: [u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<(), Unauthentic>;
}

#[cfg(feature = "aws-lc")]
pub(crate) use aws_lc::Aes256Gcm as Backend;
#[cfg(not(feature = "aws-lc"))]
pub(crate) use rust_crypto::Aes256Gcm as Backend;

#[cfg(not(any(feature = "aws-lc", feature = "pure-rust")))]
compile_error!("choose an AEAD backend: the feature `aws-lc` or `pure-rust`");

#[cfg(any(feature = "aws-lc", feature = "fuzz", test))]
pub(crate) mod aws_lc {
    use super::{Aead, KEY, NONCE, TAG, Unauthentic};
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use zeroize::Zeroize;

    pub(crate) struct Aes256Gcm(LessSafeKey);

    impl Aead for Aes256Gcm {
        fn new(key: &[u8; KEY]) -> Self {
            let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has the right length");
            Aes256Gcm(LessSafeKey::new(key))
        }

        fn seal(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> [u8; TAG] {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = self
                .0
                .seal_in_place_separate_tag(nonce, Aad::from(aad), buf)
                .expect("the length is within AES-GCM's limit");
            tag.as_ref().try_into().expect("tags have 16 bytes")
        }

        fn open(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> Result<(), Unauthentic> {
            let nonce = Nonce::assume_unique_for_key(nonce);
            self.0.open_in_place(nonce, Aad::from(aad), buf).map(drop).map_err(|_| Unauthentic)
        }

        fn open_into(
            &self,
            nonce: [u8; NONCE],
            aad: &[u8],
            sealed: &[u8],
            out: &mut [u8],
        ) -> Result<(), Unauthentic> {
            let (text, tag) = sealed.split_last_chunk::<TAG>().ok_or(Unauthentic)?;
            let nonce = Nonce::assume_unique_for_key(nonce);
            self.0.open_separate_gather(nonce, Aad::from(aad), text, tag, out).map_err(|_| {
                out.zeroize();
                Unauthentic
            })
        }
    }
}

#[cfg(any(not(feature = "aws-lc"), feature = "pure-rust", feature = "fuzz", test))]
#[cfg_attr(all(feature = "aws-lc", not(any(feature = "fuzz", test))), allow(dead_code))]
pub(crate) mod rust_crypto {
    use super::{Aead, KEY, NONCE, TAG, Unauthentic};
    use crate::memory::{SHALLOW, on_wiped_stack};
    use aes_gcm::{AeadInOut, KeyInit, aead::inout::InOutBuf};

    /// The crate wipes its key schedule, but not what it copies of it to the stack at each use.
    pub(crate) struct Aes256Gcm(Box<aes_gcm::Aes256Gcm>);

    impl Aes256Gcm {
        /// Decrypts only what has verified.
        fn decrypt(
            &self,
            nonce: [u8; NONCE],
            aad: &[u8],
            text: InOutBuf<'_, '_, u8>,
            tag: [u8; TAG],
        ) -> Result<(), Unauthentic> {
            on_wiped_stack::<SHALLOW, _>(|| {
                self.0
                    .decrypt_inout_detached(&nonce.into(), aad, text, &tag.into())
                    .map_err(|_| Unauthentic)
            })
        }
    }

    impl Aead for Aes256Gcm {
        fn new(key: &[u8; KEY]) -> Self {
            on_wiped_stack::<SHALLOW, _>(|| {
                Aes256Gcm(Box::new(aes_gcm::Aes256Gcm::new(key.into())))
            })
        }

        fn seal(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> [u8; TAG] {
            on_wiped_stack::<SHALLOW, _>(|| {
                self.0
                    .encrypt_inout_detached(&nonce.into(), aad, buf.into())
                    .expect("the length is within AES-GCM's limit")
                    .into()
            })
        }

        fn open(&self, nonce: [u8; NONCE], aad: &[u8], buf: &mut [u8]) -> Result<(), Unauthentic> {
            let (text, tag) = buf.split_last_chunk_mut::<TAG>().ok_or(Unauthentic)?;
            self.decrypt(nonce, aad, text.into(), *tag)
        }

        fn open_into(
            &self,
            nonce: [u8; NONCE],
            aad: &[u8],
            sealed: &[u8],
            out: &mut [u8],
        ) -> Result<(), Unauthentic> {
            let (text, tag) = sealed.split_last_chunk::<TAG>().ok_or(Unauthentic)?;
            let both = InOutBuf::new(text, out).map_err(|_| Unauthentic)?;
            self.decrypt(nonce, aad, both, *tag)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn backends_agree(
            key: [u8; 32], nonce: [u8; 12], aad in prop::collection::vec(any::<u8>(), 0..64),
            text in prop::collection::vec(any::<u8>(), 0..20_000), flip: prop::sample::Index,
        ) {
            let (a, b) = (aws_lc::Aes256Gcm::new(&key), rust_crypto::Aes256Gcm::new(&key));
            let (mut x, mut y) = (text.clone(), text.clone());
            let tag = a.seal(nonce, &aad, &mut x);
            x.extend(tag);
            let tag = b.seal(nonce, &aad, &mut y);
            y.extend(tag);
            prop_assert_eq!(&x, &y);

            let mut changed = x.clone();
            changed[flip.index(x.len())] ^= 0x20;
            prop_assert_eq!(a.open(nonce, &aad, &mut changed.clone()), Err(Unauthentic));
            let nothing = vec![0; text.len()];
            let mut out = nothing.clone();
            prop_assert_eq!(a.open_into(nonce, &aad, &changed, &mut out), Err(Unauthentic));
            prop_assert_eq!(b.open_into(nonce, &aad, &changed, &mut out), Err(Unauthentic));
            prop_assert_eq!(&out, &nothing);
            prop_assert_eq!(b.open(nonce, &aad, &mut changed), Err(Unauthentic));

            prop_assert_eq!(a.open_into(nonce, &aad, &x, &mut out), Ok(()));
            prop_assert_eq!(&out, &text);
            out.fill(0);
            prop_assert_eq!(b.open_into(nonce, &aad, &x, &mut out), Ok(()));
            prop_assert_eq!(&out, &text);

            prop_assert_eq!(b.open(nonce, &aad, &mut x), Ok(()));
            prop_assert_eq!(a.open(nonce, &aad, &mut y), Ok(()));
            prop_assert_eq!(&x[..text.len()], &text[..]);
            prop_assert_eq!(&y[..text.len()], &text[..]);
        }
    }

    #[test]
    fn input_shorter_than_a_tag_is_refused() {
        fn check(key: &impl Aead, n: usize) {
            assert!(key.open([0; 12], &[], &mut vec![0; n]).is_err());
            assert!(key.open_into([0; 12], &[], &vec![0; n], &mut []).is_err());
        }
        for n in 0..TAG {
            check(&aws_lc::Aes256Gcm::new(&[0; 32]), n);
            check(&rust_crypto::Aes256Gcm::new(&[0; 32]), n);
        }
    }
}
