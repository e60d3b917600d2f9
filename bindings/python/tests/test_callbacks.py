import io
import os
import subprocess
import sys
import threading

import bulla

from .office import CARDS, ROOT, InOffice, noise


class Mine(Exception):
    pass


class Failing(io.BytesIO):
    """A file whose `fail_at`th read, seek or write raises."""

    error = None

    def __init__(self, *data, fail_at=0):
        super().__init__(*data)
        self.left = fail_at

    def _count(self):
        self.left -= 1
        if self.left == 0:
            self.error = Mine("in a callback")
            raise self.error

    def read(self, size=-1):
        self._count()
        return super().read(size)

    def write(self, data):
        self._count()
        return super().write(data)


class Callbacks(InOffice):
    def envelope(self, data, policy="all"):
        out = io.BytesIO()
        self.sealer(policy).seal_bytes(data, out)
        return out

    def test_files_of_the_program(self):
        data = noise(100_000)
        envelope = self.envelope(data)
        with self.session().open(envelope) as file:
            self.assertEqual(file.read(), data)
            with self.assertRaises(bulla.StateError):
                file.save()
            new = io.BytesIO()
            with file.save(new) as writer:
                writer.write(b"new")
        self.assertFalse(envelope.closed)
        with self.session().open(new) as file:
            self.assertEqual((file.read(), file.revision), (b"new", 2))

    def test_the_original_exception_comes_back(self):
        data = noise(300_000)
        envelope = self.envelope(data).getvalue()
        session = self.session()
        failed = 0
        for at in range(1, 12):
            raw = Failing(envelope, fail_at=at)
            try:
                with session.open(raw) as file:
                    file.read()
            except Mine as error:
                self.assertIs(error, raw.error)
                failed += 1
        self.assertGreater(failed, 2)
        # Long after the opening, and the file goes on when the trouble is over.
        raw = Failing(envelope)
        with session.open(raw) as file:
            raw.left = 1
            with self.assertRaises(Mine):
                file.read_at(200_000, 10)
            self.assertEqual(file.read_at(200_000, 10), data[200_000:200_010])
        for at in (1, 2):
            out = Failing(fail_at=at)
            with self.assertRaises(Mine) as caught:
                with self.sealer().begin(out) as writer:
                    writer.write(data)
            self.assertIs(caught.exception, out.error)
        with self.open(self.seal(data)) as file:
            with self.assertRaises(Mine):
                file.export(Failing(fail_at=1))

    def test_interrupts_come_back(self):
        def interrupt(done, total):
            raise KeyboardInterrupt

        with self.open(self.seal(noise(3_000_000))) as file:
            with self.assertRaises(KeyboardInterrupt):
                file.export("plain.bin", progress=interrupt)
        self.assertFalse(os.path.exists("plain.bin"))

    def test_interrupts_at_the_entry_come_back(self):
        """Before the first line of a callback: ctypes alone sees that, and tells nobody."""
        data = noise(3_000_000)
        envelope = self.envelope(data)
        session, sealer = self.session(), self.sealer()
        file = self.open(self.seal(data))

        def save():
            with file.save(io.BytesIO()) as writer:
                try:
                    writer.write(data)
                except KeyboardInterrupt:
                    with self.assertRaises(bulla.ClosedError):
                        writer.commit()
                    raise

        def read():
            with session.open(envelope) as file:
                file.read()

        def export():
            file.export("plain.bin", replace=True, progress=lambda done, total: None)

        ways = [
            (("_read_at", "_size"), read),
            (("_write",), lambda: file.export(io.BytesIO())),
            (("_write",), lambda: sealer.seal_bytes(data, io.BytesIO())),
            (("_write",), save),
            (("_progress",), export),
        ]
        theirs = []
        before = sys.unraisablehook
        self.addCleanup(setattr, sys, "unraisablehook", before)
        sys.unraisablehook = theirs.append
        for names, way in ways:
            for name in names:
                for at in range(1, 4):
                    struck = []

                    def strike(frame, event, argument, name=name, at=at, struck=struck):
                        if event == "call" and frame.f_code.co_name == name:
                            struck.append(name)
                            if len(struck) == at:
                                raise KeyboardInterrupt

                    sys.setprofile(strike)
                    try:
                        way()
                    except KeyboardInterrupt:
                        self.assertGreaterEqual(len(struck), at)
                    else:
                        self.assertLess(len(struck), at, f"{name} {at}: the interrupt is lost")
                    finally:
                        sys.setprofile(None)
            way()  # the failures of one call are not those of the next
        self.assertEqual(theirs, [])

        class Unlucky:
            def __del__(self):
                raise Mine

        Unlucky()
        self.assertEqual([each.exc_type for each in theirs], [Mine])

    def test_files_that_lie(self):
        envelope = self.envelope(CARDS).getvalue()

        class Lying(io.BytesIO):
            def read(self, size=-1):
                return self.answer(super().read(size))

        for answer, kind in (
            (lambda data: data + b"more", ValueError),
            (lambda data: None, BlockingIOError),
            (lambda data: "text", TypeError),
            (lambda data: b"", bulla.Error),
        ):
            raw = Lying(envelope)
            raw.answer = answer
            with self.assertRaises(kind):
                self.session().open(raw)
        with self.assertRaises(AttributeError):
            self.session().open(object())

    def test_short_writes_and_silent_ones(self):
        class Short(io.BytesIO):
            def write(self, data):
                return super().write(data[:7])

        class Silent(io.BytesIO):
            def write(self, data):
                super().write(data)

        class Stuck(io.RawIOBase):
            def write(self, data):
                return None

        for kind in (Short, Silent):
            out = kind()
            self.sealer().seal_bytes(CARDS, out)
            with self.session().open(out) as file:
                self.assertEqual(file.read(), CARDS)
        with self.assertRaises(BlockingIOError):
            self.sealer().seal_bytes(CARDS, Stuck())

    def test_a_call_inside_a_callback(self):
        session, path = self.session(), self.seal(CARDS)
        envelope = self.envelope(CARDS).getvalue()

        class Nested(io.BytesIO):
            def read(self, size=-1):
                try:
                    session.open("nowhere")
                except bulla.NotFoundError:
                    pass
                with session.open(path) as file:
                    file.read()
                return super().read(size)

        with session.open(Nested(envelope)) as file:
            self.assertEqual(file.read(), CARDS)

    def test_a_failure_inside_a_callback_stays_there(self):
        session = self.session()
        envelope = self.envelope(CARDS).getvalue()

        class Nested(io.BytesIO):
            def read(self, size=-1):
                try:
                    session.open(Failing(envelope, fail_at=1))
                except Mine:
                    return b""  # cut: the library's own failure

        with self.assertRaises(bulla.Error):
            session.open(Nested(envelope))

    def test_a_failing_file_does_not_hide_why(self):
        out = Failing()
        with self.assertRaises(Mine):
            with self.sealer().begin(out).text() as text:
                out.left = 1
                for _ in range(100):
                    text.write("x" * 40_000)

    def test_closing_inside_a_callback(self):
        envelope = self.envelope(noise(100_000)).getvalue()

        class Closing(io.BytesIO):
            file = None

            def read(self, size=-1):
                if self.file:
                    self.file.close()
                return super().read(size)

        raw = Closing(envelope)
        with self.session().open(raw) as file:
            raw.file = file
            self.assertEqual(len(file.read()), 100_000)
            with self.assertRaises(ValueError):
                file.read()

    def test_nothing_is_kept(self):
        from bulla import _callbacks

        before = dict(_callbacks._objects)
        with self.session().open(self.envelope(CARDS)) as file:
            self.assertGreater(len(_callbacks._objects), len(before))
            file.read()
        with self.open(self.seal(CARDS)) as file:
            file.export("plain.bin", progress=lambda done, total: None)
        for bad in (b"", b"not sealed at all"):
            with self.assertRaises(bulla.FormatError):
                self.session().open(io.BytesIO(bad))
        self.assertEqual(_callbacks._objects, before)

    def test_the_end_of_the_interpreter(self):
        """What is left open then neither crashes nor leaves a file."""
        self.envelope_path = self.seal(CARDS)
        program = (
            "import bulla, io\n"
            "session = bulla.Session('x25519')\n"
            "sealer = bulla.Sealer.from_template(session, open('all-x25519.template').read())\n"
            "file = session.open(io.BytesIO(open('cards.bulla', 'rb').read()))\n"
            "first, second = sealer.begin(io.BytesIO()), sealer.begin('left.bulla')\n"
            "first.write(b'x'); second.write(b'x')\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")}
        before = sorted(os.listdir())
        ended = subprocess.run([sys.executable, "-c", program], env=environment)
        self.assertEqual(ended.returncode, 0)
        self.assertEqual(sorted(os.listdir()), before)


