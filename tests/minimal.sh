#!/bin/sh
# With the oldest versions of its own dependencies that Cargo.toml allows, everything builds and the
# core's tests pass. usage: minimal.sh TARGET-FOLDER
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
target=$(cd "$1" && pwd)
cargo=${CARGO:-cargo}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work"
cd "$work"
rm Cargo.lock
# The option is not stable; the versions that it picks are.
RUSTC_BOOTSTRAP=1 $cargo update --quiet -Z direct-minimal-versions
export CARGO_TARGET_DIR="$target" CARGO_INCREMENTAL=0
$cargo check --workspace
$cargo test --quiet --package bulla --lib
echo "minimal: the stated versions suffice"
