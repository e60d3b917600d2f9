#!/bin/sh
# The DLL exports what bulla.symbols lists and nothing else, is called libbulla.dll, and needs
# nothing but what Windows has. usage: check.sh FOLDER-WITH-THE-DLL
set -eu
dll=$1/libbulla.dll
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
x86_64-w64-mingw32-objdump -p "$dll" > "$work/all"

sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^.*\[ *[0-9]*\].* \([A-Za-z_0-9]*\)$/\1/p' "$work/all" \
    | LC_ALL=C sort > "$work/exports"
LC_ALL=C sort "$here/../../../include/bulla.symbols" | diff - "$work/exports" \
    || { echo "the DLL exports something else than bulla.symbols lists" >&2; exit 1; }

name=$(sed -n 's/^Name[[:space:]].*[[:space:]]\([^[:space:]]*\)$/\1/p' "$work/all" | head -n 1)
[ "$name" = libbulla.dll ] || { echo "the DLL is called $name" >&2; exit 1; }

sed -n 's/^[[:space:]]*DLL Name: //p' "$work/all" | tr 'A-Z' 'a-z' | LC_ALL=C sort -u > "$work/needs"
test -s "$work/needs"
if grep -vxE '(advapi32|bcrypt|bcryptprimitives|combase|comctl32|iphlpapi|kernel32|msvcrt|ntdll|ole32|shell32|user32|userenv|ws2_32|api-ms-win-core-synch-l1-2-0)\.dll' "$work/needs"; then
    echo "the DLL needs these, which Windows may not have" >&2
    exit 1
fi
echo "ok libbulla.dll: $(wc -l < "$work/exports") exports, $(stat -c %s "$dll") bytes, needs" \
    "$(tr '\n' ' ' < "$work/needs")"
