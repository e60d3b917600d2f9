package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.code;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumSet;

/** What goes wrong, and how that is told. */
final class ErrorTests {
    private ErrorTests() {}

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

    /** The functions that take UTF-16 do so everywhere, but only for what is well formed. */
    static void pathsOfWindows(Office office) throws Exception {
        boolean before = Scope.wide;
        Scope.wide = true;
        try {
            Path path = office.seal("all", "wide.bulla", CARDS);
            SealedFile file = office.keep(office.session().open(path));
            same(file.export(office.at("wide.csv"), false, null), (long) CARDS.length);
            Sealer sealer = office.keep(Sealer.create(office.options("all")));
            sealer.sealFile(office.at("wide.csv"), office.at("again.bulla"), null, false, null);
            same(Sealed.inspect(office.at("again.bulla")).contentSize(), (long) CARDS.length);
        } finally {
            Scope.wide = before;
        }
        same(Files.readAllBytes(office.at("wide.csv")), CARDS);
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
}
