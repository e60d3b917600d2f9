"""Every language seals, every other opens.

usage: matrix.py COMMAND FOLDER-OF-PARTIES [--large]

Each party is a program as README.md says. With --large: one file above 4 GiB, in memory where there
is enough, compared by its hash.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[1] / "examples" / "data"
KINDS = ("x25519", "hybrid")
CHUNK = 16384
#: Above 4 GiB, by four chunks and a bit.
LARGE = (1 << 32) + 4 * CHUNK + 4321


class Party:
    """A program, with homes of its own: locks do not reach from Linux into Wine."""

    def __init__(self, program, office, homes):
        self.name = program.name
        self._program = str(program)
        self._homes = {}
        for kind in KINDS:
            self._homes[kind] = str(homes / self.name / kind)
            shutil.copytree(office / kind, self._homes[kind])

    def run(self, kind, verb, *arguments):
        # Not through pipes: Wine's own processes would hold them open for seconds.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            program = [self._program, verb, self._homes[kind], *map(str, arguments)]
            status = subprocess.run(program, stdout=out, stderr=err).returncode
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(program, status, out.read(), err.read())

    def each(self, kind, verb, before, pairs):
        """All pairs in one process."""
        done = self.run(kind, verb, *before, *(path for pair in pairs for path in pair))
        if done.returncode != 0 or not all(to.exists() for _, to in pairs):
            raise Failure(
                f"{self.name} cannot {verb} {kind}: exit status {done.returncode}, "
                f"{done.stderr.strip()!r}"
            )


class Failure(Exception):
    pass


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def samples(folder):
    """Every sample of the examples, and the sizes at which chunks begin and end."""
    for path in sorted(DATA.iterdir()):
        shutil.copy(path, folder)
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, 64 * CHUNK):
        noise = hashlib.shake_256(str(size).encode()).digest(size)
        (folder / f"{size}-bytes").write_bytes(noise)


def large(folder):
    """Content of which no chunk is like another."""
    block = bytearray(hashlib.shake_256(b"large").digest(1 << 20))
    left = LARGE
    with open(folder / "large", "wb") as file:
        for number in range(LARGE // len(block) + 1):
            for at in range(0, len(block), CHUNK):
                block[at : at + 8] = (number * len(block) + at).to_bytes(8, "little")
            left -= file.write(block[:left])


def matrix(parties, office, work, pool):
    """Everybody seals everything; then everybody opens all of it."""
    plain, sealed = work / "plain", work / "sealed"
    files = sorted(plain.iterdir())
    hashes = {path.name: sha256(path) for path in files}

    def seal(party):
        for kind in KINDS:
            to = sealed / party.name / kind
            to.mkdir(parents=True)
            template = office / f"all-{kind}.template"
            party.each(kind, "seal", [template], [(path, to / path.name) for path in files])

    def open_all(party):
        out = work / "out" / party.name
        for kind in KINDS:
            out.mkdir(parents=True)
            pairs = {
                (by.name, path.name): out / f"{by.name}-{path.name}"
                for by in parties
                for path in files
            }
            party.each(
                kind,
                "open",
                [],
                [(sealed / by / kind / name, to) for (by, name), to in pairs.items()],
            )
            for (by, name), to in pairs.items():
                if sha256(to) != hashes[name]:
                    raise Failure(f"{party.name} opens {name} of {by}, {kind}, as another content")
            shutil.rmtree(out)
        return len(parties) * len(files) * len(KINDS)

    list(pool.map(seal, parties))
    return sum(pool.map(open_all, parties))


def reasons(lines):
    """The names of the conditions that failed."""
    for line in lines:
        if line.startswith("{"):
            yield from (reason["failed"] for reason in json.loads(line)["refused"])
        else:
            yield line.split("\t")[0]


def denials(parties, office, work):
    """Everybody is denied what the policy does not let out, and says why as data."""
    for kind in KINDS:
        path = work / f"nobody-{kind}.bulla"
        template = office / f"nobody-{kind}.template"
        parties[0].each(kind, "seal", [template], [(work / "plain" / "1-bytes", path)])
        for party in parties:
            done = party.run(kind, "deny", path)
            first, *rest = done.stdout.splitlines() or [""]
            told = (done.returncode, first, list(reasons(rest)))
            if told != (3, "403\tdenied", ["posture"]):
                raise Failure(f"{party.name} is not denied: {told}, {done.stderr.strip()!r}")
            # What may be opened is not denied, and a plain file is no sealed one.
            one = next((work / "sealed").glob(f"*/{kind}/1-bytes"))
            if party.run(kind, "deny", one).returncode == 3:
                raise Failure(f"{party.name} says that it is denied what it can open")
            done = party.run(kind, "open", DATA / "tickets.json", work / "none")
            if (done.returncode, done.stderr.strip()) != (1, "200\tnot-sealed"):
                raise Failure(f"{party.name} takes a plain file: {done.stderr.strip()!r}")


def one_large_file(parties, office, work):
    kind = KINDS[1]
    large(work / "plain")
    plain, sealed, out = work / "plain" / "large", work / "sealed", work / "out"
    wanted = sha256(plain)
    for by in parties:
        by.each(kind, "seal", [office / f"all-{kind}.template"], [(plain, sealed)])
        for party in parties:
            party.each(kind, "open", [], [(sealed, out)])
            if out.stat().st_size != LARGE or sha256(out) != wanted:
                raise Failure(f"{party.name} opens the large file of {by.name} as another content")
            out.unlink()
        sealed.unlink()
        print(f"ok {LARGE} bytes of {by.name}, by everybody", flush=True)


def room():
    """Where to work: in memory, if the three large files fit with as much again left."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir():
        free = os.statvfs(memory)
        told = pathlib.Path("/proc/meminfo").read_text().split("MemAvailable:")[1]
        if min(free.f_bavail * free.f_frsize, int(told.split()[0]) * 1024) > 4 * LARGE:
            return str(memory)
    return None


def main(command, folder, *options):
    with tempfile.TemporaryDirectory(dir=room() if options else None) as made:
        work = pathlib.Path(made)
        office = work / "office"
        subprocess.run(["sh", HERE / "office.sh", command, office], check=True)
        parties = [Party(p, office, work / "homes") for p in sorted(pathlib.Path(folder).iterdir())]
        names = " ".join(party.name for party in parties)
        (work / "plain").mkdir()
        if options == ("--large",):
            one_large_file(parties, office, work)
            print(f"interop: {names}: each opens a file above 4 GiB of each")
            return
        samples(work / "plain")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            opened = matrix(parties, office, work, pool)
        denials(parties, office, work)
        print(f"interop: {names}: each opens what each seals, {opened} times; each is denied")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        sys.exit(f"interop: {failure}")
