# Part of run.sh: libraries that are missing, or older or newer than the wrapper. All are real: small
# ones, and a wrapper that wants another ABI.

echo "--- loading"
case $runtime in wine) cc=x86_64-w64-mingw32-gcc-win32 ;; *) cc=${CC:-cc} ;; esac
says() { # what it must print, as a pattern; then BULLA_LIBRARY, then the folder of Tests.exe
    if BULLA_LIBRARY=$2 run "$runtime" "$3/Tests.exe" --load > "$work/said"; then
        echo "this should not load: $(cat "$work/said")" >&2
        exit 1
    fi
    grep -q "$1" "$work/said" || { cat "$work/said" >&2; exit 1; }
}
# .NET Core hands out Unix paths as they are; Wine has them on drive Z.
as_seen() { case $runtime in wine) echo "Z:$1" | tr / '\\' ;; *) echo "$1" ;; esac; }

printf '%s\n' '#if defined(_WIN32)' '__declspec(dllexport)' '#endif' \
    'unsigned bulla_abi_version(void) { return ABI; }' > "$work/library.c"
"$cc" -shared -fPIC -DABI=7 -o "$work/newer-$name" "$work/library.c"
"$cc" -shared -fPIC -DABI=0 -o "$work/lacking-$name" "$work/library.c"
says 'is newer than this Bulla.dll: its ABI is 7, wanted is 0' "$(as_seen "$work/newer-$name")" "$work/bin"
says 'is older than this Bulla.dll: it has no bulla_' "$(as_seen "$work/lacking-$name")" "$work/bin"

sed 's/Expected = [0-9]*/Expected = 3/' "$here/src/AbiVersion.cs" > "$work/AbiVersion.cs"
ABI_VERSION=$work/AbiVersion.cs sh "$here/build.sh" "$work/tomorrow" \
    "Tests=$(echo "$here"/tests/*.cs | tr ' ' ,)"
says 'is older than this Bulla.dll: its ABI is 0, wanted is 3' "$(as_seen "$work/bin/$name")" "$work/tomorrow"

# Where it looked, each place with the reason: the one that is named, and no other;
says "was not found.*" "$(as_seen /nowhere/at/all.so)" "$work/bin"
grep -q 'all.so: ' "$work/said"
[ "$(grep -c '^  ' "$work/said")" = 1 ]
# beside the assembly, under it as in the package, and where the system looks.
says 'was not found' '' "$work/tomorrow"
grep -q "tomorrow.$name: " "$work/said"
grep -q "runtimes.*native.$name: " "$work/said"
grep -q "^  libbulla\.\(so\.3\|dll\): " "$work/said"
grep -q 'BULLA_LIBRARY' "$work/said"
# No library at all.
echo text > "$work/text-$name"
says 'text-' "$(as_seen "$work/text-$name")" "$work/bin"

# As in the package; and by the variable, wherever it is.
mkdir -p "$work/empty"
cp "$work"/bin/Tests.* "$work/bin/Bulla.dll" "$work/empty"
BULLA_LIBRARY=$(as_seen "$work/bin/$name") run "$runtime" "$work/empty/Tests.exe" --load > "$work/said"
grep -q "^loaded .*bin.$name" "$work/said"
case $runtime in wine) rid=win-x64 ;; *) rid=linux-x64 ;; esac
mkdir -p "$work/empty/runtimes/$rid/native"
cp "$library" "$work/empty/runtimes/$rid/native/$name"
run "$runtime" "$work/empty/Tests.exe" --load > "$work/said"
grep -q "^loaded .*native.$name" "$work/said"
echo "ok loading"
