"""bulla.h for ctypes: structs, callbacks and prototypes."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int32, c_int64, c_size_t, c_uint16, c_uint32
from ctypes import c_uint64, c_void_p
from typing import Any

ABI_VERSION = 0
NO_END = 2**64 - 1
#: Offsets above this do not exist.
MAX_OFFSET = 2**63 - 1

REPLACE = 1
OLDER = 1
BATCH = 1
MIXED_KINDS = 2
HAS_CREATED = 1
HAS_MODIFIED = 2

PROGRESS = CFUNCTYPE(c_int32, c_void_p, c_uint64, c_uint64)
WRITE = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t)
CLOSE = CFUNCTYPE(None, c_void_p)
READ_AT = CFUNCTYPE(c_int32, c_void_p, c_uint64, c_void_p, c_size_t, POINTER(c_size_t))
SIZE = CFUNCTYPE(c_int32, c_void_p, POINTER(c_uint64))


class Struct(ctypes.Structure):
    """One that starts with its size."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class Metadata(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("present", c_uint32),
        ("name", c_char_p),
        ("media_type", c_char_p),
        ("created", c_int64),
        ("modified", c_int64),
    ]


class ExportOptions(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("progress", PROGRESS),
        ("progress_user", c_void_p),
    ]


class Sink(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("user", c_void_p),
        ("write", WRITE),
        ("close", CLOSE),
    ]


class Source(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("user", c_void_p),
        ("read_at", READ_AT),
        ("size", SIZE),
        ("close", CLOSE),
    ]


class OpenOptions(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("right", c_uint32),
        ("reserved", c_uint32),
    ]


class SealOptions(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("metadata", POINTER(Metadata)),
        ("progress", PROGRESS),
        ("progress_user", c_void_p),
    ]


class SealerOptions(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("home", c_char_p),
        ("home_w", POINTER(c_uint16)),
        ("passphrase", c_char_p),
        ("session", c_void_p),
        ("label", c_char_p),
        ("policy", c_char_p),
        ("policy_len", c_size_t),
        ("recipients", c_char_p),
    ]


class SessionOptions(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("home", c_char_p),
        ("home_w", POINTER(c_uint16)),
        ("passphrase", c_char_p),
        ("badge", c_char_p),
        ("attestations", POINTER(c_char_p)),
        ("attestation_count", c_size_t),
        ("duties", POINTER(c_char_p)),
        ("duty_count", c_size_t),
        ("ticket", c_char_p),
        ("asserted", c_char_p),
    ]


STRUCTS = {
    "bulla_metadata": Metadata,
    "bulla_export_options": ExportOptions,
    "bulla_sink": Sink,
    "bulla_source": Source,
    "bulla_open_options": OpenOptions,
    "bulla_seal_options": SealOptions,
    "bulla_sealer_options": SealerOptions,
    "bulla_session_options": SessionOptions,
}

# A handle is a void *, and so is a string that is to be freed.
_h = c_void_p
_out = POINTER(c_void_p)
_u32 = POINTER(c_uint32)
_u64 = POINTER(c_uint64)
_size = POINTER(c_size_t)
_text = POINTER(c_char_p)
_wide = POINTER(c_uint16)

#: Calls that return a status and whose last argument, not listed, is the error.
FALLIBLE: dict[str, list[Any]] = {
    "session_start": [POINTER(SessionOptions), _out],
    "session_refresh": [_h],
    "session_use_badge": [_h, c_char_p, POINTER(c_char_p), c_size_t],
    "session_explain": [_h, c_char_p, c_char_p, _out],
    "session_device": [_h, _out],
    "trail_verify": [_h, c_char_p, _out],
    "file_open": [_h, c_char_p, POINTER(OpenOptions), _out],
    "file_open_w": [_h, _wide, POINTER(OpenOptions), _out],
    "file_open_fd": [_h, c_int32, POINTER(OpenOptions), _out],
    "file_open_source": [_h, POINTER(Source), POINTER(OpenOptions), _out],
    "file_rights": [_h, _u32],
    "file_duties": [_h, c_uint32, _u32, _out],
    "file_until": [_h, _u64],
    "file_decision": [_h, _out],
    "file_watermark": [_h, _out],
    "file_metadata": [_h, POINTER(Metadata)],
    "file_id": [_h, _text],
    "file_revision": [_h, _u64],
    "file_use": [_h, c_uint32],
    "file_export": [_h, c_char_p, POINTER(ExportOptions), _u64],
    "file_export_w": [_h, _wide, POINTER(ExportOptions), _u64],
    "file_export_fd": [_h, c_int32, POINTER(ExportOptions), _u64],
    "file_export_sink": [_h, POINTER(Sink), POINTER(ExportOptions), _u64],
    "file_size": [_h, _u64],
    "file_pread": [_h, c_uint64, c_void_p, c_size_t, _size],
    "file_save": [_h, POINTER(Metadata), _out],
    "file_save_to": [_h, POINTER(Sink), POINTER(Metadata), _out],
    "inspect": [c_char_p, _u64, _out],
    "inspect_w": [_wide, _u64, _out],
    "inspect_bytes": [c_void_p, c_size_t, _u64, _out],
    "inspect_source": [POINTER(Source), _u64, _out],
    "sealer_new": [POINTER(SealerOptions), _out],
    "sealer_from_template": [_h, c_char_p, c_char_p, c_uint32, _out],
    "sealer_seal_file": [_h, c_char_p, c_char_p, POINTER(SealOptions), _out],
    "sealer_seal_file_w": [_h, _wide, _wide, POINTER(SealOptions), _out],
    "sealer_begin": [_h, c_char_p, POINTER(SealOptions), _out],
    "sealer_begin_w": [_h, _wide, POINTER(SealOptions), _out],
    "sealer_begin_sink": [_h, POINTER(Sink), POINTER(SealOptions), _out],
    "window_protect": [c_void_p],
    "clipboard_guard": [c_void_p],
    "writer_write": [_h, c_void_p, c_size_t],
    "writer_finish": [_h],
    "writer_file_id": [_h, _text],
}

#: The others: what they return, what they take.
INFALLIBLE: dict[str, tuple[Any, list[Any]]] = {
    "version": (c_char_p, []),
    "is_sealed": (c_int32, [c_void_p, c_size_t]),
    "error_message": (c_char_p, [c_void_p]),
    "error_name": (c_char_p, [c_void_p]),
    "error_decision": (c_char_p, [c_void_p]),
    "error_free": (None, [c_void_p]),
    "string_free": (None, [c_void_p]),
    "session_free": (None, [c_void_p]),
    "file_free": (None, [c_void_p]),
    "sealer_free": (None, [c_void_p]),
    "writer_free": (None, [c_void_p]),
}


def declare(library: ctypes.CDLL) -> dict[str, Any]:
    """The functions, with prototypes, by their names without ``bulla_``.

    AttributeError, with the name, if the library lacks one.
    """
    out: dict[str, Any] = {}
    for name, arguments in FALLIBLE.items():
        function = out[name] = library["bulla_" + name]
        function.argtypes = [*arguments, _out]
        function.restype = c_int32
    for name, (gives, arguments) in INFALLIBLE.items():
        function = out[name] = library["bulla_" + name]
        function.argtypes = arguments
        function.restype = gives
    return out
