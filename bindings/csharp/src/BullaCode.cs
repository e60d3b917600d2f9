namespace Bulla
{
    /// <summary>
    /// What went wrong. The numbers are stable and those of bulla.h; a newer library may give others, of the same
    /// hundreds.
    /// </summary>
    public enum BullaCode
    {
        /// <summary>The call did what it was asked for.</summary>
        Ok = 0,

        /// <summary>A value given by the caller cannot be used.</summary>
        BadArgument = 1,

        /// <summary>A key line, key file or public key cannot be read.</summary>
        BadKey = 2,

        /// <summary>A policy cannot be read.</summary>
        BadPolicy = 3,

        /// <summary>Reading, writing, syncing or renaming failed.</summary>
        Io = 100,

        /// <summary>There is no such file.</summary>
        NotFound = 101,

        /// <summary>The output exists and would be overwritten.</summary>
        Exists = 102,

        /// <summary>The system does not permit the access.</summary>
        Permission = 103,

        /// <summary>No space is left, or the quota is used up.</summary>
        Full = 104,

        /// <summary>The file is not sealed: the magic is missing.</summary>
        NotSealed = 200,

        /// <summary>A sealed file of a format version that this library does not read.</summary>
        UnsupportedVersion = 201,

        /// <summary>The envelope's header breaks the format.</summary>
        BadHeader = 202,

        /// <summary>The license breaks the format.</summary>
        BadLicense = 203,

        /// <summary>The payload's length is impossible: the file was cut or extended.</summary>
        BadLength = 204,

        /// <summary>A signed object (trust list, template, permit, badge, …) breaks the format.</summary>
        BadToken = 205,

        /// <summary>A signature does not verify.</summary>
        BadSignature = 300,

        /// <summary>The key commitment does not hold: changed description, swapped payload or wrong key.</summary>
        BadCommitment = 301,

        /// <summary>A chunk of the payload does not verify.</summary>
        BadChunk = 302,

        /// <summary>A key wrap does not open: it was changed or belongs to another file, policy or batch.</summary>
        BadWrap = 303,

        /// <summary>The sealed name and times do not verify.</summary>
        BadMeta = 304,

        /// <summary>The passphrase is wrong, or the key file was changed.</summary>
        WrongPassphrase = 305,

        /// <summary>The signer of the license is not a root that this device pins.</summary>
        UnknownRoot = 400,

        /// <summary>The trust list does not name the signer, or not for this use, or is missing or expired.</summary>
        NotTrusted = 401,

        /// <summary>The license wraps no key for this identity.</summary>
        NotRecipient = 402,

        /// <summary>The policy does not let this happen.</summary>
        Denied = 403,

        /// <summary>A right that this needs was not granted.</summary>
        MissingRight = 404,

        /// <summary>A permit or template does not allow this device to seal.</summary>
        NotPermitted = 405,

        /// <summary>A list older than one already used.</summary>
        Rollback = 406,

        /// <summary>A list of revocations names the file, license, person, device, template or permit.</summary>
        Revoked = 407,

        /// <summary>
        /// The audit trail is missing, unreadable or broken, or does not extend an anchor: nothing opens.
        /// </summary>
        BadTrail = 408,

        /// <summary>Another process holds the audit trail for too long.</summary>
        TrailBusy = 409,

        /// <summary>The decision under which the file was opened has ended.</summary>
        Ended = 410,

        /// <summary>The clock is behind a time that was already seen.</summary>
        ClockBehind = 411,

        /// <summary>
        /// A badge or attestation is expired or not valid yet; a badge is another device's or too long.
        /// </summary>
        BadgeNotValid = 412,

        /// <summary>The object was already used up, poisoned or closed.</summary>
        BadState = 500,

        /// <summary>Somebody else saved or re-licensed the file meanwhile.</summary>
        ChangedMeanwhile = 501,

        /// <summary>A home folder lacks what this needs (identity, root key, pinned root).</summary>
        HomeIncomplete = 502,

        /// <summary>A secret file can be read by other users.</summary>
        SecretExposed = 503,

        /// <summary>This system, or this build of the library, cannot do it.</summary>
        NotSupported = 504,

        /// <summary>The host stopped the work.</summary>
        Cancelled = 505,

        /// <summary>A defect in this library.</summary>
        Internal = 900,
    }
}
