#!/bin/sh
# Makes what the tests of every language need: an issuer, two desks that differ in the kind of
# their keys, policies, templates with permits. usage: office.sh COMMAND FOLDER, which is made
set -eu
bulla=$1
mkdir "$2"
cd "$2"
unset BULLA_HOME BULLA_PASSPHRASE
at() { home=$1; shift; "$bulla" --home "$home" "$@" > /dev/null; }
policy() { # name rights more
    printf '{"version":1,"name":"%s","grants":[{"to":["anyone"],"rights":[%s]}]%s}' "$@" > "$1.json"
}
policy all '"view","edit","print","copy","capture","export"' ''
policy view '"view"' ''
policy masked '"view","print"' ',"duties":["watermark",{"mask":["ssn","phone"]}]'
policy nobody '"view"' ',"require":{"posture":["never"]}'

at issuer init --name 'Hanbit Insurance'
for kind in x25519 hybrid; do
    at $kind identity new --kind $kind --name "desk $kind"
    at $kind trust pin issuer/root.pub
    for list in issuer/trust/*; do at $kind trust use "$list"; done
    for policy in all nobody; do
        at issuer template new --name "$policy-$kind" --label cards --policy $policy.json \
            --to $kind/identity.pub -o $policy-$kind.template
        at issuer permit issue --template $policy-$kind.template --to $kind/identity.pub --for 1d \
            -o $policy-$kind.permit
        at $kind permit use $policy-$kind.permit
    done
done
BULLA_PASSPHRASE='correct horse' at locked identity new --kind x25519 --passphrase
