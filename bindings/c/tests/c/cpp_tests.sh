# Part of run.sh: the C++ header and its example.

echo "--- cpp"
for std in c++17 c++20; do
    # shellcheck disable=SC2086
    $cxx -std=$std $strict -o "$work/owners" "$here/tests/cpp/owners.cpp" $link
    run "owners-$std" "$work/owners"
done
# shellcheck disable=SC2086
$cxx -std=c++17 $strict -o "$work/merge_cards" "$here/examples/merge_cards.cpp" $link
rm -rf "$work/merge"
cp -r "$office" "$work/merge"
cd "$work/merge"
for i in 1 2; do
    printf 'name,phone\nKim %s,1\nLee %s,2\n' $i $i > $i.csv
    at issuer seal --policy all.json --to desk/identity.pub $i.csv -o $i.bulla
done
${RUN:-} "$work/merge_cards" desk cards.template desk.permit merged.bulla 1.bulla 2.bulla > said
grep -q '^merged 4 cards$' said
"$bulla" --home desk open merged.bulla -o merged.csv > /dev/null
printf 'name,phone\nKim 1,1\nLee 1,2\nKim 2,1\nLee 2,2\n' | cmp - merged.csv
cd "$office"
echo "ok merge_cards"
