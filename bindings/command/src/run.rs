//! `run`: a program in a confined view of sealed files.

use crate::Failure;
use crate::context::Context;
use bulla::{Host, Result, Session};
use bulla_view::{Network, Run as Confined};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Args)]
pub struct Run {
    /// A folder whose sealed files the program sees with their content [default: this one]
    #[arg(long = "dir", value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The program's network: none, host, or tcp:PORT. With any but none it counts as bare
    #[arg(long, value_name = "NET", default_value = "none", value_parser = network)]
    net: Vec<Network>,
    /// Let graphical programs show themselves on the display that DISPLAY names. Files then open
    /// only where the policy grants the rights to copy and to capture
    #[arg(long, value_enum, value_name = "KIND")]
    display: Option<Display>,
    /// What may be written in the folders
    #[arg(long, value_enum, default_value = "sealed")]
    write: Write,
    /// The ticket, case or call that the work is for
    #[arg(long)]
    ticket: Option<String>,
    /// Run also where the kernel lacks a part of what confines it. It then counts as bare
    #[arg(long)]
    allow_weaker: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// Which kind of display a program has.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Display {
    /// The X server's, which does not keep its clients apart
    X11,
}

/// What a program may write.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Write {
    /// Sealed files
    Sealed,
    /// Nothing
    None,
}

fn network(text: &str) -> std::result::Result<Network, String> {
    match text {
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        _ => {
            let port = text.strip_prefix("tcp:").and_then(|port| port.parse().ok());
            port.map(|port| Network::Tcp(vec![port]))
                .ok_or_else(|| "none, host, or tcp: and a port".into())
        }
    }
}

/// Ports add up; of two other kinds the last counts, as with other options.
fn one(nets: Vec<Network>) -> Network {
    nets.into_iter()
        .reduce(|before, net| match (before, net) {
            (Network::Tcp(before), Network::Tcp(more)) => Network::Tcp([before, more].concat()),
            (_, net) => net,
        })
        .unwrap_or(Network::None)
}

/// A session of somebody who works for a ticket.
pub fn session(c: &Context, ticket: Option<String>) -> Result<Session> {
    c.session(Host { ticket, ..Host::default() })
}

impl Run {
    pub fn run(self, c: &Context) -> std::result::Result<(), Failure> {
        let mut command = self.program.into_iter();
        let run = Confined {
            folders: if self.folders.is_empty() { vec![".".into()] } else { self.folders },
            net: one(self.net),
            display: self.display == Some(Display::X11),
            writable: self.write == Write::Sealed,
            weaker: self.allow_weaker,
            program: command.next().unwrap_or_default(),
            arguments: command.collect(),
        };
        match bulla_view::run(&c.home, run, || session(c, self.ticket))? {
            0 => Ok(()),
            status => Err(Failure::Reported(status)),
        }
    }
}
