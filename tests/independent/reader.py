#!/usr/bin/env python3
"""An independent reader of the envelope, format 1, written from docs/format.md alone.

It shares no code with the Rust implementation and serves as an oracle against it. It holds the
whole file in memory and aims at being easy to compare with the page, section by section.

    reader.py open ENVELOPE --home DIR [--now N] -o OUT|-
    reader.py vectors FILE...

Needs Python 3.11 and `cryptography` 50 or later.
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

Obj = dict[str, Any]


class Refused(Exception):
    """The envelope is not opened. `cls` is "format", "denied" or "tampered"."""

    def __init__(self, cls: str, reason: str) -> None:
        super().__init__(f"{cls}: {reason}")
        self.cls = cls


@dataclass
class Opened:
    plaintext: bytes
    meta: Obj
    license: Obj


def check(condition: bool, cls: str, reason: str) -> None:
    if not condition:
        raise Refused(cls, reason)


# --- Conventions -----------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def b64e(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def b64d(text: object, size: int | None = None) -> bytes:
    """Canonical base64url without padding; of exactly `size` bytes if given."""
    if not isinstance(text, str) or not re.fullmatch("[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Refused("format", "not b64")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    check(b64e(raw) == text, "format", "b64 is not canonical")
    check(size is None or len(raw) == size, "format", f"b64 of {len(raw)} bytes instead of {size}")
    return raw


def hexd(text: object, size: int) -> bytes:
    if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{%d}" % (2 * size), text):
        raise Refused("format", "not hex of the right length")
    return bytes.fromhex(text)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3 with SHA-512."""
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 64 + 1]), "sha512")
        out += block
    return out[:length]


# --- Section 2: JSON -------------------------------------------------------------------------

MAX_INT = 2**53 - 1


def parse_json(raw: bytes) -> Any:
    def bad(what: str) -> NoReturn:
        raise Refused("format", f"JSON: {what}")

    def integer(text: str) -> int:
        if text == "-0" or len(text) > 17 or abs(int(text)) > MAX_INT:
            bad("number out of range")
        return int(text)

    def pairs(members: list[tuple[str, Any]]) -> Obj:
        if len(dict(members)) != len(members):
            bad("a key stands twice")
        return dict(members)

    def walk(value: Any, depth: int) -> None:
        if value is None:
            bad("null")
        elif isinstance(value, str):
            value.encode("utf-8")  # fails on a lone surrogate
        elif isinstance(value, (list, dict)):
            if depth > 16:
                bad("nested too deep")
            for key in value if isinstance(value, dict) else ():
                key.encode("utf-8")
            for item in value.values() if isinstance(value, dict) else value:
                walk(item, depth + 1)

    try:
        value = json.loads(raw.decode("utf-8"), parse_int=integer, object_pairs_hook=pairs,
                           parse_float=lambda _: bad("not an integer"),
                           parse_constant=lambda _: bad("not a number"))
        walk(value, 1)
    except (ValueError, RecursionError) as error:  # includes Unicode and JSON errors
        bad(str(error) if isinstance(error, ValueError) else "nested too deep")
    return value


def members(value: object, required: str, optional: str = "") -> Obj:
    """`value` is an object with all required members and none besides the optional ones."""
    if not isinstance(value, dict):
        raise Refused("format", "not an object")
    need, have = set(required.split()), set(value)
    if not need <= have or not have <= need | set(optional.split()):
        raise Refused("format", f"members {sorted(have ^ need)} missing or unknown")
    return value


