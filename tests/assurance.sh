#!/bin/sh
# What takes long, with a dated report: tests/assurance.sh FUZZ_SECONDS > docs/assurance.md
# Progress goes to standard error.
set -eu
cd "$(dirname "$0")/.."
seconds=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

sh fuzz/run.sh "$seconds" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }

cat <<END
# Assurance report

Made by \`tests/assurance.sh\` (the last step of \`make assurance\`) on $(date -u +%Y-%m-%d), revision $(git rev-parse --short HEAD), $(rustc --version),
$(uname -sr), $(nproc) cores. No crash, hang (over 10 s), leak or sanitizer report in:

| fuzz target | seconds | executions |
|---|---|---|
END
awk -v s="$seconds" '
    /^fuzz: no crash/ { next }
    /^fuzz: / { target = $2 }
    /number_of_executed_units/ { printf "| %s | %s | %s |\n", target, s, $2 }
' "$log"
cat <<'END'

The targets: `inspect` reads any bytes as an envelope; `texts` any text as key line, key file or signed object; `open`
reads a sound envelope after edits, and whatever comes out must be what was sealed; `write` feeds the writer in
any portions and reads back both ways.
END
