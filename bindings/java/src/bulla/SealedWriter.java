package bulla;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;

/**
 * New content of a sealed file. The file is there after {@link #complete}, whole, or not at all:
 * closed without it, also while an exception flies, nothing is left behind, and what was to be
 * replaced stays as it was. One thread at a time may use it.
 */
public final class SealedWriter implements WritableByteChannel {
    private static final int STEP = 1 << 18;

    private final Handle handle;
    private final String id;

    SealedWriter(Pointer made) throws IOException {
        handle = new Handle("writer", made, Lib::bulla_writer_free);
        id = handle.use(writer ->
                Lib.borrowed((out, error) -> Lib.bulla_writer_file_id(writer, out, error)));
    }

    /**
     * The id of the file that is written.
     *
     * @return 32 hex characters
     */
    public String id() {
        return id;
    }

    /** Takes all of it. After an exception nothing will be left of the file. */
    @Override
    public int write(ByteBuffer from) throws IOException {
        checkOpen();
        int total = from.remaining();
        if (from.isDirect()) {
            write(Native.getDirectBufferPointer(from).share(from.position()), total);
            from.position(from.limit());
            return total;
        }
        try (Scope scope = new Scope()) { // which wipes
            Memory step = scope.memory(Math.min(total, STEP));
            while (from.hasRemaining()) {
                int some = (int) Math.min(from.remaining(), step.size());
                ByteBuffer part = from.duplicate();
                part.limit(part.position() + some);
                step.getByteBuffer(0, some).put(part);
                write(step, some);
                from.position(from.position() + some);
            }
        }
        return total;
    }

    private void write(Pointer data, int len) throws IOException {
        handle.use(writer -> {
            Lib.call(error -> Lib.bulla_writer_write(writer, data, new SizeT(len), error));
            return null;
        });
    }

    /**
     * Writes the last part, syncs, puts the file in place, and closes, also if that fails.
     *
     * @throws IOException a {@link BullaException}, or what the program's channel threw; then there
     *     is no new file
     */
    public void complete() throws IOException {
        checkOpen();
        try {
            handle.use(writer -> {
                Lib.call(error -> Lib.bulla_writer_finish(writer, error));
                return null;
            });
        } finally {
            close();
        }
    }

    @Override
    public boolean isOpen() {
        return handle.isOpen();
    }

    /** Gives up, unless it was completed: nothing is left behind. */
    @Override
    public void close() {
        handle.close();
    }

    private void checkOpen() throws ClosedChannelException {
        if (!handle.isOpen()) throw new ClosedChannelException();
    }
}
