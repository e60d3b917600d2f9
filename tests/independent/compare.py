#!/usr/bin/env python3
"""Compares the `bulla` command with reader.py on many fresh envelopes, whole and damaged.

    compare.py BULLA_BINARY [--count 200] [--seed N] [--skip-foreign]

In temporary homes it makes an issuer and four devices, seals COUNT files of random sizes (single,
batch, delegated), opens each with both readers and compares plaintexts; about half are also damaged,
and the verdicts compared. Then the envelopes of the self-test, made by writer.py under a root of
their own, are given to both. Prints the disagreements and, last, `N passed, M failed`.
"""
from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import reader
import selftest
import writer

VIEW = b'{"version":1,"name":"view","grants":[{"to":["anyone"],"rights":["view","export"]}]}'
PRINT = VIEW.replace(b'"view","export"', b'"print"')
VERDICTS = {0: "ok", 3: "denied", 4: "format", 5: "tampered"}
CHUNK = 16_384
EDGES = [size for n in (0, 1, 2, 3) for size in (n * CHUNK - 16, n * CHUNK - 1, n * CHUNK, n * CHUNK + 1, n * CHUNK + 16) if size >= 0]


class Bulla:
    """Each command line stands in one method here."""

    def __init__(self, binary: str) -> None:
        self.binary = binary

    def run(self, home: Path, *words: object, ok: bool = True) -> subprocess.CompletedProcess[str]:
        line = [self.binary, "--home", str(home), *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=120, stdin=subprocess.DEVNULL)
        if ok and done.returncode != 0:
            raise RuntimeError(f"{' '.join(word[:60] for word in line)}: status {done.returncode}: {done.stderr.strip()}")
        return done

    def init(self, home: Path, name: str) -> None:
        self.run(home, "init", "--name", name)

    def identity_new(self, home: Path, kind: str) -> str:
        lines = self.run(home, "identity", "new", "--kind", kind).stdout.splitlines()
        return next(line.strip() for line in lines if line.strip().startswith(f"bulla-{kind}:"))

    def trust_pin(self, home: Path, root_file: Path) -> None:
        self.run(home, "trust", "pin", root_file)

    def trust_use(self, home: Path, trust_list: Path) -> None:
        self.run(home, "trust", "use", trust_list)

    def seal(self, home: Path, policy: Path, to: list[str], files: list[Path], label: str | None = None, out: Path | None = None) -> None:
        words: list[object] = ["seal", "--mixed-kinds", "--policy", policy]
        for line in to:
            words += ["--to", line]
        words += ["--label", label] if label is not None else []
        words += ["-o", out] if out else []
        self.run(home, *words, *files)

    def open(self, home: Path, envelope: Path, out: Path) -> subprocess.CompletedProcess[str]:
        return self.run(home, "open", envelope, "-o", out, ok=False)

    def template_new(self, home: Path, name: str, policy: Path, to: list[str], out: Path) -> None:
        words: list[object] = ["template", "new", "--mixed-kinds", "--name", name, "--policy", policy]
        for line in to:
            words += ["--to", line]
        self.run(home, *words, "-o", out)

    def permit_issue(self, home: Path, template: Path, device: str, out: Path) -> None:
        self.run(home, "permit", "issue", "--template", template, "--to", device, "--for", "90d", "-o", out)

    def permit_use(self, home: Path, permit: Path) -> None:
        self.run(home, "permit", "use", permit)

    def seal_by_template(self, home: Path, template: Path, files: list[Path]) -> None:
        self.run(home, "seal", "--template", template, *files)

    # Where the command keeps what other commands need.
    def root_file(self, home: Path) -> Path:
        return home / "root.pub"

    def first_list(self, home: Path) -> Path:
        line = self.root_file(home).read_text().strip()
        return home / "trust" / next(iter(reader.root_keys([line])))


@dataclass
class Device:
    home: Path
    kind: str
    line: str

    @property
    def key_id(self) -> str:
        return reader.b64e(writer.Recipient.from_line(self.line).id)


@dataclass
class Sealed:
    name: str
    data: bytes
    plaintext: bytes
    to: list[Device]
    allowed: bool
    how: str


