package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.code;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** Runs every method here that takes an office. Exit status 1 if one fails. */
public final class Tests {
    private Tests() {}

    public static void main(String[] names) throws Exception {
        int failed = 0;
        Method[] methods = Tests.class.getDeclaredMethods();
        Arrays.sort(methods, (a, b) -> a.getName().compareTo(b.getName()));
        for (Method each : methods) {
            if (!Arrays.equals(each.getParameterTypes(), new Class<?>[] {Office.class})) continue;
            if (each.isSynthetic()) continue;
            if (names.length > 0 && !Arrays.asList(names).contains(each.getName())) continue;
            int held = Callbacks.held();
            long leaked = Handle.leaked();
            try (Office office = new Office()) {
                each.invoke(null, office);
                System.out.println("ok " + each.getName());
            } catch (InvocationTargetException e) {
                failed++;
                System.out.println("FAILED " + each.getName());
                e.getCause().printStackTrace(System.out);
            }
            if (Callbacks.held() != held) {
                failed++;
                System.out.println("FAILED " + each.getName() + ": a callback is kept");
            }
            System.gc();
            if (Handle.leaked() != leaked && !each.getName().equals("lostHandlesAreReported")) {
                failed++;
                System.out.println("FAILED " + each.getName() + ": a handle was never closed");
            }
        }
        if (failed > 0) System.exit(1);
    }

    // --- Reading ---------------------------------------------------------------------------

    static void everyWayOfReading(Office office) throws Exception {
        byte[] data = noise(700_000);
        SealedFile file = office.keep(office.session().open(office.seal("all", "a.bulla", data)));
        same(file.size(), 700_000L);
        same(all(file), data);
        same(file.position(), 700_000L);
        same(file.read(ByteBuffer.allocate(1)), -1);
        // Into a part of every kind of buffer.
        ByteBuffer whole = ByteBuffer.allocate(600_020);
        ByteBuffer heap = whole.duplicate();
        heap.position(10).limit(600_010);
        ByteBuffer part = heap.slice();
        same(file.readAt(part, 50_000), 600_000);
        same(part.remaining(), 0);
        same(Arrays.copyOfRange(whole.array(), 10, 600_010), Arrays.copyOfRange(data, 50_000, 650_000));
        same(whole.array()[9] | whole.array()[600_010], 0);
        ByteBuffer direct = ByteBuffer.allocateDirect(100);
        direct.position(20).limit(90);
        same(file.readAt(direct, 699_950), 50);
        same(direct.position(), 70);
        byte[] got = new byte[50];
        direct.position(20);
        direct.get(got);
        same(got, Arrays.copyOfRange(data, 699_950, 700_000));
        same(file.position(5).read(ByteBuffer.allocate(7)), 7);
        same(file.position(), 12L);
        same(file.read(ByteBuffer.allocate(0)), 0);
        thrown(IllegalArgumentException.class, () -> file.readAt(ByteBuffer.allocate(1).asReadOnlyBuffer(), 0));
    }

    static void beyondTheEnd(Office office) throws Exception {
        SealedFile file = office.keep(office.session().open(office.seal("all", "a.bulla", CARDS)));
        for (long far : new long[] {CARDS.length, 1L << 39, (1L << 39) + 1, Long.MAX_VALUE}) {
            same(file.position(far).position(), far);
            same(file.read(ByteBuffer.allocate(10)), -1);
            same(file.readAt(ByteBuffer.allocateDirect(10), far), -1);
        }
        thrown(IllegalArgumentException.class, () -> file.position(-1));
        thrown(IllegalArgumentException.class, () -> file.readAt(ByteBuffer.allocate(1), -1));
        SealedFile empty = office.keep(office.session().open(office.seal("all", "e.bulla", new byte[0])));
        same(empty.size(), 0L);
        same(empty.read(ByteBuffer.allocate(1)), -1);
    }

