#!/usr/bin/env python3
"""Checks reader.py against writer.py: round trips, and envelopes that break one rule of
docs/format.md each, with the class that the page demands.

    selftest.py [--vectors DIR]     DIR: write each case as a JSON vector for `reader.py vectors`
"""
from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import reader
import writer
from reader import Refused, b64d, b64e, sha256

POLICY = b'{"version":1,"name":"open","grants":[{"to":["anyone"],"rights":["view","export"]}]}'
NEVER = POLICY.replace(b'"anyone"', b'{"user":"nobody"}')
META = {"name": "caf\u00e9.txt", "type": "text/plain", "created": -5, "modified": 1_700_000_000_000}
CHUNK = 16_384
Edit = Callable[[Any], Any]


@dataclass
class Case:
    """`expect` is "ok" or a class. A case with `usual` runs in the kit's usual circumstances: its
    root pinned, its trust list held, the time is now, and the identity one of the kit's two."""
    name: str
    envelope: bytes
    expect: str
    kind: str = "x25519"
    plaintext: bytes = b""
    meta: dict[str, Any] = field(default_factory=dict)
    circumstances: dict[str, Any] | None = None

    @property
    def usual(self) -> bool:
        return self.circumstances is None


class Kit:
    """A root, a template signer, a sealing device, one recipient of each kind, and a trust list."""

    def __init__(self, secrets: dict[str, bytes] | None = None) -> None:
        self.root, self.signer, self.device, self.other = (Ed25519PrivateKey.generate() for _ in range(4))
        self.secrets = secrets or {kind: os.urandom(32) for kind in ("hybrid", "x25519")}
        self.to = {kind: writer.Recipient(kind, reader.kem_keys(kind, secret)[1]) for kind, secret in self.secrets.items()}
        self.now = int(time.time())
        self.keys = [{"jwk": writer.jwk(self.signer), "alg": "Ed25519", "for": ["template", "permit", "badge"]},
                     {"jwk": {"kty": "RSA", "n": b64e(b"\xc1" * 256), "e": "AQAB"}, "alg": "RS256", "for": ["badge"], "iss": "https://id.example",
                      "aud": "a", "roles": {"claim": "groups", "allow": ["r"]}},
                     {"jwk": {"kty": "EC", "crv": "P-256", "x": b64e(bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")),
                              "y": b64e(bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))},
                      "alg": "ES256", "for": ["attestation"]}]
        self.trust = writer.make_trust_list(self.root, self.keys, programs=["ab" * 32])
        self.roots = [writer.root_line(self.root)]
        self.all = [self.to["hybrid"], self.to["x25519"]]

    def template(self, signer: Ed25519PrivateKey | None = None, **more: Any) -> str:
        return writer.make_template(signer or self.signer, self.root, self.all, more.pop("policy", POLICY), label="L", **more)

    def permit(self, template: str, signer: Ed25519PrivateKey | None = None, **more: Any) -> str:
        return writer.make_permit(signer or self.signer, self.root, template, more.pop("device", self.device), **more)

    def delegated(self, plaintext: bytes = b"delegated", template: str | None = None, permit: str | None = None, **more: Any) -> bytes:
        template = template or self.template()
        permit = permit or self.permit(template)
        more = {"label": "L", "meta": META, "policy": POLICY, "device": self.device, "to": self.all} | more
        device, to, policy = more.pop("device"), more.pop("to"), more.pop("policy")
        return writer.seal_delegated(device, self.root, template, permit, to, policy, plaintext, **more)

    def issued(self, plaintext: bytes = b"issued", **more: Any) -> bytes:
        more = {"label": "L", "meta": META, "policy": POLICY, "root": self.root, "to": [self.to["x25519"]]} | more
        return writer.seal(more.pop("root"), more.pop("to"), more.pop("policy"), plaintext, **more)

    def context(self, case: Case) -> dict[str, Any]:
        usual = {"roots": self.roots, "trust": [self.trust], "now": self.now,
                 "identity": {"kind": case.kind, "secret": self.secrets[case.kind]}}
        return usual | (case.circumstances or {})


# --- Small edits -----------------------------------------------------------------------------


def put(**values: Any) -> Edit:
    return lambda obj: obj | values


def under(root: Any) -> Edit:
    """The same claims, signed by another root in its own name."""
    def edit(line1: bytes) -> bytes:
        claims = reader.parse_license(line1).claims | {"iss": b64e(writer.thumb(root))}
        return writer.sign(root, "license", claims, writer.NO_EDITS, False).encode()
    return edit


def drop(name: str) -> Edit:
    return lambda obj: {key: value for key, value in obj.items() if key != name}


def sub(old: bytes, new: bytes) -> Edit:
    def edit(raw: bytes) -> bytes:
        assert re.search(old, raw), (old, raw)
        return re.sub(old, lambda _: new, raw, count=1)
    return edit


def wraps(edit: Edit) -> Edit:
    return lambda claims: claims | {"wraps": edit(claims["wraps"])}


def first_wrap(**values: Any) -> Edit:
    return wraps(lambda all_wraps: [all_wraps[0] | values, *all_wraps[1:]])


def flip(at: int) -> Edit:
    def edit(raw: bytes) -> bytes:
        position = at % len(raw)
        return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1:]
    return edit


def on_signature(edit: Callable[[bytes], bytes]) -> Edit:
    def run(jws: str) -> str:
        signed, _, signature = jws.rpartition(".")
        return signed + "." + b64e(edit(b64d(signature)))
    return run


def add_order(signature: bytes) -> bytes:
    scalar = int.from_bytes(signature[32:], "little") + reader.GROUP_ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def loose_bits(text: str) -> str:
    """The same bytes in b64 that is not canonical (the length must leave unused bits)."""
    assert len(text) % 4
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def stranger(number: int, kind: str = "other") -> dict[str, str]:
    return {"kind": kind, "scope": "file", "to": b64e(sha256(b"stranger %d" % number)), "enc": "?", "ct": ""}


# --- The cases -------------------------------------------------------------------------------


def cases(kit: Kit) -> Iterator[Case]:
    yield from round_trips(kit)
    yield from layout_cases(kit)
    yield from json_cases(kit)
    yield from jws_cases(kit)
    yield from license_cases(kit)
    yield from description_cases(kit)
    yield from payload_cases(kit)
    yield from delegated_cases(kit)
    yield from trust_cases(kit)


