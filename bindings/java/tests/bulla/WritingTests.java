package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.code;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Sealing, saving, exporting. */
final class WritingTests {
    private WritingTests() {}

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
}
