"""Line coverage of folders out of an lcov report, without the tests that lie among the sources.

usage: coverage.py LCOV NAME=FOLDER=LEAST…: prints what is not covered, then a share a folder in percent,
and fails where one is below the least
"""

import collections
import pathlib
import re
import sys


def tests_from(path):
    """The line at which a file's own tests start, or infinity."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"mod tests \{", line):
            return number
    return float("inf")


def is_test(path):
    return "tests" in path.parts or path.name in (
        "tests.rs", "vectors.rs", "token_vectors.rs", "jws_vectors.rs", "wycheproof.rs", "fake.rs", "trees.rs"
    )


def read(lcov):
    """How often each line of each file ran."""
    hits = collections.defaultdict(lambda: collections.defaultdict(int))
    for line in lcov.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            path = pathlib.Path(rest)
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            hits[path][int(number)] += int(count)
    return hits


def ranges(numbers):
    """12-14 for 12, 13, 14."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def main(lcov, *parts):
    root = pathlib.Path(__file__).resolve().parent.parent
    hits = read(pathlib.Path(lcov))
    summary, low = [], False
    for part in parts:
        name, folder, least = part.split("=")
        total = covered = 0
        for path in sorted(hits):
            if not path.is_relative_to(root / folder) or is_test(path.relative_to(root)):
                continue
            end = tests_from(path)
            lines = {number: count for number, count in hits[path].items() if number < end}
            missed = [number for number, count in lines.items() if count == 0]
            total += len(lines)
            covered += len(lines) - len(missed)
            if missed:
                share = 100 * (len(lines) - len(missed)) / len(lines)
                print(f"{share:5.1f} % {path.relative_to(root)}: {ranges(missed)}")
        if total == 0:
            sys.exit(f"coverage: nothing of {folder} in {lcov}")
        share = 100 * covered / total
        low |= share < float(least)
        summary.append(f"coverage of the {name}: {share:.1f} % of {total} lines, at least {least} asked for")
    print("\n".join(summary))
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
