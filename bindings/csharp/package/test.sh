#!/bin/sh
# Unpacks the package into fresh programs, as NuGet would, and runs them: on Mono and .NET Core; built
# as for the .NET Framework by xbuild; and, with `wine`, there. usage: test.sh NUPKG COMMAND [wine]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)
package=$1
bulla=$2
. "$here/runtimes.sh"
. "$here/office.sh"
sh "$here/../c/need.sh" xbuild=mono-xbuild
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m zipfile -e "$package" "$work/packages/Bulla"
new_office "$work/office"
printf 'name\nKim\n' > cards.csv
at issuer seal --policy view.json --to desk/identity.pub cards.csv -o cards.csv.bulla
unset BULLA_LIBRARY

# A program's folder as `dotnet publish` makes it.
mkdir "$work/app"
cp "$work/packages/Bulla/lib/netstandard2.0/Bulla.dll" "$work/app"
cp -r "$work/packages/Bulla/runtimes" "$work/app"
mcs -langversion:7.2 -out:"$work/app/Fresh.exe" -r:"$work/app/Bulla.dll" "$here/package/Fresh.cs"
echo '{"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
  "configProperties": {"System.Globalization.Invariant": true}}}' > "$work/app/Fresh.runtimeconfig.json"
for runtime in mono core ${3:-}; do
    need_runtime "$runtime"
    BULLA_HOME=desk run "$runtime" "$work/app/Fresh.exe" cards.csv.bulla > said
    tr -d '\r' < said | cmp - cards.csv
    echo "ok the package on $runtime"
done

# A project of the .NET Framework that has the package's targets.
# Mono's own assemblies stand in for the reference ones, which are not packaged.
build() { xbuild /nologo /verbosity:minimal /p:FrameworkPathOverride=/usr/lib/mono/4.5 \
    /p:NoCompilerStandardLib=false "$@" > "$work/xbuild" 2>&1; }
mkdir "$work/desktop"
cp "$here/package/Fresh.cs" "$here/package/Fresh.csproj" "$work/desktop"
cd "$work/desktop"
build Fresh.csproj || { cat "$work/xbuild" >&2; exit 1; }
cmp "$work/packages/Bulla/runtimes/win-x64/native/libbulla.dll" "$work/desktop/bin/libbulla.dll"
rm -r bin obj
build /p:PlatformTarget=x86 Fresh.csproj || { cat "$work/xbuild" >&2; exit 1; }
grep -q 'libbulla.dll is for 64-bit programs' "$work/xbuild"
# Mono stands in for the .NET Framework: the same program, with this system's library beside it.
cp "$work/packages/Bulla/runtimes/linux-x64/native/libbulla.so" "$work/desktop/bin"
cd "$work/office"
BULLA_HOME=desk mono "$work/desktop/bin/Fresh.exe" cards.csv.bulla | cmp - cards.csv
echo "ok the package in a project of the .NET Framework"