class Comparison:
    def __init__(self, bulla: Bulla, work: Path, rng: random.Random) -> None:
        self.bulla, self.work, self.rng = bulla, work, rng
        self.passed = self.failed = 0
        self.number = 0

    def count(self, problem: str | None) -> None:
        if problem:
            self.failed += 1
            print(problem, flush=True)
        else:
            self.passed += 1

    # --- Making ---

    def set_up(self) -> None:
        self.issuer = self.work / "issuer"
        self.bulla.init(self.issuer, "Issuer")
        self.devices = []
        for number, kind in enumerate(["hybrid", "x25519"] * 2):
            home = self.work / f"device{number}"
            self.devices.append(Device(home, kind, self.bulla.identity_new(home, kind)))
            self.bulla.trust_pin(home, self.bulla.root_file(self.issuer))
            self.bulla.trust_use(home, self.bulla.first_list(self.issuer))
        self.policies = {True: self.work / "view.json", False: self.work / "print.json"}
        self.policies[True].write_bytes(VIEW)
        self.policies[False].write_bytes(PRINT)
        self.templates: list[tuple[Path, list[Device], Device]] = []
        for number in range(3):
            to, sealer = self.some_devices(), self.devices[number]
            template, permit = self.work / f"template{number}", self.work / f"permit{number}"
            self.bulla.template_new(self.issuer, f"T{number}", self.policies[True], [one.line for one in to], template)
            self.bulla.permit_issue(self.issuer, template, sealer.line, permit)
            self.bulla.permit_use(sealer.home, permit)
            self.templates.append((template, to, sealer))

    def some_devices(self) -> list[Device]:
        return self.rng.sample(self.devices, self.rng.randint(1, len(self.devices)))

    def fresh_files(self, count: int) -> tuple[Path, dict[str, bytes]]:
        folder = self.work / f"files{self.number}"
        folder.mkdir()
        plain = {}
        for _ in range(count):
            size = self.rng.choice(EDGES) if self.rng.random() < 0.4 else self.rng.randint(0, 200_000)
            name = f"f{self.number:05}.bin"
            self.number += 1
            plain[name] = self.rng.randbytes(size)
            (folder / name).write_bytes(plain[name])
        return folder, plain

    def results(self, folder: Path, plain: dict[str, bytes], to: list[Device], allowed: bool, how: str) -> list[Sealed]:
        """The envelopes that appeared in `folder`, by the beginnings of their names."""
        found = {}
        for path in folder.iterdir():
            data = path.read_bytes()
            if data[:6] == b"\x89BULLA":
                found[path.name[:6]] = data
        missing = [name for name in plain if name[:6] not in found]
        if missing:
            raise RuntimeError(f"no envelope appeared for {missing} ({how})")
        return [Sealed(name, found[name[:6]], content, to, allowed, how) for name, content in plain.items()]

    def make(self, left: int) -> list[Sealed]:
        how = self.rng.choices(["single", "batch", "template"], [5, 2, 2])[0]
        folder, plain = self.fresh_files(1 if how == "single" else min(left, self.rng.randint(2, 5)))
        files = [folder / name for name in plain]
        if how == "template":
            template, to, sealer = self.rng.choice(self.templates)
            self.bulla.seal_by_template(sealer.home, template, files)
            return self.results(folder, plain, to, True, how)
        to, allowed = self.some_devices(), self.rng.random() > 0.1
        label = self.rng.choice([None, "", "internal", "stra\u00dfe"])
        out = folder / f"{files[0].name}.out" if how == "single" else None
        self.bulla.seal(self.issuer, self.policies[allowed], [one.line for one in to], files, label, out)
        return self.results(folder, plain, to, allowed, how)

    # --- Comparing ---

    def both(self, device: Device, data: bytes) -> tuple[str, bytes, str, bytes, str]:
        """Verdict and plaintext of the command and of reader.py, and what they said."""
        envelope, out = self.work / "envelope", self.work / "out"
        envelope.write_bytes(data)
        out.unlink(missing_ok=True)
        done = self.bulla.open(device.home, envelope, out)
        theirs = VERDICTS.get(done.returncode, f"status {done.returncode}")
        plain = out.read_bytes() if theirs == "ok" and out.exists() else b""
        try:
            opened = reader.open_envelope(data, **reader.load_home(device.home), now=int(time.time()))
            ours, content, reason = "ok", opened.plaintext, ""
        except reader.Refused as refused:
            ours, content, reason = refused.cls, b"", str(refused)
        except Exception as error:  # a defect of reader.py
            ours, content, reason = "defect", b"", repr(error)
        return theirs, plain, ours, content, f"bulla: {done.stderr.strip()[:200]!r}; reader.py: {reason!r}"

    def compare(self, what: str, device: Device, data: bytes, expect: str | None = None, plaintext: bytes | None = None) -> None:
        theirs, plain, ours, content, said = self.both(device, data)
        problem = None
        if theirs != ours:
            problem = f"bulla says {theirs}, reader.py {ours}"
        elif expect is not None and ours != expect:
            problem = f"both say {ours} instead of {expect}"
        elif plain != content or (ours == "ok" and plaintext is not None and plain != plaintext):
            problem = "the plaintexts differ"
        if problem:
            kept = Path(tempfile.gettempdir()) / f"disagreement-{self.failed}.bulla"
            kept.write_bytes(data)
            problem = f"{what}, {device.home.name} ({device.kind}): {problem} ({said}; kept as {kept.name})"
        self.count(problem)

    def whole(self, sealed: Sealed) -> None:
        what = f"{sealed.how} {sealed.name} of {len(sealed.plaintext)} bytes"
        for device in self.devices:
            expect = "ok" if sealed.allowed and device in sealed.to else "denied"
            self.compare(what, device, sealed.data, expect, sealed.plaintext)

    def damaged(self, sealed: Sealed, others: list[Sealed]) -> None:
        for _ in range(4):
            what, data = damage(self.rng, sealed.data, self.rng.choice(others).data)
            device = self.rng.choice(sealed.to)
            expect = "denied" if not sealed.allowed else "ok"
            self.compare(f"{sealed.how} {sealed.name}, {what}", device, data, expect if data == sealed.data else None, sealed.plaintext)

    def foreign(self) -> None:
        """The self-test's envelopes, made by writer.py for the devices' identities."""
        by_kind = {device.kind: device for device in self.devices}
        kit = selftest.Kit({kind: reader.load_home(device.home)["identity"]["secret"] for kind, device in by_kind.items()})
        root, trust = self.work / "foreign.pub", self.work / "foreign.list"
        root.write_text(kit.roots[0] + "\n")
        trust.write_text(kit.trust + "\n")
        for kind, device in by_kind.items():
            if writer.Recipient.from_line(device.line).public != kit.to[kind].public:
                self.count(f"the public line of {device.home.name} is not that of its identity")
            self.bulla.trust_pin(device.home, root)
            self.bulla.trust_use(device.home, trust)
        for case in selftest.cases(kit):
            if case.usual:
                self.compare(f"foreign: {case.name}", by_kind[case.kind], case.envelope, case.expect, case.plaintext)


