#!/bin/sh
# Builds the library and the command with the minimum Rust version that Cargo.toml states.
set -eu
cd "$(dirname "$0")/.."
msrv=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have=$(rustc --version | cut -d' ' -f2)
case "$have" in
    "$msrv"|"$msrv".*) toolchain= ;;
    *)
        if ! rustup run "$msrv" rustc --version >/dev/null 2>&1; then
            echo "msrv: needs Rust $msrv: rustup toolchain install $msrv" >&2
            exit 1
        fi
        toolchain=+$msrv ;;
esac
# In a folder of its own where it is another toolchain, so that neither spoils the other's cache.
[ -z "$toolchain" ] || export CARGO_TARGET_DIR=target/msrv
cargo $toolchain check --workspace
echo "msrv: builds with Rust $msrv"
