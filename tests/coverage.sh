#!/bin/sh
# Line coverage of the core and of the C ABI by their tests, and the lines that none of them runs.
# Fails below the least that is asked for: 95 % of the core, 90 % of the C ABI.
# usage: coverage.sh REPORT-FOLDER. Settings: CORE, C_ABI, the least; KEEP=1 adds to what earlier
# runs have covered
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
report=$(cd "$1" && pwd)
cargo=${CARGO:-cargo}
$cargo llvm-cov --version > /dev/null 2>&1 || $cargo install --locked cargo-llvm-cov
# The tools must be of the LLVM that the compiler was built with: rustup's, or Debian's.
bin=$(rustc --print target-libdir)/../bin
if [ -x "$bin/llvm-cov" ]; then
    LLVM_COV=$bin/llvm-cov LLVM_PROFDATA=$bin/llvm-profdata
else
    llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    sh bindings/c/need.sh "llvm-cov-$llvm=llvm-$llvm"
    LLVM_COV=$(command -v "llvm-cov-$llvm") LLVM_PROFDATA=$(command -v "llvm-profdata-$llvm")
fi
export LLVM_COV LLVM_PROFDATA
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/coverage
mkdir -p "$CARGO_TARGET_DIR"
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
export CARGO_TARGET_DIR
said=$($cargo llvm-cov show-env --sh 2> /dev/null)
eval "$said"
[ "${KEEP:-}" = 1 ] || find "$CARGO_TARGET_DIR" -name '*.profraw' -delete

$cargo test --package bulla --package bulla-capi
# C programs run the ABI, and the command the core; in whatever order, each process adds its own.
$cargo build --package bulla-command
BULLA="$CARGO_TARGET_DIR/debug/bulla" sh bindings/c/tests/run.sh
$cargo test --package bulla-command --test bad_input --test command --test policy_command \
    --test rights --test rights_refused --test trail_processes --test trail_refused

# A process that a test has killed leaves part of a profile: that one does not count.
$cargo llvm-cov report --failure-mode all --lcov --output-path "$report/lcov"
# The library for C is not among what that has looked at.
profile=$(find "$CARGO_TARGET_DIR" -maxdepth 1 -name '*.profdata')
"$LLVM_COV" export --format=lcov --instr-profile="$profile" "$CARGO_TARGET_DIR/debug/libbulla.so" \
    --sources "$PWD/bindings/c/src" >> "$report/lcov"
status=0
python3 tests/coverage.py "$report/lcov" "core=src=${CORE:-95}" "C ABI=bindings/c/src=${C_ABI:-90}" \
    > "$report/uncovered" || status=$?
cat "$report/uncovered"
exit $status