def round_trips(kit: Kit) -> Iterator[Case]:
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 50_000, 3 * CHUNK):
        plain = os.urandom(size)
        batch = writer.Batch.new(kit.all, POLICY)
        template = kit.template()
        shared = kit.delegated(plain, template, batch=batch)
        for kind in ("hybrid", "x25519"):
            for name, data in (("issued", kit.issued(plain, to=[kit.to[kind]])), ("two recipients", kit.issued(plain, to=kit.all)),
                               ("batch", kit.issued(plain, batch=batch)), ("delegated", kit.delegated(plain)), ("delegated batch", shared)):
                yield Case(f"round trip, {name}, {kind}, {size}", data, "ok", kind, plain, META)


def layout_cases(kit: Kit) -> Iterator[Case]:
    plain = os.urandom(40_000)
    data = kit.issued(plain)
    for at in range(8):
        yield Case(f"layout: magic byte {at}", flip(at)(data), "format")
    for size in (0, 1, 5, 6, 7, 8, 11, 12, 13, 4095, 4096, 4096 + 71):
        yield Case(f"layout: cut to {size}", data[:size], "format")
    for offset in (0, 1, 2048, 4095, 4097, 8192, 4 << 20, (4 << 20) + 4096, 0xFFFFF000, 0xFFFFFFFF):
        yield Case(f"layout: P = {offset}", data[:8] + offset.to_bytes(4, "little") + data[12:], "format")
    for offset in (8192, 4 << 20):
        yield Case(f"layout: larger P {offset}", kit.issued(plain, offset=offset), "ok", plaintext=plain, meta=META)
    yield Case("layout: P over the limit", kit.issued(plain, offset=(4 << 20) + 4096), "format")
    yield Case("layout: padding at its end", flip(4095)(data), "format")
    end = data.index(b"\0", data.index(b"\n", 12))
    yield Case("layout: padding at its start", flip(end)(data), "format")
    yield Case("layout: a third line", data[:end] + b"\n" + data[end + 1:], "format")
    yield Case("layout: one line only", data[:end - 1] + b"\0" + data[end:], "format")
    lines = data[12:end]
    yield Case("layout: empty line 1", data[:12] + b"\n" + lines + data[13 + len(lines):], "format")
    yield Case("layout: CR LF", kit.issued(edits={"line1": lambda line: line + b"\r"}), "format")
    yield Case("layout: line 1 not ASCII", data[:12] + b"\xc3" + data[13:], "format")

    def fill(size: int) -> Edit:
        return lambda line: line + b" " * (size - len(line))

    yield Case("layout: line 2 as long as allowed", kit.issued(plain, edits={"line2": fill(65_536)}), "ok", plaintext=plain, meta=META)
    yield Case("layout: line 2 too long", kit.issued(plain, edits={"line2": fill(65_537)}), "format")
    slack = 4096 - end
    yield Case("layout: line 2 ends right before P", kit.issued(plain, edits={"line2": lambda line: line + b" " * slack}, offset=4096),
               "ok", plaintext=plain, meta=META)
    line1, rest = data[12:].split(b"\n", 1)
    line2 = rest.split(b"\n", 1)[0]
    late = data[:12] + line1 + b"\n" + line2 + b" " * (slack + 1)
    yield Case("layout: line 2 ends at P", late[:4096] + b"\n" + data[4097:], "format")
    for cut, cls in ((1, "tampered"), (40_000 - 2 * CHUNK - 1, "tampered"), (40_000 - 2 * CHUNK, "tampered"), (40_000 - 2 * CHUNK + 1, "format"),
                     (40_000 - 2 * CHUNK + 16, "format"), (40_000 - 2 * CHUNK + 17, "tampered"), (40_000 - CHUNK + 16, "tampered")):
        yield Case(f"layout: {cut} bytes cut off", data[:-cut], cls)
    tail = 40_000 - 2 * CHUNK + 16
    for more, cls in ((1, "tampered"), (16_399 - tail, "tampered"), (16_400 - tail, "format"), (16_415 - tail, "format"), (16_416 - tail, "tampered")):
        yield Case(f"layout: {more} bytes appended", data + bytes(more), cls)


