#!/bin/sh
# Builds libbulla.dll for 64-bit Windows on Debian 12, and lays out TARGET-FOLDER/dist:
#   libbulla.dll, libbulla.dll.a (import library), libbulla.def, headers;
# and TARGET-FOLDER/test: a stand-in for a system DLL that Wine 8 lacks; with PROFILE=dev also a
# DLL that panics on demand. With COMMAND=1 also TARGET-FOLDER/dist/bulla.exe.
# usage: build.sh TARGET-FOLDER [core-tests]: the latter runs the core's own tests under Wine
#
# The standard library is built along (nothing else here has it for this target), so the compiler
# must be Debian's, of which the sources are packaged: rustc-web, not the one of rustup.
set -eu
target=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
triple=x86_64-pc-windows-gnu
tool=x86_64-w64-mingw32
sh "$here/../need.sh" /usr/bin/rustc=rustc-web /usr/bin/cargo=cargo-web \
    /usr/lib/rustlib/src/rust/library/std=rust-web-src nasm=nasm make=make cc=gcc \
    $tool-gcc-win32=gcc-mingw-w64-x86-64-win32 $tool-g++-posix=g++-mingw-w64-x86-64-posix

mkdir -p "$target"
target=$(cd "$target" && pwd)
# Without debug information it takes less time and a tenth of the space. The jitter source of
# aws-lc, which backs a random generator that nothing here uses, would export its own functions
# from our DLL.
debian() {
    env PATH=/usr/bin:/bin RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 \
        AWS_LC_SYS_NO_JITTER_ENTROPY=1 \
        CARGO_TARGET_DIR="$target" CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0 "$@"
}
cargo() {
    verb=$1
    shift
    (cd "$root" && debian /usr/bin/cargo "$verb" --profile "${PROFILE:-release}" \
        --target $triple -Zbuild-std=std,panic_unwind "$@")
}
case ${PROFILE:-release} in dev) built=$target/$triple/debug ;; *) built=$target/$triple/release ;; esac

# --- For Wine alone ------------------------------------------------------------------------------
mkdir -p "$target/test"
$tool-gcc-win32 -Wall -Wextra -Werror -shared -o "$target/test/bcryptprimitives.dll" \
    "$here/bcryptprimitives.c" -ladvapi32
if [ "${2:-}" = core-tests ]; then
    . "$here/wine.sh"
    export WINEPATH="$target/test" CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$here/run.sh"
    PROFILE=test cargo test --lib --package bulla
    exit
fi
if [ "${PROFILE:-release}" = dev ]; then
    cargo build --package bulla-capi --features test-panic
    mkdir -p "$target/test/panics"
    cp "$built/bulla.dll" "$target/test/panics/libbulla.dll"
    cp "$built/libbulla.dll.a" "$target/test/panics/"
fi

# --- The library ---------------------------------------------------------------------------------
cargo build --package bulla-capi
dist=$target/dist
rm -rf "$dist"
mkdir -p "$dist/include"
cp "$built/bulla.dll" "$dist/libbulla.dll"
# All symbols: the names of import libraries hold the folder of the build, and a random part.
$tool-strip --strip-all "$dist/libbulla.dll"
{
    echo 'LIBRARY "libbulla.dll"'
    echo EXPORTS
    sed 's/^/    /' "$here/../../../include/bulla.symbols"
} > "$dist/libbulla.def"
# It puts the name that it is given into the library: no folder in it.
(cd "$dist" && $tool-dlltool --def libbulla.def --output-lib libbulla.dll.a)
cp "$here"/../../../include/bulla.h "$here"/../../../include/bulla.hpp "$dist/include/"
sh "$here/check.sh" "$dist"
if [ "${COMMAND:-}" = 1 ]; then
    cargo build --package bulla-command
    cp "$built/bulla.exe" "$dist/"
    $tool-strip --strip-all "$dist/bulla.exe"
fi
