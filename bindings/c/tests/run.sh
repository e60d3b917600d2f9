#!/bin/sh
# Builds the library and the command, makes an office, and runs every C program and example in it.
# Settings, all of the environment:
#   CARGO, CC, CXX, CFLAGS (added), PROFILE (debug or release). With a compiler for Windows, what
#            cannot be there is left out; LIB and RUN are needed
#   RUN      put in front of each program, such as `valgrind -q --error-exitcode=99`
#   LIB      folder of a library built elsewhere; BULLA: a command built elsewhere
#   PANIC_LIB  the same, built with the feature `test-panic`; NATIVE_LIB: with a compiler for
#            Windows, folder of a library for this system
#   ONLY     names of the programs to run, instead of all
#   BRIEF    seconds after which a short decision ends: more where programs run slowly
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
cargo=${CARGO:-cargo}
cc=${CC:-cc}
cxx=${CXX:-c++}
profile=${PROFILE:-debug}
target=${CARGO_TARGET_DIR:-$root/target}
case $cc in *mingw*) system=windows ;; *) system=unix ;; esac
flag=
[ "$profile" = release ] && flag=--release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$root"
# shellcheck disable=SC2086
[ -n "${BULLA:-}" ] || $cargo build --quiet $flag --package bulla-command
bulla=${BULLA:-$target/$profile/bulla}

# --- An office -------------------------------------------------------------------------------
office=$work/office
mkdir "$office"
cd "$office"
unset BULLA_HOME BULLA_PASSPHRASE
at() { home=$1; shift; "$bulla" --home "$home" "$@" > /dev/null; }
at issuer init --name 'Hanbit Insurance'
at desk identity new --kind x25519 --name desk
at desk trust pin issuer/root.pub
for list in issuer/trust/*; do at desk trust use "$list"; done
BULLA_PASSPHRASE='correct horse' at locked identity new --kind x25519 --passphrase
policy() { # name rights more
    printf '{"version":1,"name":"%s","grants":[{"to":["anyone"],"rights":[%s]}]%s}' "$@" > "$1.json"
}
policy all '"view","edit","print","copy","capture","export"' ''
policy view '"view"' ''
policy masked '"view","print"' ',"duties":["watermark",{"mask":["ssn","phone"]}]'
policy nobody '"view"' ',"require":{"posture":["never"]}'
at issuer template new --name cards --label cards --policy all.json --to desk/identity.pub \
    -o cards.template
at issuer permit issue --template cards.template --to desk/identity.pub --for 1d -o desk.permit
# Its decisions end soon after the program has started.
brief() {
    policy brief '"view","print"' ",\"require\":{\"valid\":{\"until\":\"$(date -u -d "+${BRIEF:-4} seconds" \
        +%Y-%m-%dT%H:%M:%SZ)\"}}"
}

# --- Programs --------------------------------------------------------------------------------
strict="-Wall -Wextra -Wshadow -pedantic -Werror -g ${CFLAGS:-}"
library() { # features
    # shellcheck disable=SC2086
    [ -n "${LIB:-}" ] || (cd "$root" && $cargo build --quiet $flag --package bulla-capi "$@")
    mkdir -p "$work/lib"
    case $system in
    windows) cp "$LIB"/*.dll "$LIB"/*.dll.a "$work/lib" ;;
    *)
        cp "${LIB:-$target/$profile}"/libbulla.so "$work/lib/libbulla.so.0"
        ln -sf libbulla.so.0 "$work/lib/libbulla.so"
        ;;
    esac
}
link="-I$root/include -L$work/lib -lbulla"
case $system in
windows) export WINEPATH="$work/lib;${WINEPATH:-}" ;;
*) link="$link -lpthread -Wl,-rpath,$work/lib" ;;
esac

wanted() { case " ${ONLY:-$1} " in *" $1 "*) true ;; *) false ;; esac; }
run() { # name program arguments…
    name=$1
    shift
    rm -rf "$work/$name"
    cp -r "$office" "$work/$name"
    cd "$work/$name"
    brief
    # shellcheck disable=SC2086
    ${RUN:-} "$@"
    cd "$office"
}
c_test() { # name arguments…
    test=$1
    shift
    wanted "$test" || return 0
    echo "--- $test"
    # shellcheck disable=SC2086
    $cc -std=c11 $strict -o "$work/$test.exe" "$here/tests/c/$test.c" $link
    run "$test" "$work/$test.exe" "$@"
}

sh "$here/tests/c/headers.sh" "$root/include"
library
. "$here/tests/c/planted_tests.sh"
for each in basic bad_input callbacks threads; do c_test $each; done
if wanted tamper; then . "$here/tests/c/tampered.sh"; fi
c_test tamper
[ "$system" = windows ] || c_test forks
for more in "$here"/tests/c/*_tests.sh; do
    name=$(basename "$more" _tests.sh)
    case $system-$name in
    *-planted) continue ;;       # was the first
    windows-stdio) continue ;;   # no fopencookie
    esac
    if wanted "$name"; then . "$more"; fi
done
if wanted panics && [ -n "${PANIC_LIB:-}" ]; then
    LIB=$PANIC_LIB library
    c_test panics "$root/include/bulla.symbols"
elif wanted panics && [ -z "${LIB:-}" ]; then
    library --features test-panic
    c_test panics "$root/include/bulla.symbols"
    library
fi
echo "C ABI: all passed"
