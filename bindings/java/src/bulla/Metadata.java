package bulla;

import java.time.Instant;

/** Name, type and times of the original, sealed with the content. What is null is not known. */
public final class Metadata {
    private final String name;
    private final String mediaType;
    private final Instant created;
    private final Instant modified;

    /**
     * Describes an original.
     *
     * @param name the file name, without folders; or null
     * @param mediaType such as {@code text/csv}; or null
     * @param created when it was made, in milliseconds: what is finer is left out; or null
     * @param modified when it was last changed, likewise; or null
     */
    public Metadata(String name, String mediaType, Instant created, Instant modified) {
        this.name = name;
        this.mediaType = mediaType;
        this.created = created;
        this.modified = modified;
    }

    /**
     * The file name: whatever the one who sealed it wrote. Do not use it as a path unchecked.
     *
     * @return the name, or null
     */
    public String name() {
        return name;
    }

    /**
     * The media type.
     *
     * @return such as {@code text/csv}, or null
     */
    public String mediaType() {
        return mediaType;
    }

    /**
     * When the original was made.
     *
     * @return the time, or null
     */
    public Instant created() {
        return created;
    }

    /**
     * When it was last changed.
     *
     * @return the time, or null
     */
    public Instant modified() {
        return modified;
    }
}
