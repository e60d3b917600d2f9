# Part of run.sh: envelopes that go to Windows and back, by one home. NATIVE_LIB is the folder of a
# library for this system; EXCHANGE: sizes, in place of the usual ones.

exchange_build() {
    exchange=$here/tests/windows/exchange.c
    # shellcheck disable=SC2086
    $cc -std=c11 -O2 $strict -I"$here/tests/c" -o "$work/exchange.exe" "$exchange" $link
    mkdir -p "$work/native"
    cp "$NATIVE_LIB/libbulla.so" "$work/native/libbulla.so.0"
    # shellcheck disable=SC2086
    cc -std=c11 -O2 $strict -I"$here/tests/c" -I"$root/include" -o "$work/exchange" "$exchange" \
        "$work/native/libbulla.so.0" -Wl,-rpath,"$work/native"
    rm -rf "$work/between"
    cp -r "$office" "$work/between"
    cd "$work/between"
}
there() { ${RUN:-} "$work/exchange.exe" "$@"; }
here_() { "$work/exchange" "$@"; }

exchange() { # sizes…
    for size; do
        here_ seal "to.bulla" "$size" 1
        there open "to.bulla" "$size" 1
        there seal "from.bulla" "$size" 2
        here_ open "from.bulla" "$size" 2
        if there open "to.bulla" "$size" 3 2> /dev/null && [ "$size" != 0 ]; then
            echo "another content was not noticed" >&2
            exit 1
        fi
        there save "to.bulla" 70000 4
        here_ open "to.bulla" 70000 4
        here_ save "from.bulla" 5 5
        there open "from.bulla" 5 5
        rm to.bulla from.bulla
        echo "ok $size bytes there and back"
    done
    "$bulla" --home desk trail verify > /dev/null # written from both sides
}

if [ "$system" = windows ]; then
    echo "--- exchange"
    exchange_build
    # shellcheck disable=SC2086
    exchange ${EXCHANGE:-0 1 16383 16384 16385 3000001}
    cd "$office"
fi
