#!/usr/bin/env python3
"""Whole processes against their peers, by turns in one run; prints Markdown tables.

    python3 benches/whole.py target/release/bulla

For Linux; needs `cp`, and compares with `age`, `rage`, `gpg` and `openssl` where they are installed. Every
round runs every contender once, each round starting with another one, and a ratio is the median of
the rounds' own ratios. A ratio is withheld if the middle half of the rounds spans more than a
quarter of it; a target then counts as met or missed only if that whole half does so. Ends with
status 1 if a target is missed or cannot be judged, except with --quick.
"""

import argparse
import filecmp
import os
import platform
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A ratio is withheld if its quartiles are further apart than this part of it.
WIDEST = 0.25

POLICY = (
    '{"version": 1, "name": "open",'
    ' "grants": [{"to": ["anyone"], "rights": ["view", "edit", "export"]}]}'
)


def parse_size(text):
    number, unit = re.fullmatch(r"(\d+)([KMG]?)", text).groups()
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]


def show_size(size):
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift and size % (1 << shift) == 0:
            return f"{size >> shift} {unit}"
    return f"{size} bytes"


def show_time(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def run(command, env, stdout=subprocess.DEVNULL, cwd=None):
    """The seconds that a command takes; it must succeed."""
    start = time.perf_counter()
    subprocess.run(
        command, env=env, cwd=cwd, check=True, stdin=subprocess.DEVNULL, stdout=stdout,
        stderr=subprocess.PIPE,
    )
    return time.perf_counter() - start


def peak_memory(command, env):
    """The command's peak in KiB, as the kernel counts it for this program alone: `ru_maxrss`
    would include the memory of the Python that starts it."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            exe = os.readlink(f"/proc/{process.pid}/exe")
        except OSError:
            continue
        found = re.search(r"VmHWM:\s*(\d+) kB", status)
        if found and exe != os.path.realpath(sys.executable):
            peak = max(peak, int(found[1]))
        time.sleep(0.001)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak


class Contest:
    """Contenders that do the same work."""

    def __init__(self, reference, per_reference, before=lambda: None, after=lambda: None):
        self.reference = reference
        # The ratio's heading.
        self.per_reference = per_reference
        self.before, self.after = before, after
        self.contenders, self.targets, self.checks = {}, {}, {}

    def add(self, name, work, target=None, check=None):
        """`work` returns seconds; `target` is ("at most" or "at least", ratio)."""
        self.contenders[name] = work
        self.checks[name] = check
        if target:
            self.targets[name] = target

    def measure(self, rounds):
        """Prints the table; returns whether all targets were met."""
        names = list(self.contenders)
        times = {name: [] for name in names}
        # One more round at first warms everything, and its results are looked at.
        for number in range(rounds + 1):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                self.before()
                taken = self.contenders[name]()
                if number:
                    times[name].append(taken)
                elif self.checks[name]:
                    self.checks[name]()
                self.after()
        print(f"| | median | min–max | {self.per_reference} | target |")
        print("|---|---|---|---|---|")
        met = True
        for name in names:
            mine = times[name]
            ratios = [a / b for a, b in zip(mine, times[self.reference])]
            low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive")
            text, target = f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}", ""
            withheld = high - low > WIDEST * ratio
            if name == self.reference:
                text = "1"
            elif withheld:
                text = f"withheld ({low:.2f} to {high:.2f})"
            if name in self.targets:
                how, value = self.targets[name]
                # Where the spread is wide, its whole middle half must lie on one side.
                worst, best = (high, low) if how == "at most" else (low, high)
                reached = lambda r: r <= value if how == "at most" else r >= value
                if reached(worst if withheld else ratio):
                    verdict = "met"
                else:
                    verdict = "not judged" if withheld and reached(best) else "**missed**"
                    met = False
                target = f"{how} {value}: {verdict}"
            span = f"{show_time(min(mine))}–{show_time(max(mine))}"
            print(f"| {name} | {show_time(statistics.median(mine))} | {span} | {text} | {target} |")
        print(flush=True)
        return met


class Bench:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.bulla = os.path.realpath(args.bulla)
        self.env = dict(os.environ, LC_ALL="C")
        self.met = True
        self.keys()

    def keys(self):
        """A root, three devices of which the first is the root's own, three age keys."""
        self.public, self.age_to = [], []
        for i in range(3):
            home = self.folder / f"home{i}"
            bulla = [self.bulla, "--home", home]
            if i == 0:
                run([*bulla, "init", "--name", "Bench"], self.env)
            run([*bulla, "identity", "new"], self.env)
            self.public += ["--to", str(home / "identity.pub")]
            if shutil.which("age-keygen"):
                key = self.folder / f"age{i}.key"
                done = subprocess.run(["age-keygen", "-o", key], capture_output=True, text=True)
                self.age_to += ["-r", re.search(r"age1\w+", done.stderr)[0]]
        (self.folder / "policy.json").write_text(POLICY)
        self.seal = [
            self.bulla, "--home", str(self.folder / "home0"), "seal",
            "--policy", str(self.folder / "policy.json"), *self.public,
        ]
        self.open = [self.bulla, "--home", str(self.folder / "home0"), "open"]
        self.age_key = str(self.folder / "age0.key")

    def large(self):
        """One large file, from and to memory."""
        size, here = self.args.size, self.folder
        plain, out, again = here / "plain", here / "out", here / "again"
        free = shutil.disk_usage(here).free
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                free = min(free, int(line.split()[1]) << 10)
        if free < 12 * size:
            sys.exit(f"{here} and memory must have room for twelve times the file")
        write_random(plain, size)

        def before():
            # The kernel must have memory at hand: a machine that fetches it from its host would
            # measure that. Twice as much as is needed is written, and freed.
            warm(here / "warm", 2 * size)

        def after():
            out.unlink(missing_ok=True)

        def opened():
            assert filecmp.cmp(plain, out, shallow=False), "the opened file differs"

        def sealed_opens():
            run([*self.open, out, "-o", again], self.env)
            assert filecmp.cmp(plain, again, shallow=False), "the opened file differs"
            again.unlink()

        contest = Contest("`cp`", "against `cp`", before, after)
        add = lambda name, command, *more: contest.add(
            name, lambda: run(command, self.env), *more
        )
        # All that the contenders leave lying about, once.
        warm(here / "warm", 10 * size)
        sealed = here / "plain.bulla"
        seal = [*self.seal, plain, "-o"]
        run([*seal, sealed], self.env)
        add("`cp`", ["cp", plain, out], None, opened)
        add("`bulla seal`", [*seal, out], ("at most", 0.8), sealed_opens)
        add("`bulla seal --threads 1`", [*seal, out, "--threads", "1"], ("at most", 1.15),
            sealed_opens)
        add("`bulla open -o`", [*self.open, sealed, "-o", out], ("at most", 0.8), opened)
        add("`bulla open -` to /dev/null", [*self.open, sealed, "-"], ("at most", 0.3))
        again_sealed = here / "plain-relicensed.bulla"
        run([*seal, again_sealed], self.env)
        add("`bulla relicense --policy`", [
            self.bulla, "--home", here / "home0", "relicense", again_sealed,
            "--policy", here / "policy.json",
        ], ("at most", 1.05))
        if shutil.which("openssl"):
            enc = ["openssl", "enc", "-aes-256-ctr", "-K", "1" * 64, "-iv", "2" * 32, "-in"]
            other = here / "plain.ctr"
            run([*enc, plain, "-out", other], self.env)
            add("`openssl enc -aes-256-ctr`", [*enc, plain, "-out", out])
            add("`openssl enc -d -aes-256-ctr`", [*enc, other, "-d", "-out", out], None, opened)
        for name in ("age", "rage"):
            if not self.age_to or not shutil.which(name):
                continue
            other = here / f"plain.{name}"
            seal_by = [name, *self.age_to, "-o"]
            run([*seal_by, other, plain], self.env)
            add(f"`{name}`", [*seal_by, out, plain])
            add(f"`{name} -d`", [name, "-d", "-i", self.age_key, "-o", out, other], None, opened)
        # What a program pays that copies through its own memory, as all but `cp` must.
        add("`dd bs=512K`", ["dd", f"if={plain}", f"of={out}", "bs=512K", "status=none"], None,
            opened)
        if shutil.which("gpg"):
            gpg = ["gpg", "--homedir", here / "gpg", "--batch", "--yes", "--quiet",
                   "--compress-algo", "none", "--passphrase", "bench", "--pinentry-mode", "loopback"]
            (here / "gpg").mkdir(mode=0o700)
            run([*gpg, "--quick-generate-key", "bench", "future-default"], self.env)
            for how, by in ("-c", "-c"), ("-e", "-er bench"):
                other = here / f"plain{how}.gpg"
                seal_by = [*gpg, *by.split(), "-o"]
                run([*seal_by, other, plain], self.env)
                add(f"`gpg {how}`, without compression", [*seal_by, out, plain])
                add(f"`gpg -d` of that by `{how}`", [*gpg, "-d", "-o", out, other], None, opened)
        print(f"## One file of {show_size(size)}, from and to memory\n")
        self.met &= contest.measure(self.args.rounds)

        peaks = []
        for name, command in (
            ("seal", [*seal, out]),
            ("open", [*self.open, sealed, "-o", out]),
        ):
            peak = peak_memory(command, self.env) / 1024
            out.unlink()
            self.met &= peak < 24
            peaks.append(f"`bulla {name}` {peak:.1f} MiB")
        print(f"Peak memory: {', '.join(peaks)} (target: under 24).\n", flush=True)
        self.met &= self.pipes(plain, sealed)
        for path in here.glob("plain*"):
            path.unlink()

    def pipes(self, plain, sealed):
        """The same file from pipe to pipe, where nothing can be done out of order; `cat` in the
        middle is the limit of that."""
        through = lambda file, command: lambda: run(
            ["bash", "-ec", f'set -o pipefail; cat "$1" | {command} | cat', "bash", file], self.env)
        contest = Contest("`cat` in the middle", "against `cat`")
        contest.add("`cat` in the middle", through(plain, "cat"))
        contest.add("`bulla seal -`", through(plain, shlex.join([*self.seal, "-", "-o", "-"])),
                    ("at most", 1.3))
        contest.add("`bulla open -`", through(sealed, shlex.join([*self.open, "-", "-"])),
                    ("at most", 1.3))
        print(f"## {show_size(self.args.size)} from pipe to pipe\n")
        return contest.measure(self.args.rounds)

    def synced(self, folder):
        """One large file on a disk, durable when the command ends."""
        plain, out = folder / "plain", folder / "out"
        write_random(plain, self.args.size)

        def after():
            out.unlink(missing_ok=True)
            os.sync()

        contest = Contest("`cp` and `sync`", "against `cp` and `sync`", os.sync, after)
        contest.add("`cp` and `sync`", lambda: run(
            ["sh", "-ec", 'cp "$1" "$2"; sync "$2"', "sh", plain, out], self.env))
        contest.add("`bulla seal`", lambda: run([*self.seal, plain, "-o", out], self.env),
                    ("at most", 1.1))
        print(f"## One file of {show_size(self.args.size)} on disk, durable\n")
        self.met &= contest.measure(self.args.rounds)
        plain.unlink()

    def small(self, folder, where):
        """Many small files for three recipients."""
        args, data = self.args, folder / "data"
        data.mkdir()
        names = [f"{i:04}.csv" for i in range(args.files)]
        for name in names:
            write_random(data / name, args.file_size)

        def remove(*suffixes):
            for path in data.iterdir():
                if path.suffix in suffixes:
                    path.unlink()
            settle()

        def settle():
            # What earlier contenders wrote shall not be written in this one's time.
            if where == "disk":
                os.sync()

        def each(command):
            """A shell that runs a command for each file; `$f` is the file."""
            return lambda: run(["sh", "-ec", f"for f in *.csv; do {command}; done"], self.env,
                               cwd=data)

        def all_open(command, suffix):
            def check():
                for name in names[:: max(1, len(names) // 10)]:
                    run([*command, "-o", folder / "again", data / (name + suffix)], self.env)
                    assert filecmp.cmp(data / name, folder / "again", shallow=False)
                    (folder / "again").unlink()
            return check

        place = {"memory": "in memory", "disk": "on disk"}[where]
        many = f"{args.files:,} files of {show_size(args.file_size)}"
        one_call = "`bulla seal`, one call"

        def tidy():
            shutil.rmtree(folder / "copy", ignore_errors=True)
            remove(".bulla", ".age")

        contest = Contest(one_call, "times `bulla seal`", settle, tidy)
        contest.add(
            one_call, lambda: run([*self.seal, "-r", data], self.env), None,
            all_open(self.open, ".bulla"),
        )
        age = shlex.join(["age", *self.age_to])
        age_open = ["age", "-d", "-i", self.age_key]
        if self.age_to:
            times = 40 if args.file_size <= 16 << 10 else 10
            target = ("at least", times) if where == "memory" else None
            contest.add(f"`age`, {args.files:,} calls", each(f'{age} -o "$f.age" "$f"'), target,
                        all_open(age_open, ".age"))
        contest.add("`cp -r`", lambda: run(["cp", "-r", data, folder / "copy"], self.env))
        print(f"## Sealing {many} for three recipients, {place}\n")
        self.met &= contest.measure(args.rounds)

        run([*self.seal, "-r", data], self.env)
        bulla = f"`bulla open`, {args.files:,} calls"
        contest = Contest(bulla, "times `bulla open`", settle, lambda: remove(".out"))
        ours = shlex.join(self.open)
        contest.add(bulla, each(f'{ours} "$f.bulla" -o "$f.out"'))
        if self.age_to:
            each(f'{age} -o "$f.age" "$f"')()
            theirs = shlex.join(age_open)
            contest.add(f"`age -d`, {args.files:,} calls",
                        each(f'{theirs} -o "$f.out" "$f.age"'))
        contest.add(f"`true`, {args.files:,} calls", each("env true"))
        print(f"## Opening {many}, {place}\n")
        self.met &= contest.measure(args.rounds)
        shutil.rmtree(data)


def write_random(path, size):
    with open(path, "wb") as f:
        while size:
            size -= f.write(os.urandom(min(size, 1 << 20)))


def warm(path, size):
    with open(path, "wb") as f:
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            f.write(block)
    path.unlink()


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    kib = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1])
    yield "CPU", f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} threads"
    yield "memory", f"{kib / (1 << 20):.0f} GiB"
    yield "kernel", platform.release()


