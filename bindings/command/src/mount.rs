//! `mount`: a view of sealed files for all programs of the user.

use crate::context::Context;
use crate::run::{Write, session};
use bulla::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Args)]
pub struct Mount {
    /// The folder with the sealed files
    folder: PathBuf,
    /// Where its view is to be
    mountpoint: PathBuf,
    /// What may be written there
    #[arg(long, value_enum, default_value = "none")]
    write: Write,
    /// The ticket, case or call that the work is for
    #[arg(long)]
    ticket: Option<String>,
}

impl Mount {
    pub fn run(self, c: &Context) -> Result<()> {
        let session = || session(c, self.ticket);
        let writable = self.write == Write::Sealed;
        let text = "mounted; ends with SIGTERM, or when it is unmounted";
        let ready = || c.print(text, json!({"mounted": true}));
        bulla_view::mount(&c.home, session, &self.folder, &self.mountpoint, writable, ready)
    }
}
