"""A bill of material names every crate that cargo resolves for what it describes, with version and licence.

usage: check_sbom.py BILL SYSTEM ROOT
"""

import json
import sys

import graph

path, system, root = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    bill = json.load(file)
if bill["bomFormat"] != "CycloneDX":
    sys.exit(f"{path}: not CycloneDX")
described = bill["metadata"]["component"]["name"]
listed = {(part["name"], part["version"]) for part in bill["components"]}
listed.add((described, bill["metadata"]["component"]["version"]))
wanted = {(crate["name"], crate["version"]) for crate in graph.crates(root, system, described)}
if missing := sorted(wanted - listed):
    sys.exit(f"{path}: not listed: {missing}")
if more := sorted(listed - wanted):
    sys.exit(f"{path}: listed, and no part of it: {more}")
if unlicensed := [part["name"] for part in bill["components"] if not part.get("licenses")]:
    sys.exit(f"{path}: without licence: {unlicensed}")
if "/tmp/" in (text := json.dumps(bill)) or root in text:
    sys.exit(f"{path}: names folders of the machine it was made on")
print(f"ok {path}: {len(wanted)} crates")
