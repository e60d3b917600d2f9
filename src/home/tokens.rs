//! Badge, attestations and lists of revocations of a home.

use super::{Home, MAX_SMALL, incomplete};
use crate::encoding::{Digest256, Thumbprint, sha256};
use crate::facts::{Revocations, VerifiedBadge, verify_attestation, verify_badge};
use crate::jws::MAX_TOKEN;
use crate::keys::RootLine;
use crate::trust::{KeyUse, Trust};
use crate::{Code, Error, Result, clock};
use std::fs;

impl Home {
    /// The badge in use, whether it counts or not.
    pub fn badge(&self) -> Result<Option<String>> {
        Ok(self.get("badge", MAX_SMALL)?.map(|text| text.trim().to_owned()))
    }

    /// Takes a badge into use.
    ///
    /// # Errors
    /// Why it counts for no root that this home pins.
    pub fn use_badge(&self, text: &str) -> Result<()> {
        let (text, device) = (text.trim(), self.public_identity()?.thumbprint());
        self.for_some_root(|trust, root, now| {
            verify_badge(text, trust, root, &device, now).map(drop)
        })?;
        self.put("badge", &format!("{text}\n"))
    }

    /// The attestations in use, whether they count or not.
    pub fn attestations(&self) -> Result<Vec<String>> {
        let texts = self.all("attestations", MAX_SMALL)?;
        Ok(texts.iter().map(|text| text.trim().to_owned()).collect())
    }

    /// Takes an attestation into use. Those that count for no root any more are removed.
    ///
    /// # Errors
    /// Why it counts for no root that this home pins.
    pub fn use_attestation(&self, text: &str) -> Result<()> {
        let text = text.trim();
        let counts = |text: &str| {
            self.for_some_root(|trust, root, now| {
                verify_attestation(text, trust, root, now).map(drop)
            })
        };
        counts(text)?;
        let name = |text: &str| format!("attestations/{}", Digest256(sha256(text.as_bytes())));
        self.put(&name(text), &format!("{text}\n"))?;
        for old in self.attestations()? {
            if counts(&old).is_err() {
                let gone = fs::remove_file(self.0.join(name(&old)));
                gone.map_err(|e| Error::io("removing an attestation that ended", e))?;
            }
        }
        Ok(())
    }

    /// Whether something counts for one of the pinned roots; else why not for the last of them.
    fn for_some_root(&self, counts: impl Fn(&Trust, &Thumbprint, u64) -> Result<()>) -> Result<()> {
        let (trust, now) = (self.trust()?, clock::now());
        let mut why = incomplete("this home pins no root: run `bulla trust pin`");
        for root in trust.roots() {
            match counts(&trust, &root.thumbprint(), now) {
                Ok(()) => return Ok(()),
                Err(e) => why = e,
            }
        }
        Err(why)
    }

    /// The newest list of revocations of each signer.
    pub fn revocations(&self) -> Result<Vec<Revocations>> {
        self.all("revocations", MAX_TOKEN)?.iter().map(|text| Revocations::parse(text)).collect()
    }

    /// Takes a newer list of revocations into use.
    ///
    /// # Errors
    /// [`Code::NotTrusted`] if the root's trust list does not name its signer,
    /// [`Code::Signature`], and [`Code::Rollback`] if a list with a higher `seq` is in use.
    pub fn use_revocations(&self, list: &Revocations) -> Result<()> {
        let (root, signer) = (list.root(), list.signer());
        let trust = self.trust()?;
        list.verify(trust.key(&root, &signer, KeyUse::Revocation, clock::now())?.ed25519()?)?;
        if self.revocation_list(&root, &signer)?.is_some_and(|old| old.seq() > list.seq()) {
            let why = "a newer list of revocations of this signer is in use";
            return Err(Error::new(Code::Rollback, why));
        }
        self.put(&format!("revocations/{root}.{signer}"), &format!("{}\n", list.as_str()))?;
        self.remember_list("revocations", root, signer, list.seq(), clock::now())
    }

    /// The newest list of one signer for one root's files.
    pub fn revocation_list(
        &self,
        root: &Thumbprint,
        signer: &Thumbprint,
    ) -> Result<Option<Revocations>> {
        let all = self.revocations()?;
        Ok(all.into_iter().find(|list| list.root() == *root && list.signer() == *signer))
    }

    /// What the badge in use is worth for the files of each pinned root.
    pub fn badge_worth(&self) -> Result<Vec<(Thumbprint, Result<VerifiedBadge>)>> {
        let (trust, now) = (self.trust()?, clock::now());
        let device = self.public_identity()?.thumbprint();
        let badge = self.badge()?.unwrap_or_default();
        let worth = |root: &RootLine| {
            let root = root.thumbprint();
            (root, verify_badge(&badge, &trust, &root, &device, now))
        };
        Ok(trust.roots().map(worth).collect())
    }
}
