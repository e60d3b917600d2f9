#!/bin/sh
# Bills of material in CycloneDX, for what a release has: the library and the command, on each
# system. usage: sbom.sh OUT-FOLDER. Without SOURCE_DATE_EPOCH they have the date of the run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$(cd "$1" && pwd)
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
cargo=${CARGO:-cargo}
$cargo cyclonedx --version > /dev/null 2>&1 || $cargo install --locked cargo-cyclonedx
# It writes beside each Cargo.toml: into a copy of the tree, not into the sources.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work")
for system in linux:x86_64-unknown-linux-gnu windows:x86_64-pc-windows-gnu; do
    for package in c:libbulla command:bulla-command; do
        (cd "$work/bindings/${package%%:*}" && $cargo cyclonedx --quiet --format json --spec-version 1.5 \
            --target "${system#*:}" --override-filename bill)
        name=${package#*:}-$version-${system%%:*}-x86_64.cdx.json
        # Crates of ours have the folder they lie in for an address.
        sed "s|$work|/bulla|g" "$work/bindings/${package%%:*}/bill.json" > "$out/$name"
        rm "$work/bindings/${package%%:*}/bill.json"
        python3 "$here/check_sbom.py" "$out/$name" "${system#*:}" "$root"
    done
done
