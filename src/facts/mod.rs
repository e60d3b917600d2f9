//! Signed facts about people, devices and files: badges, attestations, revocations, checkpoints.
//!
//! Here they are signed, read strictly and verified under a key. What a token is worth for the
//! files of one root is in [`verify`], that of a company's single sign-on in [`sso`] too.

#[cfg(test)]
mod jws_vectors;
pub(crate) mod signature;
mod sso;
#[cfg(test)]
mod token_vectors;
mod verify;

pub use verify::VerifiedBadge;
pub(crate) use verify::{VerifiedAttestation, verify_attestation, verify_badge};

use crate::encoding::{Digest256, Id, Thumbprint, plain_text};
use crate::jws::{Object, Token};
use crate::keys::{Identity, RootKey, Signatory, VerifyingKey};
use crate::policy::is_word;
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};

/// Most entries of a list within these objects, revocations apart.
const MAX_LIST: usize = 64;
/// Most entries of each list of a revocation list.
const MAX_REVOKED: usize = 50_000;
/// Longest subject, role, group or kind, in bytes.
const MAX_TEXT: usize = 256;

const NO_KIND: &str = "its kind is not 1 to 64 lower-case letters, digits, dots and hyphens";

fn texts<'a>(all: impl IntoIterator<Item = &'a String>) -> Result<(), &'static str> {
    if all.into_iter().all(|t| !t.is_empty() && plain_text(t, MAX_TEXT)) {
        Ok(())
    } else {
        Err("a text is empty, too long or holds control characters")
    }
}

/// Where an audit trail stood when somebody looked at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The trail's id.
    pub id: Id,
    /// The number of its last record.
    pub seq: u64,
    /// SHA-256 of its last line.
    pub head: Digest256,
}

/// RFC 7800: the key whose holder the token is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Thumbprint,
}

/// Defines a signed object around its claims.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident, $claims:ident, $typ:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Token<$claims>);

        impl $name {
            /// Reads one; the signature is checked by [`verify`](Self::verify).
            ///
            /// # Errors
            /// [`Code::Token`] if it breaks the format.
            pub fn parse(text: &str) -> Result<Self> {
                Token::parse(text.trim(), Code::Token).map($name)
            }

            /// Verifies the signature.
            ///
            /// # Errors
            /// [`Code::Signature`]
            pub fn verify(&self, key: &VerifyingKey) -> Result<()> {
                self.0.verify(key)
            }

            /// The compact JWS.
            pub fn as_str(&self) -> &str {
                &self.0.text
            }

            /// Thumbprint of the key that claims to have signed.
            pub fn signer(&self) -> Thumbprint {
                self.0.kid()
            }

            fn sign_claims(claims: $claims, signer: Signatory<'_>) -> Result<Self> {
                claims.check().map_err(|why| Error::new(Code::BadArgument, why))?;
                Ok($name(Token::sign(claims, signer.key(), false)))
            }
        }

        impl Object for $claims {
            const TYP: &'static str = $typ;
            const NAME: &'static str = $what;

            fn check(&self) -> Result<(), &'static str> {
                self.rules()
            }
        }
    };
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BadgeClaims {
    iat: u64,
    exp: u64,
    jti: Id,
    sub: String,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    groups: Vec<String>,
    cnf: Confirmation,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    trail: Option<Anchor>,
}

impl BadgeClaims {
    fn rules(&self) -> Result<(), &'static str> {
        texts(std::iter::once(&self.sub).chain(&self.roles).chain(&self.groups))?;
        if self.roles.len() > MAX_LIST || self.groups.len() > MAX_LIST {
            return Err("it has too many roles or groups");
        }
        if self.exp <= self.iat { Err("it ends before it begins") } else { Ok(()) }
    }
}

object! {
    /// Who sits at a device, until when: the lease without which nothing opens.
    Badge, BadgeClaims, "bulla-badge+jwt", "badge"
}

/// What a new badge says.
#[derive(Clone, Copy, Debug)]
pub struct BadgeTerms<'a> {
    /// The person.
    pub subject: &'a str,
    /// Their roles.
    pub roles: &'a [String],
    /// Their groups.
    pub groups: &'a [String],
    /// The device they sit at.
    pub device: Thumbprint,
    /// Where the device's audit trail stood.
    pub anchor: Option<&'a Anchor>,
}

