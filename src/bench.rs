//! What only the benches call: inner parts by themselves.

use crate::encoding::Id;
use crate::keys::{Identity, KemKind, Kinds, RootKey};
use crate::license::License;
use crate::memory::Secret;
use crate::wrap::{self, Scope, Wrap};
use crate::{Metadata, Result, Sealer, Trust};

pub use crate::cobblestone::bench::{SlotSealer, commitments_equal};

const POLICY: &[u8] =
    br#"{"version":1,"name":"bench","grants":[{"to":["anyone"],"rights":["view","print"]}]}"#;

/// A key that is wrapped for one recipient.
pub struct Wrapped {
    identity: Identity,
    id: Id,
    key: Secret,
    wrap: Wrap,
}

impl Wrapped {
    /// For a new recipient.
    pub fn new(kind: KemKind) -> Result<Self> {
        let identity = Identity::generate(kind, "bench")?;
        let (id, key) = (Id::random(), Secret::random());
        let wrap = wrap::wrap(identity.recipient(), Scope::File, &id, POLICY, &key)?;
        Ok(Wrapped { identity, id, key, wrap })
    }

    /// Wraps the key once more.
    pub fn wrap(&self) -> Result<()> {
        let to = self.identity.recipient();
        wrap::wrap(to, Scope::File, &self.id, POLICY, &self.key).map(drop)
    }

    /// Unwraps it.
    pub fn unwrap(&self) -> Result<()> {
        wrap::unwrap(&self.identity.kem, &self.wrap, &self.id, POLICY).map(drop)
    }
}

/// A license and whom it is trusted by.
pub struct Licensed {
    license: License,
    trust: Trust,
}

impl Licensed {
    /// For so many new hybrid recipients.
    pub fn new(recipients: usize) -> Result<Self> {
        let root = RootKey::generate("bench")?;
        let mut to = Vec::new();
        for _ in 0..recipients {
            to.push(Identity::generate(KemKind::Hybrid, "bench")?.recipient().clone());
        }
        let sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same)?;
        let license = sealer.prepare(&Metadata::default())?.header.license.as_ref().clone();
        let mut trust = Trust::default();
        trust.pin(root.line().clone());
        Ok(Licensed { license, trust })
    }

    /// Verifies its signature, as a session does for every license that it has not seen.
    pub fn verify(&self) -> Result<()> {
        self.license.verify(&self.trust, 0)
    }
}
