//! `template`, `permit`.

use crate::context::{
    Context, duration, now, public_lines, read_file, text_file, time, write_text,
};
use bulla::{
    Code, Error, Identity, Kinds, Permit, Result, RootKey, Signatory, Template, TemplateTerms,
    Thumbprint,
};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum TemplateCommand {
    /// Sign a template
    New {
        /// What people call it
        #[arg(long)]
        name: String,
        /// The policy of every file made under it
        #[arg(long, value_name = "P.json")]
        policy: PathBuf,
        /// To whom files are sealed: public lines, or files of them
        #[arg(long, value_name = "PUBLIC", num_args = 1.., required = true)]
        to: Vec<String>,
        /// A role that may seal with it; none: any device with a permit may
        #[arg(long, value_name = "ROLE", num_args = 1..)]
        seal_role: Vec<String>,
        /// Allow hybrid and x25519 recipients in one file
        #[arg(long)]
        mixed_kinds: bool,
        /// The label of every file made under it
        #[arg(long, default_value = "")]
        label: String,
        /// The root for whose files it is [default: this issuer's, else the only one pinned]
        #[arg(long, allow_hyphen_values = true)]
        root: Option<String>,
        /// Where to write it
        #[arg(short, long)]
        output: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum PermitCommand {
    /// Permit a device to seal under a template that this home signed
    Issue {
        /// The template's file
        #[arg(long)]
        template: PathBuf,
        /// The device: its public line, or a file with it
        #[arg(long, value_name = "PUBLIC")]
        to: String,
        /// How long it may seal
        #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
        duration: u64,
        /// Where to write it
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Take a permit of this device into use
    Use {
        /// The permit's file
        permit: PathBuf,
    },
}

/// The issuer's root where the home has one, else the device.
enum Signer {
    Root(Box<RootKey>),
    Identity(Box<Identity>),
}

impl Signer {
    fn of(c: &Context) -> Result<Self> {
        if c.home.has_root_key() {
            Ok(Signer::Root(Box::new(c.root_key()?)))
        } else {
            Ok(Signer::Identity(Box::new(c.identity()?)))
        }
    }

    fn signatory(&self) -> Signatory<'_> {
        match self {
            Signer::Root(root) => Signatory::Root(root),
            Signer::Identity(identity) => Signatory::Identity(identity),
        }
    }
}

impl TemplateCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        let TemplateCommand::New { name, policy, to, seal_role, mixed_kinds, label, root, output } =
            self;
        let bad = |why: &'static str| Error::new(Code::BadArgument, why);
        let signer = Signer::of(c)?;
        let root = match (root, &signer) {
            (Some(text), _) => {
                Thumbprint::from_text(&text).ok_or_else(|| bad("--root takes a thumbprint"))?
            }
            (None, Signer::Root(key)) => key.thumbprint(),
            (None, Signer::Identity(_)) => {
                let trust = c.home.trust()?;
                let mut roots = trust.roots();
                match (roots.next(), roots.next()) {
                    (Some(only), None) => only.thumbprint(),
                    _ => return Err(bad("say with --root for whose files the template is")),
                }
            }
        };
        let lines = public_lines(&to)?;
        let policy = read_file(&policy)?;
        let terms = TemplateTerms {
            name: &name,
            label: &label,
            policy: &policy,
            to: &lines,
            kinds: if mixed_kinds { Kinds::Mixed } else { Kinds::Same },
            seal_roles: &seal_role,
        };
        let template = Template::sign(signer.signatory(), root, terms, now())?;
        c.home.remember_recipients(&lines)?;
        write_text(&output, &template.to_file())?;
        let text = format!("template {} ({name})", template.id());
        c.print(&text, json!({"template": template.id(), "name": name, "root": root}));
        Ok(())
    }
}

impl PermitCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        match self {
            PermitCommand::Issue { template, to, duration, output } => {
                let template = Template::from_file(&text_file(&template)?)?;
                let lines = public_lines(std::slice::from_ref(&to))?;
                let [device] = &lines[..] else {
                    return Err(Error::new(Code::BadArgument, "a permit is for one device"));
                };
                let (signer, now) = (Signer::of(c)?, now());
                let until = now + duration;
                let device = device.thumbprint();
                let permit = Permit::sign(signer.signatory(), &template, device, now, until);
                write_text(&output, &format!("{}\n", permit.as_str()))?;
                let text = format!("permit {} for {device}, until {}", permit.id(), time(until));
                c.print(&text, json!({"permit": permit.id(), "device": device, "exp": until}));
            }
            PermitCommand::Use { permit } => {
                let permit = Permit::parse(&text_file(&permit)?)?;
                c.home.use_permit(&permit)?;
                let until = permit.expires_at();
                let text = format!("using permit {}, until {}", permit.id(), time(until));
                c.print(&text, json!({"permit": permit.id(), "exp": until}));
            }
        }
        Ok(())
    }
}
