"""Python's own files and functions as what the library calls back.

The library gets a number; what it stands for is kept here until the library is done with it. What
a callback raises does not cross the library: it is remembered, and raised by the call; those that
follow in the same call fail at once, for the library may not have seen the first failure.
"""

from __future__ import annotations

import ctypes
import io
import itertools
import threading
from typing import Any, BinaryIO, Callable, Optional

from . import _abi
from ._call import callbacks, failed, remember

#: Told how many of how many bytes are done (0: not known). ``False`` stops the work.
Progress = Callable[[int, int], Optional[bool]]

_objects: dict[int, Any] = {}
_numbers = itertools.count(1)


def _keep(thing: Any) -> int:
    number = next(_numbers)
    _objects[number] = thing
    return number


class _Reader:
    """A binary file that can seek. Reads come from many threads; its position is but one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.lock = threading.RLock()

    def read_at(self, offset: int, length: int) -> bytes:
        with self.lock:
            self.file.seek(offset)
            data = self.file.read(length)
        if data is None:
            raise BlockingIOError("the file has nothing to read yet")
        if not isinstance(data, bytes):
            data = bytes(memoryview(data))  # no text: ctypes would copy that, too
        if len(data) > length:
            raise ValueError("read() gave more than it was asked for")
        return data

    def size(self) -> int:
        with self.lock:
            return self.file.seek(0, 2)


def _read_at(user: int, offset: int, into: int, length: int, out_read: Any) -> int:
    try:
        if failed():
            return 1
        data = _objects[user].read_at(offset, length)
        ctypes.memmove(into, data, len(data))
        out_read[0] = len(data)
        return 0
    except BaseException as error:
        remember(error)
        return 1


def _size(user: int, out_size: Any) -> int:
    try:
        if failed():
            return 1
        out_size[0] = _objects[user].size()
        return 0
    except BaseException as error:
        remember(error)
        return 1


def _write(user: int, data: int, length: int) -> int:
    try:
        if failed():
            return 1
        file = _objects[user]
        left = memoryview(ctypes.string_at(data, length))
        while left:
            written = file.write(left)
            if written is None and not isinstance(file, io.RawIOBase):
                break  # a file of somebody's own, which says nothing when all went well
            if not written:
                raise BlockingIOError("write() took nothing")
            left = left[written:]
        return 0
    except BaseException as error:
        remember(error)
        return 1


def _close(user: int) -> None:
    _objects.pop(user, None)


def _progress(user: int, done: int, total: int) -> int:
    try:
        return 1 if failed() or _objects[user](done, total) is False else 0
    except BaseException as error:
        remember(error)
        return 1


# Made once and never freed: whatever the library still holds can be called.
_READ_AT = _abi.READ_AT(_read_at)
_SIZE = _abi.SIZE(_size)
_WRITE = _abi.WRITE(_write)
_CLOSE = _abi.CLOSE(_close)
_PROGRESS = _abi.PROGRESS(_progress)
callbacks += (_read_at, _size, _write, _close, _progress)
KEPT = (_READ_AT, _SIZE, _WRITE, _CLOSE, _PROGRESS, _objects)


def source(file: Any) -> _abi.Source:
    """For one call, which takes it over also if it fails."""
    return _abi.Source(user=_keep(_Reader(file)), read_at=_READ_AT, size=_SIZE, close=_CLOSE)


def sink(file: Any) -> _abi.Sink:
    """Likewise."""
    return _abi.Sink(user=_keep(file), write=_WRITE, close=_CLOSE)


class Told:
    """A progress function, for as long as one call takes."""

    def __init__(self, progress: Optional[Progress]) -> None:
        if progress is not None and not callable(progress):
            raise TypeError("progress must be a function of two numbers")
        self._progress = progress
        self._number = 0

    def __enter__(self) -> dict[str, Any]:
        """The fields of an options struct."""
        if self._progress is None:
            return {}
        self._number = _keep(self._progress)
        return {"progress": _PROGRESS, "progress_user": self._number}

    def __exit__(self, *_: object) -> None:
        _objects.pop(self._number, None)
