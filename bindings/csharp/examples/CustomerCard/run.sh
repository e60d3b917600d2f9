#!/bin/sh
# Runs the customer card on Mono in a virtual display, and takes a picture of it.
# usage: run.sh COMMAND LIBRARY PICTURE.png [POLICY]. Fails if the picture is blank.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
root=$(cd "$here/../.." && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$root/target}" && pwd)
example=$here/examples/CustomerCard
bulla=$1
library=$2
picture=$3
policy=${4:-masked}
case $picture in /*) ;; *) picture=$PWD/$picture ;; esac
. "$here/runtimes.sh"
. "$here/office.sh"
need_runtime mono
sh "$here/../c/need.sh" xvfb-run=xvfb xauth=xauth /usr/lib/libgdiplus.so=libgdiplus \
    /usr/lib/mono/4.5/System.Windows.Forms.dll=libmono-system-windows-forms4.0-cil \
    /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
forms="-r:System.Windows.Forms -r:System.Drawing"
MCS_REFERENCES=$forms sh "$here/build.sh" "$work/bin" \
    "CustomerCard=$(echo "$example"/*.cs | tr ' ' ,)" "Shot=$example/screenshot/Shot.cs"
cp "$library" "$work/bin/libbulla.so"
new_office "$work/office"
cat > cards.csv << 'CARDS'
name,phone,ssn,plan,policy no,since,premium
Kim Minjun,010-4793-6300,900101-1234567,Whole Life,P-52701278,2019-03-01,315000
Lee Seoyeon,010-2217-4015,910202-2345678,Annuity Plus,P-25008165,2021-07-15,178000
Park Jihoon,010-8830-1192,880303-1456789,Dental,P-16701823,2017-11-30,398000
Choi Yuna,010-5512-7741,950404-2567890,Child Savings,P-47508979,2023-01-09,152000
CARDS
at issuer badge issue --subject kim.minji --role agent --to desk/identity.pub --for 10h -o kim.badge
at desk badge use kim.badge
at issuer seal --policy "$policy.json" --to desk/identity.pub cards.csv -o cards.csv.bulla
cat > both << 'BOTH'
set -eu
if mono "$1/Shot.exe" "$2" 680 400 1; then
    echo "a blank screen is not noticed" >&2
    exit 1
fi
mono "$1/CustomerCard.exe" desk cards.csv.bulla CS-2026-118 &
window=$!
status=0
mono "$1/Shot.exe" "$2" 680 400 30 || status=$?
kill "$window"
wait "$window" 2> /dev/null || true
exit "$status"
BOTH
# Without -noreset the display starts anew when its last client leaves, and turns away who comes then.
xvfb-run -a -s '-screen 0 680x400x24 -nolisten tcp -noreset' sh both "$work/bin" "$picture"
# What it showed was opened with its duties, and recorded.
grep -q '"event":"opened"' desk/trail.jsonl
