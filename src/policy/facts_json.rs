//! Facts as JSON, for `policy explain`, the decision vectors and other evaluators.

use super::duty::DutySet;
use super::facts::{Attestation, Badge, Facts, Known, Posture, Program};
use super::names::{Duty, Mode, Provenance, Storage};
use super::read::At;
use super::{condition, time};
use crate::error::{Code, Error, Result};
use crate::json;
use serde_json::Value;

/// Bounds on lists of facts: far above what is real.
const MANY: usize = 10_000;

impl Facts {
    /// Reads facts from JSON; `docs/policy.md` describes the form. Errors carry
    /// [`Code::BadArgument`].
    pub fn parse(bytes: &[u8]) -> Result<Facts> {
        let value = json::value(bytes).map_err(|e| Error::new(Code::BadArgument, e))?;
        Facts::from_value(&value)
    }

    /// The same, from a value that came from [`json::value`].
    pub(crate) fn from_value(value: &Value) -> Result<Facts> {
        let at = At::root(value, Code::BadArgument);
        if value.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Facts::default());
        }
        let o = at.object(&[
            "time",
            "badge",
            "device",
            "anchor",
            "revocations",
            "network",
            "program",
            "storage",
            "attestations",
            "posture",
            "ticket",
            "opens",
            "duties",
        ])?;
        let measured = Provenance::Measured;
        let attested = Provenance::Attested;
        let mut facts = Facts {
            time: o.get("time").map(|at| known(&at, measured, time::instant)).transpose()?,
            badge: o.get("badge").map(|at| badge(&at)).transpose()?,
            device: o
                .get("device")
                .map(|at| known(&at, measured, condition::thumbprint))
                .transpose()?,
            anchor: o.get("anchor").map(|at| known(&at, attested, time::instant)).transpose()?,
            revocations: o
                .get("revocations")
                .map(|at| known(&at, attested, time::instant))
                .transpose()?,
            network: o.get("network").map(|at| known(&at, measured, addresses)).transpose()?,
            program: o.get("program").map(|at| known(&at, measured, program)).transpose()?,
            storage: o.get("storage").map(|at| known(&at, measured, storage)).transpose()?,
            ..Facts::default()
        };
        if let Some(at) = o.get("attestations") {
            facts.attestations = all(&at, attestation)?;
        }
        if let Some(at) = o.get("posture") {
            facts.posture = all(&at, posture)?;
        }
        if let Some(at) = o.get("ticket") {
            let ticket = known(&at, Provenance::Asserted, |at| match at.value {
                Value::Bool(true) => Ok(()),
                _ => Err(at.error("must be true, or left out")),
            })?;
            facts.ticket = Some(ticket.by);
        }
        if let Some(at) = o.get("opens") {
            let table = known(&at, measured, opens)?;
            for (at, per, count) in table.value {
                if facts.opens.insert(per, Known { value: count, by: table.by }).is_some() {
                    return Err(at.error("the same window twice"));
                }
            }
        }
        if let Some(at) = o.get("duties") {
            // A host may declare what only newer policies ask for.
            facts.duties = all(&at, |at| Ok(Duty::from_name(at.str()?)))?
                .into_iter()
                .flatten()
                .collect::<DutySet>();
        }
        Ok(facts)
    }
}

/// Either the plain value, known in the natural way, or `{"value": …, "by": "asserted"}`.
fn known<'a, T>(
    at: &At<'a>,
    natural: Provenance,
    read: impl Fn(&At<'a>) -> Result<T>,
) -> Result<Known<T>> {
    if at.value.get("value").is_none() && at.value.get("by").is_none() {
        return Ok(Known { value: read(at)?, by: natural });
    }
    let o = at.object(&["value", "by"])?;
    Ok(Known { value: read(&o.need("value")?)?, by: provenance(&o.need("by")?)? })
}

fn provenance(at: &At<'_>) -> Result<Provenance> {
    at.named(Provenance::ALL, Provenance::name, "provenance")
}

/// A list that may be empty: "no address" is something to know.
fn all<'a, T>(at: &At<'a>, read: impl Fn(&At<'a>) -> Result<T>) -> Result<Vec<T>> {
    if at.value.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    at.list(MANY)?.iter().map(read).collect()
}

fn badge(at: &At<'_>) -> Result<Badge> {
    let o = at.object(&["subject", "roles", "groups", "expires"])?;
    let names = |key: &str| match o.get(key) {
        Some(at) => all(&at, |at| Ok(at.text(256)?.to_owned())),
        None => Ok(Vec::new()),
    };
    Ok(Badge {
        subject: o.need("subject")?.text(256)?.to_owned(),
        roles: names("roles")?,
        groups: names("groups")?,
        expires: time::instant(&o.need("expires")?)?,
    })
}

fn addresses(at: &At<'_>) -> Result<Vec<std::net::IpAddr>> {
    all(at, |at| at.str()?.parse().map_err(|_| at.error("must be an IP address")))
}

fn program(at: &At<'_>) -> Result<Program> {
    let o = at.object(&["mode", "path", "sha256"])?;
    Ok(Program {
        mode: o.need("mode")?.named(Mode::ALL, Mode::name, "mode")?,
        path: o.get("path").map(|at| at.text(1024).map(str::to_owned)).transpose()?,
        sha256: o.get("sha256").map(|at| condition::sha256(&at)).transpose()?,
    })
}

fn storage(at: &At<'_>) -> Result<Storage> {
    at.named(Storage::ALL, Storage::name, "kind of storage")
}

fn attestation(at: &At<'_>) -> Result<Attestation> {
    let o = at.object(&["kind", "issued", "expires", "by"])?;
    Ok(Attestation {
        kind: o.need("kind")?.word()?.to_owned(),
        issued: time::instant(&o.need("issued")?)?,
        expires: time::instant(&o.need("expires")?)?,
        by: o.get("by").map_or(Ok(Provenance::Attested), |at| provenance(&at))?,
    })
}

fn posture(at: &At<'_>) -> Result<Posture> {
    if at.value.is_string() {
        let name = at.word()?.to_owned();
        return Ok(Posture { name, expires: None, by: Provenance::Attested });
    }
    let o = at.object(&["name", "expires", "by"])?;
    Ok(Posture {
        name: o.need("name")?.word()?.to_owned(),
        expires: o.get("expires").map(|at| time::instant(&at)).transpose()?,
        by: o.get("by").map_or(Ok(Provenance::Attested), |at| provenance(&at))?,
    })
}

fn opens<'a>(at: &At<'a>) -> Result<Vec<(At<'a>, u64, u64)>> {
    let read = |(key, at): (&str, At<'a>)| {
        let per = time::parse_duration(key).ok_or_else(|| at.error("stands under no duration"))?;
        let count = at.integer(0, json::MAX_INTEGER)?;
        Ok((at, per, count))
    };
    at.table(MANY)?.into_iter().map(read).collect()
}
