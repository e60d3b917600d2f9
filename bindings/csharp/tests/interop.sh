# Part of run.sh: the program that the matrix of languages runs, alone.

echo "--- interop"
sh "$here/build.sh" "$work/bin" "Interop=$here/interop/Interop.cs"
interop() { run "$runtime" "$work/bin/Interop.exe" "$@"; }
cd "$work/office"
at desk permit use desk.permit
head -c 3000000 /dev/urandom > random
: > empty
interop seal desk cards.template random i1.bulla empty i2.bulla
interop open desk i1.bulla i1 i2.bulla i2
cmp random i1
cmp empty i2
at issuer seal --policy nobody.json --to desk/identity.pub random -o i3.bulla
status=0
interop deny desk i3.bulla > said || status=$?
[ $status = 3 ]
printf '403\tdenied\nposture\tunknown\n' | cmp - said
status=0
interop open desk random never 2> said || status=$?
[ $status = 1 ]
[ "$(tr -d '\r' < said)" = "$(printf '200\tnot-sealed')" ]
echo "ok interop"
