//! Licenses and trust lists that anyone might sign: claims and headers with edits, signed by a key
//! of the input's choice. What verifies was signed by one who may, and keeps the format's rules; what
//! opens then is what was sealed.

use crate::json::{self, parts};
use crate::world::{self, World, envelope};
use arbitrary::{Result, Unstructured};
use bulla::{Access, Class, Session, TrustList};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

type Object = Map<String, Value>;

const TEXT: &[u8] = b"text";

/// Envelopes, taken apart, of one world.
struct Bases {
    issuer: String,
    of: Vec<Base>,
}

struct Base {
    header: Object,
    claims: Object,
    rest: Vec<u8>,
}

thread_local! {
    static BASES: RefCell<Option<Bases>> = const { RefCell::new(None) };
}

pub fn run(data: &[u8]) -> bool {
    world::with(|world| {
        BASES.with_borrow_mut(|bases| {
            let issuer = world.root.thumbprint().to_string();
            if bases.as_ref().is_none_or(|bases| bases.issuer != issuer) {
                *bases = Some(Bases::new(world));
            }
            let bases = bases.as_ref().expect("made above");
            drive(world, bases, &mut Unstructured::new(data)).unwrap_or(false)
        })
    })
}

impl Bases {
    fn new(world: &World) -> Self {
        let batch = world.issued_to(&[&world.session, &world.hybrid]).batch().unwrap();
        let sealed = [world.issued(), world.delegated(), batch].map(|s| envelope(&s, TEXT));
        let issuer = world.root.thumbprint().to_string();
        Bases { issuer, of: sealed.iter().map(|sealed| Base::of(sealed)).collect() }
    }
}

impl Base {
    fn of(sealed: &[u8]) -> Self {
        let end = sealed.iter().skip(12).position(|b| *b == b'\n').expect("line 1") + 12;
        let line = std::str::from_utf8(&sealed[12..end]).expect("text");
        let (header, claims) = parts(line);
        Base { header, claims, rest: sealed[end..].to_vec() }
    }

    /// An envelope with this first line.
    fn with(&self, line: &str) -> Vec<u8> {
        let end = self.rest.iter().skip(1).position(|b| *b == b'\n').expect("line 2") + 2;
        let second = &self.rest[..end];
        // What was sealed is empty enough: salt, commitment, one short chunk.
        let payload = &self.rest[self.rest.len() - 76..];
        let at = (12 + line.len() + second.len()).next_multiple_of(4096);
        let mut out = b"\x89BULLA\x01\n".to_vec();
        out.extend((at as u32).to_le_bytes());
        out.extend(line.as_bytes());
        out.extend(second);
        out.resize(at, 0);
        out.extend(payload);
        out
    }
}

fn drive(world: &World, bases: &Bases, u: &mut Unstructured<'_>) -> Result<bool> {
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let keys = [&world.root_secret, &world.device_secret, &stranger];
    let by = |u: &mut Unstructured<'_>, rightful: usize| -> Result<usize> {
        if u.ratio(3, 4)? { Ok(rightful) } else { u.choose_index(keys.len()) }
    };
    if u.ratio(1, 4)? {
        return trust_list(world, u, &keys);
    }
    let base = u.choose(&bases.of)?;
    let delegated = base.header.contains_key("jwk");
    let header = json::edited(u, &base.header, 1)?;
    let mut claims = base.claims.clone();
    if delegated && u.ratio(1, 3)? {
        // Of what a license carries, the template or the permit is signed anew.
        let name = *u.choose(&["template", "permit"])?;
        let (header, inner) = parts(claims[name].as_str().expect("a JWS"));
        let (header, inner) = (json::edited(u, &header, 1)?, json::edited(u, &inner, 2)?);
        let by = by(u, 0)?;
        let signed = json::jws(&header, &inner, |m| keys[by].sign(m).to_bytes().to_vec());
        claims.insert(name.into(), signed.into());
    }
    let claims = json::edited(u, &claims, 3)?;
    let by = by(u, usize::from(delegated))?;
    let line = json::jws(&header, &claims, |m| keys[by].sign(m).to_bytes().to_vec());
    let sealed = base.with(&line);
    let found = match bulla::inspect(&sealed) {
        Ok(found) => found,
        Err(e) => {
            assert_eq!(e.class(), Class::Format, "{e}");
            return Ok(false);
        }
    };
    if let Err(e) = found.verify(&world.trust) {
        assert!(matches!(e.class(), Class::Denied | Class::Tampered), "{e}");
        return Ok(false);
    }
    // serde_json keeps the last of members that stand twice; ours must have refused those.
    let read: Object = serde_json::from_str(&claims).expect("what was parsed is JSON");
    assert_eq!(by, usize::from(read.contains_key("template")), "signed by another: {claims}");
    lawful(world, &read).unwrap_or_else(|why| panic!("{why}: {claims}"));
    let opened = [&world.session, &world.hybrid].map(|session| opens_to(session, &sealed));
    if read == base.claims {
        // Only the batch is for both.
        assert_eq!(opened, [true, read.contains_key("batch")], "as it was sealed");
    }
    Ok(true)
}

