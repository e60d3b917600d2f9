//! The `bulla` command.
#![deny(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)] // these panic: see `output`

mod context;
mod demo;
mod keys;
#[cfg(target_os = "linux")]
mod mount;
mod open;
mod output;
mod policy;
mod relicense;
#[cfg(target_os = "linux")]
mod run;
mod seal;
mod signer;
mod terms;
mod tokens;
mod trail;

use bulla::{Class, Code, Error};
use clap::{Parser, Subcommand};
use context::Context;
use output::{errln, outln};
use std::path::PathBuf;
use std::process::ExitCode;

/// Seals customer-data files under signed policies, and opens them where the policy allows.
#[derive(Parser)]
#[command(name = "bulla", version, propagate_version = true)]
struct Cli {
    /// The home folder with keys and trust [default: $BULLA_HOME, else the platform's]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this home an issuer's: a root key and a first trust list
    Init(keys::Init),
    /// This device's keys
    #[command(subcommand)]
    Identity(keys::IdentityCommand),
    /// Roots that this home pins, and their trust lists
    #[command(subcommand)]
    Trust(keys::TrustCommand),
    /// Terms that devices may seal under
    #[command(subcommand)]
    Template(terms::TemplateCommand),
    /// Permits to seal under a template
    #[command(subcommand)]
    Permit(terms::PermitCommand),
    /// Who sits at a device
    #[command(subcommand)]
    Badge(tokens::BadgeCommand),
    /// Sign that a fact was checked, or take such an attestation into use
    Attest(Box<tokens::Attest>),
    /// Sign the next list of what no longer counts, or take one into use
    Revoke(Box<tokens::Revoke>),
    /// Seal files
    Seal(seal::Seal),
    /// Open a sealed file; plain bytes leave, which needs the right to export
    Open(open::Open),
    /// Show what an envelope says in the clear; needs no keys
    Inspect(open::Inspect),
    /// Change the recipients or the policy of sealed files
    Relicense(relicense::Relicense),
    /// Check a policy, or explain what it allows
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// The audit trail of this device
    #[command(subcommand)]
    Trail(trail::TrailCommand),
    /// Run a program that sees the content of sealed files, and cannot let it out
    #[cfg(target_os = "linux")]
    Run(run::Run),
    /// Show the content of sealed files to all programs of the user
    #[cfg(target_os = "linux")]
    Mount(mount::Mount),
    /// Tell the whole story on sample files, in temporary homes
    Demo(demo::Demo),
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if std::env::args_os().nth(1).is_some_and(|first| first == bulla_view::INSIDE) {
        let arguments: Vec<_> = std::env::args_os().skip(2).collect();
        return ExitCode::from(bulla_view::inside(&arguments));
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors.
            let status = if e.use_stderr() { 2 } else { 0 };
            let _ = e.print();
            return ExitCode::from(status);
        }
    };
    ExitCode::from(run(cli))
}

/// Runs one command, prints its error, and gives its exit status.
fn run(cli: Cli) -> u8 {
    let json = cli.json;
    match dispatch(cli).and_then(|()| output::finish().map_err(Failure::Error)) {
        Ok(()) => 0,
        Err(Failure::Error(e)) if output::closed(&e) => 1,
        Err(Failure::Reported(status)) => status,
        Err(Failure::Error(e)) => {
            let (code, number) = (e.code().name(), e.code().number());
            if json {
                let mut error = serde_json::json!({"error": {
                    "code": code, "number": number, "class": e.class().name(), "message": e.to_string(),
                }});
                if let Some(decision) = e.decision() {
                    error["error"]["decision"] = serde_json::json!(decision);
                }
                outln!("{error}");
            }
            errln!("bulla: {e} [{code}]");
            exit_status(&e)
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let context = Context::new(cli.home, cli.json)?;
    match cli.command {
        Command::Init(c) => c.run(&context)?,
        Command::Identity(c) => c.run(&context)?,
        Command::Trust(c) => c.run(&context)?,
        Command::Template(c) => c.run(&context)?,
        Command::Permit(c) => c.run(&context)?,
        Command::Badge(c) => c.run(&context)?,
        Command::Attest(c) => c.run(&context)?,
        Command::Revoke(c) => c.run(&context)?,
        Command::Trail(c) => return c.run(&context),
        Command::Seal(c) => return c.run(&context),
        Command::Open(c) => c.run(&context)?,
        Command::Inspect(c) => c.run(&context)?,
        Command::Relicense(c) => return c.run(&context),
        Command::Policy(c) => return c.run(&context),
        #[cfg(target_os = "linux")]
        Command::Run(c) => return c.run(&context),
        #[cfg(target_os = "linux")]
        Command::Mount(c) => c.run(&context)?,
        Command::Demo(c) => c.run(&context)?,
    }
    Ok(())
}

/// Why a command did not do all it was asked for.
enum Failure {
    Error(Error),
    /// Failures of single files were printed already.
    Reported(u8),
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        Failure::Error(e)
    }
}

/// 1 I/O or other, 2 usage, 3 denied, 4 not a format we read, 5 tampered or wrong key.
fn exit_status(e: &Error) -> u8 {
    match (e.class(), e.code()) {
        (Class::Argument, Code::BadKey) => 4,
        (Class::Argument, _) => 2,
        (Class::Denied, _) => 3,
        (Class::Format, _) => 4,
        (Class::Tampered, _) => 5,
        _ => 1,
    }
}
