package bulla;

/** The codes of {@code bulla.h}, {@code BULLA_E_} left out. They are never renumbered. */
public enum Code {
    /** The call did what it was asked for. */
    OK(0),
    /** A value given by the caller cannot be used. */
    BAD_ARGUMENT(1),
    /** A key line, key file or public key cannot be read. */
    BAD_KEY(2),
    /** A policy cannot be read. */
    BAD_POLICY(3),
    /** Reading, writing, syncing or renaming failed. */
    IO(100),
    /** There is no such file. */
    NOT_FOUND(101),
    /** The output exists and would be overwritten. */
    EXISTS(102),
    /** The system does not permit the access. */
    PERMISSION(103),
    /** No space is left, or the quota is used up. */
    FULL(104),
    /** The file is not sealed. */
    NOT_SEALED(200),
    /** A sealed file of a format version that the library does not read. */
    UNSUPPORTED_VERSION(201),
    /** The header breaks the format. */
    BAD_HEADER(202),
    /** The license breaks the format. */
    BAD_LICENSE(203),
    /** The payload's length is impossible: the file was cut or extended. */
    BAD_LENGTH(204),
    /** A signed object breaks the format. */
    BAD_TOKEN(205),
    /** A signature does not verify. */
    BAD_SIGNATURE(300),
    /** The key commitment does not hold. */
    BAD_COMMITMENT(301),
    /** A chunk of the payload does not verify. */
    BAD_CHUNK(302),
    /** A key wrap does not open. */
    BAD_WRAP(303),
    /** The sealed name and times do not verify. */
    BAD_META(304),
    /** The passphrase is wrong, or the key file was changed. */
    WRONG_PASSPHRASE(305),
    /** The signer of the license is not a root that this device pins. */
    UNKNOWN_ROOT(400),
    /** The trust list does not name the signer, or is missing or expired. */
    NOT_TRUSTED(401),
    /** The license wraps no key for this identity. */
    NOT_RECIPIENT(402),
    /** The policy does not let this happen. */
    DENIED(403),
    /** A right that this needs was not granted. */
    MISSING_RIGHT(404),
    /** A permit or template does not allow this device to seal. */
    NOT_PERMITTED(405),
    /** A list older than one already used. */
    ROLLBACK(406),
    /** A list of revocations names one of those concerned. */
    REVOKED(407),
    /** The audit trail is missing, unreadable or broken: nothing opens. */
    BAD_TRAIL(408),
    /** Another process holds the audit trail for too long. */
    TRAIL_BUSY(409),
    /** The decision under which the file was opened has ended. */
    ENDED(410),
    /** The clock is behind a time that was already seen. */
    CLOCK_BEHIND(411),
    /** A badge or attestation does not count now or here. */
    BADGE_NOT_VALID(412),
    /** The object was already used up, poisoned or closed. */
    BAD_STATE(500),
    /** Somebody else saved or re-licensed the file meanwhile. */
    CHANGED_MEANWHILE(501),
    /** A home folder lacks what this needs. */
    HOME_INCOMPLETE(502),
    /** A secret file can be read by other users. */
    SECRET_EXPOSED(503),
    /** This system, or this build of the library, cannot do it. */
    NOT_SUPPORTED(504),
    /** The program stopped the work. */
    CANCELLED(505),
    /** A defect in the library. */
    INTERNAL(900);

    private final int number;

    Code(int number) {
        this.number = number;
    }

    /**
     * Its number.
     *
     * @return the number that {@code bulla.h} gives it
     */
    public int number() {
        return number;
    }

    /**
     * The code of a number.
     *
     * @param number one that the library gave
     * @return the code; null for a number that this version does not know
     */
    public static Code of(int number) {
        for (Code each : values()) if (each.number == number) return each;
        return null;
    }
}
