#!/bin/sh
# That a public member without documentation does not compile: takes one comment away and looks.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/csharp" "$work/c"
cp -r "$here/src" "$here/build.sh" "$work/csharp"
cp "$here/../c/need.sh" "$work/c"
sh "$work/csharp/build.sh" "$work/out"
for comment in 'Ends the session' 'What may be done with the file' 'There is no such file'; do
    file=$(grep -l "<summary>$comment" "$work"/csharp/src/*.cs)
    sed "/<summary>$comment/d" "$file" > "$work/without"
    cp "$file" "$work/kept"
    cp "$work/without" "$file"
    if sh "$work/csharp/build.sh" "$work/out" > "$work/said" 2>&1; then
        echo "it compiles without: $comment" >&2
        exit 1
    fi
    grep -q CS1591 "$work/said" || { cat "$work/said" >&2; exit 1; }
    cp "$work/kept" "$file"
done
echo "ok undocumented"