def json_cases(kit: Kit) -> Iterator[Case]:
    claims: list[tuple[str, Edit, str]] = [
        ("white space", lambda raw: b" \t\r\n" + raw.replace(b",", b" ,\n").replace(b":", b"\t: ") + b" ", "ok"),
        ("other order", lambda raw: json.dumps(dict(reversed(list(json.loads(raw).items())))).encode(), "ok"),
        ("escapes", sub(b'"label":"L"', b'"\\u006cabel":"\\u004c\\ud83d\\ude00\\/"'), "ok"),
        ("largest integer", sub(b'"seq":1', b'"seq":9007199254740991'), "ok"),
        ("integer too large", sub(b'"seq":1', b'"seq":9007199254740992'), "format"),
        ("integer of 5000 digits", sub(b'"seq":1', b'"seq":' + b"9" * 5000), "format"),
        ("key twice", sub(b'"seq":1', b'"seq":1,"seq":1'), "format"),
        ("key twice by escape", sub(b'"seq":1', b'"seq":1,"s\\u0065q":1'), "format"),
        ("key twice in a wrap", sub(b'"scope":"file"', b'"scope":"file","scope":"file"'), "format"),
        ("null", sub(b'"label":"L"', b'"label":null'), "format"),
        ("null for an optional member", sub(b'"seq":1', b'"seq":1,"batch":null'), "format"),
        ("fraction", sub(b'"seq":1', b'"seq":1.0'), "format"),
        ("exponent", sub(b'"seq":1', b'"seq":1e0'), "format"),
        ("leading zero", sub(b'"seq":1', b'"seq":01'), "format"),
        ("plus", sub(b'"seq":1', b'"seq":+1'), "format"),
        ("minus zero", sub(b'"iat":[0-9]+', b'"iat":-0'), "format"),
        ("zero", sub(b'"iat":[0-9]+', b'"iat":0'), "ok"),
        ("NaN", sub(b'"iat":[0-9]+', b'"iat":NaN'), "format"),
        ("Infinity", sub(b'"iat":[0-9]+', b'"iat":Infinity'), "format"),
        ("true for 1", sub(b'"seq":1', b'"seq":true'), "format"),
        ("string for 1", sub(b'"seq":1', b'"seq":"1"'), "format"),
        ("lone surrogate", sub(b'"label":"L"', b'"label":"\\ud800"'), "format"),
        ("lone low surrogate", sub(b'"label":"L"', b'"label":"\\udc00\\ud800"'), "format"),
        ("surrogate in UTF-8", sub(b'"label":"L"', b'"label":"\xed\xa0\x80"'), "format"),
        ("overlong UTF-8", sub(b'"label":"L"', b'"label":"\xc0\x80"'), "format"),
        ("Latin-1", sub(b'"label":"L"', b'"label":"\xe9"'), "format"),
        ("raw control character", sub(b'"label":"L"', b'"label":"\t"'), "format"),
        ("unknown escape", sub(b'"label":"L"', b'"label":"\\x41"'), "format"),
        ("byte order mark", lambda raw: b"\xef\xbb\xbf" + raw, "format"),
        ("UTF-16", lambda raw: raw.decode().encode("utf-16-le"), "format"),
        ("text after the value", lambda raw: raw + b"{}", "format"),
        ("NUL after the value", lambda raw: raw + b"\0", "format"),
        ("form feed", lambda raw: raw + b"\f", "format"),
        ("comma at the end", lambda raw: raw[:-1] + b",}", "format"),
        ("comment", lambda raw: raw + b"//", "format"),
        ("deep nesting", sub(b'"label":"L"', b'"label":' + b"[" * 100_000 + b"]" * 100_000), "format"),
        ("17 deep", sub(b'"label":"L"', b'"label":' + b"[" * 16 + b"]" * 16), "format"),
        ("array for an object", lambda raw: b"[" + raw + b"]", "format"),
        ("empty", lambda raw: b"", "format"),
    ]
    for name, edit, expect in claims:
        yield Case(f"json: claims, {name}", kit.issued(b"json", edits={"license.claims_json": edit}), expect, plaintext=b"json", meta=META)
    header: list[tuple[str, Edit, str]] = [
        ("white space", lambda raw: b"\n " + raw + b"\n", "ok"),
        ("key twice", sub(b'"alg":"Ed25519"', b'"alg":"Ed25519","alg":"Ed25519"'), "format"),
        ("not JSON", lambda raw: b"{", "format"), ("a string", lambda raw: b'"jwk"', "format")]
    for name, edit, expect in header:
        yield Case(f"json: header, {name}", kit.issued(b"json", edits={"license.header_json": edit}), expect, plaintext=b"json", meta=META)
    line2: list[tuple[str, Edit, str]] = [
        ("white space", lambda raw: b"\r\t " + raw.replace(b",", b" , "), "ok"),
        ("key twice", sub(b'"rev":1', b'"rev":1,"rev":1'), "format"), ("minus zero", sub(b'"rev":1', b'"rev":-0'), "format"),
        ("fraction", sub(b'"rev":1', b'"rev":1.0'), "format"), ("byte order mark", lambda raw: b"\xef\xbb\xbf" + raw, "format"),
        ("empty", lambda raw: b"", "format")]
    for name, edit, expect in line2:
        yield Case(f"json: line 2, {name}", kit.issued(b"json", edits={"line2": edit}), expect, plaintext=b"json", meta=META)


def jws_cases(kit: Kit) -> Iterator[Case]:
    for name, edit in (
        ("alg EdDSA", put(alg="EdDSA")), ("alg none", put(alg="none")), ("alg HS256", put(alg="HS256")), ("typ of another object", put(typ="bulla-trust+jwt")),
        ("typ in capitals", put(typ="BULLA-license+jwt")), ("typ JWT", put(typ="JWT")), ("no typ", drop("typ")), ("no kid", drop("kid")),
        ("no alg", drop("alg")), ("crit", put(crit=[])), ("jku", put(jku="https://x.example")), ("b64", put(b64=False)), ("x5c", put(x5c=[])),
        ("kid and jwk", put(jwk=writer.jwk(kit.root))), ("kid of another key", put(kid=b64e(writer.thumb(kit.other)))), ("kid too short", put(kid="AAAA")),
        ("jwk instead of kid", lambda header: drop("kid")(header) | {"jwk": writer.jwk(kit.root)}), ("kid a number", put(kid=1)),
    ):
        yield Case(f"jws: {name}", kit.issued(edits={"license.header": edit}), "format")
    for name, change, cls in (
        ("signature of 63 bytes", on_signature(lambda s: s[:63]), "format"), ("signature of 65 bytes", on_signature(lambda s: s + b"\0"), "format"),
        ("no signature", on_signature(lambda s: b""), "format"), ("signature padded", lambda jws: jws + "==", "format"),
        ("signature not canonical b64", loose_bits, "format"), ("two parts", lambda jws: jws.rpartition(".")[0], "format"),
        ("four parts", lambda jws: jws + ".", "format"), ("white space", lambda jws: " " + jws, "format"), ("white space inside", lambda jws: jws.replace(".", " .", 1), "format"),
        ("base64 with + and /", lambda jws: jws + "+/", "format"),
        ("wrong R", on_signature(flip(0)), "tampered"), ("wrong S", on_signature(flip(40)), "tampered"), ("S not canonical", on_signature(add_order), "tampered"),
        ("R the neutral element", on_signature(lambda s: b"\1" + bytes(31) + s[32:]), "tampered"), ("signature of zeros", on_signature(lambda s: bytes(64)), "tampered"),
    ):
        yield Case(f"jws: {name}", kit.issued(edits={"license.jws": change}), cls)
    signed_by_other = kit.issued(edits={"license.jws": lambda jws: jws.rpartition(".")[0] + "." + b64e(kit.other.sign(jws.rpartition(".")[0].encode()))})
    yield Case("jws: signed by another key", signed_by_other, "tampered")
    for part in (0, 1):
        def loosen(text: str, part: int = part) -> str:
            parts = text.split(".")
            raw = b64d(parts[part])
            raw += b" " * ((1 - len(raw)) % 3)  # white space makes the length leave unused bits
            parts[part] = loose_bits(b64e(raw))
            return ".".join(parts)
        yield Case(f"jws: part {part} not canonical b64, signed so", kit.issued(edits={"license.input": loosen}), "format")
    signature = kit.issued(label="M").split(b"\n")[1].rpartition(b".")[2].decode()
    yield Case("jws: signature of another license", kit.issued(edits={"license.jws": lambda jws: jws.rpartition(".")[0] + "." + signature}), "tampered")


