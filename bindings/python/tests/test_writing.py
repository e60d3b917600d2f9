import csv
import io
import os
import zipfile

import pandas

import bulla

from .office import CARDS, InOffice, noise


class Writing(InOffice):
    def test_clean_end_commits(self):
        with self.sealer().begin("cards.bulla") as writer:
            self.assertEqual(writer.write(CARDS[:5]), 5)
            writer.write(bytearray(CARDS[5:9]))
            writer.write(memoryview(CARDS)[9:])
            writer.write(b"")
            self.assertEqual(writer.tell(), len(CARDS))
            self.assertFalse(os.path.exists("cards.bulla"))
        self.assertEqual(self.open().read(), CARDS)
        for call in (writer.commit, writer.tell, lambda: writer.write(b"x")):
            with self.assertRaises(ValueError):
                call()

    def test_exception_leaves_no_file(self):
        before = sorted(os.listdir())
        for wrapped in (lambda w: w, lambda w: w.text(), lambda w: io.BufferedWriter(w)):
            with self.assertRaises(ZeroDivisionError):
                with self.sealer().begin("cards.bulla") as writer, wrapped(writer) as out:
                    out.write("text" if isinstance(out, io.TextIOBase) else b"bytes")
                    raise ZeroDivisionError
            self.assertEqual(sorted(os.listdir()), before)

    def test_no_commit_leaves_no_file(self):
        before = sorted(os.listdir())
        writer = self.sealer().begin("cards.bulla")
        writer.write(CARDS)
        writer.close()
        writer.close()
        self.assertEqual(sorted(os.listdir()), before)
        self.seal(b"old")
        text = self.sealer().begin("cards.bulla", replace=True).text()
        text.write("never" * 100_000)
        text.close()
        self.assertEqual(self.open().read(), b"old")

    def test_text_and_archives(self):
        with self.sealer().begin("cards.bulla").text(newline="") as out:
            csv.writer(out).writerows([["name"], ["Kim"]])
        self.assertEqual(self.open().read(), b"name\r\nKim\r\n")
        with self.sealer().begin("table.bulla") as out:
            pandas.DataFrame({"name": ["Kim"]}).to_csv(out, index=False)
        self.assertEqual(self.open("table.bulla").read(), b"name\nKim\n")
        with self.sealer().begin("zip.bulla") as out, zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.txt", b"inside")
        with zipfile.ZipFile(self.open("zip.bulla")) as archive:
            self.assertEqual(archive.read("a.txt"), b"inside")

    def test_existing_files(self):
        self.seal(b"old")
        with self.assertRaises(bulla.ExistsError) as caught:
            self.sealer().begin("cards.bulla")
        self.assertIsInstance(caught.exception, FileExistsError)
        with self.sealer().begin("cards.bulla", replace=True) as writer:
            writer.write(b"new")
        self.assertEqual(self.open().read(), b"new")

    def test_saving(self):
        self.seal(b"old")
        file, late = self.open(), self.open().save(metadata=bulla.Metadata("renamed.csv"))
        with file.save() as writer:
            writer.write(b"new")
        self.assertEqual(file.read(), b"old")
        with self.assertRaises(bulla.StateError) as caught:
            late.commit()
        self.assertEqual(caught.exception.code, bulla.Code.CHANGED_MEANWHILE)
        file = self.open()
        self.assertEqual((file.read(), file.revision), (b"new", 2))
        self.seal(b"old", "viewed.bulla", "view")
        with self.assertRaises(bulla.DeniedError):
            self.open("viewed.bulla").save()

    def test_sealing_files(self):
        with open("cards.csv", "wb") as plain:
            plain.write(CARDS)
        sealer = self.sealer(batch=True, session=self.session())
        seen = []
        made = sealer.seal_file("cards.csv", "cards.bulla", progress=lambda *at: seen.append(at))
        self.assertEqual(seen[-1], (len(CARDS), len(CARDS)))
        file = self.open()
        self.assertEqual((file.id, file.metadata.name), (made, "cards.csv"))
        with self.assertRaises(bulla.NotFoundError):
            sealer.seal_file("nowhere", "n.bulla")
        with self.assertRaises(bulla.StateError) as caught:
            sealer.seal_file("cards.csv", "n.bulla", progress=lambda done, total: False)
        self.assertEqual(caught.exception.code, bulla.Code.CANCELLED)
        self.assertFalse(os.path.exists("n.bulla"))

    def test_templates(self):
        with open("all-x25519.template") as file:
            template = file.read()
        session = self.session()
        with bulla.Sealer.from_template(session, template) as sealer:
            sealer.seal_bytes(CARDS, "cards.bulla")
        self.assertEqual(self.open().read(), CARDS)
        with self.assertRaises(bulla.FormatError) as caught:
            bulla.Sealer.from_template(session, "no template")
        self.assertEqual(caught.exception.code, bulla.Code.BAD_TOKEN)

    def test_policies_as_data(self):
        policy = {"version": 1, "name": "p", "grants": [{"to": ["anyone"], "rights": ["view"]}]}
        with open("x25519/identity.pub") as file:
            lines = file.read().splitlines()
        with bulla.Sealer(policy, lines, home="issuer") as sealer:
            sealer.seal_bytes(CARDS, "cards.bulla")
        self.assertEqual(self.open().rights, bulla.Right.VIEW)
        for bad, kind in (("{", bulla.ArgumentError), ({}, bulla.ArgumentError)):
            with self.assertRaises(kind) as caught:
                bulla.Sealer(bad, lines, home="issuer")
            self.assertEqual(caught.exception.code, bulla.Code.BAD_POLICY)
        for none in ([], ""):
            with self.assertRaises(bulla.ArgumentError):
                bulla.Sealer(policy, none, home="issuer")

    def test_export(self):
        data = noise(3_000_000)
        self.seal(data)
        file = self.open()
        self.assertEqual(file.export("plain.bin"), len(data))
        with self.assertRaises(bulla.ExistsError):
            file.export("plain.bin")
        out = io.BytesIO()
        self.assertEqual(file.export(out), len(data))
        self.assertEqual(out.getvalue(), data)
        with open("fd.bin", "wb") as raw:
            file.export(raw.fileno())
        for name in ("plain.bin", "fd.bin"):
            with open(name, "rb") as raw:
                self.assertEqual(raw.read(), data)

    def test_times_are_not_cut(self):
        for bad in (2**53 + 1, 2**64, -(2**53) - 1):
            with self.assertRaises(bulla.ArgumentError):
                self.sealer().begin("cards.bulla", bulla.Metadata(created=bad))
