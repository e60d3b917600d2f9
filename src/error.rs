//! The one error type, with stable codes.
//!
//! Every error carries a [`Code`]. Codes are never renumbered; the C ABI, the wrappers and the
//! command's exit status are all derived from them. Messages say what happened and what to do;
//! they never contain keys, plaintext, file names or other customer data.

use crate::policy::Decision;
use std::{borrow::Cow, fmt, io};

/// What kind of failure a [`Code`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The caller passed something that cannot be used.
    Argument,
    /// The operating system refused or failed.
    Io,
    /// The bytes are not a sealed file, or not one of a format that we read.
    Format,
    /// The bytes were changed, or the key is wrong.
    Tampered,
    /// Trust, license, policy or rights do not allow it.
    Denied,
    /// The object is not in a state in which this can be done.
    State,
    /// A defect of this library.
    Internal,
}

impl Class {
    /// The lower-case name of the class, as in the test vectors.
    pub fn name(self) -> &'static str {
        match self {
            Class::Argument => "argument",
            Class::Io => "io",
            Class::Format => "format",
            Class::Tampered => "tampered",
            Class::Denied => "denied",
            Class::State => "state",
            Class::Internal => "internal",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Stable error codes. The number of a code never changes, and neither does its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(i32)]
        pub enum Code { $($(#[$doc])* $name = $number,)* }

        impl Code {
            /// All codes, in the order of their numbers.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The stable name, in kebab case.
            pub fn name(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A value given by the caller cannot be used.
    BadArgument = 1, "bad-argument";
    /// A key line, key file or public key cannot be read.
    BadKey = 2, "bad-key";
    /// A policy cannot be read.
    BadPolicy = 3, "bad-policy";
    /// Reading, writing, syncing or renaming failed.
    Io = 100, "io";
    /// There is no such file.
    NotFound = 101, "not-found";
    /// The output exists and would be overwritten.
    Exists = 102, "exists";
    /// The system does not permit the access.
    Permission = 103, "permission";
    /// No space is left, or the quota is used up.
    Full = 104, "full";
    /// The file is not sealed: the magic is missing.
    NotSealed = 200, "not-sealed";
    /// A sealed file of a format version that this library does not read.
    Version = 201, "unsupported-version";
    /// The envelope's header breaks the format.
    Header = 202, "bad-header";
    /// The license breaks the format.
    License = 203, "bad-license";
    /// The payload's length is impossible: the file was cut or extended.
    Length = 204, "bad-length";
    /// A signed object (trust list, template, permit, badge, …) breaks the format.
    Token = 205, "bad-token";
    /// A signature does not verify.
    Signature = 300, "bad-signature";
    /// The key commitment does not hold: changed description, swapped payload or wrong key.
    Commitment = 301, "bad-commitment";
    /// A chunk of the payload does not verify.
    Chunk = 302, "bad-chunk";
    /// A key wrap does not open: it was changed or belongs to another file, policy or batch.
    Wrap = 303, "bad-wrap";
    /// The sealed name and times do not verify.
    Meta = 304, "bad-meta";
    /// The passphrase is wrong, or the key file was changed.
    Passphrase = 305, "wrong-passphrase";
    /// The signer of the license is not a root that this device pins.
    UnknownRoot = 400, "unknown-root";
    /// The trust list does not name the signer, or not for this use, or is missing or expired.
    NotTrusted = 401, "not-trusted";
    /// The license wraps no key for this identity.
    NotRecipient = 402, "not-recipient";
    /// The policy does not let this happen.
    Denied = 403, "denied";
    /// A right that this needs was not granted.
    Right = 404, "missing-right";
    /// A permit or template does not allow this device to seal.
    NotPermitted = 405, "not-permitted";
    /// A list older than one already used.
    Rollback = 406, "rollback";
    /// A list of revocations names the file, license, person, device, template or permit.
    Revoked = 407, "revoked";
    /// The audit trail is missing, unreadable or broken, or does not extend an anchor: nothing opens.
    Trail = 408, "bad-trail";
    /// Another process holds the audit trail for too long.
    TrailBusy = 409, "trail-busy";
    /// The decision under which the file was opened has ended.
    Ended = 410, "ended";
    /// The clock is behind a time that was already seen.
    Clock = 411, "clock-behind";
    /// A badge or attestation is expired or not valid yet; a badge is another device's or too long.
    Badge = 412, "badge-not-valid";
    /// The object was already used up, poisoned or closed.
    State = 500, "bad-state";
    /// Somebody else saved or re-licensed the file meanwhile.
    Changed = 501, "changed-meanwhile";
    /// A home folder lacks what this needs (identity, root key, pinned root).
    HomeIncomplete = 502, "home-incomplete";
    /// A secret file can be read by other users.
    Exposed = 503, "secret-exposed";
    /// This system, or this build of the library, cannot do it.
    Unsupported = 504, "not-supported";
    /// The host stopped the work.
    Cancelled = 505, "cancelled";
    /// A defect in this library.
    Internal = 900, "internal";
}

impl Code {
    /// The stable number: 1– argument, 100– I/O, 200– format, 300– authentication, 400– policy
    /// and rights, 500– state, 900– internal.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The class, by the hundreds of the number.
    pub fn class(self) -> Class {
        match self.number() / 100 {
            0 => Class::Argument,
            1 => Class::Io,
            2 => Class::Format,
            3 => Class::Tampered,
            4 => Class::Denied,
            5 => Class::State,
            _ => Class::Internal,
        }
    }
}

/// What went wrong: a stable code, a message, and the system's error where there was one.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: Cow<'static, str>,
    source: Option<io::Error>,
    decision: Option<Box<Decision>>,
    /// Whether it stands in the trail.
    recorded: bool,
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with this code and message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Error { code, message: message.into(), source: None, decision: None, recorded: false }
    }

    /// A system error, classified, with what was being done (`"reading the identity"`).
    pub fn io(doing: &str, source: io::Error) -> Self {
        // An error of ours that travelled through `std::io` comes back as it was.
        let source = match source.downcast::<Error>() {
            Ok(own) => return own,
            Err(source) => source,
        };
        let code = match source.kind() {
            io::ErrorKind::NotFound => Code::NotFound,
            io::ErrorKind::AlreadyExists => Code::Exists,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::Permission,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::Full,
            _ => Code::Io,
        };
        let message = format!("{doing}: {source}").into();
        Error { code, message, source: Some(source), decision: None, recorded: false }
    }

    /// A denial by a policy, with the decision as data.
    pub(crate) fn denied(code: Code, message: String, decision: Decision) -> Self {
        Error {
            code,
            message: message.into(),
            source: None,
            decision: Some(Box::new(decision)),
            recorded: false,
        }
    }

    /// Of a denial by a policy: which conditions failed, what was known and what would do.
    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_deref()
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The class of the code.
    pub fn class(&self) -> Class {
        self.code.class()
    }

    /// The same refusal, which was recorded.
    pub(crate) fn recorded(self) -> Self {
        Error { recorded: true, ..self }
    }

    pub(crate) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// The same refusal, which could not be recorded.
    pub(crate) fn unrecorded(mut self, why: &Error) -> Self {
        self.message = format!("{}; and it could not be recorded: {why}", self.message).into();
        self
    }

    /// The same error, with what was being done in front of its message.
    pub fn context(mut self, doing: &str) -> Self {
        self.message = format!("{doing}: {}", self.message).into();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|e| e as _)
    }
}

/// So that `Read`, `Write` and `Seek` can carry our errors; [`Error::io`] takes them out again.
impl From<Error> for io::Error {
    fn from(e: Error) -> Self {
        let kind = match e.code.class() {
            Class::Argument => io::ErrorKind::InvalidInput,
            Class::Io => e.source.as_ref().map_or(io::ErrorKind::Other, io::Error::kind),
            Class::Format | Class::Tampered => io::ErrorKind::InvalidData,
            Class::Denied => io::ErrorKind::PermissionDenied,
            Class::State | Class::Internal => io::ErrorKind::Other,
        };
        io::Error::new(kind, e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_and_distinct() {
        let mut last = 0;
        for code in Code::ALL {
            assert!(code.number() > last, "{code:?} is out of order");
            last = code.number();
        }
        assert_eq!(Code::NotSealed.number(), 200);
        assert_eq!(Code::Chunk.class(), Class::Tampered);
        assert_eq!(Code::UnknownRoot.class(), Class::Denied);
        assert_eq!(Code::Internal.class(), Class::Internal);
    }

    #[test]
    fn own_errors_survive_a_trip_through_std_io() {
        let there = io::Error::from(Error::new(Code::Chunk, "chunk 3 does not verify"));
        assert_eq!(there.kind(), io::ErrorKind::InvalidData);
        assert_eq!(Error::io("reading", there).code(), Code::Chunk);
    }
}