def license_cases(kit: Kit) -> Iterator[Case]:
    def case(name: str, expect: str, edit: Edit, kind: str = "x25519", **more: Any) -> Case:
        return Case(f"license: {name}", kit.issued(b"license", edits={"license.claims": edit}, **more), expect, kind, b"license", META)

    me, hybrid = kit.to["x25519"], kit.to["hybrid"]
    for name in ("iss", "iat", "jti", "seq", "file", "label", "policy", "wraps"):
        yield case(f"no {name}", "format", drop(name))
    for name, values in {"iss": [1, "", "A", b64e(bytes(31)), b64e(writer.thumb(kit.other))], "iat": ["1", -1, [], False], "jti": ["", "ab" * 15, "AB" * 16, "ab" * 17, 1],
                         "seq": [0, -1, False], "file": ["AB" * 16, "zz" * 16, "ab" * 15], "label": [1, "x" * 257, "\u00e9" * 129, "a\nb", "\0", "\x7f", "\x80", "\x9f"],
                         "policy": ["", "A", "====", b64e(bytes(65_537)), 1], "wraps": [[], {}, "", [1], [[]]], "batch": ["ab" * 16],
                         "template": ["a.b.c"], "permit": ["a.b.c"], "nonce": ["ab" * 16], "extra": [1]}.items():
        for value in values:
            yield case(f"{name} = {str(value)[:40]!r}", "format", put(**{name: value}))
    for label in ("", "x" * 256, "\u00e9" * 128, "\xa0 ~"):
        yield case(f"label {label[:10]!r} of {len(label.encode())} bytes", "ok", put(label=label))
    yield case("delegated members under kid", "format", put(template="a", permit="b", nonce="ab" * 16))
    largest = POLICY + b" " * (65_536 - len(POLICY))
    yield case("largest policy", "ok", put(), policy=largest)
    for name, policy in (("denies", NEVER), ("of one byte", b"x"), ("unknown member", POLICY.replace(b'"version"', b'"odd":1,"version"'))):
        yield case(f"policy {name}", "denied", put(), policy=policy)
    yield case("policy changed after wrapping", "tampered", put(policy=b64e(POLICY + b" ")))
    yield case("file id changed after wrapping", "tampered", put(file="ab" * 16))
    # wraps
    for name in ("kind", "scope", "to", "enc", "ct"):
        yield case(f"wrap without {name}", "format", wraps(lambda all_wraps, name=name: [drop(name)(all_wraps[0])]))
    yield case("wrap with aad", "format", first_wrap(aad=""))
    for values in ({"scope": "files"}, {"scope": ""}, {"scope": 1}, {"kind": 1}, {"to": "A"}, {"to": b64e(bytes(31))}, {"enc": b64e(bytes(31))}, {"enc": b64e(bytes(33))},
                   {"enc": b64e(bytes(1120))}, {"ct": b64e(bytes(47))}, {"ct": b64e(bytes(49))}, {"ct": ""}, {"enc": b64e(bytes(32)) + "="}, {"kind": "hybrid"}):
        yield case(f"wrap with {str(values)[:60]}", "format", first_wrap(**values))
    for values in ({"enc": b64e(bytes(32))}, {"ct": b64e(bytes(48))}, {"enc": b64e(b"\1" + bytes(31))}, {"enc": b64e(b"\xff" * 32)}):
        yield case(f"wrap that does not open, {str(values)[:30]}", "tampered", first_wrap(**values))
    yield case("hybrid wrap that does not open", "tampered", first_wrap(enc=b64e(bytes(1120))), "hybrid", to=[hybrid])
    yield case("hybrid enc short", "format", first_wrap(enc=b64e(bytes(1119))), "hybrid", to=[hybrid])
    yield case("unknown kinds passed over", "ok", wraps(lambda old: [stranger(1), *old, stranger(2, "")]))
    yield case("500 wraps", "ok", wraps(lambda old: [stranger(n) for n in range(499)] + old))
    yield case("501 wraps", "format", wraps(lambda old: [stranger(n) for n in range(500)] + old))
    yield case("unknown kind, own id", "denied", first_wrap(kind="x448"))
    yield case("unknown kind with enc a number", "format", wraps(lambda old: old + [stranger(1) | {"enc": 1}]))
    yield case("unknown kind with a wrong scope", "format", wraps(lambda old: old + [stranger(1) | {"scope": "x"}]))
    yield case("unknown kind with a wrong to", "format", wraps(lambda old: old + [stranger(1) | {"to": "x"}]))
    yield case("own id under the other kind", "denied", first_wrap(kind="hybrid", enc=b64e(bytes(1120))))
    yield case("same recipient twice", "format", wraps(lambda old: old + old))
    yield case("same recipient twice, second of unknown kind", "format", wraps(lambda old: old + [stranger(1) | {"to": old[0]["to"]}]))
    yield case("not a recipient", "denied", put(), to=[hybrid])
    yield case("wraps swapped", "tampered", wraps(lambda old: [old[0] | {"enc": old[1]["enc"], "ct": old[1]["ct"]}, old[1]]),
               to=[me, writer.Recipient("x25519", reader.kem_keys("x25519", bytes(32))[1])])
    yield case("scope changed to batch", "tampered", lambda claims: first_wrap(scope="batch")(claims) | {"batch": "ab" * 16})
    yield case("batch scope without the member", "format", first_wrap(scope="batch"))
    batch = writer.Batch.new(kit.all, POLICY)
    yield case("batch member removed", "format", drop("batch"), batch=batch)
    yield case("batch id changed", "tampered", put(batch="ab" * 16), batch=batch)
    yield case("batch id in capitals", "format", put(batch="AB" * 16), batch=batch)
    yield case("batch wraps as file wraps", "tampered", lambda claims: drop("batch")(claims) | {"wraps": [w | {"scope": "file"} for w in claims["wraps"]]}, batch=batch)

    def both_scopes(kind: str) -> bytes:
        """The recipient `kind` by scope file, the other by scope batch."""
        file_id, secret = os.urandom(16), writer.Batch.new([], POLICY)
        key = writer.expand(secret.key, "bulla/1 batch", file_id)
        both = [writer.wrap(one, key if one.kind == kind else secret.key, *(("file", file_id) if one.kind == kind else ("batch", secret.id)), POLICY) for one in kit.all]
        claims = {"iss": b64e(writer.thumb(kit.root)), "iat": kit.now, "jti": os.urandom(16).hex(), "seq": 7, "file": file_id.hex(),
                  "label": "", "policy": b64e(POLICY), "batch": secret.id.hex(), "wraps": both}
        return writer._finish(kit.root, claims, False, key, b"both", META, 1, "", {}, None)

    data = both_scopes("hybrid")
    for kind in ("hybrid", "x25519"):
        yield Case(f"license: both scopes, {kind}", data, "ok", kind, b"both", META)
    yield Case("license: batch member held up by an unknown kind", kit.issued(b"held", edits={"license.claims": lambda claims: claims | {
        "batch": "ab" * 16, "wraps": claims["wraps"] + [stranger(1) | {"scope": "batch"}]}}), "ok", plaintext=b"held", meta=META)
    yield Case("license: unknown root", kit.issued(root=kit.other), "denied")
    yield Case("license: unknown root and bad signature", kit.issued(root=kit.other, edits={"license.jws": on_signature(flip(0))}), "denied")
    yield Case("license: bad signature and a policy that denies", kit.issued(policy=NEVER, edits={"license.jws": on_signature(flip(0))}), "tampered")
    yield Case("license: policy that denies and a bad wrap", kit.issued(policy=NEVER, edits={"license.claims": first_wrap(ct=b64e(bytes(48)))}), "denied")
    yield Case("license: unknown root and a bad description", kit.issued(root=kit.other, edits={"desc": put(rev=0)}), "format")
    both = {"roots": kit.roots + [writer.root_line(kit.other, "other")]}
    yield Case("license: signed anew under another root, which is pinned", kit.issued(edits={"line1": under(kit.other)}), "tampered", circumstances=both)
    yield Case("license: no root", kit.issued(), "denied", circumstances={"roots": []})


