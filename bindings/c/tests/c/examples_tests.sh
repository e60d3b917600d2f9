# Part of run.sh: the examples do what they say.

echo "--- examples"
example() { # name libraries
    # shellcheck disable=SC2086
    $cc -std=c99 $strict -o "$work/$1" "$here/examples/$1.c" $link $2
}
example customer_card ''
example seal_export ''
rm -rf "$work/examples"
cp -r "$office" "$work/examples"
cd "$work/examples"

mkdir night
${RUN:-} "$work/seal_export" issuer masked.json desk/identity.pub night 3
TICKET=T-42 ${RUN:-} "$work/customer_card" desk night/branch-2.csv.bulla 'Customer 7' > card
grep -q '^\[.*desk.*T-42\]$' card
grep -q '^  name         Customer 7$' card
grep -q '^  phone        \*\*\*\*$' card
grep -q '^  ssn          \*\*\*\*$' card
grep -q '^may be printed: yes$' card
${RUN:-} "$work/customer_card" desk night/branch-1.csv.bulla 'Customer 7' --print > /dev/null
grep -q '"event":"printed"' desk/trail.jsonl
if ${RUN:-} "$work/customer_card" locked night/branch-1.csv.bulla 'Customer 7' 2> why; then exit 1; fi
grep -q 'wrong-passphrase' why

# The program in the documentation.
sed -n '/^```c$/,/^```$/p' "$root/docs/c-abi.md" | sed '1d;$d' > first.c
# shellcheck disable=SC2086
$cc -std=c99 $strict -o first first.c $link
printf 'name\nKim\n' > cards.csv
at issuer seal --policy view.json --to desk/identity.pub cards.csv -o cards.csv.bulla
BULLA_HOME=desk ${RUN:-} ./first | cmp - cards.csv

if [ "$system" = unix ] && [ -e /usr/include/sqlite3.h ]; then
    example sqlite_envelopes -lsqlite3
    ${RUN:-} "$work/sqlite_envelopes" issuer desk all.json notes.db > notes
    grep -q '^revision 1, 200000 bytes, ends: the end\.$' notes
    grep -q '^revision 2, 9 bytes, ends: edited\.$' notes
    if grep -q 'the end\.' notes.db; then exit 1; fi
else
    echo "no sqlite3.h for this system: the SQLite example is skipped"
fi
cd "$office"
echo "ok examples"
