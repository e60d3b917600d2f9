//! File encryption with rights: customer-data files in sealed envelopes, under signed policies.
//!
//! An *issuer* holds a root key and signs licenses. A *device* holds an [`Identity`] and pins roots.
//! A [`Sealer`] makes envelopes for recipients under a policy; a [`Session`] opens them where
//! license and policy allow it. The format is described byte by byte in `docs/format.md`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bulla::{Existing, Identity, KemKind, Kinds, Metadata, RootKey, Sealer, Session, Trust};
//! use std::io::{Read, Write};
//!
//! let issuer = RootKey::generate("Hanbit Insurance")?;
//! let desk = Identity::generate(KemKind::Hybrid, "desk 7")?;
//!
//! let policy = br#"{"version":1,"name":"office","grants":[{"to":["anyone"],"rights":["view"]}]}"#;
//! let to = [desk.recipient().clone()];
//! let sealer = Sealer::issued(&issuer, "customer-data", policy, &to, Kinds::Same)?;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("customers.csv.bulla");
//! let mut writer = sealer.prepare(&Metadata::default())?.into_file(&path, Existing::Keep)?;
//! writer.write_all(b"name,phone\n")?;
//! writer.finish()?; // without this nothing is left behind
//!
//! let mut trust = Trust::default();
//! trust.pin(issuer.line().clone());
//! let mut file = Session::new(trust, desk).open(&path)?; // Read + Seek, and read_at from threads
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
//! | `cli` (default) | the `bulla` command; libraries turn default features off |

#![deny(unsafe_code, missing_docs)]
mod access;
mod aead;
mod atomic;
mod clock;
pub mod cobblestone;
#[cfg_attr(not(test), expect(dead_code, reason = "nothing reads it yet"))]
mod config;
mod encoding;
mod error;
mod facts;
mod header;
mod home;
mod inspect;
mod json;
mod jws;
mod kdf;
mod keys;
mod license;
#[expect(dead_code)]
mod measure;
mod memory;
mod payload;
pub mod policy;
mod relicense;
mod save;
mod seal;
mod session;
mod template;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "sessions do not record yet"))]
mod trail;
mod trust;
#[cfg(test)]
mod vectors;
mod wrap;

pub use atomic::{Existing, OutputFile, sync_folder};
pub use encoding::{Digest256, Id, KeyId, ProgramHash, Thumbprint};
pub use error::{Class, Code, Error, Result};
pub use facts::{
    About, Anchor, Attestation, Badge, BadgeTerms, Checkpoint, Reset, Revocations, Revoked,
    RevokedFile,
};
pub use header::{MAGIC, Metadata, is_sealed};
pub use home::Home;
pub use inspect::{InspectedDelegation, InspectedRecipient, Inspection, inspect};
pub use keys::{
    Identity, KemKind, Kinds, Passphrase, PublicIdentity, Recipient, RootKey, RootLine, Signatory,
    VerifyingKey, read_lines,
};
pub use policy::Right;
pub use relicense::{Changes, Relicensed, relicense};
pub use seal::{Prepared, Sealer, Writer};
pub use session::{Reader, SealedStream, Session};
pub use template::{Permit, Template, TemplateTerms};
pub use trail::{
    Event, TrailExpectation, TrailFault, TrailFaultKind, TrailFilter, TrailProgram, TrailRecord,
    TrailReport, trail_records, verify_trail,
};
pub use trust::{KeyUse, PublicKey, Roles, Trust, TrustList, TrustedKey};
