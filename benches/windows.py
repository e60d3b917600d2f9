#!/usr/bin/env python3
"""The command for Windows against a plain copy, under Wine; prints a Markdown table.

    make bench-windows

Sealing and opening go part by part through the program's memory, so their limit is a program that
does only that. As in whole.py: by turns in one run, and the same rules for ratios and targets.
"""

import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

import whole

WINE = "/usr/lib/wine/wine64"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bulla", help="bulla.exe")
    parser.add_argument("copy", help="copy.exe, the limit")
    parser.add_argument("--size", type=whole.parse_size, default="1G", help="of the file")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is run")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="a folder in memory")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.memory) as folder:
        met = measure(args, Path(folder))
    if not met:
        sys.exit("a target was missed or could not be judged")


def measure(args, here):
    plain, sealed, out, again = (here / n for n in ("plain", "plain.bulla", "out", "again"))
    wine = lambda program, *words: whole.run([WINE, program, *words], None, cwd=here)
    bulla = lambda *words: wine(args.bulla, "--home", "home", *words)
    bulla("init", "--name", "Bench")
    bulla("identity", "new")
    (here / "policy.json").write_text(whole.POLICY)
    seal = lambda to, *more: bulla(
        "seal", "--policy", "policy.json", "--to", "home/identity.pub", "plain", "-o", to, *more
    )
    whole.write_random(plain, args.size)
    seal("plain.bulla")

    def same(path):
        assert filecmp.cmp(plain, path, shallow=False), "the file differs"

    def opens():
        bulla("open", "out", "-o", "again")
        same(again)
        again.unlink()

    contest = whole.Contest(
        "a copy", "against a copy", lambda: whole.warm(here / "warm", 2 * args.size),
        lambda: out.unlink(missing_ok=True),
    )
    limit = ("at most", 1.3)
    contest.add("a copy", lambda: wine(args.copy, "plain", "out"), None, lambda: same(out))
    contest.add("`cmd /c copy`", lambda: wine("cmd", "/c", "copy", "/y", "plain", "out"), None,
                lambda: same(out))
    contest.add("`bulla seal`", lambda: seal("out"), limit, opens)
    contest.add("`bulla seal --threads 1`", lambda: seal("out", "--threads", "1"), None, opens)
    opened = lambda *more: bulla("open", "plain.bulla", "-o", "out", *more)
    contest.add("`bulla open -o`", opened, limit, lambda: same(out))
    contest.add("`bulla open -o --threads 1`", lambda: opened("--threads", "1"), None,
                lambda: same(out))
    print(f"## One file of {whole.show_size(args.size)} on Windows (under Wine), in memory\n")
    return contest.measure(args.rounds)


if __name__ == "__main__":
    main()
