//! The license: one file's terms and wraps, signed by a root, or by a device under a template.

use crate::encoding::{Bytes, Id, Thumbprint, plain_text, sha256};
use crate::jws::{Object, Signer, Token};
use crate::keys::{KemSecret, MAX_RECIPIENTS};
use crate::memory::Secret;
use crate::policy::MAX_POLICY;
use crate::template::{self, PermitClaims, TemplateClaims};
use crate::trust::Trust;
use crate::wrap::{self, Scope, Wrap};
use crate::{Code, Error, Result, kdf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest label, in bytes.
pub(crate) const MAX_LABEL: usize = 256;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LicenseClaims {
    pub(crate) iss: Thumbprint,
    pub(crate) iat: u64,
    pub(crate) jti: Id,
    pub(crate) seq: u64,
    pub(crate) file: Id,
    pub(crate) label: String,
    pub(crate) policy: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<Id>,
    pub(crate) wraps: Vec<Wrap>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<Id>,
}

impl Object for LicenseClaims {
    const TYP: &'static str = "bulla-license+jwt";
    const NAME: &'static str = "license";
    const EMBEDS_KEY: bool = true;

    fn check(&self) -> Result<(), &'static str> {
        if !plain_text(&self.label, MAX_LABEL) {
            return Err("its label is too long or holds control characters");
        }
        if !(1..=MAX_POLICY).contains(&self.policy.0.len()) {
            return Err("its policy is empty or too long");
        }
        if !(1..=MAX_RECIPIENTS).contains(&self.wraps.len()) {
            return Err("it has no wraps or too many");
        }
        let recipients: BTreeSet<_> = self.wraps.iter().map(|w| w.to).collect();
        if recipients.len() != self.wraps.len() {
            return Err("a recipient stands twice");
        }
        self.wraps.iter().try_for_each(Wrap::check)?;
        if self.wraps.iter().any(|w| w.scope == Scope::Batch) != self.batch.is_some() {
            return Err("its batch id does not go with the scope of its wraps");
        }
        if (self.seq == 0) != self.template.is_some() {
            return Err("its seq does not go with its signer");
        }
        Ok(())
    }
}

/// What a delegated license stands on.
#[derive(Clone, Debug)]
pub(crate) struct Delegation {
    pub(crate) template: Token<TemplateClaims>,
    pub(crate) permit: Token<PermitClaims>,
    nonce: Id,
}

impl Delegation {
    /// The ids of template and permit, as revocations name them.
    pub(crate) fn ids(&self) -> (Id, Id) {
        (self.template.claims.jti, self.permit.claims.jti)
    }
}

/// A license that was read. Nothing of it counts before [`verify`](License::verify).
#[derive(Clone, Debug)]
pub(crate) struct License {
    pub(crate) token: Token<LicenseClaims>,
    pub(crate) delegation: Option<Delegation>,
}