def description_cases(kit: Kit) -> Iterator[Case]:
    def case(name: str, expect: str, meta: dict[str, Any] = META, **more: Any) -> Case:
        return Case(f"description: {name}", kit.issued(b"description", meta=meta, **more), expect, plaintext=b"description", meta=meta)

    for name in ("aead", "rev", "prev", "meta"):
        yield case(f"no {name}", "format", edits={"desc": drop(name)})
    commitment = b64e(sha256(b"commitment"))
    for values in ({"aead": "AEAD_AES_128_GCM"}, {"aead": "aead_aes_256_gcm"}, {"rev": 0}, {"rev": -1}, {"rev": "1"}, {"rev": True}, {"prev": commitment}, {"prev": []},
                   {"rev": 2}, {"rev": 2, "prev": "AAAA"}, {"rev": 2, "prev": commitment + "A"}, {"meta": ""}, {"meta": b64e(bytes(28))}, {"meta": b64e(bytes(27 + 256))},
                   {"meta": b64e(bytes(28 + 16_640))}, {"meta": 1}, {"extra": 1}):
        yield case(f"{str(values)[:60]}", "format", edits={"desc": put(**values)})
    yield case("second save", "ok", rev=2, prev=commitment)
    yield case("largest rev", "ok", rev=2**53 - 1, prev=commitment)
    yield case("rev changed", "tampered", edits={"desc": put(rev=3, prev=commitment)})
    yield case("meta of zeros", "tampered", edits={"desc": put(meta=b64e(bytes(28 + 256)))})
    yield case("meta changed", "tampered", edits={"desc": lambda desc: desc | {"meta": b64e(flip(-1)(b64d(desc["meta"])))}})
    yield case("empty metadata", "ok", {})
    for name in META:
        yield case(f"metadata {name} only", "ok", {name: META[name]})
    yield case("largest metadata", "ok", {"name": "n" * (16_384 - len('{"name":""}'))})
    yield case("metadata of 255 bytes", "ok", {"name": "n" * (255 - len('{"name":""}'))})
    yield case("metadata of 257 bytes", "ok", {"name": "n" * (257 - len('{"name":""}'))})
    yield case("too large metadata", "format", {"name": "n" * 16_384})
    for meta in ({"name": 1}, {"type": []}, {"created": "1"}, {"modified": True}, {"size": 1}, {"created": 2**53}, {"name": None}):
        yield case(f"metadata {meta}", "tampered", edits={"meta": lambda _, meta=meta: meta})
    for name, padded in (("no JSON", b" " * 256), ("an array", b"[]" + b" " * 254), ("key twice", b'{"type":"a","type":"a"}'.ljust(256)), ("zeros as padding", b"{}" + bytes(254)),
                         ("text after the padding", b"{}".ljust(255) + b"x"), ("fraction", b'{"created":1.5}'.ljust(256)),
                         ("not UTF-8", b'{"name":"\xff"}'.ljust(256)), ("minus zero", b'{"created":-0}'.ljust(256))):
        yield case(f"metadata: {name}", "tampered", edits={"meta_padded": lambda _, padded=padded: padded})
    first, second = (kit.issued(b"same size") for _ in range(2))
    end = first.index(b"\n", 12)
    yield Case("description: of another file", first[:end] + second[second.index(b"\n", 12):], "tampered")


def payload_cases(kit: Kit) -> Iterator[Case]:
    plain = os.urandom(2 * CHUNK + 100)
    sealed = CHUNK + 16

    def case(name: str, edit: Edit, expect: str = "tampered") -> Case:
        return Case(f"payload: {name}", kit.issued(plain, edits={"payload": edit}), expect)

    for name, at in (("salt", 0), ("salt end", 23), ("commitment", 24), ("commitment end", 55), ("chunk 0", 56), ("tag of chunk 0", 56 + sealed - 1),
                     ("chunk 1", 56 + sealed), ("last chunk", 56 + 2 * sealed), ("last tag", -1)):
        yield case(f"bit of {name}", flip(at))
    yield case("chunks swapped", lambda p: p[:56] + p[56 + sealed:56 + 2 * sealed] + p[56:56 + sealed] + p[56 + 2 * sealed:])
    yield case("chunk left out", lambda p: p[:56] + p[56 + sealed:])
    yield case("chunk twice", lambda p: p[:56 + sealed] + p[56:])
    yield case("last chunk left out", lambda p: p[:56 + 2 * sealed], "format")
    yield case("last chunk empty", lambda p: p[:56 + 2 * sealed + 16])
    yield case("all chunks but an empty last one", lambda p: p[:56] + p[56 + 2 * sealed:])
    one, other = kit.issued(plain), kit.issued(plain)
    yield Case("payload: of another file", one[:4096] + other[4096:], "tampered")
    yield Case("payload: salt and commitment of another file", one[:4096] + other[4096:4096 + 56] + one[4096 + 56:], "tampered")
    batch = writer.Batch.new(kit.all, POLICY)
    one, other = kit.issued(plain, batch=batch), kit.issued(plain, batch=batch)
    assert one[8:12] == other[8:12]
    offset = int.from_bytes(one[8:12], "little")
    yield Case("payload: of another file of the batch", one[:offset] + other[offset:], "tampered")
    yield Case("payload: line 2 and payload of another file of the batch", one[:one.index(b"\n", 12)] + other[other.index(b"\n", 12):], "tampered")


