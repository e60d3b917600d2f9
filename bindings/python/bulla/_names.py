"""Rights and duties, and what belongs to a file."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional

from . import _abi
from ._call import utf8
from .errors import bad_argument


class Right(enum.IntFlag):
    """What may be done with a file."""

    VIEW = 1
    EDIT = 2
    PRINT = 4
    COPY = 8
    CAPTURE = 16
    EXPORT = 32


class Duty(enum.IntFlag):
    """What the program must do while it uses a right."""

    WATERMARK = 1
    BLOCK_CAPTURE = 2
    BLOCK_CLIPBOARD = 4
    MASK = 8
    WIPE = 16

    @property
    def word(self) -> str:
        """The duty's name in policies, such as ``block-capture``."""
        return (self.name or "").lower().replace("_", "-")


@dataclass(frozen=True)
class Duties:
    """The duties of a right."""

    flags: Duty
    #: With ``Duty.MASK``: the columns to hide.
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metadata:
    """Name, type and times of the original, sealed with the content.

    ``name`` is whatever the one who sealed the file wrote: do not use it as a path unchecked.
    Times are milliseconds since 1970, within ±2**53.
    """

    name: Optional[str] = None
    media_type: Optional[str] = None
    created: Optional[int] = None
    modified: Optional[int] = None


def to_c(metadata: Optional[Metadata]) -> Optional[_abi.Metadata]:
    if metadata is None:
        return None
    present = 0
    if metadata.created is not None:
        present |= _abi.HAS_CREATED
    if metadata.modified is not None:
        present |= _abi.HAS_MODIFIED
    return _abi.Metadata(
        present=present,
        name=utf8(metadata.name, "the name"),
        media_type=utf8(metadata.media_type, "the media type"),
        created=_time(metadata.created),
        modified=_time(metadata.modified),
    )


def from_c(c: _abi.Metadata) -> Metadata:
    return Metadata(
        name=c.name.decode() if c.name is not None else None,
        media_type=c.media_type.decode() if c.media_type is not None else None,
        created=c.created if c.present & _abi.HAS_CREATED else None,
        modified=c.modified if c.present & _abi.HAS_MODIFIED else None,
    )


def _time(milliseconds: Optional[int]) -> int:
    # ctypes would cut what does not fit, and take another time.
    if milliseconds is None:
        return 0
    if not -(2**53) <= milliseconds <= 2**53:
        raise bad_argument("a time is out of range: milliseconds since 1970, within 2**53")
    return milliseconds


def one_right(right: Right) -> int:
    """Its bit: ctypes would cut a number that does not fit."""
    if not 0 < right < 2**32:
        raise bad_argument("a right is one of bulla.Right")
    return int(right)
