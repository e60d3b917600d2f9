//! Templates and permits: how a device without the root's key makes new files, under terms that
//! somebody on the root's trust list has signed.

use crate::encoding::{Bytes, Digest256, Id, KeyId, Thumbprint, plain_text, sha256};
use crate::jws::{Object, Token};
use crate::keys::{
    Kinds, MAX_RECIPIENTS, PublicIdentity, Recipient, Signatory, check_recipients, read_lines,
};
use crate::license::MAX_LABEL;
use crate::policy::{MAX_POLICY, Policy};
use crate::trust::{KeyUse, Trust};
use crate::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateClaims {
    pub(crate) iss: Thumbprint,
    pub(crate) iat: u64,
    pub(crate) jti: Id,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) policy: Bytes,
    pub(crate) to: Vec<KeyId>,
    pub(crate) roles: Vec<String>,
}

impl Object for TemplateClaims {
    const TYP: &'static str = "bulla-template+jwt";
    const NAME: &'static str = "template";

    fn check(&self) -> Result<(), &'static str> {
        if self.name.is_empty() || !plain_text(&self.name, 256) {
            return Err("its name is empty, too long or holds control characters");
        }
        if !plain_text(&self.label, MAX_LABEL) {
            return Err("its label is too long or holds control characters");
        }
        if !(1..=MAX_POLICY).contains(&self.policy.0.len()) {
            return Err("its policy is empty or too long");
        }
        if !(1..=MAX_RECIPIENTS).contains(&self.to.len())
            || self.to.iter().collect::<BTreeSet<_>>().len() != self.to.len()
        {
            return Err("its recipients are none, too many or repeated");
        }
        if self.roles.len() > 64 || !self.roles.iter().all(|r| plain_text(r, 256)) {
            return Err("its roles are too many or too long");
        }
        Ok(())
    }
}

/// What a new template says.
#[derive(Clone, Copy, Debug)]
pub struct TemplateTerms<'a> {
    /// What people call it: 1 to 256 bytes.
    pub name: &'a str,
    /// The label of every file made under it: at most 256 bytes.
    pub label: &'a str,
    /// The policy's bytes.
    pub policy: &'a [u8],
    /// To whom files are sealed: 1 to 500.
    pub to: &'a [PublicIdentity],
    /// Whether recipients may differ in kind.
    pub kinds: Kinds,
    /// Roles that may seal with it.
    pub seal_roles: &'a [String],
}

/// Terms that devices may seal under: policy, label and recipients, signed by a key of the trust
/// list. The recipients' public keys travel beside it, as lines of the same file.
#[derive(Clone, Debug)]
pub struct Template {
    pub(crate) token: Token<TemplateClaims>,
    pub(crate) lines: Vec<PublicIdentity>,
}

impl Template {
    /// Signs a template for the files of `root`.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the terms break the format's limits, [`Code::BadPolicy`] if the
    /// policy cannot be read.
    pub fn sign(
        signer: Signatory<'_>,
        root: Thumbprint,
        terms: TemplateTerms<'_>,
        now: u64,
    ) -> Result<Self> {
        Policy::parse(terms.policy)?;
        let recipients: Vec<_> = terms.to.iter().map(|p| p.recipient.clone()).collect();
        check_recipients(&recipients, terms.kinds)?;
        let claims = TemplateClaims {
            iss: root,
            iat: now,
            jti: Id::random(),
            name: terms.name.into(),
            label: terms.label.into(),
            policy: Bytes(terms.policy.to_vec()),
            to: terms.to.iter().map(|p| p.recipient.key_id()).collect(),
            roles: terms.seal_roles.to_vec(),
        };
        claims.check().map_err(|why| Error::new(Code::BadArgument, why))?;
        Ok(Template { token: Token::sign(claims, signer.key(), false), lines: terms.to.to_vec() })
    }

    /// Reads a template's file: the JWS on the first line, then the recipients' public lines.
    ///
    /// # Errors
    /// [`Code::Token`] if the template breaks the format, [`Code::BadKey`] if the lines are not
    /// those of its recipients, in order.
    pub fn from_file(text: &str) -> Result<Self> {
        let (token, lines) = text.split_once('\n').unwrap_or((text, ""));
        let token: Token<TemplateClaims> = Token::parse(token.trim_end(), Code::Token)?;
        let lines: Vec<PublicIdentity> = read_lines(lines)?;
        if !lines.iter().map(|l| l.recipient.key_id()).eq(token.claims.to.iter().copied()) {
            let why = "the template's file does not hold the public lines of its recipients";
            return Err(Error::new(Code::BadKey, why));
        }
        Ok(Template { token, lines })
    }

