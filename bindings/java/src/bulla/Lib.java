package bulla;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.io.File;
import java.io.IOException;

/** {@code bulla.h}: the functions, and the one way to call them. */
final class Lib {
    static final int ABI_VERSION = 0;
    static final int REPLACE = 1;
    static final int OLDER = 1;
    static final int BATCH = 1;
    static final int MIXED_KINDS = 2;

    private static boolean registered;

    private Lib() {}

    /** Loads the library when it is first needed; says the same again if that failed. */
    static synchronized void ready() {
        if (registered) return;
        String chosen = System.getenv("BULLA_LIBRARY");
        boolean given = chosen != null && !chosen.isEmpty();
        String name = given ? new File(chosen).getAbsolutePath()
                : Platform.isWindows() ? "libbulla" : "libbulla.so." + ABI_VERSION;
        NativeLibrary library;
        try {
            library = NativeLibrary.getInstance(name);
        } catch (UnsatisfiedLinkError e) {
            throw new LibraryException("cannot load the bulla library. Looked for " + name
                    + (given ? " (BULLA_LIBRARY)" : " in jna.library.path ("
                            + System.getProperty("jna.library.path", "not set")
                            + "), where the system looks for libraries, and in the class path")
                    + ". Install it, or set BULLA_LIBRARY to its full path. " + e.getMessage(), e);
        }
        int found;
        try {
            Function version = library.getFunction("bulla_abi_version");
            found = version.invokeInt(new Object[0]);
        } catch (UnsatisfiedLinkError e) {
            throw new LibraryException(name + " is not the bulla library", e);
        }
        if (found != ABI_VERSION) {
            throw new LibraryException("the bulla library " + name + " has ABI " + found + " and is "
                    + (found > ABI_VERSION ? "newer" : "older") + " than these classes, which are for"
                    + " ABI " + ABI_VERSION + ": install the two that belong together", null);
        }
        try {
            Native.register(Lib.class, library);
        } catch (UnsatisfiedLinkError e) {
            throw new LibraryException("the bulla library " + name + " is older than these classes: "
                    + e.getMessage(), e);
        }
        registered = true;
    }

    /** A call whose last argument is a place for the error. */
    interface Call {
        int with(Pointer error) throws IOException;
    }

    /** A call with a place for an output before that. */
    interface Making {
        int with(Pointer out, Pointer error) throws IOException;
    }

    /** Calls; throws what went wrong, or what a callback has thrown. */
    static void call(Call call) throws IOException {
        ready();
        try (Memory error = new Memory(Native.POINTER_SIZE)) {
            error.clear();
            int status = call.with(error);
            Throwable original = Callbacks.takeThrown();
            if (status == 0) return;
            BullaException told = taken(status, error.getPointer(0));
            if (original instanceof IOException) throw (IOException) original;
            if (original instanceof RuntimeException) throw (RuntimeException) original;
            if (original instanceof Error) throw (Error) original;
            throw told;
        }
    }

    private static BullaException taken(int status, Pointer error) {
        try {
            Pointer decision = bulla_error_decision(error);
            return BullaException.of(status, utf8(bulla_error_name(error)),
                    utf8(bulla_error_message(error)), decision == null ? null : utf8(decision));
        } finally {
            bulla_error_free(error);
        }
    }

    static Pointer pointer(Making call) throws IOException {
        try (Memory out = new Memory(8)) {
            out.clear();
            call(error -> call.with(out, error));
            return out.getPointer(0);
        }
    }

    /** A number of up to 64 bits. Little-endian, so that one of 32 bits reads the same. */
    static long number(Making call) throws IOException {
        try (Memory out = new Memory(8)) {
            out.clear();
            call(error -> call.with(out, error));
            return out.getLong(0);
        }
    }

    /** A string that is to be freed; null if there is none. */
    static String text(Making call) throws IOException {
        Pointer string = pointer(call);
        if (string == null) return null;
        try {
            return utf8(string);
        } finally {
            bulla_string_free(string);
        }
    }

