#!/bin/sh
# The headers compile alone and twice, without a warning, in every language version and with every
# compiler that is here (gcc, clang, mingw); with ALL=1 each of them must be.
# usage: headers.sh INCLUDE-FOLDER
set -eu
include=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-Wall -Wextra -Wshadow -pedantic -Werror -fsyntax-only -I$include"
ran=0

here() { # compiler
    command -v "$1" > /dev/null && return
    [ -z "${ALL:-}" ] || { echo "headers: no $1" >&2; exit 1; }
    false
}

try() { # compiler language standard header
    printf '#include "%s"\n' "$4" > "$work/once.$2"
    printf '#include "%s"\n#include "%s"\n' "$4" "$4" > "$work/twice.$2"
    # shellcheck disable=SC2086
    "$1" $flags "-std=$3" "$work/once.$2" "$work/twice.$2"
    ran=$((ran + 1))
}

for cc in gcc clang x86_64-w64-mingw32-gcc; do
    here "$cc" || continue
    for std in c99 c11 c17 c2x; do
        try "$cc" c "$std" bulla.h
        case $cc in
            *mingw*) ;; # no fopencookie
            *) if [ -e "$include/bulla_stdio.h" ]; then try "$cc" c "$std" bulla_stdio.h; fi ;;
        esac
    done
done
for cxx in g++ clang++ x86_64-w64-mingw32-g++; do
    here "$cxx" || continue
    for std in c++11 c++14 c++17 c++20; do
        try "$cxx" cpp "$std" bulla.h
    done
    for std in c++17 c++20; do
        if [ -e "$include/bulla.hpp" ]; then try "$cxx" cpp "$std" bulla.hpp; fi
    done
done
test "$ran" -gt 0
echo "headers: $ran times without a warning"
