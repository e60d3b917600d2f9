#!/bin/sh
# Makes a release in a folder: archives for 64-bit Linux and Windows, the C# package, bills of
# material, SHA256SUMS and its signature. usage: dist.sh OUT-FOLDER
# Settings, all of the environment:
#   BULLA_RELEASE_KEY  signs, as sign.sh says. Without it, UNSIGNED=1 has to be asked for
#   TARGET             where it is built; kept, so that another run takes less
# What is signed is built from a commit: a changed tree is refused then.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$1
key=${BULLA_RELEASE_KEY:-}
fail() { echo "dist: $*" >&2; exit 1; }
if [ -n "$key" ]; then
    [ -r "$key" ] || fail "no key $key"
    [ -z "$(git -C "$root" status --porcelain)" ] || fail "the tree has changes that no commit has"
elif [ "${UNSIGNED:-}" != 1 ]; then
    fail "BULLA_RELEASE_KEY is not set; UNSIGNED=1 for a release that nobody can check"
fi
sh "$root/bindings/c/need.sh" python3=python3 readelf=binutils ssh-keygen=openssh-client
mkdir -p "$out" "${TARGET:-$root/target}/dist"
out=$(cd "$out" && pwd)
target=$(cd "${TARGET:-$root/target}/dist" && pwd)
[ -z "$(ls -A "$out")" ] || fail "$out is not empty"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/env.sh"
cd "$root"

# --- Built ---------------------------------------------------------------------------------------
sh bindings/c/package/build.sh "$target"
${CARGO:-cargo} build --release --package bulla-command --target-dir "$target"
COMMAND=1 sh bindings/c/windows/build.sh "$target/windows"

# --- Laid out ------------------------------------------------------------------------------------
documents() { # folder system
    mkdir -p "$1/doc"
    cp LICENSE-MIT LICENSE-APACHE "$1"
    cp README.md CHANGELOG.md SECURITY.md "$1/doc"
    cp docs/*.md docs/*.json docs/*.png "$1/doc"
    python3 "$here/notices.py" "$2" bulla-capi bulla-command > "$1/THIRD-PARTY-NOTICES.txt"
}
linux=bulla-$version-linux-x86_64
windows=bulla-$version-windows-x86_64
DESTDIR='' PREFIX="$work/$linux" sh bindings/c/package/install.sh "$target/release"
install -D -m 755 "$target/release/bulla" "$work/$linux/bin/bulla"
strip --strip-unneeded "$work/$linux/bin/bulla"
strip --strip-debug --enable-deterministic-archives "$work/$linux/lib/libbulla.a"
documents "$work/$linux" x86_64-unknown-linux-gnu
sh bindings/csharp/package/build.sh "$work/csharp" "$work/$linux/lib/libbulla.so" \
    "$target/windows/dist/libbulla.dll"
mkdir "$work/$linux/csharp"
cp "$work/csharp/Bulla.$version.nupkg" "$work/$linux/csharp/"
cp -r "$target/windows/dist" "$work/$windows"
documents "$work/$windows" x86_64-pc-windows-gnu

# --- Packed: the same bytes for the same contents --------------------------------------------------
tar --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+w \
    --mtime="@$SOURCE_DATE_EPOCH" --create "$linux" | gzip -9n > "$out/$linux.tar.gz"
python3 - "$work" "$windows" "$out/$windows.zip" << 'ZIP'
import os, pathlib, sys, time, zipfile
work, name, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
made = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip:
    for path in sorted(p for p in (work / name).rglob("*") if p.is_file()):
        entry = zipfile.ZipInfo(path.relative_to(work).as_posix(), made)
        zip.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
ZIP
cp "$work/csharp/Bulla.$version.nupkg" "$out/"
sh "$here/sbom.sh" "$out"
sh "$here/sign.sh" "$out" "$key"
ls -l "$out"
