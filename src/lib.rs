//! File encryption with rights: customer-data files in sealed envelopes, under signed policies.
//!
//! An *issuer* holds a root key and signs licenses. A *device* holds an [`Identity`] and pins roots.
//! A [`Sealer`] makes envelopes for recipients under a policy; a [`Session`] opens them where
//! license and policy allow it, and records each access in the device's audit trail. The format is described byte by byte in `docs/format.md`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla::{Existing, Home, Host, Identity, KemKind, Kinds, Metadata, RootKey, Sealer, Session};
//! use std::io::{Read, Write};
//!
//! let issuer = RootKey::generate("Hanbit Insurance")?;
//! let desk = Identity::generate(KemKind::Hybrid, "desk 7")?;
//! # let folder = tempfile::tempdir()?;
//! let home = Home::at(folder.path().join("desk"));
//! home.create_identity(&desk, None)?; // and the desk's audit trail
//! home.pin(issuer.line())?;
//!
//! let policy = br#"{"version":1,"name":"office","grants":[{"to":["anyone"],"rights":["view"]}]}"#;
//! let to = [desk.recipient().clone()];
//! let sealer = Sealer::issued(&issuer, "customer-data", policy, &to, Kinds::Same)?;
//!
//! # let path = folder.path().join("customers.csv.bulla");
//! let mut writer = sealer.prepare(&Metadata::default())?.into_file(&path, Existing::Keep)?;
//! writer.write_all(b"name,phone\n")?;
//! writer.finish()?; // without this nothing is left behind
//!
//! let session = Session::start(&home, desk, Host::default())?;
//! let mut file = session.open(&path)?; // Read + Seek, and read_at from threads
//! let mut text = String::new();
//! file.read_to_string(&mut text)?;
//! assert_eq!(text, "name,phone\n");
//! # Ok(()) }
//! ```
//!
//! Untrusted bytes never panic, lengths are bounded before memory is allocated, and memory use does
//! not depend on a file's size. Every [`Error`] has a stable [`Code`]. What is unknown, missing or
//! unreadable denies.
//!
//! # Features
//!
//! | feature | what |
//! |---|---|
//! | `aws-lc` (default) | AES-256-GCM, and RS256 and ES256 of single sign-ons, by aws-lc-rs; needs a C compiler |
//! | `pure-rust` | the same by RustCrypto, used when `aws-lc` is off; RSA keys of up to 4096 bits |

#![deny(unsafe_code, missing_docs)]
mod access;
mod aead;
mod atomic;
#[doc(hidden)]
pub mod bench;
mod clock;
pub mod cobblestone;
mod config;
mod copy;
mod encoding;
mod error;
mod facts;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod header;
mod home;
mod inspect;
mod json;
mod jws;
mod kdf;
mod keys;
mod lease;
mod license;
mod measure;
mod memory;
mod parts;
mod payload;
pub mod policy;
mod reader;
mod relicense;
mod revocation;
mod rsa;
mod save;
mod seal;
mod session;
mod standing;
mod template;
mod trail;
mod trust;
#[cfg(test)]
mod vectors;
#[cfg(windows)]
mod windows;
mod wrap;
#[cfg(test)]
mod wycheproof;

pub use access::{Access, Client, Demand};
pub use atomic::{Existing, OutputFile, Unplaced, place_all, sync_folder};
pub use encoding::{Digest256, Id, KeyId, ProgramHash, Thumbprint};
pub use error::{Class, Code, Error, Result};
pub use facts::{
    About, Anchor, Attestation, Badge, BadgeTerms, Checkpoint, Reset, Revocations, Revoked,
    RevokedFile, VerifiedBadge,
};
pub use header::{MAGIC, Metadata, is_sealed};
pub use home::Home;
pub use inspect::{InspectedDelegation, InspectedRecipient, Inspection, inspect};
pub use keys::{
    Identity, KemKind, Kinds, Passphrase, PublicIdentity, Recipient, RootKey, RootLine, Signatory,
    VerifyingKey, read_lines,
};
pub use parts::PartsWriter;
pub use policy::Right;
pub use reader::{Reader, SealedStream};
pub use relicense::{Changes, Relicensed, relicense};
pub use save::SaveStream;
pub use seal::{Prepared, Sealer, Writer};
pub use session::{Host, Session};
pub use template::{Permit, Template, TemplateTerms};
pub use trail::{
    Event as TrailEvent, TrailExpectation, TrailFault, TrailFaultKind, TrailFilter, TrailProgram,
    TrailRecord, TrailReport, trail_records, verify_trail,
};
pub use trust::{KeyUse, PublicKey, Roles, Trust, TrustList, TrustedKey};

/// A temporary folder for tests, in memory where there is such a place: homes sync many files.
#[cfg(test)]
fn memory_folder() -> tempfile::TempDir {
    let shm = std::path::Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a folder")
}

/// A policy for tests that any will do for.
#[cfg(test)]
const POLICY: &[u8] = br#"{"version":1,"name":"n","grants":[{"to":["anyone"],"rights":["view"]}]}"#;
