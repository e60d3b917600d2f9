//! What a session stands on: trust, badge, attestations and revocations, and what each of them is
//! worth for the files of one root. A refresh makes a new one; an old one never changes.

use crate::encoding::{Digest256, ProgramHash, Thumbprint, sha256};
use crate::facts::{
    About, Anchor, Revocations, VerifiedAttestation, VerifiedBadge, verify_attestation,
    verify_badge,
};
use crate::home::Home;
use crate::license::License;
use crate::revocation::Revoked;
use crate::trust::Trust;
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most verified licenses that are remembered.
const LICENSES: usize = 4096;
/// A token that does not count is looked at again after so many seconds: it may begin to.
const AGAIN: u64 = 1;

/// The tokens of a session, as texts. Which of them count differs from root to root.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) trust: Trust,
    badge: Option<String>,
    attestations: Vec<String>,
    revocations: Vec<Revocations>,
    by_root: Mutex<HashMap<Thumbprint, Arc<RootStanding>>>,
    /// Licenses whose signatures hold, and until when the list that says so counts.
    licenses: Mutex<HashMap<Digest256, u64>>,
}

/// What the tokens are worth for one root's files.
#[derive(Debug)]
pub(crate) struct RootStanding {
    pub(crate) badge: Option<VerifiedBadge>,
    /// Why the badge at hand does not count.
    pub(crate) no_badge: Option<Error>,
    pub(crate) attestations: Vec<VerifiedAttestation>,
    pub(crate) revoked: Revoked,
    pub(crate) programs: HashSet<ProgramHash>,
    /// The end of the trust list that all of this hangs on.
    pub(crate) until: Option<u64>,
    /// The latest time that one of the signed objects names as its own.
    pub(crate) latest: u64,
    /// Number of the trust list.
    pub(crate) list_seq: Option<u64>,
    /// Whether the local trail was found to extend all anchors.
    pub(crate) anchored: AtomicBool,
    /// When to look again: something ends, or did not count.
    again: Option<u64>,
}

impl Standing {
    /// What stands in a home, with a badge and attestations of the host beside it.
    pub(crate) fn of(home: &Home, badge: Option<&str>, attestations: &[String]) -> Result<Self> {
        let mut all = home.attestations()?;
        all.extend_from_slice(attestations);
        let badge = match badge {
            Some(badge) => Some(badge.to_owned()),
            None => home.badge()?,
        };
        Ok(Standing {
            trust: home.trust()?,
            badge,
            attestations: all,
            revocations: home.revocations()?,
            ..Standing::default()
        })
    }

    /// What all of it is worth for the files of `root` at `now`, on this device.
    ///
    /// # Errors
    /// [`Code::Signature`](crate::Code::Signature) if a list of revocations was changed.
    pub(crate) fn for_root(
        &self,
        root: &Thumbprint,
        device: &Thumbprint,
        now: u64,
    ) -> Result<Arc<RootStanding>> {
        let mut by_root = unpoisoned(&self.by_root);
        if let Some(known) = by_root.get(root)
            && known.until.is_none_or(|until| now < until)
            && known.again.is_none_or(|again| now < again)
        {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(self.assess(root, device, now)?);
        by_root.insert(*root, Arc::clone(&new));
        Ok(new)
    }

    fn assess(&self, root: &Thumbprint, device: &Thumbprint, now: u64) -> Result<RootStanding> {
        let list = self.trust.list(root);
        let counting = list.filter(|list| now < list.expires_at());
        let revoked = Revoked::of(&self.revocations, &self.trust, root, now)?;
        let (badge, no_badge) = match &self.badge {
            None => (None, None),
            Some(text) => match verify_badge(text, &self.trust, root, device, now) {
                Ok(badge) => (Some(badge), None),
                Err(e) => (None, Some(e)),
            },
        };
        let mut uncounted = no_badge.is_some();
        let mut attestations = Vec::new();
        for text in &self.attestations {
            match verify_attestation(text, &self.trust, root, now) {
                // One about somebody else, or another device, says nothing here.
                Ok(a) if about(&a.about, badge.as_ref(), device) => attestations.push(a),
                Ok(_) => {}
                Err(_) => uncounted = true,
            }
        }
        let issued = attestations.iter().map(|a| a.issued).chain(badge.iter().map(|b| b.issued));
        let ends = attestations.iter().map(|a| a.expires).chain(badge.iter().map(|b| b.expires));
        let ends = ends.collect::<Vec<_>>().into_iter();
        let lists = list.map_or(0, |list| list.issued_at()).max(revoked.latest);
        Ok(RootStanding {
            latest: issued.fold(lists, u64::max),
            programs: counting.map(|l| l.programs().iter().copied().collect()).unwrap_or_default(),
            until: counting.map(|list| list.expires_at()),
            list_seq: list.map(|list| list.seq()),
            anchored: AtomicBool::new(false),
            // A token that ends is looked at again then, one that does not count every second.
            again: ends.chain(uncounted.then_some(now + AGAIN)).min(),
            badge,
            no_badge,
            attestations,
            revoked,
        })
    }

    /// Verifies a license, once for each content.
    ///
    /// # Errors
    /// As [`License::verify`].
    pub(crate) fn verify(&self, license: &License, now: u64) -> Result<()> {
        let digest = Digest256(sha256(license.token.text.as_bytes()));
        if unpoisoned(&self.licenses).get(&digest).is_some_and(|until| now < *until) {
            return Ok(());
        }
        license.verify(&self.trust, now)?;
        // A root's own signature counts as long as the root is pinned; a device's hangs on the list.
        let list = self.trust.list(&license.claims().iss);
        let until = match &license.delegation {
            None => u64::MAX,
            Some(_) => list.map_or(0, |list| list.expires_at()),
        };
        let mut known = unpoisoned(&self.licenses);
        if known.len() >= LICENSES {
            known.clear();
        }
        known.insert(digest, until);
        Ok(())
    }
}

impl RootStanding {
    pub(crate) fn subject(&self) -> Option<&str> {
        self.badge.as_ref().map(|badge| badge.subject.as_str())
    }

