//! `relicense`.

use crate::Failure;
use crate::context::{Context, Progress, public_lines, read_file, threads};
use crate::output::outln;
use crate::seal::{failures, report_failures};
use bulla::cobblestone::Work;
use bulla::{Changes, Code, Error, Host, KeyId, Kinds, Recipient, relicense};
use clap::Args;
use serde_json::json;
use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;

#[derive(Args)]
pub struct Relicense {
    /// The sealed files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A recipient to add: a public line, or a file of them
    #[arg(long, value_name = "PUBLIC")]
    add: Vec<String>,
    /// The key id of a recipient to remove
    #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = key_id)]
    remove: Vec<KeyId>,
    /// The new policy
    #[arg(long, value_name = "P.json")]
    policy: Option<PathBuf>,
    /// Public lines of present recipients that this home does not know
    #[arg(long, value_name = "PUBLIC")]
    known: Vec<String>,
    /// Allow hybrid and x25519 recipients in one file
    #[arg(long)]
    mixed_kinds: bool,
    /// How many threads work on a file [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

fn key_id(text: &str) -> Result<KeyId, String> {
    KeyId::from_text(text).ok_or_else(|| "a key id has 43 base64url characters".into())
}

impl Relicense {
    pub fn run(self, c: &Context) -> Result<(), Failure> {
        if self.add.is_empty() && self.remove.is_empty() && self.policy.is_none() {
            let why = "nothing to change: give --add, --remove or --policy";
            return Err(Error::new(Code::BadArgument, why).into());
        }
        let (root, session) = (c.root_key()?, c.session(Host::default())?);
        let lines = public_lines(&self.add)?;
        c.home.remember_recipients(&lines)?;
        let add: Vec<Recipient> = lines.iter().map(|l| l.recipient().clone()).collect();
        let mut known = c.home.known_recipients()?;
        known.extend(public_lines(&self.known)?.iter().map(|l| l.recipient().clone()));
        let policy = self.policy.as_ref().map(|p| read_file(p)).transpose()?;
        let changes = Changes {
            add: &add,
            remove: &self.remove,
            policy: policy.as_deref(),
            known: &known,
            kinds: if self.mixed_kinds { Kinds::Mixed } else { Kinds::Same },
        };
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for file in &self.files {
            let outcome = {
                let progress = Progress::new(fs::metadata(file).map_or(0, |meta| meta.len()));
                let tell = &mut progress.with_file();
                let mut work = Work { threads: threads(self.threads), progress: tell };
                relicense(file, &root, &session, &changes, &mut work)
            };
            match outcome {
                Ok(new) => {
                    if !c.json {
                        outln!("re-licensed {}: license number {}", file.display(), new.seq);
                    }
                    done.push(
                        json!({"file": file, "seq": new.seq, "reencrypted": new.reencrypted}),
                    );
                }
                Err(e) => failed.push((file.clone(), e)),
            }
        }
        if c.json {
            outln!("{}", json!({"relicensed": done, "failed": failures(&failed)}));
        } else if !self.remove.is_empty() && !done.is_empty() {
            outln!(
                "encrypted again; copies that were taken before stay readable to whom you removed"
            );
        }
        report_failures(&failed)
    }
}
