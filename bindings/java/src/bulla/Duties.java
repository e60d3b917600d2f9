package bulla;

import java.util.Collections;
import java.util.List;
import java.util.Set;

/** The duties of a right. */
public final class Duties {
    private final Set<Duty> duties;
    private final List<String> columns;

    Duties(Set<Duty> duties, List<String> columns) {
        this.duties = Collections.unmodifiableSet(duties);
        this.columns = Collections.unmodifiableList(columns);
    }

    /**
     * What must be done.
     *
     * @return a set that cannot be changed
     */
    public Set<Duty> duties() {
        return duties;
    }

    /**
     * With {@link Duty#MASK}: the columns to hide.
     *
     * @return a list that cannot be changed, empty without that duty
     */
    public List<String> columns() {
        return columns;
    }
}
