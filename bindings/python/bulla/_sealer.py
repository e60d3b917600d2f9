"""Making envelopes."""

from __future__ import annotations

import json
from ctypes import byref, pointer
from typing import Any, BinaryIO, Iterable, Optional, Union

from . import _abi, _call, _callbacks, _names
from ._call import Path, utf8
from ._callbacks import Progress
from ._handle import Closing, Handle
from ._names import Metadata
from ._session import Session
from ._writer import Writer


class Sealer(Closing):
    """Makes envelopes for the same recipients under the same policy. Threads may share it."""

    def __init__(
        self,
        policy: Union[str, dict[str, Any]],
        recipients: Union[str, Iterable[str]],
        *,
        home: Optional[Path] = None,
        passphrase: Optional[str] = None,
        session: Optional[Session] = None,
        label: Optional[str] = None,
        batch: bool = False,
        mixed_kinds: bool = False,
    ) -> None:
        """In the name of the root whose key the home has.

        ``policy``: JSON, or what makes it. ``recipients``: public lines of identities, 1 to 500.
        ``session``: in whose trail each file is recorded. ``label`` stands in the clear.
        ``batch``: all files share a key, so who can open one can open all. ``mixed_kinds``: keys
        may differ in kind; a file is then as weak as the weakest.
        """
        text = policy if isinstance(policy, str) else json.dumps(policy)
        lines = recipients if isinstance(recipients, str) else "\n".join(recipients)
        encoded = utf8(text, "the policy") or b""
        options = _abi.SealerOptions(
            flags=(_abi.BATCH if batch else 0) | (_abi.MIXED_KINDS if mixed_kinds else 0),
            passphrase=utf8(passphrase, "the passphrase"),
            label=utf8(label, "the label"),
            policy=encoded,
            policy_len=len(encoded),
            recipients=utf8(lines, "the list of recipients"),
        )
        _call.set_home(options, home)
        if session is None:
            self._handle = Handle("sealer", _call.made("sealer", "sealer_new", byref(options)))
        else:
            with session._handle.use() as recorder:
                options.session = recorder
                self._handle = Handle("sealer", _call.made("sealer", "sealer_new", byref(options)))

    @classmethod
    def from_template(
        cls, session: Session, template: str, permit: Optional[str] = None, batch: bool = False
    ) -> Sealer:
        """Of a device that has a permit for a template: texts, not paths.

        Without ``permit``: the one of the session's home that counts longest.
        """
        sealer = cls.__new__(cls)
        with session._handle.use() as handle:
            made = _call.made(
                "sealer",
                "sealer_from_template",
                handle,
                utf8(template, "the template"),
                utf8(permit, "the permit"),
                _abi.BATCH if batch else 0,
            )
        sealer._handle = Handle("sealer", made)
        return sealer

    def begin(
        self,
        to: Union[Path, BinaryIO],
        metadata: Optional[Metadata] = None,
        replace: bool = False,
    ) -> Writer:
        """Starts a sealed file at a path, or one that goes to a file of the program's own.

        There it is complete after ``commit``; a part of it is refused as cut.
        """
        options = self._options(metadata, replace, {})
        with self._handle.use() as handle:
            if _call.is_path(to):
                name, paths = _call.on_path("sealer_begin", to)
                return Writer(_call.made("writer", name, handle, *paths, byref(options)))
            sink = _callbacks.sink(to)
            made = _call.made("writer", "sealer_begin_sink", handle, byref(sink), byref(options))
            return Writer(made, _callbacks.KEPT)

    def seal_file(
        self,
        source: Path,
        to: Path,
        metadata: Optional[Metadata] = None,
        replace: bool = False,
        progress: Optional[Progress] = None,
    ) -> str:
        """Seals a plain file, which stays; gives the new file's id.

        Without ``metadata`` its name and times are taken over.
        """
        name, paths = _call.on_path("sealer_seal_file", source, to)
        with _callbacks.Told(progress) as told, self._handle.use() as handle:
            options = self._options(metadata, replace, told)
            return _call.text(name, handle, *paths, byref(options)) or ""

    def seal_bytes(
        self,
        data: Any,
        to: Union[Path, BinaryIO],
        metadata: Optional[Metadata] = None,
        replace: bool = False,
    ) -> str:
        """Seals what is in memory; gives the new file's id."""
        with self.begin(to, metadata, replace) as writer:
            writer.write(data)
            return writer.id

    def close(self) -> None:
        """Writers that it gave go on."""
        self._handle.close()

    @staticmethod
    def _options(
        metadata: Optional[Metadata], replace: bool, told: dict[str, Any]
    ) -> _abi.SealOptions:
        options = _abi.SealOptions(flags=_abi.REPLACE if replace else 0, **told)
        described = _names.to_c(metadata)
        if described is not None:
            options.metadata = pointer(described)
        return options