    /// The text of its file.
    pub fn to_file(&self) -> String {
        let lines: String = self.lines.iter().map(|l| format!("{l}\n")).collect();
        format!("{}\n{lines}", self.token.text)
    }

    /// The id, for revocations.
    pub fn id(&self) -> Id {
        self.token.claims.jti
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.token.claims.name
    }

    /// The label of every file made under it.
    pub fn label(&self) -> &str {
        &self.token.claims.label
    }

    /// The policy's bytes.
    pub fn policy(&self) -> &[u8] {
        &self.token.claims.policy.0
    }

    /// Thumbprint of the root for whose files it counts.
    pub fn root(&self) -> Thumbprint {
        self.token.claims.iss
    }

    /// Roles that may seal with it.
    pub fn seal_roles(&self) -> &[String] {
        &self.token.claims.roles
    }

    pub(crate) fn recipients(&self) -> Vec<Recipient> {
        self.lines.iter().map(|l| l.recipient.clone()).collect()
    }

    /// What permits name it by.
    pub(crate) fn digest(&self) -> Digest256 {
        digest(&self.token)
    }
}

/// SHA-256 of the template's JWS.
pub(crate) fn digest(template: &Token<TemplateClaims>) -> Digest256 {
    Digest256(sha256(template.text.as_bytes()))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermitClaims {
    pub(crate) iss: Thumbprint,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) jti: Id,
    pub(crate) template: Digest256,
    pub(crate) device: Thumbprint,
}

impl Object for PermitClaims {
    const TYP: &'static str = "bulla-permit+jwt";
    const NAME: &'static str = "permit";

    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

/// That one device may seal under a template until a time.
#[derive(Clone, Debug)]
pub struct Permit(pub(crate) Token<PermitClaims>);

impl Permit {
    /// Signs a permit; `signer` is the one who signed the template.
    pub fn sign(
        signer: Signatory<'_>,
        template: &Template,
        device: Thumbprint,
        now: u64,
        until: u64,
    ) -> Self {
        let claims = PermitClaims {
            iss: template.root(),
            iat: now,
            exp: until,
            jti: Id::random(),
            template: template.digest(),
            device,
        };
        Permit(Token::sign(claims, signer.key(), false))
    }

    /// Reads a permit.
    ///
    /// # Errors
    /// [`Code::Token`] if it breaks the format.
    pub fn parse(text: &str) -> Result<Self> {
        Token::parse(text.trim(), Code::Token).map(Permit)
    }

    /// The compact JWS.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The id, for revocations.
    pub fn id(&self) -> Id {
        self.0.claims.jti
    }

    /// The device it is for.
    pub fn device(&self) -> Thumbprint {
        self.0.claims.device
    }

    /// Unix seconds from which on it no longer counts.
    pub fn expires_at(&self) -> u64 {
        self.0.claims.exp
    }