/// Whether it opens. What its wraps give, if anything, opens what was sealed.
fn opens_to(session: &Session, sealed: &[u8]) -> bool {
    // After a license with a higher number those with a lower one are refused otherwise.
    let access = Access { older: true, ..Access::default() };
    let opened = session.open_source_for(sealed, access);
    let mut out = [0; TEXT.len() + 1];
    match opened.and_then(|reader| reader.read_at(&mut out, 0)) {
        Ok(n) => assert_eq!(&out[..n], TEXT, "other bytes than were sealed"),
        Err(e) => {
            assert!(matches!(e.class(), Class::Format | Class::Tampered | Class::Denied), "{e}");
            return false;
        }
    }
    true
}

/// Section 3 of the format, read again.
fn lawful(world: &World, claims: &Object) -> std::result::Result<(), &'static str> {
    let must = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
    let known = [
        "iss", "iat", "jti", "seq", "file", "label", "policy", "batch", "wraps", "template",
        "permit", "nonce",
    ];
    must(claims.keys().all(|name| known.contains(&name.as_str())), "an unknown member")?;
    must(claims["iss"] == world.root.thumbprint().to_string(), "another root")?;
    let id = |name: &str| claims[name].as_str().is_some_and(|t| t.len() == 32);
    must(id("jti") && id("file"), "an id of another length")?;
    let delegated = claims.contains_key("template");
    must(claims["seq"].as_u64().is_some_and(|seq| (seq == 0) == delegated), "its seq")?;
    must(claims["iat"].as_u64().is_some_and(|t| t < 1 << 53), "its time")?;
    let label = claims["label"].as_str().ok_or("no label")?;
    must(label.len() <= 256 && !label.chars().any(char::is_control), "its label")?;
    let policy = json::unb64(claims["policy"].as_str().ok_or("no policy")?);
    must((1..=65_536).contains(&policy.len()), "its policy's length")?;
    let wraps = claims["wraps"].as_array().ok_or("no wraps")?;
    must((1..=500).contains(&wraps.len()), "how many wraps")?;
    let to: BTreeSet<_> = wraps.iter().map(|wrap| wrap["to"].as_str()).collect();
    must(to.len() == wraps.len(), "two wraps for one recipient")?;
    let batch = wraps.iter().any(|wrap| wrap["scope"] == "batch");
    must(batch == claims.contains_key("batch"), "a batch id without a wrap, or without the id")
}

fn trust_list(world: &World, u: &mut Unstructured<'_>, keys: &[&SigningKey]) -> Result<bool> {
    let (header, claims) = parts(world.list.as_str());
    let (header, claims) = (json::edited(u, &header, 1)?, json::edited(u, &claims, 4)?);
    let by = if u.ratio(3, 4)? { 0 } else { u.choose_index(keys.len())? };
    let text = json::jws(&header, &claims, |m| keys[by].sign(m).to_bytes().to_vec());
    let Ok(list) = TrustList::parse(&text) else { return Ok(false) };
    let read: Object = serde_json::from_str(&claims).expect("what was parsed is JSON");
    assert!(list.seq() > 0 && list.seq() == read["seq"].as_u64().expect("a number"));
    let mut trust = bulla::Trust::default();
    trust.pin(world.root.line().clone());
    if trust.use_list(list.clone()).is_err() {
        return Ok(false);
    }
    assert_eq!((by, list.root()), (0, world.root.thumbprint()), "a list by somebody else");
    let known: BTreeSet<_> = list.keys().iter().map(|key| key.jwk.thumbprint()).collect();
    assert_eq!(known.len(), list.keys().len(), "a key stands twice");
    Ok(true)
}
