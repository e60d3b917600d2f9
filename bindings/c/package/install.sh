#!/bin/sh
# Installs a built libbulla: libraries, headers, pkg-config file, CMake package.
# usage: install.sh FOLDER-OF-THE-BUILD. Settings, all of the environment: DESTDIR,
# PREFIX (/usr/local), LIBDIR (PREFIX/lib), INCLUDEDIR (PREFIX/include), STRIP (strip; `:` for not).
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
dest=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
lib=${LIBDIR:-$prefix/lib}
include=${INCLUDEDIR:-$prefix/include}

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
major=${version%%.*}
soname=libbulla.so.$(sed -n 's/^#define BULLA_ABI_VERSION //p' "$here/../../../include/bulla.h")
native=$(cat "$build/libbulla.native")
has=$(LC_ALL=C readelf -d "$build/libbulla.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
pointer=$(LC_ALL=C readelf -h "$build/libbulla.so" | grep -q 'ELF64' && echo 8 || echo 4)
[ "$has" = "$soname" ] || { echo "the library is called $has, the header says $soname" >&2; exit 1; }

between() { realpath -m -s --relative-to="$1" "$2"; }
fill() { # template folder: where its file goes
    mkdir -p "$dest$2"
    name=$(basename "$1" .in)
    sed -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|$major|g" -e "s|@SONAME@|$soname|g" \
        -e "s|@POINTER@|$pointer|g" -e "s|@UP@|$(between "$2" "$prefix")|g" \
        -e "s|@LIB@|$(between "$prefix" "$lib")|g" -e "s|@NATIVE@|$native|g" \
        -e "s|@INCLUDE@|$(between "$prefix" "$include")|g" "$1" > "$dest$2/$name"
    chmod 644 "$dest$2/$name"
}

mkdir -p "$dest$lib" "$dest$include"
install -m 755 "$build/libbulla.so" "$dest$lib/libbulla.so.$version"
${STRIP:-strip} --strip-unneeded "$dest$lib/libbulla.so.$version"
ln -sf "libbulla.so.$version" "$dest$lib/$soname"
ln -sf "$soname" "$dest$lib/libbulla.so"
install -m 644 "$build/libbulla.a" "$dest$lib/"
install -m 644 "$here"/../../../include/*.h "$here"/../../../include/*.hpp "$dest$include/"
fill "$here/bulla.pc.in" "$lib/pkgconfig"
fill "$here/BullaConfig.cmake.in" "$lib/cmake/Bulla"
fill "$here/BullaConfigVersion.cmake.in" "$lib/cmake/Bulla"
