//! What must hold before a policy is asked: the clock, the trail, lists, revocations, no roll-back.

use super::Target;
use crate::encoding::Thumbprint;
use crate::session::Shared;
use crate::standing::{RootStanding, Standing};
use crate::trail::Locked;
use crate::{Code, Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How far our clock may be behind a time that was already seen, in seconds.
const LEEWAY: u64 = 60;

/// All that must hold before a policy is asked: the clock, the trail, revocations, roll-backs.
pub(super) fn stand(
    shared: &Shared,
    standing: &Standing,
    target: &Target,
    older: bool,
    trail: &mut Locked<'_>,
) -> Result<(Arc<RootStanding>, u64)> {
    let (root_standing, now) = stand_for(shared, standing, target.root(), trail)?;
    let device = shared.identity.thumbprint();
    root_standing.revoked.check(&target.license, root_standing.subject(), &device)?;
    if !older {
        not_older(target, trail)?;
    }
    Ok((root_standing, now))
}

/// What must hold before an issuer gives a file new terms. A delegation that was revoked is no
/// obstacle: that is what the new terms are for.
pub(super) fn stand_as_issuer(
    shared: &Shared,
    standing: &Standing,
    target: &Target,
    trail: &mut Locked<'_>,
) -> Result<()> {
    let (root_standing, _) = stand_for(shared, standing, target.root(), trail)?;
    let revoked = &root_standing.revoked;
    revoked.check_license(&target.license)?;
    revoked.check_who(root_standing.subject(), &shared.identity.thumbprint())?;
    not_older(target, trail)
}

fn not_older(target: &Target, trail: &Locked<'_>) -> Result<()> {
    let (claims, state) = (target.license.claims(), trail.state());
    let (root, file) = (&claims.iss, &claims.file);
    if state.license_seq(root, file).is_some_and(|seen| claims.seq < seen) {
        let why = "this device has seen a newer license of this file: get the file anew";
        return Err(Error::new(Code::Rollback, why));
    }
    if state.revision(root, file).is_some_and(|(seen, _)| target.rev < seen) {
        let why = "this device has seen newer content of this file: get the file anew, or ask for \
                   the older one expressly";
        return Err(Error::new(Code::Rollback, why));
    }
    Ok(())
}

/// What holds for all files of a root: gives what the tokens are worth, and the time. The standing
/// is given, as a refresh may put another in its place at any time: what is decided and what is
/// recorded of it go by the same.
pub(crate) fn stand_for(
    shared: &Shared,
    standing: &Standing,
    root: &Thumbprint,
    trail: &mut Locked<'_>,
) -> Result<(Arc<RootStanding>, u64)> {
    let now = shared.clock.now();
    let root_standing = standing.for_root(root, &shared.identity.thumbprint(), now)?;
    // First, since it may show that what the trail seemed to say is not so.
    if !root_standing.anchored.load(Ordering::Relaxed) {
        for (anchor, _) in root_standing.anchors() {
            if !trail.extends(anchor)? {
                let why = "the trail does not go on from where it was last shown: it was cut or \
                           replaced; ask the issuer for a signed reset, and after it for a new badge";
                return Err(Error::new(Code::Trail, why));
            }
        }
        root_standing.anchored.store(true, Ordering::Relaxed);
    }
    let state = trail.state();
    if !state.counts_for(root) {
        let why = "this device's trail was begun anew without the word of the file's issuer: ask \
                   the issuer for a signed reset";
        return Err(Error::new(Code::Trail, why));
    }
    let seen = state.latest_time(root).max(root_standing.latest);
    if seen > now.saturating_add(LEEWAY) {
        let why = "the clock is behind a time that was already seen: set it right; if it once \
                   stood far ahead, ask the issuer for a signed reset";
        return Err(Error::new(Code::Clock, why));
    }
    refuse_older_lists(standing, &root_standing, root, trail, now)?;
    remember_lists(&root_standing, root, trail, now)?;
    Ok((root_standing, now))
}

/// The trail remembers the lists that counted: one that is gone, or older, denies.
fn refuse_older_lists(
    standing: &Standing,
    root_standing: &RootStanding,
    root: &Thumbprint,
    trail: &Locked<'_>,
    now: u64,
) -> Result<()> {
    let state = trail.state();
    let seen = state.list_seq("trust", root, root);
    if seen.is_some_and(|seen| root_standing.list_seq.is_none_or(|seq| seq < seen)) {
        let why = "a newer trust list of the file's root was in use here: get it again";
        return Err(Error::new(Code::Rollback, why));
    }
    for (signer, seen) in state.lists("revocations", root) {
        let here = root_standing.revoked.lists.iter().find(|(of, _)| *of == signer);
        let trusted = standing.trust.list(root).is_some_and(|list| {
            let uses = crate::KeyUse::Revocation;
            list.keys().iter().any(|k| k.uses.contains(&uses) && k.jwk.thumbprint() == signer)
        });
        if trusted {
            // Of a list that has expired nothing counts, and that is the reason to give.
            standing.trust.key(root, &signer, crate::KeyUse::Revocation, now)?;
        }
        if trusted && here.is_none_or(|(_, seq)| *seq < seen) {
            let why = "a newer list of revocations was in use here: get it again";
            return Err(Error::new(Code::Rollback, why));
        }
    }
    Ok(())
}

fn remember_lists(
    standing: &RootStanding,
    root: &Thumbprint,
    trail: &mut Locked<'_>,
    now: u64,
) -> Result<()> {
    let trust = standing.list_seq.map(|seq| ("trust", *root, seq));
    let revoked = standing.revoked.lists.iter().map(|(by, seq)| ("revocations", *by, *seq));
    for (kind, signer, seq) in trust.into_iter().chain(revoked) {
        trail.use_list(kind, *root, signer, seq, now)?;
    }
    Ok(())
}