def regions(data: bytes) -> dict[str, tuple[int, int]]:
    offset, end1 = int.from_bytes(data[8:12], "little"), data.index(b"\n", 12)
    end2 = data.index(b"\n", end1 + 1)
    dot1 = data.index(b".", 12)
    dot2 = data.index(b".", dot1 + 1)
    last = offset + 56 + (len(data) - offset - 56) // (CHUNK + 16) * (CHUNK + 16)
    areas = {"magic": (0, 8), "P": (8, 12), "JWS header": (12, dot1), "claims": (dot1, dot2), "signature": (dot2, end1 + 1), "line 2": (end1 + 1, end2 + 1),
             "padding": (end2 + 1, offset), "salt": (offset, offset + 24), "commitment": (offset + 24, offset + 56), "chunks": (offset + 56, last),
             "last chunk": (last, len(data) - 16), "last tag": (len(data) - 16, len(data))}
    return {name: area for name, area in areas.items() if area[0] < area[1]}


def parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    end1 = data.index(b"\n", 12)
    return data[12:end1], data[end1 + 1:data.index(b"\n", end1 + 1)], data[int.from_bytes(data[8:12], "little"):]


def edit_claims(rng: random.Random, line: bytes) -> bytes:
    """Line 1 with changed claims that are still JSON, under the old signature."""
    header, claims, signature = line.decode().split(".")
    obj = reader.parse_json(reader.b64d(claims))
    match rng.randrange(6):
        case 0:
            rng.shuffle(obj["wraps"])
        case 1:
            obj["seq"] += 1
        case 2:
            first, last = obj["wraps"][0], obj["wraps"][-1]
            for name in ("enc", "ct"):
                first[name], last[name] = last[name], first[name]
        case 3:
            obj["policy"] = writer.b64(VIEW.replace(b'"view"', b'"view","print"', 1))
        case 4:
            obj["unknown"] = 1
        case 5:
            obj["iss"] = writer.b64(rng.randbytes(32))
    return f"{header}.{writer.b64(writer.to_json(obj))}.{signature}".encode()


