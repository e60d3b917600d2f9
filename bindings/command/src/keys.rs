//! `init`, `identity`, `trust`.

use crate::context::{Context, duration, now, passphrase, text_file, time, write_text};
use crate::signer::thumbprint;
use bulla::{
    Code, Error, Id, Identity, KemKind, KeyUse, Passphrase, ProgramHash, PublicIdentity, PublicKey,
    Result, Roles, RootKey, RootLine, Thumbprint, TrustList, TrustedKey,
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

const YEAR: u64 = 365;

#[derive(Args)]
pub struct Init {
    /// What the issuer is called
    #[arg(long)]
    name: String,
    /// Seal the root key with a passphrase
    #[arg(long)]
    passphrase: bool,
}

impl Init {
    pub fn run(self, c: &Context) -> Result<()> {
        // A run that was cut short goes on with the key that it made.
        let begun = c.home.unfinished_root()?.is_some_and(|line| line.name() == self.name);
        let root = if begun {
            c.root_key()?
        } else {
            let root = RootKey::generate(&self.name)?;
            c.home.create_root(&root, new_passphrase(self.passphrase)?.as_ref())?;
            root
        };
        let list = c.home.create_first_list(&root, YEAR)?;
        c.print(
            &root.line().to_string(),
            json!({"root": root.line().to_string(), "thumbprint": root.thumbprint(),
                   "trust_list_seq": list.seq()}),
        );
        Ok(())
    }
}

#[derive(Subcommand)]
pub enum IdentityCommand {
    /// Make this home a device's; prints its public line
    New {
        /// The kind of the key to open with
        #[arg(long, value_enum, default_value = "hybrid")]
        kind: Kind,
        /// Seal the identity with a passphrase
        #[arg(long)]
        passphrase: bool,
        /// What the device is called, in its public line
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Show the public line and the ids of this device
    Show,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    Hybrid,
    X25519,
}

impl IdentityCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        match self {
            IdentityCommand::New { kind, passphrase, name } => {
                let kind = match kind {
                    Kind::Hybrid => KemKind::Hybrid,
                    Kind::X25519 => KemKind::X25519,
                };
                let identity = Identity::generate(kind, &name)?;
                c.home.create_identity(&identity, new_passphrase(passphrase)?.as_ref())?;
                let value = describe(identity.public(), identity.trail());
                c.print(&identity.public().to_string(), value);
            }
            IdentityCommand::Show => {
                let public = c.home.public_identity()?;
                let trail = c.home.trail_id()?;
                let text = format!(
                    "{public}\ndevice  {}\nkey     {} ({})\ntrail   {trail}",
                    public.thumbprint(),
                    public.recipient().key_id(),
                    public.recipient().kind().name()
                );
                c.print(&text, describe(&public, trail));
            }
        }
        Ok(())
    }
}

fn describe(public: &PublicIdentity, trail: Id) -> serde_json::Value {
    let recipient = public.recipient();
    json!({"public": public.to_string(), "device": public.thumbprint(),
           "key": recipient.key_id(), "kind": recipient.kind().name(), "trail": trail})
}

fn new_passphrase(wanted: bool) -> Result<Option<Passphrase>> {
    wanted.then(|| passphrase("New passphrase: ")).transpose()
}

#[derive(Subcommand)]
pub enum TrustCommand {
    /// Pin a root: its files can be opened here
    Pin {
        /// The root's line, or a file with it
        root: String,
    },
    /// Take a root's newer trust list into use
    Use {
        /// The file with the list
        list: PathBuf,
    },
    /// Show pinned roots and their lists
    Show,
    /// Sign the next trust list of this issuer, and use it here
    Sign(Box<Sign>),
}

#[derive(Args)]
pub struct Sign {
    /// A key to add: a public or root line, a file with one, or a file with a JWK
    #[arg(long, value_name = "KEY", requires = "uses")]
    add: Option<String>,
    /// What the added key may sign
    #[arg(long = "for", value_name = "USE", value_delimiter = ',', value_parser = key_use)]
    uses: Vec<KeyUse>,
    /// The signature algorithm of the added key [default: by its kind]
    #[arg(long, requires = "add")]
    alg: Option<String>,
    /// The `iss` that its tokens must have
    #[arg(long, requires = "add")]
    iss: Option<String>,
    /// The `aud` that its tokens must have
    #[arg(long, requires = "add")]
    aud: Option<String>,
    /// The claim of its badges that holds the roles
    #[arg(long, value_name = "CLAIM", requires = "add")]
    roles: Option<String>,
    /// A role that it may give; repeat for more
    #[arg(long = "role", value_name = "ROLE", requires = "roles")]
    allow: Vec<String>,
    /// The thumbprint of a key to remove
    #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = thumbprint)]
    remove: Vec<Thumbprint>,
    /// SHA-256 of a program that counts as managed (of a script, its interpreter is measured)
    #[arg(long, value_name = "SHA256", value_parser = program)]
    program: Vec<ProgramHash>,
    /// How long the list counts
    #[arg(long, default_value = "365d", value_parser = duration)]
    valid: u64,
    /// Where to write the list; - for standard output
    #[arg(short, long)]
    output: PathBuf,
}

