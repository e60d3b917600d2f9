package bulla;

import com.sun.jna.IntegerType;
import com.sun.jna.Native;

/** A {@code size_t}, for JNA, which makes it by itself: not for programs. */
public final class SizeT extends IntegerType {
    private static final long serialVersionUID = 1;

    /** Zero; for JNA. */
    public SizeT() {
        this(0);
    }

    SizeT(long value) {
        super(Native.SIZE_T_SIZE, value, true);
    }
}
