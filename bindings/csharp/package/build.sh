#!/bin/sh
# Packs Bulla.VERSION.nupkg, a plain zip. usage: build.sh OUT-FOLDER LIBBULLA.SO LIBBULLA.DLL
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(cd "$here/../.." && pwd)
out=$1
so=$2
dll=$3
sh "$here/../c/need.sh" python3=python3
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
grep -q "AssemblyInformationalVersion(\"$version\")" "$here/src/AssemblyInfo.cs" \
    || { echo "src/AssemblyInfo.cs has another version than $version" >&2; exit 1; }
grep -q "<Version>$version</Version>" "$here/src/Bulla.csproj" \
    || { echo "src/Bulla.csproj has another version than $version" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
sh "$here/build.sh" "$work/lib/netstandard2.0"
mkdir -p runtimes/linux-x64/native runtimes/win-x64/native build/net462 _rels
cp "$so" runtimes/linux-x64/native/libbulla.so
cp "$dll" runtimes/win-x64/native/libbulla.dll
cp "$here/package/Bulla.targets" build/net462/
sed "s/@VERSION@/$version/" "$here/package/Bulla.nuspec" > Bulla.nuspec
cp "$root/docs/csharp.md" README.md
cp "$root/LICENSE-MIT" "$root/LICENSE-APACHE" .
# What makes a zip an OPC package.
cat > '[Content_Types].xml' << 'TYPES'
<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
  <Default Extension="nuspec" ContentType="application/octet" />
  <Default Extension="dll" ContentType="application/octet" />
  <Default Extension="so" ContentType="application/octet" />
  <Default Extension="xml" ContentType="application/octet" />
  <Default Extension="targets" ContentType="application/octet" />
  <Default Extension="md" ContentType="application/octet" />
  <Override PartName="/LICENSE-MIT" ContentType="application/octet" />
  <Override PartName="/LICENSE-APACHE" ContentType="application/octet" />
</Types>
TYPES
cat > _rels/.rels << 'RELS'
<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Id="R1" Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/Bulla.nuspec" />
</Relationships>
RELS
# The same bytes for the same contents.
python3 - "$out/Bulla.$version.nupkg" << 'ZIP'
import os, pathlib, sys, zipfile
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
    for path in sorted(p for p in pathlib.Path(".").rglob("*") if p.is_file()):
        out.writestr(zipfile.ZipInfo(str(path)), path.read_bytes(), zipfile.ZIP_DEFLATED)
ZIP
echo "$out/Bulla.$version.nupkg"
