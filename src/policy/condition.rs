//! The conditions of a policy, as parsed: `require`, and the `when` of each grant.

use super::hours::Window;
use super::names::{Condition, Mode, Provenance, Storage};
use super::network::Networks;
use super::read::{At, is_word};
use super::time;
use crate::error::Result;
use serde_json::Value;
use std::sync::Arc;

/// What a condition needs, and the least provenance that it accepts.
#[derive(Clone, Debug)]
pub(super) struct Rule<T> {
    pub need: T,
    pub accept: Provenance,
    /// What would satisfy it, in words; made once, as every denial shows it.
    pub wanted: Arc<str>,
}

/// Between two points in time, each in Unix seconds: from inclusive, until exclusive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub from: Option<i64>,
    pub until: Option<i64>,
}

/// Each part that is given must hold; of each list, one entry.
#[derive(Clone, Debug)]
pub(super) struct Software {
    /// Never empty: without the key, every mode but bare.
    pub modes: Vec<Mode>,
    pub paths: Vec<String>,
    pub sha256: Vec<[u8; 32]>,
}

/// Fewer than so many opens in a rolling window of so many seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opens {
    pub at_most: u64,
    pub per: u64,
}

/// Kinds of attestations, each with its greatest age in seconds; sorted by kind.
pub(super) type Ages = Vec<(Box<str>, u64)>;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    pub valid: Option<Rule<Validity>>,
    pub revocations: Option<Rule<u64>>,
    pub anchored: Option<Rule<u64>>,
    pub devices: Option<Rule<Vec<[u8; 32]>>>,
    pub hours: Option<Rule<Vec<Window>>>,
    pub network: Option<Rule<Networks>>,
    pub software: Option<Rule<Software>>,
    pub storage: Option<Rule<Vec<Storage>>>,
    pub attested: Option<Rule<Ages>>,
    /// In the order of the policy.
    pub posture: Option<Rule<Vec<Box<str>>>>,
    pub ticket: Option<Rule<()>>,
    pub opens: Option<Rule<Opens>>,
}

impl Conditions {
    /// Reads `require` or `when`.
    pub fn parse(at: &At<'_>) -> Result<Conditions> {
        let names: Vec<_> = Condition::ALL.iter().map(|c| c.name()).collect();
        let o = at.object(&names)?;
        let mut out = Conditions::default();
        for &condition in Condition::ALL {
            let Some(at) = o.get(condition.name()) else { continue };
            out.read(condition, &at)?;
        }
        Ok(out)
    }

    fn read(&mut self, condition: Condition, at: &At<'_>) -> Result<()> {
        match condition {
            Condition::Valid => self.valid = Some(rule(condition, at, valid, show_valid)?),
            Condition::Revocations => {
                let show =
                    |age: &u64| format!("a list not older than {}", time::show_duration(*age));
                self.revocations = Some(rule(condition, at, time::duration, show)?);
            }
            Condition::Anchored => {
                let show = |age: &u64| format!("not longer ago than {}", time::show_duration(*age));
                self.anchored = Some(rule(condition, at, time::duration, show)?);
            }
            Condition::Devices => {
                let read = |at: &At<'_>| at.distinct(1000, thumbprint);
                let show = |all: &Vec<_>| match all.len() {
                    1 => "the one device that the policy names".into(),
                    n => format!("one of the {n} devices that the policy names"),
                };
                self.devices = Some(rule(condition, at, read, show)?);
            }
            Condition::Hours => {
                let show = |all: &Vec<Window>| some(all.iter().map(Window::show));
                self.hours = Some(rule(condition, at, Window::parse_all, show)?);
            }
            Condition::Network => {
                let show = |n: &Networks| {
                    let how = if n.any { "an address" } else { "every address" };
                    format!("{how} in {}", some(n.blocks.iter().map(|b| b.to_string())))
                };
                self.network = Some(rule(condition, at, Networks::parse, show)?);
            }
            Condition::Software => {
                self.software = Some(rule(condition, at, software, show_software)?);
            }
            Condition::Storage => {
                let show = |all: &Vec<Storage>| some(all.iter().map(|s| s.name().into()));
                self.storage = Some(rule(condition, at, storage, show)?);
            }
            Condition::Attested => {
                let show = |all: &Ages| {
                    some(all.iter().map(|(kind, age)| {
                        format!("{kind} not older than {}", time::show_duration(*age))
                    }))
                };
                self.attested = Some(rule(condition, at, attested, show)?);
            }
            Condition::Posture => {
                let read = |at: &At<'_>| at.distinct(64, |at| at.word().map(Box::from));
                let show = |all: &Vec<Box<str>>| some(all.iter().map(|p| p.to_string()));
                self.posture = Some(rule(condition, at, read, show)?);
            }
            Condition::Ticket => {
                let read = |at: &At<'_>| match at.value {
                    Value::Bool(true) => Ok(()),
                    _ => Err(at.error("must be true, or left out")),
                };
                self.ticket = Some(rule(condition, at, read, |()| "a ticket".into())?);
            }
            Condition::Opens => {
                let show = |o: &Opens| {
                    format!("at most {} opens in {}", o.at_most, time::show_duration(o.per))
                };
                self.opens = Some(rule(condition, at, opens, show)?);
            }
        }
        Ok(())
    }

    /// The conditions that are there, with the least provenance that each accepts.
    pub fn accepts(&self) -> impl Iterator<Item = (Condition, Provenance)> {
        fn accept<T>(rule: &Option<Rule<T>>) -> Option<Provenance> {
            rule.as_ref().map(|r| r.accept)
        }
        Condition::ALL.iter().filter_map(|&c| {
            let accept = match c {
                Condition::Valid => accept(&self.valid),
                Condition::Revocations => accept(&self.revocations),
                Condition::Anchored => accept(&self.anchored),
                Condition::Devices => accept(&self.devices),
                Condition::Hours => accept(&self.hours),
                Condition::Network => accept(&self.network),
                Condition::Software => accept(&self.software),
                Condition::Storage => accept(&self.storage),
                Condition::Attested => accept(&self.attested),
                Condition::Posture => accept(&self.posture),
                Condition::Ticket => accept(&self.ticket),
                Condition::Opens => accept(&self.opens),
            };
            accept.map(|accept| (c, accept))
        })
    }
}

