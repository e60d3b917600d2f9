#!/usr/bin/env python3
"""Whether each test and file that SECURITY.md names exists: python3 tests/security_tests.py"""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
listed = subprocess.run(["git", "ls-files", "*.rs"], cwd=root, check=True, capture_output=True, text=True)
tests = set()
for name in listed.stdout.split():
    if (root / name).is_file():
        # A test's attributes and comments may stand between; proptest's functions are tests, too.
        text = (root / name).read_text()
        tests |= set(re.findall(r"#\[test\](?:\s*(?:#\[[^\]]*\]|//[^\n]*))*\s*fn (\w+)", text))

text = (root / "SECURITY.md").read_text()
named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+|limits|key_files|envelopes)`", text)) - {"memfd_secret"}
paths = set(re.findall(r"`((?:src|tests|bindings|benches|docs)/[\w./-]+)`", text))
paths |= set(re.findall(r"\]\(([\w./-]+)\)", text))
missing = sorted(named - tests) + sorted(p for p in paths if not (root / p).exists())
for name in missing:
    print(f"SECURITY.md names {name}, which is not there", file=sys.stderr)
if len(named) < 50:
    sys.exit(f"only {len(named)} tests are named: is SECURITY.md read rightly?")
if missing:
    sys.exit(1)
print(f"SECURITY.md: {len(named)} tests and {len(paths)} files, all there")