impl License {
    /// Reads a license strictly.
    ///
    /// # Errors
    /// [`Code::License`]
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let token: Token<LicenseClaims> = Token::parse(text, Code::License)?;
        let claims = &token.claims;
        let delegation = match (&token.signer, &claims.template, &claims.permit, claims.nonce) {
            (Signer::Kid(kid), None, None, None) if *kid == claims.iss => None,
            (Signer::Jwk(_), Some(template), Some(permit), Some(nonce)) => Some(Delegation {
                template: Token::parse(template, Code::License)?,
                permit: Token::parse(permit, Code::License)?,
                nonce,
            }),
            _ => {
                let why = "not a valid license: its signer does not go with its claims";
                return Err(Error::new(Code::License, why));
            }
        };
        Ok(License { token, delegation })
    }

    pub(crate) fn claims(&self) -> &LicenseClaims {
        &self.token.claims
    }

    /// Section 3 of `docs/format.md`: who signed, and whether they may.
    ///
    /// # Errors
    /// [`Code::UnknownRoot`], [`Code::NotTrusted`], [`Code::NotPermitted`], [`Code::Signature`]
    pub(crate) fn verify(&self, trust: &Trust, now: u64) -> Result<()> {
        let claims = self.claims();
        let root = trust.root(&claims.iss)?;
        let Some(delegation) = &self.delegation else {
            return self.token.verify(&root.key);
        };
        let Signer::Jwk(device) = &self.token.signer else {
            return Err(Error::new(Code::Internal, "a delegated license without its key"));
        };
        let Delegation { template, permit, nonce } = delegation;
        let thumbprint = device.thumbprint();
        template::verify(trust, &claims.iss, template, permit, &thumbprint, now)?;
        self.token.verify(device)?;
        let terms = &template.claims;
        if claims.label != terms.label
            || claims.policy != terms.policy
            || !claims.wraps.iter().map(|w| w.to).eq(terms.to.iter().copied())
        {
            return Err(Error::new(
                Code::NotPermitted,
                "label, policy or recipients differ from the template's",
            ));
        }
        if claims.file != delegated_file_id(template, &thumbprint, nonce) {
            let why = "a device may not make a license for this file";
            return Err(Error::new(Code::NotPermitted, why));
        }
        Ok(())
    }

    /// The file key, from the wrap for this secret key.
    ///
    /// # Errors
    /// [`Code::NotRecipient`], [`Code::Wrap`]
    pub(crate) fn file_key(&self, secret: &KemSecret, known: &BatchKeys) -> Result<Secret> {
        let claims = self.claims();
        let me = secret.public().key_id();
        let wrap = claims.wraps.iter().find(|w| w.to == me).ok_or_else(|| {
            Error::new(Code::NotRecipient, "the file was not sealed to this device's key")
        })?;
        let id = match (wrap.scope, claims.batch) {
            (Scope::Batch, Some(batch)) => batch,
            _ => claims.file,
        };
        let unwrap = || wrap::unwrap(secret, wrap, &id, &claims.policy.0);
        match wrap.scope {
            Scope::File => unwrap(),
            Scope::Batch => {
                let made_for = wrap::digest(wrap, &id, &claims.policy.0);
                Ok(batch_file_key(&*known.get(made_for, unwrap)?, &claims.file))
            }
        }
    }
}

/// Batch keys that a session has unwrapped: opening many files of a batch costs one unwrap.
#[derive(Default)]
pub(crate) struct BatchKeys(Mutex<HashMap<[u8; 32], Arc<Secret>>>);

/// Most batch keys that are kept.
const MAX_BATCHES: usize = 32;

impl BatchKeys {
    /// The key that the very same wrap gave before, or what `unwrap` gives now.
    fn get(
        &self,
        made_for: [u8; 32],
        unwrap: impl FnOnce() -> Result<Secret>,
    ) -> Result<Arc<Secret>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = lock().get(&made_for) {
            return Ok(Arc::clone(key));
        }
        // Without the lock, so that others go on meanwhile.
        let key = Arc::new(unwrap()?);
        let mut known = lock();
        if known.len() >= MAX_BATCHES {
            known.clear();
        }
        known.insert(made_for, Arc::clone(&key));
        Ok(key)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The key of one file of a batch.
pub(crate) fn batch_file_key(batch_key: &Secret, file: &Id) -> Secret {
    kdf::subkey(batch_key, "bulla/1 batch", file.as_bytes())
}

/// The only file id that a device may use under a template with a nonce.
pub(crate) fn delegated_file_id(
    template: &Token<TemplateClaims>,
    device: &Thumbprint,
    nonce: &Id,
) -> Id {
    let parts =
        [b"bulla/1 file\0", &template::digest(template).0[..], device.as_bytes(), nonce.as_bytes()];
    let digest = sha256(&parts.concat());
    Id(*digest.first_chunk().expect("32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_batch_keys_are_kept() {
        let keys = BatchKeys::default();
        for n in 0..MAX_BATCHES {
            keys.get([n as u8; 32], || Ok(Secret::random())).unwrap();
            assert_eq!(keys.len(), n + 1);
        }
        keys.get([0; 32], || panic!("it is known")).unwrap();
        keys.get([99; 32], || Ok(Secret::random())).unwrap();
        assert_eq!(keys.len(), 1);
    }
}