def delegated_cases(kit: Kit) -> Iterator[Case]:
    def case(name: str, expect: str, data: bytes, **more: Any) -> Case:
        return Case(f"delegated: {name}", data, expect, plaintext=b"delegated", meta=META, **more)

    template = kit.template()
    permit = kit.permit(template)
    yield case("fine", "ok", kit.delegated(template=template, permit=permit))
    yield case("expired permit", "ok", kit.delegated(template=template, permit=kit.permit(template, exp=1)))
    yield case("with roles", "ok", kit.delegated(template=kit.template(roles=["a"])))

    def claims(edit: Edit, **more: Any) -> bytes:
        return kit.delegated(template=template, permit=permit, edits={"license.claims": edit}, **more)

    for name in ("template", "permit", "nonce"):
        yield case(f"no {name}", "format", claims(drop(name)))
        yield case(f"{name} a number", "format", claims(put(**{name: 1})))
    yield case("nonce short", "format", claims(put(nonce="ab" * 15)))
    yield case("other nonce", "denied", claims(put(nonce="ab" * 16)))
    yield case("file id not derived", "denied", kit.delegated(edits={"file_id": lambda _: os.urandom(16)}))
    yield case("seq 1", "format", claims(put(seq=1)))
    yield case("other label", "denied", claims(put(label="M")))
    yield case("other policy", "denied", kit.delegated(template=template, policy=POLICY + b" "))
    yield case("recipients in another order", "denied", kit.delegated(template=template, to=kit.all[::-1]))
    yield case("one recipient less", "denied", kit.delegated(template=template, to=kit.all[:1]), kind="hybrid")
    yield case("one recipient more", "denied", claims(wraps(lambda old: old + [stranger(1)])))
    yield case("iss of another root", "denied", claims(put(iss=b64e(writer.thumb(kit.other)))))
    yield case("signed by another device", "tampered", kit.delegated(template=template, permit=permit, edits={
        "license.jws": lambda jws: jws.rpartition(".")[0] + "." + b64e(kit.other.sign(jws.rpartition(".")[0].encode()))}))
    yield case("signature changed", "tampered", kit.delegated(edits={"license.jws": on_signature(flip(3))}))
    yield case("policy denies", "denied", kit.delegated(template=kit.template(policy=NEVER), policy=NEVER))
    for name, edit in (("jwk with d", put(jwk=writer.jwk(kit.device) | {"d": "AA"})), ("jwk with kid", put(jwk=writer.jwk(kit.device) | {"kid": "AA"})), ("jwk of 31 bytes", put(jwk=writer.jwk(kit.device) | {"x": b64e(bytes(31))})),
                       ("jwk EC", put(jwk=writer.jwk(kit.device) | {"kty": "EC"})), ("jwk X25519", put(jwk=writer.jwk(kit.device) | {"crv": "X25519"})), ("jwk a string", put(jwk="")),
                       ("also kid", put(kid=b64e(writer.thumb(kit.device)))), ("kid instead of jwk", lambda h: drop("jwk")(h) | {"kid": b64e(writer.thumb(kit.device))})):
        yield case(name, "format", kit.delegated(edits={"license.header": edit}))
    yield case("jwk another key", "denied", kit.delegated(edits={"license.header": put(jwk=writer.jwk(kit.other))}))
    # a key of small order: signed by nobody, R neutral, S zero
    weak = {"kty": "OKP", "crv": "Ed25519", "x": b64e(b"\1" + bytes(31))}
    weak_permit = kit.permit(template, edits={"permit.claims": put(device=reader.thumbprint(weak))})
    nonce = os.urandom(16)
    weak_id = sha256(b"bulla/1 file\0" + sha256(template.encode()) + b64d(reader.thumbprint(weak)) + nonce)[:16]
    yield case("device key of small order", "format", kit.delegated(template=template, permit=weak_permit, edits={
        "license.header": put(jwk=weak), "license.claims": put(nonce=nonce.hex()), "file_id": lambda _: weak_id,
        "license.jws": on_signature(lambda _: b"\1" + bytes(63))}))
    # the template
    T = lambda edit: kit.template(edits={"template.claims": edit})
    for name in ("iss", "iat", "jti", "name", "label", "policy", "to", "roles"):
        yield case(f"template without {name}", "format", kit.delegated(template=T(drop(name))))
    for values in ({"name": ""}, {"name": "n" * 257}, {"name": "\n"}, {"label": "l" * 257}, {"policy": ""}, {"to": []}, {"to": ["A"]}, {"jti": "x"}, {"iat": -1}, {"iat": 1.5},
                   {"to": [b64e(sha256(b"a"))] * 2}, {"to": [b64e(sha256(b"%d" % n)) for n in range(501)]}, {"roles": ["r%d" % n for n in range(65)]}, {"roles": [1]}, {"exp": 1}):
        yield case(f"template with {str(values)[:50]}", "format", kit.delegated(template=T(put(**values))))
    for values in ({"name": "n" * 256}, {"roles": ["r%d" % n for n in range(64)]}):
        yield case(f"template with {str(values)[:50]}", "ok", kit.delegated(template=T(put(**values))))
    yield case("template for another root", "denied", kit.delegated(template=T(put(iss=b64e(writer.thumb(kit.other))))))
    yield case("template with label M", "denied", kit.delegated(template=T(put(label="M"))))
    for name, edit in (("typ", put(typ="bulla-permit+jwt")), ("alg", put(alg="EdDSA")), ("member", put(crit=[])), ("jwk", lambda h: drop("kid")(h) | {"jwk": writer.jwk(kit.signer)})):
        yield case(f"template header, {name}", "format", kit.delegated(template=kit.template(edits={"template.header": edit})))
        yield case(f"permit header, {name}", "format", kit.delegated(template=template, permit=kit.permit(template, edits={
            "permit.header": put(typ="bulla-template+jwt") if name == "typ" else edit})))
    yield case("template not a JWS", "format", kit.delegated(template="x"))
    yield case("permit not a JWS", "format", kit.delegated(template=template, permit="x"))
    yield case("template not a JWS, unknown root", "format", kit.delegated(template="x", edits={"license.claims": put(iss=b64e(writer.thumb(kit.other)))}))
    strange = kit.template(signer=kit.other)
    yield case("template of an unknown signer", "denied", kit.delegated(template=strange, permit=kit.permit(strange)))
    yield case("template and permit of an unknown signer", "denied", kit.delegated(template=strange, permit=kit.permit(strange, signer=kit.other)))
    by_root = kit.template(signer=kit.root)
    yield case("template by the root, which the list does not name", "denied", kit.delegated(template=by_root, permit=kit.permit(by_root, signer=kit.root)))
    broken = kit.template(edits={"template.jws": on_signature(flip(0))})
    yield case("template signature", "tampered", kit.delegated(template=broken))
    yield case("template signature, permit of an unknown signer", "tampered", kit.delegated(template=broken, permit=kit.permit(broken, signer=kit.other)))
    # the permit
    P = lambda edit: kit.permit(template, edits={"permit.claims": edit})
    for name in ("iss", "iat", "exp", "jti", "template", "device"):
        yield case(f"permit without {name}", "format", kit.delegated(template=template, permit=P(drop(name))))
    for values in ({"exp": -1}, {"jti": "AB" * 16}, {"template": "A"}, {"device": ""}, {"iss": 1}, {"role": "r"}):
        yield case(f"permit with {values}", "format", kit.delegated(template=template, permit=P(put(**values))))
    yield case("permit of another signer", "denied", kit.delegated(template=template, permit=kit.permit(template, signer=kit.other)))
    yield case("permit signature", "tampered", kit.delegated(template=template, permit=kit.permit(template, edits={"permit.jws": on_signature(flip(0))})))
    yield case("permit of another root", "denied", kit.delegated(template=template, permit=P(put(iss=b64e(writer.thumb(kit.other))))))
    yield case("permit of another template", "denied", kit.delegated(template=template, permit=kit.permit(kit.template())))
    yield case("permit of another device", "denied", kit.delegated(template=template, permit=kit.permit(template, device=kit.other)))
    yield case("permit of another device, bad license signature", "denied", kit.delegated(template=template, permit=kit.permit(template, device=kit.other), edits={
        "license.jws": on_signature(flip(3))}))
    yield case("bad license signature, other label", "tampered", kit.delegated(template=template, permit=permit, label="M", edits={"license.jws": on_signature(flip(3))}))
    yield case("unknown root", "denied", kit.delegated(), circumstances={"roots": []})


