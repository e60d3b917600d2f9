//! The two AEAD backends against each other: the same ciphertexts, the same verdicts.

use arbitrary::{Arbitrary, Unstructured};
use bulla::fuzz::Backend::{AwsLc, PureRust};

#[derive(Arbitrary, Debug)]
struct Input {
    key: [u8; 32],
    nonce: [u8; 12],
    aad: Vec<u8>,
    text: Vec<u8>,
    /// How often the text is repeated, so that the wide code paths run.
    times: u8,
    cut: u16,
    flips: Vec<(u16, u8)>,
}

pub fn run(data: &[u8]) -> bool {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return false };
    let Input { key, nonce, aad, text, times, cut, flips } = input;
    let text = text.repeat(usize::from(times) + 1);
    let sealed = AwsLc.seal(&key, nonce, &aad, &text);
    assert!(sealed == PureRust.seal(&key, nonce, &aad, &text), "the ciphertexts differ");
    let mut changed = sealed.clone();
    changed.truncate(sealed.len() - usize::from(cut) % (sealed.len() + 1));
    for (at, bits) in flips {
        if let Some(byte) = changed.get_mut(usize::from(at)) {
            *byte ^= bits;
        }
    }
    let verdicts = [AwsLc, PureRust].map(|backend| backend.open(&key, nonce, &aad, &changed));
    assert!(verdicts[0] == verdicts[1], "the verdicts differ");
    let expected = (changed == sealed).then_some(text);
    assert!(verdicts[0] == expected, "changed bytes were let through, or the same were not");
    true
}
