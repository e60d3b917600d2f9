package bulla;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The content of a sealed file, to be read. {@code Channels.newInputStream} makes a stream of it.
 *
 * <p>Threads may share it: {@link #read} moves the one position, {@link #readAt} does not. Closed
 * while another thread reads, it lets that read end. What fails is thrown: a changed or cut file
 * never looks like a short one.
 */
public final class SealedFile implements SeekableByteChannel {
    private static final int STEP = 1 << 18;
    private static final long NO_END = -1; // as an unsigned number

    private final Handle handle;
    private final long size;
    private long position;

    SealedFile(Pointer made) throws IOException {
        handle = new Handle("file", made, Lib::bulla_file_free);
        size = handle.use(file -> Lib.number((out, e) -> Lib.bulla_file_size(file, out, e)));
    }

    // --- Reading ---------------------------------------------------------------------------

    @Override
    public synchronized int read(ByteBuffer into) throws IOException {
        int done = readAt(into, position);
        if (done > 0) position += done;
        return done;
    }

    /**
     * Reads without moving the position: for many threads at once. Into a direct buffer it reads
     * without a copy between.
     *
     * @param into is filled, unless the file ends before
     * @param offset from where, in bytes
     * @return how many bytes there were; -1 at the end
     * @throws IOException a {@link BullaException}, or what the program's channel threw
     */
    public int readAt(ByteBuffer into, long offset) throws IOException {
        if (offset < 0) throw new IllegalArgumentException("a position before the start");
        if (into.isReadOnly()) throw new IllegalArgumentException("the buffer cannot be written to");
        checkOpen();
        if (!into.hasRemaining()) return 0;
        int done = into.isDirect() ? direct(into, offset) : copied(into, offset);
        return done == 0 ? -1 : done;
    }

    private int direct(ByteBuffer into, long offset) throws IOException {
        Pointer start = Native.getDirectBufferPointer(into).share(into.position());
        int done = pread(offset, start, into.remaining());
        into.position(into.position() + done);
        return done;
    }

    private int copied(ByteBuffer into, long offset) throws IOException {
        int total = 0;
        int start = into.position();
        boolean read = false;
        try (Scope scope = new Scope()) { // which wipes
            Memory step = scope.memory(Math.min(into.remaining(), STEP));
            byte[] array = into.hasArray() ? into.array() : null;
            while (into.hasRemaining()) {
                int wanted = (int) Math.min(into.remaining(), step.size());
                int done = pread(offset + total, step, wanted);
                if (array != null) {
                    step.read(0, array, into.arrayOffset() + into.position(), done);
                    into.position(into.position() + done);
                } else {
                    into.put(step.getByteBuffer(0, done));
                }
                total += done;
                if (done < wanted) break;
            }
            read = true;
        } finally {
            // As if nothing was read: the channel's own position has not moved either.
            if (!read) into.position(start);
        }
        return total;
    }

    private int pread(long offset, Pointer into, int wanted) throws IOException {
        return handle.use(file -> (int) Lib.number((out, error) ->
                Lib.bulla_file_pread(file, offset, into, new SizeT(wanted), out, error)));
    }

    @Override
    public synchronized long position() throws IOException {
        checkOpen();
        return position;
    }

    /** Past the end is allowed; reads there give nothing. */
    @Override
    public synchronized SealedFile position(long position) throws IOException {
        checkOpen();
        if (position < 0) throw new IllegalArgumentException("a position before the start");
        this.position = position;
        return this;
    }

    @Override
    public long size() throws IOException {
        checkOpen();
        return size;
    }

    // --- Rights ----------------------------------------------------------------------------

    /**
     * What may be done with it, as last decided.
     *
     * @return the rights
     * @throws IOException a {@link BullaException}
     */
    public Set<Right> rights() throws IOException {
        return Right.of((int) number(Lib::bulla_file_rights));
    }

    /**
     * What the program must do while it uses a right.
     *
     * @param right which
     * @return the duties
     * @throws IOException {@link BullaException.Denied} if the right is not granted
     */
    public Duties duties(Right right) throws IOException {
        try (Scope scope = new Scope()) {
            Memory bits = scope.memory(4);
            String json = handle.use(file -> Lib.text((out, error) ->
                    Lib.bulla_file_duties(file, right.bit, bits, out, error)));
            List<String> columns = new ArrayList<>();
            if (json != null) {
                for (JsonElement each : JsonParser.parseString(json).getAsJsonArray()) {
                    columns.add(each.getAsString());
                }
            }
            return new Duties(Duty.of(bits.getInt(0)), columns);
        }
    }

    /**
     * Checks and records a use, before printing, copying, a capture or an export of the program's
     * own. If this throws, it must not happen.
     *
     * @param right which; not {@link Right#VIEW} or {@link Right#EDIT}
     * @throws IOException a {@link BullaException}
     */
    public void use(Right right) throws IOException {
        handle.use(file -> {
            Lib.call(error -> Lib.bulla_file_use(file, right.bit, error));
            return null;
        });
    }

    /**
     * Until when, exclusive, reads succeed.
     *
     * @return the time; null without an end
     * @throws IOException a {@link BullaException}
     */
    public Instant until() throws IOException {
        long end = number(Lib::bulla_file_until);
        return end == NO_END ? null : Instant.ofEpochSecond(end);
    }

    /**
     * What was decided.
     *
     * @return the decision
     * @throws IOException a {@link BullaException}
     */
    public Decision decision() throws IOException {
        return new Decision(handle.use(file ->
                Lib.text((out, error) -> Lib.bulla_file_decision(file, out, error))));
    }

    /**
     * The text to draw. It holds the present minute: get it anew from time to time.
     *
     * @return who, at which device, when, for which ticket
     * @throws IOException a {@link BullaException}
     */
    public String watermark() throws IOException {
        return handle.use(file ->
                Lib.text((out, error) -> Lib.bulla_file_watermark(file, out, error)));
    }

    // --- What it is ------------------------------------------------------------------------

    /**
     * Name, type and times of the original.
     *
     * @return what is known of them
     * @throws IOException a {@link BullaException}
     */
    public Metadata metadata() throws IOException {
        try (Scope scope = new Scope()) {
            Pointer struct = scope.struct().u32(0).pointer(null).pointer(null).i64(0).i64(0).done();
            return handle.use(file -> {
                Lib.call(error -> Lib.bulla_file_metadata(file, struct, error));
                int present = struct.getInt(4);
                long times = 8 + 2L * Native.POINTER_SIZE;
                return new Metadata(Lib.utf8(struct.getPointer(8)),
                        Lib.utf8(struct.getPointer(8 + Native.POINTER_SIZE)),
                        (present & 1) == 0 ? null : Instant.ofEpochMilli(struct.getLong(times)),
                        (present & 2) == 0 ? null : Instant.ofEpochMilli(struct.getLong(times + 8)));
            });
        }
    }

    /**
     * The file's id, the same after each save.
     *
     * @return 32 hex characters
     * @throws IOException a {@link BullaException}
     */
    public String id() throws IOException {
        return handle.use(file -> Lib.borrowed((out, error) -> Lib.bulla_file_id(file, out, error)));
    }

    /**
     * How often it was saved, the first sealing included.
     *
     * @return a number from 1
     * @throws IOException a {@link BullaException}
     */
    public long revision() throws IOException {
        return number(Lib::bulla_file_revision);
    }

    // --- Writing ---------------------------------------------------------------------------

    /**
     * Starts a save: all of the content anew, under the same license. This file still shows the old.
     *
     * @param metadata null: as it was
     * @return the writer, to be completed and closed
     * @throws IOException a {@link BullaException}
     */
    public SealedWriter save(Metadata metadata) throws IOException {
        try (Scope scope = new Scope()) {
            Pointer described = Sealer.metadata(scope, metadata);
            return new SealedWriter(handle.use(file -> Lib.pointer((out, error) ->
                    Lib.bulla_file_save(file, described, out, error))));
        }
    }

    /**
     * Starts a save of which the new envelope goes to a channel: for files that were not opened from
     * a path.
     *
     * @param channel stays the program's, and open until the writer is closed
     * @param metadata null: as it was
     * @return the writer, to be completed and closed
     * @throws IOException a {@link BullaException}, or what the channel threw
     */
    public SealedWriter saveTo(WritableByteChannel channel, Metadata metadata) throws IOException {
        if (channel == null) throw new NullPointerException("channel");
        try (Scope scope = new Scope()) {
            Pointer described = Sealer.metadata(scope, metadata);
            return new SealedWriter(handle.use(file -> {
                Pointer sink = Callbacks.sink(scope, channel);
                return Lib.pointer((out, error) ->
                        Lib.bulla_file_save_to(file, sink, described, out, error));
            }));
        }
    }

    /**
     * Lets the plain content out to a file, which is there whole or not at all.
     *
     * @param path where to
     * @param replace whether a file of this name is replaced
     * @param progress told how far it is; null for nobody
     * @return bytes
     * @throws IOException a {@link BullaException}; {@link BullaException.Denied} without the right
     */
    public long export(Path path, boolean replace, Progress progress) throws IOException {
        try (Scope scope = new Scope(); Callbacks.Told told = new Callbacks.Told(progress)) {
            Pointer name = scope.path(path);
            Pointer options = told.into(scope.struct().u32(replace ? Lib.REPLACE : 0)).done();
            return handle.use(file -> Lib.number((out, error) -> Scope.wide
                    ? Lib.bulla_file_export_w(file, name, options, out, error)
                    : Lib.bulla_file_export(file, name, options, out, error)));
        }
    }

    /**
     * The same to a channel. What was written before a failure stays written.
     *
     * @param channel stays the program's
     * @param progress told how far it is; null for nobody
     * @return bytes
     * @throws IOException as {@link #export(Path, boolean, Progress)}, or what the channel threw
     */
    public long export(WritableByteChannel channel, Progress progress) throws IOException {
        if (channel == null) throw new NullPointerException("channel");
        try (Scope scope = new Scope(); Callbacks.Told told = new Callbacks.Told(progress)) {
            Pointer options = told.into(scope.struct().u32(0)).done();
            return handle.use(file -> {
                Pointer sink = Callbacks.sink(scope, channel);
                return Lib.number((out, error) ->
                        Lib.bulla_file_export_sink(file, sink, options, out, error));
            });
        }
    }

    /** Not possible: {@link #save} writes all of the content anew. */
    @Override
    public int write(ByteBuffer from) {
        throw new NonWritableChannelException();
    }

    /** Not possible: {@link #save} writes all of the content anew. */
    @Override
    public SealedFile truncate(long size) {
        throw new NonWritableChannelException();
    }

    // --- The end ---------------------------------------------------------------------------

    @Override
    public boolean isOpen() {
        return handle.isOpen();
    }

    /** Closes it. The second time nothing happens. */
    @Override
    public void close() {
        handle.close();
    }

    private interface Numbered {
        int get(Pointer file, Pointer out, Pointer error);
    }

    private long number(Numbered of) throws IOException {
        return handle.use(file -> Lib.number((out, error) -> of.get(file, out, error)));
    }

    private void checkOpen() throws ClosedChannelException {
        if (!handle.isOpen()) throw new ClosedChannelException();
    }
}
