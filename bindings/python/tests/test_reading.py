import csv
import io
import os
import sqlite3
import zipfile

import pandas

import bulla

from .office import CARDS, InOffice, noise


class Reading(InOffice):
    def test_every_way_of_reading(self):
        data = noise(100_000)
        self.seal(data)
        file = self.open()
        self.assertEqual(file.size, len(data))
        self.assertEqual(file.read(10), data[:10])
        self.assertEqual(file.tell(), 10)
        buffer = bytearray(40_000)
        self.assertEqual(file.readinto(buffer), 40_000)
        self.assertEqual(buffer, data[10:40_010])
        self.assertEqual(file.read_at(16_380, 20), data[16_380:16_400])
        self.assertEqual(file.tell(), 40_010)
        self.assertEqual(file.seek(-5, io.SEEK_END), 99_995)
        self.assertEqual(file.read(), data[-5:])
        self.assertEqual(file.read(), b"")
        self.assertEqual(file.seek(5), 5)
        self.assertEqual(file.seek(5, io.SEEK_CUR), 10)
        self.assertEqual(file.readall(), data[10:])
        self.assertEqual(file.readinto(memoryview(buffer)[:0]), 0)
        wide = memoryview(bytearray(8)).cast("Q")
        self.assertEqual(file.readinto_at(8, wide), 8)
        self.assertEqual(wide.tobytes(), data[8:16])
        with self.assertRaises(TypeError):
            file.readinto(b"read only")

    def test_beyond_the_end(self):
        self.seal(b"short")
        file = self.open()
        for far in (5, 6, 2**39, 2**39 + 1, 2**63 - 1):
            self.assertEqual(file.seek(far), far)
            self.assertEqual(file.read(10), b"")
            self.assertEqual(file.read_at(far, 10), b"")
        # What does not fit into 63 bits must not come round and read elsewhere.
        for bad in (-1, 2**63, 2**64, 2**64 + 1):
            with self.assertRaises(bulla.ArgumentError) as caught:
                file.read_at(bad, 1)
            self.assertEqual(caught.exception.code, bulla.Code.BAD_ARGUMENT)
            with self.assertRaises(ValueError):
                file.seek(bad)
        with self.assertRaises(ValueError):
            file.seek(0, 7)
        self.assertEqual(file.tell(), 2**63 - 1)
        # Asking for a lot allocates what there is.
        file.seek(0)
        self.assertEqual(file.read(2**62), b"short")

    def test_empty(self):
        self.seal(b"")
        file = self.open()
        self.assertEqual((file.size, file.read(), file.readinto(bytearray(4))), (0, b"", 0))

    def test_csv(self):
        self.seal(CARDS)
        with self.open().text(newline="") as text:
            self.assertEqual([row["name"] for row in csv.DictReader(text)], ["Kim", "Lee"])
        self.assertTrue(text.closed)

    def test_pandas(self):
        self.seal(CARDS)
        table = pandas.read_csv(self.open())
        self.assertEqual(list(table["ssn"]), [900101, 910202])

    def test_zipfile(self):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("a.txt", b"first")
            archive.writestr("b.txt", b"second" * 10_000)
        self.seal(held.getvalue())
        with zipfile.ZipFile(self.open()) as archive:
            self.assertEqual(archive.read("b.txt"), b"second" * 10_000)

    def test_sqlite(self):
        if not hasattr(sqlite3.Connection, "deserialize"):
            self.skipTest("needs Python 3.11")
        made = sqlite3.connect(":memory:")
        made.execute("create table cards (name)")
        made.execute("insert into cards values ('Kim')")
        made.commit()
        self.seal(made.serialize())
        made.close()
        opened = sqlite3.connect(":memory:")
        opened.deserialize(self.open().read())
        self.assertEqual(opened.execute("select name from cards").fetchall(), [("Kim",)])
        opened.close()

    def test_buffered(self):
        data = noise(70_000)
        self.seal(data)
        with self.open().buffered(1000) as reader:
            self.assertEqual(reader.read(3), data[:3])
            self.assertEqual(reader.peek(1)[:1], data[3:4])
            reader.seek(69_999)
            self.assertEqual(reader.read(), data[-1:])

    def test_what_it_says_of_itself(self):
        original = bulla.Metadata("고객.csv", "text/csv", None, -5)
        with self.sealer().begin("cards.bulla", original) as writer:
            writer.write(CARDS)
        file = self.open()
        self.assertEqual(file.metadata, original)
        self.assertEqual((file.id, file.revision), (writer.id, 1))
        self.assertEqual(len(file.id), 32)
        told = bulla.inspect("cards.bulla")
        self.assertEqual(told.content_size, len(CARDS))
        self.assertIn(file.id, str(told.claims))
        with open("cards.bulla", "rb") as raw:
            self.assertEqual(bulla.inspect(raw), told)
            raw.seek(0)
            envelope = raw.read()
        self.assertEqual(bulla.inspect_bytes(envelope), told)
        self.assertEqual(bulla.inspect_bytes(bytearray(envelope)), told)
        self.assertTrue(bulla.is_sealed(envelope[:8]))
        self.assertFalse(bulla.is_sealed(CARDS) or bulla.is_sealed(b""))

    def test_rights_and_duties(self):
        self.seal(CARDS, policy="masked")
        duties = bulla.Duty.WATERMARK | bulla.Duty.MASK
        file = self.open(duties=duties)
        self.assertEqual(file.rights, bulla.Right.VIEW | bulla.Right.PRINT)
        self.assertTrue(file.may(bulla.Right.PRINT) and not file.may(bulla.Right.EXPORT))
        self.assertEqual(file.duties(bulla.Right.VIEW), bulla.Duties(duties, ("phone", "ssn")))
        self.assertIn("T-1", file.watermark())
        self.assertGreater(file.until, 1_700_000_000)
        self.assertEqual(file.decision["rights"][0]["right"], "view")
        file.use(bulla.Right.PRINT)
        for right in (bulla.Right.COPY, bulla.Right.EXPORT):
            with self.assertRaises(bulla.DeniedError) as caught:
                file.use(right)
            self.assertEqual(caught.exception.code, bulla.Code.MISSING_RIGHT)
        with self.assertRaises(bulla.DeniedError):
            file.export("plain.csv")
        self.assertFalse(os.path.exists("plain.csv"))
        for right in (0, 3, 2**32 + 4, bulla.Right.VIEW):
            with self.assertRaises(bulla.ArgumentError):
                file.use(right)
        session = self.session(duties=duties)
        with self.assertRaises(bulla.DeniedError) as caught:
            session.open("cards.bulla", right=bulla.Right.EXPORT)
        self.assertEqual(caught.exception.code, bulla.Code.MISSING_RIGHT)
        # Without the duties there are no rights; named, they may come from tomorrow.
        with self.assertRaises(bulla.DeniedError):
            self.open()
        self.open(duties=["watermark", "mask", "a-duty-of-tomorrow"])
