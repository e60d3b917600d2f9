package bulla;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/**
 * A device at work: its identity, whom it trusts, who sits at it. Threads may share it. Files and
 * writers that were made with it go on when it is closed.
 */
public final class Session implements AutoCloseable {
    final Handle handle;

    private Session(Handle handle) {
        this.handle = handle;
    }

    /** What a session starts with. */
    public static final class Options {
        private Path home;
        private String passphrase;
        private String badge;
        private List<String> attestations = Collections.emptyList();
        private final List<String> duties = new ArrayList<>();
        private String ticket;
        private String asserted;

        /** The default home, no passphrase, no duties. */
        public Options() {}

        /**
         * Names the home folder.
         *
         * @param home null for {@code $BULLA_HOME}, else the platform's own place
         * @return this
         */
        public Options home(Path home) {
            this.home = home;
            return this;
        }

        /**
         * Opens the identity's key file.
         *
         * @param passphrase null if it has none
         * @return this
         */
        public Options passphrase(String passphrase) {
            this.passphrase = passphrase;
            return this;
        }

        /**
         * Puts a badge in place of the home's.
         *
         * @param badge its text; null for the home's
         * @return this
         */
        public Options badge(String badge) {
            this.badge = badge;
            return this;
        }

        /**
         * Adds attestations to the home's.
         *
         * @param attestations their texts
         * @return this
         */
        public Options attestations(Collection<String> attestations) {
            this.attestations = new ArrayList<>(attestations);
            return this;
        }

        /**
         * Declares what this program truthfully carries out. A right whose duties are not among
         * them is not granted.
         *
         * @param duties which
         * @return this
         */
        public Options duties(Duty... duties) {
            this.duties.clear();
            for (Duty each : Arrays.asList(duties)) this.duties.add(each.word());
            return this;
        }

        /**
         * Names the ticket, case or call that the work is for.
         *
         * @param ticket 1 to 256 bytes; null for none
         * @return this
         */
        public Options ticket(String ticket) {
            this.ticket = ticket;
            return this;
        }

        /**
         * What the program says of the device: {@code docs/policy.md}, "Facts".
         *
         * @param asserted JSON; null for nothing
         * @return this
         */
        public Options asserted(String asserted) {
            this.asserted = asserted;
            return this;
        }
    }

    /**
     * Starts a session.
     *
     * @param options what it starts with
     * @return the session, to be closed
     * @throws IOException a {@link BullaException}, where the home or the trail does not hold
     */
    public static Session start(Options options) throws IOException {
        try (Scope scope = new Scope()) {
            Scope.Struct struct = scope.struct().u32(0);
            Pointer home = options.home == null ? null : scope.path(options.home);
            struct.pointer(Scope.wide ? null : home).pointer(Scope.wide ? home : null)
                    .pointer(scope.text(options.passphrase, "the passphrase"))
                    .pointer(scope.text(options.badge, "the badge"))
                    .pointer(scope.texts(options.attestations, "an attestation"))
                    .size(options.attestations.size())
                    .pointer(scope.texts(options.duties, "a duty"))
                    .size(options.duties.size())
                    .pointer(scope.text(options.ticket, "the ticket"))
                    .pointer(scope.text(options.asserted, "what is asserted"));
            Pointer done = struct.done();
            Pointer made = Lib.pointer((out, error) -> Lib.bulla_session_start(done, out, error));
            return new Session(new Handle("session", made, Lib::bulla_session_free));
        }
    }

    /**
     * Opens a sealed file to view it.
     *
     * @param path where it is
     * @return the file, to be closed
     * @throws IOException a {@link BullaException}; {@link BullaException.Denied} has the decision
     */
    public SealedFile open(Path path) throws IOException {
        return open(path, Right.VIEW, false);
    }

    /**
     * Opens a sealed file.
     *
     * @param path where it is
     * @param right the right without which it is not opened
     * @param older whether a content or license older than one that this device has seen will do
     * @return the file, to be closed
     * @throws IOException as {@link #open(Path)}
     */
    public SealedFile open(Path path, Right right, boolean older) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer name = scope.path(path);
            Pointer options = options(scope, right, older);
            return new SealedFile(handle.use(session -> Lib.pointer((out, error) -> Scope.wide
                    ? Lib.bulla_file_open_w(session, name, options, out, error)
                    : Lib.bulla_file_open(session, name, options, out, error))));
        }
    }

    /**
     * Opens an envelope that the program itself keeps. The channel stays the program's; it must be
     * open until the file is closed. What it throws comes back from the call that read.
     *
     * @param channel where it is; of a {@code FileChannel} the position is not used
     * @param right the right without which it is not opened
     * @param older as {@link #open(Path, Right, boolean)}
     * @return the file, to be closed; it is saved with {@link SealedFile#saveTo}
     * @throws IOException as {@link #open(Path)}
     */
    public SealedFile open(SeekableByteChannel channel, Right right, boolean older)
            throws IOException {
        if (channel == null) throw new NullPointerException("channel");
        try (Scope scope = new Scope()) {
            Pointer options = options(scope, right, older);
            return new SealedFile(handle.use(session -> {
                Lib.ready();
                Pointer source = Callbacks.source(scope, channel);
                return Lib.pointer((out, error) ->
                        Lib.bulla_file_open_source(session, source, options, out, error));
            }));
        }
    }

    private static Pointer options(Scope scope, Right right, boolean older) {
        return scope.struct().u32(older ? Lib.OLDER : 0).u32(right.bit).u32(0).done();
    }

    /**
     * Reads badge, attestations and lists of the home again.
     *
     * @throws IOException a {@link BullaException}; what the session stood on stays then
     */
    public void refresh() throws IOException {
        handle.use(session -> {
            Lib.call(error -> Lib.bulla_session_refresh(session, error));
            return null;
        });
    }

    /**
     * The same, with this badge and these attestations.
     *
     * @param badge a text, never null; one that does not count is no error, and grants nothing
     * @param attestations texts
     * @throws IOException as {@link #refresh}
     */
    public void useBadge(String badge, List<String> attestations) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer text = scope.text(badge, "the badge");
            Pointer texts = scope.texts(attestations, "an attestation");
            SizeT count = new SizeT(attestations.size());
            handle.use(session -> {
                Lib.call(e -> Lib.bulla_session_use_badge(session, text, texts, count, e));
                return null;
            });
        }
    }

    /**
     * What would be decided about a sealed file now. A denial is a decision here.
     *
     * @param path where it is
     * @param facts JSON, in place of the session's own; null for none
     * @return the decision; nothing is recorded
     * @throws IOException a {@link BullaException}, for what is refused before a policy is asked
     */
    public Decision explain(Path path, String facts) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer name = scope.narrow(path);
            Pointer json = scope.text(facts, "the facts");
            return new Decision(handle.use(session -> Lib.text((out, error) ->
                    Lib.bulla_session_explain(session, name, json, out, error))));
        }
    }

    /**
     * The thumbprint of the device's identity.
     *
     * @return 43 characters
     * @throws IOException a {@link BullaException}, if the session is closed
     */
    public String device() throws IOException {
        return handle.use(session -> Lib.text((out, e) -> Lib.bulla_session_device(session, out, e)));
    }

    /**
     * Verifies the home's audit trail.
     *
     * @return the report, as JSON
     * @throws IOException a {@link BullaException}, if it was changed or cut
     */
    public String verifyTrail() throws IOException {
        return handle.use(session -> Lib.text((out, error) ->
                Lib.bulla_trail_verify(session, null, out, error)));
    }

    /** Ends the session. The second time nothing happens. */
    @Override
    public void close() {
        handle.close();
    }
}
