#!/bin/sh
# Builds every fuzz target, from the top of the tree; sets TOOLCHAIN for those who source it.
cargo fuzz --version >/dev/null 2>&1 || cargo install --debug --locked cargo-fuzz
# Sanitizers are not stable: a nightly toolchain, or the stable one told to allow them.
if cargo +nightly --version >/dev/null 2>&1; then
    TOOLCHAIN=+nightly
else
    TOOLCHAIN=
    export RUSTC_BOOTSTRAP=1
fi
export TOOLCHAIN
cargo $TOOLCHAIN fuzz build
