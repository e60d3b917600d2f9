//! `badge`, `attest`, `revoke`: who sits where, what somebody checked, what no longer counts.

use crate::context::{Context, duration, instant, now, public_lines, text_file, time, write_text};
use crate::signer::{Signer, root_of, thumbprint};
use bulla::{
    About, Attestation, Badge, BadgeTerms, Checkpoint, Code, Error, Id, PublicIdentity, Result,
    Revocations, Revoked, RevokedFile, Thumbprint,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum BadgeCommand {
    /// Sign a badge: who sits at a device, in which roles, until when
    Issue(Box<BadgeIssue>),
    /// Take a badge for this device into use: ours, or a token of the company's single sign-on
    Use {
        /// The badge's file
        badge: PathBuf,
    },
    /// Show the badge in use, and what it is worth for the files of each root
    Show,
}

#[derive(Args)]
pub struct BadgeIssue {
    /// Who sits there
    #[arg(long)]
    subject: String,
    /// A role; repeat for more
    #[arg(long, num_args = 1..)]
    role: Vec<String>,
    /// A group; repeat for more
    #[arg(long, num_args = 1..)]
    group: Vec<String>,
    /// The device: its public line, or a file with it
    #[arg(long, value_name = "PUBLIC")]
    to: String,
    /// How long it counts: hours, never months
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: u64,
    /// From when it counts, such as 2026-11-27T08:00:00+09:00 [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<u64>,
    /// A checkpoint of the device: anchors its audit trail
    #[arg(long, value_name = "CHECKPOINT")]
    anchor: Option<PathBuf>,
    /// Where to write it
    #[arg(short, long)]
    output: PathBuf,
}

impl BadgeCommand {
    pub fn run(self, c: &Context) -> Result<()> {
        match self {
            BadgeCommand::Issue(issue) => issue.run(c),
            BadgeCommand::Use { badge } => {
                c.home.use_badge(&text_file(&badge)?)?;
                show_badge(c)
            }
            BadgeCommand::Show => show_badge(c),
        }
    }
}

impl BadgeIssue {
    fn run(self, c: &Context) -> Result<()> {
        let device = one_device(&self.to)?;
        let anchor = match &self.anchor {
            None => None,
            Some(path) => {
                let checkpoint = Checkpoint::parse(&text_file(path)?)?;
                if checkpoint.signer() != device.thumbprint() {
                    let why = "the checkpoint was signed by another device";
                    return Err(Error::new(Code::BadArgument, why));
                }
                checkpoint.verify(device.signing_key())?;
                Some(checkpoint.anchor().clone())
            }
        };
        let terms = BadgeTerms {
            subject: &self.subject,
            roles: &self.role,
            groups: &self.group,
            device: device.thumbprint(),
            anchor: anchor.as_ref(),
        };
        let from = self.from.unwrap_or_else(now);
        let until = from + self.duration;
        let badge = Badge::sign(Signer::of(c)?.signatory(), terms, from, until)?;
        write_text(&self.output, &format!("{}\n", badge.as_str()))?;
        let text = format!(
            "badge for {} ({}) at {}, until {}",
            self.subject,
            self.role.join(", "),
            device.thumbprint(),
            time(until)
        );
        c.print_beside(&self.output, &text, json!({"subject": self.subject, "exp": until}));
        Ok(())
    }
}

fn show_badge(c: &Context) -> Result<()> {
    let (mut text, mut roots) = (Vec::new(), Vec::new());
    if c.home.badge()?.is_none() {
        return Err(Error::new(Code::HomeIncomplete, "no badge is in use: run `bulla badge use`"));
    }
    for (root, worth) in c.home.badge_worth()? {
        match worth {
            Ok(badge) => {
                text.push(format!(
                    "{} ({}), until {}, for files of {root}",
                    badge.subject,
                    badge.roles.join(", "),
                    time(badge.expires)
                ));
                roots.push(json!({"root": root, "subject": badge.subject, "roles": badge.roles,
                                  "groups": badge.groups, "exp": badge.expires}));
            }
            Err(e) => {
                text.push(format!("does not count for files of {root}: {e}"));
                roots.push(json!({"root": root, "code": e.code().name(),
                                  "message": e.to_string()}));
            }
        }
    }
    c.print(&text.join("\n"), json!({ "badge": roots }));
    Ok(())
}

/// The device of a line, or of a file with one.
pub fn one_device(line: &str) -> Result<PublicIdentity> {
    let mut lines = public_lines(&[line.to_owned()])?;
    match (lines.pop(), lines.pop()) {
        (Some(device), None) => Ok(device),
        _ => Err(Error::new(Code::BadArgument, "this takes the line of one device")),
    }
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Attest {
    #[command(subcommand)]
    command: Option<AttestCommand>,
    /// What was checked: daily-checklist, attendance, posture.usb-storage-blocked, …
    #[arg(required = true)]
    kind: Option<String>,
    /// The person it is about
    #[arg(long, conflicts_with = "device", required_unless_present = "device")]
    subject: Option<String>,
    /// The device it is about: its thumbprint
    #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = thumbprint)]
    device: Option<Thumbprint>,
    /// How long it counts
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, required = true)]
    duration: Option<u64>,
    /// From when it counts, such as 2026-11-27T08:00:00+09:00 [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<u64>,
    /// Where to write it
    #[arg(short, long, required = true)]
    output: Option<PathBuf>,
}

#[derive(Subcommand)]
enum AttestCommand {
    /// Take an attestation into use
    Use {
        /// The attestation's file
        attestation: PathBuf,
    },
}

