//! Keys: signing keys and their thumbprints, KEM keys and recipients, and the files they live in.

mod kem;
mod keyfile;
mod public;
mod signing;

pub use kem::KemKind;
#[cfg(test)]
pub(crate) use kem::low_order_half;
pub(crate) use kem::{KemPublic, KemSecret};
pub use keyfile::{Identity, Passphrase, RootKey, Signatory};
pub(crate) use keyfile::{public_of, trail_of, with_trail};
pub use public::{Kinds, PublicIdentity, Recipient, RootLine, read_lines};
pub(crate) use public::{MAX_RECIPIENTS, check_recipients, mixed_kinds};
pub(crate) use signing::SigningKey;
pub use signing::VerifyingKey;
