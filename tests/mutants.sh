#!/bin/sh
# Mutants of the modules that decide, tested by the core's own tests: a report for each, and every one that
# survived. usage: mutants.sh OUT-FOLDER [MODULE…]. Settings: JOBS
set -eu
cd "$(dirname "$0")/.."
out=$1
shift
[ $# -gt 0 ] || set -- policy trail cobblestone header license
mkdir -p "$out"
cargo=${CARGO:-cargo}
$cargo gamma --version > /dev/null 2>&1 || $cargo install --locked cargo-gamma
gamma() {
    CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$out/target" $cargo gamma run --config .ci/gamma.toml --no-relaunch \
        --progress never --artifact-dir "$out/$module" --jobs "${JOBS:-2}" --file "$files" "$@"
}
status=0
for module; do
    # The tests of a module of several files are its own; others are tested from elsewhere.
    if [ -f "src/$module.rs" ]; then files="src/$module.rs" own=; else files="src/$module/*.rs" own=$module::; fi
    # A report of an earlier run says nothing of this one.
    mkdir -p "$out/$module"
    rm -f "$out/$module/gamma-report.json"
    # By its own tests; what those leave by the quicker ones from outside; what those leave by all.
    gamma --test-lib --minimum-test-timeout 5 -- ${own:+"$own"} || true
    gamma --only-survivors --include-test api --include-test 'policy_*' || true
    gamma --only-survivors || status=1
done
exit $status
