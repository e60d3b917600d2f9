"""Reads 1 GiB in 1 MiB blocks through the file object and through the C API, in turns.

usage: bench.py ROUNDS. Prints medians; fails below 70 % of C's speed. BULLA and BULLA_LIBRARY name
a release build.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bulla

ROOT = pathlib.Path(__file__).resolve().parents[3]
SIZE = 1 << 30
BLOCK = 1 << 20


def by_readinto(session, path):
    buffer = bytearray(BLOCK)
    with session.open(path) as file:
        start = time.perf_counter()
        while file.readinto(buffer):
            pass
        return time.perf_counter() - start


def by_read(session, path):
    with session.open(path) as file:
        start = time.perf_counter()
        while file.read(BLOCK):
            pass
        return time.perf_counter() - start


def main(rounds):
    # In memory, so that the disk does not hide what is measured.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as work:
        office, program = work + "/office", work + "/pass"
        script = str(ROOT / "bindings/interop/office.sh")
        subprocess.run(["sh", script, os.environ["BULLA"], office], check=True)
        shutil.copy(os.environ["BULLA_LIBRARY"], work + "/libbulla.so.0")
        source = str(ROOT / "bindings/python/bench/pass.c")
        subprocess.run(
            ["cc", "-O2", "-o", program, source, f"-I{ROOT}/include", work + "/libbulla.so.0"]
            + ["-Wl,-rpath," + work],
            check=True,
        )
        home, path = office + "/x25519", work + "/sealed"
        template = pathlib.Path(office + "/all-x25519.template").read_text()
        with bulla.Session(home) as session:
            with bulla.Sealer.from_template(session, template) as sealer:
                with sealer.begin(path) as writer:
                    block = os.urandom(BLOCK)
                    for _ in range(SIZE // BLOCK):
                        writer.write(block)
            ways = {
                "C": lambda: float(subprocess.check_output([program, home, path])),
                "readinto": lambda: by_readinto(session, path),
                "read": lambda: by_read(session, path),
            }
            times = {name: [] for name in ways}
            order = list(ways)
            for _ in range(rounds + 1):
                order.append(order.pop(0))  # each is first in turn
                for name in order:
                    times[name].append(ways[name]())
    # The first round warms up.
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    for name, seconds in medians.items():
        ratio = medians["C"] / seconds
        print(f"{name:9} {SIZE / seconds / 1e9:5.2f} GB/s  {ratio:6.1%} of C's speed")
    return 0 if medians["C"] / medians["readinto"] >= 0.70 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
