//! Bulla
#![deny(unsafe_code, missing_docs)]
mod aead;
mod atomic;
mod clock;
pub mod cobblestone;
mod encoding;
mod error;
mod header;
mod home;
mod inspect;
mod json;
mod jws;
mod kdf;
mod keys;
mod license;
mod memory;
mod policy;
mod relicense;
mod save;
mod seal;
mod session;
mod template;
mod trust;
mod wrap;

pub use atomic::{Existing, OutputFile, sync_folder};
pub use encoding::{Digest256, Id, KeyId, ProgramHash, Thumbprint};
pub use error::{Class, Code, Error, Result};
pub use header::{MAGIC, Metadata, is_sealed};
pub use home::Home;
pub use inspect::{InspectedDelegation, InspectedRecipient, Inspection, inspect};
pub use keys::{
    Identity, KemKind, Passphrase, PublicIdentity, Recipient, RootKey, RootLine, Signatory,
    VerifyingKey, read_lines,
};
pub use policy::Right;
pub use relicense::{Changes, Relicensed, relicense};
pub use seal::{Kinds, Prepared, Sealer, Writer};
pub use session::{Reader, SealedStream, Session};
pub use template::{Permit, Template, TemplateTerms};
pub use trust::{KeyUse, PublicKey, Roles, Trust, TrustList, TrustedKey};
