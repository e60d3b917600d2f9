//! The home folder: a device's or issuer's keys, roots, lists and permits, in plain files.
//!
//! | file | what |
//! |---|---|
//! | `identity` | the device's key file |
//! | `identity.pub` | its public line |
//! | `root.key`, `root.pub` | an issuer's key file and line |
//! | `roots/<thumbprint>` | lines of the pinned roots |
//! | `trust/<thumbprint>` | each root's newest trust list |
//! | `recipients` | public lines that were sealed to, for re-licensing |
//! | `permits/<id>` | permits of this device |
//! | `badge` | who sits here |
//! | `attestations/<digest>` | facts that somebody checked |
//! | `revocations/<root>.<signer>` | the newest list of each signer |
//! | `trail.jsonl` | the audit trail |
//! | `config.toml` | settings |

mod tokens;
mod trail;

use crate::atomic::{self, Existing, read_text};
use crate::jws::MAX_TOKEN;
use crate::keys::{
    Identity, Passphrase, PublicIdentity, Recipient, RootKey, RootLine, public_of, read_lines,
};
use crate::template::{Permit, Template};
use crate::trail::{Trail, put_unused_aside};
use crate::trust::{Trust, TrustList};
use crate::{Code, Error, Result, clock};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest key file or root line that is read.
const MAX_SMALL: usize = 64 * 1024;

const NO_IDENTITY: &str = "this home has no identity: run `bulla identity new`";

const NO_ROOT: &str =
    "this home has no root key: only an issuer's home, made with `bulla init`, can do this";

