package bulla;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a policy decided: {@code docs/policy.md}, "Decision". */
public final class Decision {
    private final String json;
    private final Set<Right> rights = EnumSet.noneOf(Right.class);
    private final List<Reason> refused = new ArrayList<>();

    Decision(String json) {
        this.json = json;
        JsonObject told = JsonParser.parseString(json).getAsJsonObject();
        for (JsonElement each : list(told, "rights")) {
            // A right of a newer library is none that this program could use.
            Right right = Right.named(text(each.getAsJsonObject(), "right"));
            if (right != null) rights.add(right);
        }
        for (JsonElement each : list(told, "refused")) refused.add(new Reason(each.getAsJsonObject()));
    }

    /**
     * All of it.
     *
     * @return JSON
     */
    public String json() {
        return json;
    }

    /**
     * The rights that are granted.
     *
     * @return a set that cannot be changed
     */
    public Set<Right> rights() {
        return Collections.unmodifiableSet(rights);
    }

    /**
     * Why not more: one reason for each grant that failed.
     *
     * @return a list that cannot be changed, in the order of the grants
     */
    public List<Reason> refused() {
        return Collections.unmodifiableList(refused);
    }

    /** Why a grant does not apply. */
    public static final class Reason {
        private final JsonObject told;

        Reason(JsonObject told) {
            this.told = told;
        }

        /**
         * What failed.
         *
         * @return {@code badge}, {@code to} or the name of a condition, such as {@code hours}
         */
        public String failed() {
            return text(told, "failed");
        }

        /**
         * How it failed.
         *
         * @return {@code unknown}, {@code provenance} or {@code unmet}
         */
        public String cause() {
            return text(told, "cause");
        }

        /**
         * What was known, for people.
         *
         * @return a text; empty if nothing was known
         */
        public String known() {
            return text(told, "known");
        }

        /**
         * What would do, for people.
         *
         * @return a text; null if there is none
         */
        public String wanted() {
            return text(told, "wanted");
        }

        /**
         * All of it in a sentence, for people.
         *
         * @return a text
         */
        public String message() {
            return text(told, "message");
        }
    }

    private static JsonArray list(JsonObject of, String key) {
        JsonElement found = of.get(key);
        return found == null ? new JsonArray() : found.getAsJsonArray();
    }

    private static String text(JsonObject of, String key) {
        JsonElement found = of.get(key);
        return found == null || !found.isJsonPrimitive() ? null : found.getAsString();
    }
}
