#!/bin/sh
# Builds the program of each language that is here, and lets each open what each other has sealed.
# usage: run.sh COMMAND LIBRARY WINDOWS-DIST-FOLDER TARGET-FOLDER PYTHON [ARGUMENTS OF matrix.py…]
# Without a DLL in the third folder nothing runs under Wine. PARTIES: names of those to run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bulla=$1
library=$2
dist=$3
target=$4
python=$5
shift 5
sh "$here/../c/need.sh" cc=gcc c++=g++ javac=openjdk-17-jdk-headless \
    /usr/share/java/jna.jar=libjna-java /usr/share/java/gson.jar=libgoogle-gson-java
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/parties"

party() { # name, what to run; the arguments come after it
    case " ${PARTIES:-$1} " in *" $1 "*) ;; *) return 0 ;; esac
    printf '#!/bin/sh\nexec %s "$@"\n' "$2" > "$work/parties/$1"
    chmod +x "$work/parties/$1"
}

party command "env BULLA='$bulla' '$python' '$here/command.py'"

cp "$library" "$work/bin/libbulla.so.0"
native="-I$root/include $work/bin/libbulla.so.0 -Wl,-rpath,$work/bin"
strict="-O2 -Wall -Wextra -Wshadow -pedantic -Werror"
# shellcheck disable=SC2086
cc -std=c11 $strict -o "$work/bin/c" "$here/c/interop.c" $native
# shellcheck disable=SC2086
c++ -std=c++17 $strict -o "$work/bin/cpp" "$here/cpp/interop.cpp" $native
party c "'$work/bin/c'"
party cpp "'$work/bin/cpp'"

party python "env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='$here/../python' BULLA_LIBRARY='$library' \
    '$python' '$here/python/interop.py'"

jars=/usr/share/java/jna.jar:/usr/share/java/gson.jar:$target/java/bulla.jar
javac --release 8 -Xlint:all,-options -Werror -cp "$jars" -d "$work/bin" "$here/java/Interop.java"
party java "env BULLA_LIBRARY='$library' java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Djna.boot.library.path=$(printf '%s:' /usr/lib/*/jni) -cp '$jars:$work/bin' Interop"

windows=
if [ -e "$dist/libbulla.dll" ]; then
    windows=1
    export WINEPREFIX="${WINEPREFIX:-$(dirname "$dist")/wine}"
    (here=$here/../c/windows && . "$here/wine.sh")
    # One server for all that runs, which takes seconds to start. It ends by itself, too.
    /usr/lib/wine/wineserver64 -p60
    trap '/usr/lib/wine/wineserver64 -k || true; rm -rf "$work"' EXIT
    runtime="/usr/lib/gcc/x86_64-w64-mingw32/12-posix;/usr/x86_64-w64-mingw32/lib"
    wine="env WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml=' \
        WINEPATH='$dist;$(dirname "$dist")/test;$runtime' sh '$here/../c/windows/run.sh'"
    mingw=x86_64-w64-mingw32
    # shellcheck disable=SC2086
    $mingw-gcc-win32 -std=c11 $strict -o "$work/bin/c.exe" "$here/c/interop.c" \
        -I"$root/include" -L"$dist" -lbulla
    # shellcheck disable=SC2086
    $mingw-g++-posix -std=c++17 $strict -o "$work/bin/cpp.exe" "$here/cpp/interop.cpp" \
        -I"$root/include" -L"$dist" -lbulla
    party c-windows "$wine '$work/bin/c.exe'"
    party cpp-windows "$wine '$work/bin/cpp.exe'"
fi

# C# is another's: its own scripts build it and know its runtimes.
csharp=$here/../csharp
if [ -d "$csharp/interop" ]; then
    sh "$csharp/build.sh" "$work/csharp" "Interop=$(echo "$csharp"/interop/*.cs | tr ' ' ,)"
    on() { # runtime library
        printf '#!/bin/sh\nhere=%s\ntarget=%s\n. "$here/runtimes.sh"\nrun %s %s/csharp/Interop.exe "$@"\n' \
            "'$csharp'" "'$target'" "$1" "'$work'" > "$work/bin/csharp-$1"
        (target=$target here=$csharp && . "$csharp/runtimes.sh" && need_runtime "$1")
        party "csharp-$1" "env BULLA_LIBRARY='$2' sh '$work/bin/csharp-$1'"
    }
    on mono "$library"
    on core "$library"
    [ -z "$windows" ] || on wine "Z:$(echo "$dist/libbulla.dll" | tr / '\\')"
fi

"$python" "$here/matrix.py" "$bulla" "$work/parties" "$@"
