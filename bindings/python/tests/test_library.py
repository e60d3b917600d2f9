import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import bulla

from .office import ROOT


class Library(unittest.TestCase):
    """Each time another library, in a process of its own."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.folder = pathlib.Path(made.name)

    def stand_in(self, source):
        path = str(self.folder / "stand-in.so")
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-x", "c", "-o", path, "-"], input=source, check=True
        )
        return path

    def told(self, library, package=ROOT / "bindings/python"):
        environment = {**os.environ, "PYTHONPATH": str(package)}
        environment.pop("BULLA_LIBRARY")
        if library:
            environment["BULLA_LIBRARY"] = library
        program = (
            "import bulla\n"
            "try: print(bulla.version())\n"
            "except bulla.LibraryError as error:\n"
            "    assert isinstance(error, ImportError)\n"
            "    print(error)\n"
        )
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=self.folder,
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    def test_its_version_is_the_package_s(self):
        package = (ROOT / "bindings/python/pyproject.toml").read_text()
        self.assertIn(f'\nversion = "{bulla.version()}"\n', package)

    def test_missing(self):
        told = self.told("/no/such/libbulla.so")
        self.assertIn("Looked here:\n  /no/such/libbulla.so (BULLA_LIBRARY)", told)
        # Without the setting: beside the modules, then where the system looks.
        package = self.folder / "package"
        shutil.copytree(ROOT / "bindings/python/bulla", package / "bulla")
        told = self.told(None, package)
        if "cannot load" not in told:
            self.skipTest("the library is installed on this system")
        self.assertIn(str(package / "bulla" / "libbulla.so.0"), told)
        self.assertIn("where the system looks", told)
        shutil.copy(os.environ["BULLA_LIBRARY"], package / "bulla" / "libbulla.so.0")
        self.assertRegex(self.told(None, package), r"^\d+\.\d+\.\d+")

    def test_not_the_library(self):
        told = self.told(self.stand_in(b"int something_else(void) { return 0; }"))
        self.assertIn("is not the bulla library", told)
        text = self.folder / "text.so"
        text.write_text("no library")
        self.assertIn("text.so (BULLA_LIBRARY)", self.told(str(text)))

    def test_newer(self):
        told = self.told(self.stand_in(b"unsigned bulla_abi_version(void) { return 7; }"))
        self.assertIn("has ABI 7 and is newer than this package, which is for ABI 0", told)

    def test_older(self):
        told = self.told(self.stand_in(b"unsigned bulla_abi_version(void) { return 0; }"))
        self.assertIn("is older than this package", told)
        self.assertIn("bulla_session_start", told)
