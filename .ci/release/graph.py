"""What a package is built from: the crates that cargo resolves for one system, without those of tests."""

import json
import os
import subprocess


def crates(root, system, *packages):
    """Metadata of all crates that go into these packages of the workspace, sorted by name and version."""
    cargo = os.environ.get("CARGO", "cargo")
    said = subprocess.run(
        [cargo, "metadata", "--format-version=1", "--locked", "--filter-platform", system],
        cwd=root, check=True, stdout=subprocess.PIPE).stdout
    metadata = json.loads(said)
    known = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo = [id for id in metadata["workspace_members"] if known[id]["name"] in packages]
    if len(todo) != len(packages):
        raise SystemExit(f"not all of {packages} are in the workspace")
    found = set()
    while todo:
        id = todo.pop()
        if id in found:
            continue
        found.add(id)
        for dependency in nodes[id]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    return sorted((known[id] for id in found), key=lambda crate: (crate["name"], crate["version"]))