def version(command):
    if not shutil.which(command[0]):
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bulla", help="the command to measure")
    parser.add_argument("--size", type=parse_size, help="of the large file, such as 1G (default)")
    parser.add_argument("--files", type=int, help="how many small files (default 1000)")
    parser.add_argument("--file-size", type=parse_size, default="64K", help="of a small file")
    parser.add_argument("--rounds", type=int, help="how often each is run (default 9)")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="a folder in memory")
    parser.add_argument("--disk", type=Path, default=tempfile.gettempdir(),
                        help="a folder on a disk")
    parser.add_argument("--only", choices=["large", "memory", "disk"],
                        help="the large file, or the small files in memory or on disk")
    parser.add_argument("--quick", action="store_true",
                        help="small and few, only to show that it runs")
    args = parser.parse_args()
    args.size = args.size or (16 << 20 if args.quick else 1 << 30)
    args.files = args.files or (20 if args.quick else 1000)
    args.rounds = max(2, args.rounds or (3 if args.quick else 9))

    for name, value in machine():
        print(f"- {name}: {value}")
    print(f"- bulla: {version([args.bulla, '--version'])}")
    for command in (
        ("age", "--version"), ("rage", "--version"), ("openssl", "version"), ("gpg", "--version"),
        ("cp", "--version"),
    ):
        print(f"- {command[0]}: {version(command)}")
    print(f"- rounds: {args.rounds}\n", flush=True)
    # So that a stopped run gives its memory back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (
        tempfile.TemporaryDirectory(dir=args.memory) as memory,
        tempfile.TemporaryDirectory(dir=args.disk) as disk,
    ):
        bench = Bench(args, Path(memory))
        if args.only in (None, "large"):
            bench.large()
        if args.only in (None, "disk"):
            bench.synced(Path(disk))
        for where, folder in ("memory", memory), ("disk", disk):
            if args.only in (None, where):
                bench.small(Path(folder), where)
    if not bench.met and not args.quick:
        sys.exit("a target was missed or could not be judged")


if __name__ == "__main__":
    main()
