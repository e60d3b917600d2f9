//! Whose word counts: roots that a device pins, and the trust lists that those roots sign.

use crate::encoding::{ProgramHash, Thumbprint, b64, plain_text, sha256, unb64};
use crate::jws::{Object, Token};
use crate::keys::{RootKey, RootLine, VerifyingKey};
use crate::rsa::weakness;
use crate::{Code, Error, Result, json};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::{BTreeMap, BTreeSet};

/// What a key of the trust list may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyUse {
    /// Who sits at a device.
    Badge,
    /// That somebody checked a fact.
    Attestation,
    /// What no longer counts.
    Revocation,
    /// Terms that devices may seal under.
    Template,
    /// That one device may seal under a template.
    Permit,
}

impl KeyUse {
    /// All uses.
    pub const ALL: [KeyUse; 5] =
        [KeyUse::Badge, KeyUse::Attestation, KeyUse::Revocation, KeyUse::Template, KeyUse::Permit];

    /// The name in trust lists.
    pub fn name(self) -> &'static str {
        match self {
            KeyUse::Badge => "badge",
            KeyUse::Attestation => "attestation",
            KeyUse::Revocation => "revocation",
            KeyUse::Template => "template",
            KeyUse::Permit => "permit",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|u| u.name() == name)
    }
}

/// A public key of a trust list: ours, or a company's single sign-on key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// Ed25519 (RFC 8037), for `Ed25519` and `EdDSA`.
    Ed25519(VerifyingKey),
    /// RSA, for `RS256`: modulus and exponent, big-endian.
    Rsa {
        /// The modulus: 2048 to 8192 bits.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// NIST P-256, for `ES256`: the point's coordinates.
    P256 {
        /// 32 bytes.
        x: Vec<u8>,
        /// 32 bytes.
        y: Vec<u8>,
    },
}

impl PublicKey {
    /// RFC 7638 thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        let jwk = match self {
            PublicKey::Ed25519(key) => return key.thumbprint(),
            PublicKey::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, b64(e), b64(n))
            }
            PublicKey::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, b64(x), b64(y))
            }
        };
        Thumbprint(sha256(jwk.as_bytes()))
    }

    /// Reads the text of a JWK with exactly its public members.
    ///
    /// # Errors
    /// [`Code::BadKey`], also for an RSA key that others can sign with
    pub fn from_jwk(text: &str) -> Result<Self> {
        let key = json::from_slice(text.as_bytes())
            .map_err(|e| Error::new(Code::BadKey, format!("not a public line or JWK: {e}")))?;
        if let PublicKey::Rsa { n, e } = &key
            && let Some(why) = weakness(n, e)
        {
            let why = format!("not an RSA key to trust: {why}; ask for another key");
            return Err(Error::new(Code::BadKey, why));
        }
        Ok(key)
    }

    /// The `alg` of tokens by such a key, where nothing else is said.
    pub fn default_alg(&self) -> &'static str {
        match self {
            PublicKey::Ed25519(_) => "Ed25519",
            PublicKey::Rsa { .. } => "RS256",
            PublicKey::P256 { .. } => "ES256",
        }
    }

    fn fits(&self, alg: &str) -> bool {
        match self {
            PublicKey::Ed25519(_) => alg == "Ed25519" || alg == "EdDSA",
            PublicKey::Rsa { .. } => alg == "RS256",
            PublicKey::P256 { .. } => alg == "ES256",
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Jwk {
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let text = |bytes: &[u8]| Some(b64(bytes));
        match self {
            PublicKey::Ed25519(key) => return key.serialize(s),
            PublicKey::Rsa { n, e } => {
                Jwk { kty: "RSA".into(), n: text(n), e: text(e), ..Jwk::default() }
            }
            PublicKey::P256 { x, y } => Jwk {
                kty: "EC".into(),
                crv: Some("P-256".into()),
                x: text(x),
                y: text(y),
                ..Jwk::default()
            },
        }
        .serialize(s)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let jwk = Jwk::deserialize(d)?;
        let bytes = |text: &Option<String>| text.as_deref().and_then(unb64);
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => bytes(&jwk.x)
                .and_then(|x| x.try_into().ok())
                .and_then(|x| VerifyingKey::from_bytes(&x))
                .map(PublicKey::Ed25519),
            ("RSA", None) => match (bytes(&jwk.n), bytes(&jwk.e)) {
                (Some(n), Some(e))
                    if (256..=1024).contains(&n.len())
                        && n[0] != 0
                        && (1..=8).contains(&e.len())
                        && e[0] != 0 =>
                {
                    Some(PublicKey::Rsa { n, e })
                }
                _ => None,
            },
            ("EC", Some("P-256")) => match (bytes(&jwk.x), bytes(&jwk.y)) {
                (Some(x), Some(y)) if x.len() == 32 && y.len() == 32 => {
                    Some(PublicKey::P256 { x, y })
                }
                _ => None,
            },
            _ => None,
        };
        key.ok_or_else(|| de::Error::custom("not a public key of a kind that is known here"))
    }
}