def damage(rng: random.Random, data: bytes, other: bytes) -> tuple[str, bytes]:
    one, two, payload = parts(data)
    other_one, other_two, other_payload = parts(other)
    sealed = CHUNK + 16
    kind = rng.choice(["flip"] * 6 + ["cut", "cut", "extend", "splice payload", "splice line 1", "splice line 2", "splice lines", "chunks", "move", "white space",
                                      "claims", "claims", "P", "cut to region", "zero region"])
    if kind == "flip":
        name, (start, end) = rng.choice(list(regions(data).items()))
        at, bit = rng.randrange(start, end), rng.randrange(8)
        return f"bit {bit} of byte {at} ({name}) flipped", data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]
    if kind == "cut":
        size = rng.choice([rng.randrange(len(data)), max(0, len(data) - rng.randint(1, 40)), max(0, len(data) - sealed)])
        return f"cut to {size}", data[:size]
    if kind == "cut to region":
        name, (start, _) = rng.choice(list(regions(data).items()))
        return f"cut before {name}", data[:start]
    if kind == "zero region":
        name, (start, end) = rng.choice(list(regions(data).items()))
        return f"{name} zeroed", data[:start] + bytes(end - start) + data[end:]
    if kind == "extend":
        extra = rng.choice([rng.randbytes(rng.randint(1, 40)), bytes(rng.randint(1, sealed)), payload[-sealed:]])
        return f"{len(extra)} bytes appended", data + extra
    if kind == "splice payload":
        return "payload of another file", writer.assemble(one, two, other_payload)
    if kind == "splice line 1":
        return "license of another file", writer.assemble(other_one, two, payload)
    if kind == "splice line 2":
        return "description of another file", writer.assemble(one, other_two, payload)
    if kind == "splice lines":
        return "license with description and payload of another file", writer.assemble(one, other_two, other_payload)
    if kind == "chunks" and len(payload) > 56 + sealed:
        chunks = [payload[at:at + sealed] for at in range(56, len(payload), sealed)]
        last = chunks.pop()
        rng.shuffle(chunks)
        if rng.random() < 0.5:
            chunks.pop()
        return "chunks shuffled or left out", writer.assemble(one, two, payload[:56] + b"".join(chunks) + last)
    if kind == "move":
        offset = -(-(14 + len(one) + len(two)) // 4096) * 4096 + 4096 * rng.randint(0, 5)
        return f"payload moved to {offset}", writer.assemble(one, two, payload, offset)
    if kind == "claims":
        return "claims changed", writer.assemble(edit_claims(rng, one), two, payload)
    if kind == "P":
        offset = rng.choice([0, 4096, 8192, 4097, 4 << 20, rng.getrandbits(32)])
        return f"P set to {offset}", data[:8] + offset.to_bytes(4, "little") + data[12:]
    return "white space in line 2", writer.assemble(one, two.replace(b",", b", "), payload)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bulla")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--skip-foreign", action="store_true")
    args = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if args.seed is None else args.seed
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="compare-") as work:
        run = Comparison(Bulla(args.bulla), Path(work), random.Random(seed))
        try:
            run.set_up()
            made: list[Sealed] = []
            while len(made) < args.count:
                made += run.make(args.count - len(made))
            for number, sealed in enumerate(made):
                run.whole(sealed)
                if number % 2:
                    run.damaged(sealed, made)
            if not args.skip_foreign:
                run.foreign()
        except (RuntimeError, OSError, StopIteration, subprocess.TimeoutExpired) as error:
            run.count(f"the comparison ended early: {error!r}")
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
