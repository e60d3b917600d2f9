# Part of run.sh: programs for plain files, recompiled with one `-include` and no edit.

echo "--- stdio"
for program in count_cards add_card; do
    source=$here/tests/c/stdio/$program.c
    # shellcheck disable=SC2086
    $cc -std=c99 $strict -o "$work/$program" "$source"
    # shellcheck disable=SC2086
    $cc -std=c99 $strict -include bulla_stdio.h -o "$work/sealed_$program" "$source" $link
done

# shellcheck disable=SC2086
$cc -std=c99 $strict -include bulla_stdio.h -o "$work/odd_files" "$here/tests/c/stdio/odd_files.c" $link

refuses() {
    # shellcheck disable=SC2086
    if ${RUN:-} "$@" > out 2> denied; then
        echo "not refused: $*" >&2
        exit 1
    fi
}

stdio_tests() {
    awk 'BEGIN { print "name,phone,branch"
        for (i = 0; i < 20000; i++) print "Kim " i ",010-" i ",branch" i % 7 }' > plain.csv
    at issuer seal --policy all.json --to desk/identity.pub plain.csv -o sealed.csv
    at issuer seal --policy view.json --to desk/identity.pub plain.csv -o viewed.csv
    export BULLA_HOME=desk

    "$work/count_cards" plain.csv > expected
    # shellcheck disable=SC2086
    ${RUN:-} "$work/sealed_count_cards" sealed.csv > found
    cmp expected found
    ${RUN:-} "$work/sealed_count_cards" plain.csv | cmp expected - # plain files as before

    for branch in branch3 leave; do
        "$work/add_card" plain.csv Lee 010-7 $branch
        ${RUN:-} "$work/sealed_add_card" sealed.csv Lee 010-7 $branch
    done
    "$bulla" open sealed.csv -o opened.csv > /dev/null
    cmp plain.csv opened.csv
    "$bulla" --json inspect sealed.csv | grep -q '"revision":3'

    # Refused, and nothing has changed.
    cp viewed.csv before.csv
    refuses "$work/sealed_add_card" viewed.csv Lee 010-7 x
    grep -q 'Permission denied' denied
    cmp viewed.csv before.csv
    export BULLA_STDIO_LOG=1
    refuses "$work/sealed_add_card" viewed.csv Lee 010-7 x
    grep -q 'missing-right' denied
    BULLA_HOME=nobody
    refuses "$work/sealed_count_cards" sealed.csv
    grep -q 'home-incomplete' denied
    BULLA_HOME=desk
    ${RUN:-} "$work/sealed_count_cards" viewed.csv > /dev/null
    # A changed file ends in an error, not in half the cards.
    printf 'X' | dd of=viewed.csv bs=1 seek=200000 conv=notrunc 2> /dev/null
    refuses "$work/sealed_count_cards" viewed.csv
    grep -q 'bad-chunk' denied
    unset BULLA_HOME BULLA_STDIO_LOG
    echo "ok unedited programs"

    cp before.csv odd.csv
    # shellcheck disable=SC2086
    ${RUN:-} "$work/odd_files" odd.csv
    cmp before.csv odd.csv
    echo "ok odd files"
}
rm -rf "$work/stdio"
cp -r "$office" "$work/stdio"
cd "$work/stdio"
stdio_tests
cd "$office"
