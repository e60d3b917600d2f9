# Part of run.sh: what only Windows has.

if [ "$system" = windows ]; then
    for each in paths screen; do
        echo "--- $each"
        # shellcheck disable=SC2086
        $cc -std=c11 $strict -I"$here/tests/c" -o "$work/$each.exe" \
            "$here/tests/windows/$each.c" $link
        run "$each" "$work/$each.exe"
    done
fi
