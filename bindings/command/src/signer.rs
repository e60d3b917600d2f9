//! Who signs templates, permits, badges, attestations and revocations: the home's root key where
//! it has one, else its identity.

use crate::context::Context;
use bulla::{Code, Error, Identity, Result, RootKey, Signatory, Thumbprint};

pub enum Signer {
    Root(Box<RootKey>),
    Identity(Box<Identity>),
}

impl Signer {
    pub fn of(c: &Context) -> Result<Self> {
        if c.home.has_root_key() {
            Ok(Signer::Root(Box::new(c.root_key()?)))
        } else {
            Ok(Signer::Identity(Box::new(c.identity()?)))
        }
    }

    pub fn signatory(&self) -> Signatory<'_> {
        match self {
            Signer::Root(root) => Signatory::Root(root),
            Signer::Identity(identity) => Signatory::Identity(identity),
        }
    }

    pub fn thumbprint(&self) -> Thumbprint {
        match self {
            Signer::Root(root) => root.thumbprint(),
            Signer::Identity(identity) => identity.thumbprint(),
        }
    }
}

/// For whose files something is signed: the root that was named, the signer itself, or the only
/// root that is pinned.
pub fn root_of(c: &Context, signer: &Signer, named: Option<Thumbprint>) -> Result<Thumbprint> {
    match (named, signer) {
        (Some(root), _) => Ok(root),
        (None, Signer::Root(key)) => Ok(key.thumbprint()),
        (None, Signer::Identity(_)) => {
            let trust = c.home.trust()?;
            let mut roots = trust.roots();
            match (roots.next(), roots.next()) {
                (Some(only), None) => Ok(only.thumbprint()),
                _ => Err(Error::new(Code::BadArgument, "say with --root for whose files this is")),
            }
        }
    }
}

/// An argument that is a thumbprint.
pub fn thumbprint(text: &str) -> std::result::Result<Thumbprint, String> {
    Thumbprint::from_text(text).ok_or_else(|| "a thumbprint has 43 base64url characters".into())
}
