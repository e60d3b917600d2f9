#!/usr/bin/env python3
"""Whether each test and file that SECURITY.md names exists, and each test runs: python3 tests/security_tests.py"""

import pathlib
import re
import subprocess
import sys

# What stands there like a test's name and is none.
NO_TESTS = {"always", "bulla", "memfd_secret", "seq"}

root = pathlib.Path(__file__).resolve().parent.parent
listed = subprocess.run(["git", "ls-files", "*.rs"], cwd=root, check=True, capture_output=True, text=True)
tests, ignored = set(), set()
for name in listed.stdout.split():
    if (root / name).is_file():
        # All attributes and comments before a function; proptest's functions are tests, too.
        text = (root / name).read_text()
        for before, test in re.findall(r"((?:#\[[^\]]*\]\s*|//[^\n]*\n\s*)+)fn (\w+)", text):
            if "#[test]" in before:
                (ignored if re.search(r"#\[(?:ignore|cfg_attr\([^\]]*\bignore)\b", before) else tests).add(test)

# Only one that runs counts, wherever another of its name is ignored.
text = (root / "SECURITY.md").read_text()
named = set(re.findall(r"`([a-z][a-z0-9_]*)`", text)) - NO_TESTS
paths = set(re.findall(r"`((?:src|tests|bindings|benches|docs)/[\w./-]+)`", text))
paths |= set(re.findall(r"\]\(([\w./-]+)\)", text))
wrong = [f"{name}, which is ignored" for name in sorted(named & ignored - tests)]
wrong += [f"{name}, which is not there" for name in sorted(named - tests - ignored)]
wrong += [f"{name}, which is not there" for name in sorted(p for p in paths if not (root / p).exists())]
for what in wrong:
    print(f"SECURITY.md names {what}", file=sys.stderr)
if len(named) < 50:
    sys.exit(f"only {len(named)} tests are named: is SECURITY.md read rightly?")
if wrong:
    sys.exit(1)
print(f"SECURITY.md: {len(named)} tests and {len(paths)} files, all there")
