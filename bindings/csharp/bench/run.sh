#!/bin/sh
# Builds and runs the bench, on Mono and on .NET Core. usage: run.sh COMMAND LIBRARY [MIB [ROUNDS]]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)
bulla=$1
library=$2
mib=${3:-1024}
rounds=${4:-5}
. "$here/runtimes.sh"
. "$here/office.sh"
need_runtime mono
need_runtime core
# In memory, so that the disk does not hide what is measured.
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$work"' EXIT
sh "$here/build.sh" "$work/bin" "Bench=$here/bench/Bench.cs"
# One library for both sides, under the name that programs in C find it by.
cp "$library" "$work/bin/libbulla.so.0"
ln -s libbulla.so.0 "$work/bin/libbulla.so"
cc -O2 -Wall -Wextra -Werror -shared -fPIC -I"$root/include" -o "$work/bin/libcread.so" \
    "$here/bench/cread.c" "$work/bin/libbulla.so.0" -Wl,-rpath,"$work/bin"
new_office "$work/office"
cp -r desk desk-c
head -c "$((mib * 1048576))" /dev/zero > plain
at issuer seal --policy view.json --to desk/identity.pub plain -o sealed
rm plain
for runtime in mono core; do
    echo "on $runtime:"
    run "$runtime" "$work/bin/Bench.exe" desk sealed "$rounds"
done