impl Badge {
    /// Signs a badge that counts from `now` until `until` (exclusive).
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the terms break the limits.
    pub fn sign(
        signer: Signatory<'_>,
        terms: BadgeTerms<'_>,
        now: u64,
        until: u64,
    ) -> Result<Self> {
        let claims = BadgeClaims {
            iat: now,
            exp: until,
            jti: Id::random(),
            sub: terms.subject.into(),
            roles: terms.roles.to_vec(),
            groups: terms.groups.to_vec(),
            cnf: Confirmation { jkt: terms.device },
            trail: terms.anchor.cloned(),
        };
        Self::sign_claims(claims, signer)
    }

    /// The person.
    pub fn subject(&self) -> &str {
        &self.0.claims.sub
    }

    /// Their roles.
    pub fn roles(&self) -> &[String] {
        &self.0.claims.roles
    }

    /// Their groups.
    pub fn groups(&self) -> &[String] {
        &self.0.claims.groups
    }

    /// The device.
    pub fn device(&self) -> Thumbprint {
        self.0.claims.cnf.jkt
    }

    /// From when until when (exclusive) it counts: Unix seconds.
    pub fn period(&self) -> std::ops::Range<u64> {
        self.0.claims.iat..self.0.claims.exp
    }

    /// Where the device's audit trail stood.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.0.claims.trail.as_ref()
    }
}

/// Whom or what an attestation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A person.
    Subject(String),
    /// A device.
    Device(Thumbprint),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttestationClaims {
    iat: u64,
    exp: u64,
    jti: Id,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    device: Option<Thumbprint>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    trail: Option<Anchor>,
}

impl AttestationClaims {
    fn rules(&self) -> Result<(), &'static str> {
        if !is_word(&self.kind) {
            return Err(NO_KIND);
        }
        texts(&self.sub)?;
        if self.sub.is_some() == self.device.is_some() {
            return Err("it is about a person or a device, not both and not neither");
        }
        if self.exp <= self.iat { Err("it ends before it begins") } else { Ok(()) }
    }
}

object! {
    /// That somebody checked a fact: `daily-checklist`, `attendance`, `posture.…`.
    Attestation, AttestationClaims, "bulla-attestation+jwt", "attestation"
}

impl Attestation {
    /// Signs an attestation that counts from `now` until `until` (exclusive). `kind` is a word of
    /// 1 to 64 lower-case letters, digits, dots and hyphens; `anchor` is where the device's audit
    /// trail stood.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if a text breaks the limits.
    pub fn sign(
        signer: Signatory<'_>,
        kind: &str,
        about: &About,
        anchor: Option<&Anchor>,
        now: u64,
        until: u64,
    ) -> Result<Self> {
        let (sub, device) = match about {
            About::Subject(sub) => (Some(sub.clone()), None),
            About::Device(device) => (None, Some(*device)),
        };
        let claims = AttestationClaims {
            iat: now,
            exp: until,
            jti: Id::random(),
            kind: kind.into(),
            sub,
            device,
            trail: anchor.cloned(),
        };
        Self::sign_claims(claims, signer)
    }

    /// The fact's name.
    pub fn kind(&self) -> &str {
        &self.0.claims.kind
    }

    /// Whom or what it is about.
    pub fn about(&self) -> About {
        match (&self.0.claims.sub, self.0.claims.device) {
            (_, Some(device)) => About::Device(device),
            (sub, None) => About::Subject(sub.clone().unwrap_or_default()),
        }
    }

    /// From when until when (exclusive) it counts: Unix seconds.
    pub fn period(&self) -> std::ops::Range<u64> {
        self.0.claims.iat..self.0.claims.exp
    }

    /// Where the device's audit trail stood.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.0.claims.trail.as_ref()
    }
}

/// A file whose licenses no longer count, all of them or those below a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedFile {
    /// The file.
    pub file: Id,
    /// Only licenses with a lower `seq`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below_seq: Option<u64>,
}

/// What no longer counts, for one root's files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revoked {
    /// Files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<RevokedFile>,
    /// Licenses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<Id>,
    /// People.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Thumbprint>,
    /// Templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Id>,
    /// Permits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permits: Vec<Id>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationsClaims {
    iss: Thumbprint,
    iat: u64,
    seq: u64,
    revoked: Revoked,
}

