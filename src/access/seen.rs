//! What the trail remembers of a file: the newest license and content that were authenticated.

use super::Target;
use crate::cobblestone::COMMITMENT;
use crate::session::Shared;
use crate::trail::{Entry, Event};
use crate::{Code, Error, Result};

/// How the content came about that is remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// It was opened, and must not be older than what was seen before.
    Opened,
    /// It was opened, and may be older.
    OpenedOlder,
    /// It was made here.
    Made,
}

/// What was authenticated of a file is remembered, if it is news.
pub(crate) fn remember(
    shared: &Shared,
    target: &Target,
    record: u64,
    commitment: &[u8; COMMITMENT],
    content: Content,
) -> Result<()> {
    let claims = target.license.claims();
    let mut trail = shared.trail.lock()?;
    let state = trail.state();
    let seen = state.revision(&claims.iss, &claims.file);
    let fork = seen.is_some_and(|(rev, c)| rev == target.rev && c != *commitment);
    if fork && content == Content::Opened {
        let why = "this device has seen another content of the same number of this file: one of \
                   the two was saved from an old copy; get the file anew, or ask for it expressly";
        return Err(Error::new(Code::Rollback, why));
    }
    let newer_license =
        state.license_seq(&claims.iss, &claims.file).is_none_or(|seq| seq < claims.seq);
    let newer_content = seen.is_none_or(|(rev, _)| rev < target.rev);
    let news = newer_license || newer_content || (fork && content == Content::Made);
    if !news {
        return Ok(());
    }
    let entry = Entry {
        commitment: Some(*commitment),
        of: Some(record),
        ..target.entry(shared, Event::Seen)
    };
    trail.append(&entry, shared.clock.now()).map(drop)
}
