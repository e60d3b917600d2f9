//! Any bytes as an envelope: header, license and description.
#![no_main]

use bulla::Trust;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(found) = bulla::inspect(&data) {
        assert_eq!(found.sealed_size, data.len() as u64);
        assert!(found.verify(&Trust::default()).is_err(), "verified without a root");
    }
});
