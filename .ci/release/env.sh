# Sourced by what builds for release: the settings under which the same sources give the same bytes
# in any folder. Needs $root, the folder of the sources, and $target, that of the build.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
# The date of the sources, for whatever writes one.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct)}
# Folders get names of ours, in what rustc writes and in __FILE__ of C. The last that fits counts.
RUSTFLAGS="--remap-path-prefix=$cargo_home/registry/src=/registry --remap-path-prefix=$root=/bulla"
RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$target=/target"
CFLAGS="-ffile-prefix-map=$cargo_home/registry/src=/registry -ffile-prefix-map=$root=/bulla"
CFLAGS="$CFLAGS -ffile-prefix-map=$target=/target"
# Notes between builds would be of another build; times and names in archives are no part of one.
CARGO_INCREMENTAL=0
ZERO_AR_DATE=1
LC_ALL=C
TZ=UTC
export SOURCE_DATE_EPOCH RUSTFLAGS CFLAGS CARGO_INCREMENTAL ZERO_AR_DATE LC_ALL TZ
umask 022
