#!/bin/sh
# Builds the library twice from the same commit: in folders of other names and lengths, with another
# cargo home, another user's home, another clock. Both builds are the same, byte for byte.
# usage: reproducible.sh [COMMIT]. Settings: SYSTEMS (linux, windows; both), KEEP, a folder for the builds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
commit=$(git -C "$top" rev-parse "${1:-HEAD}")
systems=${SYSTEMS:-linux windows}
work=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
work=$(cd "$work" && pwd)
SOURCE_DATE_EPOCH=$(git -C "$top" log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH
# The toolchain is no part of what differs, and it is found by these.
RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
export RUSTUP_HOME
registry=${CARGO_HOME:-$HOME/.cargo}/registry

build() { # folder, without a slash at its end
    root=$1
    mkdir -p "$root" "$root.home/registry"
    git -C "$top" archive "$commit" | tar -x -C "$root"
    # What has been fetched need not be again; crates are unpacked anew.
    for part in index cache; do
        [ ! -d "$registry/$part" ] || cp -a "$registry/$part" "$root.home/registry/"
    done
    (
        export CARGO_HOME="$root.home" HOME="$root.home"
        unset CARGO_TARGET_DIR RUSTFLAGS CFLAGS
        for system in $systems; do
            target=$root/target/$system
            mkdir -p "$target"
            . "$here/env.sh"
            case $system in
            linux) sh "$root/bindings/c/package/build.sh" "$target" ;;
            windows) sh "$root/bindings/c/windows/build.sh" "$target" ;;
            esac
        done
    )
}
build "$work/one"
sleep 1
build "$work/another/folder-of-a-longer-name"

status=0
same() { # file
    a="$work/one/target/$1" b="$work/another/folder-of-a-longer-name/target/$1"
    test -s "$a"
    if cmp "$a" "$b"; then
        echo "ok the same: $(basename "$1") $(sha256sum < "$a" | cut -d' ' -f1)"
    else
        status=1
    fi
    # Nor does it tell where it was built.
    if LC_ALL=C grep -c -a -F "$work" "$a" > /dev/null; then
        echo "$1 names the folder it was built in" >&2
        status=1
    fi
}
for system in $systems; do
    case $system in
    linux)
        same linux/release/libbulla.so
        same linux/release/libbulla.a
        ;;
    windows)
        same windows/dist/libbulla.dll
        same windows/dist/libbulla.dll.a
        ;;
    esac
done
exit $status
