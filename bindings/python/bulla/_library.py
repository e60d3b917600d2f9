"""Finds and loads the library, once, when it is first needed."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from typing import Any, Optional

from . import _abi
from .errors import LibraryError

_lock = threading.Lock()
_functions: Optional[dict[str, Any]] = None


def _file_name() -> str:
    return "libbulla.dll" if sys.platform == "win32" else f"libbulla.so.{_abi.ABI_VERSION}"


def _places() -> list[tuple[str, str]]:
    """What to give to the loader, and how to name that place to people."""
    chosen = os.environ.get("BULLA_LIBRARY")
    if chosen:
        # Nothing but this: whoever sets it must not get another one.
        return [(os.path.abspath(chosen), f"{chosen} (BULLA_LIBRARY)")]
    name = _file_name()
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    return [(beside, beside), (name, f"{name}, where the system looks for libraries")]


def _load() -> ctypes.CDLL:
    tried = []
    for path, place in _places():
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            tried.append(f"  {place}: {error}")
    raise LibraryError(
        "cannot load the bulla library. Looked here:\n"
        + "\n".join(tried)
        + "\nInstall it, or set BULLA_LIBRARY to its full path"
    )


def _checked(library: ctypes.CDLL) -> dict[str, Any]:
    where = library._name
    try:
        version = library["bulla_abi_version"]
    except AttributeError:
        raise LibraryError(f"{where} is not the bulla library") from None
    version.restype = ctypes.c_uint32
    found = version()
    if found != _abi.ABI_VERSION:
        age = "newer" if found > _abi.ABI_VERSION else "older"
        raise LibraryError(
            f"the bulla library {where} has ABI {found} and is {age} than this package, "
            f"which is for ABI {_abi.ABI_VERSION}: install the two that belong together"
        )
    try:
        return _abi.declare(library)
    except AttributeError as error:
        raise LibraryError(
            f"the bulla library {where} is older than this package: {error}"
        ) from None


def functions() -> dict[str, Any]:
    """The library's functions by their names, ``bulla_`` left out."""
    global _functions
    if _functions is None:
        with _lock:
            if _functions is None:
                _functions = _checked(_load())
    return _functions