def integer(value: object, low: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise Refused("format", "not an integer of the range")
    return value


def string(value: object, low: int = 0, high: int | None = None, controls: bool = True) -> str:
    """A string of `low` to `high` bytes of UTF-8, with or without control characters."""
    if not isinstance(value, str):
        raise Refused("format", "not a string")
    size = len(value.encode())
    check(low <= size and (high is None or size <= high), "format", "string of a wrong length")
    check(controls or not re.search("[\0-\x1f\x7f-\x9f]", value), "format", "control characters")
    return value


def array(value: object, low: int, high: int | None) -> list[Any]:
    if not isinstance(value, list) or len(value) < low or (high is not None and len(value) > high):
        raise Refused("format", "not an array of the right length")
    return value


def unique(values: list[Any]) -> None:
    check(len(set(values)) == len(values), "format", "an entry stands twice")


# --- Section 2: signed objects ---------------------------------------------------------------


@dataclass
class Jws:
    text: str
    header: Obj
    claims: Obj
    signature: bytes


def thumbprint(jwk: Obj) -> str:
    names = {"OKP": "crv kty x", "RSA": "e kty n", "EC": "crv kty x y"}[jwk["kty"]].split()
    canonical = json.dumps({name: jwk[name] for name in names}, separators=(",", ":"))
    return b64e(sha256(canonical.encode()))


def ed25519_jwk(raw: bytes) -> Obj:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64e(raw)}


