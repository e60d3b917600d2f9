package bulla;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** What the program must do while it uses a right. */
public enum Duty {
    /** Draw the file's watermark over what is shown or printed. */
    WATERMARK(1),
    /** Keep the screen from being captured. */
    BLOCK_CAPTURE(2),
    /** Keep contents from the clipboard. */
    BLOCK_CLIPBOARD(4),
    /** Hide the named columns. */
    MASK(8),
    /** Remove decrypted remains when the file is closed. */
    WIPE(16);

    final int bit;

    Duty(int bit) {
        this.bit = bit;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static Set<Duty> of(int bits) {
        Set<Duty> out = EnumSet.noneOf(Duty.class);
        for (Duty each : values()) if ((bits & each.bit) != 0) out.add(each);
        return out;
    }
}
