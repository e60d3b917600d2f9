"""An issuer and a desk, each test in a folder of its own."""

import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import warnings

import bulla

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = os.environ["BULLA"]
CARDS = b"name,phone,ssn\r\nKim,010-1,900101\r\nLee,010-2,910202\r\n"

_made = tempfile.TemporaryDirectory()
atexit.register(_made.cleanup)
_script = str(ROOT / "bindings/interop/office.sh")
subprocess.run(["sh", _script, COMMAND, _made.name + "/office"], check=True)


def noise(size, seed=1):
    """Bytes that are the same for the same seed, no part like another."""
    import random

    return random.Random(seed).randbytes(size)


class InOffice(unittest.TestCase):
    """Each test in a copy of the office, and with no handle left to the garbage collector."""

    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        shutil.copytree(_made.name + "/office", where.name + "/office")
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(where.name + "/office")
        caught = warnings.catch_warnings(record=True)
        leaks = caught.__enter__()
        warnings.simplefilter("always", ResourceWarning)
        self.addCleanup(self._no_leaks, caught, leaks)

    def _no_leaks(self, caught, leaks):
        caught.__exit__(None, None, None)
        told = [str(leak.message) for leak in leaks if leak.category is ResourceWarning]
        self.assertEqual(told, [])

    def session(self, **options):
        session = bulla.Session("x25519", ticket="T-1", **options)
        self.addCleanup(session.close)
        return session

    def sealer(self, policy="all", **options):
        text = pathlib.Path(policy + ".json").read_text()
        to = pathlib.Path("x25519/identity.pub").read_text()
        sealer = bulla.Sealer(text, to, home="issuer", label="cards", **options)
        self.addCleanup(sealer.close)
        return sealer

    def seal(self, data, path="cards.bulla", policy="all"):
        self.sealer(policy).seal_bytes(data, path, replace=True)
        return path

    def open(self, path="cards.bulla", **options):
        file = self.session(**options).open(path)
        self.addCleanup(file.close)
        return file
