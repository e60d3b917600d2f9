package bulla;

/** Told how far long work is. */
@FunctionalInterface
public interface Progress {
    /**
     * Called from time to time, in the thread that called. What it throws ends the work and comes
     * back from that call.
     *
     * @param done bytes done
     * @param total of how many; 0 if that is not known
     * @return true to go on; false stops the work with {@link Code#CANCELLED}
     */
    boolean at(long done, long total);
}
