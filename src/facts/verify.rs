//! From a token's text to what it is worth for the files of one root. `docs/tokens.md` has the
//! rules, in the order in which they are checked here.

use super::sso::{self, SsoToken, malformed};
use super::{About, Anchor, Attestation, AttestationClaims, Badge, BadgeClaims, NO_KIND};
use crate::encoding::Thumbprint;
use crate::json;
use crate::jws::{Object, Parts};
use crate::keys::VerifyingKey;
use crate::policy::is_word;
use crate::trust::{KeyUse, PublicKey, Trust, TrustedKey};
use crate::{Code, Error, Result};
use serde_json::{Map, Value};

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 60;
/// Longest time between `iat` and `exp` of a badge, in seconds.
const LONGEST_BADGE: u64 = 31 * 86_400;

/// What a badge is worth for one root's files.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedBadge {
    /// The person.
    pub subject: String,
    /// The roles that it gives and its signer may give.
    pub roles: Vec<String>,
    /// The groups; none by a single sign-on.
    pub groups: Vec<String>,
    /// Unix seconds.
    pub issued: u64,
    /// Unix seconds, exclusive, with the leeway added.
    pub expires: u64,
    /// The key that signed.
    pub signer: Thumbprint,
    /// Where the device's audit trail stood.
    pub anchor: Option<Anchor>,
}

/// What an attestation is worth for one root's files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VerifiedAttestation {
    /// The fact's name: a word.
    pub(crate) kind: String,
    /// Whom or what it is about. Whether that is this person or device is for the caller to see.
    pub(crate) about: About,
    /// Unix seconds.
    pub(crate) issued: u64,
    /// Unix seconds, exclusive, with the leeway added.
    pub(crate) expires: u64,
    /// The key that signed.
    pub(crate) signer: Thumbprint,
    /// Where the device's audit trail stood.
    pub(crate) anchor: Option<Anchor>,
}

/// Verifies a badge, ours or a single sign-on's, for the files of `root` on `device` at `now`
/// (Unix seconds). Each decision checks `expires` again.
///
/// # Errors
/// [`Code::Token`] if it breaks the format or is no badge, [`Code::NotTrusted`] if the root's trust
/// list does not let this signer, issuer, audience or algorithm count, [`Code::Signature`], and
/// [`Code::Badge`] if it is expired, not valid yet, too long or for another device.
pub(crate) fn verify_badge(
    text: &str,
    trust: &Trust,
    root: &Thumbprint,
    device: &Thumbprint,
    now: u64,
) -> Result<VerifiedBadge> {
    let (bound_to, badge) = match AnyToken::read(text, BadgeClaims::TYP, BadgeClaims::NAME)? {
        AnyToken::Ours(text) => own_badge(text, trust, root, now)?,
        AnyToken::Sso(token) => sso_badge(&token, trust, root, now)?,
    };
    if badge.expires - LEEWAY - badge.issued > LONGEST_BADGE {
        let why = "the badge is valid for over 31 days: ask for one that lasts hours";
        return Err(Error::new(Code::Badge, why));
    }
    if bound_to != *device {
        let why = "the badge is for another device: ask for one for this device";
        return Err(Error::new(Code::Badge, why));
    }
    Ok(badge)
}

/// Verifies an attestation, ours or a single sign-on's, for the files of `root` at `now` (Unix
/// seconds). Each decision checks `expires` and `about` again.
///
/// # Errors
/// Those of [`verify_badge`], without those about devices and length.
pub(crate) fn verify_attestation(
    text: &str,
    trust: &Trust,
    root: &Thumbprint,
    now: u64,
) -> Result<VerifiedAttestation> {
    match AnyToken::read(text, AttestationClaims::TYP, AttestationClaims::NAME)? {
        AnyToken::Ours(text) => own_attestation(text, trust, root, now),
        AnyToken::Sso(token) => sso_attestation(&token, trust, root, now),
    }
}

/// A token, by the `typ` of its header.
enum AnyToken<'a> {
    Ours(&'a str),
    Sso(SsoToken<'a>),
}

impl<'a> AnyToken<'a> {
    fn read(text: &'a str, own_typ: &str, what: &'static str) -> Result<Self> {
        let bad = |why: &str| malformed(what, why);
        let text = text.trim();
        let parts = Parts::of(text).map_err(bad)?;
        let header: Map<String, Value> = match json::value(&parts.header) {
            Ok(Value::Object(header)) => header,
            Ok(_) => return Err(bad("its header is not an object")),
            Err(e) => return Err(bad(&format!("its header: {e}"))),
        };
        match header.get("typ").and_then(Value::as_str) {
            Some(typ) if typ == own_typ => Ok(AnyToken::Ours(text)),
            Some(sso::TYP) => SsoToken::read(text, &parts, &header, what).map(AnyToken::Sso),
            Some(_) => Err(bad("its typ is another object's")),
            None => Err(bad("its header has no typ")),
        }
    }
}

/// The trusted key that claims to have signed a token of ours, and the same as a key to verify
/// with.
fn own_signer<'t>(
    trust: &'t Trust,
    root: &Thumbprint,
    kid: &Thumbprint,
    uses: KeyUse,
    now: u64,
) -> Result<(&'t TrustedKey, &'t VerifyingKey)> {
    let not = |why: &'static str| Err(Error::new(Code::NotTrusted, why));
    let trusted = trust.key(root, kid, uses, now)?;
    if trusted.iss.is_some() || trusted.aud.is_some() {
        return not(
            "the trust list expects an issuer or audience (iss, aud) of this signer, which \
                    only a single sign-on's tokens have",
        );
    }
    match &trusted.jwk {
        PublicKey::Ed25519(key) if trusted.alg == "Ed25519" => Ok((trusted, key)),
        _ => not("the trust list expects another alg of this signer than Ed25519"),
    }
}

