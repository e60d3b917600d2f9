import errno
import os
import pathlib
import pickle
import subprocess
import sys
import unittest
from unittest import mock

import bulla
from bulla import _abi, errors

from .office import CARDS, ROOT, InOffice, noise


class Errors(InOffice):
    def test_kinds(self):
        with self.assertRaises(FileNotFoundError) as caught:
            self.open("nowhere")
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        self.assertIsInstance(caught.exception, bulla.Error)
        pathlib.Path("plain.txt").write_text("just text")
        with self.assertRaises(bulla.NotSealedError) as caught:
            self.open("plain.txt")
        error = caught.exception
        self.assertEqual((error.code, error.name, error.decision), (200, "not-sealed", None))
        self.assertNotIn("plain.txt", str(error))
        with self.assertRaises(bulla.StateError) as caught:
            bulla.Session("nobody")
        self.assertEqual(caught.exception.code, bulla.Code.HOME_INCOMPLETE)
        for wrong in (None, "wrong"):
            with self.assertRaises(bulla.TamperedError) as caught:
                bulla.Session("locked", passphrase=wrong)
            self.assertEqual(caught.exception.name, "wrong-passphrase")
        bulla.Session("locked", passphrase="correct horse").close()

    def test_a_denial_has_its_reasons(self):
        self.seal(CARDS, policy="nobody")
        with self.assertRaises(PermissionError) as caught:
            self.open()
        error = caught.exception
        self.assertEqual((error.code, error.errno), (bulla.Code.DENIED, errno.EACCES))
        failed = [(reason["failed"], reason["cause"]) for reason in error.reasons]
        self.assertEqual(failed, [("posture", "unknown")])
        self.assertEqual(error.decision["rights"], [])
        # The same of a program that asks first.
        told = self.session().explain("cards.bulla")
        self.assertEqual(told["refused"], error.reasons)
        with self.assertRaises(bulla.ArgumentError):
            self.session().explain("cards.bulla", {"tim": 1})

    def test_a_changed_file(self):
        self.seal(noise(100_000))
        raw = bytearray(pathlib.Path("cards.bulla").read_bytes())
        raw[len(raw) - 60_000] ^= 1
        pathlib.Path("cards.bulla").write_bytes(raw)
        file = self.open()
        with self.assertRaises(bulla.TamperedError) as caught:
            file.read()
        self.assertEqual(caught.exception.code, bulla.Code.BAD_CHUNK)
        with self.assertRaises(bulla.StateError):
            file.read()
        pathlib.Path("cards.bulla").write_bytes(raw[:-30])
        with self.assertRaises(bulla.Error) as caught:
            self.open()
        self.assertIn(caught.exception.code, (bulla.Code.BAD_LENGTH, bulla.Code.BAD_CHUNK))

    def test_every_code_has_a_kind(self):
        kinds = {
            1: ValueError, 100: OSError, 103: PermissionError, 104: OSError, 205: ValueError,
            305: bulla.TamperedError, 412: PermissionError, 505: bulla.StateError,
            900: bulla.InternalError, 999: bulla.InternalError, 450: bulla.DeniedError,
        }  # fmt: skip
        for code, kind in kinds.items():
            self.assertIsInstance(errors.of(code, "m", "n"), kind)
        self.assertEqual(errors.of(104, "m", "n").errno, errno.ENOSPC)
        self.assertEqual(errors.of(450, "m", "n").code, 450)

    def test_exceptions_travel(self):
        for code in (1, 101, 403, 500):
            sent = errors.of(code, "what happened", "a-name", {"refused": [{"failed": "hours"}]})
            got = pickle.loads(pickle.dumps(sent))
            self.assertIs(type(got), type(sent))
            self.assertEqual((str(got), got.code, got.reasons), (str(sent), code, sent.reasons))

    def test_use_after_close(self):
        self.seal(CARDS)
        session, file, sealer = self.session(), self.open(), self.sealer()
        for each in (file, session, sealer):
            each.close()
            each.close()
        for call in (
            lambda: file.read(1), lambda: file.readinto(bytearray(1)), lambda: file.read_at(0, 1),
            lambda: file.seek(0), lambda: file.rights, lambda: file.save(), lambda: file.id,
            lambda: session.open("cards.bulla"), lambda: session.device, session.refresh,
            lambda: sealer.begin("n.bulla"), lambda: bulla.Sealer.from_template(session, "t"),
        ):  # fmt: skip
            self.assertRaises(ValueError, call)
        with self.assertRaises(bulla.ClosedError) as caught:
            session.refresh()
        self.assertEqual(caught.exception.code, bulla.Code.BAD_STATE)

    def calls_with(self, bad):
        return (
            lambda: bulla.Session("x25519", passphrase=bad),
            lambda: bulla.Session("x25519", attestations=[bad]),
            lambda: bulla.Session(bad),
            lambda: self.session().open(bad),
            lambda: self.session().use_badge(bad),
            lambda: self.sealer(passphrase=bad),
            lambda: self.sealer().begin("n.bulla", bulla.Metadata(bad)),
            lambda: bulla.inspect(bad),
        )

    def test_texts_are_strict(self):
        self.seal(CARDS)
        for each in ("a\0b", "a\ud800b"):
            for call in self.calls_with(each):
                with self.assertRaises(bulla.ArgumentError):
                    call()

        for no_text in (7, b"bytes"):
            self.assertRaises(TypeError, bulla.Session, "x25519", ticket=no_text)
        self.assertRaises(TypeError, bulla.Session, "x25519", duties="watermark")
        with self.assertRaises(bulla.ArgumentError):
            bulla.Session("x25519", ticket="")

    @unittest.skipIf(sys.platform == "win32", "paths are UTF-16 there")
    def test_paths_that_are_not_utf8(self):
        self.seal(CARDS)
        odd = b"caf\xe9.bulla"
        os.rename("cards.bulla", odd)
        for path in (odd, os.fsdecode(odd), pathlib.Path(os.fsdecode(odd))):
            with self.assertRaises(bulla.ArgumentError) as caught:
                self.session().open(path)
            self.assertIn("file descriptor", str(caught.exception))
        with open(odd, "rb") as raw, self.session().open(raw.fileno()) as file:
            self.assertEqual(file.read(), CARDS)
            with self.assertRaises(bulla.StateError):
                file.save()
        korean = "고객 카드.bulla"
        os.rename(odd, korean)
        for path in (korean, korean.encode(), pathlib.Path(korean)):
            with self.session().open(path) as file:
                self.assertEqual(file.read(), CARDS)
        for bad in (-1, 2**31, 2**32):
            with self.assertRaises(bulla.ArgumentError):
                self.session().open(bad)

    def test_paths_of_windows(self):
        """The functions that take UTF-16 do so everywhere, but only for what is well formed."""
        with mock.patch("bulla._call.WINDOWS", True):
            sealer, korean = self.sealer(), "고객 🗎.csv"
            with sealer.begin(korean + ".bulla") as writer:
                writer.write(CARDS)
            with self.open(korean + ".bulla") as file:
                self.assertEqual(file.export(korean), len(CARDS))
            sealer.seal_file(korean, "again.bulla")
            self.assertEqual(bulla.inspect(pathlib.Path("again.bulla")).content_size, len(CARDS))
            for bad in ("a\0b", "a\ud800b"):
                with self.assertRaises(bulla.ArgumentError):
                    self.open(bad)
        self.assertEqual(pathlib.Path(korean).read_bytes(), CARDS)

    def test_trails(self):
        self.seal(CARDS)
        self.open()
        self.assertGreater(self.session().verify_trail()["records"], 0)
        trail = pathlib.Path("x25519/trail.jsonl").read_bytes()
        self.assertEqual(bulla.verify_trail("x25519/trail.jsonl")["device"], self.session().device)
        pathlib.Path("changed.jsonl").write_bytes(trail.replace(b'"opened"', b'"closed"', 1))
        with self.assertRaises(bulla.DeniedError) as caught:
            bulla.verify_trail("changed.jsonl")
        self.assertEqual(caught.exception.code, bulla.Code.BAD_TRAIL)

    def test_windows_only(self):
        if sys.platform != "win32":
            for call in (bulla.protect_window, bulla.guard_clipboard):
                with self.assertRaises(bulla.StateError) as caught:
                    call(1)
                self.assertEqual(caught.exception.code, bulla.Code.NOT_SUPPORTED)


class Layout(unittest.TestCase):
    def test_structs_are_those_of_the_header(self):
        lines = ['#include "bulla.h"', "#include <stdio.h>", "int main(void) {"]
        wanted = []
        for name, struct in _abi.STRUCTS.items():
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            wanted.append(f"{name} {_abi.ctypes.sizeof(struct)}")
            for field, *_ in struct._fields_:
                lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
                wanted.append(f"{name}.{field} {getattr(struct, field).offset}")
        source = "\n".join([*lines, "return 0; }"])
        program = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"bulla-layout-{os.getpid()}")
        self.addCleanup(os.remove, program)
        subprocess.run(
            ["cc", "-x", "c", "-o", program, f"-I{ROOT}/include", "-"],
            input=source.encode(), check=True,
        )  # fmt: skip
        told = subprocess.run([program], capture_output=True, check=True, text=True).stdout
        self.assertEqual(told.splitlines(), wanted)
