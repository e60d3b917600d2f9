//! Sealing: new envelopes, one by one or in batches, by an issuer or by a device under a template.

use crate::atomic::{Beside, Existing, Unplaced, refuse_existing};
use crate::cobblestone::{Encryptor, Work};
use crate::encoding::{Bytes, Digest256, Id, sha256};
use crate::header::{Description, Header, Metadata};
use crate::jws::{Object, Token};
use crate::keys::{Kinds, Recipient, RootKey, check_recipients};
use crate::license::{self, License, LicenseClaims};
use crate::memory::Secret;
use crate::parts::{Ending, PartsWriter};
use crate::policy::Policy;
use crate::save::Save;
use crate::session::Session;
use crate::template::{self, Permit, Template};
use crate::trail::{Entry, Event};
use crate::wrap::{self, Scope, Wrap};
use crate::{Code, Error, Result, clock, payload};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Makes envelopes for the same recipients under the same policy. Can be shared by threads.
pub struct Sealer<'a> {
    authority: Authority<'a>,
    label: String,
    policy: Vec<u8>,
    policy_name: String,
    recipients: Vec<Recipient>,
    batch: Option<Batch>,
    /// In whose trail it is recorded.
    recorded: Option<&'a Session>,
}

/// In whose name licenses are signed.
enum Authority<'a> {
    Root(&'a RootKey),
    Device { session: &'a Session, template: &'a Template, permit: &'a Permit },
}

/// A key that the files of one run share, wrapped once.
struct Batch {
    id: Id,
    key: Secret,
    wraps: Vec<Wrap>,
}

impl<'a> Sealer<'a> {
    /// Seals in the name of the root.
    ///
    /// # Errors
    /// [`Code::BadPolicy`], or [`Code::BadArgument`] for recipients or label.
    pub fn issued(
        root: &'a RootKey,
        label: &str,
        policy: &[u8],
        recipients: &[Recipient],
        kinds: Kinds,
    ) -> Result<Self> {
        let name = Policy::parse(policy)?.name().to_owned();
        check_recipients(recipients, kinds)?;
        if !crate::encoding::plain_text(label, license::MAX_LABEL) {
            let why = "a label has at most 256 bytes and no control characters";
            return Err(Error::new(Code::BadArgument, why));
        }
        Ok(Sealer {
            authority: Authority::Root(root),
            label: label.to_owned(),
            policy: policy.to_vec(),
            policy_name: name,
            recipients: recipients.to_vec(),
            batch: None,
            recorded: None,
        })
    }

    /// Seals under a template that this device has a permit for. Each file is recorded in the
    /// session's trail.
    ///
    /// # Errors
    /// [`Code::NotPermitted`] if the permit does not fit or has expired or the badge has none of
    /// the roles that may seal, [`Code::NotTrusted`] or [`Code::Signature`] if template or permit
    /// do not count for their root, [`Code::Revoked`], [`Code::Clock`] and [`Code::Trail`] as when
    /// opening.
    pub fn delegated(
        session: &'a Session,
        template: &'a Template,
        permit: &'a Permit,
    ) -> Result<Self> {
        authorize(session, template, permit)?;
        let name = Policy::parse(template.policy())?.name().to_owned();
        Ok(Sealer {
            authority: Authority::Device { session, template, permit },
            label: template.label().to_owned(),
            policy: template.policy().to_vec(),
            policy_name: name,
            recipients: template.recipients(),
            batch: None,
            recorded: Some(session),
        })
    }

    /// Records each file in the session's trail, before it is made.
    pub fn recorded(mut self, session: &'a Session) -> Self {
        self.recorded = Some(session);
        self
    }

    /// From now on all files share one batch key: sealing and opening many then costs one
    /// public-key operation a recipient, not one a file. Who can open one of them can open all.
    pub fn batch(mut self) -> Result<Self> {
        let (id, key) = (Id::random(), Secret::random());
        let wraps = self.wraps(Scope::Batch, &id, &key)?;
        self.batch = Some(Batch { id, key, wraps });
        Ok(self)
    }

    fn wraps(&self, scope: Scope, id: &Id, key: &Secret) -> Result<Vec<Wrap>> {
        self.recipients.iter().map(|r| wrap::wrap(r, scope, id, &self.policy, key)).collect()
    }

    /// Prepares one new envelope: its ids, keys and license.
    pub fn prepare(&self, meta: &Metadata) -> Result<Prepared> {
        let prepared = self.assemble(meta)?;
        self.record(prepared.header.license.claims())?;
        Ok(prepared)
    }

    /// Starts one new envelope beside `path`, whose content comes in parts. It is recorded in the
    /// end, when [`PartsWriter::finish`] puts it in place.
    pub fn in_parts(&self, meta: &Metadata, path: &Path) -> Result<PartsWriter> {
        let prepared = self.assemble(meta)?;
        let license = Arc::clone(&prepared.header.license);
        let inner = prepared.into_stream(Beside::create(path, false)?)?;
        PartsWriter::new(inner, Ending::Sealed(license))
    }

    /// Whether this sealer, which has begun an envelope with these claims, may still make it; that
    /// it does is recorded.
    pub(crate) fn confirm(&self, claims: &LicenseClaims) -> Result<()> {
        let same = match &self.authority {
            Authority::Root(root) => claims.template.is_none() && claims.iss == root.thumbprint(),
            Authority::Device { template, permit, .. } => {
                claims.template.as_ref() == Some(&template.token.text)
                    && claims.permit.as_ref() == Some(&permit.0.text)
            }
        };
        if !same {
            return Err(Error::new(Code::State, "this envelope was begun by another sealer"));
        }
        if let Authority::Device { session, template, permit } = &self.authority {
            authorize(session, template, permit)?;
        }
        self.record(claims)
    }

    fn assemble(&self, meta: &Metadata) -> Result<Prepared> {
        let (file, nonce) = match &self.authority {
            Authority::Root(_) => (Id::random(), None),
            Authority::Device { session, template, permit } => {
                // Badge and permit may end in the middle of a long run.
                authorize(session, template, permit)?;
                let nonce = Id::random();
                let device = session.identity().thumbprint();
                (license::delegated_file_id(&template.token, &device, &nonce), Some(nonce))
            }
        };
        let (file_key, wraps) = match &self.batch {
            Some(batch) => (license::batch_file_key(&batch.key, &file), batch.wraps.clone()),
            None => {
                let key = Secret::random();
                let wraps = self.wraps(Scope::File, &file, &key)?;
                (key, wraps)
            }
        };
        let mut claims = LicenseClaims {
            iss: match &self.authority {
                Authority::Root(root) => root.thumbprint(),
                Authority::Device { template, .. } => template.root(),
            },
            iat: clock::now(),
            jti: Id::random(),
            seq: 1,
            file,
            label: self.label.clone(),
            policy: Bytes(self.policy.clone()),
            batch: self.batch.as_ref().map(|b| b.id),
            wraps,
            template: None,
            permit: None,
            nonce,
        };
        let license = match &self.authority {
            Authority::Root(root) => sign(claims, root)?,
            Authority::Device { session, template, permit } => {
                claims.seq = 0;
                claims.template = Some(template.token.text.clone());
                claims.permit = Some(permit.0.text.clone());
                let token = Token::sign(claims, &session.identity().signing, true);
                License::parse(&token.text)?
            }
        };
        let description = Description::new(&file_key, &file, 1, None, meta)?;
        Ok(Prepared { header: Header::new(license, description)?, file_key })
    }

    fn record(&self, claims: &LicenseClaims) -> Result<()> {
        let Some(session) = self.recorded else { return Ok(()) };
        let entry = Entry {
            subject: session.subject(&claims.iss),
            root: Some(claims.iss),
            file: Some(claims.file),
            license: Some(claims.jti),
            license_seq: Some(claims.seq),
            rev: Some(1),
            policy: Some(self.policy_name.clone()),
            policy_sha256: Some(Digest256(sha256(&self.policy))),
            ..Entry::new(Event::Sealed)
        };
        session.record(entry).map(drop)
    }
}

/// Whether the device, and who sits at it, may seal under a template now.
fn authorize(session: &Session, template: &Template, permit: &Permit) -> Result<()> {
    let root = template.root();
    let device = session.identity().thumbprint();
    let trust = &session.0.standing().trust;
    trust.root(&root)?;
    let (standing, now) = session.stand(&root)?;
    template::verify(trust, &root, &template.token, &permit.0, &device, now)?;
    if permit.expires_at() <= now {
        let why = "the permit to seal with this template has expired: ask for a new one";
        return Err(Error::new(Code::NotPermitted, why));
    }
    standing.revoked.check_delegation(&template.id(), &permit.id(), &device)?;
    standing.revoked.check_who(standing.subject(), &device)?;
    let may = |role: &String| standing.roles(now).contains(role);
    if !template.seal_roles().is_empty() && !template.seal_roles().iter().any(may) {
        let mut why = format!(
            "only these roles may seal with this template, and the badge in use has none: {}",
            template.seal_roles().join(", ")
        );
        if let Some(e) = &standing.no_badge {
            why.push_str(&format!("; it does not count: {e}"));
        }
        return Err(Error::new(Code::NotPermitted, why));
    }
    Ok(())
}

/// Signs an issued license.
pub(crate) fn sign(claims: LicenseClaims, root: &RootKey) -> Result<License> {
    claims.check().map_err(|why| Error::new(Code::Internal, why))?;
    Ok(License { token: Token::sign(claims, &root.signing, false), delegation: None })
}

/// An envelope that lacks its content.
pub struct Prepared {
    pub(crate) header: Header,
    pub(crate) file_key: Secret,
}

impl Prepared {
    /// The new file's id.
    pub fn file_id(&self) -> Id {
        self.header.license.claims().file
    }

    /// Writes the header to `out` and gives the writer for the content. The envelope is complete
    /// after [`Encryptor::finish`].
    pub fn into_stream<W: Write>(self, out: W) -> Result<Encryptor<W>> {
        payload::begin(&self.header, &self.file_key, out)
    }

    /// Starts the envelope beside `path`; [`Writer::finish`] puts it in place. On Unix it has the
    /// permissions of what it is to replace.
    ///
    /// # Errors
    /// [`Code::Exists`] at once if the target is there and is to be kept.
    pub fn into_file(self, path: &Path, existing: Existing) -> Result<Writer> {
        refuse_existing(path, existing)?;
        let beside = Beside::create(path, false)?.replacing(existing)?;
        let finish = Finish { existing, ..Finish::default() };
        Ok(Writer { inner: self.into_stream(beside)?, finish })
    }
}

/// Writes an envelope's content. Without [`finish`](Writer::finish) nothing is left behind, and a
/// file that was to be replaced stays as it was. After a call that failed, all others fail with
/// [`Code::State`].
pub struct Writer {
    inner: Encryptor<Beside>,
    finish: Finish,
}

/// What happens when a writer has all content.
pub(crate) struct Finish {
    existing: Existing,
    like: Option<fs::Metadata>,
    keep_times: bool,
    /// Of a save: what it replaces.
    save: Option<Save>,
}

impl Default for Finish {
    fn default() -> Self {
        Finish { existing: Existing::Keep, like: None, keep_times: false, save: None }
    }
}

impl Writer {
    pub(crate) fn saving(inner: Encryptor<Beside>, save: Save) -> Self {
        Writer { inner, finish: Finish { save: Some(save), ..Finish::default() } }
    }

    /// Takes over permissions, owner and times of the plain file that this replaces.
    pub fn like(mut self, old: fs::Metadata) -> Self {
        self.finish.like = Some(old);
        self.finish.keep_times = true;
        self
    }

    /// Seals all that `from` has.
    pub fn copy_from(&mut self, from: &mut (impl Read + ?Sized)) -> Result<u64> {
        self.inner.copy_from(from)
    }

    /// Seals a file from its start to its end, by several threads where it is large and nothing
    /// was written yet.
    ///
    /// # Errors
    /// [`Code::Changed`] if the file gets shorter meanwhile; that of `work.progress`.
    pub fn copy_file(&mut self, from: &File, work: &mut Work<'_>) -> Result<u64> {
        self.inner.copy_file(from, work)
    }

    /// Writes the last chunk, syncs, and puts the file in place.
    ///
    /// # Errors
    /// [`Code::Exists`] if the target is there and is to be kept; of a save [`Code::Changed`] if
    /// somebody else saved the file meanwhile, [`Code::Ended`] if the decision has ended.
    pub fn finish(self) -> Result<()> {
        let commitment = self.inner.commitment();
        let (beside, finish) = self.complete()?;
        match finish.save {
            Some(save) => save.finish(beside, commitment),
            None => beside.commit(finish.existing, true),
        }
    }

    /// Writes the last chunk, and leaves it to [`place_all`](crate::place_all) to make many files
    /// durable together and put them in place.
    ///
    /// # Errors
    /// [`Code::State`] of a save, which stands alone.
    pub fn finish_unplaced(self) -> Result<Unplaced> {
        if self.finish.save.is_some() {
            return Err(Error::new(Code::State, "a save is finished by itself"));
        }
        let (beside, finish) = self.complete()?;
        Ok(Unplaced { beside, existing: finish.existing })
    }

    fn complete(self) -> Result<(Beside, Finish)> {
        let finish = self.finish;
        let beside = self.inner.finish()?;
        if let Some(old) = &finish.like {
            beside.like(old)?;
            if finish.keep_times
                && let (Ok(accessed), Ok(modified)) = (old.accessed(), old.modified())
            {
                let times = fs::FileTimes::new().set_accessed(accessed).set_modified(modified);
                beside.file().set_times(times).map_err(|e| Error::io("keeping the times", e))?;
            }
        }
        Ok((beside, finish))
    }
}

impl Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.inner.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
