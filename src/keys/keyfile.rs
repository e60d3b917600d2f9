//! The files that secret keys live in: a device's identity and an issuer's root key.
//!
//! JSON with the public line in the clear and the secret seeds either in the clear or sealed with
//! a passphrase: Argon2id (RFC 9106) makes an AES-256-GCM key, the public line is authenticated
//! with them. An identity's file also holds the id of its audit trail, in the clear, so that a
//! reset can change it without the passphrase. The files have mode 0600; one that others can read
//! is refused.

use super::{KemKind, KemSecret, PublicIdentity, Recipient, RootLine, SigningKey};
use crate::aead::{Aead, Backend, NONCE};
use crate::encoding::{Bytes, Id, Thumbprint};
use crate::memory::{self, DEEP, Secret, on_wiped_stack};
use crate::{Code, Error, Result, json};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A passphrase, wiped when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Passphrase(Zeroizing::new(text))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// A device's keys: a KEM key to open with and an Ed25519 key to sign with.
pub struct Identity {
    pub(crate) signing: SigningKey,
    pub(crate) kem: KemSecret,
    public: PublicIdentity,
    trail: Id,
}

impl Identity {
    /// Makes a new one.
    ///
    /// # Errors
    /// [`Code::BadKey`] if the comment is longer than 256 bytes or holds control characters.
    pub fn generate(kind: KemKind, comment: &str) -> Result<Self> {
        let (signing, kem) = (SigningKey::generate(), KemSecret::generate(kind));
        Self::from_keys(signing, kem, comment, Id::random())
    }

    /// An identity with the KEM key of a test vector.
    #[cfg(test)]
    pub(crate) fn for_vector(kem: KemSecret) -> Self {
        Self::from_keys(SigningKey::generate(), kem, "", Id::random()).expect("an empty comment")
    }

    fn from_keys(signing: SigningKey, kem: KemSecret, comment: &str, trail: Id) -> Result<Self> {
        let public = PublicIdentity::new(signing.public().clone(), kem.public().clone(), comment)?;
        Ok(Identity { signing, kem, public, trail })
    }

    /// The public half: what others need to seal to this device and to give it badges.
    pub fn public(&self) -> &PublicIdentity {
        &self.public
    }

    /// The device's thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        self.public.thumbprint()
    }

    /// The key others seal to.
    pub fn recipient(&self) -> &Recipient {
        self.public.recipient()
    }

    /// The id of the device's audit trail.
    pub fn trail(&self) -> Id {
        self.trail
    }

    /// The text of the key file, sealed if a passphrase is given.
    pub fn to_file(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>> {
        let seeds = [&self.signing.seed().expose()[..], self.kem.secret.expose()];
        let kind = Some(self.kem.kind);
        let trail = Some(self.trail);
        write_file(Role::Identity, kind, self.public.to_string(), trail, &seeds, passphrase)
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`Code::BadKey`] if it is no identity, [`Code::Passphrase`] if the passphrase is missing
    /// or wrong or the file was changed.
    pub fn from_file(text: &str, passphrase: Option<&Passphrase>) -> Result<Self> {
        let (file, seeds) = read_file(text, Role::Identity, passphrase)?;
        let public: PublicIdentity = file.public.parse()?;
        let [signing, kem]: [Secret; 2] = seeds.try_into().map_err(|_| not_a_key_file())?;
        let kind = file.kind.ok_or_else(not_a_key_file)?;
        let trail = file.trail.ok_or_else(not_a_key_file)?;
        let identity = Self::from_keys(
            SigningKey::from_seed(signing),
            KemSecret::from_secret(kind, kem),
            public.comment(),
            trail,
        )?;
        if identity.public != public {
            return Err(Error::new(Code::BadKey, "the key file's public line is not of its keys"));
        }
        Ok(identity)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.thumbprint())
    }
}

/// An issuer's root key.
pub struct RootKey {
    pub(crate) signing: SigningKey,
    line: RootLine,
}

