#!/usr/bin/env python3
"""The report of `make assurance` from what its parts printed: assurance.py FOLDER > docs/assurance.md"""

import os
import pathlib
import platform
import re
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
here = pathlib.Path(__file__).parent


class Part:
    """What a part printed, and when."""

    def __init__(self, name):
        path = folder / name
        first, _, self.text = path.read_text().partition("\n") if path.exists() else ("", "", "")
        self.when = ", ".join(first.split()[:2]) or "**not run**"

    def lines(self, pattern):
        """The first groups of all lines that match, or these lines."""
        found = re.finditer(pattern, self.text, re.MULTILINE)
        return [match[1] if match.groups() else match[0] for match in found]


def rows(kind):
    """Of all parts of this kind, the table row that each printed of itself, with when that was."""
    for path in sorted(folder.glob(f"{kind}-*")):
        part = Part(path.name)
        for line in part.lines(rf"^\| {path.name[len(kind) + 1:]} \|.*$"):
            yield f"{line} {part.when} |"


rustc = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()
fuzzed, mutated = list(rows("fuzz")), list(rows("mutants"))
numbers = [[int(cell) for cell in row.split("|")[2:6]] for row in mutated]
tried, left = (sum(number[i] for number in numbers) for i in (0, 3))
survivors = sorted(line for path in folder.glob("mutants-*") for line in Part(path.name).lines(r"^left: (.*)$"))
coverage, reproducible = Part("coverage"), Part("reproducible")
faults, tamper, hangs, differential, soak, constant_time = (
    Part(name) for name in ("faults", "tamper", "hangs", "differential", "soak", "constant-time")
)
opens = soak.lines(r"^1(?:0|000)000 opens: .*$")
others = [
    ("every operation on storage fails with every error (`make test-faults-long`)", faults,
     faults.lines(r"\d+ runs, \d+ wrong$")),
    ("power cuts (the same)", faults, faults.lines(r"\d+ disks, \d+ wrong$")),
    ("every byte of envelopes changed, in a view and through C (`make test-tamper-long`)", tamper,
     tamper.lines(r"\d+ changed envelopes .*$")),
    ("random cases against the independent implementations for half an hour (`make differential`)", differential,
     differential.lines(r"^nothing differs .*$")),
    ("large sound inputs, and all seeds, each within a second (`make test-hangs`)", hangs,
     hangs.lines(r"^(.*, \d+ bytes: .*|opening it: .*|.* a trail: .*)$")),
    ("a million opens in one process (`make soak`)", soak, opens),
    ("comparing a secret (`make constant-time`)", constant_time,
     [line.replace("|t|", "t") for line in constant_time.lines(r"^commitments: .*$")]),
    ("memory after use, in release builds and with `pure-rust` (`make test-memory`)", Part("memory"), []),
    ("the oldest stated versions of dependencies (`make test-minimal`)", Part("minimal"), []),
    ("the C ABI and the crate's API against an earlier commit (`make compatible`)", Part("compatible"), []),
    ("a signed release, made and tried (`make rehearse`)", Part("release"), []),
]  # fmt: skip

print(f"""\
# Assurance report

Made by `make assurance`. Each part has the day and the revision that it ran on, and is here only if it passed. Seconds are
of the clock on the wall: parts that ran at the same time shared the cores.
{rustc}, {platform.system()} {platform.release()}, {os.cpu_count()} cores.

## Fuzzing

No crash, hang (over 1 s; over 10 s of a sequence of calls), leak or sanitizer report in:

| fuzz target | seconds | executions | edges | features | findings | when |
|---|---|---|---|---|---|---|""")
print(*fuzzed, sep="\n")
print("""
Each body is in `tests/fuzz/src`, and says what must hold: `header` any bytes as an envelope, `keys` and `objects` any text as
a key or a signed object, `license` and `tokens` claims with edits under signatures that hold, `policy` a policy and facts,
`trail` an audit trail with changed lines, `open` a sound envelope after edits, `write` a writer in any portions, `aead` the two
backends against each other, `c_abi` calls of the C ABI with callbacks that fail, `view` operations of a view's file system
(in the process, without a kernel) against a model. Edges and features are libFuzzer's, of one run with what it has kept;
what all inputs share is made before the first, and not among them.

## Mutants

Of what decides (`make mutants`):

| module | mutants | killed | timed out | left | when |
|---|---|---|---|---|---|""")
print(*mutated, sep="\n")
print(f"\nLeft: {left} of {tried}, {left / max(tried, 1):.1%}; at most 3 % is asked for.", (here / "mutants.md").read_text())
print("```", *survivors, "```", sep="\n")
print(f"""
## Other parts

Lines that tests run (`make coverage`; {coverage.when}):
""")
print(*[f"- {line}" for line in coverage.lines("^coverage of (.*)$")], sep="\n")
print(f"""
Two builds in different folders, byte by byte (`make reproducible`; {reproducible.when}), SHA-256:
""")
print(*[f"- {line}" for line in reproducible.lines("^ok the same: (.*)$")], sep="\n")
print("\n| part | when | what it said |\n|---|---|---|")
for name, part, said in others:
    print(f"| {name} | {part.when} | {'; '.join(said)} |")
