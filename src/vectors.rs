//! The envelope vectors of `tests/vectors/envelopes`, through both ways of opening. They were made
//! by the independent writer in `tests/independent`, one defect each.

use crate::clock::Clock;
use crate::keys::{KemKind, KemSecret};
use crate::measure::machine;
use crate::memory::Secret;
use crate::{Error, Home, Host, Identity, Metadata, Result, Session, TrustList};
use serde::Deserialize;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

#[derive(Deserialize)]
struct Vector {
    name: String,
    now: u64,
    roots: Vec<String>,
    trust: Vec<String>,
    identity: Key,
    envelope: String,
    expect: Expect,
}

#[derive(Deserialize)]
struct Key {
    kind: String,
    secret: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Ok { sha256: String, size: usize, meta: Metadata },
    Error(String),
}

impl Vector {
    fn session(&self, folder: &Path) -> Session {
        let home = Home::at(folder);
        let kind = KemKind::from_name(&self.identity.kind).expect("a kind");
        let secret = data_encoding::HEXLOWER.decode(self.identity.secret.as_bytes()).unwrap();
        let secret = KemSecret::from_secret(kind, Secret::from_slice(&secret).unwrap());
        let identity = Identity::for_vector(secret);
        home.create_identity_at(&identity, None, self.now).unwrap();
        for root in &self.roots {
            home.pin(&root.parse().expect("a root's line")).unwrap();
        }
        for list in &self.trust {
            // One that does not verify is not held.
            let _ = TrustList::parse(list).and_then(|list| home.use_list_at(&list, self.now));
        }
        let clock = Clock::Fixed(Arc::new(self.now.into()));
        Session::with(&home, identity, Host::default(), clock, machine()).unwrap()
    }

    /// What went otherwise than expected.
    fn run(&self, got: Result<(Vec<u8>, Metadata)>) -> Option<String> {
        match (&self.expect, got) {
            (Expect::Error(class), Err(e)) if e.class().name() == class => None,
            (Expect::Ok { sha256, size, meta }, Ok((text, got))) => {
                let digest = data_encoding::HEXLOWER.encode(&crate::encoding::sha256(&text));
                (digest != *sha256 || text.len() != *size || got != *meta)
                    .then(|| "opened to something else".into())
            }
            (_, Err(e)) => Some(format!("{} ({e})", e.class().name())),
            (_, Ok(_)) => Some("opened".into()),
        }
    }
}

fn at_any_place(session: &Session, envelope: &[u8]) -> Result<(Vec<u8>, Metadata)> {
    let reader = session.open_source(envelope)?;
    let mut text = vec![0; reader.len() as usize];
    let n = reader.read_at(&mut text, 0)?;
    assert_eq!(n, text.len());
    Ok((text, reader.metadata().clone()))
}

fn as_stream(session: &Session, envelope: &[u8]) -> Result<(Vec<u8>, Metadata)> {
    let mut stream = session.open_stream(envelope)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).map_err(|e| Error::io("reading", e))?;
    Ok((text, stream.metadata().clone()))
}

#[test]
fn envelopes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/envelopes");
    let (mut ran, mut wrong) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let vector: Vector = serde_json::from_slice(&text).unwrap();
        let envelope = data_encoding::BASE64.decode(vector.envelope.as_bytes()).unwrap();
        let home = crate::memory_folder();
        let session = vector.session(home.path());
        for (way, open) in [("seek", at_any_place as fn(&_, &_) -> _), ("stream", as_stream)] {
            if let Some(problem) = vector.run(open(&session, &envelope)) {
                wrong.push(format!("{} ({way}): {problem}", vector.name));
            }
        }
        ran += 1;
    }
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran >= 500, "{ran} vectors");
}
