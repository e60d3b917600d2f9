#!/bin/sh
# The tests of the wrapper on a runtime. usage: run.sh mono|core|wine [TEST…]
# Settings, all of the environment:
#   BULLA    the command, as built for this system
#   LIBRARY  the native library to test, for that runtime
#   BRIEF    seconds after which a short decision ends
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)
runtime=$1
shift
. "$here/runtimes.sh"
. "$here/office.sh"
bulla=$BULLA
library=$LIBRARY
need_runtime "$runtime"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sh "$here/build.sh" "$work/bin" "Tests=$(echo "$here"/tests/*.cs | tr ' ' ,)"
# Beside the assembly, as it is installed.
case $runtime in wine) name=libbulla.dll ;; *) name=libbulla.so ;; esac
cp "$library" "$work/bin/$name"
new_office "$work/office"

echo "--- tests on $runtime"
if run "$runtime" "$work/bin/Tests.exe" --leak > "$work/leak"; then
    echo "a handle that nobody disposes is not noticed" >&2
    exit 1
fi
grep -q '1 by a finaliser' "$work/leak" || { cat "$work/leak" >&2; exit 1; }
brief "${BRIEF:-4}"
run "$runtime" "$work/bin/Tests.exe" "$@"
[ $# = 0 ] || exit 0
. "$here/tests/loading.sh"
. "$here/tests/interop.sh"
echo "C# on $runtime: all passed"