def trust_cases(kit: Kit) -> Iterator[Case]:
    data = kit.delegated()
    key = kit.keys[0]

    def case(name: str, expect: str, *lists: str) -> Case:
        return Case(f"trust: {name}", data, expect, plaintext=b"delegated", meta=META, circumstances={"trust": list(lists)})

    def listing(keys: list[dict[str, Any]] = kit.keys, root: Ed25519PrivateKey = kit.root, **more: Any) -> str:
        return writer.make_trust_list(root, keys, **more)

    yield case("no list", "denied")
    yield case("list of another root", "denied", listing(root=kit.other))
    yield case("expired", "denied", listing(exp=kit.now - 1))
    yield case("expires now", "denied", listing(exp=kit.now))
    yield case("expires a second later", "ok", listing(exp=kit.now + 1))
    yield case("newer list without the key", "denied", listing(seq=1), listing([], seq=2))
    yield case("older list without the key", "ok", listing([], seq=1), listing(seq=2))
    yield case("newer list does not verify", "ok", listing(), listing([], seq=2, edits={"trust.jws": on_signature(flip(0))}))
    yield case("signature", "denied", listing(edits={"trust.jws": on_signature(flip(0))}))
    yield case("not for template", "denied", listing([key | {"for": ["permit"]}]))
    yield case("not for permit", "denied", listing([key | {"for": ["template"]}]))
    yield case("alg EdDSA", "ok", listing([key | {"alg": "EdDSA"}]))
    yield case("alg RS256 for an Ed25519 key", "denied", listing([key | {"alg": "RS256"}]))
    yield case("key twice", "denied", listing([key, key]))
    yield case("257 keys", "denied", listing([key] + [{"jwk": reader.ed25519_jwk(public_key(n)), "alg": "EdDSA", "for": ["badge"]} for n in range(256)]))
    yield case("256 keys", "ok", listing([key] + [{"jwk": reader.ed25519_jwk(public_key(n)), "alg": "EdDSA", "for": ["badge"]} for n in range(255)]))
    yield case("RSA key for revocation", "denied", listing([key, kit.keys[1] | {"for": ["revocation"]}]))
    for values in ({"for": []}, {"for": ["template", "permit", "permit"]}, {"for": ["template", "permit", "odd"]}, {"extra": 1}, {"roles": {}}, {"iss": 1}):
        yield case(f"key with {values}", "denied", listing([key | values]))
    for values in ({"seq": 0}, {"iss": b64e(writer.thumb(kit.other))}, {"programs": ["AB" * 32]}, {"programs": ["ab" * 31]}, {"extra": 1}, {"exp": "1"}, {"keys": {}}):
        yield case(f"list with {values}", "denied", listing(edits={"trust.claims": put(**values)}))
    yield case("10,001 programs", "denied", listing(programs=[sha256(b"%d" % n).hex() for n in range(10_001)]))
    yield case("10,000 programs", "ok", listing(programs=[sha256(b"%d" % n).hex() for n in range(10_000)]))
    yield case("typ", "denied", listing(edits={"trust.header": put(typ="bulla-license+jwt")}))


