package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.code;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.util.Arrays;

/** Channels and functions of the program, called by the library. */
final class CallbackTests {
    private CallbackTests() {}

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

    static void aFailedReadMovesNothing(Office office) throws Exception {
        byte[] data = noise(2_000_000);
        Held held = new Held(office.envelope(data));
        SealedFile file = office.keep(office.session().open(held, Right.VIEW, false));
        file.position(10);
        // A part of it is there when it fails.
        held.before = () -> {
            if (held.at > 1_500_000) throw new IOException("mine");
        };
        ByteBuffer whole = ByteBuffer.allocate(2_000_100);
        for (ByteBuffer into : new ByteBuffer[] {whole, ByteBuffer.allocateDirect(2_000_100)}) {
            into.position(7);
            thrown(IOException.class, () -> file.read(into));
            same(into.position(), 7);
            same(file.position(), 10L);
        }
        held.before = () -> {};
        same(file.read(whole), 1_999_990);
        same(Arrays.copyOfRange(whole.array(), 7, 1_999_997), Arrays.copyOfRange(data, 10, 2_000_000));
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
}
