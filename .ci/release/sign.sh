#!/bin/sh
# Writes SHA256SUMS over all files of a folder, and signs it: SHA256SUMS.sig, by OpenSSH.
# usage: sign.sh FOLDER [KEY]. KEY is a file for `ssh-keygen -Y sign`: a private key, or a public
# one whose private half an agent or a security key has. Without KEY nothing is signed, which has
# to be asked for: UNSIGNED=1.
set -eu
folder=$1
key=${2:-}
cd "$folder"
if [ -z "$key" ] && [ "${UNSIGNED:-}" != 1 ]; then
    echo "sign: no key; UNSIGNED=1 for a release that nobody can check" >&2
    exit 2
fi
rm -f SHA256SUMS SHA256SUMS.sig
find . -type f ! -name 'SHA256SUMS*' | sed 's|^\./||' | LC_ALL=C sort > .names
[ -s .names ] || { rm .names; echo "sign: nothing in $folder" >&2; exit 1; }
xargs -d '\n' sha256sum < .names | grep -v ' \.names$' > SHA256SUMS
rm .names
if [ -n "$key" ]; then
    ssh-keygen -q -Y sign -f "$key" -n bulla-release SHA256SUMS
    echo "signed: $folder/SHA256SUMS.sig"
else
    echo "NOT SIGNED: $folder/SHA256SUMS"
fi