impl RootKey {
    /// Makes a new one with the issuer's name.
    ///
    /// # Errors
    /// [`Code::BadKey`] if the name is longer than 256 bytes or holds control characters.
    pub fn generate(name: &str) -> Result<Self> {
        Self::from_key(SigningKey::generate(), name)
    }

    fn from_key(signing: SigningKey, name: &str) -> Result<Self> {
        let line = RootLine::new(signing.public().clone(), name)?;
        Ok(RootKey { signing, line })
    }

    /// The public line that devices pin.
    pub fn line(&self) -> &RootLine {
        &self.line
    }

    /// The root's thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        self.line.thumbprint()
    }

    /// The text of the key file, sealed if a passphrase is given.
    pub fn to_file(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>> {
        let seeds = [&self.signing.seed().expose()[..]];
        write_file(Role::Root, None, self.line.to_string(), None, &seeds, passphrase)
    }

    /// Reads the text of a key file; errors as [`Identity::from_file`].
    pub fn from_file(text: &str, passphrase: Option<&Passphrase>) -> Result<Self> {
        let (file, seeds) = read_file(text, Role::Root, passphrase)?;
        let line: RootLine = file.public.parse()?;
        let [seed]: [Secret; 1] = seeds.try_into().map_err(|_| not_a_key_file())?;
        let root = Self::from_key(SigningKey::from_seed(seed), line.name())?;
        if root.line != line {
            return Err(Error::new(Code::BadKey, "the key file's public line is not of its key"));
        }
        Ok(root)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", self.thumbprint())
    }
}

/// Whose key signs a template, permit, badge or list.
#[derive(Clone, Copy, Debug)]
pub enum Signatory<'a> {
    /// The root itself.
    Root(&'a RootKey),
    /// An identity that the root's trust list names.
    Identity(&'a Identity),
}

impl Signatory<'_> {
    pub(crate) fn key(&self) -> &SigningKey {
        match self {
            Signatory::Root(root) => &root.signing,
            Signatory::Identity(identity) => &identity.signing,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Identity,
    Root,
}

/// No key file is longer.
const MOST: usize = 4096;

/// The file. Either the seeds stand in the clear, or `argon2id` and `sealed` hold them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u32,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<KemKind>,
    public: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trail: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kem: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argon2id: Option<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<Bytes>,
}

impl KeyFile {
    fn to_text(&self) -> Zeroizing<String> {
        // Memory that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MOST));
        serde_json::to_writer_pretty(&mut *text, self).expect("strings and numbers only");
        text.push(b'\n');
        debug_assert!(text.capacity() == MOST);
        let text = String::from_utf8(std::mem::take(&mut *text)).expect("JSON is text");
        Zeroizing::new(text)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        for seed in [&mut self.signing, &mut self.kem].into_iter().flatten() {
            seed.0.zeroize();
        }
    }
}

/// Argon2id's cost: KiB, passes, lanes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    m: u32,
    t: u32,
    p: u32,
    salt: Bytes,
}

impl Cost {
    fn new() -> Self {
        let mut salt = vec![0; 16];
        memory::random(&mut salt);
        Cost { m: 64 * 1024, t: 3, p: 1, salt: Bytes(salt) }
    }

    fn derive(&self, passphrase: &Passphrase) -> Result<Secret> {
        // Bounded, so that a planted file cannot exhaust the machine.
        let bounded = (8..=1024 * 1024).contains(&self.m)
            && (1..=16).contains(&self.t)
            && (1..=4).contains(&self.p)
            && (8..=64).contains(&self.salt.0.len());
        let params = argon2::Params::new(self.m, self.t, self.p, Some(32));
        let (true, Ok(params)) = (bounded, params) else {
            return Err(Error::new(
                Code::BadKey,
                "the key file asks for an Argon2 cost out of bounds",
            ));
        };
        let argon2 =
            argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut result = Ok(());
        let key = Secret::fill(|out| {
            result = argon2.hash_password_into(passphrase.0.as_bytes(), &self.salt.0, out);
        });
        result.map_err(|_| Error::new(Code::BadKey, "the key file's Argon2 cost is invalid"))?;
        Ok(key)
    }
}