fn key_use(name: &str) -> std::result::Result<KeyUse, String> {
    KeyUse::from_name(name)
        .ok_or_else(|| "one of badge, attestation, revocation, template, permit".into())
}

fn program(text: &str) -> std::result::Result<ProgramHash, String> {
    ProgramHash::from_text(text).ok_or_else(|| "a SHA-256 has 64 lower-case hex characters".into())
}

impl TrustCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        match self {
            TrustCommand::Pin { root } => {
                let line = if root.starts_with("bulla-root:") {
                    root
                } else {
                    text_file(Path::new(&root))?
                };
                let root: RootLine = line.parse()?;
                c.home.pin(&root)?;
                let text = format!("pinned {} ({})", root.name(), root.thumbprint());
                c.print(&text, json!({"pinned": root.thumbprint(), "name": root.name()}));
            }
            TrustCommand::Use { list } => {
                let list = TrustList::parse(&text_file(&list)?)?;
                c.home.use_list(&list)?;
                let text = format!(
                    "using list {} of {}, until {}",
                    list.seq(),
                    list.root(),
                    time(list.expires_at())
                );
                c.print(&text, json!({"root": list.root(), "seq": list.seq()}));
            }
            TrustCommand::Show => show(c)?,
            TrustCommand::Sign(sign) => sign.run(c)?,
        }
        Ok(())
    }
}

fn show(c: &Context) -> Result<()> {
    let trust = c.home.trust()?;
    let (mut text, mut roots) = (String::new(), Vec::new());
    for root in trust.roots() {
        let list = trust.list(&root.thumbprint());
        text += &format!("{}  {}\n", root.thumbprint(), root.name());
        if let Some(list) = list {
            let until = time(list.expires_at());
            let programs = list.programs().len();
            text += &format!("  list {}, until {until}, {programs} managed programs\n", list.seq());
            for key in list.keys() {
                let uses: Vec<_> = key.uses.iter().map(|u| u.name()).collect();
                text += &format!("  {}  {}\n", key.jwk.thumbprint(), uses.join(", "));
            }
        }
        roots.push(
            json!({"root": root.thumbprint(), "name": root.name(), "line": root.to_string(),
            "list": list.map(|l| json!({"seq": l.seq(), "exp": l.expires_at(), "keys": l.keys(),
                                        "programs": l.programs()}))}),
        );
    }
    if roots.is_empty() {
        text = "no root is pinned".into();
    }
    c.print(text.trim_end(), json!({ "roots": roots }));
    Ok(())
}

impl Sign {
    fn run(self, c: &Context) -> Result<()> {
        let root = c.root_key()?;
        let trust = c.home.trust()?;
        let old = trust.list(&root.thumbprint());
        let mut keys = old.map(|l| l.keys().to_vec()).unwrap_or_default();
        let mut programs = old.map(|l| l.programs().to_vec()).unwrap_or_default();
        for kid in &self.remove {
            let before = keys.len();
            keys.retain(|k| k.jwk.thumbprint() != *kid);
            if keys.len() == before {
                return Err(Error::new(Code::BadArgument, format!("{kid} is not on the list")));
            }
        }
        if let Some(key) = &self.add {
            let key = self.trusted_key(key)?;
            // A key that stands there already is replaced.
            keys.retain(|k| k.jwk != key.jwk);
            keys.push(key);
        }
        programs.extend(self.program.iter().copied());
        programs.sort();
        programs.dedup();
        let (seq, now) = (old.map_or(1, |l| l.seq() + 1), now());
        let list = TrustList::sign(&root, seq, now, now + self.valid, keys, programs)?;
        c.home.use_list(&list)?;
        write_text(&self.output, &format!("{}\n", list.as_str()))?;
        if self.output != Path::new("-") {
            let text = format!("list {seq}, until {}", time(list.expires_at()));
            c.print(&text, json!({"root": list.root(), "seq": seq, "exp": list.expires_at()}));
        }
        Ok(())
    }

    fn trusted_key(&self, key: &str) -> Result<TrustedKey> {
        let text =
            if key.starts_with("bulla-") { key.to_owned() } else { text_file(Path::new(key))? };
        let text = text.trim();
        let jwk = if let Ok(line) = text.parse::<PublicIdentity>() {
            PublicKey::Ed25519(line.signing_key().clone())
        } else if let Ok(root) = text.parse::<RootLine>() {
            PublicKey::Ed25519(root.key().clone())
        } else {
            PublicKey::from_jwk(text)?
        };
        let alg = self.alg.clone().unwrap_or_else(|| jwk.default_alg().into());
        Ok(TrustedKey {
            jwk,
            alg,
            uses: self.uses.clone(),
            iss: self.iss.clone(),
            aud: self.aud.clone(),
            roles: self.roles.clone().map(|claim| Roles { claim, allow: self.allow.clone() }),
        })
    }
}
