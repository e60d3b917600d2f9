package bulla;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Path;

/** What needs no session: what an envelope says of itself, trails, the library's version. */
public final class Sealed {
    private Sealed() {}

    /**
     * The version of the library.
     *
     * @return such as {@code 0.1.0}
     */
    public static String libraryVersion() {
        Lib.ready();
        return Lib.utf8(Lib.bulla_version());
    }

    /**
     * Whether the first bytes of a file are those of a sealed one. Proves nothing.
     *
     * @param start 8 bytes or more; fewer are none
     * @return true if they are
     */
    public static boolean isSealed(byte[] start) {
        Lib.ready();
        try (Scope scope = new Scope()) {
            return Lib.bulla_is_sealed(scope.bytes(start), new SizeT(start.length)) != 0;
        }
    }

    /**
     * What an envelope says of itself in the clear. Needs no keys.
     *
     * @param path the sealed file
     * @return what it says; nothing of it is proved
     * @throws IOException if the file cannot be read or is not a sound envelope
     */
    public static Inspection inspect(Path path) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer name = scope.path(path);
            Memory size = scope.memory(8);
            String json = Lib.text((out, error) -> Scope.wide
                    ? Lib.bulla_inspect_w(name, size, out, error)
                    : Lib.bulla_inspect(name, size, out, error));
            return new Inspection(json, size.getLong(0));
        }
    }

    /**
     * Verifies an audit trail from its first line to its last.
     *
     * @param path the trail
     * @return the report, as JSON
     * @throws IOException if it cannot be read, or was changed or cut
     */
    public static String verifyTrail(Path path) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer name = scope.narrow(path);
            return Lib.text((out, error) -> Lib.bulla_trail_verify(null, name, out, error));
        }
    }

    /**
     * Windows: keeps a top-level window of this process out of screen captures. Only then may a
     * program declare {@link Duty#BLOCK_CAPTURE}.
     *
     * @param window its {@code HWND}
     * @throws IOException if the system did not accept it, and on other systems
     */
    public static void protectWindow(Pointer window) throws IOException {
        Lib.call(error -> Lib.bulla_window_protect(window, error));
    }

    /**
     * Windows: clears the clipboard when the window loses focus. Call it in the window's own thread.
     *
     * @param window its {@code HWND}
     * @throws IOException if it is another thread's, and on other systems
     */
    public static void guardClipboard(Pointer window) throws IOException {
        Lib.call(error -> Lib.bulla_clipboard_guard(window, error));
    }
}
