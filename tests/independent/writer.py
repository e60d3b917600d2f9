#!/usr/bin/env python3
"""A small independent writer of the envelope, format 1, written from docs/format.md alone.

Every part can be changed on its way by `edits`, a mapping from a part's name to a function, so that
the self-test can break one rule at a time in an envelope that is otherwise signed and sealed
correctly. It takes nothing from reader.py.

    writer.py seal --home DIR --root-key HEX32 --to LINE... --policy FILE [--label L] FILE -o OUT

pins the root in DIR (DIR/roots/<thumbprint>) and seals FILE under an issued license.
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

Obj = dict[str, Any]
Edits = Mapping[str, Callable[[Any], Any]]
NO_EDITS: Edits = {}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def expand(key: bytes, label: str, file_id: bytes) -> bytes:
    return HKDFExpand(SHA512(), 32, label.encode() + b"\0" + file_id).derive(key)


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def jwk(key: Ed25519PrivateKey) -> Obj:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().public_bytes_raw())}


def thumb(key: Ed25519PrivateKey) -> bytes:
    return sha256(b'{"crv":"Ed25519","kty":"OKP","x":"' + jwk(key)["x"].encode() + b'"}')


def root_line(key: Ed25519PrivateKey, comment: str = "independent") -> str:
    return f"bulla-root:{jwk(key)['x']} {comment}"


@dataclass
class Recipient:
    kind: str
    public: bytes  # the public KEM key

    @property
    def id(self) -> bytes:
        return sha256(self.public)

    @classmethod
    def from_line(cls, line: str) -> Recipient:
        kind, _, rest = line.split()[0].partition(":")
        size = {"bulla-hybrid": 1216, "bulla-x25519": 32}[kind]
        raw = base64.b64decode(rest + "=" * (-len(rest) % 4), b"-_", validate=True)
        if len(raw) != 32 + size:
            raise ValueError("wrong length of a public line")
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw[-32:]))  # refuses low order
        return cls(kind.removeprefix("bulla-"), raw[32:])


def sign(key: Ed25519PrivateKey, what: str, claims: Obj, edits: Edits = NO_EDITS, delegated: bool = False) -> str:
    """A JWS. Parts for edits: <what>.header, .claims (dicts), .header_json, .claims_json (bytes),
    .input (the ASCII that is signed) and .jws (the whole text)."""

    def part(name: str, value: Any) -> Any:
        return edits.get(f"{what}.{name}", lambda same: same)(value)

    header = {"alg": "Ed25519", "typ": f"bulla-{what}+jwt"} | ({"jwk": jwk(key)} if delegated else {"kid": b64(thumb(key))})
    header_json = part("header_json", to_json(part("header", header)))
    claims_json = part("claims_json", to_json(part("claims", claims)))
    signed = part("input", f"{b64(header_json)}.{b64(claims_json)}")
    return part("jws", f"{signed}.{b64(key.sign(signed.encode()))}")


def wrap(to: Recipient, secret: bytes, scope: str, ident: bytes, policy: bytes) -> Obj:
    info = b"bulla/1 wrap" + {"file": b"\0\1", "batch": b"\0\2"}[scope] + ident + sha256(policy) + to.id
    if to.kind == "hybrid":
        kem, size = KEM.MLKEM768_X25519, 1120
        public: Any = MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(to.public[:1184]),
                                              X25519PublicKey.from_public_bytes(to.public[1184:]))
    else:
        kem, size, public = KEM.X25519, 32, X25519PublicKey.from_public_bytes(to.public)
    out = Suite(kem, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305).encrypt(secret, public, info)
    return {"kind": to.kind, "scope": scope, "to": b64(to.id), "enc": b64(out[:size]), "ct": b64(out[size:])}


@dataclass
class Batch:
    """The secret of a batch and what all its licenses share."""
    key: bytes
    id: bytes
    wraps: list[Obj]

    @classmethod
    def new(cls, to: list[Recipient], policy: bytes) -> Batch:
        key, ident = os.urandom(32), os.urandom(16)
        return cls(key, ident, [wrap(one, key, "batch", ident, policy) for one in to])


def describe(file_key: bytes, file_id: bytes, meta: Obj, rev: int, prev: str, edits: Edits) -> bytes:
    """Line 2. Parts: meta (dict), meta_padded (bytes), desc (dict), line2 (bytes)."""
    text = to_json(edits.get("meta", lambda same: same)(meta))
    padded = edits.get("meta_padded", lambda same: same)(text + b" " * (-len(text) % 256))
    nonce, aad = os.urandom(12), file_id + rev.to_bytes(8, "little")
    sealed = AESGCM(expand(file_key, "bulla/1 meta", file_id)).encrypt(nonce, padded, aad)
    desc = {"aead": "AEAD_AES_256_GCM", "rev": rev, "prev": prev, "meta": b64(nonce + sealed)}
    return edits.get("line2", lambda same: same)(to_json(edits.get("desc", lambda same: same)(desc)))


def encrypt(file_key: bytes, file_id: bytes, root: bytes, line2: bytes, plaintext: bytes) -> bytes:
    context = b"bulla/1\0" + file_id + root + sha256(line2)
    machine = Cobblestone256Encryptor(expand(file_key, "bulla/1 payload", file_id), context)
    return machine.update(plaintext) + machine.finalize()


def assemble(line1: bytes, line2: bytes, payload: bytes, offset: int | None = None) -> bytes:
    lines = line1 + b"\n" + line2 + b"\n"
    offset = offset or -(-(12 + len(lines)) // 4096) * 4096
    head = b"\x89BULLA\1\n" + offset.to_bytes(4, "little") + lines
    return head + bytes(max(0, offset - len(head))) + payload


def _finish(key: Ed25519PrivateKey, claims: Obj, delegated: bool, file_key: bytes, plaintext: bytes, meta: Obj,
            rev: int, prev: str, edits: Edits, offset: int | None) -> bytes:
    file_id = bytes.fromhex(claims["file"])
    line1 = sign(key, "license", claims, edits, delegated).encode()
    line2 = describe(file_key, file_id, meta, rev, prev, edits)
    payload = edits.get("payload", lambda same: same)(encrypt(file_key, file_id, base64.urlsafe_b64decode(claims["iss"] + "="), line2, plaintext))
    return assemble(edits.get("line1", lambda same: same)(line1), line2, payload, offset)


def _keys(to: list[Recipient], policy: bytes, file_id: bytes, batch: Batch | None) -> tuple[bytes, Obj]:
    """The file key, and the claims that carry it."""
    if batch:
        return expand(batch.key, "bulla/1 batch", file_id), {"batch": batch.id.hex(), "wraps": batch.wraps}
    key = os.urandom(32)
    return key, {"wraps": [wrap(one, key, "file", file_id, policy) for one in to]}


def seal(root: Ed25519PrivateKey, to: list[Recipient], policy: bytes, plaintext: bytes, *, label: str = "",
         meta: Obj | None = None, batch: Batch | None = None, seq: int = 1, rev: int = 1, prev: str = "",
         edits: Edits = NO_EDITS, offset: int | None = None) -> bytes:
    """An envelope with an issued license."""
    file_id = os.urandom(16)
    file_key, carried = _keys(to, policy, file_id, batch)
    claims = {"iss": b64(thumb(root)), "iat": int(time.time()), "jti": os.urandom(16).hex(), "seq": seq,
              "file": file_id.hex(), "label": label, "policy": b64(policy)} | carried
    return _finish(root, claims, False, file_key, plaintext, meta or {}, rev, prev, edits, offset)


def make_trust_list(root: Ed25519PrivateKey, keys: list[Obj], *, seq: int = 1, iat: int | None = None,
                    exp: int | None = None, programs: list[str] | None = None, edits: Edits = NO_EDITS) -> str:
    now = int(time.time())
    return sign(root, "trust", {"iss": b64(thumb(root)), "iat": now if iat is None else iat,
                                "exp": now + 86_400 * 365 if exp is None else exp, "seq": seq, "keys": keys,
                                "programs": programs or []}, edits)


def make_template(signer: Ed25519PrivateKey, root: Ed25519PrivateKey, to: list[Recipient], policy: bytes, *,
                  name: str = "template", label: str = "", roles: list[str] | None = None, edits: Edits = NO_EDITS) -> str:
    return sign(signer, "template", {"iss": b64(thumb(root)), "iat": int(time.time()), "jti": os.urandom(16).hex(),
                                     "name": name, "label": label, "policy": b64(policy),
                                     "to": [b64(one.id) for one in to], "roles": roles or []}, edits)


def make_permit(signer: Ed25519PrivateKey, root: Ed25519PrivateKey, template: str, device: Ed25519PrivateKey, *,
                exp: int | None = None, edits: Edits = NO_EDITS) -> str:
    now = int(time.time())
    return sign(signer, "permit", {"iss": b64(thumb(root)), "iat": now, "exp": now + 86_400 * 90 if exp is None else exp,
                                   "jti": os.urandom(16).hex(), "template": b64(sha256(template.encode())),
                                   "device": b64(thumb(device))}, edits)


def seal_delegated(device: Ed25519PrivateKey, root: Ed25519PrivateKey, template: str, permit: str, to: list[Recipient],
                   policy: bytes, plaintext: bytes, *, label: str = "", meta: Obj | None = None, batch: Batch | None = None,
                   edits: Edits = NO_EDITS, offset: int | None = None) -> bytes:
    nonce = os.urandom(16)
    file_id = sha256(b"bulla/1 file\0" + sha256(template.encode()) + thumb(device) + nonce)[:16]
    file_id = edits.get("file_id", lambda same: same)(file_id)
    file_key, carried = _keys(to, policy, file_id, batch)
    claims = {"iss": b64(thumb(root)), "iat": int(time.time()), "jti": os.urandom(16).hex(), "seq": 0,
              "file": file_id.hex(), "label": label, "policy": b64(policy)} | carried
    claims |= {"template": template, "permit": permit, "nonce": nonce.hex()}
    return _finish(device, claims, True, file_key, plaintext, meta or {}, 1, "", edits, offset)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command = parser.add_subparsers(dest="command", required=True).add_parser("seal")
    command.add_argument("--home", type=Path, required=True)
    command.add_argument("--root-key", required=True, help="32-byte Ed25519 seed, hex")
    command.add_argument("--to", action="append", required=True, metavar="LINE")
    command.add_argument("--policy", type=Path, required=True)
    command.add_argument("--label", default="")
    command.add_argument("file", type=Path)
    command.add_argument("-o", dest="out", type=Path, required=True)
    args = parser.parse_args()
    root = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(args.root_key))
    meta = {"name": args.file.name, "modified": args.file.stat().st_mtime_ns // 1_000_000}
    args.out.write_bytes(seal(root, [Recipient.from_line(line) for line in args.to], args.policy.read_bytes(),
                              args.file.read_bytes(), label=args.label, meta=meta))
    (args.home / "roots").mkdir(parents=True, exist_ok=True)
    (args.home / "roots" / b64(thumb(root))).write_text(root_line(root) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