    /// Whether it is a permit for this template.
    pub fn is_for(&self, template: &Template) -> bool {
        self.0.claims.template == template.digest()
    }
}

/// What may be wrong with a template and permit, whoever looks at them: sections 3.3 to 3.6 of
/// `docs/format.md`. Does not look at the permit's `exp`.
pub(crate) fn verify(
    trust: &Trust,
    root: &Thumbprint,
    template: &Token<TemplateClaims>,
    permit: &Token<PermitClaims>,
    device: &Thumbprint,
    now: u64,
) -> Result<()> {
    template.verify(trust.key(root, &template.kid(), KeyUse::Template, now)?.ed25519()?)?;
    if permit.kid() != template.kid() {
        return Err(not_permitted("the permit was signed by another key than its template"));
    }
    permit.verify(trust.key(root, &permit.kid(), KeyUse::Permit, now)?.ed25519()?)?;
    if template.claims.iss != *root || permit.claims.iss != *root {
        return Err(not_permitted("the template or permit belongs to another root"));
    }
    if permit.claims.template != digest(template) {
        return Err(not_permitted("the permit is for another template"));
    }
    if permit.claims.device != *device {
        return Err(not_permitted("the permit is for another device"));
    }
    Ok(())
}

fn not_permitted(why: &'static str) -> Error {
    Error::new(Code::NotPermitted, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Identity, KemKind, RootKey};
    use crate::trust::{TrustList, TrustedKey};

    fn public() -> PublicIdentity {
        Identity::generate(KemKind::X25519, "").unwrap().public().clone()
    }

    fn template(by: &RootKey, root: &RootKey, to: &[PublicIdentity]) -> Template {
        let (name, label, kinds) = ("notes", "Internal", Kinds::Same);
        let terms =
            TemplateTerms { name, label, policy: crate::POLICY, to, kinds, seal_roles: &[] };
        Template::sign(Signatory::Root(by), root.thumbprint(), terms, 5).unwrap()
    }

    #[test]
    fn its_file_holds_its_recipients() {
        let root = RootKey::generate("").unwrap();
        let template = template(&root, &root, &[public(), public()]);
        let text = template.to_file();
        let read = Template::from_file(&text).unwrap();
        assert_eq!((read.id(), read.name(), read.label()), (template.id(), "notes", "Internal"));
        assert_eq!(read.recipients(), template.recipients());
        assert_eq!(read.to_file(), text);
        let lines: Vec<_> = text.lines().collect();
        let other = public().to_string();
        for changed in [
            &lines[..1],
            &lines[..2],
            &[lines[0], lines[2], lines[1]],
            &[lines[0], lines[1], &other],
            &[lines[0], lines[1], lines[2], &other],
        ] {
            let e = Template::from_file(&changed.join("\n")).unwrap_err();
            assert_eq!(e.code(), Code::BadKey, "{e}");
        }
    }

    #[test]
    fn limits() {
        let root = RootKey::generate("").unwrap();
        let good = template(&root, &root, &[public()]).token.claims;
        let mut keys: Vec<_> =
            (0..MAX_RECIPIENTS as u64 + 1).map(|i| KeyId(sha256(&i.to_be_bytes()))).collect();
        let check = |change: &dyn Fn(&mut TemplateClaims)| {
            let mut claims = good.clone();
            change(&mut claims);
            claims.check()
        };
        check(&|c| c.policy = Bytes(vec![0; MAX_POLICY])).unwrap();
        check(&|c| c.policy = Bytes(vec![0; MAX_POLICY + 1])).unwrap_err();
        check(&|c| c.to = keys.clone()).unwrap_err();
        keys.pop();
        check(&|c| c.to = keys.clone()).unwrap();
        check(&|c| c.roles = vec!["a".repeat(256); 64]).unwrap();
        check(&|c| c.roles = vec!["a".into(); 65]).unwrap_err();
        check(&|c| c.roles = vec!["a".repeat(257)]).unwrap_err();
        check(&|c| c.roles = vec!["a\n".into()]).unwrap_err();
    }

    #[test]
    fn a_permit_is_for_one_template_and_by_its_signer() {
        let (root, other) = (RootKey::generate("").unwrap(), RootKey::generate("").unwrap());
        let uses = [KeyUse::Template, KeyUse::Permit];
        let keys = [&root, &other].map(|root| TrustedKey::ours(root.line().key(), &uses));
        let list = TrustList::sign(&root, 1, 5, 9, keys.into(), vec![]).unwrap();
        let trust = Trust::of(&root, list);
        let device = public();
        let made = template(&root, &root, std::slice::from_ref(&device));
        let device = device.thumbprint();
        let permit = |by: &RootKey| Permit::sign(Signatory::Root(by), &made, device, 5, 9);
        let verified = |template: &Template, permit: &Permit| {
            verify(&trust, &root.thumbprint(), &template.token, &permit.0, &device, 6)
        };
        verified(&made, &permit(&root)).unwrap();
        assert!(permit(&root).is_for(&made));
        let why = verified(&made, &permit(&other)).unwrap_err().to_string();
        assert!(why.contains("another key than its template"), "{why}");
        let another = template(&root, &root, &[public()]);
        assert!(!permit(&root).is_for(&another));
        let why = verified(&another, &permit(&root)).unwrap_err().to_string();
        assert!(why.contains("another template"), "{why}");
    }
}
