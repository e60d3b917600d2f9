//! `demo`: the whole story on sample files, by the commands themselves.

mod rights;
mod story;

use crate::context::Context;
use crate::output::outln;
use bulla::{Code, Error, Result};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use story::{Story, io, say};

#[derive(Args)]
pub struct Demo {
    /// The folder with sample files
    #[arg(default_value = "examples/data")]
    samples: PathBuf,
}

impl Demo {
    pub fn run(self, _: &Context) -> Result<()> {
        let samples = samples(&self.samples)?;
        let story = Story::new()?;

        say("An insurer becomes an issuer. Its key is the root of all terms.");
        story.step("issuer", &["init", "--name", "Hanbit Insurance"], 0)?;
        story.step("issuer", &["identity", "new", "--name", "privacy office"], 0)?;
        say("A desk at home gets an identity, and pins the insurer's root.");
        story.step("desk", &["identity", "new", "--name", "desk 7"], 0)?;
        story.step("desk", &["trust", "pin", "issuer/root.pub"], 0)?;
        say("A visitor's laptop does the same.");
        story.step("visitor", &["identity", "new", "--name", "visitor"], 0)?;
        story.step("visitor", &["trust", "pin", "issuer/root.pub"], 0)?;

        say("The insurer seals customer files for the desk and for itself.");
        story.write("policy.json", POLICY)?;
        let data = story.path("data");
        fs::create_dir(&data).map_err(io)?;
        for sample in &samples {
            let name = sample.file_name().expect("a file of a folder");
            fs::copy(sample, data.join(name)).map_err(io)?;
        }
        let to = ["--to", "desk/identity.pub", "--to", "issuer/identity.pub"];
        let seal = ["seal", "--policy", "policy.json", "--label", "customer-data"];
        story.step("issuer", &[&seal[..], &to, &["-r", "data"]].concat(), 0)?;

        let first = &samples[0];
        let name = first.file_name().expect("a file of a folder").to_string_lossy().into_owned();
        let envelope = format!("data/{name}.bulla");
        say("Anybody can see what it is. Nobody needs a key for that.");
        story.step("visitor", &["inspect", &envelope], 0)?;
        say("The desk opens every file. Each comes out as it went in.");
        for sample in &samples {
            let name = sample.file_name().expect("a file of a folder").to_string_lossy();
            let out = format!("opened-{name}");
            story.step("desk", &["open", &format!("data/{name}.bulla"), "-o", &out], 0)?;
            let same = fs::read(story.path(&out)).map_err(io)? == fs::read(sample).map_err(io)?;
            if !same {
                return Err(Error::new(Code::Internal, "the opened file differs"));
            }
        }
        outln!("    all {} files are equal to the originals\n", samples.len());

        say("The visitor cannot open it …");
        story.step("visitor", &["open", &envelope, "-o", "stolen"], 3)?;
        say("… until the insurer re-licenses the file for them. The content is not touched.");
        let add = ["relicense", &envelope, "--add", "visitor/identity.pub"];
        story.step("issuer", &add, 0)?;
        story.step("visitor", &["open", &envelope, "-o", "given"], 0)?;

        say("One bit of the content is flipped: refused, and nothing comes out.");
        let mut bytes = fs::read(story.path(&envelope)).map_err(io)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        story.write("changed.bulla", &bytes)?;
        story.step("desk", &["open", "changed.bulla", "-o", "never"], 5)?;
        say("One letter of the signed license is changed: refused before any key is touched.");
        let mut bytes = fs::read(story.path(&envelope)).map_err(io)?;
        let end = bytes.iter().skip(12).position(|b| *b == b'\n').unwrap_or(0) + 12;
        let letter = &mut bytes[end - 20];
        *letter = if *letter == b'A' { b'B' } else { b'A' };
        story.write("loosened.bulla", &bytes)?;
        let status = story.try_step("desk", &["open", "loosened.bulla", "-o", "never"])?;
        if status != 5 || story.path("never").exists() {
            return Err(Error::new(Code::Internal, "a changed license was accepted"));
        }
        rights::tell(&story, &samples)?;
        outln!("Done. Everything above lay in a temporary folder, which is gone now.");
        Ok(())
    }
}

const POLICY: &[u8] = br#"{
  "version": 1,
  "name": "open-office",
  "grants": [{"to": ["anyone"], "rights": ["view", "edit", "export"]}]
}
"#;

/// The sample files, in order; the folder's own notes are none.
fn samples(folder: &Path) -> Result<Vec<PathBuf>> {
    let missing = || {
        let why = "no sample files: run this in the project's folder, or name a folder of files";
        Error::new(Code::NotFound, why)
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|_| missing())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && path.extension().is_some_and(|e| e != "md"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(missing());
    }
    Ok(files)
}
