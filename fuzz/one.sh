#!/bin/sh
# One target, for fuzz/run.sh: fuzz/one.sh SECONDS TARGET
set -eu
seconds=$1 target=$2
corpus=fuzz/corpus/$target seeds=fuzz/seeds/$target
mkdir -p "$corpus" "$seeds" "$TMPDIR/$target"
log=$TMPDIR/$target.log
case $target in
# Sequences of calls: long inputs only slow them down.
aead | c_abi | license | open | view | write) limits="-max_len=4096 -timeout=10" ;;
# An input of up to 1 MiB that takes over a second hangs.
*) limits="-max_len=1048576 -timeout=1" ;;
esac
echo "fuzz: $target"
status=0
start=$(date +%s)
TMPDIR=$TMPDIR/$target cargo ${TOOLCHAIN:-} fuzz run "$target" "$corpus" "$seeds" -- $limits \
    -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1 || status=$?
took=$(($(date +%s) - start))
finding=none
if [ "$status" != 0 ]; then
    # The finding and where it is, not the stack of cargo-fuzz after it.
    sed -n '/^==.*ERROR\|^ALARM\|panicked at/,/^─────/p' "$log" | head -n 100
    finding=$(sed -n 's/^SUMMARY: //p' "$log" | tail -n 1)
    finding=${finding:-status $status}
fi
awk -v t="$target" -v s="$took" -v f="$finding" '
    / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") c = $(i + 1); if ($i == "ft:") ft = $(i + 1) } }
    /number_of_executed_units/ { n = $2 }
    END { printf "| %s | %s | %s | %s | %s | %s |\n", t, s, n, c, ft, f }
' "$log" >"$TMPDIR/$target.row"
rm -rf "$TMPDIR/$target"
[ "$status" = 0 ]
