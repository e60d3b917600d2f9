#!/usr/bin/env python3
"""Counts the instructions of the hot paths under callgrind and compares them with the committed
counts: unlike times they hardly change from run to run, whatever else the machine does.

    python3 benches/counts.py [--update]

Fails if one is more than 5 % above benches/counts.json. Needs valgrind. The counts are those of one
compiler and one kind of processor as valgrind shows it (it hides AVX-512, so the AEAD takes another
path than on the processor itself); with other ones, make new counts with --update.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "counts.json"
MOST = 1.05


def build():
    """The program, with its symbols."""
    command = ["cargo", "build", "--quiet", "--release", "--bench", "counts", "--message-format=json"]
    said = subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.PIPE, text=True)
    found = [json.loads(line) for line in said.stdout.splitlines()]
    return next(f["executable"] for f in found if f.get("target", {}).get("name") == "counts")


def count(program, path):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", "--collect-atstart=no",
             "--toggle-collect=counts::hot*", f"--callgrind-out-file={out.name}", program, path],
            check=True,
        )
        total = re.search(r"^(?:summary|totals): (\d+)", Path(out.name).read_text(), re.M)
    if not total or int(total[1]) == 0:
        sys.exit(f"{path}: nothing was counted")
    return int(total[1])


def main():
    program = build()
    names = subprocess.run([program, "list"], check=True, stdout=subprocess.PIPE, text=True)
    counts = {name: count(program, name) for name in names.stdout.split()}
    if "--update" in sys.argv:
        BASELINE.write_text(json.dumps(counts, indent=4) + "\n")
        return
    before = json.loads(BASELINE.read_text())
    worse = []
    for name, now in counts.items():
        ratio = now / before[name] if name in before else float("inf")
        print(f"{name:14} {now:>14,} instructions, {ratio:.3f} of the committed count")
        if ratio > MOST:
            worse.append(name)
    if worse:
        sys.exit(f"more instructions than {MOST:.0%} of before: {', '.join(worse)}")


main()