def check_ed25519_jwk(jwk: object) -> None:
    jwk = members(jwk, "kty crv x")
    check(jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519", "format", "not an Ed25519 key")
    check(sound_point(b64d(jwk["x"], 32)), "format", "not a point, or one of small order")


def parse_jws(text: object, typ: str) -> Jws:
    if not isinstance(text, str):
        raise Refused("format", "a signed object is not a string")
    parts = text.split(".")
    check(len(parts) == 3, "format", "a JWS has three parts")
    raw_header, raw_claims, signature = b64d(parts[0]), b64d(parts[1]), b64d(parts[2], 64)
    header = parse_json(raw_header)
    if isinstance(header, dict) and "jwk" in header and typ == "license":
        members(header, "alg typ jwk")
        check_ed25519_jwk(header["jwk"])
    else:
        members(header, "alg typ kid")
        b64d(header["kid"], 32)
    check(header["alg"] == "Ed25519", "format", "alg")
    check(header["typ"] == f"bulla-{typ}+jwt", "format", "typ")
    return Jws(text, header, parse_json(raw_claims), signature)


P25519 = 2**255 - 19
ORDER8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_ORDER_Y = {0, 1, P25519 - 1, ORDER8, P25519 - ORDER8}
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def sound_point(raw: bytes) -> bool:
    """Whether these are the canonical bytes of a point of the curve that is not of small order."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= P25519 or y in SMALL_ORDER_Y:
        return False
    d = -121665 * pow(121666, -1, P25519) % P25519
    square = (y * y - 1) * pow(d * y * y + 1, -1, P25519) % P25519
    return square != 0 and pow(square, (P25519 - 1) // 2, P25519) == 1


def verify(jws: Jws, public: bytes) -> None:
    for point in (public, jws.signature[:32]):
        y = int.from_bytes(point, "little") & (2**255 - 1)
        check(y < P25519 and y not in SMALL_ORDER_Y, "tampered", "point of small order")
    check(int.from_bytes(jws.signature[32:], "little") < GROUP_ORDER, "tampered", "S is not canonical")
    signed = jws.text.rpartition(".")[0].encode("ascii")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(jws.signature, signed)
    except (InvalidSignature, ValueError):
        raise Refused("tampered", f"signature of the {jws.header['typ']}") from None


def check_times(claims: Obj, *names: str) -> None:
    for name in names:
        integer(claims[name], 0)


PURPOSES = ("badge", "attestation", "revocation", "template", "permit")


def parse_trust_list(text: str) -> Jws:
    check(len(text) <= 4 << 20, "format", "trust list too long")
    jws = parse_jws(text, "trust")
    claims = members(jws.claims, "iss iat exp seq keys programs")
    b64d(claims["iss"], 32)
    check(claims["iss"] == jws.header["kid"], "format", "iss is not kid")
    check_times(claims, "iat", "exp")
    integer(claims["seq"], 1)
    for key in array(claims["keys"], 0, 256):
        key = members(key, "jwk alg for", "iss aud roles")
        kty = key["jwk"].get("kty") if isinstance(key["jwk"], dict) else None
        if kty == "OKP":
            check_ed25519_jwk(key["jwk"])
            check(key["alg"] in ("Ed25519", "EdDSA"), "format", "alg of a key")
        elif kty == "RSA":
            for name, low, high in (("n", 256, 1024), ("e", 1, 8)):
                raw = b64d(members(key["jwk"], "kty n e")[name])
                check(low <= len(raw) <= high and raw[0] != 0, "format", "RSA key")
            check(key["alg"] == "RS256", "format", "alg of a key")
        else:
            jwk = members(key["jwk"], "kty crv x y")
            check(jwk["kty"] == "EC" and jwk["crv"] == "P-256", "format", "kind of key")
            b64d(jwk["x"], 32), b64d(jwk["y"], 32)
            check(key["alg"] == "ES256", "format", "alg of a key")
        uses = array(key["for"], 1, None)
        check(all(isinstance(use, str) and use in PURPOSES for use in uses), "format", "purpose")
        unique(uses)
        check(kty == "OKP" or not {"template", "permit", "revocation"} & set(uses), "format", "key type for its purpose")
        for name in {"iss", "aud"} & set(key):
            string(key[name], 0, 256, controls=False)
        if "roles" in key:
            roles = members(key["roles"], "claim allow")
            string(roles["claim"], 0, 256, controls=False)
            for role in array(roles["allow"], 0, None):
                string(role, 0, 256, controls=False)
    unique([thumbprint(key["jwk"]) for key in claims["keys"]])
    for program in array(claims["programs"], 0, 10_000):
        hexd(program, 32)
    return jws


def check_label_and_policy(claims: Obj) -> None:
    string(claims["label"], 0, 256, controls=False)
    check(1 <= len(b64d(claims["policy"])) <= 65_536, "format", "size of the policy")


def parse_template(text: str) -> Jws:
    jws = parse_jws(text, "template")
    claims = members(jws.claims, "iss iat jti name label policy to roles")
    b64d(claims["iss"], 32)
    check_times(claims, "iat")
    hexd(claims["jti"], 16)
    string(claims["name"], 1, 256, controls=False)
    check_label_and_policy(claims)
    for to in array(claims["to"], 1, 500):
        b64d(to, 32)
    unique(claims["to"])
    for role in array(claims["roles"], 0, 64):
        string(role, 0, 256, controls=False)
    return jws


def parse_permit(text: str) -> Jws:
    jws = parse_jws(text, "permit")
    claims = members(jws.claims, "iss iat exp jti template device")
    for name in ("iss", "template", "device"):
        b64d(claims[name], 32)
    check_times(claims, "iat", "exp")
    hexd(claims["jti"], 16)
    return jws


# --- Sections 3 and 4: the license -----------------------------------------------------------

KINDS = {"hybrid": (1120, 48, KEM.MLKEM768_X25519), "x25519": (32, 48, KEM.X25519)}
DELEGATED = "template permit nonce"


def parse_license(line: bytes) -> Jws:
    try:
        jws = parse_jws(line.decode("ascii"), "license")
    except UnicodeDecodeError:
        raise Refused("format", "line 1 is not ASCII") from None
    delegated = "jwk" in jws.header
    claims = members(jws.claims, "iss iat jti seq file label policy wraps" + (f" {DELEGATED}" if delegated else ""), "batch")
    b64d(claims["iss"], 32)
    check(delegated or claims["iss"] == jws.header["kid"], "format", "iss is not kid")
    check_times(claims, "iat")
    for name in {"jti", "file", "batch", "nonce"} & set(claims):
        hexd(claims[name], 16)
    integer(claims["seq"], 0)
    check((claims["seq"] == 0) == delegated, "format", "seq does not go with the signer")
    check_label_and_policy(claims)
    if delegated:
        parse_template(claims["template"]), parse_permit(claims["permit"])
    for wrap in array(claims["wraps"], 1, 500):
        wrap = members(wrap, "kind scope to enc ct")
        string(wrap["kind"]), string(wrap["enc"]), string(wrap["ct"])
        check(wrap["scope"] in ("file", "batch"), "format", "scope of a wrap")
        b64d(wrap["to"], 32)
        if wrap["kind"] in KINDS:
            b64d(wrap["enc"], KINDS[wrap["kind"]][0]), b64d(wrap["ct"], KINDS[wrap["kind"]][1])
    unique([wrap["to"] for wrap in claims["wraps"]])
    scopes = {wrap["scope"] for wrap in claims["wraps"]}
    check(("batch" in claims) == ("batch" in scopes), "format", "batch without a wrap, or the reverse")
    return jws


def root_keys(lines: list[str]) -> dict[str, bytes]:
    """Thumbprint to public key of `bulla-root:<b64> comment` lines."""
    keys = {}
    for line in lines:
        word = (line.split() or [""])[0]
        if not word.startswith("bulla-root:"):
            raise ValueError("not a root line")
        raw = b64d(word.removeprefix("bulla-root:"), 32)
        keys[thumbprint(ed25519_jwk(raw))] = raw
    return keys


def held_trust(lists: list[str], roots: dict[str, bytes]) -> dict[str, Obj]:
    """The newest list of each root, of those that verify; the others are not held."""
    held: dict[str, Obj] = {}
    for text in lists:
        try:
            jws = parse_trust_list(text)
            iss = jws.claims["iss"]
            check(iss in roots, "denied", "trust list of another root")
            verify(jws, roots[iss])
        except Refused:
            continue
        if iss not in held or held[iss]["seq"] < jws.claims["seq"]:
            held[iss] = jws.claims
    return held


def authorize(jws: Jws, roots: dict[str, bytes], trust: dict[str, Obj], now: int) -> None:
    """Section 3, the order of "Issued" and "Delegated"."""
    claims = jws.claims
    check(claims["iss"] in roots, "denied", "the root is not pinned")  # 1
    if "kid" in jws.header:
        return verify(jws, roots[claims["iss"]])
    template, permit = parse_template(claims["template"]), parse_permit(claims["permit"])
    trusted = trust.get(claims["iss"])
    if trusted is None or trusted["exp"] <= now:  # 2
        raise Refused("denied", "no current trust list of the root")

    def named(kid: str, purpose: str) -> bytes:
        for key in trusted["keys"]:
            if purpose in key["for"] and thumbprint(key["jwk"]) == kid:
                return b64d(key["jwk"]["x"], 32)
        raise Refused("denied", f"the trust list does not name the key for {purpose}")

    kid = template.header["kid"]
    verify(template, named(kid, "template"))  # 3
    check(permit.header["kid"] == kid, "denied", "permit of another signer")  # 4
    verify(permit, named(kid, "permit"))
    digest, device = sha256(template.text.encode()), thumbprint(jws.header["jwk"])  # 5
    check(template.claims["iss"] == permit.claims["iss"] == claims["iss"], "denied", "template or permit of another root")
    check(permit.claims["template"] == b64e(digest), "denied", "permit of another template")
    check(permit.claims["device"] == device, "denied", "permit of another device")
    verify(jws, b64d(jws.header["jwk"]["x"], 32))  # 6
    for name in ("label", "policy"):  # 7
        check(claims[name] == template.claims[name], "denied", f"{name} is not the template's")
    check([wrap["to"] for wrap in claims["wraps"]] == template.claims["to"], "denied", "recipients are not the template's")
    file_id = sha256(b"bulla/1 file\0" + digest + b64d(device) + hexd(claims["nonce"], 16))[:16]
    check(claims["file"] == file_id.hex(), "denied", "the file id is not derived")


def policy_allows(policy: bytes) -> bool:
    """Whether the policy gives the right "view" to anyone without a condition. To be replaced."""

    def only(obj: Obj, need: str, empty: str) -> bool:
        rest = {key: value for key, value in obj.items() if key in need.split() or key not in empty.split() or value not in ({}, [])}
        return set(rest) == set(need.split())

    known = {"view", "edit", "print", "copy", "capture", "export"}
    try:
        value = parse_json(policy)
    except Refused:
        return False
    if not isinstance(value, dict) or not only(value, "version name grants", "require duties derive"):
        return False
    if value["version"] is True or value["version"] != 1 or not isinstance(value["name"], str):
        return False
    if not isinstance(value["grants"], list) or len(value["grants"]) != 1:
        return False
    grant = value["grants"][0]
    if not isinstance(grant, dict) or not only(grant, "to rights", "require duties derive when"):
        return False
    rights = grant["rights"]
    return (grant["to"] == ["anyone"] and isinstance(rights, list) and all(isinstance(r, str) for r in rights)
            and len(set(rights)) == len(rights) and set(rights) <= known and "view" in rights)


def kem_keys(kind: str, secret: bytes) -> tuple[Any, bytes]:
    """The private KEM key and the public one's bytes. The hybrid seed expands as in X-Wing."""
    if len(secret) != 32 or kind not in KINDS:
        raise ValueError("the identity needs a known kind and 32 bytes")
    if kind == "x25519":
        key = X25519PrivateKey.from_private_bytes(secret)
        return key, key.public_key().public_bytes_raw()
    seed = hashlib.shake_256(secret).digest(96)
    pq, dh = MLKEM768PrivateKey.from_seed_bytes(seed[:64]), X25519PrivateKey.from_private_bytes(seed[64:])
    public = pq.public_key().public_bytes_raw() + dh.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(pq, dh), public


def unwrap(claims: Obj, kind: str, secret: bytes) -> bytes:
    """Sections 4 and 5: the file key."""
    private, public = kem_keys(kind, secret)
    mine = sha256(public)
    wrap = next((wrap for wrap in claims["wraps"] if wrap["to"] == b64e(mine)), None)
    if wrap is None or wrap["kind"] != kind:
        raise Refused("denied", "not a recipient")
    batch = wrap["scope"] == "batch"
    ident = bytes.fromhex(claims["batch"] if batch else claims["file"])
    info = b"bulla/1 wrap\0" + (b"\2" if batch else b"\1") + ident + sha256(b64d(claims["policy"])) + mine
    suite = Suite(KINDS[kind][2], KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    try:
        key = suite.decrypt(b64d(wrap["enc"]) + b64d(wrap["ct"]), private, info)
    except (InvalidTag, ValueError):
        raise Refused("tampered", "the wrap does not open") from None
    return hkdf_expand(key, b"bulla/1 batch\0" + bytes.fromhex(claims["file"]), 32) if batch else key


# --- Sections 1, 6 and 7 ---------------------------------------------------------------------

CHUNK = 16_384
SEALED_CHUNK = CHUNK + 16


def split_layout(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Line 1, line 2 and the payload."""
    check(data[:6] == b"\x89BULLA", "format", "not sealed")
    check(data[6:7] == b"\1", "format", "unsupported version")
    check(data[7:8] == b"\n" and len(data) >= 12, "format", "magic")
    offset = int.from_bytes(data[8:12], "little")
    check(offset % 4096 == 0 and 4096 <= offset <= 4_194_304, "format", "offset of the payload")
    check(len(data) >= offset + 72 and (len(data) - offset - 56) % SEALED_CHUNK >= 16, "format", "impossible length")
    end1 = data.find(b"\n", 12, offset)
    end2 = data.find(b"\n", end1 + 1, offset)
    check(end1 >= 0 and end2 >= 0, "format", "a line does not end")
    check(end2 - end1 - 1 <= 65_536, "format", "line 2 is too long")
    check(not any(data[end2 + 1:offset]), "format", "the padding is not zero")
    return data[12:end1], data[end1 + 1:end2], data[offset:]


def parse_description(line: bytes) -> Obj:
    desc = members(parse_json(line), "aead rev prev meta")
    check(desc["aead"] == "AEAD_AES_256_GCM", "format", "aead")
    if integer(desc["rev"], 1) == 1:
        check(desc["prev"] == "", "format", "prev of the first save")
    else:
        b64d(desc["prev"], 32)
    size = len(b64d(desc["meta"])) - 28
    check(size % 256 == 0 and 256 <= size <= 16_384, "format", "size of the metadata")
    return desc


def open_metadata(desc: Obj, file_key: bytes, file_id: bytes) -> Obj:
    sealed = b64d(desc["meta"])
    aad = file_id + desc["rev"].to_bytes(8, "little")
    try:
        padded = AESGCM(hkdf_expand(file_key, b"bulla/1 meta\0" + file_id, 32)).decrypt(sealed[:12], sealed[12:], aad)
        meta = members(parse_json(padded), "", "name type created modified")
        for name in {"name", "type"} & set(meta):
            string(meta[name])
        for name in {"created", "modified"} & set(meta):
            integer(meta[name], -MAX_INT)
    except (InvalidTag, Refused) as error:
        raise Refused("tampered", f"metadata ({error})") from None
    return meta


def open_envelope(data: bytes, *, roots: list[str], trust: list[str], identity: Obj, now: int) -> Opened:
    pinned = root_keys(roots)
    line1, line2, payload = split_layout(data)  # section 8, step 1
    jws, desc = parse_license(line1), parse_description(line2)
    claims = jws.claims
    authorize(jws, pinned, held_trust(trust, pinned), now)  # step 2
    check(policy_allows(b64d(claims["policy"])), "denied", "the policy")  # step 3
    file_key, file_id = unwrap(claims, identity["kind"], identity["secret"]), bytes.fromhex(claims["file"])  # step 4

    salt, commitment, chunks = payload[:24], payload[24:56], payload[56:]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + b"bulla/1\0" + file_id + b64d(claims["iss"]) + sha256(line2)
    okm = hkdf_expand(hkdf_expand(file_key, b"bulla/1 payload\0" + file_id, 32), info, 76)
    check(hmac.compare_digest(okm[44:], commitment), "tampered", "commitment")
    aead, base = AESGCM(okm[:32]), int.from_bytes(okm[32:44], "big")
    last = len(chunks) // SEALED_CHUNK
    check(last < 1 << 38, "format", "too many chunks")

    def chunk(number: int) -> bytes:
        sealed = chunks[number * SEALED_CHUNK:(number + 1) * SEALED_CHUNK]
        try:
            return aead.decrypt((base ^ number).to_bytes(12, "big"), sealed, None)
        except InvalidTag:
            raise Refused("tampered", f"chunk {number}") from None

    tail = chunk(last)
    meta = open_metadata(desc, file_key, file_id)
    return Opened(b"".join(chunk(number) for number in range(last)) + tail, meta, claims)  # step 5


# --- Command line ----------------------------------------------------------------------------

EXIT = {"denied": 3, "format": 4, "tampered": 5}


def load_home(home: Path) -> Obj:
    """`roots`, `trust` and `identity` of a home, as open_envelope takes them."""

    def texts(folder: str) -> list[str]:
        return [path.read_text().strip() for path in sorted((home / folder).glob("*")) if path.is_file()]

    stored = json.loads((home / "identity").read_text())
    identity = {"kind": stored["kind"], "secret": b64d(stored["kem"], 32)}
    return {"roots": texts("roots"), "trust": texts("trust"), "identity": identity}


def run_vector(vector: Obj) -> str | None:
    """What differs from the expectation, or None."""
    identity = {"kind": vector["identity"]["kind"], "secret": bytes.fromhex(vector["identity"]["secret"])}
    data = base64.b64decode(vector["envelope"], validate=True)
    got: Obj
    try:
        opened = open_envelope(data, roots=vector["roots"], trust=vector["trust"], identity=identity, now=vector["now"])
        got = {"ok": {"sha256": sha256(opened.plaintext).hex(), "size": len(opened.plaintext), "meta": opened.meta}}
        reason = ""
    except Refused as refused:
        got, reason = {"error": refused.cls}, f" ({refused})"
    return None if got == vector["expect"] else f"expected {vector['expect']}, got {got}{reason}"


def run_vectors(paths: list[Path]) -> int:
    failed = 0
    for path in paths:
        try:
            problem = run_vector(json.loads(path.read_text()))
        except Exception as error:  # a broken vector, or a defect of this reader
            problem = f"{type(error).__name__}: {error}"
        if problem:
            failed += 1
            print(f"{path.name}: {problem}")
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    opening = commands.add_parser("open")
    opening.add_argument("envelope", type=Path)
    opening.add_argument("--home", type=Path, required=True)
    opening.add_argument("--now", type=int, default=None)
    opening.add_argument("-o", dest="out", required=True)
    commands.add_parser("vectors").add_argument("files", type=Path, nargs="+")
    args = parser.parse_args()
    if args.command == "vectors":
        return run_vectors(args.files)
    try:
        now = int(time.time()) if args.now is None else args.now
        opened = open_envelope(args.envelope.read_bytes(), **load_home(args.home), now=now)
        if args.out == "-":
            sys.stdout.buffer.write(opened.plaintext)
        else:
            Path(args.out).write_bytes(opened.plaintext)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return EXIT[refused.cls]
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
