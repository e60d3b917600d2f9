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
# A program that runs all the time keeps what all share, not only the server: the first would start
# services otherwise, which hold its streams open.
mkfifo "$target/test/held.$$"
/usr/lib/wine/wine64 cmd < "$target/test/held.$$" > /dev/null 2>&1 &
exec 3> "$target/test/held.$$"
rm "$target/test/held.$$"
status=0
python3 "$here/../../../benches/windows.py" "$target/dist/bulla.exe" "$target/test/copy.exe" || status=$?
exec 3>&-
exit "$status"