/// One key of a trust list, with what it may sign and what its tokens must look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// The public key.
    pub jwk: PublicKey,
    /// The one signature algorithm of its tokens.
    pub alg: String,
    /// What it may sign.
    #[serde(rename = "for")]
    pub uses: Vec<KeyUse>,
    /// The expected `iss` of its tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iss: Option<String>,
    /// The expected `aud` of its tokens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aud: Option<String>,
    /// Where roles stand in its badges, and which it may give.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roles: Option<Roles>,
}

impl TrustedKey {
    /// One of ours that may sign this, and any role.
    pub(crate) fn ours(key: &VerifyingKey, uses: &[KeyUse]) -> Self {
        TrustedKey {
            jwk: PublicKey::Ed25519(key.clone()),
            alg: "Ed25519".into(),
            uses: uses.to_vec(),
            iss: None,
            aud: None,
            roles: None,
        }
    }

    /// The key, for what only Ed25519 keys sign.
    pub(crate) fn ed25519(&self) -> Result<&VerifyingKey> {
        match &self.jwk {
            PublicKey::Ed25519(key) => Ok(key),
            _ => Err(Error::new(Code::NotTrusted, "only Ed25519 keys may sign this")),
        }
    }
}

/// Where roles stand in a signer's badges, and which it may give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// The name of the claim.
    pub claim: String,
    /// The roles that it may give.
    pub allow: Vec<String>,
}

/// The claims of a trust list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustListClaims {
    pub(crate) iss: Thumbprint,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) seq: u64,
    pub(crate) keys: Vec<TrustedKey>,
    pub(crate) programs: Vec<ProgramHash>,
}

impl Object for TrustListClaims {
    const TYP: &'static str = "bulla-trust+jwt";
    const NAME: &'static str = "trust list";

    fn check(&self) -> Result<(), &'static str> {
        if self.seq == 0 {
            return Err("its seq is 0");
        }
        if self.keys.len() > 256 || self.programs.len() > 10_000 {
            return Err("it is too long");
        }
        let mut seen = BTreeSet::new();
        for key in &self.keys {
            if !seen.insert(key.jwk.thumbprint()) {
                return Err("a key stands twice");
            }
            if !key.jwk.fits(&key.alg) {
                return Err("a key's alg does not fit the key");
            }
            let uses: BTreeSet<_> = key.uses.iter().collect();
            if uses.is_empty() || uses.len() != key.uses.len() {
                return Err("a key's uses are empty or repeated");
            }
            let ours = [KeyUse::Template, KeyUse::Permit, KeyUse::Revocation];
            if !matches!(key.jwk, PublicKey::Ed25519(_)) && ours.iter().any(|u| uses.contains(u)) {
                return Err("only Ed25519 keys may sign templates, permits and revocations");
            }
            let roles = key.roles.iter().flat_map(|r| r.allow.iter().chain([&r.claim]));
            if !key.iss.iter().chain(&key.aud).chain(roles).all(|t| plain_text(t, 256)) {
                return Err("a text is too long or holds control characters");
            }
        }
        Ok(())
    }
}

/// A trust list: signed by a root, says whose signatures count for that root's files.
#[derive(Clone, Debug)]
pub struct TrustList(pub(crate) Token<TrustListClaims>);

impl TrustList {
    /// Signs a list. `seq` must be higher than that of the root's list before.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the keys break the format's rules.
    pub fn sign(
        root: &RootKey,
        seq: u64,
        issued_at: u64,
        expires_at: u64,
        keys: Vec<TrustedKey>,
        programs: Vec<ProgramHash>,
    ) -> Result<Self> {
        let (iat, exp) = (issued_at, expires_at);
        let claims = TrustListClaims { iss: root.thumbprint(), iat, exp, seq, keys, programs };
        claims.check().map_err(|why| Error::new(Code::BadArgument, why))?;
        Ok(TrustList(Token::sign(claims, &root.signing, false)))
    }

