package bulla;

import java.io.IOException;

/** What the library reports: a stable code, and one subclass for each kind. */
public class BullaException extends IOException {
    private static final long serialVersionUID = 1;

    /** The number of the code: also one that this version does not know. */
    private final int number;
    /** The stable name of the code. */
    private final String name;
    /** The decision as JSON, or null. */
    private final String decision;

    BullaException(int number, String name, String message, String decision) {
        super(message + " [" + name + "]");
        this.number = number;
        this.name = name;
        this.decision = decision;
    }

    /**
     * What went wrong.
     *
     * @return the code; null for one that only a newer library has, see {@link #number()}
     */
    public Code code() {
        return Code.of(number);
    }

    /**
     * The number of the code.
     *
     * @return one of {@code BULLA_E_*}
     */
    public int number() {
        return number;
    }

    /**
     * The stable name of the code.
     *
     * @return such as {@code not-sealed}
     */
    public String name() {
        return name;
    }

    /**
     * Of a denial by a policy: the decision, with the conditions that failed.
     *
     * @return the decision; null for other failures
     */
    public Decision decision() {
        return decision == null ? null : new Decision(decision);
    }

    /** A value that the program gave cannot be used. */
    public static final class Argument extends BullaException {
        private static final long serialVersionUID = 1;

        Argument(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }

        Argument(String message) {
            super(Code.BAD_ARGUMENT.number(), "bad-argument", message, null);
        }
    }

    /** Reading or writing failed, as it may for any file. */
    public static final class Io extends BullaException {
        private static final long serialVersionUID = 1;

        Io(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** The file is a plain one ({@link Code#NOT_SEALED}), or not a sound envelope. */
    public static final class Format extends BullaException {
        private static final long serialVersionUID = 1;

        Format(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** The file was changed, or a key or passphrase is the wrong one. Show nothing of it. */
    public static final class Tampered extends BullaException {
        private static final long serialVersionUID = 1;

        Tampered(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** Root, license, policy or rights do not let this happen. */
    public static final class Denied extends BullaException {
        private static final long serialVersionUID = 1;

        Denied(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** The object, the home or the system is not in a state to do this. */
    public static final class State extends BullaException {
        private static final long serialVersionUID = 1;

        State(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** A defect of the library: report it to us. */
    public static final class Internal extends BullaException {
        private static final long serialVersionUID = 1;

        Internal(int number, String name, String message, String decision) {
            super(number, name, message, decision);
        }
    }

    /** By the hundreds: an unknown code of a newer library still is of a known kind. */
    static BullaException of(int number, String name, String message, String decision) {
        switch (number / 100) {
            case 0: return new Argument(number, name, message, decision);
            case 1: return new Io(number, name, message, decision);
            case 2: return new Format(number, name, message, decision);
            case 3: return new Tampered(number, name, message, decision);
            case 4: return new Denied(number, name, message, decision);
            case 5: return new State(number, name, message, decision);
            default: return new Internal(number, name, message, decision);
        }
    }
}
