#!/bin/sh
# Runs every fuzz target for so many seconds: fuzz/run.sh [SECONDS]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-20}
cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz
# Sanitizers are not stable: a nightly toolchain, or the stable one told to allow them.
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=+nightly
else
    toolchain=
    export RUSTC_BOOTSTRAP=1
fi
for target in $(cargo $toolchain fuzz list); do
    echo "fuzz: $target"
    mkdir -p "fuzz/corpus/$target" "fuzz/seeds/$target"
    cargo $toolchain fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1
done
echo "fuzz: no crash"
