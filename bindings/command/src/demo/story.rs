//! A small office in a temporary folder, and its steps: commands of this very program.

use crate::output::outln;
use bulla::{Code, Error, Result};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::{fs, io::Error as IoError};

pub struct Story {
    folder: tempfile::TempDir,
}

pub fn io(e: IoError) -> Error {
    Error::io("preparing the demo", e)
}

pub fn say(text: &str) {
    outln!("{text}");
}

impl Story {
    pub fn new() -> Result<Self> {
        Ok(Story { folder: tempfile::tempdir().map_err(io)? })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        fs::write(self.path(name), content).map_err(io)
    }

    /// Runs a command that must end with this status.
    pub fn step(&self, who: &str, args: &[&str], expected: u8) -> Result<()> {
        self.output(who, args, expected).map(drop)
    }

    /// The same, with what it said.
    pub fn output(&self, who: &str, args: &[&str], expected: u8) -> Result<String> {
        let (status, said) = self.run(who, args)?;
        if status == expected {
            return Ok(said);
        }
        let why = format!("this step was to end with status {expected}, not {status}");
        Err(Error::new(Code::Internal, why))
    }

    /// The same, of whatever status.
    pub fn try_step(&self, who: &str, args: &[&str]) -> Result<u8> {
        self.run(who, args).map(|(status, _)| status)
    }

    /// What a command that must succeed prints as JSON; nothing is shown.
    pub fn json(&self, who: &str, args: &[&str]) -> Result<serde_json::Value> {
        let done = self.spawn(who, &[&["--json"], args].concat())?;
        serde_json::from_slice(&done.stdout)
            .map_err(|_| Error::new(Code::Internal, "a step did not print JSON"))
    }

    fn spawn(&self, who: &str, args: &[&str]) -> Result<Output> {
        let bulla = std::env::current_exe().map_err(io)?;
        let mut command = Command::new(bulla);
        command.current_dir(self.folder.path()).args(["--home", who]).args(args);
        command.output().map_err(io)
    }

    /// Runs this very program in the story's folder, with the home `who`.
    fn run(&self, who: &str, args: &[&str]) -> Result<(u8, String)> {
        outln!("  {who}$ bulla {}", shorten(&args.join(" ")));
        let done = self.spawn(who, args)?;
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        for line in said.lines() {
            outln!("    {}", shorten(line));
        }
        outln!("");
        let status = done.status.code().and_then(|code| u8::try_from(code).ok());
        let status = status.ok_or_else(|| Error::new(Code::Internal, "a step was killed"))?;
        Ok((status, said))
    }
}

/// Public keys are long.
fn shorten(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
