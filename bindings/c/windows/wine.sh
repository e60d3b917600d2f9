# For sourcing: Wine with a folder of its own, and quiet.
sh "$here/../need.sh" /usr/lib/wine/wine64=wine64
if [ -z "${WINEPREFIX:-}" ]; then
    WINEPREFIX=$target/wine
    export WINEPREFIX
fi
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree=;mshtml="
[ -d "$WINEPREFIX/drive_c/windows" ] || /usr/lib/wine/wine64 wineboot --init > /dev/null 2>&1
