//! Sealers: new envelopes, by an issuer or by a device under a template.

use crate::error::Error;
use crate::export::existing;
use crate::guard::{guard, guard_or};
use crate::io::{HostSink, Sink};
use crate::options::{BULLA_BATCH, BULLA_MIXED_KINDS, SealOptions, SealerOptions, flags, metadata};
use crate::ptr::{self, Core, Object};
use crate::session::{Session, home, passphrase};
use crate::writer::Writer;
use bulla_core::{
    Code, Kinds, Metadata, Permit, Prepared, PublicIdentity, Result, RootKey, Sealer as CoreSealer,
    Template, read_lines,
};
use self_cell::self_cell;
use std::ffi::c_char;
use std::path::PathBuf;

/// Makes envelopes for the same recipients under the same policy. Many threads may use it at once.
pub struct Sealer {
    core: Core,
    owned: Owned,
}

impl Object for Sealer {
    const NAME: &'static str = "sealer";

    fn core(&self) -> &Core {
        &self.core
    }
}

/// What a core's sealer borrows.
enum Authority {
    Root(RootKey, Option<bulla_core::Session>),
    Device(bulla_core::Session, Box<Template>, Permit),
}

self_cell! {
    struct Owned {
        owner: Authority,
        #[covariant]
        dependent: CoreSealer,
    }
}

impl Sealer {
    pub(crate) fn prepare(&self, metadata: &Metadata) -> Result<Prepared> {
        self.owned.borrow_dependent().prepare(metadata)
    }
}

fn batched(sealer: CoreSealer<'_>, flags: u32) -> Result<CoreSealer<'_>> {
    if flags & BULLA_BATCH != 0 { sealer.batch() } else { Ok(sealer) }
}

/// A sealer in the name of a root, whose key the home has. Its recipients are remembered in the
/// home for later re-licensing. Free it with `bulla_sealer_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`, also for no, too many, repeated or unlike recipients;
/// `BULLA_E_BAD_POLICY`; `BULLA_E_BAD_KEY` for a recipient's line or the key file;
/// `BULLA_E_HOME_INCOMPLETE` without a root key, `BULLA_E_SECRET_EXPOSED`,
/// `BULLA_E_WRONG_PASSPHRASE`; the *I/O* ones.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_new(
    options: *const SealerOptions,
    out_sealer: *mut *mut Sealer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_sealer, "out_sealer")?;
        let options = ptr::read_struct(options, "options")?;
        let flags = flags(options.flags, BULLA_BATCH | BULLA_MIXED_KINDS)?;
        let session = ptr::object_or_none(options.session)?.map(|s| s.inner.clone());
        let label = ptr::text_or_none(options.label, "label")?.unwrap_or_default();
        let policy = ptr::bytes(options.policy, options.policy_len, "policy")?;
        let lines: Vec<PublicIdentity> = read_lines(ptr::text(options.recipients, "recipients")?)?;
        let to: Vec<_> = lines.iter().map(|line| line.recipient().clone()).collect();
        let kinds = if flags & BULLA_MIXED_KINDS != 0 { Kinds::Mixed } else { Kinds::Same };
        let home = home(options.home, options.home_w)?;
        let root = home.root_key(passphrase(options.passphrase)?.as_ref())?;
        let owned = Owned::try_new(Authority::Root(root, session), |authority| {
            let Authority::Root(root, session) = authority else { return Err(mixed_up()) };
            let sealer = CoreSealer::issued(root, label, policy, &to, kinds)?;
            let sealer = match session {
                Some(session) => sealer.recorded(session),
                None => sealer,
            };
            batched(sealer, flags)
        })?;
        home.remember_recipients(&lines)?;
        ptr::give(out, Sealer { core: Core::new(), owned });
        Ok(())
    })
}

