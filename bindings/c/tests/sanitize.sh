#!/bin/sh
# The C and C++ tests under AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer, the
# library with them; and, the library as it ships, under valgrind. Each run starts with planted
# bugs, which must be reported. usage: sanitize.sh TARGET-FOLDER [asan|valgrind]
# Settings: BULLA, the command.
set -eu
target=$1
only=${2:-asan valgrind}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
triple=$(rustc -vV | sed -n 's/^host: //p')
say() { printf '== %s\n' "$*"; }

case $only in *asan*)
    sh "$here/../need.sh" g++=g++
    # Sanitizers are not stable: a nightly toolchain, or the stable one told to allow them.
    if ${CARGO:-cargo} +nightly --version > /dev/null 2>&1; then
        toolchain=+nightly
    else
        toolchain=
        export RUSTC_BOOTSTRAP=1
    fi
    say "the library with AddressSanitizer"
    built=$target/asan/$triple/debug
    library() { # features
        (cd "$root" && RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_DEV_DEBUG=line-tables-only \
            CARGO_TARGET_DIR="$target/asan" ${CARGO:-cargo} $toolchain build --quiet \
            --target "$triple" --package bulla-capi "$@")
    }
    library --features test-panic
    mkdir -p "$target/asan/panics"
    cp "$built/libbulla.so" "$target/asan/panics/"
    library
    unset RUSTC_BOOTSTRAP
    say "ASan, UBSan, LSan"
    # Leaks of the library are looked for, too. Every finding ends the program.
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99
    flags='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
    CC=gcc CXX=g++ CFLAGS=$flags LIB=$built PANIC_LIB=$target/asan/panics BRIEF=${BRIEF:-8} PLANTED='overread heap-buffer-overflow
use-after-free heap-use-after-free
overflow signed integer overflow
leak detected memory leaks' sh "$here/run.sh"
    ;;
esac

case $only in *valgrind*)
    sh "$here/../need.sh" valgrind=valgrind /usr/include/valgrind/valgrind.h=valgrind
    say "valgrind"
    CC=gcc CXX=g++ LIB="$target/release" BRIEF=${BRIEF:-30} \
        RUN='valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite' \
        PLANTED='overread Invalid read
use-after-free Invalid read
leak definitely lost' ONLY="${ONLY:-basic bad_input callbacks threads forks cpp}" sh "$here/run.sh"
    ;;
esac
