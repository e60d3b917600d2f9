#!/bin/sh
# Installs into empty folders, and builds the program of the README there: with pkg-config alone,
# with CMake, shared and static. Needs pkg-config, cmake, binutils.
# usage: test.sh FOLDER-OF-THE-BUILD COMMAND, the latter to seal something with
set -eu
build=$1
bulla=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "install: $*" >&2; exit 1; }
unset BULLA_HOME BULLA_PASSPHRASE LIBDIR INCLUDEDIR PKG_CONFIG_PATH LD_LIBRARY_PATH

# --- What is installed -------------------------------------------------------------------------
stage=$work/stage
DESTDIR=$stage PREFIX=/usr/local sh "$here/install.sh" "$build"
DESTDIR='' PREFIX="$work/opt" LIBDIR="$work/opt/lib/deep/er" sh "$here/install.sh" "$build"
version=$(cd "$root" && sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
(cd "$stage" && find . ! -type d | LC_ALL=C sort) > "$work/found"
cat > "$work/expected" <<EOF
./usr/local/include/bulla.h
./usr/local/include/bulla.hpp
./usr/local/include/bulla_stdio.h
./usr/local/lib/cmake/Bulla/BullaConfig.cmake
./usr/local/lib/cmake/Bulla/BullaConfigVersion.cmake
./usr/local/lib/libbulla.a
./usr/local/lib/libbulla.so
./usr/local/lib/libbulla.so.0
./usr/local/lib/libbulla.so.$version
./usr/local/lib/pkgconfig/bulla.pc
EOF
diff "$work/expected" "$work/found" || fail "other files than expected"
lib=$stage/usr/local/lib
if grep -rn '@[A-Z]*@' "$lib/pkgconfig" "$lib/cmake"; then fail "a template was not filled"; fi

nm -D --defined-only "$lib/libbulla.so" | awk '{ print $3 }' | LC_ALL=C sort > "$work/symbols"
LC_ALL=C sort "$here/../../../include/bulla.symbols" | diff - "$work/symbols" || fail "symbols differ"
# It connects to nothing and listens to nothing: of the network it asks for the machine's addresses alone.
nm -D --undefined-only "$lib/libbulla.so" | awk '{ print $2 }' | sed 's/@.*//' > "$work/asks"
grep -qx getifaddrs "$work/asks" || fail "the imports were not read"
network='(__)?(socket(pair)?|connect|bind|listen|accept4?|getaddrinfo|gethostby.*|(send|recv)(to|from|m?msg)?|res_.*)'
if grep -Ex "$network" "$work/asks"; then fail "it uses the network"; fi
ldd "$lib/libbulla.so" | awk '{ print $1 }' | sed 's|.*/||' | LC_ALL=C sort > "$work/needs"
printf 'ld-linux-x86-64.so.2\nlibc.so.6\nlibgcc_s.so.1\nlinux-vdso.so.1\n' | diff - "$work/needs" \
    || fail "the library needs other libraries"
size=$(stat -L -c %s "$lib/libbulla.so")
[ "$size" -lt 6000000 ] || fail "$size bytes are too many"
level=$(sed -n '/^\[profile.release\]/,/^\[/s/^opt-level = //p' "$root/Cargo.toml")
[ "${level:-3}" = 3 ] || fail "opt-level is $level: the fast AES is off then"
echo "ok installed: $size bytes, stripped"

# --- What the README says ----------------------------------------------------------------------
# Static linking: as rustc says, in the README and in bulla.pc.
native=$(cat "$build/libbulla.native")
stated=$(sed -n 's/^cc .*-l:libbulla\.a //p' "$root/README.md")
[ "$stated" = "$native" ] || fail "the README says '$stated', rustc '$native'"
PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
private=$(sed -n 's/^Libs.private: //p' "$PKG_CONFIG_PATH/bulla.pc")
[ "$private" = "$native" ] || fail "bulla.pc says '$private', rustc '$native'"
[ "$(pkg-config --modversion bulla)" = "$version" ] || fail "bulla.pc has another version"

# An office, to have something to open.
cd "$work"
home() { "$bulla" --home "$@" > /dev/null; }
home issuer init --name 'Hanbit Insurance'
home desk identity new --kind x25519 --name desk
home desk trust pin issuer/root.pub
for list in issuer/trust/*; do home desk trust use "$list"; done
echo '{"version":1,"name":"all","grants":[{"to":["anyone"],"rights":["view"]}]}' > policy.json
seq 100000 > plain
home issuer seal --policy policy.json --to desk/identity.pub plain -o sealed
export BULLA_HOME="$work/desk"
opens() { # name program…: gives the plain text, and only from a sealed file
    what=$1
    shift
    "$@" sealed | cmp - plain || fail "$what: another text"
    if "$@" plain > /dev/null 2> why; then fail "$what: a plain file opened"; fi
    grep -q 'not a sealed file' why || fail "$what: $(cat why)"
    echo "ok $what"
}

# The program and the commands, as they stand there.
sed -n '/^```c$/,/^```$/p' "$root/README.md" | sed '1d;$d' > open.c
test -s open.c || fail "no C program in the README"
build_with() { # pattern of the command in the README
    command=$(grep -E "$1" "$root/README.md") || fail "no such command in the README: $1"
    rm -f open
    sh -e -c "$command" || fail "$command"
}
build_with '^cc .*pkg-config --cflags --libs bulla'
opens "pkg-config" env LD_LIBRARY_PATH="$lib" ./open
build_with '^cc .*-l:libbulla\.a '
if readelf -d open | grep -q libbulla; then fail "linked statically, and yet it needs libbulla"; fi
opens "pkg-config, static" ./open
PKG_CONFIG_PATH=$work/opt/lib/deep/er/pkgconfig
build_with '^cc .*pkg-config --cflags --libs bulla'
opens "pkg-config, in another folder" env LD_LIBRARY_PATH="$work/opt/lib/deep/er" ./open
unset PKG_CONFIG_PATH
# shellcheck disable=SC2046
cc -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only -I"$here/../../../include" open.c

for where in "-DCMAKE_PREFIX_PATH=$stage/usr/local" "-DBulla_DIR=$work/opt/lib/deep/er/cmake/Bulla"; do
    rm -rf cmake out
    mkdir cmake
    cp "$here/test/CMakeLists.txt" open.c cmake
    cmake -S cmake -B out "$where" > said 2>&1 || { cat said; fail "cmake"; }
    cmake --build out > said 2>&1 || { cat said; fail "cmake --build"; }
    opens "cmake" ./out/open_shared
    opens "cmake, static" ./out/open_static
    if readelf -d out/open_static | grep -q libbulla; then fail "not static"; fi
done
echo "install: all passed"
