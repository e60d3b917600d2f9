"""One way to call the library, and what goes in and comes out of it."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from ctypes import byref, c_char_p, c_uint16, c_void_p
from typing import Any, Callable, Iterable, Optional, Union

from . import _library, errors

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]

WINDOWS = sys.platform == "win32"


class _Raised(threading.local):
    """What a callback of the call that this thread is in has raised."""

    inside = False
    error: Optional[BaseException] = None


_raised = _Raised()

#: The functions that the library calls back.
callbacks: list[Callable[..., Any]] = []


def remember(error: BaseException) -> None:
    """Called in a callback: the call that it belongs to will raise this, if it is the first."""
    if _raised.error is None:
        _raised.error = error


def failed() -> bool:
    """Whether a callback of the call that this thread is in has failed."""
    return _raised.error is not None


class _Hook:
    """Before the program's own ``sys.unraisablehook``.

    An interrupt can strike when a callback is entered, before its ``try``. ctypes tells that to
    this hook alone: what the callback gives to the library then is undefined, success included.
    """

    def __init__(self, theirs: Callable[[Any], Any]) -> None:
        self.theirs = theirs

    def __call__(self, unraisable: Any) -> None:
        if _raised.inside and _is_callback(unraisable):
            remember(unraisable.exc_value or unraisable.exc_type())
        else:
            self.theirs(unraisable)


def _is_callback(unraisable: Any) -> bool:
    if unraisable.object is not None:
        return any(unraisable.object is each for each in callbacks)
    # From Python 3.13 on only the message names it.
    message = unraisable.err_msg or ""
    return "ctypes callback" in message and any(repr(each) in message for each in callbacks)


def call(name: str, *arguments: Any) -> None:
    """Calls; raises what went wrong, or what a callback has raised."""
    functions = _library.functions()
    # Each time: the program may have set one of its own since. It stays, behind this one.
    if not isinstance(sys.unraisablehook, _Hook):
        sys.unraisablehook = _Hook(sys.unraisablehook)
    outer = _raised.inside, _raised.error
    _raised.inside, _raised.error = True, None
    failure = c_void_p()
    try:
        status = functions[name](*arguments, byref(failure))
        original = _raised.error
    finally:
        _raised.inside, _raised.error = outer
    error = None if status == 0 else _taken(functions, status, failure)
    if original is not None:
        raise original
    if error is not None:
        raise error


def _taken(functions: dict[str, Any], status: int, failure: c_void_p) -> errors.Error:
    try:
        message = functions["error_message"](failure).decode()
        name = functions["error_name"](failure).decode()
        decision = functions["error_decision"](failure)
        told = None if decision is None else json.loads(decision)
        return errors.of(status, message, name, told)
    finally:
        functions["error_free"](failure)


def made(kind: str, name: str, *arguments: Any) -> c_void_p:
    """A call whose last output is a handle of this kind."""
    out = c_void_p()
    try:
        call(name, *arguments, byref(out))
    except BaseException:
        # A callback's: the library itself may have succeeded.
        if out:
            _library.functions()[kind + "_free"](out)
        raise
    return out


def text(name: str, *arguments: Any) -> Optional[str]:
    """A call whose last output is a string, which is freed."""
    return taken_text(made("string", name, *arguments))


def taken_text(string: c_void_p) -> Optional[str]:
    if not string:
        return None
    try:
        return ctypes.string_at(string.value or 0).decode()
    finally:
        _library.functions()["string_free"](string)


def json_of(name: str, *arguments: Any) -> dict[str, Any]:
    """A call whose last output is JSON."""
    told: dict[str, Any] = json.loads(text(name, *arguments) or "{}")
    return told


def number(name: str, kind: Callable[[], Any], *arguments: Any) -> int:
    """A call whose last output is a number."""
    out = kind()
    call(name, *arguments, byref(out))
    return int(out.value)


def utf8(value: Optional[str], what: str) -> Optional[bytes]:
    """Strictly: what cannot be told to the library as it is, is refused."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise errors.bad_argument(f"{what} holds a NUL")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise errors.bad_argument(f"{what} holds a lone surrogate") from None


def utf8_list(values: Iterable[str], what: str) -> tuple[Any, int]:
    """An array of strings, and how many."""
    if isinstance(values, str):
        raise TypeError(f"{what} must be a list of str")
    encoded = [utf8(value, what) for value in values]
    return (c_char_p * len(encoded))(*encoded), len(encoded)


def path_utf8(path: Path) -> bytes:
    """The path as the system has it, if that is UTF-8: never another file's."""
    given = os.fspath(path)
    try:
        raw = given if isinstance(given, bytes) else os.fsencode(given)
        raw.decode()
    except UnicodeError:
        raise errors.bad_argument(
            "the path is not UTF-8: open the file yourself, and give its file descriptor"
        ) from None
    if b"\0" in raw:
        raise errors.bad_argument("the path holds a NUL")
    return raw


def path_wide(path: Path) -> Any:
    """The path in UTF-16 with a 0 at its end: any that Windows has, lone surrogates included."""
    given = os.fsdecode(os.fspath(path))
    if "\0" in given:
        raise errors.bad_argument("the path holds a NUL")
    raw = given.encode("utf-16-le", "surrogatepass")
    units = [int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2)]
    return (c_uint16 * (len(units) + 1))(*units, 0)


def on_path(name: str, *paths: Any) -> tuple[str, list[Any]]:
    """The function for paths of this system, and the paths for it."""
    if WINDOWS:
        return name + "_w", [path_wide(path) for path in paths]
    return name, [path_utf8(path) for path in paths]


def set_home(options: Any, home: Optional[Path]) -> None:
    """Sets the field for paths of this system."""
    if home is None:
        return
    if WINDOWS:
        options.home_w = ctypes.cast(path_wide(home), ctypes.POINTER(c_uint16))
    else:
        options.home = path_utf8(home)


def is_path(target: Any) -> bool:
    return isinstance(target, (str, bytes, os.PathLike))


class Pointed:
    """The memory of an object that has a buffer, held for as long as this is."""

    __slots__ = ("argument", "length", "_kept")

    def __init__(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        self.length = len(view)
        self._kept: Any = None
        self.argument: Any = None
        if self.length == 0:
            return
        if isinstance(data, bytes):
            self.argument = data
        elif view.readonly:
            # ctypes points into writable memory alone.
            self.argument = bytes(view)
        else:
            self.argument = self._kept = (ctypes.c_char * self.length).from_buffer(view)


def new_bytes(size: int) -> Any:
    """What a call can fill, and then is, or gives without loss, a ``bytes``."""
    if _allocate is None:
        return (ctypes.c_char * size)()
    return _allocate(None, size)


# Python's own C interface lets a new bytes object be filled by the one who made it, before anybody
# else sees it. Through a bytearray it would be cleared first and copied after, which takes longer
# than the decryption.
_allocate: Any = None
if sys.implementation.name == "cpython":
    _allocate = ctypes.pythonapi.PyBytes_FromStringAndSize
    _allocate.restype = ctypes.py_object
    _allocate.argtypes = [c_char_p, ctypes.c_ssize_t]
