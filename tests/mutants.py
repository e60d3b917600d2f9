#!/usr/bin/env python3
"""Mutants of the modules that decide, and those that no test notices; fails if they are more than 3 %.

usage: mutants.py OUT-FOLDER MODULE…, from the top of the tree. Settings: JOBS, how many at a time.
Each module's are tried by unit tests, and those that survive by slower ones that look at it from outside.
"""

import collections
import fcntl
import json
import os
import pathlib
import subprocess
import sys

MOST_LEFT = 0.03

# After its unit tests: the command's are of disks that lose power, or fail.
STAGES = {
    "policy": ["policy_*"],
    "cobblestone": ["api tamper", "memory"],
    "trail": ["bulla-command: power_cut", "bulla-command: faults"],
}
OTHERS = ["api tamper"]


def run(out, module, args):
    """Tries mutants, and gives each one's description by its place, in a map by what became of it."""
    file = f"src/{module}.rs"
    command = ["cargo", "gamma", "run", "--config", ".ci/gamma.toml", "--no-relaunch", "--progress", "never"]
    command += ["--artifact-dir", str(out), "--jobs", os.environ.get("JOBS", "2")]
    command += ["--file", file if pathlib.Path(file).exists() else f"src/{module}/*.rs"]
    # What the modules are built with is built once.
    environment = os.environ | {"CARGO_INCREMENTAL": "0", "CARGO_TARGET_DIR": str(out.parent / "target")}
    report = out / "gamma-report.json"
    before = report.stat().st_mtime_ns if report.exists() else 0
    # Survivors fail it, too; without a report it has not run.
    subprocess.run(command + args, env=environment, check=False)
    if not report.exists() or report.stat().st_mtime_ns == before:
        sys.exit(f"mutants: {module} was not tried")
    found = collections.defaultdict(dict)
    for name, described in json.loads(report.read_text())["files"].items():
        for mutant in described["mutants"]:
            line = mutant["location"]["start"]
            place = f"{name}:{line['line']}:{line['column']}"
            late = mutant.get("statusReason", "").startswith("timed out")
            status = "Timeout" if late else mutant["status"]
            # Others do not compile, or are text for people.
            if status in ("Killed", "Timeout", "Survived"):
                found[status][mutant["id"]] = f"{place}: {mutant['description']}"
    return found


def tests_of(stage):
    package, _, tests = stage.rpartition(":")
    args = ["--test-package", package] if package else []
    return args + [arg for test in tests.split() for arg in ("--include-test", test)]


def module_row(out, module):
    out = out / module
    out.mkdir(parents=True, exist_ok=True)
    # A report of an earlier run says nothing of this one.
    (out / "gamma-report.json").unlink(missing_ok=True)
    own = [] if pathlib.Path(f"src/{module}.rs").exists() else ["--", f"{module}::"]
    found = run(out, module, ["--test-lib", "--minimum-test-timeout", "5", *own])
    number = {status: len(mutants) for status, mutants in found.items()}
    tried, late, left = sum(number.values()), number.get("Timeout", 0), found["Survived"]
    for stage in STAGES.get(module, OTHERS):
        if not left:
            break
        again = run(out, module, ["--only-survivors", *tests_of(stage)])
        late += len(again["Timeout"].keys() & left.keys())
        left = {mutant: left[mutant] for mutant in again["Survived"].keys() & left.keys()}
    for description in sorted(left.values()):
        print(f"left: {description}")
    return tried, tried - late - len(left), late, len(left)


def main():
    out = pathlib.Path(sys.argv[1]).absolute()
    out.mkdir(parents=True, exist_ok=True)
    # A run has the build folder for itself; another one waits.
    alone = (out / "lock").open("w")
    fcntl.flock(alone, fcntl.LOCK_EX)
    if subprocess.run(["cargo", "gamma", "--version"], capture_output=True, check=False).returncode:
        subprocess.run(["cargo", "install", "--locked", "cargo-gamma"], check=True)
    rows = {module: module_row(out, module) for module in sys.argv[2:]}
    print("| module | mutants | killed | timed out | left |\n|---|---|---|---|---|")
    for module, row in rows.items():
        print(f"| {module} |", " | ".join(map(str, row)), "|")
    tried, left = (sum(row[i] for row in rows.values()) for i in (0, 3))
    sys.exit(left > MOST_LEFT * tried)


main()