    /** A string that is not. */
    static String borrowed(Making call) throws IOException {
        return utf8(pointer(call));
    }

    static String utf8(Pointer string) {
        return string == null ? null : string.getString(0, "UTF-8");
    }

    // --- bulla.h ---------------------------------------------------------------------------

    static native Pointer bulla_version();
    static native int bulla_is_sealed(Pointer start, SizeT len);

    static native Pointer bulla_error_message(Pointer error);
    static native Pointer bulla_error_name(Pointer error);
    static native Pointer bulla_error_decision(Pointer error);
    static native void bulla_error_free(Pointer error);
    static native void bulla_string_free(Pointer string);

    static native int bulla_session_start(Pointer options, Pointer out, Pointer error);
    static native int bulla_session_refresh(Pointer session, Pointer error);
    static native int bulla_session_use_badge(Pointer session, Pointer badge, Pointer attestations,
            SizeT count, Pointer error);
    static native int bulla_session_explain(Pointer session, Pointer path, Pointer facts, Pointer out,
            Pointer error);
    static native int bulla_session_device(Pointer session, Pointer out, Pointer error);
    static native void bulla_session_free(Pointer session);
    static native int bulla_trail_verify(Pointer session, Pointer path, Pointer out, Pointer error);

    static native int bulla_file_open(Pointer session, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_file_open_w(Pointer session, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_file_open_source(Pointer session, Pointer source, Pointer options,
            Pointer out, Pointer error);
    static native int bulla_file_size(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_pread(Pointer file, long offset, Pointer into, SizeT len, Pointer out,
            Pointer error);
    static native int bulla_file_rights(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_duties(Pointer file, int right, Pointer duties, Pointer columns,
            Pointer error);
    static native int bulla_file_until(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_decision(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_watermark(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_metadata(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_id(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_revision(Pointer file, Pointer out, Pointer error);
    static native int bulla_file_use(Pointer file, int right, Pointer error);
    static native int bulla_file_export(Pointer file, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_file_export_w(Pointer file, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_file_export_sink(Pointer file, Pointer sink, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_file_save(Pointer file, Pointer metadata, Pointer out, Pointer error);
    static native int bulla_file_save_to(Pointer file, Pointer sink, Pointer metadata, Pointer out,
            Pointer error);
    static native void bulla_file_free(Pointer file);

    static native int bulla_sealer_new(Pointer options, Pointer out, Pointer error);
    static native int bulla_sealer_from_template(Pointer session, Pointer template, Pointer permit,
            int flags, Pointer out, Pointer error);
    static native int bulla_sealer_seal_file(Pointer sealer, Pointer from, Pointer to, Pointer options,
            Pointer id, Pointer error);
    static native int bulla_sealer_seal_file_w(Pointer sealer, Pointer from, Pointer to,
            Pointer options, Pointer id, Pointer error);
    static native int bulla_sealer_begin(Pointer sealer, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_sealer_begin_w(Pointer sealer, Pointer path, Pointer options, Pointer out,
            Pointer error);
    static native int bulla_sealer_begin_sink(Pointer sealer, Pointer sink, Pointer options,
            Pointer out, Pointer error);
    static native void bulla_sealer_free(Pointer sealer);

    static native int bulla_writer_write(Pointer writer, Pointer data, SizeT len, Pointer error);
    static native int bulla_writer_finish(Pointer writer, Pointer error);
    static native int bulla_writer_file_id(Pointer writer, Pointer out, Pointer error);
    static native void bulla_writer_free(Pointer writer);

    static native int bulla_inspect(Pointer path, Pointer size, Pointer out, Pointer error);
    static native int bulla_inspect_w(Pointer path, Pointer size, Pointer out, Pointer error);

    static native int bulla_window_protect(Pointer window, Pointer error);
    static native int bulla_clipboard_guard(Pointer window, Pointer error);
}
