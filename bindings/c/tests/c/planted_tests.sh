# Part of run.sh, first of all: that the tools in use report planted bugs. PLANTED: lines of the
# name of a bug, and what the report of it must hold.

if [ -n "${PLANTED:-}" ]; then
    echo "--- planted"
    # shellcheck disable=SC2086
    $cc -std=c11 $strict -I"$here/tests/c" -o "$work/planted" \
        "$here/tests/sanitize/planted.c" $link
    cd "$office"
    echo "$PLANTED" | while read -r bug report; do
        # shellcheck disable=SC2086
        if ${RUN:-} "$work/planted" "$bug" > said 2>&1; then
            echo "the planted $bug was not reported" >&2
            exit 1
        fi
        grep -q "$report" said || { cat said; echo "another report than $report" >&2; exit 1; }
        echo "ok reported: $bug"
    done
fi
