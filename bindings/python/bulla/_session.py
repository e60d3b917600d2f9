"""A device at work."""

from __future__ import annotations

import json
from ctypes import byref
from typing import Any, BinaryIO, Iterable, Optional, Union

from . import _abi, _call, _callbacks, _names
from ._call import Path, utf8
from ._file import SealedFile, _descriptor
from ._handle import Closing, Handle
from ._names import Duty, Right


class Session(Closing):
    """A device's identity, whom it trusts, who sits at it. Threads may share it.

    Files and writers that were made with it go on when it is closed.
    """

    def __init__(
        self,
        home: Optional[Path] = None,
        *,
        passphrase: Optional[str] = None,
        badge: Optional[str] = None,
        attestations: Iterable[str] = (),
        duties: Union[Duty, Iterable[str]] = (),
        ticket: Optional[str] = None,
        asserted: Optional[dict[str, Any]] = None,
    ) -> None:
        """Starts a session of the device whose home it is.

        ``home``: None for ``$BULLA_HOME``, else the platform's own place. ``badge``: a text in
        place of the home's. ``duties``: what this program truthfully carries out; a right whose
        duties are not among them is not granted. ``ticket``: the case that the work is for.
        ``asserted``: what the program says of the device (docs/policy.md, "Facts").
        """
        if isinstance(duties, Duty):
            duties = [duty.word for duty in Duty if duty & duties]
        options = _abi.SessionOptions(
            passphrase=utf8(passphrase, "the passphrase"),
            badge=utf8(badge, "the badge"),
            ticket=utf8(ticket, "the ticket"),
            asserted=_json(asserted),
        )
        options.attestations, options.attestation_count = _call.utf8_list(
            attestations, "attestations"
        )
        options.duties, options.duty_count = _call.utf8_list(duties, "duties")
        _call.set_home(options, home)
        self._handle = Handle("session", _call.made("session", "session_start", byref(options)))

    def open(
        self,
        source: Union[Path, int, BinaryIO],
        right: Right = Right.VIEW,
        older: bool = False,
    ) -> SealedFile:
        """Opens a sealed file: by path, by file descriptor, or as a file that the program has.

        A descriptor or file stays the caller's; the file must be there until the sealed one is
        closed. ``right``: the one without which it is not opened. ``older``: a content or license
        older than one that this device has seen will do.
        """
        options = _abi.OpenOptions(flags=_abi.OLDER if older else 0, right=_names.one_right(right))
        with self._handle.use() as handle:
            targets: list[Any]
            if isinstance(source, int):
                name, targets = "file_open_fd", [_descriptor(source)]
            elif _call.is_path(source):
                name, targets = _call.on_path("file_open", source)
            else:
                name = "file_open_source"
                targets = [byref(_callbacks.source(source))]
            return SealedFile(_call.made("file", name, handle, *targets, byref(options)))

    def refresh(self) -> None:
        """Reads badge, attestations and lists of the home again."""
        with self._handle.use() as handle:
            _call.call("session_refresh", handle)

    def use_badge(self, badge: str, attestations: Iterable[str] = ()) -> None:
        """The same, with these in place of those that it was started with."""
        texts, count = _call.utf8_list(attestations, "attestations")
        with self._handle.use() as handle:
            _call.call("session_use_badge", handle, utf8(badge, "the badge"), texts, count)

    def explain(self, path: Path, facts: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        """What would be decided about a sealed file now. A denial is a decision here.

        ``facts`` stand in place of the session's own. Nothing is recorded.
        """
        with self._handle.use() as handle:
            return _call.json_of("session_explain", handle, _call.path_utf8(path), _json(facts))

    @property
    def device(self) -> str:
        """The thumbprint of the device's identity."""
        with self._handle.use() as handle:
            return _call.text("session_device", handle) or ""

    def verify_trail(self) -> dict[str, Any]:
        """Verifies the home's audit trail; gives the report."""
        with self._handle.use() as handle:
            return _call.json_of("trail_verify", handle, None)

    def close(self) -> None:
        self._handle.close()


def _json(value: Optional[dict[str, Any]]) -> Optional[bytes]:
    return None if value is None else json.dumps(value).encode()
