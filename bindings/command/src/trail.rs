//! `trail`: the audit trail of this device.

use crate::Failure;
use crate::context::{Context, instant, text_file, time, write_text};
use crate::output::{self, errln, outln};
use crate::signer::thumbprint;
use crate::tokens::one_device;
use bulla::{
    Checkpoint, Code, Error, Id, Reset, Result, Thumbprint, TrailEvent, TrailExpectation,
    TrailFilter, TrailRecord, trail_records, verify_trail,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The exit status for what was tampered with.
const TAMPERED: u8 = 5;

#[derive(Subcommand)]
pub enum TrailCommand {
    /// Show records; with --json as they stand, one a line
    Show(Box<Show>),
    /// Verify the chain, and point at the line of any change, gap or loss
    Verify {
        /// A trail [default: this home's]
        trail: Option<PathBuf>,
        /// A checkpoint that the trail must go on from
        #[arg(long, value_name = "CHECKPOINT")]
        since: Vec<PathBuf>,
        /// Whose trail it is: the device's public line, or a file with it [default: this home's]
        #[arg(long, value_name = "PUBLIC")]
        device: Option<String>,
    },
    /// Sign where the trail stands, for whoever issues badges
    Checkpoint {
        /// Where to write it
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Begin a trail anew, or set the clock right again, with an issuer's signed reset
    Reset {
        /// The reset's file
        signed: PathBuf,
    },
    /// As the issuer: sign a reset for a device
    SignReset {
        /// The device's thumbprint
        #[arg(long, value_name = "KID", allow_hyphen_values = true, value_parser = thumbprint)]
        device: Thumbprint,
        /// The id of the trail that it replaces, as `bulla identity show` says on the device
        #[arg(long, value_name = "ID", value_parser = id)]
        trail: Id,
        /// Where to write it
        #[arg(short, long)]
        output: PathBuf,
    },
}

#[derive(Args)]
pub struct Show {
    /// A trail [default: this home's]
    trail: Option<PathBuf>,
    /// Only records about this file
    #[arg(long, value_name = "ID", value_parser = id)]
    file: Option<Id>,
    /// Only records about this person
    #[arg(long)]
    subject: Option<String>,
    /// Only such records: opened, denied, exported, …
    #[arg(long, value_parser = event)]
    event: Option<TrailEvent>,
    /// From when, such as 2026-11-27T08:00:00+09:00
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<u64>,
    /// Until when (exclusive)
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<u64>,
}

fn id(text: &str) -> std::result::Result<Id, String> {
    Id::from_text(text).ok_or_else(|| "an id has 32 lower-case hex characters".into())
}

fn event(name: &str) -> std::result::Result<TrailEvent, String> {
    TrailEvent::from_name(name).ok_or_else(|| {
        let names: Vec<_> = TrailEvent::ALL.iter().map(|e| e.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

impl TrailCommand {
    pub fn run(self, c: &Context) -> Result<(), Failure> {
        match self {
            TrailCommand::Show(show) => show.run(c)?,
            TrailCommand::Verify { trail, since, device } => {
                return verify(c, trail, &since, device);
            }
            TrailCommand::Checkpoint { output } => {
                let checkpoint = c.home.checkpoint(&c.identity()?)?;
                write_text(&output, &format!("{}\n", checkpoint.as_str()))?;
                let anchor = checkpoint.anchor();
                let text = format!("checkpoint of trail {} at record {}", anchor.id, anchor.seq);
                c.print_beside(&output, &text, json!(anchor));
            }
            TrailCommand::Reset { signed } => {
                let reset = Reset::parse(&text_file(&signed)?)?;
                let id = c.home.use_reset(&reset)?;
                c.print(&format!("the trail goes on as {id}"), json!({"trail": id}));
            }
            TrailCommand::SignReset { device, trail, output } => {
                let reset = Reset::sign(&c.root_key()?, device, trail, crate::context::now())?;
                write_text(&output, &format!("{}\n", reset.as_str()))?;
                let text = format!("a reset of trail {trail} of device {device}");
                c.print_beside(&output, &text, json!({"device": device, "trail": trail}));
            }
        }
        Ok(())
    }
}

/// A trail that was named, or this home's own.
fn open(c: &Context, trail: Option<&Path>) -> Result<Box<dyn BufRead>> {
    let Some(path) = trail else { return Ok(Box::new(c.home.read_trail()?)) };
    let file = File::open(path).map_err(|e| Error::io("opening the trail", e))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

/// One record for people.
fn line(record: &TrailRecord) -> String {
    let mut text = format!("{} {} {}", record.seq, time(record.time), record.event.name());
    let mut add = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(" {what}{value}"));
        }
    };
    add("by ", record.subject.clone());
    add("file ", record.file.map(|f| f.to_string()));
    add("policy ", record.policy.clone());
    add("ticket ", record.ticket.clone());
    add("revision ", record.rev.map(|r| r.to_string()));
    let rights: Vec<_> = record.rights.iter().map(|r| r.name()).collect();
    add("rights ", (!rights.is_empty()).then(|| rights.join(",")));
    let list = record.kind.as_ref().zip(record.list_seq);
    add("list ", list.map(|(kind, seq)| format!("{kind} {seq}")));
    add("", record.code.as_ref().map(|code| format!("[{code}]")));
    add("", (!record.reasons.is_empty()).then(|| record.reasons.join("; ")));
    text
}

impl Show {
    fn run(self, c: &Context) -> Result<()> {
        let filter = TrailFilter {
            file: self.file,
            subject: self.subject.clone(),
            event: self.event,
            from: self.from,
            until: self.until,
        };
        let mut out = io::BufWriter::new(io::stdout().lock());
        for record in trail_records(open(c, self.trail.as_deref())?) {
            let record = record?;
            if !filter.matches(&record) {
                continue;
            }
            if c.json {
                let json = serde_json::to_string(&record).expect("plain data");
                writeln!(out, "{json}").map_err(output::failure)?;
            } else {
                writeln!(out, "{}", line(&record)).map_err(output::failure)?;
            }
        }
        out.flush().map_err(output::failure)
    }
}

fn verify(
    c: &Context,
    trail: Option<PathBuf>,
    since: &[PathBuf],
    device: Option<String>,
) -> Result<(), Failure> {
    let device = match (&device, &trail) {
        (Some(line), _) => Some(one_device(line)?),
        (None, None) => Some(c.home.public_identity()?),
        (None, Some(_)) => None,
    };
    let mut anchors = Vec::new();
    for path in since {
        let Some(device) = &device else {
            let why =
                "say with --device whose trail it is: the checkpoint is verified under its key";
            return Err(Error::new(Code::BadArgument, why).into());
        };
        let checkpoint = Checkpoint::parse(&text_file(path)?)?;
        if checkpoint.signer() != device.thumbprint() {
            let why = "the checkpoint was signed by another device";
            return Err(Error::new(Code::BadArgument, why).into());
        }
        checkpoint.verify(device.signing_key())?;
        anchors.push(checkpoint.anchor().clone());
    }
    let id = if trail.is_none() { Some(c.home.trail_id()?) } else { None };
    let device = device.map(|device| device.thumbprint());
    let expectation = TrailExpectation { id, device, anchors: &anchors };
    match verify_trail(open(c, trail.as_deref())?, &expectation) {
        Ok(report) => {
            let text = format!("the chain of {} records holds", report.records);
            c.print(&text, json!({ "trail": report }));
            Ok(())
        }
        Err(fault) => {
            if c.json {
                outln!("{}", json!({ "fault": fault }));
            }
            errln!("bulla: {fault} [{}]", Code::Trail.name());
            Err(Failure::Reported(TAMPERED))
        }
    }
}
