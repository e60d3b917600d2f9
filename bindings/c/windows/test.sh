#!/bin/sh
# The C and C++ tests with the DLL, under Wine, and what only Windows has; envelopes made on either
# side open on the other. usage: test.sh DIST-FOLDER FOLDER-OF-LINUX-LIBRARY, both as built.
# Settings: BULLA, the command built for this system; ONLY as in tests/run.sh.
set -eu
dist=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
target=$(dirname "$dist")
. "$here/wine.sh"
runtime="/usr/lib/gcc/x86_64-w64-mingw32/12-posix;/usr/x86_64-w64-mingw32/lib"
WINEPATH="$target/test;$runtime" RUN="sh $here/run.sh" LIB=$dist PANIC_LIB=$target/test/panics \
    NATIVE_LIB=$2 CC=x86_64-w64-mingw32-gcc-win32 CXX=x86_64-w64-mingw32-g++-posix \
    BRIEF=${BRIEF:-8} sh "$here/../tests/run.sh"