    /// The roles that the badge gives at `now`.
    pub(crate) fn roles(&self, now: u64) -> &[String] {
        let badge = self.badge.as_ref().filter(|badge| now < badge.expires);
        badge.map_or(&[], |badge| &badge.roles)
    }

    /// Where signers saw the trail, each with the time at which they said so.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = (&Anchor, u64)> {
        let badge = self.badge.iter().map(|b| (b.anchor.as_ref(), b.issued));
        let attestations = self.attestations.iter().map(|a| (a.anchor.as_ref(), a.issued));
        badge.chain(attestations).filter_map(|(anchor, at)| Some((anchor?, at)))
    }
}

fn about(about: &About, badge: Option<&VerifiedBadge>, device: &Thumbprint) -> bool {
    match about {
        About::Subject(subject) => badge.is_some_and(|badge| badge.subject == *subject),
        About::Device(about) => about == device,
    }
}

/// What a thread that panicked left behind is a cache or whole all the same.
pub(crate) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Badge, BadgeTerms};
    use crate::keys::{Identity, KemKind, RootKey, Signatory};
    use crate::trust::{KeyUse, TrustList, TrustedKey};
    use crate::{Code, Kinds, Metadata, Sealer};

    /// A root whose list, with one program, counts from 5 to 200.
    struct World {
        root: RootKey,
        device: Identity,
        trust: Trust,
    }

    impl World {
        fn new() -> Self {
            let root = RootKey::generate("root").unwrap();
            let key = TrustedKey::ours(root.line().key(), &KeyUse::ALL);
            let program = ProgramHash([7; 32]);
            let list = TrustList::sign(&root, 1, 5, 200, vec![key], vec![program]).unwrap();
            let trust = Trust::of(&root, list);
            World { root, device: Identity::generate(KemKind::X25519, "").unwrap(), trust }
        }

        fn standing(&self, badge: Option<&Badge>) -> Standing {
            let badge = badge.map(|badge| badge.as_str().to_owned());
            Standing { trust: self.trust.clone(), badge, ..Standing::default() }
        }

        fn at(&self, standing: &Standing, now: u64) -> Arc<RootStanding> {
            standing.for_root(&self.root.thumbprint(), &self.device.thumbprint(), now).unwrap()
        }

        fn license(&self) -> Arc<License> {
            let to = [self.device.recipient().clone()];
            let sealer = Sealer::issued(&self.root, "", crate::POLICY, &to, Kinds::Same).unwrap();
            sealer.prepare(&Metadata::default()).unwrap().header.license
        }
    }

    #[test]
    fn a_badge_is_looked_at_again_when_it_ends() {
        let world = World::new();
        let roles = ["agent".to_owned()];
        let device = world.device.thumbprint();
        let terms = BadgeTerms { subject: "kim", roles: &roles, groups: &[], device, anchor: None };
        let badge = Badge::sign(Signatory::Root(&world.root), terms, 5, 40).unwrap();
        let standing = world.standing(Some(&badge));
        // With the minute that clocks may differ by.
        let first = world.at(&standing, 6);
        assert!(Arc::ptr_eq(&first, &world.at(&standing, 99)));
        assert_eq!((first.subject(), first.roles(99)), (Some("kim"), &roles[..]));
        assert_eq!(first.roles(100), [""; 0]);
        let ended = world.at(&standing, 100);
        assert!(ended.subject().is_none() && ended.no_badge.is_some());
        // One that does not count is looked at every second, and not at every read.
        assert!(Arc::ptr_eq(&ended, &world.at(&standing, 100)));
        assert!(!Arc::ptr_eq(&ended, &world.at(&standing, 101)));
    }

    #[test]
    fn nothing_of_a_list_counts_from_its_end_on() {
        let world = World::new();
        let standing = world.standing(None);
        let first = world.at(&standing, 6);
        assert!(Arc::ptr_eq(&first, &world.at(&standing, 199)));
        assert_eq!((first.programs.len(), first.until), (1, Some(200)));
        let ended = world.at(&standing, 200);
        assert_eq!((ended.programs.len(), ended.until), (0, None));
    }

    #[test]
    fn licenses_are_remembered_until_their_list_ends() {
        let world = World::new();
        let license = world.license();
        let mut standing = world.standing(None);
        standing.verify(&license, 6).unwrap();
        standing.trust = Trust::default();
        standing.verify(&license, 6).unwrap();
        assert_eq!(standing.verify(&world.license(), 6).unwrap_err().code(), Code::UnknownRoot);
        unpoisoned(&standing.licenses).values_mut().for_each(|until| *until = 20);
        standing.verify(&license, 19).unwrap();
        assert_eq!(standing.verify(&license, 20).unwrap_err().code(), Code::UnknownRoot);
    }

    #[test]
    fn no_more_licenses_are_remembered_than_allowed() {
        let world = World::new();
        let standing = world.standing(None);
        let count = || unpoisoned(&standing.licenses).len();
        for i in 1..LICENSES {
            let digest = Digest256(sha256(&i.to_be_bytes()));
            unpoisoned(&standing.licenses).insert(digest, u64::MAX);
        }
        standing.verify(&world.license(), 6).unwrap();
        assert_eq!(count(), LICENSES);
        standing.verify(&world.license(), 6).unwrap();
        assert_eq!(count(), 1);
        standing.verify(&world.license(), 6).unwrap();
        assert_eq!(count(), 2);
    }
}
