#!/bin/sh
# Installs what is missing of some Debian packages, or names it where that cannot be done.
# usage: need.sh FILE=PACKAGE…: the package is missing if there is no such file or command
set -eu
missing=
for pair; do
    file=${pair%%=*}
    command -v "$file" > /dev/null || [ -e "$file" ] || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
if ! command -v apt-get > /dev/null || ! command -v "${sudo:-true}" > /dev/null; then
    echo "install first, under whatever names your system has for these of Debian:$missing" >&2
    exit 1
fi
echo "installing:$missing"
# shellcheck disable=SC2086
{ $sudo apt-get update -qq; $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing > /dev/null; }
