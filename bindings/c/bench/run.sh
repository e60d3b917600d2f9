#!/bin/sh
# Builds and runs bench.c. usage: run.sh TARGET-FOLDER COMMAND [ROUNDS]
set -eu
target=$1
bulla=$2
rounds=${3:-5000}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
(cd "$root" && CARGO_TARGET_DIR="$target" ${CARGO:-cargo} build --quiet --release \
    --package bulla-capi --example rust_side)
# In memory, so that the disk does not hide what is measured.
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$work"' EXIT
cd "$work"
unset BULLA_HOME BULLA_PASSPHRASE
home() { "$bulla" --home "$@" > /dev/null; }
home issuer init --name 'Hanbit Insurance'
home desk identity new --kind x25519 --name desk
home desk trust pin issuer/root.pub
for list in issuer/trust/*; do home desk trust use "$list"; done
cp -r desk other
echo '{"version":1,"name":"all","grants":[{"to":["anyone"],"rights":["view"]}]}' > policy.json
seq 100000 > plain
home issuer seal --policy policy.json --to desk/identity.pub plain -o sealed
# shellcheck disable=SC2046
cc -O2 -Wall -Wextra -Werror -I"$here/../../../include" -o bench "$here/bench.c" \
    "$target/release/libbulla.so" "$target/release/examples/librust_side.a" \
    $(cat "$target/release/libbulla.native") -Wl,-rpath,"$work"
cp "$target/release/libbulla.so" libbulla.so.0
./bench desk other sealed 200 > warm || true
./bench desk other sealed "$rounds"
