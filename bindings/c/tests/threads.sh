#!/bin/sh
# The many-threads test under ThreadSanitizer. The whole library is instrumented, the standard one
# too, without which races are reported that are none: so the compiler is Debian's, whose sources
# are packaged. The AEAD is the one in Rust, which is watched like the rest.
# usage: threads.sh TARGET-FOLDER. Settings: BULLA, the command.
set -eu
target=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
triple=x86_64-unknown-linux-gnu
sh "$here/../need.sh" /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web \
    /usr/lib/rustlib/src/rust/library/std=rust-web-src
# clang's runtime must be of the LLVM that the compiler was built with.
llvm=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
sh "$here/../need.sh" "clang-$llvm=clang-$llvm" \
    "/usr/lib/llvm-$llvm/lib/clang/$llvm/lib/linux/libclang_rt.tsan-x86_64.a=libclang-rt-$llvm-dev"
(cd "$root" && env PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS=-Zsanitizer=thread CARGO_PROFILE_DEV_DEBUG=0 \
    CARGO_TARGET_DIR="$target/tsan" /usr/bin/cargo build --quiet \
    --target $triple -Zbuild-std=std,panic_unwind --package bulla-capi --no-default-features --features pure-rust)
export TSAN_OPTIONS=halt_on_error=1:exitcode=99
CC=clang-$llvm CXX=clang++-$llvm CFLAGS=-fsanitize=thread LIB="$target/tsan/$triple/debug" ONLY=threads \
    PLANTED='race data race
race-inside libbulla.so' sh "$here/run.sh"
