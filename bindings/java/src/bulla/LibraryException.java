package bulla;

/** The library is missing, or is not one that these classes can use. The message says more. */
public final class LibraryException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    LibraryException(String message, Throwable cause) {
        super(message, cause);
    }
}