fn own_badge(
    text: &str,
    trust: &Trust,
    root: &Thumbprint,
    now: u64,
) -> Result<(Thumbprint, VerifiedBadge)> {
    let badge = Badge::parse(text)?;
    let (trusted, key) = own_signer(trust, root, &badge.signer(), KeyUse::Badge, now)?;
    badge.verify(key)?;
    let period = badge.period();
    let expires = check_period(BadgeClaims::NAME, period.start, None, period.end, now)?;
    let verified = VerifiedBadge {
        subject: badge.subject().into(),
        roles: allowed(trusted, badge.roles().to_vec()),
        groups: badge.groups().to_vec(),
        issued: period.start,
        expires,
        signer: badge.signer(),
        anchor: badge.anchor().cloned(),
    };
    Ok((badge.device(), verified))
}

fn own_attestation(
    text: &str,
    trust: &Trust,
    root: &Thumbprint,
    now: u64,
) -> Result<VerifiedAttestation> {
    let attestation = Attestation::parse(text)?;
    let signer = attestation.signer();
    let (_, key) = own_signer(trust, root, &signer, KeyUse::Attestation, now)?;
    attestation.verify(key)?;
    let period = attestation.period();
    let expires = check_period(AttestationClaims::NAME, period.start, None, period.end, now)?;
    Ok(VerifiedAttestation {
        kind: attestation.kind().into(),
        about: attestation.about(),
        issued: period.start,
        expires,
        signer,
        anchor: attestation.anchor().cloned(),
    })
}

fn sso_badge(
    token: &SsoToken<'_>,
    trust: &Trust,
    root: &Thumbprint,
    now: u64,
) -> Result<(Thumbprint, VerifiedBadge)> {
    let what = BadgeClaims::NAME;
    let trusted = token.signer(trust, root, KeyUse::Badge, now)?;
    if token.has("kind") {
        return Err(malformed(what, "it has a kind: it is an attestation"));
    }
    let subject = token.need("sub", token.text("sub")?)?.to_owned();
    let device = token.confirmed_key()?;
    let roles = trusted.roles.as_ref().map_or(Ok(Vec::new()), |roles| token.roles(roles))?;
    let anchor = token.anchor()?;
    let (issued, expires) = sso_period(token, what, now)?;
    let verified = VerifiedBadge {
        subject,
        roles: allowed(trusted, roles),
        groups: Vec::new(),
        issued,
        expires,
        signer: trusted.jwk.thumbprint(),
        anchor,
    };
    Ok((device, verified))
}

fn sso_attestation(
    token: &SsoToken<'_>,
    trust: &Trust,
    root: &Thumbprint,
    now: u64,
) -> Result<VerifiedAttestation> {
    let what = AttestationClaims::NAME;
    let trusted = token.signer(trust, root, KeyUse::Attestation, now)?;
    let kind = token.need("kind", token.text("kind")?)?;
    if !is_word(kind) {
        return Err(malformed(what, NO_KIND));
    }
    let about = match (token.text("sub")?, token.thumbprint("device")?) {
        (None, None) => return Err(malformed(what, "it has neither a sub nor a device")),
        (Some(sub), None) => About::Subject(sub.into()),
        // Many issuers cannot leave `sub` out; a person there would narrow the device down.
        (Some(sub), Some(device)) if sub != device.to_string() => {
            return Err(malformed(what, "with a device, its sub is left out or is the device"));
        }
        (_, Some(device)) => About::Device(device),
    };
    let anchor = token.anchor()?;
    let (issued, expires) = sso_period(token, what, now)?;
    let signer = trusted.jwk.thumbprint();
    Ok(VerifiedAttestation { kind: kind.into(), about, issued, expires, signer, anchor })
}

/// When a single sign-on's token was issued, and when it ends.
fn sso_period(token: &SsoToken<'_>, what: &str, now: u64) -> Result<(u64, u64)> {
    let issued = token.need("iat", token.time("iat")?)?;
    let ends = token.need("exp", token.time("exp")?)?;
    if ends <= issued {
        return Err(malformed(what, "it ends before it begins"));
    }
    Ok((issued, check_period(what, issued, token.time("nbf")?, ends, now)?))
}

/// The end with the leeway, if the token counts at `now`.
fn check_period(what: &str, iat: u64, nbf: Option<u64>, exp: u64, now: u64) -> Result<u64> {
    if iat.max(nbf.unwrap_or(0)) > now.saturating_add(LEEWAY) {
        let why = format!(
            "the {what} is not valid yet: check the clocks of this device and of whoever signed it"
        );
        return Err(Error::new(Code::Badge, why));
    }
    let expires = exp.saturating_add(LEEWAY);
    if expires <= now {
        return Err(Error::new(Code::Badge, format!("the {what} has expired: get a new one")));
    }
    Ok(expires)
}

/// The roles that the signer may give.
fn allowed(signer: &TrustedKey, mut roles: Vec<String>) -> Vec<String> {
    if let Some(limit) = &signer.roles {
        roles.retain(|role| limit.allow.contains(role));
    }
    roles
}

#[cfg(test)]
mod tests;