/// Reads the plain form, or `{"need": <plain form>, "accept": "asserted"}`.
fn rule<'a, T>(
    condition: Condition,
    at: &At<'a>,
    read: impl Fn(&At<'a>) -> Result<T>,
    show: impl Fn(&T) -> String,
) -> Result<Rule<T>> {
    let long = at.value.get("need").is_some() || at.value.get("accept").is_some();
    let (need, accept) = match long {
        false => (read(at)?, condition.least()),
        true => {
            let o = at.object(&["need", "accept"])?;
            let accept =
                o.need("accept")?.named(Provenance::ALL, Provenance::name, "provenance")?;
            (read(&o.need("need")?)?, accept)
        }
    };
    let wanted = show(&need).into();
    Ok(Rule { need, accept, wanted })
}

/// The first few of a list: messages stay short, whatever the policy.
pub(super) fn some(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(4);
    let shown = all.take(4).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn valid(at: &At<'_>) -> Result<Validity> {
    let o = at.object(&["from", "until"])?;
    let read = |key| o.get(key).map(|at| time::instant(&at)).transpose();
    let valid = Validity { from: read("from")?, until: read("until")? };
    match (valid.from, valid.until) {
        (Some(from), Some(until)) if from >= until => Err(at.error("until must be after from")),
        _ => Ok(valid),
    }
}

fn show_valid(valid: &Validity) -> String {
    match (valid.from.map(time::show_minute), valid.until.map(time::show_minute)) {
        (Some(from), Some(until)) => format!("from {from} until {until}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "any time".into(),
    }
}

/// A thumbprint: 32 bytes as 43 characters of canonical base64url.
pub(super) fn thumbprint(at: &At<'_>) -> Result<[u8; 32]> {
    crate::encoding::unb64_array(at.str()?)
        .ok_or_else(|| at.error("must be a thumbprint: 43 characters of base64url, of 32 bytes"))
}

/// A SHA-256: 64 lower-case hexadecimal digits.
pub(super) fn sha256(at: &At<'_>) -> Result<[u8; 32]> {
    crate::encoding::unhex(at.str()?)
        .ok_or_else(|| at.error("must be 64 lower-case hexadecimal digits"))
}

fn software(at: &At<'_>) -> Result<Software> {
    let o = at.object(&["mode", "path", "sha256"])?;
    let modes = match o.get("mode") {
        Some(at) => at.distinct(3, |at| at.named(Mode::ALL, Mode::name, "mode"))?,
        // Bare must be allowed expressly.
        None => vec![Mode::Managed, Mode::Confined],
    };
    let path = |at: &At<'_>| {
        let path = at.text(1024)?;
        let b = path.as_bytes();
        let drive = b.len() > 2 && b[0].is_ascii_alphabetic() && &b[1..3] == b":\\";
        if !path.starts_with('/') && !path.starts_with("\\\\") && !drive {
            return Err(at.error("must be an absolute path"));
        }
        Ok(path.to_owned())
    };
    Ok(Software {
        modes,
        paths: o.get("path").map_or(Ok(Vec::new()), |at| at.distinct(64, path))?,
        sha256: o.get("sha256").map_or(Ok(Vec::new()), |at| at.distinct(256, sha256))?,
    })
}

fn show_software(software: &Software) -> String {
    let mut out = some(software.modes.iter().map(|m| m.name().into())).replace(", ", " or ");
    out.push_str(" program");
    if !software.paths.is_empty() {
        out.push_str(&format!(" at {}", some(software.paths.iter().cloned())));
    }
    match software.sha256.len() {
        0 => {}
        1 => out.push_str(" with the SHA-256 that the policy names"),
        n => out.push_str(&format!(" with one of {n} SHA-256 that the policy names")),
    }
    out
}

fn storage(at: &At<'_>) -> Result<Vec<Storage>> {
    let read = |at: &At<'_>| at.named(Storage::ALL, Storage::name, "kind of storage");
    if at.value.is_string() { Ok(vec![read(at)?]) } else { at.distinct(3, read) }
}

fn attested(at: &At<'_>) -> Result<Ages> {
    // `need` and `accept` are what the long form of a condition is known by.
    let kind_fits = |kind: &str| is_word(kind) && !["need", "accept"].contains(&kind);
    let read = |(kind, at): (&str, At<'_>)| match kind_fits(kind) {
        true => Ok((kind.into(), time::duration(&at)?)),
        false => Err(at.error("a kind has 1 to 64 lower-case letters, digits, dots and hyphens")),
    };
    at.table(32)?.into_iter().map(read).collect()
}

fn opens(at: &At<'_>) -> Result<Opens> {
    let o = at.object(&["at_most", "per"])?;
    Ok(Opens {
        at_most: o.need("at_most")?.integer(1, 1_000_000_000)?,
        per: time::duration(&o.need("per")?)?,
    })
}
