package bulla;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.logging.Logger;

/**
 * Owns a handle of the library. Closed during a call, it is freed when that call ends. One that
 * nobody closed is freed when the garbage collector has found it and another one is made, with a
 * warning in the log: that is a defect of the program.
 */
final class Handle {
    private static final ReferenceQueue<Handle> LOST = new ReferenceQueue<>();
    private static final Set<Watch> OPEN = Collections.synchronizedSet(new HashSet<>());
    private static final AtomicLong LEAKED = new AtomicLong();

    private final Watch watch;

    Handle(String what, Pointer pointer, Consumer<Pointer> free) {
        watch = new Watch(this, what, pointer, free);
        OPEN.add(watch);
        collect();
    }

    /** How many were never closed, as far as that is known. */
    static long leaked() {
        collect();
        return LEAKED.get();
    }

    private static void collect() {
        for (Watch lost; (lost = (Watch) LOST.poll()) != null; ) {
            if (lost.close()) {
                LEAKED.incrementAndGet();
                Logger.getLogger("bulla").warning("a bulla " + lost.what + " was never closed");
            }
        }
    }

    interface Use<T> {
        T with(Pointer pointer) throws IOException;
    }

    /** One call with the handle. */
    <T> T use(Use<T> use) throws IOException {
        Pointer pointer = watch.acquire();
        try {
            return use.with(pointer);
        } finally {
            watch.release();
        }
    }

    boolean isOpen() {
        return watch.isOpen();
    }

    void close() {
        watch.close();
    }

    private static final class Watch extends PhantomReference<Handle> {
        final String what;
        private final Pointer pointer;
        private final Consumer<Pointer> free;
        private int users;
        private boolean closed;

        Watch(Handle of, String what, Pointer pointer, Consumer<Pointer> free) {
            super(of, LOST);
            this.what = what;
            this.pointer = pointer;
            this.free = free;
        }

        synchronized Pointer acquire() throws BullaException {
            if (closed) {
                throw new BullaException.State(Code.BAD_STATE.number(), "bad-state",
                        "the " + what + " is closed", null);
            }
            users++;
            return pointer;
        }

        void release() {
            boolean last;
            synchronized (this) {
                users--;
                last = closed && users == 0;
            }
            if (last) free.accept(pointer);
        }

        synchronized boolean isOpen() {
            return !closed;
        }

        /** Whether it was open. */
        boolean close() {
            boolean last;
            synchronized (this) {
                if (closed) return false;
                closed = true;
                last = users == 0;
            }
            OPEN.remove(this);
            if (last) free.accept(pointer);
            return true;
        }
    }
}
