#!/bin/sh
# Runs a Windows program under Wine; `.exe` may be left out, as there. What it prints ends in CR LF
# there, and in LF behind this. usage: run.sh PROGRAM…
program=$1
shift
[ -e "$program" ] || program=$program.exe
said=$(mktemp)
status=0
/usr/lib/wine/wine64 "$program" "$@" > "$said" || status=$?
tr -d '\r' < "$said"
rm "$said"
exit "$status"
