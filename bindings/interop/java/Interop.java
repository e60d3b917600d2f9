import bulla.BullaException;
import bulla.Decision;
import bulla.SealedWriter;
import bulla.Sealer;
import bulla.Session;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;

/** As c/interop.c says. */
public final class Interop {
    private Interop() {}

    public static void main(String[] args) throws IOException {
        try (Session session = Session.start(new Session.Options().home(Paths.get(args[1])))) {
            switch (args[0]) {
                case "seal":
                    seal(session, args);
                    break;
                case "open":
                    for (int i = 2; i + 1 < args.length; i += 2) open(session, args[i], args[i + 1]);
                    break;
                default:
                    System.exit(deny(session, Paths.get(args[2])));
            }
        } catch (BullaException e) {
            System.err.println(e.number() + "\t" + e.name());
            System.exit(1);
        }
    }

    private static void seal(Session session, String[] args) throws IOException {
        String template = new String(Files.readAllBytes(Paths.get(args[2])), StandardCharsets.UTF_8);
        try (Sealer sealer = Sealer.fromTemplate(session, template, null, false)) {
            for (int i = 3; i + 1 < args.length; i += 2) {
                try (InputStream in = Files.newInputStream(Paths.get(args[i]));
                        SealedWriter out = sealer.begin(Paths.get(args[i + 1]), null, false)) {
                    copy(in, Channels.newOutputStream(out));
                    out.complete();
                }
            }
        }
    }

    private static void open(Session session, String from, String to) throws IOException {
        try (InputStream in = Channels.newInputStream(session.open(Paths.get(from)));
                OutputStream out = Files.newOutputStream(Paths.get(to))) {
            copy(in, out);
        }
    }

    private static void copy(InputStream in, OutputStream out) throws IOException {
        byte[] block = new byte[1 << 16];
        for (int n; (n = in.read(block)) >= 0; ) out.write(block, 0, n);
    }

    private static int deny(Session session, Path path) throws IOException {
        try {
            session.open(path).close();
            return 2;
        } catch (BullaException.Denied e) {
            System.out.println(e.number() + "\t" + e.name());
            for (Decision.Reason reason : e.decision().refused()) {
                System.out.println(reason.failed() + "\t" + reason.cause());
            }
            return 3;
        }
    }
}
