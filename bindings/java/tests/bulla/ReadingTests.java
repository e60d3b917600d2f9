package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.code;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;

/** What is read, and what a file says of itself. */
final class ReadingTests {
    private ReadingTests() {}

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
}
