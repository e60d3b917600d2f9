//! What tokens are worth: reads `{"want": "badge", "token": …}` a line after a first line with the
//! setting, writes what the token says or `{"error": code, "message"}` a line.
//!
//! With it, another library is compared with this one: see `tests/independent/token_compare.py`.

use bulla::{About, Code, Error, Result, RootLine, Thumbprint, Trust, TrustList, fuzz};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};

#[derive(Deserialize)]
struct Setting {
    /// A root's line.
    root: String,
    /// That root's trust list.
    list: String,
    device: Thumbprint,
    /// Unix seconds.
    now: u64,
}

#[derive(Deserialize)]
struct Case {
    want: String,
    token: String,
}

fn answer(setting: &Setting, trust: &Trust, root: &Thumbprint, line: &str) -> Result<Value> {
    let Case { want, token } = serde_json::from_str(line)
        .map_err(|_| Error::new(Code::BadArgument, "not an object of want and token"))?;
    match want.as_str() {
        "badge" => {
            let badge = fuzz::badge(&token, trust, root, &setting.device, setting.now)?;
            Ok(json!({"subject": badge.subject, "roles": badge.roles, "groups": badge.groups,
                "issued": badge.issued, "expires": badge.expires, "signer": badge.signer}))
        }
        "attestation" => {
            let found = fuzz::attestation(&token, trust, root, setting.now)?;
            let (about, whom) = match &found.about {
                About::Subject(subject) => ("subject", subject.clone()),
                About::Device(device) => ("device", device.to_string()),
            };
            Ok(json!({"kind": found.kind, about: whom, "issued": found.issued,
                "expires": found.expires, "signer": found.signer}))
        }
        _ => Err(Error::new(Code::BadArgument, "want is badge or attestation")),
    }
}

fn main() -> Result<()> {
    let io = |e| Error::io("lines", e);
    let mut lines = io::stdin().lock().lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new())).map_err(io)?;
    let setting: Setting = serde_json::from_str(&first)
        .map_err(|_| Error::new(Code::BadArgument, "the first line is no setting"))?;
    let root: RootLine = setting.root.parse()?;
    let thumbprint = root.thumbprint();
    let mut trust = Trust::default();
    trust.pin(root);
    trust.use_list(TrustList::parse(&setting.list)?)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in lines {
        let answer = answer(&setting, &trust, &thumbprint, &line.map_err(io)?)
            .unwrap_or_else(|e| json!({"error": e.code().name(), "message": e.to_string()}));
        writeln!(out, "{answer}").map_err(io)?;
    }
    out.flush().map_err(io)
}
