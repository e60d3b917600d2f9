//! `policy check`, `policy explain`.

use crate::Failure;
use crate::context::{Context, now, read_file, time};
use bulla::policy::{Decision, Facts, Policy, Right, Severity, check, evaluate};
use bulla::{Code, Error, Host, KeyUse, Result, inspect, is_sealed};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Find what is probably not meant
    Check {
        /// The policy
        policy: PathBuf,
    },
    /// Say what somebody could do, when, from where, and why not
    Explain(Box<Explain>),
}

#[derive(Args)]
pub struct Explain {
    /// A policy, or a sealed file
    file: PathBuf,
    /// Ask for one right: exit status 3 if it is not granted
    #[arg(long, value_parser = right)]
    right: Option<Right>,
    /// When: such as 2026-11-27T19:00:00+09:00 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Who: shows a badge that counts for an hour
    #[arg(long, value_name = "SUBJECT")]
    user: Option<String>,
    /// A role on that badge; repeat for more
    #[arg(long, requires = "user")]
    role: Vec<String>,
    /// A group on that badge; repeat for more
    #[arg(long, requires = "user")]
    group: Vec<String>,
    /// A fact as in docs/policy.md, such as network=10.20.3.4 or 'opens={"24h":3}'; repeat for more
    #[arg(long, value_name = "KEY=VALUE")]
    fact: Vec<String>,
}

fn right(name: &str) -> std::result::Result<Right, String> {
    Right::from_name(name).ok_or_else(|| "one of view, edit, print, copy, capture, export".into())
}

impl PolicyCommand {
    pub fn run(self, c: &Context) -> Result<(), Failure> {
        match self {
            PolicyCommand::Check { policy } => run_check(c, &policy),
            PolicyCommand::Explain(explain) => explain.run(c),
        }
    }
}

fn run_check(c: &Context, path: &Path) -> Result<(), Failure> {
    let policy = Policy::parse(&read_file(path)?)?;
    let roles = known_roles(c)?;
    let now = i64::try_from(now()).unwrap_or(i64::MAX);
    let findings = check(&policy, now, roles.as_deref());
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let text = if text.is_empty() { "nothing found".into() } else { text.join("\n") };
    c.print(&text, json!({"policy": policy.name(), "findings": findings}));
    if findings.iter().any(|f| f.severity() == Severity::Error) {
        return Err(Failure::Reported(1));
    }
    Ok(())
}

/// The roles that badges can give here; `None` where no list limits them.
fn known_roles(c: &Context) -> Result<Option<Vec<String>>> {
    let trust = c.home.trust()?;
    let lists = trust.roots().filter_map(|root| trust.list(&root.thumbprint()));
    let signers: Vec<_> = lists
        .flat_map(|list| list.keys())
        .filter(|key| key.uses.contains(&KeyUse::Badge))
        .collect();
    if signers.is_empty() || signers.iter().any(|key| key.roles.is_none()) {
        return Ok(None);
    }
    let roles = signers.iter().filter_map(|key| key.roles.as_ref());
    Ok(Some(roles.flat_map(|roles| roles.allow.clone()).collect()))
}

impl Explain {
    fn run(&self, c: &Context) -> Result<(), Failure> {
        let policy = self.policy()?;
        let decision = self.decision(c, &policy)?;
        let mut lines = vec![format!("policy {}", policy.name())];
        for (right, duties) in decision.rights() {
            let duties = duties.to_string();
            let with = if duties.is_empty() { String::new() } else { format!(", with {duties}") };
            lines.push(format!("may {right}{with}"));
        }
        if decision.is_denial() {
            lines.push("may do nothing".into());
        }
        if let Some(until) = decision.until() {
            lines.push(format!("until {}", time(u64::try_from(until).unwrap_or_default())));
        }
        lines.extend(decision.messages().iter().map(|message| format!("not more: {message}")));
        c.print(&lines.join("\n"), json!({"policy": policy.name(), "decision": decision}));
        match self.right {
            Some(right) if !decision.allows(right) => Err(Failure::Reported(3)),
            _ => Ok(()),
        }
    }

    /// Of a sealed file by the home's own facts, where it has an identity, and what the flags say
    /// otherwise; of a policy by the flags alone.
    fn decision(&self, c: &Context, policy: &Policy) -> Result<Decision> {
        let own = self.is_sealed()? && c.home.has_identity();
        let facts = Facts::parse(Value::Object(self.facts(c, own)?).to_string().as_bytes())?;
        if own {
            c.session(Host::default())?.explain(&self.file, &facts)
        } else {
            Ok(evaluate(policy, &facts))
        }
    }

    fn is_sealed(&self) -> Result<bool> {
        let io = |e| Error::io("reading the file", e);
        let file = File::open(&self.file).map_err(io)?;
        let mut start = [0; 8];
        let n = bulla::cobblestone::ReadAt::read_full_at(&file, &mut start, 0).map_err(io)?;
        Ok(is_sealed(&start[..n]))
    }

    /// The policy itself, or that of a sealed file.
    fn policy(&self) -> Result<Policy> {
        if !self.is_sealed()? {
            return Policy::parse(&read_file(&self.file)?);
        }
        let file = File::open(&self.file).map_err(|e| Error::io("reading the file", e))?;
        let policy = inspect(&file)?.policy;
        let unreadable = || Error::new(Code::BadPolicy, "the file's policy cannot be read");
        Policy::parse(policy.ok_or_else(unreadable)?.to_string().as_bytes())
    }

    /// What the flags say; `own`: beside what the home knows by itself.
    fn facts(&self, c: &Context, own: bool) -> Result<Map<String, Value>> {
        let mut facts = Map::new();
        let at = self.at.clone().unwrap_or_else(|| time(now()));
        if self.at.is_some() || !own {
            facts.insert("time".into(), at.clone().into());
        }
        if !own && let Ok(public) = c.home.public_identity() {
            facts.insert("device".into(), public.thumbprint().to_string().into());
        }
        if let Some(user) = &self.user {
            let known = Facts::parse(json!({"time": at}).to_string().as_bytes())?.time;
            let start = known.map_or(0, |t| t.value);
            let expires = time(u64::try_from(start.saturating_add(3600)).unwrap_or_default());
            let badge = json!({"subject": user, "roles": self.role, "groups": self.group,
                               "expires": expires});
            facts.insert("badge".into(), badge);
        }
        for fact in &self.fact {
            let (key, text) = fact.split_once('=').ok_or_else(|| {
                Error::new(Code::BadArgument, "a fact is given as KEY=VALUE, see docs/policy.md")
            })?;
            let list = ["network", "posture", "duties"].contains(&key);
            let value = match serde_json::from_str::<Value>(text) {
                Ok(value) if !list || value.is_array() || value.is_object() => value,
                _ if list => text.split(',').map(Value::from).collect(),
                Ok(value) => value,
                Err(_) => text.into(),
            };
            facts.insert(key.into(), value);
        }
        Ok(facts)
    }
}
