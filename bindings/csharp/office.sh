# For sourcing: makes the office that tests, examples and snippets work in. `at HOME …` runs the
# command for a home; `new_office FOLDER` makes the office there. Needs: bulla.
unset BULLA_HOME BULLA_PASSPHRASE
at() { home=$1; shift; "$bulla" --home "$home" "$@" > /dev/null; }
policy() { # name rights more
    printf '{"version":1,"name":"%s","grants":[{"to":["anyone"],"rights":[%s]}]%s}' "$@" > "$1.json"
}
new_office() {
    mkdir -p "$1"
    cd "$1"
    at issuer init --name 'Hanbit Insurance'
    at desk identity new --kind x25519 --name desk
    at desk trust pin issuer/root.pub
    for list in issuer/trust/*; do at desk trust use "$list"; done
    BULLA_PASSPHRASE='correct horse' at locked identity new --kind x25519 --passphrase
    policy all '"view","edit","print","copy","capture","export"' ''
    policy view '"view"' ''
    policy masked '"view","print"' ',"duties":["watermark",{"mask":["ssn","phone"]}]'
    policy nobody '"view"' ',"require":{"posture":["never"]}'
    cat > hours.json << 'POLICY'
{"version":1,"name":"hours","grants":[
  {"to":[{"role":"agent"}],"rights":["view"]},
  {"to":["anyone"],"rights":["view"],"when":{"valid":{"until":"2020-01-01T00:00:00Z"}}}]}
POLICY
    at issuer template new --name cards --label cards --policy all.json --to desk/identity.pub \
        -o cards.template
    at issuer permit issue --template cards.template --to desk/identity.pub --for 1d -o desk.permit
}
# Its decisions end so many seconds from now.
brief() {
    policy brief '"view","print"' ",\"require\":{\"valid\":{\"until\":\"$(date -u -d "+$1 seconds" \
        +%Y-%m-%dT%H:%M:%SZ)\"}}"
}
