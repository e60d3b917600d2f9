//! Re-licensing: new terms for a file that exists, by the root that issued it.

use crate::access::{self, Content, Target};
use crate::atomic::Beside;
use crate::cobblestone::Work;
use crate::copy::copy_range;
use crate::encoding::{Bytes, Id, KeyId};
use crate::header::{Description, Header};
use crate::keys::{KemKind, Kinds, Recipient, RootKey, check_recipients, mixed_kinds};
use crate::license::LicenseClaims;
use crate::memory::Secret;
use crate::policy::Policy;
use crate::save::Original;
use crate::seal::sign;
use crate::session::Session;
use crate::trail::{Entry, Event};
use crate::wrap::{self, Scope};
use crate::{Code, Error, Result, clock, payload};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// What changes in the terms of a file.
#[derive(Clone, Debug)]
pub struct Changes<'a> {
    /// Recipients to add.
    pub add: &'a [Recipient],
    /// Recipients to remove. The content is then encrypted again under a fresh key; copies that
    /// were taken before stay readable to them.
    pub remove: &'a [KeyId],
    /// The new policy. All keys are then wrapped again.
    pub policy: Option<&'a [u8]>,
    /// Public keys to wrap to again: a license holds only their ids.
    pub known: &'a [Recipient],
    /// Whether recipients may differ in kind.
    pub kinds: Kinds,
}

/// What [`relicense`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relicensed {
    /// The new license's `seq`.
    pub seq: u64,
    /// Whether the content was encrypted again.
    pub reencrypted: bool,
}

/// Replaces the license of the file at `path`. `root` must have issued it, the session's identity
/// must be one of its recipients. It is recorded in the session's trail. Without removals the
/// payload is copied as it is, or its blocks are shared where the file system can.
///
/// # Errors
/// Those of opening, except for the policy, which does not bind its issuer;
/// [`Code::NotPermitted`] if another root issued the file; [`Code::BadArgument`] if a public key
/// that is needed is not known; [`Code::Changed`] if somebody else saved the file meanwhile.
pub fn relicense(
    path: &Path,
    root: &RootKey,
    session: &Session,
    changes: &Changes<'_>,
    work: &mut Work<'_>,
) -> Result<Relicensed> {
    let file = File::open(path).map_err(|e| Error::io("opening the file", e))?;
    let (old, stored) = Header::read(&file)?;
    let claims = old.license.claims();
    session.0.standing().verify(&old.license, clock::now())?;
    if claims.iss != root.thumbprint() {
        let why = "only the root that issued a file can re-license it";
        return Err(Error::new(Code::NotPermitted, why));
    }
    access::admit_issuer(&session.0, &Target::of(&session.0, &old, || None)?)?;
    let file_key = old.license.file_key(&session.identity().kem, &session.0.batch_keys)?;
    let content = payload::open(&old, &file_key, &file, stored)?;
    let metadata = old.description.open(&file_key, &claims.file)?;

    let reencrypted = !changes.remove.is_empty();
    let new_key = if reencrypted { Secret::random() } else { file_key };
    let claims = new_claims(claims, changes, &new_key)?;
    let (seq, id) = (claims.seq, claims.file);
    let license = Arc::new(sign(claims, root)?);
    let rev = old.description.rev + u64::from(reencrypted);
    let target = Target::made(&session.0, &license, rev)?;
    let subject = session.subject(&root.thumbprint());
    let entry = |event| Entry { subject: subject.clone(), ..target.entry(&session.0, event) };
    let record = session.record(entry(Event::Relicensed))?;

    let replaced = (|| {
        let beside = Beside::create(path, false)?;
        let io = |e| Error::io("writing the re-licensed file", e);
        let (made, new) = if reencrypted {
            let prev = content.commitment();
            let description = Description::new(&new_key, &id, rev, Some(&prev), &metadata)?;
            let header = Header::new(license, description)?;
            let mut encryptor = payload::begin(&header, &new_key, beside)?;
            content.copy_by(&mut encryptor, work)?;
            (encryptor.commitment(), encryptor.finish()?)
        } else {
            let header = old.relicensed(license)?;
            let mut beside = beside;
            beside.write_all(&header.to_bytes()).map_err(io)?;
            let to = (beside.file(), header.payload_at);
            copy_range((&file, old.payload_at), to, stored, work)?;
            // Checked on the bytes as they were copied.
            payload::open(&header, &new_key, beside.file(), stored)?;
            (content.commitment(), beside)
        };
        let commitment = content.commitment();
        Original { path: path.to_owned(), header: old.to_bytes(), commitment }.replace(new)?;
        access::remember(&session.0, &target, record, &made, Content::Made)?;
        Ok(())
    })();
    replaced.map_err(|e| {
        access::refused(&session.0, Entry { of: Some(record), ..entry(Event::Failed) }, e)
    })?;
    Ok(Relicensed { seq, reencrypted })
}

/// The claims of the next license.
fn new_claims(old: &LicenseClaims, changes: &Changes<'_>, key: &Secret) -> Result<LicenseClaims> {
    let bad = |why: String| Error::new(Code::BadArgument, why);
    if let Some(policy) = changes.policy {
        Policy::parse(policy)?;
    }
    let policy = changes.policy.unwrap_or(&old.policy.0);
    for id in changes.remove {
        if !old.wraps.iter().any(|w| w.to == *id) {
            return Err(bad(format!("{id} is not a recipient of this file")));
        }
    }
    let added: Vec<KeyId> = changes.add.iter().map(Recipient::key_id).collect();
    if let Some(id) = added.iter().find(|id| old.wraps.iter().any(|w| w.to == **id)) {
        return Err(bad(format!("{id} is a recipient of this file already")));
    }

    // A batch key opens other files too: whoever comes later gets this file's key alone.
    let rewrap = changes.policy.is_some() || !changes.remove.is_empty();
    let wrap = |r: &Recipient| wrap::wrap(r, Scope::File, &old.file, policy, key);
    let (mut wraps, mut kinds) = (Vec::new(), Vec::new());
    for existing in old.wraps.iter().filter(|w| !changes.remove.contains(&w.to)) {
        if rewrap {
            let known = changes.known.iter().find(|r| r.key_id() == existing.to);
            let known = known.ok_or_else(|| {
                bad(format!("the public key of the recipient {} is not known here", existing.to))
            })?;
            wraps.push(wrap(known)?);
        } else {
            wraps.push(existing.clone());
        }
        kinds.extend(existing.kind());
    }
    for recipient in changes.add {
        wraps.push(wrap(recipient)?);
        kinds.push(recipient.kind());
    }
    check_mix(changes, &kinds)?;
    Ok(LicenseClaims {
        iss: old.iss,
        iat: clock::now(),
        jti: Id::random(),
        seq: old.seq + 1,
        file: old.file,
        label: old.label.clone(),
        policy: Bytes(policy.to_vec()),
        batch: old.batch.filter(|_| !rewrap),
        wraps,
        template: None,
        permit: None,
        nonce: None,
    })
}

fn check_mix(changes: &Changes<'_>, kinds: &[KemKind]) -> Result<()> {
    if kinds.is_empty() {
        return Err(Error::new(Code::BadArgument, "no recipient would be left"));
    }
    let mixed = kinds.iter().any(|k| *k != kinds[0]);
    if mixed && changes.kinds == Kinds::Same && !changes.add.is_empty() {
        return Err(mixed_kinds());
    }
    if changes.add.is_empty() { Ok(()) } else { check_recipients(changes.add, Kinds::Mixed) }
}