# --- Running ---------------------------------------------------------------------------------


def outcome(data: bytes, **circumstances: Any) -> tuple[str, reader.Opened | None, str]:
    try:
        return "ok", reader.open_envelope(data, **circumstances), ""
    except Refused as refused:
        return refused.cls, None, str(refused)


def run_case(kit: Kit, case: Case) -> str | None:
    verdict, opened, reason = outcome(case.envelope, **kit.context(case))
    if verdict != case.expect:
        return f"{case.name}: expected {case.expect}, got {verdict} {reason}"
    if opened and (opened.plaintext, opened.meta) != (case.plaintext, case.meta):
        return f"{case.name}: wrong plaintext or metadata"
    return None


def every_bit(kit: Kit) -> Iterator[str | None]:
    """One bit of each byte of small envelopes: always refused, and by the payload's bytes as tampered."""
    for name, kind, data in (("issued", "x25519", kit.issued(b"tiny", policy=POLICY)), ("hybrid", "hybrid", kit.issued(b"tiny", to=[kit.to["hybrid"]])),
                             ("delegated", "x25519", kit.delegated(b"tiny"))):
        case = Case(name, data, "", kind)
        offset, end1 = int.from_bytes(data[8:12], "little"), data.index(b"\n", 12)
        end2 = data.index(b"\n", end1 + 1)
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << (at % 8)
            verdict = outcome(bytes(changed), **kit.context(case))[0]
            if at >= offset:
                allowed = {"tampered"}
            elif at < 12 or at > end2 or at in (end1, end2):
                allowed = {"format"}
            elif at > end1:
                allowed = {"format", "tampered"}
            else:
                allowed = {"format", "tampered", "denied"} if name == "delegated" else {"format", "tampered"}
            yield None if verdict in allowed else f"bit flip at {at} of {name}: {verdict}"


def cross_checks(kit: Kit) -> Iterator[str | None]:
    """The payload with the library's own decryptor, and the reader's JSON on its own."""
    # The first vector of draft-connolly-cfrg-xwing-kem, by both ends of its public key.
    public = reader.kem_keys("hybrid", bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"))[1].hex()
    yield None if public.startswith("e2236b35a8c24b39b10aa1323a96a919a2ced884") and public.endswith("049040ef6534") else "expansion of the hybrid seed"
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 50_000):
        plain = os.urandom(size)
        data = kit.issued(plain)
        line1, line2, payload = reader.split_layout(data)
        claims = reader.parse_license(line1).claims
        key = reader.unwrap(claims, "x25519", kit.secrets["x25519"])
        file_id = bytes.fromhex(claims["file"])
        machine = Cobblestone256Decryptor(reader.hkdf_expand(key, b"bulla/1 payload\0" + file_id, 32), b"bulla/1\0" + file_id + reader.b64d(claims["iss"]) + sha256(line2))
        got = machine.update(payload) + machine.finalize()
        yield None if got == plain else f"Cobblestone256Decryptor disagrees at {size}"
        yield None if len(payload) == 56 + size + 16 * (size // CHUNK + 1) else f"length of the payload at {size}"
    yield None if reader.parse_json(b"[" * 16 + b"]" * 16) else "16 deep must parse"
    for text in (b"[" * 17 + b"]" * 17, b"\xef\xbb\xbf[]", b"[1.0]", b"[-0]", b"[9007199254740992]", b'["\\ud800"]', b'{"\\udfff":1}', b'{"a":1,"\\u0061":2}', b"[null]", b"[NaN]", b"", b"[1,]"):
        try:
            reader.parse_json(text)
            yield f"JSON {text[:30]!r} must be refused"
        except Refused as refused:
            yield None if refused.cls == "format" else f"class of {text!r}"
    for text, good in (("", True), ("AA", True), ("AB", False), ("A", False), ("AA==", False), ("A A", False), ("AA\n", False), ("+A", False), ("\u0661A", False)):
        try:
            reader.b64d(text)
            yield None if good else f"b64 {text!r} must be refused"
        except Refused:
            yield f"b64 {text!r} must decode" if good else None
    for grants, good in (([{"to": ["anyone"], "rights": ["view"]}], True), ([{"to": ["anyone"], "rights": ["print", "view"], "require": {}, "when": {}, "duties": []}], True),
                         ([], False), ([{"to": ["anyone"], "rights": ["view", "view"]}], False), ([{"to": ["anyone"], "rights": ["view", "fly"]}], False),
                         ([{"to": ["role:a"], "rights": ["view"]}], False), ([{"to": ["anyone"], "rights": ["view"], "when": {"a": 1}}], False)):
        allowed = reader.policy_allows(json.dumps({"version": 1, "name": "n", "grants": grants, "require": {}, "duties": [], "derive": []}).encode())
        yield None if allowed == good else f"policy {grants}: {allowed}"


def public_key(n: int) -> bytes:
    """One of any number of Ed25519 public keys."""
    return Ed25519PrivateKey.from_private_bytes(sha256(b"%d" % n)).public_key().public_bytes_raw()


def as_vector(kit: Kit, case: Case) -> dict[str, Any]:
    context = kit.context(case)
    expect: dict[str, Any] = {"error": case.expect}
    if case.expect == "ok":
        expect = {"ok": {"sha256": hashlib.sha256(case.plaintext).hexdigest(), "size": len(case.plaintext), "meta": case.meta}}
    return {"name": case.name, "comment": "", "now": context["now"], "roots": context["roots"], "trust": context["trust"],
            "identity": {"kind": case.kind, "secret": kit.secrets[case.kind].hex()}, "envelope": base64.b64encode(case.envelope).decode(), "expect": expect}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path)
    args = parser.parse_args()
    kit = Kit()
    passed = failed = 0

    def count(problem: str | None) -> None:
        nonlocal passed, failed
        if problem:
            failed += 1
            print(problem)
        else:
            passed += 1

    for number, case in enumerate(cases(kit)):
        count(run_case(kit, case))
        if args.vectors:
            args.vectors.mkdir(parents=True, exist_ok=True)
            slug = re.sub("[^a-z0-9]+", "-", case.name.lower()).strip("-")[:60]
            (args.vectors / f"{number:04}-{slug}.json").write_text(json.dumps(as_vector(kit, case)) + "\n")
    for check in (cross_checks, every_bit):
        for problem in check(kit):
            count(problem)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
