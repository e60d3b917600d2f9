//! Any bytes as an envelope: header, license and description.

use bulla::{Class, Trust};

pub fn run(data: &[u8]) -> bool {
    match bulla::inspect(&data) {
        Ok(found) => {
            assert!(bulla::is_sealed(data));
            assert_eq!(found.sealed_size, data.len() as u64);
            assert!(found.content_size < found.sealed_size);
            assert!(found.verify(&Trust::default()).is_err(), "verified without a root");
            true
        }
        Err(e) => {
            assert_eq!(e.class(), Class::Format, "{e}");
            false
        }
    }
}
