#!/bin/sh
# A release is signed with a throwaway key and checked; every change of it is found.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "signing: $*" >&2; exit 1; }
ssh-keygen -q -t ed25519 -N '' -C release -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -C another -f "$work/other"
mkdir -p "$work/release"
cd "$work"
printf 'library\n' > release/one.tar.gz
printf 'with a space\n' > 'release/two files.zip'
cp -r release unsigned

sound() { sh "$here/verify.sh" "$1" "${2:-key.pub}" > said 2>&1; }
refused() { # folder what pattern [key]
    if sound "$1" "${4:-key.pub}"; then fail "$2 passes"; fi
    grep -q "$3" said || fail "$2: $(cat said)"
    echo "ok $2 is refused"
}

if sh "$here/sign.sh" unsigned 2> said; then fail "unsigned without being asked"; fi
grep -q 'UNSIGNED=1' said || fail "$(cat said)"
[ ! -e unsigned/SHA256SUMS ] || fail "sums were written, and then not signed"
UNSIGNED=1 sh "$here/sign.sh" unsigned > said
grep -q '^NOT SIGNED' said || fail "$(cat said)"
refused unsigned "what was not signed" "not signed"

sh "$here/sign.sh" release "$work/key"
sound release || fail "$(cat said)"
[ "$(wc -l < release/SHA256SUMS)" = 2 ] || fail "$(cat release/SHA256SUMS)"
echo "ok a signed release"
refused release "another's key" "not the maintainer's" other.pub

changed() { # what pattern, and on standard input what is done
    rm -rf copy
    cp -r release copy
    (cd copy && sh -e)
    refused copy "$@"
}
# Every seventh byte of each file: the sums are a hundred and more, the signature's text longer.
for file in one.tar.gz 'two files.zip' SHA256SUMS SHA256SUMS.sig; do
    size=$(wc -c < "release/$file")
    at=0
    while [ "$at" -lt "$size" ]; do
        rm -rf copy
        cp -r release copy
        printf '\000' | dd of="copy/$file" bs=1 seek="$at" conv=notrunc status=none
        if sound copy; then fail "$file with byte $at changed passes"; fi
        at=$((at + 7))
    done
    echo "ok a changed byte of $file is refused"
done
changed "an added file" "not signed, or are missing" <<'DO'
echo more > three
DO
changed "a missing file" "not the files" <<'DO'
rm one.tar.gz
DO
changed "a missing signature" "not signed" <<'DO'
rm SHA256SUMS.sig
DO
changed "sums made anew" "not the maintainer's" <<'DO'
echo x >> one.tar.gz
sha256sum one.tar.gz 'two files.zip' > SHA256SUMS
DO
# The right key's signature, for another purpose.
rm release/SHA256SUMS.sig
ssh-keygen -q -Y sign -f key -n file release/SHA256SUMS
refused release "a signature for another purpose" "not the maintainer's"
echo "signing: all passed"
