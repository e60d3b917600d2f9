package bulla;

import static bulla.Office.CARDS;
import static bulla.Office.all;
import static bulla.Office.check;
import static bulla.Office.noise;
import static bulla.Office.same;
import static bulla.Office.thrown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** Threads, closing, what is never closed. */
final class HandleTests {
    private HandleTests() {}

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
        CallbackTests.Held held = new CallbackTests.Held(office.envelope(noise(100_000)));
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
}