    static void streams(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", CARDS);
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Channels.newInputStream(office.session().open(path)), StandardCharsets.UTF_8))) {
            same(lines.readLine(), "name,phone,ssn");
            same(lines.readLine(), "Kim,010-1,900101");
        }
    }

    static void whatItSaysOfItself(Office office) throws Exception {
        Metadata original = new Metadata("고객.csv", "text/csv", null, Instant.ofEpochMilli(-5));
        Sealer sealer = office.keep(Sealer.create(office.options("all").batch()));
        SealedWriter writer = office.keep(sealer.begin(office.at("a.bulla"), original, false));
        writer.write(ByteBuffer.wrap(CARDS));
        writer.complete();
        SealedFile file = office.keep(office.session().open(office.at("a.bulla")));
        Metadata got = file.metadata();
        same(got.name(), "고객.csv");
        same(got.mediaType(), "text/csv");
        same(got.created(), null);
        same(got.modified(), Instant.ofEpochMilli(-5));
        same(file.id(), writer.id());
        same(file.id().length(), 32);
        same(file.revision(), 1L);
        Inspection told = Sealed.inspect(office.at("a.bulla"));
        same(told.contentSize(), (long) CARDS.length);
        check(told.json().contains(file.id()) && told.json().contains("\"cards\""), told.json());
        check(Sealed.isSealed(Files.readAllBytes(office.at("a.bulla"))), "is sealed");
        check(!Sealed.isSealed(CARDS) && !Sealed.isSealed(new byte[0]), "is not");
        check(Sealed.libraryVersion().matches("\\d+\\.\\d+\\.\\d+.*"), "a version");
    }

    static void rightsAndDuties(Office office) throws Exception {
        Path path = office.seal("masked", "a.bulla", CARDS);
        SealedFile file = office.keep(office.session(Duty.WATERMARK, Duty.MASK).open(path));
        same(file.rights(), EnumSet.of(Right.VIEW, Right.PRINT));
        same(file.decision().rights(), file.rights());
        same(file.duties(Right.VIEW).duties(), EnumSet.of(Duty.WATERMARK, Duty.MASK));
        same(file.duties(Right.VIEW).columns(), Arrays.asList("phone", "ssn"));
        check(file.watermark().contains("T-1"), file.watermark());
        check(file.until().isAfter(Instant.now()), "an end");
        file.use(Right.PRINT);
        code(Code.MISSING_RIGHT, () -> file.use(Right.COPY));
        code(Code.MISSING_RIGHT, () -> file.duties(Right.EXPORT));
        code(Code.BAD_ARGUMENT, () -> file.use(Right.VIEW));
        thrown(BullaException.Denied.class, () -> file.export(office.at("plain"), false, null));
        check(!Files.exists(office.at("plain")), "nothing left");
        thrown(BullaException.Denied.class, () -> office.session().open(path));
        code(Code.MISSING_RIGHT, () -> office.session(Duty.WATERMARK, Duty.MASK)
                .open(path, Right.EXPORT, false));
    }

    // --- Writing ---------------------------------------------------------------------------

    static void onlyCompleteCommits(Office office) throws Exception {
        Sealer sealer = office.keep(Sealer.create(office.options("all")));
        List<String> before = office.listing();
        thrown(ArithmeticException.class, () -> {
            try (SealedWriter writer = sealer.begin(office.at("a.bulla"), null, false)) {
                writer.write(ByteBuffer.wrap(CARDS));
                throw new ArithmeticException();
            }
        });
        same(office.listing(), before);
        byte[] data = noise(600_000);
        SealedWriter writer = office.keep(sealer.begin(office.at("a.bulla"), null, false));
        ByteBuffer direct = ByteBuffer.allocateDirect(1000);
        direct.put(data, 0, 1000).flip();
        same(writer.write(direct), 1000);
        same(writer.write(ByteBuffer.wrap(data, 1000, 599_000).asReadOnlyBuffer()), 599_000);
        same(writer.write(ByteBuffer.allocate(0)), 0);
        same(office.listing(), before);
        writer.complete();
        check(!writer.isOpen(), "closed");
        thrown(ClosedChannelException.class, () -> writer.write(direct));
        thrown(ClosedChannelException.class, writer::complete);
        same(all(office.keep(office.session().open(office.at("a.bulla")))), data);
        code(Code.EXISTS, () -> sealer.begin(office.at("a.bulla"), null, false));
    }

    static void saving(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", CARDS);
        SealedFile file = office.keep(office.session().open(path));
        SealedWriter late = office.keep(office.keep(office.session().open(path)).save(null));
        try (SealedWriter writer = file.save(new Metadata("new.csv", null, null, null))) {
            writer.write(ByteBuffer.wrap(new byte[] {7}));
            writer.complete();
        }
        same(all(file), CARDS);
        code(Code.CHANGED_MEANWHILE, late::complete);
        file = office.keep(office.session().open(path));
        same(all(file), new byte[] {7});
        same(file.revision(), 2L);
        same(file.metadata().name(), "new.csv");
        SealedFile opened = file;
        thrown(NonWritableChannelException.class, () -> opened.write(ByteBuffer.allocate(1)));
        thrown(NonWritableChannelException.class, () -> opened.truncate(1));
    }

    static void sealingAndExportingFiles(Office office) throws Exception {
        byte[] data = noise(3_000_000);
        Path plain = Files.write(office.at("plain"), data);
        Sealer sealer = office.keep(Sealer.create(office.options("all").session(office.session())));
        long[] seen = new long[2];
        String id = sealer.sealFile(plain, office.at("a.bulla"), null, false, (done, total) -> {
            seen[0] = done;
            seen[1] = total;
            return true;
        });
        same(seen[0], 3_000_000L);
        same(seen[1], 3_000_000L);
        SealedFile file = office.keep(office.session().open(office.at("a.bulla")));
        same(file.id(), id);
        same(file.metadata().name(), "plain");
        code(Code.CANCELLED, () -> sealer.sealFile(plain, office.at("b"), null, false, (d, t) -> false));
        code(Code.NOT_FOUND, () -> sealer.sealFile(office.at("none"), office.at("b"), null, false, null));
        same(file.export(office.at("out"), false, null), 3_000_000L);
        code(Code.EXISTS, () -> file.export(office.at("out"), false, null));
        same(Files.readAllBytes(office.at("out")), data);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        same(file.export(Channels.newChannel(out), null), 3_000_000L);
        same(out.toByteArray(), data);
    }

    static void templates(Office office) throws Exception {
        Session session = office.session();
        try (Sealer sealer = Sealer.fromTemplate(session, office.text("all-x25519.template"), null, true);
                SealedWriter writer = sealer.begin(office.at("a.bulla"), null, false)) {
            writer.write(ByteBuffer.wrap(CARDS));
            writer.complete();
        }
        same(all(office.keep(session.open(office.at("a.bulla")))), CARDS);
        code(Code.BAD_TOKEN, () -> Sealer.fromTemplate(session, "no template", null, false));
    }

    // --- What goes wrong -------------------------------------------------------------------

    static void kinds(Office office) throws Exception {
        code(Code.NOT_FOUND, () -> office.session().open(office.at("nowhere")));
        thrown(BullaException.Io.class, () -> office.session().open(office.at("nowhere")));
        BullaException.Format e = thrown(BullaException.Format.class,
                () -> office.session().open(office.at("all.json")));
        same(e.code(), Code.NOT_SEALED);
        same(e.name(), "not-sealed");
        same(e.decision(), null);
        check(!e.getMessage().contains("all.json"), "no file names");
        code(Code.HOME_INCOMPLETE, () -> Session.start(new Session.Options().home(office.at("nobody"))));
        Session.Options locked = new Session.Options().home(office.at("locked"));
        thrown(BullaException.Tampered.class, () -> Session.start(locked.passphrase("wrong")));
        Session.start(locked.passphrase("correct horse")).close();
        same(BullaException.of(450, "n", "m", null).getClass(), BullaException.Denied.class);
        same(BullaException.of(450, "n", "m", null).code(), null);
        same(BullaException.of(777, "n", "m", null).getClass(), BullaException.Internal.class);
        code(Code.BAD_POLICY, () -> Sealer.create(new Sealer.Options("{", Collections.singletonList(
                office.text("x25519/identity.pub"))).home(office.at("issuer"))));
        code(Code.BAD_ARGUMENT, () -> Sealer.create(new Sealer.Options(office.text("all.json"),
                Collections.emptyList()).home(office.at("issuer"))));
        code(Code.NOT_SUPPORTED, () -> Sealed.protectWindow(new com.sun.jna.Pointer(1)));
        code(Code.NOT_SUPPORTED, () -> Sealed.guardClipboard(new com.sun.jna.Pointer(1)));
    }

    static void denialsHaveReasons(Office office) throws Exception {
        Path path = office.seal("nobody", "a.bulla", CARDS);
        BullaException.Denied e = thrown(BullaException.Denied.class, () -> office.session().open(path));
        same(e.code(), Code.DENIED);
        same(e.decision().rights(), EnumSet.noneOf(Right.class));
        same(e.decision().refused().size(), 1);
        Decision.Reason reason = e.decision().refused().get(0);
        same(reason.failed(), "posture");
        same(reason.cause(), "unknown");
        same(reason.known(), "");
        check(reason.wanted() != null && !reason.message().isEmpty(), "for people");
        same(office.session().explain(path, null).refused().get(0).failed(), "posture");
        same(office.session().explain(path, "{\"posture\":[\"never\"]}").rights(), EnumSet.of(Right.VIEW));
        code(Code.BAD_ARGUMENT, () -> office.session().explain(path, "{\"tim\":1}"));
    }

    static void changedFiles(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", noise(100_000));
        byte[] raw = Files.readAllBytes(path);
        raw[raw.length - 60_000] ^= 1;
        Files.write(path, raw);
        SealedFile file = office.keep(office.session().open(path));
        same(thrown(BullaException.Tampered.class, () -> all(file)).code(), Code.BAD_CHUNK);
        thrown(BullaException.State.class, () -> all(file));
    }

    static void textsAndPathsAreStrict(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", CARDS);
        for (String bad : new String[] {"a\0b", "a\ud800b"}) {
            code(Code.BAD_ARGUMENT, () -> Session.start(
                    new Session.Options().home(office.at("x25519")).passphrase(bad)));
            code(Code.BAD_ARGUMENT, () -> Session.start(new Session.Options().home(office.at("x25519"))
                    .attestations(Collections.singletonList(bad))));
            code(Code.BAD_ARGUMENT, () -> office.session().useBadge(bad, Collections.emptyList()));
            code(Code.BAD_ARGUMENT, () -> office.session().explain(path, bad));
            code(Code.BAD_ARGUMENT, () -> office.keep(Sealer.create(office.options("all")))
                    .begin(office.at("b"), new Metadata(bad, null, null, null), false));
        }
        code(Code.BAD_ARGUMENT, () -> office.keep(Sealer.create(office.options("all")))
                .begin(office.at("b"), new Metadata(null, null, Instant.MAX, null), false));
        office.session().useBadge("no badge", Collections.singletonList("no token"));
        // A name that is not UTF-8, as a listing of the folder gives it.
        Process made = new ProcessBuilder("sh", "-c", "mv a.bulla \"$(printf 'caf\\351.bulla')\"")
                .directory(office.folder.toFile()).start();
        check(made.waitFor() == 0, "renamed");
        try (java.util.stream.Stream<Path> names = Files.list(office.folder)) {
            Path odd = names.filter(p -> p.toString().contains("caf")).findFirst().get();
            code(Code.BAD_ARGUMENT, () -> office.session().open(odd));
            try (FileChannel channel = FileChannel.open(odd);
                    SealedFile file = office.session().open(channel, Right.VIEW, false)) {
                same(all(file), CARDS);
            }
        }
        try (java.nio.file.FileSystem zip = java.nio.file.FileSystems.newFileSystem(
                java.net.URI.create("jar:" + office.at("z.zip").toUri()),
                Collections.singletonMap("create", "true"))) {
            code(Code.BAD_ARGUMENT, () -> office.session().open(zip.getPath("a.bulla")));
        }
    }

    static void useAfterClose(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", CARDS);
        Session session = office.session();
        SealedFile file = session.open(path);
        session.close();
        same(all(file), CARDS);
        file.close();
        file.close();
        check(!file.isOpen(), "closed");
        thrown(ClosedChannelException.class, () -> file.read(ByteBuffer.allocate(1)));
        thrown(ClosedChannelException.class, file::position);
        thrown(ClosedChannelException.class, () -> file.position(1));
        thrown(ClosedChannelException.class, file::size);
        code(Code.BAD_STATE, file::rights);
        code(Code.BAD_STATE, () -> session.open(path));
        code(Code.BAD_STATE, () -> Sealer.fromTemplate(session, "t", null, false));
        Sealer sealer = Sealer.create(office.options("all"));
        sealer.close();
        code(Code.BAD_STATE, () -> sealer.begin(path, null, true));
    }

    static void trails(Office office) throws Exception {
        office.keep(office.session().open(office.seal("all", "a.bulla", CARDS)));
        check(office.session().verifyTrail().contains("\"records\""), "a report");
        check(Sealed.verifyTrail(office.at("x25519/trail.jsonl"))
                .contains(office.session().device()), "its device");
        String trail = office.text("x25519/trail.jsonl").replaceFirst("\"opened\"", "\"closed\"");
        Files.write(office.at("changed"), trail.getBytes(StandardCharsets.UTF_8));
        code(Code.BAD_TRAIL, () -> Sealed.verifyTrail(office.at("changed")));
        office.session().refresh();
    }

    // --- Callbacks -------------------------------------------------------------------------

    /** An envelope in memory, and what happens at each read of it. */
    static class Held implements SeekableByteChannel {
        final byte[] data;
        long at;
        Doing before = () -> {};

        interface Doing {
            void run() throws IOException;
        }

        Held(byte[] data) {
            this.data = data;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            before.run();
            int n = (int) Math.min(into.remaining(), data.length - at);
            if (n <= 0) return -1;
            into.put(data, (int) at, n);
            at += n;
            return n;
        }

        @Override
        public long position() {
            return at;
        }

        @Override
        public Held position(long position) {
            at = position;
            return this;
        }

        @Override
        public long size() {
            return data.length;
        }

        @Override
        public int write(ByteBuffer from) {
            throw new NonWritableChannelException();
        }

        @Override
        public Held truncate(long size) {
            throw new NonWritableChannelException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    static void channelsOfTheProgram(Office office) throws Exception {
        byte[] data = noise(200_000);
        Held held = new Held(office.envelope(data));
        SealedFile file = office.keep(office.session().open(held, Right.VIEW, false));
        same(all(file), data);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (SealedWriter writer = file.saveTo(Channels.newChannel(out), null)) {
            writer.write(ByteBuffer.wrap(CARDS));
            writer.complete();
        }
        file = office.keep(office.session().open(new Held(out.toByteArray()), Right.VIEW, false));
        same(all(file), CARDS);
        same(file.revision(), 2L);
        SealedFile opened = file;
        code(Code.BAD_STATE, () -> opened.save(null));
        code(Code.NOT_SEALED, () -> office.session().open(new Held(CARDS), Right.VIEW, false));
        thrown(NullPointerException.class,
                () -> office.session().open((SeekableByteChannel) null, Right.VIEW, false));
    }

    static void theOriginalComesBack(Office office) throws Exception {
        byte[] envelope = office.envelope(noise(200_000));
        Session session = office.session();
        SealedFile inner = office.keep(session.open(new Held(envelope), Right.VIEW, false));
        for (Throwable original : new Throwable[] {
            new IOException("mine"), new IllegalStateException("mine"), new StackOverflowError("mine")}) {
            Held held = new Held(envelope);
            Held.Doing failing = () -> {
                // A call within a callback has failures of its own.
                thrown(BullaException.Io.class, () -> session.open(office.at("nowhere")));
                inner.readAt(ByteBuffer.allocate(10), 100);
                if (original instanceof IOException) throw (IOException) original;
                if (original instanceof RuntimeException) throw (RuntimeException) original;
                throw (Error) original;
            };
            held.before = failing;
            check(thrown(original.getClass(), () -> session.open(held, Right.VIEW, false)) == original,
                    "the same object");
            held.before = () -> {};
            SealedFile file = office.keep(session.open(held, Right.VIEW, false));
            held.before = failing;
            check(thrown(original.getClass(), () -> file.readAt(ByteBuffer.allocate(9), 150_000))
                    == original, "the same object");
            held.before = () -> {};
            same(file.readAt(ByteBuffer.allocate(9), 150_000), 9);
        }
        // What failed within a callback, and was caught there, is not what fails the call.
        Held inside = new Held(envelope);
        inside.before = () -> {
            throw new IllegalStateException();
        };
        Held cut = new Held(envelope) {
            @Override
            public int read(ByteBuffer into) {
                thrown(IllegalStateException.class, () -> session.open(inside, Right.VIEW, false));
                return -1;
            }
        };
        thrown(BullaException.class, () -> session.open(cut, Right.VIEW, false));
        IOException full = new IOException("full");
        WritableByteChannel sink = new WritableByteChannel() {
            @Override
            public int write(ByteBuffer from) throws IOException {
                throw full;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}
        };
        Sealer sealer = office.keep(Sealer.create(office.options("all")));
        check(thrown(IOException.class, () -> {
            try (SealedWriter writer = sealer.begin(sink, null)) {
                writer.write(ByteBuffer.wrap(noise(100_000)));
                writer.complete();
            }
        }) == full, "the same object");
        check(thrown(IOException.class, () -> inner.export(sink, null)) == full, "the same object");
        ArithmeticException stop = new ArithmeticException();
        check(thrown(ArithmeticException.class, () -> inner.export(office.at("out"), false, (d, t) -> {
            throw stop;
        })) == stop, "the same object");
        check(!Files.exists(office.at("out")), "nothing left");
    }

    // --- Threads and handles ---------------------------------------------------------------

    static void twoThreads(Office office) throws Exception {
        byte[] data = noise(2_000_000);
        SealedFile file = office.keep(office.session().open(office.seal("all", "a.bulla", data)));
        AtomicReference<Throwable> failed = new AtomicReference<>();
        java.util.concurrent.atomic.AtomicLong total = new java.util.concurrent.atomic.AtomicLong();
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.length; t++) {
            int seed = t;
            threads[t] = new Thread(() -> {
                try {
                    if (seed < 2) {
                        ByteBuffer block = ByteBuffer.allocate(4096);
                        for (int n; (n = file.read(block)) > 0; block.clear()) total.addAndGet(n);
                        return;
                    }
                    for (int i = 0; i < 300; i++) {
                        int at = (int) ((i * 7919L * seed) % (data.length - 5000));
                        ByteBuffer block = ByteBuffer.allocate(5000);
                        same(file.readAt(block, at), 5000);
                        same(block.array(), Arrays.copyOfRange(data, at, at + 5000));
                    }
                } catch (Throwable e) {
                    failed.set(e);
                }
            });
            threads[t].start();
        }
        for (Thread each : threads) each.join();
        if (failed.get() != null) throw new AssertionError(failed.get());
        same(total.get(), 2_000_000L); // each byte was given once
    }

    static void closeDuringARead(Office office) throws Exception {
        Held held = new Held(office.envelope(noise(100_000)));
        SealedFile file = office.keep(office.session().open(held, Right.VIEW, false));
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        held.before = () -> {
            inside.countDown();
            try {
                goOn.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        };
        int[] got = new int[1];
        Thread reader = new Thread(() -> {
            try {
                got[0] = file.readAt(ByteBuffer.allocate(100_000), 0);
            } catch (IOException e) {
                got[0] = -2;
            }
        });
        reader.start();
        check(inside.await(10, TimeUnit.SECONDS), "reading");
        file.close();
        thrown(ClosedChannelException.class, () -> file.readAt(ByteBuffer.allocate(1), 0));
        goOn.countDown();
        reader.join();
        same(got[0], 100_000);
    }

    static void lostHandlesAreReported(Office office) throws Exception {
        Path path = office.seal("all", "a.bulla", CARDS);
        Session session = office.session();
        long before = Handle.leaked();
        java.util.logging.Logger log = java.util.logging.Logger.getLogger("bulla");
        log.setUseParentHandlers(false);
        lose(session, path);
        for (int i = 0; i < 50 && Handle.leaked() == before; i++) {
            System.gc();
            Thread.sleep(20);
        }
        log.setUseParentHandlers(true);
        same(Handle.leaked(), before + 1);
    }

    private static void lose(Session session, Path path) throws IOException {
        session.open(path);
    }

    // --- Loading ---------------------------------------------------------------------------

    static void otherLibraries(Office office) throws Exception {
        check(told("/no/such/libbulla.so").contains("Looked for /no/such/libbulla.so (BULLA_LIBRARY)"),
                "where it looked");
        check(told(library(office, "int nothing;")).contains("is not the bulla library"), "another");
        check(told(library(office, "unsigned bulla_abi_version(void) { return 7; }"))
                .contains("has ABI 7 and is newer than these classes"), "newer");
        check(told(library(office, "unsigned bulla_abi_version(void) { return 0; }"))
                .contains("is older than these classes"), "older");
    }

    private static String library(Office office, String source) throws Exception {
        Path path = office.at("stand-in-" + source.hashCode() + ".so");
        Files.write(office.at("s.c"), source.getBytes(StandardCharsets.UTF_8));
        Process made = new ProcessBuilder("cc", "-shared", "-fPIC", "-o", path.toString(),
                office.at("s.c").toString()).inheritIO().start();
        check(made.waitFor() == 0, "compiled");
        return path.toString();
    }

    private static String told(String library) throws Exception {
        ProcessBuilder other = new ProcessBuilder(System.getProperty("java.home") + "/bin/java",
                "-Djna.boot.library.path=" + System.getProperty("jna.boot.library.path"), "-cp",
                System.getProperty("java.class.path"), "bulla.Tests$Loading");
        other.environment().put("BULLA_LIBRARY", library);
        Process started = other.redirectErrorStream(true).start();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                started.getInputStream(), StandardCharsets.UTF_8))) {
            String all = lines.lines().collect(java.util.stream.Collectors.joining("\n"));
            check(started.waitFor() == 0, all);
            return all;
        }
    }

    /** A process of its own, with another library: says twice why it cannot be used. */
    public static final class Loading {
        private Loading() {}

        public static void main(String[] none) {
            String first = thrown(LibraryException.class, Sealed::libraryVersion).getMessage();
            same(thrown(LibraryException.class, () -> Session.start(new Session.Options())).getMessage(),
                    first);
            System.out.println(first);
        }
    }
}