class Threads(InOffice):
    def test_one_file(self):
        data = noise(2_000_000)
        self.seal(data)
        file = self.open()
        pieces, wrong = [], []

        def positions():
            while True:
                piece = file.read(4096)
                if not piece:
                    return
                pieces.append(piece)

        def offsets(seed):
            for i in range(200):
                at = (i * 7919 * seed) % len(data)
                if file.read_at(at, 5000) != data[at : at + 5000]:
                    wrong.append(at)

        threads = [threading.Thread(target=positions) for _ in range(2)]
        threads += [threading.Thread(target=offsets, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        # Each block was given once, whole.
        blocks = [data[i : i + 4096] for i in range(0, len(data), 4096)]
        self.assertEqual(sorted(pieces), sorted(blocks))

    def test_close_during_a_read(self):
        out = io.BytesIO()
        self.sealer().seal_bytes(noise(100_000), out)
        inside, go_on = threading.Event(), threading.Event()

        class Slow(io.BytesIO):
            slow = False

            def read(self, size=-1):
                if self.slow:
                    inside.set()
                    go_on.wait(10)
                return super().read(size)

        raw = Slow(out.getvalue())
        file = self.session().open(raw)
        raw.slow = True
        got = []
        reader = threading.Thread(target=lambda: got.append(len(file.read_at(0, 100_000))))
        reader.start()
        self.assertTrue(inside.wait(10))
        file.close()
        with self.assertRaises(ValueError):
            file.read_at(0, 1)
        go_on.set()
        reader.join()
        self.assertEqual(got, [100_000])

    def test_two_threads_write(self):
        writer = self.sealer().begin("cards.bulla")
        errors = []

        def write():
            for _ in range(200):
                try:
                    writer.write(b"x" * 10_000)
                except (bulla.StateError, ValueError) as error:
                    errors.append(error)

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.close()
        self.assertFalse(os.path.exists("cards.bulla"))
