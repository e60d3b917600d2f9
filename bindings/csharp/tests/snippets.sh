#!/bin/sh
# Compiles and runs the C# of the documentation as it stands. usage: snippets.sh COMMAND LIBRARY
# A snippet is a whole program, or the body of one.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)
bulla=$1
library=$2
. "$here/runtimes.sh"
. "$here/office.sh"
need_runtime mono
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/cs"
awk -v to="$work/cs/" 'FNR == 1 { n = 0; page = FILENAME; gsub(/.*\/|\.md/, "", page) }
    /^```csharp$/ { n++; file = to page n ".txt"; next }
    /^```$/ { file = "" }
    file { print > file }' "$root/docs/csharp.md" "$root/README.md"

programs=
for each in "$work"/cs/*.txt; do
    name=$(basename "$each" .txt)
    if grep -q 'static.* Main(' "$each"; then
        cp "$each" "$work/cs/$name.cs"
    else
        cat > "$work/cs/$name.cs" << 'BEFORE'
#pragma warning disable 1998, 414, 649
using System;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Bulla;
public static class Program
{
    // What a window would have.
    private sealed class Control { public IntPtr Handle = (IntPtr)1; public bool Enabled; }
    private static readonly Control window = new Control();
    private static readonly Control printButton = new Control();
    private static void PrintCard() => Console.WriteLine("printed, button " + printButton.Enabled);
    public static void Main() { Snippet().GetAwaiter().GetResult(); }
    private static async Task Snippet()
    {
BEFORE
        cat "$each" >> "$work/cs/$name.cs"
        printf '    }\n}\n' >> "$work/cs/$name.cs"
    fi
    programs="$programs $name=$work/cs/$name.cs"
done
# shellcheck disable=SC2086
sh "$here/build.sh" "$work/bin" $programs
cp "$library" "$work/bin/libbulla.so"

new_office "$work/office"
at desk permit use desk.permit
printf 'name,phone\nKim,010-1\n' > cards.csv
at issuer seal --policy all.json --to desk/identity.pub cards.csv -o cards.csv.bulla
at issuer seal --policy nobody.json --to desk/identity.pub cards.csv -o denied.bulla
for each in "$work"/cs/*.cs; do
    name=$(basename "$each" .cs)
    BULLA_HOME=desk mono "$work/bin/$name.exe" cards.csv.bulla > "$name.said"
done
says() { grep -q "$2" "$1.said" || { echo "$1 does not print $2:" >&2; cat "$1.said" >&2; exit 1; }; }
says csharp1 'draw over it: .*desk.*CS-2026-118'
says csharp1 '^name,phone$'
[ "$("$bulla" --home desk open notes.csv.bulla -o - 2> /dev/null)" = 'name,note' ]
says csharp3 '^posture is unknown: '
says csharp4 '^21$'
says csharp5 '^printed, button True$'
cmp README1.said cards.csv
[ "$(ls ./*.said | wc -l)" = 6 ]
echo "ok the snippets of docs/csharp.md and README.md"
