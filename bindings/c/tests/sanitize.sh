#!/bin/sh
# The C and C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer, the
# library built for them; and, with the library as it ships, under valgrind. Both start with
# planted bugs, which must be reported. usage: sanitize.sh TARGET-FOLDER, with a built release in
# it. Settings: BULLA, the command; ONLY as in run.sh.
set -eu
target=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
triple=$(rustc -vV | sed -n 's/^host: //p')
sh "$here/../need.sh" g++=g++ valgrind=valgrind
export CC=gcc CXX=g++

memcheck() {
    RUN='valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite'
    PLANTED='overread Invalid read
use-after-free Invalid read
leak definitely lost'
    RUN="$RUN --errors-for-leak-kinds=definite" LIB=$target/release BRIEF=40 PLANTED=$PLANTED \
        ONLY="${ONLY:-basic bad_input callbacks threads forks cpp}" sh "$here/run.sh"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
memcheck > "$log" 2>&1 & # beside the rest: it keeps one core busy
valgrind=$!

# --- AddressSanitizer --------------------------------------------------------------------------
# Not stable in Rust: a nightly toolchain, or the stable one told to allow it.
if ${CARGO:-cargo} +nightly --version > /dev/null 2>&1; then
    toolchain=+nightly
else
    toolchain=
fi
built=$target/asan/$triple/debug
library() { # features
    # shellcheck disable=SC2086
    (cd "$root" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_DEV_DEBUG=0 \
        CARGO_TARGET_DIR="$target/asan" ${CARGO:-cargo} $toolchain build --quiet \
        --target "$triple" --package bulla-capi "$@")
}
library --features test-panic
mkdir -p "$target/asan/panics"
cp "$built/libbulla.so" "$target/asan/panics/"
library
# The first finding ends the program. What leaks within the library is found, too.
export ASAN_OPTIONS=detect_leaks=1:exitcode=99:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99
PLANTED='overread heap-buffer-overflow
use-after-free heap-use-after-free
overflow signed integer overflow
leak detected memory leaks'
status=0
CFLAGS='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
    LIB=$built PANIC_LIB=$target/asan/panics BRIEF=10 PLANTED=$PLANTED sh "$here/run.sh" || status=$?

echo "== valgrind"
wait $valgrind || status=$?
cat "$log"
exit $status