    /// Reads a list; the signature is checked when it is [used](Trust::use_list).
    ///
    /// # Errors
    /// [`Code::Token`] if it breaks the format.
    pub fn parse(text: &str) -> Result<Self> {
        let token: Token<TrustListClaims> = Token::parse(text.trim(), Code::Token)?;
        if token.kid() != token.claims.iss {
            return Err(Error::new(Code::Token, "a trust list is signed by its own root"));
        }
        Ok(TrustList(token))
    }

    /// The compact JWS.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The root's thumbprint.
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

    /// Unix seconds from which on it no longer counts.
    pub fn expires_at(&self) -> u64 {
        self.0.claims.exp
    }

    /// The keys whose word counts.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.0.claims.keys
    }

    /// SHA-256 of the programs that count as managed.
    pub fn programs(&self) -> &[ProgramHash] {
        &self.0.claims.programs
    }
}

/// The roots that a device pins, and the newest trust list of each.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: BTreeMap<Thumbprint, RootLine>,
    lists: BTreeMap<Thumbprint, TrustList>,
}

impl Trust {
    /// One root with its list.
    #[cfg(test)]
    pub(crate) fn of(root: &RootKey, list: TrustList) -> Self {
        let mut trust = Trust::default();
        trust.pin(root.line().clone());
        trust.use_list(list).unwrap();
        trust
    }

    /// Pins a root.
    pub fn pin(&mut self, root: RootLine) {
        self.roots.insert(root.thumbprint(), root);
    }

    /// The pinned roots.
    pub fn roots(&self) -> impl Iterator<Item = &RootLine> {
        self.roots.values()
    }

    /// The trust list of a root, whether expired or not.
    pub fn list(&self, root: &Thumbprint) -> Option<&TrustList> {
        self.lists.get(root)
    }

    /// Takes a root's newer trust list into use.
    ///
    /// # Errors
    /// [`Code::UnknownRoot`] if the root is not pinned, [`Code::Signature`] if it did not sign,
    /// [`Code::Rollback`] if a list with a higher `seq` is in use.
    pub fn use_list(&mut self, list: TrustList) -> Result<()> {
        list.0.verify(&self.root(&list.root())?.key)?;
        if self.list(&list.root()).is_some_and(|old| old.seq() > list.seq()) {
            return Err(Error::new(Code::Rollback, "a newer trust list of this root is in use"));
        }
        self.lists.insert(list.root(), list);
        Ok(())
    }

    /// The pinned root of this thumbprint.
    pub(crate) fn root(&self, thumbprint: &Thumbprint) -> Result<&RootLine> {
        self.roots.get(thumbprint).ok_or_else(|| {
            let why = format!("signed under the root {thumbprint}, which this device does not pin");
            Error::new(Code::UnknownRoot, why)
        })
    }

    /// The keys of the list of `root` that may sign this.
    pub(crate) fn keys(
        &self,
        root: &Thumbprint,
        uses: KeyUse,
        now: u64,
    ) -> Result<impl Iterator<Item = &TrustedKey>> {
        let not = |why: String| Error::new(Code::NotTrusted, why);
        let list = self.list(root).ok_or_else(|| {
            not("there is no trust list of the file's root here: get one and `bulla trust use` it"
                .into())
        })?;
        if list.expires_at() <= now {
            return Err(not("the trust list of the file's root has expired: get a new one".into()));
        }
        Ok(list.keys().iter().filter(move |key| key.uses.contains(&uses)))
    }

    /// The key `kid` of the list of `root`, if it may sign this.
    pub(crate) fn key(
        &self,
        root: &Thumbprint,
        kid: &Thumbprint,
        uses: KeyUse,
        now: u64,
    ) -> Result<&TrustedKey> {
        self.keys(root, uses, now)?.find(|key| key.jwk.thumbprint() == *kid).ok_or_else(|| {
            let name = uses.name();
            let why = format!("the root's trust list does not name {kid} for this use: {name}");
            Error::new(Code::NotTrusted, why)
        })
    }
}
