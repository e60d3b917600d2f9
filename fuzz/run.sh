#!/bin/sh
# Runs every fuzz target for so many seconds: fuzz/run.sh [SECONDS [TARGET…]]
# FUZZ_JOBS of them at a time, 1 unless told otherwise. Ends with a table: executions, coverage,
# findings. Fails if there are findings; they are in fuzz/artifacts.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift
. fuzz/build.sh
[ $# -gt 0 ] || set -- $(cargo $TOOLCHAIN fuzz list)

# Targets that need a home make it where files are quick.
shm=/tmp
[ ! -d /dev/shm ] || shm=/dev/shm
TMPDIR=$(mktemp -d "$shm/bulla-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 1' INT TERM

status=0
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-1}" -n 1 sh fuzz/one.sh "$seconds" || status=1
echo "| fuzz target | seconds | executions | edges | features | findings |"
echo "|---|---|---|---|---|---|"
cat "$TMPDIR"/*.row
exit $status
