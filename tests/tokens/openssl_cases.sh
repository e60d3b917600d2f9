#!/bin/sh
# Writes openssl.json: tokens by the openssl command, from the keys that setting.py made. Needs python3 and xxd.
set -eu
cd "$(dirname "$0")"
out=../vectors/tokens/openssl.json
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

of_setting() { python3 -c "import json; print(json.load(open('../vectors/tokens/setting.json'))$1)"; }
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(of_setting "['now']")
device=$(of_setting "['device']")
exp=$((now + 900))

# A DER signature's two integers, as 32 bytes each.
raw() {
    openssl asn1parse -inform DER | sed -n 's/.*INTEGER *:\([0-9A-F]*\)$/\1/p' |
        while read -r hex; do printf '%64s' "$hex" | tr ' ' 0; done | xxd -r -p
}

# sign ALG KEY < message
sign() {
    case $1 in
    RS256) openssl dgst -sha256 -sign "keys/$2.pem" ;;
    PS256) openssl dgst -sha256 -sign "keys/$2.pem" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 ;;
    ES256) openssl dgst -sha256 -sign "keys/$2.pem" | raw ;;
    DER) openssl dgst -sha256 -sign "keys/$2.pem" ;;
    Ed) cat >"$dir/message" && openssl pkeyutl -sign -rawin -inkey "keys/$2.pem" -in "$dir/message" ;;
    # The public key as the secret of an HMAC.
    HMAC) openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(openssl pkey -in "keys/$2.pem" -pubout | xxd -p | tr -d '\n')" -binary ;;
    esac
}

# token HEADER CLAIMS HOW KEY
token() {
    signed=$(printf %s "$1" | b64).$(printf %s "$2" | b64)
    printf '%s.%s' "$signed" "$(printf %s "$signed" | sign "$3" "$4" | b64)"
}

badge() { printf '{"iss":"https://sso.example/%s","aud":"bulla-desk","sub":"park","iat":%s,"exp":%s,"cnf":{"jkt":"%s"},"roles":["agent"]}' "$1" "$now" "$exp" "$device"; }
attestation() { printf '{"iss":"https://sso.example/%s","aud":"bulla-desk","sub":"park","iat":%s,"exp":%s,"kind":"attendance"}' "$1" "$now" "$exp"; }
is_badge() { printf '{"badge":{"subject":"park","roles":["agent"],"groups":[],"issued":%s,"expires":%s,"signer":"%s"}}' "$now" $((exp + 60)) "$(of_setting "['signers']['$1']")"; }
is_attestation() { printf '{"attestation":{"kind":"attendance","about":{"subject":"park"},"issued":%s,"expires":%s,"signer":"%s"}}' "$now" $((exp + 60)) "$(of_setting "['signers']['$1']")"; }
error() { printf '{"error":"%s"}' "$1"; }

first=yes
# one NAME WANT TOKEN EXPECT
one() {
    [ "$first" = yes ] || printf ',\n' >>"$dir/out"
    first=no
    printf ' {"name": "%s", "want": "%s", "token": "%s", "expect": %s}' "$1" "$2" "$3" "$4" >>"$dir/out"
}

printf '[\n' >"$dir/out"
header() { printf '{"typ":"JWT","alg":"%s"}' "$1"; }
while read -r key alg how; do
    one "badge $alg $key" badge "$(token "$(header "$alg")" "$(badge "$key")" "$how" "$key")" "$(is_badge "$key")"
    one "attestation $alg $key" attestation "$(token "$(header "$alg")" "$(attestation "$key")" "$how" "$key")" "$(is_attestation "$key")"
    one "$alg $key, another's issuer" badge "$(token "$(header "$alg")" "$(badge rotate)" "$how" "$key")" \
        "$(error "$([ "$alg" = ES256 ] && echo bad-signature || echo not-trusted)")"
done <<END
rsa RS256 RS256
rsa-4096 RS256 RS256
p256 ES256 ES256
eddsa EdDSA Ed
ed25519 Ed25519 Ed
END
one "ES256 in DER" badge "$(token "$(header ES256)" "$(badge p256)" DER p256)" "$(error bad-signature)"
one "PS256 under the name RS256" badge "$(token "$(header RS256)" "$(badge rsa)" PS256 rsa)" "$(error bad-signature)"
one "PS256" badge "$(token "$(header PS256)" "$(badge rsa)" PS256 rsa)" "$(error not-trusted)"
one "HMAC by the public key, as HS256" badge "$(token "$(header HS256)" "$(badge rsa)" HMAC rsa)" "$(error not-trusted)"
one "HMAC by the public key, as RS256" badge "$(token "$(header RS256)" "$(badge rsa)" HMAC rsa)" "$(error bad-signature)"
one "ES256 by k256" badge "$(token "$(header ES256)" "$(badge p256)" ES256 k256)" "$(error bad-signature)"
one "a stranger" badge "$(token "$(header RS256)" "$(badge rsa)" RS256 stranger-rsa)" "$(error bad-signature)"
printf '\n]\n' >>"$dir/out"
python3 -m json.tool --indent 1 "$dir/out" "$out"
grep -c '"name"' "$out"
