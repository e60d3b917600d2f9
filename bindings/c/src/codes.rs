//! The codes of errors, as the header has them. A test holds them against the core's.

/// The call did what it was asked for.
pub const BULLA_OK: i32 = 0;
/// A value given by the caller cannot be used.
pub const BULLA_E_BAD_ARGUMENT: i32 = 1;
/// A key line, key file or public key cannot be read.
pub const BULLA_E_BAD_KEY: i32 = 2;
/// A policy cannot be read.
pub const BULLA_E_BAD_POLICY: i32 = 3;
/// Reading, writing, syncing or renaming failed.
pub const BULLA_E_IO: i32 = 100;
/// There is no such file.
pub const BULLA_E_NOT_FOUND: i32 = 101;
/// The output exists and would be overwritten.
pub const BULLA_E_EXISTS: i32 = 102;
/// The system does not permit the access.
pub const BULLA_E_PERMISSION: i32 = 103;
/// No space is left, or the quota is used up.
pub const BULLA_E_FULL: i32 = 104;
/// The file is not sealed: the magic is missing.
pub const BULLA_E_NOT_SEALED: i32 = 200;
/// A sealed file of a format version that this library does not read.
pub const BULLA_E_UNSUPPORTED_VERSION: i32 = 201;
/// The envelope's header breaks the format.
pub const BULLA_E_BAD_HEADER: i32 = 202;
/// The license breaks the format.
pub const BULLA_E_BAD_LICENSE: i32 = 203;
/// The payload's length is impossible: the file was cut or extended.
pub const BULLA_E_BAD_LENGTH: i32 = 204;
/// A signed object (trust list, template, permit, badge, …) breaks the format.
pub const BULLA_E_BAD_TOKEN: i32 = 205;
/// A signature does not verify.
pub const BULLA_E_BAD_SIGNATURE: i32 = 300;
/// The key commitment does not hold: changed description, swapped payload or wrong key.
pub const BULLA_E_BAD_COMMITMENT: i32 = 301;
/// A chunk of the payload does not verify.
pub const BULLA_E_BAD_CHUNK: i32 = 302;
/// A key wrap does not open: it was changed or belongs to another file, policy or batch.
pub const BULLA_E_BAD_WRAP: i32 = 303;
/// The sealed name and times do not verify.
pub const BULLA_E_BAD_META: i32 = 304;
/// The passphrase is wrong, or the key file was changed.
pub const BULLA_E_WRONG_PASSPHRASE: i32 = 305;
/// The signer of the license is not a root that this device pins.
pub const BULLA_E_UNKNOWN_ROOT: i32 = 400;
/// The trust list does not name the signer, or not for this use, or is missing or expired.
pub const BULLA_E_NOT_TRUSTED: i32 = 401;
/// The license wraps no key for this identity.
pub const BULLA_E_NOT_RECIPIENT: i32 = 402;
/// The policy does not let this happen.
pub const BULLA_E_DENIED: i32 = 403;
/// A right that this needs was not granted.
pub const BULLA_E_MISSING_RIGHT: i32 = 404;
/// A permit or template does not allow this device to seal.
pub const BULLA_E_NOT_PERMITTED: i32 = 405;
/// A list older than one already used.
pub const BULLA_E_ROLLBACK: i32 = 406;
/// A list of revocations names the file, license, person, device, template or permit.
pub const BULLA_E_REVOKED: i32 = 407;
/// The audit trail is missing, unreadable or broken, or does not extend an anchor: nothing opens.
pub const BULLA_E_BAD_TRAIL: i32 = 408;
/// Another process holds the audit trail for too long.
pub const BULLA_E_TRAIL_BUSY: i32 = 409;
/// The decision under which the file was opened has ended.
pub const BULLA_E_ENDED: i32 = 410;
/// The clock is behind a time that was already seen.
pub const BULLA_E_CLOCK_BEHIND: i32 = 411;
/// A badge or attestation is expired or not valid yet; a badge is another device's or too long.
pub const BULLA_E_BADGE_NOT_VALID: i32 = 412;
/// The object was already used up, poisoned or closed.
pub const BULLA_E_BAD_STATE: i32 = 500;
/// Somebody else saved or re-licensed the file meanwhile.
pub const BULLA_E_CHANGED_MEANWHILE: i32 = 501;
/// A home folder lacks what this needs (identity, root key, pinned root).
pub const BULLA_E_HOME_INCOMPLETE: i32 = 502;
/// A secret file can be read by other users.
pub const BULLA_E_SECRET_EXPOSED: i32 = 503;
/// This system, or this build of the library, cannot do it.
pub const BULLA_E_NOT_SUPPORTED: i32 = 504;
/// The host stopped the work.
pub const BULLA_E_CANCELLED: i32 = 505;
/// A defect in this library.
pub const BULLA_E_INTERNAL: i32 = 900;

#[cfg(test)]
mod tests {
    use bulla_core::Code;

    #[test]
    fn all_codes_are_here() {
        let here: Vec<_> = include_str!("codes.rs")
            .lines()
            .filter_map(|l| l.strip_prefix("pub const BULLA_E_")?.split_once(": i32 = "))
            .map(|(name, number)| (name.to_lowercase().replace('_', "-"), number.to_owned()))
            .collect();
        let core: Vec<_> =
            Code::ALL.iter().map(|c| (c.name().to_owned(), format!("{};", c.number()))).collect();
        assert_eq!(here, core);
    }
}
