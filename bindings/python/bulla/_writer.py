"""New content of a sealed file."""

from __future__ import annotations

import io
from ctypes import byref, c_char_p, c_void_p
from types import TracebackType
from typing import Any, Optional

from . import _call
from ._handle import Handle, warn_unclosed
from .errors import Error


class Writer(io.RawIOBase):
    """Seals what is written. The file is there after ``commit``, whole, or not at all.

    In a ``with`` statement a clean end commits; an exception leaves no file, and what was to be
    replaced stays as it was. So does ``close`` without ``commit``. One thread at a time.
    """

    #: The id of the file that is written: 32 hex characters.
    id: str

    def __init__(self, handle: c_void_p, *kept: Any) -> None:
        super().__init__()
        self._position = 0
        self._handle = Handle("writer", handle, *kept)
        out = c_char_p()
        _call.call("writer_file_id", handle, byref(out))
        self.id = (out.value or b"").decode()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Takes all of it. After an error, nothing will be left."""
        self._check_open()
        given = _call.Pointed(data)
        try:
            with self._handle.use() as handle:
                _call.call("writer_write", handle, given.argument, given.length)
        except Error:
            raise
        except BaseException:
            # A callback's: the library may not know that bytes are missing.
            self._handle.close()
            raise
        self._position += given.length
        return given.length

    def tell(self) -> int:
        """How much was written."""
        self._check_open()
        return self._position

    def commit(self) -> None:
        """Writes the last part, syncs, puts the file in place, and closes."""
        self._check_open()
        try:
            with self._handle.use() as handle:
                _call.call("writer_finish", handle)
        finally:
            self.close()

    def close(self) -> None:
        """Gives up, unless it was committed: nothing is left behind."""
        super().close()
        handle = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()

    def text(
        self,
        encoding: str = "utf-8",
        errors: Optional[str] = None,
        newline: Optional[str] = None,
    ) -> TextWriter:
        """The same for text, as of ``open``. Its clean end commits, too."""
        return TextWriter(self, encoding, errors, newline)

    def __enter__(self) -> Writer:
        self._check_open()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is None and not self.closed:
            self.commit()
        else:
            self.close()

    def __del__(self) -> None:
        if hasattr(self, "_handle") and not self._handle.closed:
            warn_unclosed("writer", self)
        self.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


class TextWriter(io.TextIOWrapper):
    """A writer of text: commits on a clean end of its ``with`` statement."""

    def __init__(
        self, writer: Writer, encoding: str, errors: Optional[str], newline: Optional[str]
    ) -> None:
        super().__init__(
            io.BufferedWriter(writer, 1 << 16), encoding=encoding, errors=errors, newline=newline
        )
        self._writer = writer

    def commit(self) -> None:
        """Flushes, and commits the writer."""
        self.flush()
        self._writer.commit()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            if kind is None and not self._writer.closed:
                self.commit()
        finally:
            self._give_up()

    def close(self) -> None:
        """Gives up, unless it was committed."""
        self._give_up()

    def _give_up(self) -> None:
        # First: what the layers above still hold is not to be written any more.
        if hasattr(self, "_writer"):
            self._writer.close()
        try:
            super().close()
        except ValueError:
            pass  # they say that the writer is closed
