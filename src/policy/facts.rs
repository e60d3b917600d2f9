//! What is known when a decision is made, each fact with how it is known.

use super::duty::DutySet;
use super::names::{Mode, Provenance, Storage};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The RFC 7638 thumbprint of a key: SHA-256 of its JWK.
pub type Thumbprint = [u8; 32];

/// A value, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<T> {
    /// What is known.
    pub value: T,
    /// How.
    pub by: Provenance,
}

impl<T> Known<T> {
    /// Measured by the library.
    pub fn measured(value: T) -> Self {
        Known { value, by: Provenance::Measured }
    }

    /// Stated by a signed token.
    pub fn attested(value: T) -> Self {
        Known { value, by: Provenance::Attested }
    }

    /// Stated by the host program.
    pub fn asserted(value: T) -> Self {
        Known { value, by: Provenance::Asserted }
    }
}

/// Everything that a decision may depend on. What is not known is left out, and denies.
///
/// Times are Unix seconds; only 1970 to 2999 count as known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The present time. The caller leaves it out when the clock is behind a time already seen.
    pub time: Option<Known<i64>>,
    /// The claims of a badge whose signature, audience, issuer and device were checked.
    pub badge: Option<Badge>,
    /// The device's thumbprint.
    pub device: Option<Known<Thumbprint>>,
    /// When the trail was last shown to whoever signed an anchor that this trail extends.
    pub anchor: Option<Known<i64>>,
    /// When the oldest list of revocations that counts for the file was issued.
    pub revocations: Option<Known<i64>>,
    /// All addresses of the device's interfaces, as one fact: a part of them is no fact at all.
    pub network: Option<Known<Vec<IpAddr>>>,
    /// The program that opens.
    pub program: Option<Known<Program>>,
    /// The storage under the file.
    pub storage: Option<Known<Storage>>,
    /// Attestations that were checked.
    pub attestations: Vec<Attestation>,
    /// What is known of the device's state.
    pub posture: Vec<Posture>,
    /// How it is known that a ticket was named. The ticket itself does not matter here.
    pub ticket: Option<Provenance>,
    /// Opens so far under this policy by this subject on this device, by window in seconds; see
    /// [`Policy::open_windows`](super::Policy::open_windows).
    pub opens: BTreeMap<u64, Known<u64>>,
    /// The duties that the host declared it can carry out.
    pub duties: DutySet,
}

/// The claims of a badge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badge {
    /// Who sits at the device.
    pub subject: String,
    /// The roles that the badge gives and its signer may give.
    pub roles: Vec<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// When it ends; exclusive.
    pub expires: i64,
}

/// The program that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// How it is run.
    pub mode: Mode,
    /// Its path, where known.
    pub path: Option<String>,
    /// The SHA-256 of its file (of a script: of the interpreter), where known.
    pub sha256: Option<[u8; 32]>,
}

/// A checked attestation, or a host's word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What was attested: `daily-checklist`, `attendance`, …
    pub kind: String,
    /// When.
    pub issued: i64,
    /// When it ends; exclusive.
    pub expires: i64,
    /// How it is known.
    pub by: Provenance,
}

/// One fact about the device's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posture {
    /// What is the case: `usb-storage-blocked`, …
    pub name: String,
    /// When it is known no longer, where there is such a time; exclusive.
    pub expires: Option<i64>,
    /// How it is known.
    pub by: Provenance,
}

/// Attestations of kinds that start with this are facts about the device's state, too.
const POSTURE_PREFIX: &str = "posture.";

impl Facts {
    /// Adds a signed attestation; one of kind `posture.x` also gives the posture fact `x`.
    pub fn attest(&mut self, kind: &str, issued: i64, expires: i64) {
        let by = Provenance::Attested;
        if let Some(name) = kind.strip_prefix(POSTURE_PREFIX) {
            self.posture.push(Posture { name: name.into(), expires: Some(expires), by });
        }
        self.attestations.push(Attestation { kind: kind.into(), issued, expires, by });
    }

    /// These facts, with `other` in place of each that it knows, and its lists beside these.
    pub(crate) fn overlaid(mut self, other: &Facts) -> Facts {
        let other = other.clone();
        self.attestations.extend(other.attestations);
        self.posture.extend(other.posture);
        self.opens.extend(other.opens);
        Facts {
            time: other.time.or(self.time),
            badge: other.badge.or(self.badge),
            device: other.device.or(self.device),
            anchor: other.anchor.or(self.anchor),
            revocations: other.revocations.or(self.revocations),
            network: other.network.or(self.network),
            program: other.program.or(self.program),
            storage: other.storage.or(self.storage),
            ticket: other.ticket.or(self.ticket),
            duties: other.duties.iter().chain(self.duties.iter()).collect(),
            ..self
        }
    }
}