impl RevocationsClaims {
    fn rules(&self) -> Result<(), &'static str> {
        let r = &self.revoked;
        let lengths = [r.files.len(), r.licenses.len(), r.subjects.len(), r.devices.len()];
        if lengths.iter().chain(&[r.templates.len(), r.permits.len()]).any(|n| *n > MAX_REVOKED) {
            return Err("a list in it is too long");
        }
        texts(&r.subjects)?;
        if self.seq == 0 { Err("its seq is 0") } else { Ok(()) }
    }
}

object! {
    /// What no longer counts for a root's files. A lower `seq` never replaces a higher one.
    Revocations, RevocationsClaims, "bulla-revocations+jwt", "revocation list"
}

impl Revocations {
    /// Signs a list for the files of `root`.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if it breaks the limits.
    pub fn sign(
        signer: Signatory<'_>,
        root: Thumbprint,
        seq: u64,
        revoked: Revoked,
        now: u64,
    ) -> Result<Self> {
        Self::sign_claims(RevocationsClaims { iss: root, iat: now, seq, revoked }, signer)
    }

    /// Thumbprint of the root for whose files it counts.
    pub fn root(&self) -> Thumbprint {
        self.0.claims.iss
    }

    /// Rises with each list.
    pub fn seq(&self) -> u64 {
        self.0.claims.seq
    }

    /// When it was made: Unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.0.claims.iat
    }

    /// What no longer counts.
    pub fn revoked(&self) -> &Revoked {
        &self.0.claims.revoked
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointClaims {
    iat: u64,
    trail: Anchor,
}

impl CheckpointClaims {
    fn rules(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

object! {
    /// A device's word for where its audit trail stood.
    Checkpoint, CheckpointClaims, "bulla-checkpoint+jwt", "checkpoint"
}

impl Checkpoint {
    /// Signs a checkpoint with the device's own key.
    ///
    /// # Errors
    /// [`Code::BadArgument`]
    pub fn sign(device: &Identity, anchor: Anchor, now: u64) -> Result<Self> {
        let claims = CheckpointClaims { iat: now, trail: anchor };
        Self::sign_claims(claims, Signatory::Identity(device))
    }

    /// When it was made: Unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.0.claims.iat
    }

    /// Where the trail stood.
    pub fn anchor(&self) -> &Anchor {
        &self.0.claims.trail
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetClaims {
    iss: Thumbprint,
    iat: u64,
    jti: Id,
    device: Thumbprint,
    trail: Id,
}

impl ResetClaims {
    fn rules(&self) -> Result<(), &'static str> {
        if self.jti == self.trail { Err("it replaces a trail by itself") } else { Ok(()) }
    }
}

object! {
    /// A root's leave to go on with another audit trail, for its own files.
    Reset, ResetClaims, "bulla-reset+jwt", "reset"
}

impl Reset {
    /// Signs a reset of a device's trail.
    ///
    /// # Errors
    /// [`Code::BadArgument`]
    pub fn sign(root: &RootKey, device: Thumbprint, trail: Id, now: u64) -> Result<Self> {
        Self::sign_for(root.thumbprint(), root, device, trail, now)
    }

    /// Apart from [`sign`](Self::sign) so that a test can let one root sign in another's name.
    pub(crate) fn sign_for(
        iss: Thumbprint,
        root: &RootKey,
        device: Thumbprint,
        trail: Id,
        now: u64,
    ) -> Result<Self> {
        let claims = ResetClaims { iss, iat: now, jti: Id::random(), device, trail };
        Self::sign_claims(claims, Signatory::Root(root))
    }

    /// The root for whose files it counts.
    pub fn root(&self) -> Thumbprint {
        self.0.claims.iss
    }

    /// When it was made: Unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.0.claims.iat
    }

    /// Its own id, which becomes the trail's.
    pub fn id(&self) -> Id {
        self.0.claims.jti
    }

    /// The device.
    pub fn device(&self) -> Thumbprint {
        self.0.claims.device
    }

    /// The id of the trail that it replaces.
    pub fn trail(&self) -> Id {
        self.0.claims.trail
    }
}

#[cfg(test)]
mod tests;
