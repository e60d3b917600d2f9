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
$(uname -sr), $(nproc) cores. No crash, hang (over 1 s on up to 1 MiB; over 10 s of a sequence of calls), leak or sanitizer
report in:

END
grep '^|' "$log"
cat <<'END'

Each body is in `tests/fuzz/src`, and says what must hold: `header` any bytes as an envelope, `keys` and `objects` any text as
a key or a signed object, `license` and `tokens` claims with edits under signatures that hold, `policy` a policy and facts,
`trail` an audit trail with changed lines, `open` a sound envelope after edits, `write` a writer in any portions, `aead` the two
backends against each other, `c_abi` calls of the C ABI with callbacks that fail, `view` operations of a view's file system
(in the process, without a kernel) against a model. Edges and features are libFuzzer's, of one run with what it has kept.
END

# --- Coverage and builds ---------------------------------------------------------------------------
target=${CARGO_TARGET_DIR:-target}
sh tests/coverage.sh "$target/coverage/report" >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
printf '\nLines that tests run (`make coverage`):\n\n'
sed -n 's/^coverage of /- /p' "$log"
sh .ci/release/reproducible.sh >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
printf '\nTwo builds in different folders, byte by byte (`make reproducible`), SHA-256:\n\n'
sed -n 's/^ok the same: /- /p' "$log"
