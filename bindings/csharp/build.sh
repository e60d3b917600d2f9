#!/bin/sh
# Compiles the wrapper and, with programs, these: assemblies run on Mono, .NET Core and Windows.
# usage: build.sh OUT-FOLDER [NAME=FILE,FILE…]…: Bulla.dll and Bulla.xml, and NAME.exe of those files
# Settings: MCS_REFERENCES, more `-r:` for programs; ABI_VERSION, a file in place of AbiVersion.cs
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
shift
sh "$here/../c/need.sh" mcs=mono-mcs \
    /usr/lib/mono/4.5/System.Xml.Linq.dll=libmono-system-xml-linq4.0-cil \
    /usr/lib/mono/4.5/System.Runtime.Serialization.dll=libmono-system-runtime-serialization4.0-cil
mkdir -p "$out"
strict="-langversion:7.2 -optimize -warn:4 -warnaserror -unsafe"
sources=$(find "$here/src" -name '*.cs' ! -name AbiVersion.cs | LC_ALL=C sort)
# Every public member is documented, or it does not compile.
# shellcheck disable=SC2086
mcs $strict -target:library -doc:"$out/Bulla.xml" -out:"$out/Bulla.dll" -r:System.Core -r:System.Xml \
    -r:System.Xml.Linq -r:System.Runtime.Serialization $sources "${ABI_VERSION:-$here/src/AbiVersion.cs}"
for program; do
    name=${program%%=*}
    # shellcheck disable=SC2046,SC2086
    mcs $strict -out:"$out/$name.exe" -r:"$out/Bulla.dll" -r:System.Core ${MCS_REFERENCES:-} \
        $(echo "${program#*=}" | tr , ' ')
    # For .NET Core; its globalization would need a library that is not everywhere.
    cat > "$out/$name.runtimeconfig.json" << 'CONFIG'
{"runtimeOptions": {
  "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
  "configProperties": {"System.Globalization.Invariant": true}
}}
CONFIG
done
