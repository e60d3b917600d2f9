# Part of run.sh, for tamper.c: a content sealed twice and another of its length, in a batch and for a
# hybrid key of the home `remote`.

at remote identity new --kind hybrid --name remote
at remote trust pin issuer/root.pub
for list in issuer/trust/*; do at remote trust use "$list"; done
contents() { # folder bytes
    mkdir "$1"
    head -c "$2" /dev/urandom > "$1/good"
    cp "$1/good" "$1/twin"
    head -c "$2" /dev/urandom > "$1/other"
}
mkdir single # for what C seals
contents batch 32868
at issuer seal --policy all.json --to desk/identity.pub batch/good batch/other batch/twin
contents hybrid 32868
contents hybrid-small 100
for folder in hybrid hybrid-small; do
    for name in good other twin; do
        at issuer seal --policy all.json --to remote/identity.pub "$folder/$name"
    done
done
