//! Evaluates policies: reads `{"policy": …, "facts": …}` a line, writes a decision a line.
//!
//! A line whose policy or facts are refused gives `{"error": "bad-policy"}` and the message. With
//! it, another evaluator is compared with this one: see `tests/independent/policy_compare.py`.

use bulla::policy::{Decision, Facts, Policy, evaluate};
use bulla::{Code, Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{self, BufRead, Write};

/// Both parts as they stand: their readers are stricter than serde_json.
#[derive(Deserialize)]
struct Case<'a> {
    #[serde(borrow)]
    policy: &'a RawValue,
    #[serde(borrow)]
    facts: &'a RawValue,
}

fn decide(line: &str) -> Result<Decision> {
    let case: Case<'_> = serde_json::from_str(line)
        .map_err(|_| Error::new(Code::BadArgument, "not an object of a policy and facts"))?;
    let policy = Policy::parse(case.policy.get().as_bytes())?;
    let facts = Facts::parse(case.facts.get().as_bytes())?;
    Ok(evaluate(&policy, &facts))
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        match decide(&line?) {
            Ok(decision) => serde_json::to_writer(&mut out, &decision)?,
            Err(e) => {
                let error = serde_json::json!({"error": e.code().name(), "message": e.to_string()});
                serde_json::to_writer(&mut out, &error)?;
            }
        }
        out.write_all(b"\n")?;
    }
    out.flush()
}