/// A sealer of a device that has a permit for a template. Each file is recorded in the session's
/// trail. `template_text` is the template's file; `permit` may be NULL: the one of the session's
/// home that counts longest. `flags`: `BULLA_BATCH`, or 0. Free it with `bulla_sealer_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`; `BULLA_E_BAD_TOKEN` and `BULLA_E_BAD_KEY` for what cannot be
/// read; `BULLA_E_NOT_PERMITTED` if there is no permit, or it does not fit, or the badge has none
/// of the roles that may seal; `BULLA_E_NOT_TRUSTED`, `BULLA_E_BAD_SIGNATURE`, `BULLA_E_REVOKED`,
/// `BULLA_E_CLOCK_BEHIND` and those of the trail. Each sealing checks all of it again.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_from_template(
    session: *const Session,
    template_text: *const c_char,
    permit: *const c_char,
    flags: u32,
    out_sealer: *mut *mut Sealer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_sealer, "out_sealer")?;
        let session = ptr::object(session)?;
        let flags = crate::options::flags(flags, BULLA_BATCH)?;
        let template = Template::from_file(ptr::text(template_text, "template_text")?)?;
        let permit = match ptr::text_or_none(permit, "permit")? {
            Some(text) => Permit::parse(text)?,
            None => session.home.permit(&template)?,
        };
        let authority = Authority::Device(session.inner.clone(), Box::new(template), permit);
        let owned = Owned::try_new(authority, |authority| {
            let Authority::Device(session, template, permit) = authority else {
                return Err(mixed_up());
            };
            batched(CoreSealer::delegated(session, template, permit)?, flags)
        })?;
        ptr::give(out, Sealer { core: Core::new(), owned });
        Ok(())
    })
}

fn mixed_up() -> bulla_core::Error {
    bulla_core::Error::new(Code::Internal, "another kind of sealer")
}

unsafe fn begin(
    sealer: *const Sealer,
    path: Result<PathBuf>,
    options: *const SealOptions,
    out: *mut *mut Writer,
) -> Result<()> {
    let out = ptr::out(out, "out_writer")?;
    let sealer = ptr::object(sealer)?;
    let options = ptr::read_struct_or_zero(options, "options")?;
    let existing = existing(options.flags)?;
    let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
    let id = prepared.file_id();
    ptr::give(out, Writer::new(id, Box::new(prepared.into_file(&path?, existing)?))?);
    Ok(())
}

/// Starts a sealed file at `path`. Nothing is there before `bulla_writer_finish`. `options` may be
/// NULL. Free the writer with `bulla_writer_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`, also for metadata that is too long; `BULLA_E_EXISTS` if the
/// output exists, without `BULLA_REPLACE`; the *I/O* ones; under a template those of
/// `bulla_sealer_from_template`; those of the trail.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_begin(
    sealer: *const Sealer,
    path: *const c_char,
    options: *const SealOptions,
    out_writer: *mut *mut Writer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || begin(sealer, ptr::path(path, "path"), options, out_writer))
}

/// The same, with a path in UTF-16, as for `bulla_file_open_w`.
///
/// Errors: as `bulla_sealer_begin`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_begin_w(
    sealer: *const Sealer,
    path: *const u16,
    options: *const SealOptions,
    out_writer: *mut *mut Writer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || begin(sealer, ptr::wide_path(path, "path"), options, out_writer))
}

/// Starts an envelope that goes to the program's callbacks. It is complete after
/// `bulla_writer_finish`; a part of it is refused as cut. `close` runs as for `bulla_file_save_to`.
///
/// Errors: as `bulla_sealer_begin`; `BULLA_E_IO` if a callback fails.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_begin_sink(
    sealer: *const Sealer,
    sink: *const Sink,
    options: *const SealOptions,
    out_writer: *mut *mut Writer,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let sink = HostSink::new(sink);
        let out = ptr::out(out_writer, "out_writer")?;
        let sealer = ptr::object(sealer)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
        let id = prepared.file_id();
        ptr::give(out, Writer::new(id, Box::new(prepared.into_stream(sink?)?))?);
        Ok(())
    })
}

/// Frees a sealer. NULL is fine. Writers that it gave go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_free(sealer: *mut Sealer) {
    guard_or((), || ptr::free(sealer));
}
