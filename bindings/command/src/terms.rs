//! `template`, `permit`.

use crate::context::{
    Context, duration, now, public_lines, read_file, text_file, time, write_text,
};
use crate::signer::{Signer, root_of, thumbprint};
use bulla::{Code, Error, Kinds, Permit, Result, Template, TemplateTerms, Thumbprint};
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
        #[arg(long, allow_hyphen_values = true, value_parser = thumbprint)]
        root: Option<Thumbprint>,
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

impl TemplateCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        let TemplateCommand::New { name, policy, to, seal_role, mixed_kinds, label, root, output } =
            self;
        let signer = Signer::of(c)?;
        let root = root_of(c, &signer, root)?;
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
        c.print_beside(
            &output,
            &text,
            json!({"template": template.id(), "name": name, "root": root}),
        );
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
                c.print_beside(
                    &output,
                    &text,
                    json!({"permit": permit.id(), "device": device, "exp": until}),
                );
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
