//! What `policy check` finds.

use serde::{Serialize, Serializer};
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Allowed, and perhaps not meant.
    Warning,
    /// Cannot be meant.
    Error,
}

impl Severity {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident;)*) => {
        /// Stable codes of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FindingCode { $($(#[$doc])* $name,)* }

        impl FindingCode {
            /// All of them.
            pub const ALL: &[FindingCode] = &[$(FindingCode::$name),*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(FindingCode::$name => $text,)* }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(FindingCode::$name => Severity::$severity,)* }
            }
        }
    };
}

finding_codes! {
    /// The conditions of a grant cannot all hold at once, or nobody can have what `to` names.
    NeverApplies = "never-applies", Error;
    /// The validity is over.
    Expired = "expired", Error;
    /// The validity has not begun.
    NotYetValid = "not-yet-valid", Note;
    /// The hours never meet: those of `require`, those of the grant, and the validity.
    ContradictoryHours = "contradictory-hours", Error;
    /// No signer of badges in the trust list may give the role.
    RoleNotGiven = "role-not-given", Warning;
    /// A duty that means nothing for any of the rights that it is put on.
    DutyWithoutRight = "duty-without-right", Warning;
    /// A duty that forbids what a right of the same grant allows.
    DutyAgainstRight = "duty-against-right", Warning;
    /// A condition accepts facts that are less well known than it would by itself.
    RelaxedProvenance = "relaxed-provenance", Warning;
    /// Somebody could get rid of a duty by withholding a fact.
    WithholdingShedsDuty = "withholding-sheds-duty", Warning;
}

/// Something in a policy that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: FindingCode,
    /// Where: `grants[0].when.hours`.
    pub place: String,
    /// In words.
    pub message: String,
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { code, place, message } = self;
        write!(f, "{}: {place}: {message} ({})", code.severity().name(), code.name())
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            code: &'a str,
            severity: &'a str,
            place: &'a str,
            message: &'a str,
        }
        let Finding { code, place, message } = self;
        Shown { code: code.name(), severity: code.severity().name(), place, message }.serialize(s)
    }
}
