package bulla;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** Makes envelopes for the same recipients under the same policy. Threads may share it. */
public final class Sealer implements AutoCloseable {
    private final Handle handle;

    private Sealer(Pointer made) {
        handle = new Handle("sealer", made, Lib::bulla_sealer_free);
    }

    /** What an issuer's sealer is made of. */
    public static final class Options {
        private final String policy;
        private final List<String> recipients;
        private Path home;
        private String passphrase;
        private Session session;
        private String label;
        private int flags;

        /**
         * The two that cannot be left out.
         *
         * @param policy JSON, at most 64 KiB
         * @param recipients public lines of identities, 1 to 500
         */
        public Options(String policy, List<String> recipients) {
            this.policy = policy;
            this.recipients = recipients;
        }

        /**
         * Names the issuer's home folder.
         *
         * @param home null for {@code $BULLA_HOME}, else the platform's own place
         * @return this
         */
        public Options home(Path home) {
            this.home = home;
            return this;
        }

        /**
         * Opens the root's key file.
         *
         * @param passphrase null if it has none
         * @return this
         */
        public Options passphrase(String passphrase) {
            this.passphrase = passphrase;
            return this;
        }

        /**
         * In whose trail each file is recorded.
         *
         * @param session null for nobody's
         * @return this
         */
        public Options session(Session session) {
            this.session = session;
            return this;
        }

        /**
         * A label that stands in the clear.
         *
         * @param label at most 256 bytes; null for none
         * @return this
         */
        public Options label(String label) {
            this.label = label;
            return this;
        }

        /**
         * All files share a key: sealing and opening many costs less, and who can open one can open
         * all.
         *
         * @return this
         */
        public Options batch() {
            flags |= Lib.BATCH;
            return this;
        }

        /**
         * Keys may differ in kind: a file is then as weak as the weakest.
         *
         * @return this
         */
        public Options mixedKinds() {
            flags |= Lib.MIXED_KINDS;
            return this;
        }
    }

    /**
     * A sealer in the name of the root whose key the home has.
     *
     * @param options what it is made of
     * @return the sealer, to be closed
     * @throws IOException a {@link BullaException}
     */
    public static Sealer create(Options options) throws IOException {
        if (options.session == null) return create(options, null);
        return options.session.handle.use(session -> create(options, session));
    }

    private static Sealer create(Options options, Pointer session) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer home = options.home == null ? null : scope.path(options.home);
            byte[] policy = Scope.utf8(options.policy, "the policy");
            Pointer struct = scope.struct().u32(options.flags)
                    .pointer(Scope.wide ? null : home).pointer(Scope.wide ? home : null)
                    .pointer(scope.text(options.passphrase, "the passphrase"))
                    .pointer(session)
                    .pointer(scope.text(options.label, "the label"))
                    .pointer(scope.bytes(policy)).size(policy.length)
                    .pointer(scope.text(String.join("\n", options.recipients), "a recipient"))
                    .done();
            return new Sealer(Lib.pointer((out, error) -> Lib.bulla_sealer_new(struct, out, error)));
        }
    }

    /**
     * A sealer of a device that has a permit for a template.
     *
     * @param session the device's
     * @param template the text of the template's file
     * @param permit a text; null for the one of the session's home that counts longest
     * @param batch as {@link Options#batch}
     * @return the sealer, to be closed
     * @throws IOException a {@link BullaException}
     */
    public static Sealer fromTemplate(Session session, String template, String permit, boolean batch)
            throws IOException {
        try (Scope scope = new Scope()) {
            Pointer text = scope.text(template, "the template");
            Pointer permitted = scope.text(permit, "the permit");
            return new Sealer(session.handle.use(by -> Lib.pointer((out, error) ->
                    Lib.bulla_sealer_from_template(by, text, permitted, batch ? Lib.BATCH : 0, out,
                            error))));
        }
    }

    /**
     * Starts a sealed file.
     *
     * @param path where it will be, once it is complete
     * @param metadata name, type and times; null for none
     * @param replace whether a file of this name is replaced
     * @return the writer, to be completed and closed
     * @throws IOException a {@link BullaException}
     */
    public SealedWriter begin(Path path, Metadata metadata, boolean replace) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer name = scope.path(path);
            Pointer options = options(scope, metadata, replace, null);
            return new SealedWriter(handle.use(sealer -> Lib.pointer((out, error) -> Scope.wide
                    ? Lib.bulla_sealer_begin_w(sealer, name, options, out, error)
                    : Lib.bulla_sealer_begin(sealer, name, options, out, error))));
        }
    }

    /**
     * Starts an envelope that goes to a channel. It is complete after
     * {@link SealedWriter#complete}; a part of it is refused as cut.
     *
     * @param channel stays the program's, and open until the writer is closed
     * @param metadata name, type and times; null for none
     * @return the writer, to be completed and closed
     * @throws IOException a {@link BullaException}, or what the channel threw
     */
    public SealedWriter begin(WritableByteChannel channel, Metadata metadata) throws IOException {
        if (channel == null) throw new NullPointerException("channel");
        try (Scope scope = new Scope()) {
            Pointer options = options(scope, metadata, false, null);
            return new SealedWriter(handle.use(sealer -> {
                Pointer sink = Callbacks.sink(scope, channel);
                return Lib.pointer((out, error) ->
                        Lib.bulla_sealer_begin_sink(sealer, sink, options, out, error));
            }));
        }
    }

    /**
     * Seals a plain file, which stays.
     *
     * @param from the plain file
     * @param to where the sealed one will be
     * @param metadata null: its own name and times
     * @param replace whether a file of this name is replaced
     * @param progress told how far it is; null for nobody
     * @return the new file's id
     * @throws IOException a {@link BullaException}
     */
    public String sealFile(Path from, Path to, Metadata metadata, boolean replace, Progress progress)
            throws IOException {
        try (Scope scope = new Scope(); Callbacks.Told told = new Callbacks.Told(progress)) {
            Pointer source = scope.path(from);
            Pointer target = scope.path(to);
            Pointer options = options(scope, metadata, replace, told);
            return handle.use(sealer -> Lib.text((out, error) -> Scope.wide
                    ? Lib.bulla_sealer_seal_file_w(sealer, source, target, options, out, error)
                    : Lib.bulla_sealer_seal_file(sealer, source, target, options, out, error)));
        }
    }

    private static Pointer options(Scope scope, Metadata metadata, boolean replace,
            Callbacks.Told told) throws BullaException {
        Scope.Struct struct = scope.struct().u32(replace ? Lib.REPLACE : 0)
                .pointer(metadata(scope, metadata));
        if (told != null) return told.into(struct).done();
        return struct.pointer(null).pointer(null).done();
    }

    static Pointer metadata(Scope scope, Metadata metadata) throws BullaException {
        if (metadata == null) return null;
        Instant created = metadata.created();
        Instant modified = metadata.modified();
        return scope.struct().u32((created == null ? 0 : 1) | (modified == null ? 0 : 2))
                .pointer(scope.text(metadata.name(), "the name"))
                .pointer(scope.text(metadata.mediaType(), "the media type"))
                .i64(milliseconds(created)).i64(milliseconds(modified)).done();
    }

    private static long milliseconds(Instant time) throws BullaException {
        try {
            return time == null ? 0 : time.toEpochMilli();
        } catch (ArithmeticException e) {
            throw new BullaException.Argument("a time is out of range");
        }
    }

    /** Writers that it gave go on. */
    @Override
    public void close() {
        handle.close();
    }
}
