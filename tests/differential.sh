#!/bin/sh
# Our readers, evaluator and token checks against the independent ones, on ever new random cases; each
# round prints its seed. Tokens are checked with either backend.
# usage: differential.sh SECONDS PYTHON FOLDER, from the top of the tree
set -eu
seconds=$1 python=$2 folder=$3
cargo=${CARGO:-cargo}

evaluators() {
    "$cargo" build --release --quiet --target-dir "$folder/$1" --no-default-features --features "$1,fuzz" \
        --example policy_eval --example token_eval
}

# All that was said only if something differs.
compare() {
    "$python" "$@" >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
    tail -n 1 "$folder/said"
}

evaluators aws-lc
evaluators pure-rust
"$cargo" build --release --quiet --package bulla-command --target-dir "$folder"
start=$(date +%s)
rounds=0
while [ $(($(date +%s) - start)) -lt "$seconds" ]; do
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    echo "seed $seed"
    compare tests/independent/policy_compare.py "$folder/aws-lc/release/examples/policy_eval" 10000 "$seed"
    for backend in aws-lc pure-rust; do
        compare tests/independent/token_compare.py "$folder/$backend/release/examples/token_eval" 3000 "$seed"
    done
    compare tests/independent/compare.py "$folder/release/bulla" --count 200 --seed "$seed"
    rounds=$((rounds + 1))
done
echo "nothing differs in $rounds rounds: each 10,000 decisions, 3,000 tokens by two backends, 700 envelopes"