/// A home folder.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// The home in this folder, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Home(folder.into())
    }

    /// `$BULLA_HOME`, else `bulla` in the platform's folder for configuration.
    ///
    /// # Errors
    /// [`Code::HomeIncomplete`] if the platform knows no such folder.
    pub fn default_folder() -> Result<Self> {
        let set = std::env::var_os("BULLA_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        set.or_else(platform_folder).map(Home).ok_or_else(|| {
            Error::new(Code::HomeIncomplete, "no home folder: give --home or set BULLA_HOME")
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Stores a new identity and its public line, and begins the device's audit trail. On Unix what
    /// a run that was cut short has left is no hindrance: a trail without an identity in which
    /// nothing but its beginning stands is put aside.
    ///
    /// # Errors
    /// [`Code::Exists`] if there is one: it is never overwritten.
    pub fn create_identity(&self, id: &Identity, passphrase: Option<&Passphrase>) -> Result<()> {
        self.create_identity_at(id, passphrase, clock::now())
    }

    pub(crate) fn create_identity_at(
        &self,
        id: &Identity,
        passphrase: Option<&Passphrase>,
        now: u64,
    ) -> Result<()> {
        self.create_folder(&self.0)?;
        // Two at the same time would take each other's trail for what was left behind.
        let alone = atomic::lock_folder(&self.0);
        if self.has_identity() {
            self.complete_identity()?;
            return Err(key_exists());
        }
        // The trail first: an identity without one could do nothing.
        let create = || Trail::create(&self.0, id.trail(), id.thumbprint(), now);
        match create() {
            Err(e) if e.code() == Code::Exists && alone.is_some() => {
                if !put_unused_aside(&self.0)? {
                    return Err(e);
                }
                create()?;
            }
            created => created?,
        }
        self.create_secret("identity", &id.to_file(passphrase)?)?;
        self.put("identity.pub", &format!("{}\n", id.public()))
    }

    /// The device's identity.
    ///
    /// # Errors
    /// [`Code::HomeIncomplete`] if there is none, [`Code::Exposed`] if others can read it,
    /// [`Code::Passphrase`] if a passphrase is needed or wrong.
    pub fn identity(&self, passphrase: Option<&Passphrase>) -> Result<Identity> {
        Identity::from_file(&self.secret("identity", NO_IDENTITY)?, passphrase)
    }

    /// The identity's public half; needs no passphrase.
    pub fn public_identity(&self) -> Result<PublicIdentity> {
        if let Some(line) = self.get("identity.pub", MAX_SMALL)? {
            return line.parse();
        }
        // Lacking where its making was cut short.
        public_of(&self.secret("identity", NO_IDENTITY)?)?.parse()
    }

    /// Writes the public line of an identity whose making was cut short.
    fn complete_identity(&self) -> Result<()> {
        if self.get("identity.pub", MAX_SMALL)?.is_some() {
            return Ok(());
        }
        self.put("identity.pub", &format!("{}\n", self.public_identity()?))
    }

    /// Whether this is a device's home. An identity that cannot be looked at is one: it is not
    /// passed over.
    pub fn has_identity(&self) -> bool {
        self.0.join("identity").try_exists().unwrap_or(true)
    }

    /// Stores a new root key and its line; the home pins it.
    ///
    /// # Errors
    /// [`Code::Exists`] if there is one: it is never overwritten.
    pub fn create_root(&self, root: &RootKey, passphrase: Option<&Passphrase>) -> Result<()> {
        self.create_secret("root.key", &root.to_file(passphrase)?)?;
        self.publish(root)
    }

    fn publish(&self, root: &RootKey) -> Result<()> {
        self.put("root.pub", &format!("{}\n", root.line()))?;
        self.pin(root.line())
    }

    /// The line of a root key whose first trust list is not there: making this issuer's home was
    /// cut short, and [`create_first_list`](Self::create_first_list) completes it. Needs no
    /// passphrase.
    pub fn unfinished_root(&self) -> Result<Option<RootLine>> {
        if !self.has_root_key() {
            return Ok(None);
        }
        let line: RootLine = public_of(&self.secret("root.key", NO_ROOT)?)?.parse()?;
        let list = self.get(&format!("trust/{}", line.thumbprint()), MAX_TOKEN)?;
        Ok(list.is_none().then_some(line))
    }

    /// The issuer's root key; errors as [`Home::identity`].
    pub fn root_key(&self, passphrase: Option<&Passphrase>) -> Result<RootKey> {
        RootKey::from_file(&self.secret("root.key", NO_ROOT)?, passphrase)
    }

    /// Whether this is an issuer's home, or a root key is there that cannot be looked at.
    pub fn has_root_key(&self) -> bool {
        self.0.join("root.key").try_exists().unwrap_or(true)
    }

    /// Pins a root: its files can be opened here.
    pub fn pin(&self, root: &RootLine) -> Result<()> {
        self.put(&format!("roots/{}", root.thumbprint()), &format!("{root}\n"))
    }

    /// Roots and trust lists of this home, each list verified under its root.
    pub fn trust(&self) -> Result<Trust> {
        let mut trust = Trust::default();
        for text in self.all("roots", MAX_SMALL)? {
            trust.pin(text.parse()?);
        }
        for text in self.all("trust", MAX_TOKEN)? {
            let list = TrustList::parse(&text)?;
            trust.use_list(list).map_err(|e| e.context("a trust list of this home"))?;
        }
        Ok(trust)
    }

    /// Takes a newer trust list into use.
    ///
    /// # Errors
    /// As [`Trust::use_list`].
    pub fn use_list(&self, list: &TrustList) -> Result<()> {
        self.use_list_at(list, clock::now())
    }

    pub(crate) fn use_list_at(&self, list: &TrustList, now: u64) -> Result<()> {
        self.trust()?.use_list(list.clone())?;
        self.put(&format!("trust/{}", list.root()), &format!("{}\n", list.as_str()))?;
        self.remember_list("trust", list.root(), list.root(), list.seq(), now)
    }

    /// Public keys that this home has sealed to, its own among them.
    pub fn known_recipients(&self) -> Result<Vec<Recipient>> {
        let book = self.get("recipients", MAX_TOKEN)?.unwrap_or_default();
        let mut known: Vec<Recipient> =
            read_lines::<PublicIdentity>(&book)?.iter().map(|l| l.recipient().clone()).collect();
        known.extend(self.public_identity().ok().map(|l| l.recipient().clone()));
        Ok(known)
    }

    /// Remembers public lines for later re-licensing.
    pub fn remember_recipients(&self, lines: &[PublicIdentity]) -> Result<()> {
        let mut book = self.get("recipients", MAX_TOKEN)?.unwrap_or_default();
        let known: BTreeSet<_> =
            read_lines::<PublicIdentity>(&book)?.iter().map(|l| l.recipient().key_id()).collect();
        let before = book.len();
        for line in lines.iter().filter(|l| !known.contains(&l.recipient().key_id())) {
            book.push_str(&format!("{line}\n"));
        }
        if book.len() == before { Ok(()) } else { self.put("recipients", &book) }
    }

    /// Stores a permit of this device.
    ///
    /// # Errors
    /// [`Code::NotPermitted`] if it is for another device.
    pub fn use_permit(&self, permit: &Permit) -> Result<()> {
        if permit.device() != self.public_identity()?.thumbprint() {
            return Err(Error::new(Code::NotPermitted, "the permit is for another device"));
        }
        self.put(&format!("permits/{}", permit.id()), &format!("{}\n", permit.as_str()))
    }

    /// The permit for a template that counts longest.
    ///
    /// # Errors
    /// [`Code::NotPermitted`] if there is none.
    pub fn permit(&self, template: &Template) -> Result<Permit> {
        let permits = self.all("permits", MAX_TOKEN)?;
        let permits: Vec<Permit> =
            permits.iter().map(|t| Permit::parse(t)).collect::<Result<_>>()?;
        let fitting = permits.into_iter().filter(|p| p.is_for(template));
        fitting.max_by_key(Permit::expires_at).ok_or_else(|| {
            let why = "this home has no permit to seal with this template: ask its signer for one";
            Error::new(Code::NotPermitted, why)
        })
    }

    /// The first trust list of a new issuer: the root itself may sign everything.
    pub fn create_first_list(&self, root: &RootKey, days: u64) -> Result<TrustList> {
        if self.trust()?.root(&root.thumbprint()).is_err()
            || self.get("root.pub", MAX_SMALL)?.is_none()
        {
            self.publish(root)?;
        }
        let now = clock::now();
        let key = crate::TrustedKey::ours(root.line().key(), &crate::KeyUse::ALL);
        let list = TrustList::sign(root, 1, now, now + days * 86_400, vec![key], vec![])?;
        self.use_list(&list)?;
        Ok(list)
    }

    fn create_secret(&self, name: &str, text: &str) -> Result<()> {
        self.create_folder(&self.0)?;
        atomic::write(&self.0.join(name), text.as_bytes(), true, Existing::Keep).map_err(
            |e| match e.code() {
                Code::Exists => key_exists(),
                _ => e,
            },
        )
    }

    fn secret(&self, name: &str, missing: &'static str) -> Result<zeroize::Zeroizing<String>> {
        let path = self.0.join(name);
        match fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(incomplete(missing)),
            Err(e) => return Err(Error::io("reading the key file", e)),
            Ok(_meta) => {
                #[cfg(unix)]
                if std::os::unix::fs::PermissionsExt::mode(&_meta.permissions()) & 0o077 != 0 {
                    return Err(Error::new(
                        Code::Exposed,
                        "the key file can be read by other users: make it mode 0600, and replace \
                         the key if somebody may have read it",
                    ));
                }
            }
        }
        read_text(&path, MAX_SMALL).map(zeroize::Zeroizing::new)
    }

    fn create_folder(&self, folder: &Path) -> Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let new = folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists());
        let new: Vec<&Path> = new.collect();
        builder.create(folder).map_err(|e| Error::io("creating the home folder", e))?;
        // What lies in a folder lasts only if the folder's own name does.
        let parents = new.iter().filter_map(|folder| folder.parent());
        parents
            .map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p })
            .try_for_each(atomic::sync_folder)
    }

    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.0.join(name);
        self.create_folder(path.parent().expect("within the home"))?;
        atomic::write(&path, text.as_bytes(), false, Existing::Replace)
    }

    fn get(&self, name: &str, max: usize) -> Result<Option<String>> {
        match read_text(&self.0.join(name), max) {
            Err(e) if e.code() == Code::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// The texts of all files in a folder of the home, in the order of their names.
    fn all(&self, folder: &str, max: usize) -> Result<Vec<String>> {
        let io = |e| Error::io("reading the home folder", e);
        let entries = match fs::read_dir(self.0.join(folder)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(io)?.file_name();
            // Left by a process that was killed on a system without unnamed files.
            if !name.to_string_lossy().starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        names.iter().map(|n| read_text(&self.0.join(folder).join(n), max)).collect()
    }
}

/// `~/.config/bulla`, or what Windows has for it.
fn platform_folder() -> Option<PathBuf> {
    use etcetera::{BaseStrategy, choose_base_strategy};
    Some(choose_base_strategy().ok()?.config_dir().join("bulla"))
}

fn key_exists() -> Error {
    Error::new(Code::Exists, "this home has such a key already; keys are never overwritten")
}

fn incomplete(why: &'static str) -> Error {
    Error::new(Code::HomeIncomplete, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use crate::KemKind;
    use crate::trail::TrailOptions;

    #[test]
    fn an_identity_comes_with_its_trail() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let passphrase = Passphrase::new("correct horse".into());
        let identity = Identity::generate(KemKind::X25519, "").unwrap();
        home.create_identity(&identity, Some(&passphrase)).unwrap();
        let open = |i: &Identity| {
            let options = TrailOptions::default();
            Trail::open(home.folder(), i.trail(), i.thumbprint(), options, 7).map(|_| ())
        };
        open(&identity).unwrap();

        let other = Identity::generate(KemKind::X25519, "").unwrap();
        assert_eq!(home.create_identity(&other, None).unwrap_err().code(), Code::Exists);
        open(&identity).unwrap();
        let root = RootKey::generate("R").unwrap();
        home.pin(root.line()).unwrap();
        home.create_first_list(&root, 1).unwrap();
        fs::remove_file(home.folder().join("identity")).unwrap();
        let refused = home.create_identity(&other, None).unwrap_err();
        assert_eq!(refused.code(), Code::Exists, "a trail is never overwritten");
        assert!(!home.folder().join("identity").exists());
    }

    #[cfg(unix)]
    #[test]
    fn an_identity_that_was_cut_short_is_made_anew_or_completed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let lost = Identity::generate(KemKind::X25519, "").unwrap();
        Trail::create(home.folder(), lost.trail(), lost.thumbprint(), 7).unwrap();
        let begun = fs::read(home.trail_file()).unwrap();
        let identity = Identity::generate(KemKind::X25519, "desk").unwrap();
        home.create_identity(&identity, None).unwrap();
        home.trail(&identity, 7).unwrap();
        let aside = folder.path().join(format!("trail-{}.jsonl", lost.trail()));
        assert_eq!(fs::read(aside).unwrap(), begun, "nothing is lost");

        fs::remove_file(folder.path().join("identity.pub")).unwrap();
        assert_eq!(&home.public_identity().unwrap(), identity.public());
        assert_eq!(home.create_identity(&lost, None).unwrap_err().code(), Code::Exists);
        let line = fs::read_to_string(folder.path().join("identity.pub")).unwrap();
        assert_eq!(&line.trim().parse::<PublicIdentity>().unwrap(), identity.public());
    }

    #[test]
    fn an_issuer_that_was_cut_short_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        assert_eq!(home.unfinished_root().unwrap(), None);
        let root = RootKey::generate("R").unwrap();
        home.create_secret("root.key", &root.to_file(None).unwrap()).unwrap();
        assert_eq!(home.unfinished_root().unwrap().as_ref(), Some(root.line()));
        home.create_first_list(&root, 1).unwrap();
        assert_eq!(home.unfinished_root().unwrap(), None);
        assert!(home.trust().unwrap().list(&root.thumbprint()).is_some());
        assert!(folder.path().join("root.pub").exists());
    }

    #[test]
    fn the_trails_id_changes_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let passphrase = Passphrase::new("correct horse".into());
        let identity = Identity::generate(KemKind::X25519, "").unwrap();
        assert_eq!(home.set_trail(Id([7; 16])).unwrap_err().code(), Code::HomeIncomplete);
        home.create_identity(&identity, Some(&passphrase)).unwrap();
        home.set_trail(Id([7; 16])).unwrap();
        let again = home.identity(Some(&passphrase)).unwrap();
        assert_eq!((again.trail(), again.public()), (Id([7; 16]), identity.public()));
    }
}
