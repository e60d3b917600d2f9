# For sourcing: `run RUNTIME PROGRAM…` runs an assembly on `mono`, `core` or `wine` (.NET Core for
# Windows). `need_runtime RUNTIME` gets it. Needs: here, target (an absolute path).
dotnet_version=3.1.23
openssl_carrier=2.9.9

# The runtime without an SDK, in a wheel. It is unpacked, not installed. On Linux it wants OpenSSL 1.1
# (as soon as it reads XML or JSON), which Debian no longer has: another wheel carries it.
unpack_core() { # folder platform
    [ ! -e "$target/csharp/$1/done" ] || return 0
    sh "$here/../c/need.sh" python3=python3 /usr/lib/python3/dist-packages/pip=python3-pip
    rm -rf "$target/csharp/$1"
    mkdir -p "$target/csharp/$1/ssl"
    wheel "$1" "$2" "dotnetcore2==$dotnet_version"
    chmod +x "$target/csharp/$1"/dotnetcore2/bin/dotnet*
    if [ "$1" = core-linux ]; then
        wheel "$1" manylinux2014_x86_64 "psycopg2-binary==$openssl_carrier" --python-version 3.11
        mv "$target/csharp/$1"/psycopg2_binary.libs/libcrypto-*.so.1.1 "$target/csharp/$1/ssl"
        mv "$target/csharp/$1"/psycopg2_binary.libs/libssl-*.so.1.1 "$target/csharp/$1/ssl/libssl.so.1.1"
        rm -r "$target/csharp/$1"/psycopg2*
    fi
    touch "$target/csharp/$1/done"
}
wheel() { # folder platform requirement more…
    folder=$target/csharp/$1
    platform=$2
    shift 2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --platform "$platform" --dest "$folder/wheel" "$@"
    python3 -m zipfile -e "$folder"/wheel/*.whl "$folder"
    rm -r "$folder/wheel"
}
need_runtime() {
    case $1 in
    mono) sh "$here/../c/need.sh" mono=mono-runtime ;;
    core) unpack_core core-linux manylinux1_x86_64 ;;
    wine)
        unpack_core core-windows win_amd64
        (target=$target/windows here=$here/../c/windows && . "$here/wine.sh")
        # What Wine lacks must be where system libraries are: ours is looked for nowhere else.
        cp "$target/windows/test/bcryptprimitives.dll" \
            "${WINEPREFIX:-$target/windows/wine}/drive_c/windows/system32/"
        ;;
    esac
}
run() {
    runtime=$1
    shift
    case $runtime in
    mono) mono "$@" ;;
    core) LD_LIBRARY_PATH="$target/csharp/core-linux/ssl" "$target/csharp/core-linux/dotnetcore2/bin/dotnet" "$@" ;;
    wine)
        WINEPREFIX="${WINEPREFIX:-$target/windows/wine}" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml=" \
            sh "$here/../c/windows/run.sh" \
            "$target/csharp/core-windows/dotnetcore2/bin/dotnet.exe" "$@"
        ;;
    esac
}
