#!/bin/sh
# Mutants of the modules that .ci/gamma.toml names, tested by the core's own tests: a report, and every one
# that survived. usage: mutants.sh OUT-FOLDER [FILE…]. Settings: JOBS
set -eu
cd "$(dirname "$0")/.."
out=$1
shift
mkdir -p "$out"
cargo=${CARGO:-cargo}
$cargo gamma --version > /dev/null 2>&1 || $cargo install --locked cargo-gamma
files=
for file; do files="$files --file $file"; done
gamma() {
    # shellcheck disable=SC2086
    CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$out/target" $cargo gamma run --config .ci/gamma.toml --no-relaunch \
        --progress never --artifact-dir "$out" --jobs "${JOBS:-2}" $files "$@"
}
# What the unit tests leave is tested again by all tests: a survivor costs a run of every one of them.
# A report of an earlier run says nothing of this one.
rm -f "$out/gamma-report.json"
gamma --test-lib || true
gamma --only-survivors