fn associated(public: &str) -> Vec<u8> {
    [b"bulla/1 key file\0", public.as_bytes()].concat()
}

fn write_file(
    role: Role,
    kind: Option<KemKind>,
    public: String,
    trail: Option<Id>,
    seeds: &[&[u8]],
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<String>> {
    let mut file = KeyFile {
        version: 1,
        role,
        kind,
        public,
        trail,
        signing: None,
        kem: None,
        argon2id: None,
        sealed: None,
    };
    if let Some(passphrase) = passphrase {
        let cost = Cost::new();
        let sealed = on_wiped_stack::<DEEP, _>(|| seal(&file.public, &cost, seeds, passphrase))?;
        file.sealed = Some(Bytes(sealed));
        file.argon2id = Some(cost);
    } else {
        file.signing = seeds.first().map(|s| Bytes(s.to_vec()));
        file.kem = seeds.get(1).map(|s| Bytes(s.to_vec()));
    }
    Ok(file.to_text())
}

/// The text of an identity's key file with another trail's id; needs no passphrase.
pub(crate) fn with_trail(text: &str, trail: Id) -> Result<Zeroizing<String>> {
    let mut file: KeyFile = json::from_secret(text.as_bytes()).map_err(|_| not_a_key_file())?;
    if file.version != 1 || file.role != Role::Identity {
        return Err(not_a_key_file());
    }
    file.trail = Some(trail);
    Ok(file.to_text())
}

/// The public line in the text of a key file; needs no passphrase.
pub(crate) fn public_of(text: &str) -> Result<String> {
    let file: KeyFile = json::from_secret(text.as_bytes()).map_err(|_| not_a_key_file())?;
    Ok(file.public.clone())
}

/// The trail's id in the text of an identity's key file; needs no passphrase.
pub(crate) fn trail_of(text: &str) -> Result<Id> {
    let file: KeyFile = json::from_secret(text.as_bytes()).map_err(|_| not_a_key_file())?;
    file.trail.ok_or_else(not_a_key_file)
}

fn read_file(
    text: &str,
    role: Role,
    passphrase: Option<&Passphrase>,
) -> Result<(KeyFile, Vec<Secret>)> {
    let file: KeyFile = json::from_secret(text.as_bytes()).map_err(|_| not_a_key_file())?;
    if file.version != 1 || file.role != role {
        return Err(not_a_key_file());
    }
    let seeds = match (&file.signing, &file.argon2id, &file.sealed) {
        (Some(signing), None, None) => {
            let seeds = std::iter::once(signing).chain(&file.kem);
            seeds.map(|s| Secret::from_slice(&s.0)).collect::<Option<_>>()
        }
        (None, Some(cost), Some(sealed)) if file.kem.is_none() => {
            let passphrase = passphrase.ok_or_else(|| {
                Error::new(Code::Passphrase, "the key file is sealed: give its passphrase")
            })?;
            on_wiped_stack::<DEEP, _>(|| unseal(&file.public, cost, &sealed.0, passphrase))?
        }
        _ => None,
    };
    Ok((file, seeds.ok_or_else(not_a_key_file)?))
}

/// The seeds; `None` if one has the wrong length.
fn unseal(
    public: &str,
    cost: &Cost,
    sealed: &[u8],
    passphrase: &Passphrase,
) -> Result<Option<Vec<Secret>>> {
    let wrong = || {
        let why = "the passphrase is wrong, or the key file was changed";
        Error::new(Code::Passphrase, why)
    };
    let (nonce, text) = sealed.split_first_chunk().ok_or_else(wrong)?;
    let mut text = Zeroizing::new(text.to_vec());
    let key = Backend::new(cost.derive(passphrase)?.expose());
    key.open(*nonce, &associated(public), &mut text).map_err(|_| wrong())?;
    Ok(text[..text.len() - crate::aead::TAG].chunks(32).map(Secret::from_slice).collect())
}

/// Nonce, ciphertext and tag of the seeds.
fn seal(public: &str, cost: &Cost, seeds: &[&[u8]], passphrase: &Passphrase) -> Result<Vec<u8>> {
    let key = cost.derive(passphrase)?;
    let mut nonce = [0; NONCE];
    memory::random(&mut nonce);
    let mut text = Zeroizing::new(seeds.concat());
    let tag = Backend::new(key.expose()).seal(nonce, &associated(public), &mut text);
    Ok([&nonce[..], &text, &tag].concat())
}

fn not_a_key_file() -> Error {
    Error::new(Code::BadKey, "this is not a key file of the kind that is needed here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_survive_their_file() {
        for kind in [KemKind::Hybrid, KemKind::X25519] {
            let identity = Identity::generate(kind, "desk 7").unwrap();
            let again = Identity::from_file(&identity.to_file(None).unwrap(), None).unwrap();
            assert_eq!(again.public(), identity.public());
            let line: PublicIdentity = identity.public().to_string().parse().unwrap();
            assert_eq!(&line, identity.public());
            assert_eq!(line.comment(), "desk 7");
        }
    }

    #[test]
    fn the_trail_changes_without_the_passphrase() {
        let passphrase = Passphrase::new("correct horse".into());
        let identity = Identity::generate(KemKind::X25519, "desk 7").unwrap();
        let text = identity.to_file(Some(&passphrase)).unwrap();
        let read = |t: &str| Identity::from_file(t, Some(&passphrase));
        assert_eq!(read(&text).unwrap().trail(), identity.trail());
        let changed = with_trail(&text, Id([7; 16])).unwrap();
        assert_eq!(read(&changed).unwrap().trail(), Id([7; 16]));
        assert_eq!(read(&changed).unwrap().public(), identity.public());
        let line = format!("  \"trail\": \"{}\",\n", identity.trail());
        assert_eq!(read(&text.replace(&line, "")).unwrap_err().code(), Code::BadKey);
        let root = RootKey::generate("R").unwrap().to_file(None).unwrap();
        assert!(!root.contains("trail"));
        assert_eq!(with_trail(&root, Id([7; 16])).unwrap_err().code(), Code::BadKey);
    }

    #[test]
    fn passphrases_seal() {
        let right = Passphrase::new("correct horse".into());
        let root = RootKey::generate("Hanbit Insurance").unwrap();
        let text = root.to_file(Some(&right)).unwrap();
        assert!(!text.contains("signing"));
        assert_eq!(RootKey::from_file(&text, Some(&right)).unwrap().line(), root.line());
        let code = |r: Result<RootKey>| r.unwrap_err().code();
        let wrong = Passphrase::new("correct horse ".into());
        assert_eq!(code(RootKey::from_file(&text, Some(&wrong))), Code::Passphrase);
        assert_eq!(code(RootKey::from_file(&text, None)), Code::Passphrase);
        let renamed = text.replace("Hanbit", "Manbit");
        assert_eq!(code(RootKey::from_file(&renamed, Some(&right))), Code::Passphrase);
        for (from, to) in
            [("65536", "4294967295"), ("\"t\": 3", "\"t\": 1000"), ("\"p\": 1", "\"p\": 99")]
        {
            let costly = text.replace(from, to);
            assert_ne!(costly, *text);
            assert_eq!(code(RootKey::from_file(&costly, Some(&right))), Code::BadKey);
        }
    }

    #[test]
    fn roles_are_not_mixed_up() {
        let root = RootKey::generate("R").unwrap().to_file(None).unwrap();
        assert_eq!(Identity::from_file(&root, None).unwrap_err().code(), Code::BadKey);
    }

    #[test]
    fn debug_shows_no_secret() {
        let identity = Identity::generate(KemKind::X25519, "").unwrap();
        let text = identity.to_file(None).unwrap();
        let shown = format!("{identity:?} {:?}", Passphrase::new("s3cret".into()));
        assert_eq!(shown, format!("Identity({}) Passphrase", identity.thumbprint()));
        assert!(text.contains("signing"));
    }
}
