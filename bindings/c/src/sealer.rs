//! Sealers: new envelopes, by an issuer or by a device under a template.

use crate::error::Error;
use crate::export::{Watched, existing};
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
use std::ffi::{c_char, c_void};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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
    fn prepare(&self, metadata: &Metadata) -> Result<Prepared> {
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

unsafe fn seal_file(
    sealer: *const Sealer,
    from: Result<PathBuf>,
    to: Result<PathBuf>,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
) -> Result<()> {
    let out = ptr::out_or_none(out_file_id, "out_file_id")?;
    let sealer = ptr::object(sealer)?;
    let options = ptr::read_struct_or_zero(options, "options")?;
    let existing = existing(options.flags)?;
    let (from, to) = (from?, to?);
    let io = |e| bulla_core::Error::io("reading the file to seal", e);
    if !fs::metadata(&from).map_err(io)?.is_file() {
        return Err(ptr::bad("the file to seal is no regular file"));
    }
    let plain = fs::File::open(&from).map_err(io)?;
    let system = plain.metadata().map_err(io)?;
    let metadata = metadata(options.metadata)?.unwrap_or_else(|| of_plain(&from, &system));
    let prepared = sealer.prepare(&metadata)?;
    let id = prepared.file_id();
    let mut writer = prepared.into_file(&to, existing)?;
    let (progress, user) = (options.progress, options.progress_user);
    writer.copy_from(&mut Watched::new(plain, progress, user, system.len()))?;
    writer.finish()?;
    give_id(out, id)
}

unsafe fn give_id(out: Option<&mut *mut c_char>, id: bulla_core::Id) -> Result<()> {
    if let Some(out) = out {
        *out = ptr::string(&id.to_string())?;
    }
    Ok(())
}

/// Name and times of a plain file.
fn of_plain(path: &Path, system: &fs::Metadata) -> Metadata {
    let millis = |time: std::io::Result<SystemTime>| {
        let since = time.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().filter(|millis| *millis < 1 << 53)
    };
    Metadata {
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
        media_type: None,
        created: millis(system.created()),
        modified: millis(system.modified()),
    }
}

/// Seals a plain file, which stays. Without `options->metadata` its name and times are taken over.
/// `options` may be NULL; so may `out_file_id`, the new file's id, to be freed with
/// `bulla_string_free`.
///
/// Errors: as `bulla_sealer_begin`; `BULLA_E_NOT_FOUND`; `BULLA_E_BAD_ARGUMENT`, also if `from` is
/// no regular file; `BULLA_E_CANCELLED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_file(
    sealer: *const Sealer,
    from: *const c_char,
    to: *const c_char,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        seal_file(sealer, ptr::path(from, "from"), ptr::path(to, "to"), options, out_file_id)
    })
}

/// The same, with paths in UTF-16, as for `bulla_file_open_w`.
///
/// Errors: as `bulla_sealer_seal_file`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_file_w(
    sealer: *const Sealer,
    from: *const u16,
    to: *const u16,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let (from, to) = (ptr::wide_path(from, "from"), ptr::wide_path(to, "to"));
        seal_file(sealer, from, to, options, out_file_id)
    })
}

/// Seals `len` bytes from memory into a file. Otherwise as `bulla_sealer_seal_file`.
///
/// Errors: as `bulla_sealer_begin`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_bytes(
    sealer: *const Sealer,
    data: *const c_void,
    len: usize,
    to: *const c_char,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out_or_none(out_file_id, "out_file_id")?;
        let sealer = ptr::object(sealer)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        let existing = existing(options.flags)?;
        let data = ptr::bytes(data, len, "data")?;
        let to = ptr::path(to, "to")?;
        let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
        let id = prepared.file_id();
        let mut writer = prepared.into_file(&to, existing)?;
        let (progress, user) = (options.progress, options.progress_user);
        writer.copy_from(&mut Watched::new(data, progress, user, len as u64))?;
        writer.finish()?;
        give_id(out, id)
    })
}

/// Seals `len` bytes from memory into the program's callbacks. `close` runs during the call.
/// `options` may be NULL; so may `out_file_id`, to be freed with `bulla_string_free`.
///
/// Errors: as `bulla_sealer_begin_sink`; `BULLA_E_CANCELLED`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_seal_bytes_to(
    sealer: *const Sealer,
    data: *const c_void,
    len: usize,
    sink: *const Sink,
    options: *const SealOptions,
    out_file_id: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let sink = HostSink::new(sink);
        let out = ptr::out_or_none(out_file_id, "out_file_id")?;
        let sealer = ptr::object(sealer)?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let data = ptr::bytes(data, len, "data")?;
        let prepared = sealer.prepare(&metadata(options.metadata)?.unwrap_or_default())?;
        let id = prepared.file_id();
        let mut writer = prepared.into_stream(sink?)?;
        let (progress, user) = (options.progress, options.progress_user);
        writer.copy_from(&mut Watched::new(data, progress, user, len as u64))?;
        let flushed = writer.finish()?.flush();
        flushed.map_err(|e| bulla_core::Error::io("writing the sealed file", e))?;
        give_id(out, id)
    })
}

/// Frees a sealer. NULL is fine. Writers that it gave go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_sealer_free(sealer: *mut Sealer) {
    guard_or((), || ptr::free(sealer));
}
