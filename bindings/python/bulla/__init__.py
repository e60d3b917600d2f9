"""Sealed files: what a policy lets this device open, as Python's own files.

>>> with bulla.Session() as session, session.open("cards.csv.bulla") as file:
...     table = pandas.read_csv(file)

docs/python.md has the rest.
"""

from __future__ import annotations

from ctypes import byref, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any, BinaryIO, Union

from . import _call, _callbacks, _library
from ._call import Path
from ._callbacks import Progress
from ._file import SealedFile
from ._names import Duties, Duty, Metadata, Right
from ._sealer import Sealer
from ._session import Session
from ._writer import TextWriter, Writer
from .errors import (
    AccessError,
    ArgumentError,
    ClosedError,
    Code,
    DeniedError,
    Error,
    ExistsError,
    FormatError,
    InternalError,
    IoError,
    LibraryError,
    NotFoundError,
    NotSealedError,
    StateError,
    TamperedError,
)

__all__ = [
    "AccessError",
    "ArgumentError",
    "ClosedError",
    "Code",
    "DeniedError",
    "Duties",
    "Duty",
    "Error",
    "ExistsError",
    "FormatError",
    "Inspection",
    "InternalError",
    "IoError",
    "LibraryError",
    "Metadata",
    "NotFoundError",
    "NotSealedError",
    "Progress",
    "Right",
    "SealedFile",
    "Sealer",
    "Session",
    "StateError",
    "TamperedError",
    "TextWriter",
    "Writer",
    "guard_clipboard",
    "inspect",
    "inspect_bytes",
    "is_sealed",
    "protect_window",
    "verify_trail",
    "version",
]


@dataclass(frozen=True)
class Inspection:
    """What an envelope says of itself in the clear. Nothing of it is proved."""

    #: Ids, label, policy, recipients, sizes.
    claims: dict[str, Any]
    #: Bytes of the content, as the envelope's length says.
    content_size: int


def inspect(source: Union[Path, BinaryIO]) -> Inspection:
    """Of a file. Needs no keys and no session."""
    if _call.is_path(source):
        name, targets = _call.on_path("inspect", source)
    else:
        name, targets = "inspect_source", [byref(_callbacks.source(source))]
    return _inspected(name, *targets)


def inspect_bytes(envelope: Any) -> Inspection:
    """The same of an envelope in memory."""
    given = _call.Pointed(envelope)
    return _inspected("inspect_bytes", given.argument, given.length)


def _inspected(name: str, *arguments: Any) -> Inspection:
    size = c_uint64()
    claims = _call.json_of(name, *arguments, byref(size))
    return Inspection(claims, size.value)


def is_sealed(start: Any) -> bool:
    """Whether these first bytes of a file, 8 or more, are those of a sealed one."""
    given = _call.Pointed(start)
    return bool(_library.functions()["is_sealed"](given.argument, given.length))


def verify_trail(path: Path) -> dict[str, Any]:
    """Verifies a trail from its first line to its last; gives the report."""
    return _call.json_of("trail_verify", None, _call.path_utf8(path))


def version() -> str:
    """The version of the library, such as ``0.1.0``."""
    told: bytes = _library.functions()["version"]()
    return told.decode()


def protect_window(hwnd: int) -> None:
    """Windows: keeps a top-level window out of screen captures, or raises."""
    _call.call("window_protect", c_void_p(hwnd))


def guard_clipboard(hwnd: int) -> None:
    """Windows: clears the clipboard when the window loses focus. In the window's own thread."""
    _call.call("clipboard_guard", c_void_p(hwnd))
