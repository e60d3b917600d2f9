#!/usr/bin/env python3
"""How costs grow, in tables of Markdown: with a file's size, recipients, files, grants, the trail and
threads; and a chart by file size against peers.

    python3 benches/growth.py target/release/bulla [--chart docs/throughput.svg]

For Linux. Medians of some runs; what matters is the growth from row to row, not the times. The chart
needs matplotlib.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from whole import POLICY, machine, run, show_size, show_time, version, write_random

MIB = 1 << 20


class Growth:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.bulla = os.path.realpath(args.bulla)
        self.env = dict(os.environ, LC_ALL="C")
        self.home = folder / "home"
        self.run("init", "--name", "Growth")
        self.run("identity", "new")
        self.me = self.home / "identity.pub"
        self.policy = folder / "policy.json"
        self.policy.write_text(POLICY)

    def run(self, *args):
        return run([self.bulla, "--home", self.home, *args], self.env)

    def seal(self, plain, out, policy=None, to=None, *more):
        to = to or ["--to", self.me]
        return self.run("seal", "--policy", policy or self.policy, *to, plain, "-o", out, *more)

    def median(self, work, rounds=None):
        """Of some runs, after one that warms; `work` gives seconds."""
        times = [work() for _ in range(1 + (rounds or self.args.rounds))]
        return statistics.median(times[1:])

    def fresh(self, out, work):
        def once():
            out.unlink(missing_ok=True)
            return work()
        return once

    def both(self, plain, folder, rounds=None, policy=None, to=None, *more):
        """Medians of sealing and opening a file."""
        sealed, out = folder / "sealed", folder / "out"
        seal = self.median(
            self.fresh(sealed, lambda: self.seal(plain, sealed, policy, to, *more)), rounds)
        opened = self.median(
            self.fresh(out, lambda: self.run("open", sealed, "-o", out, *more)), rounds)
        out.unlink()
        return seal, opened, sealed

    def sizes(self, disk):
        print("## By the size of a file\n")
        print("| size | where | `seal` | `open -o` | `cp`, synced | `seal`, a MiB |\n|---|---|---|---|---|---|")
        big = [s for s in (4 << 30, 16 << 30) if not self.args.quick]
        small = [0, 1 << 10, MIB, 64 * MIB, 1 << 30]
        for size in (small[:4] if self.args.quick else small) + big:
            folder, where = (disk, "disk") if size > 1 << 30 else (self.folder, "memory")
            if size > 1 << 30 and shutil.disk_usage(folder).free < 3.2 * size:
                print(f"| {show_size(size)} | disk | not enough room | | | |")
                continue
            plain, copy = folder / "plain", folder / "copy"
            write_random(plain, size)
            rounds = 1 if size > 1 << 30 else None
            seal, opened, sealed = self.both(plain, folder, rounds)
            script = ["sh", "-ec", 'cp "$1" "$2"; sync "$2"', "sh", plain, copy]
            copied = self.median(self.fresh(copy, lambda: run(script, self.env)), rounds)
            copy.unlink()
            each = f"{seal / size * MIB * 1000:.2f} ms" if size >= MIB else ""
            print(f"| {show_size(size)} | {where} | {show_time(seal)} | {show_time(opened)} "
                  f"| {show_time(copied)} | {each} |", flush=True)
            plain.unlink()
            sealed.unlink()
        print()

    def recipients(self):
        print("## By recipients: a file of 16 KiB\n")
        print("| hybrid recipients | `seal` | `open -o` | envelope |\n|---|---|---|---|")
        plain, lines, many = self.folder / "plain", [], self.folder / "many.pub"
        write_random(plain, 16 << 10)
        for count in (1, 10) if self.args.quick else (1, 10, 100, 500):
            while len(lines) < count:
                home = self.folder / "other"
                run([self.bulla, "--home", home, "identity", "new"], self.env)
                lines.append((home / "identity.pub").read_text().strip())
                shutil.rmtree(home)
            # This device's own is among them.
            many.write_text("\n".join([self.me.read_text().strip(), *lines[1:]]) + "\n")
            seal, opened, sealed = self.both(plain, self.folder, None, None, ["--to", many])
            size = sealed.stat().st_size >> 10
            print(f"| {count} | {show_time(seal)} | {show_time(opened)} | {size} KiB |", flush=True)
            sealed.unlink()
        print()

    def files(self):
        print("## By files: 1 KiB each, in one call\n")
        print("| files | `seal -r` | a file |\n|---|---|---|")
        for count in (10, 100) if self.args.quick else (10, 100, 1_000, 10_000, 100_000):
            data = self.folder / "data"
            data.mkdir()
            for i in range(count):
                (data / f"{i:06}").write_bytes(os.urandom(1024))
            taken = self.run("seal", "--policy", self.policy, "--to", self.me, "-r", data)
            print(f"| {count:,} | {show_time(taken)} | {taken / count * 1e6:.0f} µs |", flush=True)
            shutil.rmtree(data)
        print()

    def grants(self):
        print("## By grants of the policy: a file of 16 KiB, the last grant fits\n")
        print("| grants | `seal` | `open -o` |\n|---|---|---|")
        plain, policy = self.folder / "plain", self.folder / "grants.json"
        write_random(plain, 16 << 10)
        for count in (1, 10) if self.args.quick else (1, 10, 100, 1_000):
            value = json.loads(POLICY)
            last = value["grants"]
            value["grants"] = [
                {"to": [{"role": f"r{i}"}], "rights": ["view", "export"]} for i in range(count - 1)
            ] + last
            policy.write_text(json.dumps(value))
            try:
                seal, opened, sealed = self.both(plain, self.folder, None, policy)
            except subprocess.CalledProcessError as e:
                why = e.stderr.decode().strip().splitlines()[-1]
                print(f"| {count} | refused: {why} | |", flush=True)
                continue
            print(f"| {count} | {show_time(seal)} | {show_time(opened)} |", flush=True)
            sealed.unlink()
        print()

    def trail(self):
        print("## By the records of the trail: opening a file of 16 KiB in a process of its own\n")
        print("| records | trail | `open -o` |\n|---|---|---|")
        plain, sealed, out = (self.folder / n for n in ("plain", "sealed", "out"))
        write_random(plain, 16 << 10)
        sealed.unlink(missing_ok=True)
        self.seal(plain, sealed)
        trail = self.home / "trail.jsonl"
        for count in (100, 1_000) if self.args.quick else (100, 10_000, 100_000, 1_000_000, 10_000_000):
            lengthen(trail, count)
            work = self.fresh(out, lambda: self.run("open", sealed, "-o", out))
            taken = self.median(work, 1 if count > 1_000_000 else None)
            size = trail.stat().st_size / 1e6
            print(f"| {count:,} | {size:,.1f} MB | {show_time(taken)} |", flush=True)
        print()

    def threads(self):
        size = 64 * MIB if self.args.quick else 1 << 30
        print(f"## By threads: a file of {show_size(size)}, from and to memory\n")
        print("| threads | `seal` | `open -o` |\n|---|---|---|")
        plain = self.folder / "plain"
        write_random(plain, size)
        for count in range(1, 1 + (os.cpu_count() or 1)):
            more = ["--threads", str(count)]
            seal, opened, sealed = self.both(plain, self.folder, None, None, None, *more)
            print(f"| {count} | {show_time(seal)} | {show_time(opened)} |", flush=True)
            sealed.unlink()
        plain.unlink()
        print()

    def chart(self, to):
        """Bytes a second by file size, whole processes, from and to memory."""
        plain, out = self.folder / "plain", self.folder / "out"
        contenders = {
            "cp": lambda: run(["cp", plain, out], self.env),
            "bulla seal": lambda: self.seal(plain, out),
        }
        if shutil.which("openssl"):
            enc = ["openssl", "enc", "-aes-256-ctr", "-K", "1" * 64, "-iv", "2" * 32]
            contenders["openssl enc"] = lambda: run([*enc, "-in", plain, "-out", out], self.env)
        keys = None
        if shutil.which("age-keygen"):
            done = subprocess.run(["age-keygen", "-o", self.folder / "age.key"],
                                  capture_output=True, text=True)
            keys = re.search(r"age1\w+", done.stderr)[0]
        for name in ("age", "rage"):
            if keys and shutil.which(name):
                contenders[name] = lambda name=name: run([name, "-r", keys, "-o", out, plain],
                                                         self.env)
        if shutil.which("gpg"):
            gpg = ["gpg", "--homedir", self.folder / "gpg", "--batch", "--yes", "--quiet",
                   "--compress-algo", "none", "--passphrase", "growth", "--pinentry-mode",
                   "loopback", "-c", "-o"]
            (self.folder / "gpg").mkdir(mode=0o700)
            contenders["gpg -c"] = lambda: run([*gpg, out, plain], self.env)
        sizes = [1 << s for s in ((10, 20) if self.args.quick else range(10, 33, 2))]
        speeds = {name: [] for name in contenders}
        for size in sizes:
            write_random(plain, size)
            times = {name: [] for name in contenders}
            for number in range(1 + (1 if size >= 1 << 32 else self.args.rounds)):
                for name, work in contenders.items():
                    out.unlink(missing_ok=True)
                    taken = work()
                    if number:
                        times[name].append(taken)
            for name in contenders:
                speeds[name].append(size / statistics.median(times[name]))
        plain.unlink()
        out.unlink()
        print("## By file size, whole processes, MB a second\n")
        print("| | " + " | ".join(map(show_size, sizes)) + " |\n|---" + "|---" * len(sizes) + "|")
        for name, values in speeds.items():
            print(f"| {name} | " + " | ".join(f"{v / 1e6:,.3g}" for v in values) + " |")
        print(flush=True)
        if to:
            draw(to, sizes, speeds)


def draw(to, sizes, speeds):
    import matplotlib
    matplotlib.use("svg")
    # The same bytes from the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "bulla"
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, values in speeds.items():
        axes.plot(sizes, [v / 1e6 for v in values], marker="o", label=name,
                  linewidth=2.5 if name.startswith("bulla") else 1.2)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [show_size(s) for s in sizes], rotation=45, ha="right")
    axes.set_ylabel("MB a second, with the start of the process")
    axes.set_title("Sealing one file, from and to memory")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(to, metadata={"Date": None})


def lengthen(trail, count):
    """Adds records of opens until there are so many, over and over those of 10,000 files."""
    with open(trail, "rb+") as f:
        lines = f.read().splitlines()
        first, last = json.loads(lines[0]), json.loads(lines[-1])
        root = "B" * 42 + "A"
        common = f'"device":"{first["device"]}","root":"{root}"'
        start, when = last["seq"] + 1, last["time"]
        prev, some = encode(hashlib.sha256(lines[-1]).digest()), []
        del lines
        for seq in range(start, count):
            file = f"{seq // 2 % 10_000:032x}"
            if (seq - start) % 2 == 0:
                about = (f'"opened","subject":"minjun@hanbit.example",{common},"file":"{file}",'
                         f'"license":"{file}","license_seq":1,"policy":"claims",'
                         f'"policy_sha256":"{root}","rights":["view"]')
            else:
                about = (f'"seen",{common},"file":"{file}","license_seq":1,"rev":1,'
                         f'"commitment":"{root}","of":{seq - 1}')
            line = f'{{"seq":{seq},"time":"{when}","event":{about},"prev":"{prev}"}}'.encode()
            prev = encode(hashlib.sha256(line).digest())
            some.append(line)
            if len(some) == 10_000:
                f.write(b"\n".join(some) + b"\n")
                some.clear()
        if some:
            f.write(b"\n".join(some) + b"\n")


def encode(digest):
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bulla", help="the command to measure")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default 5)")
    parser.add_argument("--memory", type=Path, default="/dev/shm", help="a folder in memory")
    parser.add_argument("--disk", type=Path, default=tempfile.gettempdir(), help="one on a disk")
    parser.add_argument("--chart", type=Path, help="where to draw the chart")
    parts = ["sizes", "recipients", "files", "grants", "trail", "threads", "chart"]
    parser.add_argument("--only", choices=parts, action="append", help="some of the tables")
    parser.add_argument("--quick", action="store_true", help="the small rows alone")
    args = parser.parse_args()
    for name, value in machine():
        print(f"- {name}: {value}")
    for command in [args.bulla], ["age"], ["rage"]:
        print(f"- {Path(command[0]).name}: {version([*command, '--version'])}")
    print()
    with (
        tempfile.TemporaryDirectory(dir=args.memory) as memory,
        tempfile.TemporaryDirectory(dir=args.disk) as disk,
    ):
        for part in args.only or parts:
            # With a home of its own: the trail that one leaves is not to slow the next.
            folder = Path(memory) / part
            folder.mkdir()
            growth = Growth(args, folder)
            match part:
                case "sizes":
                    growth.sizes(Path(disk))
                case "chart":
                    growth.chart(args.chart)
                case _:
                    getattr(growth, part)()
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
