//! What no longer counts for one root's files, from all lists that count, ready to be asked.

use crate::encoding::{Id, Thumbprint};
use crate::facts::Revocations;
use crate::license::License;
use crate::trust::{KeyUse, Trust, TrustedKey};
use crate::{Code, Error, Result};
use std::collections::{HashMap, HashSet};

/// The lists of one root.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    /// When the oldest of the lists was made; `None` where there is none.
    pub(crate) issued_at: Option<u64>,
    /// When the newest was.
    pub(crate) latest: u64,
    /// Signer and number of each list.
    pub(crate) lists: Vec<(Thumbprint, u64)>,
    /// Licenses below this number are revoked.
    files: HashMap<Id, u64>,
    licenses: HashSet<Id>,
    subjects: HashSet<String>,
    devices: HashSet<Thumbprint>,
    templates: HashSet<Id>,
    permits: HashSet<Id>,
}

impl Revoked {
    /// Joins those of `lists` that a key of the root's trust list has signed for its files. One
    /// that does not count is left out; one whose signature does not hold is an error.
    pub(crate) fn of(
        lists: &[Revocations],
        trust: &Trust,
        root: &Thumbprint,
        now: u64,
    ) -> Result<Self> {
        let mut all = Revoked::default();
        for list in lists.iter().filter(|list| list.root() == *root) {
            let key = trust.key(root, &list.signer(), KeyUse::Revocation, now);
            let Ok(key) = key.and_then(TrustedKey::ed25519) else { continue };
            list.verify(key)?;
            all.add(list);
        }
        Ok(all)
    }

    fn add(&mut self, list: &Revocations) {
        let issued = list.issued_at();
        self.issued_at = Some(self.issued_at.map_or(issued, |oldest| oldest.min(issued)));
        self.latest = self.latest.max(issued);
        self.lists.push((list.signer(), list.seq()));
        let revoked = list.revoked();
        for entry in &revoked.files {
            let below = self.files.entry(entry.file).or_default();
            *below = (*below).max(entry.below_seq.unwrap_or(u64::MAX));
        }
        self.licenses.extend(&revoked.licenses);
        self.subjects.extend(revoked.subjects.iter().cloned());
        self.devices.extend(&revoked.devices);
        self.templates.extend(&revoked.templates);
        self.permits.extend(&revoked.permits);
    }

    /// Whether a license, what it stands on, a person and a device still count.
    ///
    /// # Errors
    /// [`Code::Revoked`]
    pub(crate) fn check(
        &self,
        license: &License,
        subject: Option<&str>,
        device: &Thumbprint,
    ) -> Result<()> {
        self.check_license(license)?;
        if let Some(delegation) = &license.delegation {
            let (template, permit) = delegation.ids();
            self.check_delegation(&template, &permit, &license.token.kid())?;
        }
        self.check_who(subject, device)
    }

    /// Whether a license still counts by itself.
    pub(crate) fn check_license(&self, license: &License) -> Result<()> {
        let claims = license.claims();
        // Without a list nothing is below any number.
        if self.files.get(&claims.file).is_some_and(|below| claims.seq < *below) {
            return Err(revoked("the file's license: ask for the file again"));
        }
        if self.licenses.contains(&claims.jti) {
            return Err(revoked("the file's license: ask for the file again"));
        }
        Ok(())
    }

    /// Whether a person and a device still count.
    pub(crate) fn check_who(&self, subject: Option<&str>, device: &Thumbprint) -> Result<()> {
        if subject.is_some_and(|subject| self.subjects.contains(subject)) {
            return Err(revoked("the person whose badge is in use: ask the security officer"));
        }
        if self.devices.contains(device) {
            return Err(revoked("this device: ask the security officer"));
        }
        Ok(())
    }

    /// Whether what a device seals with still counts.
    pub(crate) fn check_delegation(
        &self,
        template: &Id,
        permit: &Id,
        device: &Thumbprint,
    ) -> Result<()> {
        if self.templates.contains(template) {
            return Err(revoked("the template that the file was sealed under"));
        }
        if self.permits.contains(permit) {
            return Err(revoked("the permit that the file was sealed with"));
        }
        if self.devices.contains(device) {
            return Err(revoked("the device that sealed the file"));
        }
        Ok(())
    }
}

fn revoked(what: &str) -> Error {
    Error::new(Code::Revoked, format!("revoked: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;
    use crate::keys::{RootKey, Signatory};
    use crate::trust::TrustList;

    #[test]
    fn a_list_that_does_not_count_hides_no_other() {
        let (root, other) =
            (RootKey::generate("root").unwrap(), RootKey::generate("other").unwrap());
        let key = TrustedKey::ours(root.line().key(), &[KeyUse::Revocation]);
        let list = TrustList::sign(&root, 1, 5, 9, vec![key], vec![]).unwrap();
        let trust = Trust::of(&root, list);
        let list = |by: &RootKey, subject: &str| {
            let revoked = facts::Revoked { subjects: vec![subject.into()], ..Default::default() };
            Revocations::sign(Signatory::Root(by), root.thumbprint(), 1, revoked, 5).unwrap()
        };
        let lists = [list(&other, "kim"), list(&root, "lee")];
        let all = Revoked::of(&lists, &trust, &root.thumbprint(), 6).unwrap();
        let device = other.thumbprint();
        assert!(all.check_who(Some("kim"), &device).is_ok());
        assert_eq!(all.check_who(Some("lee"), &device).unwrap_err().code(), Code::Revoked);
    }

    #[test]
    fn each_part_of_a_delegation_is_revoked_by_itself() {
        let (template, permit) = (Id::random(), Id::random());
        let device = RootKey::generate("").unwrap().thumbprint();
        let check = |revoked: Revoked| revoked.check_delegation(&template, &permit, &device);
        check(Revoked::default()).unwrap();
        for (revoked, what) in [
            (Revoked { templates: [template].into(), ..Revoked::default() }, "the template"),
            (Revoked { permits: [permit].into(), ..Revoked::default() }, "the permit"),
            (Revoked { devices: [device].into(), ..Revoked::default() }, "the device that sealed"),
        ] {
            let e = check(revoked).unwrap_err();
            assert_eq!(e.code(), Code::Revoked);
            assert!(e.to_string().contains(what), "{e}");
        }
    }
}
