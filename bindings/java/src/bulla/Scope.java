package bulla;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Native memory for the arguments of one call: held until its end, then wiped and freed. */
final class Scope implements AutoCloseable {
    /** Whether paths are given in UTF-16. The library takes that everywhere, so tests set it. */
    static volatile boolean wide = Platform.isWindows();

    private final List<Memory> held = new ArrayList<>();

    Memory memory(long size) {
        Memory made = new Memory(Math.max(size, 1));
        made.clear();
        held.add(made);
        return made;
    }

    Pointer bytes(byte[] data) {
        Memory made = memory(data.length);
        made.write(0, data, 0, data.length);
        return made;
    }

    /** UTF-8 with a NUL at its end. What cannot be told as it is, is refused, never replaced. */
    Pointer text(String value, String what) throws BullaException {
        if (value == null) return null;
        byte[] encoded = utf8(value, what);
        Memory made = memory(encoded.length + 1);
        made.write(0, encoded, 0, encoded.length);
        return made;
    }

    static byte[] utf8(String value, String what) throws BullaException {
        if (value.indexOf('\0') >= 0) throw new BullaException.Argument(what + " holds a NUL");
        try {
            ByteBuffer out = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value));
            byte[] exact = new byte[out.remaining()];
            out.get(exact);
            return exact;
        } catch (CharacterCodingException e) {
            throw new BullaException.Argument(what + " holds a lone surrogate");
        }
    }

    /** An array of them; null for none. */
    Pointer texts(List<String> values, String what) throws BullaException {
        if (values.isEmpty()) return null;
        Memory made = memory((long) values.size() * Native.POINTER_SIZE);
        for (int i = 0; i < values.size(); i++) {
            made.setPointer((long) i * Native.POINTER_SIZE, text(values.get(i), what));
        }
        return made;
    }

    /** A path for the functions of this system: those that end in {@code _w} if {@link #wide}. */
    Pointer path(Path path) throws BullaException {
        return wide ? utf16(checked(path)) : narrow(path);
    }

    /** A path for a function that only takes UTF-8. */
    Pointer narrow(Path path) throws BullaException {
        return text(checked(path), "the path");
    }

    private static String checked(Path path) throws BullaException {
        if (path.getFileSystem() != FileSystems.getDefault()) {
            throw new BullaException.Argument("the path is not one of the system's own files");
        }
        String text = path.toString();
        // Java shows so what it could not decode: the text then is another file's name.
        if (text.indexOf('\uFFFD') >= 0) {
            throw new BullaException.Argument(
                    "the path is not UTF-8: open the file yourself, and give its channel");
        }
        return text;
    }

    private Pointer utf16(String value) {
        Memory made = memory(2L * (value.length() + 1));
        for (int i = 0; i < value.length(); i++) made.setShort(2L * i, (short) value.charAt(i));
        return made;
    }

    Struct struct() {
        return new Struct(memory(128));
    }

    /** A struct that starts with its size. Their fields follow each other without gaps. */
    static final class Struct {
        private final Memory memory;
        private long at = 4;

        private Struct(Memory memory) {
            this.memory = memory;
        }

        Struct u32(int value) {
            memory.setInt(at, value);
            at += 4;
            return this;
        }

        Struct i64(long value) {
            memory.setLong(at, value);
            at += 8;
            return this;
        }

        Struct pointer(Pointer value) {
            memory.setPointer(at, value);
            at += Native.POINTER_SIZE;
            return this;
        }

        Struct size(long value) {
            if (Native.SIZE_T_SIZE == 8) memory.setLong(at, value);
            else memory.setInt(at, (int) value);
            at += Native.SIZE_T_SIZE;
            return this;
        }

        Pointer done() {
            memory.setInt(0, (int) at);
            return memory;
        }
    }

    @Override
    public void close() {
        for (Memory each : held) {
            each.clear();
            each.close();
        }
    }
}
