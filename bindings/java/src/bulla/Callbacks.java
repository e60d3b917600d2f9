package bulla;

import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Channels and functions of the program as what the library calls back. The library gets a number;
 * what it stands for is kept here until the library is done with it. What a callback throws does
 * not cross the library: it is kept, and thrown by the call.
 */
final class Callbacks {
    private static final Map<Long, Object> OBJECTS = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final ThreadLocal<Throwable> THROWN = new ThreadLocal<>();

    private Callbacks() {}

    static Throwable takeThrown() {
        Throwable thrown = THROWN.get();
        THROWN.remove();
        return thrown;
    }

    /** How many channels and functions the library can still call. */
    static int held() {
        return OBJECTS.size();
    }

    private static Pointer keep(Object thing) {
        long number = NUMBERS.incrementAndGet();
        OBJECTS.put(number, thing);
        return new Pointer(number);
    }

    private static <T> T get(Pointer user, Class<T> kind) {
        return kind.cast(OBJECTS.get(Pointer.nativeValue(user)));
    }

    private static int failed(Throwable thrown) {
        THROWN.set(thrown);
        return 1;
    }

    interface ReadAt extends Callback {
        int callback(Pointer user, long offset, Pointer into, SizeT len, Pointer outRead);
    }

    interface Size extends Callback {
        int callback(Pointer user, Pointer outSize);
    }

    interface Write extends Callback {
        int callback(Pointer user, Pointer data, SizeT len);
    }

    interface Close extends Callback {
        void callback(Pointer user);
    }

    interface At extends Callback {
        int callback(Pointer user, long done, long total);
    }

    /** A channel that can seek. Reads come from many threads; its position is but one. */
    private static final class Reader {
        private final SeekableByteChannel channel;

        Reader(SeekableByteChannel channel) {
            this.channel = channel;
        }

        int readAt(long offset, Pointer into, int room) throws IOException {
            int done;
            if (channel instanceof FileChannel) {
                done = ((FileChannel) channel).read(into.getByteBuffer(0, room), offset);
            } else {
                // Not the library's memory: the channel may keep what it is given.
                ByteBuffer own = ByteBuffer.allocate(room);
                synchronized (this) {
                    done = channel.position(offset).read(own);
                }
                if (done > room) throw new IOException("the channel gave more than it was asked for");
                if (done > 0) into.write(0, own.array(), 0, done);
            }
            return Math.max(done, 0); // -1 is the end
        }
    }

    private static final ReadAt READ_AT = (user, offset, into, len, outRead) -> {
        try {
            int room = (int) Math.min(len.longValue(), 1 << 20);
            int done = get(user, Reader.class).readAt(offset, into, room);
            if (Native.SIZE_T_SIZE == 8) outRead.setLong(0, done);
            else outRead.setInt(0, done);
            return 0;
        } catch (Throwable thrown) {
            return failed(thrown);
        }
    };

    private static final Size SIZE = (user, outSize) -> {
        try {
            outSize.setLong(0, get(user, Reader.class).channel.size());
            return 0;
        } catch (Throwable thrown) {
            return failed(thrown);
        }
    };

    private static final Write WRITE = (user, data, len) -> {
        try {
            WritableByteChannel channel = get(user, WritableByteChannel.class);
            // A copy: the channel may keep it.
            ByteBuffer left = ByteBuffer.wrap(data.getByteArray(0, len.intValue()));
            while (left.hasRemaining()) {
                if (channel.write(left) <= 0) throw new IOException("the channel took nothing");
            }
            return 0;
        } catch (Throwable thrown) {
            return failed(thrown);
        }
    };

    private static final Close CLOSE = user -> OBJECTS.remove(Pointer.nativeValue(user));

    private static final At AT = (user, done, total) -> {
        try {
            return get(user, Progress.class).at(done, total) ? 0 : 1;
        } catch (Throwable thrown) {
            return failed(thrown);
        }
    };

    private static Pointer function(Callback callback) {
        return CallbackReference.getFunctionPointer(callback);
    }

    /** For one call, which takes it over also if it fails. */
    static Pointer source(Scope scope, SeekableByteChannel channel) {
        return scope.struct().u32(0).pointer(keep(new Reader(channel))).pointer(function(READ_AT))
                .pointer(function(SIZE)).pointer(function(CLOSE)).done();
    }

    /** Likewise. */
    static Pointer sink(Scope scope, WritableByteChannel channel) {
        return scope.struct().u32(0).pointer(keep(channel)).pointer(function(WRITE))
                .pointer(function(CLOSE)).done();
    }

    /** A progress function, for as long as one call takes. */
    static final class Told implements AutoCloseable {
        private final Pointer user;

        Told(Progress progress) {
            user = progress == null ? null : keep(progress);
        }

        /** Its two fields of an options struct. */
        Scope.Struct into(Scope.Struct options) {
            return options.pointer(user == null ? null : function(AT)).pointer(user);
        }

        @Override
        public void close() {
            if (user != null) OBJECTS.remove(Pointer.nativeValue(user));
        }
    }
}
