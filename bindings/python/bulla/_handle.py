"""Handles of the library, freed once, and not before the last call with them has ended."""

from __future__ import annotations

import sys
import threading
import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager
from ctypes import c_void_p
from types import TracebackType
from typing import Any, Iterator, Optional, TypeVar

from . import _library
from .errors import ClosedError

_T = TypeVar("_T", bound="Closing")


class Handle:
    """Owns a handle. ``close`` during a call lets that call end first, in its own thread."""

    def __init__(self, what: str, handle: c_void_p, *kept: Any) -> None:
        self._what = what
        self._handle = handle
        self._free = _library.functions()[what + "_free"]
        self._lock = threading.Lock()
        self._users = 0
        self._closed = False
        # Callbacks that the library may call until it is freed.
        self._kept = kept

    @property
    def closed(self) -> bool:
        return self._closed

    @contextmanager
    def use(self) -> Iterator[c_void_p]:
        """The handle, for one call."""
        handle = self.acquire()
        try:
            yield handle
        finally:
            self.release()

    def acquire(self) -> c_void_p:
        with self._lock:
            if self._closed:
                raise ClosedError(f"the {self._what} is closed")
            self._users += 1
            return self._handle

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            last = self._closed and self._users == 0
        if last:
            self._free(self._handle)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            last = self._users == 0
        if last:
            self._free(self._handle)

    def __del__(self) -> None:
        if getattr(self, "_closed", True):
            return
        warn_unclosed(self._what, self)
        self.close()


class Closing(ABC):
    """What ``with`` closes at its end, however it ends."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self: _T) -> _T:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def warn_unclosed(what: str, source: object) -> None:
    """As Python does for its own files; not while the interpreter ends."""
    if not sys.is_finalizing():
        warnings.warn(f"unclosed bulla {what}", ResourceWarning, stacklevel=3, source=source)
