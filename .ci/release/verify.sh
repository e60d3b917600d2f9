#!/bin/sh
# Checks a release: that the maintainer signed SHA256SUMS, that every file is as it says and none
# is missing or was added. usage: verify.sh FOLDER PUBLIC-KEY, the latter a line as in id.pub
set -eu
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "verify: $*" >&2; exit 1; }
[ -s "$2" ] || fail "no public key in $2"
awk '{ print "maintainer namespaces=\"bulla-release\" " $1 " " $2 }' "$2" > "$work/signers"
cd "$folder"
[ -e SHA256SUMS.sig ] || fail "not signed"
ssh-keygen -q -Y verify -f "$work/signers" -I maintainer -n bulla-release -s SHA256SUMS.sig \
    < SHA256SUMS > "$work/said" 2>&1 || fail "the signature is not the maintainer's: $(cat "$work/said")"
sha256sum --check --strict --quiet SHA256SUMS || fail "not the files that were signed"
find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^\./||' | LC_ALL=C sort > "$work/there"
sed 's/^[0-9a-f]*  //' SHA256SUMS | LC_ALL=C sort | diff - "$work/there" > "$work/more" \
    || fail "files that are not signed, or are missing: $(cat "$work/more")"
echo "ok $(wc -l < SHA256SUMS) files, signed"
