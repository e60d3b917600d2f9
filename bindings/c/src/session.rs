//! Sessions: a device at work.

use crate::error::Error;
use crate::guard::guard;
use crate::names;
use crate::options::SessionOptions;
use crate::ptr::{self, Core, Object};
use bulla_core::policy::Facts;
use bulla_core::{Home, Host, Passphrase, Result};
use std::ffi::c_char;

/// A device at work: its identity, whom it trusts, who sits at it. Many threads may use it at
/// once. Files, writers and sealers that were made with it go on when it is freed.
pub struct Session {
    core: Core,
    pub(crate) inner: bulla_core::Session,
    pub(crate) home: Home,
}

impl Object for Session {
    const NAME: &'static str = "session";

    fn core(&self) -> &Core {
        &self.core
    }
}

/// The home that options name.
pub(crate) unsafe fn home(home: *const c_char, home_w: *const u16) -> Result<Home> {
    match (home.is_null(), home_w.is_null()) {
        (false, _) => ptr::path(home, "home").map(Home::at),
        (true, false) => ptr::wide_path(home_w, "home_w").map(Home::at),
        (true, true) => Home::default_folder(),
    }
}

pub(crate) unsafe fn passphrase(p: *const c_char) -> Result<Option<Passphrase>> {
    let text = ptr::text_or_none(p, "passphrase")?;
    Ok(text.map(|text| Passphrase::new(text.to_owned())))
}

/// Starts a session of the device whose home it is, with its badge, attestations, lists and trail.
/// A badge that does not count is no error here: it grants nothing.
///
/// `options` may be NULL: the default home, no passphrase, no duties. Free the session with
/// `bulla_session_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`; `BULLA_E_HOME_INCOMPLETE` without an identity,
/// `BULLA_E_SECRET_EXPOSED`, `BULLA_E_WRONG_PASSPHRASE`, `BULLA_E_BAD_KEY`; `BULLA_E_BAD_TRAIL`
/// and `BULLA_E_TRAIL_BUSY`; `BULLA_E_BAD_TOKEN`, `BULLA_E_BAD_SIGNATURE` and the *denied* ones for
/// lists of the home that do not hold; the *I/O* ones.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_start(
    options: *const SessionOptions,
    out_session: *mut *mut Session,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_session, "out_session")?;
        let options = ptr::read_struct_or_zero(options, "options")?;
        crate::options::flags(options.flags, 0)?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        let optional = |text: Option<&str>| text.map(str::to_owned);
        let asserted = ptr::text_or_none(options.asserted, "asserted")?;
        let host = Host {
            duties: names::duties(&ptr::texts(options.duties, options.duty_count, "duties")?),
            badge: optional(ptr::text_or_none(options.badge, "badge")?),
            attestations: owned(ptr::texts(
                options.attestations,
                options.attestation_count,
                "attestations",
            )?),
            asserted: match asserted {
                Some(json) => Facts::parse(json.as_bytes()).map_err(|e| e.context("asserted"))?,
                None => Facts::default(),
            },
            ticket: optional(ptr::text_or_none(options.ticket, "ticket")?),
        };
        let home = home(options.home, options.home_w)?;
        let identity = home.identity(passphrase(options.passphrase)?.as_ref())?;
        let inner = bulla_core::Session::start(&home, identity, host)?;
        ptr::give(out, Session { core: Core::new(), inner, home });
        Ok(())
    })
}

/// Reads badge, attestations and lists of the home again. Files that are open are decided about
/// anew at their next read: a new badge goes on, a revocation ends them.
///
/// Errors: those of `bulla_session_start` about the home. What the session stood on stays then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_refresh(
    session: *const Session,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || ptr::object(session)?.inner.refresh())
}

/// The same, with this badge and these attestations in place of those that the session was started
/// with.
///
/// Errors: as `bulla_session_refresh`. A badge that does not count is no error: it grants nothing.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_use_badge(
    session: *const Session,
    badge: *const c_char,
    attestations: *const *const c_char,
    attestation_count: usize,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let session = ptr::object(session)?;
        let badge = ptr::text(badge, "badge")?;
        let attestations = ptr::texts(attestations, attestation_count, "attestations")?;
        let attestations: Vec<String> = attestations.into_iter().map(str::to_owned).collect();
        session.inner.refresh_with(badge, &attestations)
    })
}

/// What would be decided about a sealed file now, as JSON (`docs/policy.md`). `facts`, as JSON,
/// stand in place of the session's own, as if they were true; NULL for none. Nothing is recorded,
/// and no key is touched. A denial is a decision here, not an error.
///
/// Free the string with `bulla_string_free`.
///
/// Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* and *format* ones for the file; of the *denied* ones
/// those for what is refused before a policy is asked.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_explain(
    session: *const Session,
    path: *const c_char,
    facts: *const c_char,
    out_json: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_json, "out_json")?;
        let session = ptr::object(session)?;
        let path = ptr::path(path, "path")?;
        let facts = match ptr::text_or_none(facts, "facts")? {
            Some(json) => Facts::parse(json.as_bytes())?,
            None => Facts::default(),
        };
        let decision = session.inner.explain(&path, &facts)?;
        *out = crate::inspect::json(&decision)?;
        Ok(())
    })
}

/// The thumbprint of the device's identity: 43 characters, which badges and policies name it by.
/// Free the string with `bulla_string_free`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_device(
    session: *const Session,
    out_thumbprint: *mut *mut c_char,
    err: *mut *mut Error,
) -> i32 {
    guard(err, || {
        let out = ptr::out(out_thumbprint, "out_thumbprint")?;
        let session = ptr::object(session)?;
        *out = ptr::string(&session.inner.identity().thumbprint().to_string())?;
        Ok(())
    })
}

/// Ends a session. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bulla_session_free(session: *mut Session) {
    crate::guard::guard_or((), || ptr::free(session));
}
