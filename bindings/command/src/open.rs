//! `open`, `inspect`.

use crate::context::{Context, Progress, standard_input, standard_output, threads, time};
use crate::output::outln;
use bulla::{
    Access, Class, Code, Error, Existing, Host, Metadata, OutputFile, Result, Right,
    cobblestone::Work, inspect,
};
use clap::Args;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

#[derive(Args)]
pub struct Open {
    /// The sealed file; - for standard input
    file: PathBuf,
    /// - for standard output
    #[arg(value_parser = ["-"], conflicts_with = "output")]
    to: Option<String>,
    /// Where to write the plain file, or a folder to write it to under its own name
    #[arg(short, long, required_unless_present = "to")]
    output: Option<PathBuf>,
    /// Replace an existing output
    #[arg(long)]
    force: bool,
    /// The ticket, case or call that this is for
    #[arg(long)]
    ticket: Option<String>,
    /// Open it even if this device has seen newer terms or content of the file
    #[arg(long)]
    older: bool,
    /// How many threads work [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

impl Open {
    pub fn run(self, c: &Context) -> Result<()> {
        let session = c.session(Host { ticket: self.ticket.clone(), ..Host::default() })?;
        let access = Access { right: Right::Export, older: self.older, ..Access::default() };
        if self.file == Path::new("-") {
            let mut sealed = session.open_stream_for(standard_input()?, access)?;
            let metadata = sealed.metadata().clone();
            let progress = Progress::new(0);
            self.write(c, &metadata, |to| match to {
                To::Output(to) => sealed.export(to),
                To::File(to) => {
                    sealed.export(&mut ProgressWriter { inner: to, progress: &progress })
                }
            })
        } else {
            let sealed = session.open_for(&self.file, access)?;
            let progress = Progress::new(sealed.len());
            let mut told = progress.with_file();
            let mut work = Work { threads: threads(self.threads), progress: &mut told };
            self.write(c, sealed.metadata(), |to| match to {
                To::Output(to) => sealed.export_by(to, &mut work),
                To::File(to) => sealed.export_to(to, &mut work),
            })
        }
    }

    fn write(
        &self,
        c: &Context,
        metadata: &Metadata,
        export: impl FnOnce(To<'_>) -> Result<u64>,
    ) -> Result<()> {
        let output = match self.output.as_deref() {
            Some(path) if path != Path::new("-") => path,
            _ => {
                let mut out = standard_output()?;
                return export(To::Output(&mut out)).map(drop);
            }
        };
        let output = if output.is_dir() { output.join(own_name(metadata)?) } else { output.into() };
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let mut file = OutputFile::create(&output, existing)?;
        let size = export(To::File(&mut file))?;
        if let Some(modified) = metadata.modified.and_then(system_time) {
            file.set_modified(modified)?;
        }
        file.finish()?;
        let text = format!("opened {} → {}", self.file.display(), output.display());
        c.print(&text, json!({"file": self.file, "output": output, "size": size}));
        Ok(())
    }
}

/// Where the plain content goes.
enum To<'a> {
    Output(&'a mut File),
    File(&'a mut OutputFile),
}

/// The original's name, if it is one: it comes from whoever sealed the file.
fn own_name(metadata: &Metadata) -> Result<&str> {
    let name = metadata.name.as_deref().unwrap_or_default();
    let plain = Path::new(name).file_name().is_some_and(|n| n == name);
    if !plain || name.contains(['/', '\\', ':', '\0']) {
        let why = "the file holds no usable name: give -o a file name";
        return Err(Error::new(Code::BadArgument, why));
    }
    Ok(name)
}

fn system_time(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

struct ProgressWriter<'a, W> {
    inner: W,
    progress: &'a Progress,
}

impl<W: Write> Write for ProgressWriter<'_, W> {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.inner.write(data).inspect(|n| self.progress.add(*n as u64))
    }

    fn write_vectored(&mut self, data: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
        self.inner.write_vectored(data).inspect(|n| self.progress.add(*n as u64))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[derive(Args)]
pub struct Inspect {
    /// The sealed file
    file: PathBuf,
}

impl Inspect {
    pub fn run(self, c: &Context) -> Result<()> {
        let file = File::open(&self.file).map_err(|e| Error::io("opening the file", e))?;
        let found = inspect(&file)?;
        let verified = c.home.trust().and_then(|trust| found.verify(&trust).map(|()| trust));
        let (proved, signer) = match &verified {
            Ok(trust) => {
                let name = trust.roots().find(|r| r.thumbprint() == found.issuer);
                (true, format!("signature holds; root {}", name.map_or("", |r| r.name())))
            }
            Err(e) if e.class() == Class::Denied => (false, format!("not checked: {e}")),
            Err(e) => (false, format!("REFUSED: {e}")),
        };
        if c.json {
            let mut value = serde_json::to_value(&found).expect("plain data");
            value["signature"] = json!({"holds": proved, "detail": signer});
            outln!("{value}");
            return Ok(());
        }
        let policy =
            found.policy.as_ref().and_then(|p| p["name"].as_str()).unwrap_or("(unreadable)");
        outln!("sealed file     {}", found.file);
        outln!("label           {}", found.label);
        outln!("policy          {policy}");
        outln!(
            "license         {}, number {}, of {}",
            found.license,
            found.seq,
            time(found.issued_at)
        );
        outln!("issuer          {} ({signer})", found.issuer);
        if let Some(d) = &found.delegation {
            outln!("made by         device {}", d.device);
            outln!("under template  {} ({}), permit {}", d.template, d.template_name, d.permit);
        }
        for r in &found.recipients {
            outln!("sealed to       {} ({}, {})", r.key, r.kind, r.scope);
        }
        outln!("revision        {}", found.revision);
        outln!(
            "content         {} bytes in an envelope of {}",
            found.content_size,
            found.sealed_size
        );
        Ok(())
    }
}
