"""An open sealed file."""

from __future__ import annotations

import io
import json
import threading
from ctypes import byref, c_char_p, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, BinaryIO, Optional, Union

from . import _abi, _call, _callbacks, _names
from ._call import Path
from ._callbacks import Progress
from ._handle import Handle, warn_unclosed
from ._names import Duties, Duty, Metadata, Right
from ._writer import Writer
from .errors import bad_argument


class SealedFile(io.RawIOBase):
    """The content of a sealed file, as an unbuffered binary file that can seek.

    Threads may share it; each ``read`` moves the one position, ``read_at`` does not. ``close``
    while another thread reads lets that read end. What fails raises: a changed or cut file never
    looks like a short one.
    """

    def __init__(self, handle: c_void_p) -> None:
        super().__init__()
        self._position = 0
        self._moving = threading.RLock()
        self._handle = Handle("file", handle, _callbacks.KEPT)
        #: The content's length in bytes.
        self.size: int = self._number("file_size", c_uint64)

    # --- Reading ---------------------------------------------------------------------------

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads into the buffer until it is full or the file ends, without a copy between."""
        self._check_open()
        with self._moving:
            done = self.readinto_at(self._position, buffer)
            self._position += done
            return done

    def read(self, size: Optional[int] = -1) -> bytes:
        """Up to ``size`` bytes; fewer only at the end. All that is left for -1 or None."""
        self._check_open()
        with self._moving:
            data = self.read_at(self._position, size)
            self._position += len(data)
            return data

    def readall(self) -> bytes:
        return self.read(-1)

    def read_at(self, offset: int, size: Optional[int] = -1) -> bytes:
        """Reads without moving the position: for many threads at once."""
        _check_offset(offset)
        left = max(self.size - offset, 0)
        if size is None or size < 0 or size > left:
            size = left  # nothing is allocated for what is not there
        if size == 0:
            self._check_open()
            return b""
        data = _call.new_bytes(size)
        done = self._pread(offset, data, size)
        return bytes(data) if done == size else bytes(data[:done])

    def readinto_at(self, offset: int, buffer: Any) -> int:
        """The same into a buffer; gives how many bytes there were."""
        self._check_open()
        _check_offset(offset)
        if memoryview(buffer).readonly:
            raise TypeError("the buffer cannot be written to")
        into = _call.Pointed(buffer)
        return self._pread(offset, into.argument, into.length)

    def _pread(self, offset: int, into: Any, length: int) -> int:
        done = c_size_t()
        with self._handle.use() as handle:
            _call.call("file_pread", handle, offset, into, length, byref(done))
        return done.value

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Past the end is allowed; reads there give nothing."""
        self._check_open()
        with self._moving:
            if whence == io.SEEK_SET:
                base = 0
            elif whence == io.SEEK_CUR:
                base = self._position
            elif whence == io.SEEK_END:
                base = self.size
            else:
                raise bad_argument("whence is one of io.SEEK_SET, SEEK_CUR and SEEK_END")
            _check_offset(base + offset)
            self._position = base + offset
            return self._position

    def tell(self) -> int:
        self._check_open()
        return self._position

    def buffered(self, size: int = 1 << 16) -> io.BufferedReader:
        """The same with a buffer, for many small reads. It owns this file from then on."""
        return io.BufferedReader(self, size)

    def text(
        self,
        encoding: str = "utf-8",
        errors: Optional[str] = None,
        newline: Optional[str] = None,
    ) -> io.TextIOWrapper:
        """The same for text, as of ``open``: for ``csv`` with ``newline=""``."""
        return io.TextIOWrapper(self.buffered(), encoding, errors, newline)

    # --- Rights ----------------------------------------------------------------------------

    @property
    def rights(self) -> Right:
        """What may be done with it, as last decided."""
        return Right(self._number("file_rights", c_uint32))

    def may(self, right: Right) -> bool:
        """Whether the right is granted."""
        return bool(self.rights & right)

    def duties(self, right: Right) -> Duties:
        """What the program must do while it uses the right."""
        flags, columns = c_uint32(), c_void_p()
        with self._handle.use() as handle:
            _call.call("file_duties", handle, _names.one_right(right), byref(flags), byref(columns))
        told = _call.taken_text(columns)
        return Duties(Duty(flags.value), tuple(json.loads(told)) if told else ())

    def use(self, right: Right) -> None:
        """Checks and records a use: before printing, copying, a capture, an export of your own.

        If this raises, it must not happen.
        """
        with self._handle.use() as handle:
            _call.call("file_use", handle, _names.one_right(right))

    @property
    def until(self) -> Optional[int]:
        """Until when, exclusive, reads succeed: Unix seconds; None without an end."""
        end = self._number("file_until", c_uint64)
        return None if end == _abi.NO_END else end

    @property
    def decision(self) -> dict[str, Any]:
        """What was decided (docs/policy.md, "Decision")."""
        with self._handle.use() as handle:
            return _call.json_of("file_decision", handle)

    def watermark(self) -> str:
        """The text to draw. It holds the present minute: get it anew from time to time."""
        with self._handle.use() as handle:
            return _call.text("file_watermark", handle) or ""

    # --- What it is ------------------------------------------------------------------------

    @property
    def metadata(self) -> Metadata:
        """Name, type and times of the original."""
        out = _abi.Metadata()
        with self._handle.use() as handle:
            _call.call("file_metadata", handle, byref(out))
            return _names.from_c(out)  # its strings end with the file

    @property
    def id(self) -> str:
        """32 hex characters, the same after each save."""
        out = c_char_p()
        with self._handle.use() as handle:
            _call.call("file_id", handle, byref(out))
            return (out.value or b"").decode()

    @property
    def revision(self) -> int:
        """How often it was saved, the first sealing included."""
        return self._number("file_revision", c_uint64)

    # --- Writing ---------------------------------------------------------------------------

    def save(self, to: Optional[BinaryIO] = None, metadata: Optional[Metadata] = None) -> Writer:
        """All of the content anew, under the same license; this file still shows the old one.

        With ``to``, the new envelope goes there: for files that were not opened from a path.
        """
        described = _names.to_c(metadata)
        with self._handle.use() as handle:
            if to is None:
                return Writer(_call.made("writer", "file_save", handle, described))
            sink = byref(_callbacks.sink(to))
            new = _call.made("writer", "file_save_to", handle, sink, described)
            return Writer(new, _callbacks.KEPT)

    def export(
        self,
        to: Union[Path, int, BinaryIO],
        replace: bool = False,
        progress: Optional[Progress] = None,
    ) -> int:
        """Lets the plain content out to a path, a file descriptor or a file; gives its length.

        At a path it is there whole or not at all.
        """
        targets: list[Any]
        with _callbacks.Told(progress) as told, self._handle.use() as handle:
            options = _abi.ExportOptions(flags=_abi.REPLACE if replace else 0, **told)
            if isinstance(to, int):
                name, targets = "file_export_fd", [_descriptor(to)]
            elif _call.is_path(to):
                name, targets = _call.on_path("file_export", to)
            else:
                name, targets = "file_export_sink", [byref(_callbacks.sink(to))]
            return _call.number(name, c_uint64, handle, *targets, byref(options))

    # --- The end ---------------------------------------------------------------------------

    def close(self) -> None:
        super().close()
        handle = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()

    def __enter__(self) -> SealedFile:
        self._check_open()
        return self

    def __del__(self) -> None:
        if hasattr(self, "_handle") and not self._handle.closed:
            warn_unclosed("file", self)
        self.close()

    def _number(self, name: str, kind: Any) -> int:
        with self._handle.use() as handle:
            return _call.number(name, kind, handle)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


def _check_offset(offset: int) -> None:
    # ctypes would cut what does not fit, and read elsewhere.
    if not 0 <= offset <= _abi.MAX_OFFSET:
        raise bad_argument("a position is before the start or above 2**63 - 1")


def _descriptor(fd: int) -> int:
    if not 0 <= fd < 2**31:
        raise bad_argument("not a file descriptor")
    return fd
