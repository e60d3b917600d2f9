package bulla;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** What may be done with a file. */
public enum Right {
    /** Read the contents in a program. */
    VIEW(1),
    /** Save changed contents back, sealed under the same license. */
    EDIT(2),
    /** Print. */
    PRINT(4),
    /** Put contents on the clipboard. */
    COPY(8),
    /** Take pictures of the screen. */
    CAPTURE(16),
    /** Let plain bytes leave. */
    EXPORT(32);

    final int bit;

    Right(int bit) {
        this.bit = bit;
    }

    static Set<Right> of(int bits) {
        Set<Right> out = EnumSet.noneOf(Right.class);
        for (Right each : values()) if ((bits & each.bit) != 0) out.add(each);
        return out;
    }

    static Right named(String name) {
        for (Right each : values()) {
            if (each.name().toLowerCase(Locale.ROOT).equals(name)) return each;
        }
        return null;
    }
}
