//! The audit trail of a home.

use super::{Home, NO_IDENTITY};
use crate::atomic::{self, Existing};
use crate::config::Config;
use crate::encoding::{Id, Thumbprint};
use crate::facts::{Checkpoint, Reset};
use crate::keys::{Identity, trail_of, with_trail};
use crate::trail::{self, Trail};
use crate::{Result, clock};
use std::io::BufRead;
use std::path::PathBuf;

impl Home {
    /// Where the audit trail lies.
    pub fn trail_file(&self) -> PathBuf {
        self.0.join(trail::NAME)
    }

    /// The id of the audit trail that the identity names; needs no passphrase.
    pub fn trail_id(&self) -> Result<Id> {
        trail_of(&self.secret("identity", NO_IDENTITY)?)
    }

    /// The audit trail as far as it is written now, to be read while others append.
    ///
    /// # Errors
    /// [`Code::Trail`](crate::Code::Trail) if it is missing, [`Code::TrailBusy`](crate::Code::TrailBusy).
    pub fn read_trail(&self) -> Result<impl BufRead + use<>> {
        trail::open_for_reading(&self.0, Config::read(&self.0)?.trail.wait)
    }

    pub(crate) fn trail(&self, identity: &Identity, now: u64) -> Result<Trail> {
        let options = Config::read(&self.0)?.trail;
        Trail::open(&self.0, identity.trail(), identity.thumbprint(), options, now)
    }

    /// Records that a list is in use from now on, where this is a device's home: an older one, or
    /// none, is then no way back. Needs no passphrase.
    pub(super) fn remember_list(
        &self,
        kind: &str,
        root: Thumbprint,
        signer: Thumbprint,
        seq: u64,
        now: u64,
    ) -> Result<()> {
        if !self.has_identity() {
            return Ok(());
        }
        let device = self.public_identity()?.thumbprint();
        let options = Config::read(&self.0)?.trail;
        let trail = Trail::open(&self.0, self.trail_id()?, device, options, now)?;
        trail.lock()?.use_list(kind, root, signer, seq, now)
    }

    /// Signs where the audit trail stands.
    pub fn checkpoint(&self, identity: &Identity) -> Result<Checkpoint> {
        let now = clock::now();
        Checkpoint::sign(identity, self.trail(identity, now)?.anchor()?, now)
    }

    /// Takes a reset signed by a pinned root into use: a trail that is sound goes on under a new
    /// id, of one that is missing or broken the remains are put aside and a new one begins. Gives
    /// the new id.
    ///
    /// # Errors
    /// [`Code::UnknownRoot`](crate::Code::UnknownRoot), [`Code::Signature`](crate::Code::Signature), [`Code::NotPermitted`](crate::Code::NotPermitted) if it is for another
    /// device or trail; [`Code::TrailBusy`](crate::Code::TrailBusy) after `lock_wait`.
    pub fn use_reset(&self, reset: &Reset) -> Result<Id> {
        self.use_reset_at(reset, clock::now())
    }

    pub(crate) fn use_reset_at(&self, reset: &Reset, now: u64) -> Result<Id> {
        let trust = self.trust()?;
        let root = &trust.root(&reset.root())?.key;
        let device = self.public_identity()?.thumbprint();
        let old = self.trail_id()?;
        let wait = Config::read(&self.0)?.trail.wait;
        let new = trail::apply_reset(&self.0, old, device, reset, root, wait, now)?;
        self.set_trail(new)?;
        Ok(new)
    }

    /// Stores the id of the trail that a reset began; needs no passphrase.
    pub(crate) fn set_trail(&self, id: Id) -> Result<()> {
        let text = with_trail(&self.secret("identity", NO_IDENTITY)?, id)?;
        atomic::write(&self.0.join("identity"), text.as_bytes(), true, Existing::Replace)
    }
}
