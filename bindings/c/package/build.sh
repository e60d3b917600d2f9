#!/bin/sh
# Builds libbulla for release, and notes in libbulla.native, beside it, what a program that links
# it statically needs, as rustc says. usage: build.sh TARGET-FOLDER
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
target=$1
mkdir -p "$target"
said=$target/libbulla.said
cd "$root"
status=0
${CARGO:-cargo} rustc --release --package bulla-capi --lib --target-dir "$target" \
    -- --print native-static-libs 2> "$said" || status=$?
cat "$said" >&2
[ "$status" = 0 ] || exit "$status"
sed -n 's/^note: native-static-libs: *//p' "$said" | tail -n 1 > "$target/release/libbulla.native"
rm "$said"
test -s "$target/release/libbulla.native"
