package bulla;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An issuer and a desk in a folder of their own, and what tests are made of. */
final class Office implements AutoCloseable {
    static final byte[] CARDS = "name,phone,ssn\r\nKim,010-1,900101\r\n".getBytes(StandardCharsets.UTF_8);

    final Path folder;
    private final List<AutoCloseable> open = new ArrayList<>();

    Office() throws Exception {
        folder = Files.createTempDirectory("bulla").resolve("office");
        String script = System.getProperty("office");
        Process made = new ProcessBuilder("sh", script, System.getProperty("command"),
                folder.toString()).inheritIO().start();
        check(made.waitFor() == 0, "the office is made");
    }

    Path at(String name) {
        return folder.resolve(name);
    }

    String text(String name) throws IOException {
        return new String(Files.readAllBytes(at(name)), StandardCharsets.UTF_8);
    }

    /** Closed with the office. */
    <T extends AutoCloseable> T keep(T made) {
        open.add(made);
        return made;
    }

    Session session(Duty... duties) throws IOException {
        return keep(Session.start(new Session.Options().home(at("x25519")).ticket("T-1").duties(duties)));
    }

    Sealer.Options options(String policy) throws IOException {
        return new Sealer.Options(text(policy + ".json"),
                Collections.singletonList(text("x25519/identity.pub").trim()))
                .home(at("issuer")).label("cards");
    }

    Path seal(String policy, String name, byte[] data) throws IOException {
        try (Sealer sealer = Sealer.create(options(policy));
                SealedWriter writer = sealer.begin(at(name), null, true)) {
            writer.write(ByteBuffer.wrap(data));
            writer.complete();
        }
        return at(name);
    }

    byte[] envelope(byte[] data) throws IOException {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        try (Sealer sealer = Sealer.create(options("all"));
                SealedWriter writer = sealer.begin(Channels.newChannel(out), null)) {
            writer.write(ByteBuffer.wrap(data));
            writer.complete();
        }
        return out.toByteArray();
    }

    List<String> listing() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(p -> p.getFileName().toString()).sorted().collect(Collectors.toList());
        }
    }

    @Override
    public void close() throws IOException {
        for (AutoCloseable each : open) {
            try {
                each.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        try (Stream<Path> all = Files.walk(folder.getParent())) {
            all.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        }
    }

    // --- Checks ----------------------------------------------------------------------------

    static byte[] noise(int size) {
        byte[] data = new byte[size];
        new Random(size).nextBytes(data);
        return data;
    }

    static byte[] all(SealedFile file) throws IOException {
        ByteBuffer out = ByteBuffer.allocate((int) file.size());
        while (out.hasRemaining() && file.read(out) > 0) continue;
        return out.array();
    }

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void same(Object got, Object wanted) {
        boolean equal = got instanceof byte[] ? Arrays.equals((byte[]) got, (byte[]) wanted)
                : got == null ? wanted == null : got.equals(wanted);
        if (!equal) throw new AssertionError("got " + got + ", not " + wanted);
    }

    interface Doing {
        void run() throws Exception;
    }

    /** What it throws, which must be of this kind. */
    static <T extends Throwable> T thrown(Class<T> kind, Doing doing) {
        try {
            doing.run();
        } catch (Throwable t) {
            if (kind.isInstance(t)) return kind.cast(t);
            throw new AssertionError("threw " + t + ", not " + kind.getName(), t);
        }
        throw new AssertionError("threw nothing, not " + kind.getName());
    }

    static void code(Code code, Doing doing) {
        same(thrown(BullaException.class, doing).code(), code);
    }
}
