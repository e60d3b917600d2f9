#!/bin/sh
# The command for Windows against a copy, under Wine. usage: bench.sh TARGET-FOLDER
set -eu
target=$1
here=$(cd "$(dirname "$0")" && pwd)
COMMAND=1 sh "$here/build.sh" "$target"
target=$(cd "$target" && pwd)
x86_64-w64-mingw32-gcc-win32 -Wall -Wextra -Werror -O2 -o "$target/test/copy.exe" "$here/copy.c"
. "$here/wine.sh"
export WINEPATH="$target/test"
# The server of Wine stays: starting it is no part of any program's time.
/usr/lib/wine/wineserver64 -p60
trap '/usr/lib/wine/wineserver64 -k || true' EXIT
python3 "$here/../../../benches/windows.py" "$target/dist/bulla.exe" "$target/test/copy.exe"
