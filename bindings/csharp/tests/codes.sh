#!/bin/sh
# Every code of bulla.h stands in BullaCode, with its number, and no other. usage: codes.sh HEADER ENUM
set -eu
sed -n 's/^#define BULLA_\(E_\)\{0,1\}\([A-Z_]*\) \([0-9]\{1,3\}\)$/\2 \3/p' "$1" \
    | awk '$1 == "OK" || $2 > 0 && seen { print } $1 == "OK" { seen = 1 } $1 == "INTERNAL" { exit }' \
    | awk '{ n = split($1, words, "_"); name = ""
             for (i = 1; i <= n; i++) name = name substr(words[i], 1, 1) tolower(substr(words[i], 2))
             print name, $2 }' | LC_ALL=C sort > "${TMPDIR:-/tmp}/codes.$$"
trap 'rm -f "${TMPDIR:-/tmp}/codes.$$"' EXIT
[ "$(wc -l < "${TMPDIR:-/tmp}/codes.$$")" -gt 30 ]
sed -n 's/^ *\([A-Za-z]*\) = \([0-9]*\),$/\1 \2/p' "$2" | LC_ALL=C sort | diff "${TMPDIR:-/tmp}/codes.$$" - \
    || { echo "BullaCode is not what $1 has" >&2; exit 1; }
echo "ok codes"
