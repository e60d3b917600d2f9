#!/bin/sh
# The report of `make assurance` from what its parts printed: tests/assurance.sh FOLDER > docs/assurance.md
set -eu
cd "$(dirname "$0")/.."
folder=$1
# What a part printed; its day and revision.
printed() { [ ! -f "$folder/$1" ] || sed 1d "$folder/$1"; }
of() {
    if [ -f "$folder/$1" ]; then sed -n '1s/^\([^ ]*\) \([^ ]*\) .*/\1, \2/p' "$folder/$1"; else echo '**not run**'; fi
}

cat <<END
# Assurance report

Made by \`make assurance\`. Each part has the day and the revision that it ran on, and is here only if it passed.
$(rustc --version), $(uname -sr), $(nproc) cores.

## Fuzzing

No crash, hang (over 1 s on up to 1 MiB; over 10 s of a sequence of calls), leak or sanitizer report in:

| fuzz target | seconds | executions | edges | features | findings | when |
|---|---|---|---|---|---|---|
END
for part in "$folder"/fuzz-*; do
    part=$(basename "$part")
    printed "$part" | grep "^| ${part#fuzz-} |" | sed "s/\$/ $(of "$part") |/"
done
cat <<'END'

Each body is in `tests/fuzz/src`, and says what must hold: `header` any bytes as an envelope, `keys` and `objects` any text as
a key or a signed object, `license` and `tokens` claims with edits under signatures that hold, `policy` a policy and facts,
`trail` an audit trail with changed lines, `open` a sound envelope after edits, `write` a writer in any portions, `aead` the two
backends against each other, `c_abi` calls of the C ABI with callbacks that fail, `view` operations of a view's file system
(in the process, without a kernel) against a model. Edges and features are libFuzzer's, of one run with what it has kept.

## Mutants

END
printf 'Of what decides (`make mutants`), by all stages of tests:\n\n'
printf '| module | mutants | killed | timed out | left | when |\n|---|---|---|---|---|---|\n'
for part in "$folder"/mutants-*; do
    part=$(basename "$part")
    printed "$part" | grep "^| ${part#mutants-} |" | sed "s/\$/ $(of "$part") |/"
done
awk '/^\| (header|license|policy|trail|cobblestone) \|/ { n += $4; left += $10 }
    END { printf "\nLeft: %d of %d, %.1f %%; at most 3 %% asked for. ", left, n, 100 * left / n }' "$folder"/mutants-*
cat tests/mutants.md
echo
echo '```'
cat "$folder"/mutants-* | sed -n 's/^left: //p' | LC_ALL=C sort
echo '```'

cat <<END

## Other parts

Lines that tests run (\`make coverage\`, $(of coverage)):

$(printed coverage | sed -n 's/^coverage of /- /p')

Two builds in different folders, byte by byte (\`make reproducible\`, $(of reproducible)), SHA-256:

$(printed reproducible | sed -n 's/^ok the same: /- /p')

| part | when | what it said |
|---|---|---|
| all tests (\`make test\`) | $(of test) | passed |
| storage that fails, every operation with every error (\`make test-faults-long\`) | $(of faults) | $(printed faults | grep -o '[0-9]* runs, [0-9]* wrong$' | paste -sd ';' | sed 's/;/; /g') |
| power cuts (the same) | | $(printed faults | grep -o '[0-9]* disks, [0-9]* wrong$' | paste -sd ';' | sed 's/;/; /g') |
| a million opens in one process (\`make soak\`) | $(of soak) | $(printed soak | grep '^10000 opens' ), then $(printed soak | grep '^1000000 opens') |
| comparing a secret (\`make constant-time\`) | $(of constant-time) | $(printed constant-time | sed -n 's/|t|/\\|t\\|/g; /^commitments/p') |
| memory after use, in release builds and with \`pure-rust\` (\`make test-memory\`) | $(of memory) | passed |
| the oldest versions of dependencies that are stated (\`make test-minimal\`) | $(of minimal) | $(printed minimal | tail -n 1) |
| the C ABI and the crate's API against an earlier commit (\`make compatible\`) | $(of compatible) | passed |
| every crate is listed (\`make audited\`) | $(of audited) | $(printed audited | tail -n 1) |
| licences, sources, versions (\`make deny\`) | $(of deny) | $(printed deny | grep 'ok$' | paste -sd ' ') |
| a signed release, made and tried (\`make rehearse\`) | $(of release) | $(printed release | grep '^dist: ') |
END
