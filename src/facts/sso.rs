//! Tokens of a company's single sign-on: other people's JWTs, read as `docs/tokens.md` says.

use super::signature::{MAX_RSA, usable, verifies};
use super::{Anchor, MAX_TEXT};
use crate::encoding::{Thumbprint, plain_text};
use crate::json::{self, MAX_INTEGER};
use crate::jws::Parts;
use crate::trust::{KeyUse, Roles, Trust, TrustedKey};
use crate::{Code, Error, Result};
use serde_json::{Map, Value};

/// Longest token, in bytes.
const MAX_TOKEN: usize = 64 << 10;
/// Most roles of a badge that are looked at.
const MAX_ROLES: usize = 256;

/// The one `typ` of such tokens.
pub(super) const TYP: &str = "JWT";

/// A token that was read; [`signer`](Self::signer) says whether anybody's word stands behind it.
pub(super) struct SsoToken<'a> {
    /// What is wanted of it, in messages.
    what: &'static str,
    alg: String,
    /// An object.
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> SsoToken<'a> {
    /// Reads the rest of a token, whose header has the right `typ`.
    pub(super) fn read(
        text: &'a str,
        parts: &Parts<'a>,
        header: &Map<String, Value>,
        what: &'static str,
    ) -> Result<Self> {
        let bad = |why: &str| malformed(what, why);
        // Whatever else a header holds names keys, changes what is signed or must be understood.
        if header.keys().any(|name| !["alg", "typ", "kid", "cty"].contains(&name.as_str())) {
            return Err(bad("its header has members other than alg, typ, kid and cty"));
        }
        if header.values().any(|value| !value.is_string()) {
            return Err(bad("a member of its header is not a string"));
        }
        let alg = header.get("alg").and_then(Value::as_str);
        let alg = alg.ok_or_else(|| bad("its header has no alg"))?.to_owned();
        if text.len() > MAX_TOKEN {
            return Err(bad("it is longer than 64 KiB"));
        }
        let claims = json::value_with_any_numbers(&parts.claims().map_err(bad)?)
            .map_err(|e| bad(&format!("its content: {e}")))?;
        if !claims.is_object() {
            return Err(bad("its content is not an object"));
        }
        let signature = parts.signature().map_err(bad)?;
        Ok(SsoToken { what, alg, claims, signed: parts.signed, signature })
    }

    /// The key of the root's trust list that signed it, is there for this use, and expects this
    /// very issuer, audience and algorithm.
    pub(super) fn signer<'t>(
        &self,
        trust: &'t Trust,
        root: &Thumbprint,
        uses: KeyUse,
        now: u64,
    ) -> Result<&'t TrustedKey> {
        let not = |why: &str| Error::new(Code::NotTrusted, why.to_owned());
        let iss = self.claims.get("iss").and_then(Value::as_str);
        let iss = iss.ok_or_else(|| not("the single sign-on's token names no issuer (iss)"))?;
        let mut keys: Vec<_> = trust
            .keys(root, uses, now)?
            .filter(|key| key.iss.as_deref() == Some(iss) && key.aud.is_some())
            .collect();
        if keys.is_empty() {
            let name = uses.name();
            return Err(not(&format!(
                "no key of the root's trust list may sign a token of this issuer for this use: \
                 {name}; it takes a key with both iss and aud"
            )));
        }
        keys.retain(|key| key.alg == self.alg);
        if keys.is_empty() {
            return Err(not("the token's alg is not the one that the trust list expects"));
        }
        keys.retain(|key| key.aud.as_deref().is_some_and(|aud| self.is_for(aud)));
        if keys.is_empty() {
            return Err(not("the token is for another audience (aud) than the trust list expects"));
        }
        keys.retain(|key| usable(&key.jwk));
        if keys.is_empty() {
            let why = "and none counts that others can sign with";
            return Err(not(&format!("RSA keys have 2048 to {MAX_RSA} bits in this build, {why}")));
        }
        keys.into_iter()
            .find(|key| verifies(&key.jwk, self.signed.as_bytes(), &self.signature))
            .ok_or_else(|| {
                let what = self.what;
                let why = format!(
                    "the signature of the {what} does not verify: it was changed, or the single \
                     sign-on has a new key that is not in the trust list"
                );
                Error::new(Code::Signature, why)
            })
    }

    /// Whether `aud` is its audience, or one of them.
    fn is_for(&self, aud: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(one)) => one == aud,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| one == aud)
            }
            _ => false,
        }
    }

    fn bad(&self, why: &str) -> Error {
        malformed(self.what, why)
    }

    /// Whether it has this claim, of whatever kind.
    pub(super) fn has(&self, claim: &str) -> bool {
        self.claims.get(claim).is_some()
    }

    /// A short text, where the claim is there.
    pub(super) fn text(&self, claim: &str) -> Result<Option<&str>> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        let text = value.as_str().filter(|text| !text.is_empty() && plain_text(text, MAX_TEXT));
        text.map(Some).ok_or_else(|| {
            self.bad(&format!("its {claim} is not a text of 1 to 256 bytes without controls"))
        })
    }

    /// A claim that must be there.
    pub(super) fn need<T>(&self, claim: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.bad(&format!("it has no {claim}")))
    }

    /// A time in Unix seconds, where the claim is there; fractions are cut off.
    pub(super) fn time(&self, claim: &str) -> Result<Option<u64>> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        let whole = value.as_u64().or_else(|| {
            let seconds = value.as_f64()?;
            // Below 2^53 the cast is exact.
            (0.0..=MAX_INTEGER as f64).contains(&seconds).then_some(seconds as u64)
        });
        let whole = whole.filter(|seconds| *seconds <= MAX_INTEGER);
        whole.map(Some).ok_or_else(|| self.bad(&format!("its {claim} is not a time")))
    }

    /// The thumbprint of the key whose holder it is for (RFC 7800, `jkt` of RFC 9449). Another
    /// confirmation beside it would ask for a proof that nobody gives here.
    pub(super) fn confirmed_key(&self) -> Result<Thumbprint> {
        let cnf = self.claims.get("cnf").and_then(Value::as_object);
        let jkt = cnf.filter(|cnf| cnf.len() == 1).and_then(|cnf| cnf.get("jkt"));
        jkt.and_then(Value::as_str).and_then(Thumbprint::from_text).ok_or_else(|| {
            self.bad("it is not bound to a device: its cnf is not exactly a jkt, a thumbprint")
        })
    }

    /// Another key's thumbprint, where the claim is there.
    pub(super) fn thumbprint(&self, claim: &str) -> Result<Option<Thumbprint>> {
        let Some(value) = self.claims.get(claim) else { return Ok(None) };
        let thumbprint = value.as_str().and_then(Thumbprint::from_text);
        thumbprint.map(Some).ok_or_else(|| self.bad(&format!("its {claim} is no thumbprint")))
    }

    /// Where the device's audit trail stood, where it says so.
    pub(super) fn anchor(&self) -> Result<Option<Anchor>> {
        let Some(value) = self.claims.get("trail") else { return Ok(None) };
        let anchor = json::from_value(value.clone()).ok();
        let anchor = anchor.filter(|anchor: &Anchor| anchor.seq <= MAX_INTEGER);
        anchor.map(Some).ok_or_else(|| self.bad("its trail is not id, seq and head"))
    }

    /// The roles in the claim that the trust list names, by name or (from `/` on) RFC 6901
    /// pointer: one string, or a list of which the first 256 are looked at.
    pub(super) fn roles(&self, roles: &Roles) -> Result<Vec<String>> {
        let found = if roles.claim.starts_with('/') {
            self.claims.pointer(&roles.claim)
        } else {
            self.claims.get(&roles.claim)
        };
        let all = match found {
            None => &[],
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            Some(Value::Array(all)) => all.as_slice(),
            Some(_) => return Err(self.bad("its roles are of the wrong type")),
        };
        all.iter()
            .take(MAX_ROLES)
            .map(|role| role.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.bad("its roles are of the wrong type"))
    }
}

/// Something in a token that breaks its format.
pub(super) fn malformed(what: &str, why: &str) -> Error {
    Error::new(Code::Token, format!("not a valid {what}: {why}"))
}