impl Attest {
    pub fn run(self, c: &Context) -> Result<()> {
        if let Some(AttestCommand::Use { attestation }) = self.command {
            c.home.use_attestation(&text_file(&attestation)?)?;
            c.print("using the attestation", json!({"used": true}));
            return Ok(());
        }
        let (Some(kind), Some(duration), Some(output)) = (self.kind, self.duration, self.output)
        else {
            return Err(Error::new(Code::BadArgument, "give KIND, --for and -o"));
        };
        let about = match (self.subject, self.device) {
            (Some(subject), _) => About::Subject(subject),
            (None, Some(device)) => About::Device(device),
            (None, None) => {
                return Err(Error::new(Code::BadArgument, "give --subject or --device"));
            }
        };
        let from = self.from.unwrap_or_else(now);
        let until = from + duration;
        let signer = Signer::of(c)?;
        let attestation = Attestation::sign(signer.signatory(), &kind, &about, None, from, until)?;
        write_text(&output, &format!("{}\n", attestation.as_str()))?;
        let text = format!("attested {kind}, until {}", time(until));
        c.print_beside(&output, &text, json!({"kind": kind, "exp": until}));
        Ok(())
    }
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Revoke {
    #[command(subcommand)]
    command: Option<RevokeCommand>,
    /// A file's id: all its licenses, or with ID:N those with a number below N
    #[arg(long, value_name = "ID[:N]", value_parser = revoked_file)]
    file: Vec<RevokedFile>,
    /// A license's id
    #[arg(long, value_name = "ID", value_parser = id)]
    license: Vec<Id>,
    /// A person
    #[arg(long, value_name = "S")]
    subject: Vec<String>,
    /// A device's thumbprint
    #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = thumbprint)]
    device: Vec<Thumbprint>,
    /// A template's id
    #[arg(long, value_name = "ID", value_parser = id)]
    template: Vec<Id>,
    /// A permit's id
    #[arg(long, value_name = "ID", value_parser = id)]
    permit: Vec<Id>,
    /// Take an entry off the list again: the id, person or thumbprint
    #[arg(long, value_name = "ENTRY", allow_hyphen_values = true)]
    lift: Vec<String>,
    /// The root for whose files it is [default: this issuer's, else the only one pinned]
    #[arg(long, allow_hyphen_values = true, value_parser = thumbprint)]
    root: Option<Thumbprint>,
    /// Where to write the list
    #[arg(short, long, required = true)]
    output: Option<PathBuf>,
}

#[derive(Subcommand)]
enum RevokeCommand {
    /// Take a list of revocations into use
    Use {
        /// The list's file
        list: PathBuf,
    },
}

fn id(text: &str) -> std::result::Result<Id, String> {
    Id::from_text(text).ok_or_else(|| "an id has 32 lower-case hex characters".into())
}

fn revoked_file(text: &str) -> std::result::Result<RevokedFile, String> {
    let (file, below) = match text.split_once(':') {
        None => (text, None),
        Some((file, below)) => {
            let below = below.parse().map_err(|_| "N of ID:N is a license's number".to_owned())?;
            (file, Some(below))
        }
    };
    Ok(RevokedFile { file: id(file)?, below_seq: below })
}

impl Revoke {
    pub fn run(self, c: &Context) -> Result<()> {
        if let Some(RevokeCommand::Use { list }) = self.command {
            let list = Revocations::parse(&text_file(&list)?)?;
            c.home.use_revocations(&list)?;
            let text = format!("using list {} of {}", list.seq(), list.signer());
            c.print(&text, json!({"root": list.root(), "seq": list.seq()}));
            return Ok(());
        }
        let Some(output) = &self.output else {
            return Err(Error::new(Code::BadArgument, "give -o"));
        };
        let signer = Signer::of(c)?;
        let root = root_of(c, &signer, self.root)?;
        let old = c.home.revocation_list(&root, &signer.thumbprint())?;
        let seq = old.as_ref().map_or(1, |list| list.seq() + 1);
        let mut revoked = old.map(|list| list.revoked().clone()).unwrap_or_default();
        self.lift(&mut revoked)?;
        add(&mut revoked.files, &self.file);
        add(&mut revoked.licenses, &self.license);
        add(&mut revoked.subjects, &self.subject);
        add(&mut revoked.devices, &self.device);
        add(&mut revoked.templates, &self.template);
        add(&mut revoked.permits, &self.permit);
        let list = Revocations::sign(signer.signatory(), root, seq, revoked, now())?;
        c.home.use_revocations(&list)?;
        write_text(output, &format!("{}\n", list.as_str()))?;
        let text = format!("list {seq} of revocations for files of {root}");
        c.print_beside(output, &text, json!({"root": root, "seq": seq}));
        Ok(())
    }

    fn lift(&self, revoked: &mut Revoked) -> Result<()> {
        for entry in &self.lift {
            let before = count(revoked);
            revoked.files.retain(|f| f.file.to_string() != *entry);
            revoked.licenses.retain(|l| l.to_string() != *entry);
            revoked.subjects.retain(|s| s != entry);
            revoked.devices.retain(|d| d.to_string() != *entry);
            revoked.templates.retain(|t| t.to_string() != *entry);
            revoked.permits.retain(|p| p.to_string() != *entry);
            if count(revoked) == before {
                return Err(Error::new(Code::BadArgument, format!("{entry} is not on the list")));
            }
        }
        Ok(())
    }
}

fn count(r: &Revoked) -> usize {
    r.files.len()
        + r.licenses.len()
        + r.subjects.len()
        + r.devices.len()
        + r.templates.len()
        + r.permits.len()
}

fn add<T: PartialEq + Clone>(list: &mut Vec<T>, new: &[T]) {
    for entry in new {
        if !list.contains(entry) {
            list.push(entry.clone());
        }
    }
}
