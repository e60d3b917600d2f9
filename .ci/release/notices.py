"""The licence texts of all crates that are in a release, as their licences ask for.

usage: notices.py SYSTEM PACKAGE…, prints them. Texts that are the same are printed once.
"""

import collections
import pathlib
import re
import sys

import graph

NAMES = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)

root = pathlib.Path(__file__).resolve().parents[2]
system, *packages = sys.argv[1:]
texts = collections.defaultdict(list)
without = []
for crate in graph.crates(root, system, *packages):
    if crate["source"] is None:
        continue
    name = f"{crate['name']} {crate['version']} ({crate['license']})"
    folder = pathlib.Path(crate["manifest_path"]).parent
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and NAMES.match(p.name)]
    if "aws-lc-sys" == crate["name"]:
        files.append(folder / "aws-lc" / "LICENSE")
    for file in files:
        texts[file.read_text(encoding="utf-8", errors="replace").strip()].append(name)
    if not files:
        without.append(f"{name}: {crate['repository']}")

print("The library and the command contain the following, under the licences that follow each list.\n")
for text, names in texts.items():
    print("=" * 80)
    print("\n".join(dict.fromkeys(names)), "\n")
    print(text, "\n")
if without:
    print("=" * 80)
    print("These come without a text of their own; their licences are as stated:\n")
    print("\n".join(without))
