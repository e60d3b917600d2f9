package bulla;

/** What an envelope says of itself in the clear. Nothing of it is proved. */
public final class Inspection {
    private final String json;
    private final long contentSize;

    Inspection(String json, long contentSize) {
        this.json = json;
        this.contentSize = contentSize;
    }

    /**
     * Ids, label, policy, recipients, sizes.
     *
     * @return JSON
     */
    public String json() {
        return json;
    }

    /**
     * The content's length, as the envelope's says.
     *
     * @return bytes
     */
    public long contentSize() {
        return contentSize;
    }
}
