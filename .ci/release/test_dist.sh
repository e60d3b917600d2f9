#!/bin/sh
# What a release holds works where there is nothing else of ours. usage: test_dist.sh FOLDER
# Settings: BULLA_RELEASE_PUBLIC, the maintainer's public key, with which the signature is checked;
# WINE=1 runs the Windows command, too.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "dist: $*" >&2; exit 1; }
sh "$root/bindings/c/need.sh" pkg-config=pkg-config cc=gcc python3=python3
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
linux=bulla-$version-linux-x86_64
windows=bulla-$version-windows-x86_64
unset BULLA_HOME BULLA_PASSPHRASE LD_LIBRARY_PATH PKG_CONFIG_PATH

# --- The folder ------------------------------------------------------------------------------------
if [ -n "${BULLA_RELEASE_PUBLIC:-}" ]; then
    sh "$here/verify.sh" "$folder" "$BULLA_RELEASE_PUBLIC"
else
    (cd "$folder" && sha256sum --check --strict --quiet SHA256SUMS)
fi
(cd "$folder" && ls | grep -v '^SHA256SUMS') > "$work/there"
LC_ALL=C sort > "$work/wanted" << EOF
Bulla.$version.nupkg
$linux.tar.gz
$windows.zip
bulla-command-$version-linux-x86_64.cdx.json
bulla-command-$version-windows-x86_64.cdx.json
libbulla-$version-linux-x86_64.cdx.json
libbulla-$version-windows-x86_64.cdx.json
EOF
LC_ALL=C sort "$work/there" | diff "$work/wanted" - || fail "other files than expected"

# --- Linux -----------------------------------------------------------------------------------------
cd "$work"
tar -xzf "$folder/$linux.tar.gz"
for file in bin/bulla lib/libbulla.so lib/libbulla.a lib/pkgconfig/bulla.pc include/bulla.h include/bulla.hpp \
    "csharp/Bulla.$version.nupkg" LICENSE-MIT LICENSE-APACHE THIRD-PARTY-NOTICES.txt doc/README.md doc/c-abi.md; do
    [ -s "$linux/$file" ] || fail "$linux lacks $file"
done
bulla=$work/$linux/bin/bulla
[ "$("$bulla" --version)" = "bulla $version" ] || fail "the command says $("$bulla" --version)"
at() { "$bulla" --home "$@" > /dev/null; }
at issuer init --name 'Hanbit Insurance'
at desk identity new --kind x25519 --name desk
at desk trust pin issuer/root.pub
for list in issuer/trust/*; do at desk trust use "$list"; done
echo '{"version":1,"name":"all","grants":[{"to":["anyone"],"rights":["view"]}]}' > policy.json
seq 1000 > plain
at issuer seal --policy policy.json --to desk/identity.pub plain -o sealed
sed -n '/^```c$/,/^```$/p' "$linux/doc/README.md" | sed '1d;$d' > open.c
# shellcheck disable=SC2046
cc open.c -o open $(PKG_CONFIG_PATH="$work/$linux/lib/pkgconfig" pkg-config --cflags --libs bulla)
BULLA_HOME=desk LD_LIBRARY_PATH="$work/$linux/lib" ./open sealed | cmp - plain || fail "another text"
echo "ok $linux"

# --- Windows ---------------------------------------------------------------------------------------
python3 -m zipfile -e "$folder/$windows.zip" .
for file in bulla.exe libbulla.dll libbulla.dll.a libbulla.def include/bulla.h include/bulla.hpp LICENSE-MIT \
    LICENSE-APACHE THIRD-PARTY-NOTICES.txt doc/README.md; do
    [ -s "$windows/$file" ] || fail "$windows lacks $file"
done
sh "$root/bindings/c/windows/check.sh" "$windows"
if [ "${WINE:-}" = 1 ]; then
    sh "$root/bindings/c/need.sh" x86_64-w64-mingw32-gcc-win32=gcc-mingw-w64-x86-64-win32
    # The system DLL that Wine 8 lacks; Windows has it.
    x86_64-w64-mingw32-gcc-win32 -shared -o "$windows/bcryptprimitives.dll" \
        "$root/bindings/c/windows/bcryptprimitives.c" -ladvapi32
    (
        here=$root/bindings/c/windows target=$work
        . "$root/bindings/c/windows/wine.sh"
        said=$(sh "$here/run.sh" "$windows/bulla.exe" --version)
        [ "$said" = "bulla $version" ] || fail "the command for Windows says $said"
    )
fi
echo "ok $windows"
cmp "$folder/Bulla.$version.nupkg" "$linux/csharp/Bulla.$version.nupkg" || fail "two C# packages"
echo "dist: all passed"
