#!/bin/sh
# Runs one part of `make assurance`, and keeps what it printed in FILE if it passed: the first line is the
# day, the revision and the seconds. What a part that fails printed stays in FILE.log.
# usage: part.sh FILE COMMAND…
set -eu
file=$1
shift
mkdir -p "$(dirname "$file")"
# Each part is on its own, whatever else runs at the same time.
unset MAKEFLAGS MFLAGS MAKELEVEL
revision=$(git describe --always --dirty --exclude '*')
start=$(date +%s)
echo "assurance: $(basename "$file")"
if ! "$@" > "$file.log" 2>&1; then
    tail -n 40 "$file.log" >&2
    echo "assurance: $(basename "$file") failed; see $file.log" >&2
    exit 1
fi
{
    echo "$(date -u +%Y-%m-%d) $revision $(($(date +%s) - start))"
    cat "$file.log"
} > "$file.new"
mv "$file.new" "$file"
rm "$file.log"
