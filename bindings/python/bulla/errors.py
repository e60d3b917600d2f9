"""What can go wrong: one exception class a kind, one code each."""

from __future__ import annotations

import enum
import errno
from typing import Any, Optional


class Code(enum.IntEnum):
    """The codes of bulla.h, ``BULLA_E_`` left out. They are never renumbered."""

    OK = 0
    BAD_ARGUMENT = 1
    BAD_KEY = 2
    BAD_POLICY = 3
    IO = 100
    NOT_FOUND = 101
    EXISTS = 102
    PERMISSION = 103
    FULL = 104
    NOT_SEALED = 200
    UNSUPPORTED_VERSION = 201
    BAD_HEADER = 202
    BAD_LICENSE = 203
    BAD_LENGTH = 204
    BAD_TOKEN = 205
    BAD_SIGNATURE = 300
    BAD_COMMITMENT = 301
    BAD_CHUNK = 302
    BAD_WRAP = 303
    BAD_META = 304
    WRONG_PASSPHRASE = 305
    UNKNOWN_ROOT = 400
    NOT_TRUSTED = 401
    NOT_RECIPIENT = 402
    DENIED = 403
    MISSING_RIGHT = 404
    NOT_PERMITTED = 405
    ROLLBACK = 406
    REVOKED = 407
    BAD_TRAIL = 408
    TRAIL_BUSY = 409
    ENDED = 410
    CLOCK_BEHIND = 411
    BADGE_NOT_VALID = 412
    BAD_STATE = 500
    CHANGED_MEANWHILE = 501
    HOME_INCOMPLETE = 502
    SECRET_EXPOSED = 503
    NOT_SUPPORTED = 504
    CANCELLED = 505
    INTERNAL = 900


class LibraryError(ImportError):
    """The library is missing, or is not one that this package can use."""


class Error(Exception):
    """Whatever the library reports. The classes below say of which kind it is."""

    #: One of :class:`Code`; a plain int if the library is newer and has a code of its own.
    code: int
    #: The stable name of the code, such as ``not-sealed``.
    name: str
    #: What happened and what to do: for people and logs, not to be parsed.
    message: str
    #: Of a denial by a policy: the decision (docs/policy.md, "Decision"); None otherwise.
    decision: Optional[dict[str, Any]]

    def __init__(
        self, message: str, code: int, name: str, decision: Optional[dict[str, Any]] = None
    ) -> None:
        super().__init__(message)
        try:
            self.code = Code(code)
        except ValueError:
            self.code = code
        self.name = name
        self.message = message
        self.decision = decision

    def __str__(self) -> str:
        return f"{self.message} [{self.name}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, int(self.code), self.name, self.decision)

    @property
    def reasons(self) -> list[dict[str, Any]]:
        """Of a denial by a policy: which conditions failed, why, and what would do."""
        return list((self.decision or {}).get("refused", []))


class ArgumentError(Error, ValueError):
    """A value that the program gave cannot be used."""


class IoError(Error, OSError):
    """Reading or writing failed. ``errno`` is set."""

    def __init__(
        self, message: str, code: int, name: str, decision: Optional[dict[str, Any]] = None
    ) -> None:
        super().__init__(message, code, name, decision)
        self.errno = _ERRNO.get(code, errno.EIO)
        self.strerror = message


class NotFoundError(IoError, FileNotFoundError):
    """There is no such file."""


class ExistsError(IoError, FileExistsError):
    """The output exists and would be overwritten."""


class AccessError(IoError, PermissionError):
    """The system, not the policy, does not permit the access."""


class FormatError(Error, ValueError):
    """The file is not a sound envelope."""


class NotSealedError(FormatError):
    """The file is a plain one. It is never taken for a sealed one."""


class TamperedError(Error):
    """The file was changed, or a key or passphrase is the wrong one. Show nothing of it."""


class DeniedError(Error, PermissionError):
    """Root, license, policy or rights do not let this happen. ``errno`` is EACCES."""

    def __init__(
        self, message: str, code: int, name: str, decision: Optional[dict[str, Any]] = None
    ) -> None:
        super().__init__(message, code, name, decision)
        self.errno = errno.EACCES
        self.strerror = message


class StateError(Error):
    """The object, the home or the system is not in a state to do this."""


class ClosedError(StateError, ValueError):
    """The object was closed. A ValueError, too, as of Python's own files."""

    def __init__(
        self,
        message: str,
        code: int = Code.BAD_STATE,
        name: str = "bad-state",
        decision: Optional[dict[str, Any]] = None,
    ) -> None:
        super().__init__(message, code, name, decision)


class InternalError(Error):
    """A defect of the library: report it to us."""


_ERRNO = {
    int(Code.NOT_FOUND): errno.ENOENT,
    int(Code.EXISTS): errno.EEXIST,
    int(Code.PERMISSION): errno.EACCES,
    int(Code.FULL): errno.ENOSPC,
}

_OF_CODE: dict[int, type[Error]] = {
    int(Code.NOT_FOUND): NotFoundError,
    int(Code.EXISTS): ExistsError,
    int(Code.PERMISSION): AccessError,
    int(Code.NOT_SEALED): NotSealedError,
}

# By the hundreds: an unknown code of a newer library still is of a known kind.
_OF_KIND: dict[int, type[Error]] = {
    0: ArgumentError,
    1: IoError,
    2: FormatError,
    3: TamperedError,
    4: DeniedError,
    5: StateError,
}


def of(code: int, message: str, name: str, decision: Optional[dict[str, Any]] = None) -> Error:
    """The exception of a code."""
    kind = _OF_CODE.get(code) or _OF_KIND.get(code // 100, InternalError)
    return kind(message, code, name, decision)


def bad_argument(message: str) -> ArgumentError:
    """For what this package refuses before the library is called."""
    return ArgumentError(message, Code.BAD_ARGUMENT, "bad-argument")
