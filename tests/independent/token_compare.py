#!/usr/bin/env python3
"""Compares what single sign-on tokens are worth here with PyJWT, on random tokens.

    pip install -r tests/independent/requirements.txt
    cargo build --example token_eval --features fuzz
    python3 tests/independent/token_compare.py target/debug/examples/token_eval [count] [seed]

PyJWT gets each key of the trust list with the algorithm, issuer and audience that stand there, and
the leeway. What it refuses must be refused here. What it accepts must be refused with the code of
the first rule of docs/tokens.md that is stricter (`RULES`), and otherwise accepted, saying what
PyJWT read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
import subprocess
import sys
import unicodedata
import warnings
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable
from unittest import mock

import jwt
import jwt.api_jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tokens")]
import reader  # noqa: E402
from setting import DAY, DEVICE, KEYS, MAIN, NOW, ROTATE, b64, jwk, root_line, thumbprint, to_json, trust_list  # noqa: E402

# RFC 9864's name for what PyJWT knows as EdDSA.
if "Ed25519" not in jwt.PyJWS().get_algorithms():
    jwt.register_algorithm("Ed25519", OKPAlgorithm())

LEEWAY = 60
# What Unicode calls White_Space, which is what is ignored around a token.
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
NAMES = {thumbprint(name): name for name in KEYS if name not in ("p384", "p521", "k256")}


class Frozen(datetime):
    """PyJWT's clock."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.fromtimestamp(NOW, timezone.utc)


# --- What PyJWT says ----------------------------------------------------------------------------


class Entry:
    """A key of the trust list, as PyJWT takes it."""

    def __init__(self, entry: dict[str, Any]):
        self.alg, self.uses = entry["alg"], entry["for"]
        self.iss, self.aud, self.roles = entry.get("iss"), entry.get("aud"), entry.get("roles")
        members = json.dumps(entry["jwk"], sort_keys=True, separators=(",", ":"))
        self.thumbprint = b64(hashlib.sha256(members.encode()).digest())
        self.name = NAMES.get(self.thumbprint)
        # PyJWK does not know RFC 9864's name; the key is the same.
        try:
            self.key = jwt.PyJWK(entry["jwk"], {"Ed25519": "EdDSA"}.get(self.alg, self.alg)).key
        except jwt.InvalidKeyError:
            self.key = None

    def decode(self, text: str) -> dict[str, Any]:
        # A `jti` is ignored here as any claim without a rule.
        options = {"require": ["exp", "iat", "iss", "aud"], "verify_jti": False}
        return jwt.decode_complete(text, self.key, algorithms=[self.alg], audience=self.aud, issuer=self.iss,
                                   leeway=LEEWAY, options=options)


LIST = list(map(Entry, MAIN))
# An entry without both never verifies a single sign-on's token (section 3, rule 4).
ENTRIES = [entry for entry in LIST if entry.iss and entry.aud]


def by_pyjwt(want: str, text: str) -> tuple[Entry, dict[str, Any]] | str:
    """The first entry under which it counts and what it says, or the refusal that got furthest."""
    text, refusals = text.strip(WHITE), ["no key"]
    try:
        alg = jwt.get_unverified_header(text).get("alg")
    except (jwt.PyJWTError, ValueError) as error:
        return type(error).__name__  # It would be refused like this under any key.
    for entry in ENTRIES:
        if want in entry.uses and entry.key is not None and entry.alg == alg:
            try:
                return entry, entry.decode(text)
            # Some malformed tokens make it raise other errors than its own; none of them is a yes.
            except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
                refusals.append(type(error).__name__)
    return max(refusals, key=lambda why: ["no key", "InvalidSignatureError", why].index(why))


# --- Where docs/tokens.md is stricter --------------------------------------------------------------


class Token:
    """One that PyJWT accepts, as the rules look at it."""

    def __init__(self, want: str, text: str, entry: Entry):
        self.want, self.entry = want, entry
        self.text = text.strip(WHITE)
        self.parts = self.text.split(".")
        self.header = self.claims = None
        try:
            raw = [reader.b64d(part) for part in self.parts[:2]]
            self.header = reader.parse_json(raw[0])
            self.claims = claims_of(raw[1])
        except (reader.Refused, ValueError, RecursionError):
            pass

    def canonical(self) -> bool:
        try:
            return len([reader.b64d(part) for part in self.parts]) == 3 and len(self.parts[0]) <= 1024
        except (reader.Refused, ValueError):
            return False

    def time(self, name: str) -> int | None:
        """None if it breaks the format."""
        value = self.claims[name]
        good = type(value) in (int, float) and 0 <= value and int(float(value)) < 2**53 and int(value) < 2**53
        return int(value) if good else None

    def bad_times(self) -> bool:
        times = {name: self.time(name) for name in ("iat", "exp", "nbf") if name in self.claims}
        return None in times.values() or times["exp"] <= times["iat"]

    def bad_text(self, name: str) -> bool:
        value = self.claims[name]
        return not (isinstance(value, str) and 1 <= len(value.encode()) <= 256
                    and not any(unicodedata.category(c) == "Cc" for c in value))

    def bad_kind(self) -> bool:
        if self.want == "badge":
            return "kind" in self.claims
        kind = self.claims.get("kind")
        return not (isinstance(kind, str) and re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,63}", kind))

    def bad_person(self) -> bool:
        if "sub" in self.claims:
            if self.bad_text("sub"):
                return True
            return self.want == "attestation" and "device" in self.claims and self.claims["sub"] != self.claims["device"]
        return self.want == "badge" or "device" not in self.claims

    def bad_device(self) -> bool:
        return self.want == "attestation" and "device" in self.claims and not is_thumbprint(self.claims["device"])

    def bad_cnf(self) -> bool:
        cnf = self.claims.get("cnf")
        return self.want == "badge" and not (isinstance(cnf, dict) and list(cnf) == ["jkt"] and is_thumbprint(cnf["jkt"]))

    def bad_trail(self) -> bool:
        if "trail" not in self.claims:
            return False
        trail = self.claims["trail"]
        return not (isinstance(trail, dict) and sorted(trail) == ["head", "id", "seq"]
                    and isinstance(trail["id"], str) and re.fullmatch(r"[0-9a-f]{32}", trail["id"]) is not None
                    and is_thumbprint(trail["head"]) and type(trail["seq"]) is int and 0 <= trail["seq"] < 2**53)

    def roles(self) -> list[str] | None:
        """Those that it gives; None if they are of the wrong type."""
        if self.entry.roles is None:
            return []
        claim, found = self.entry.roles["claim"], self.claims
        for name in claim[1:].split("/") if claim.startswith("/") else [claim]:
            if not isinstance(found, dict) or name not in found:
                return []
            found = found[name]
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(role, str) for role in found[:256]):
            return None
        return [role for role in found[:256] if role in self.entry.roles["allow"]]


def is_thumbprint(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(reader.b64d(value)) == 32
    except (reader.Refused, ValueError):
        return False


def claims_of(raw: bytes) -> dict[str, Any]:
    """By section 3, rule 3; a ValueError says that they break it."""
    def number(text: str) -> Any:
        if abs(float(text)) == float("inf"):
            raise ValueError("out of range")
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else float(text)

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(members)) != len(members):
            raise ValueError("twice")
        return dict(members)

    def constant(text: str) -> Any:
        raise ValueError(text)

    def depth(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    claims = json.loads(raw.decode("utf-8"), parse_int=number, parse_float=number, parse_constant=constant,
                        object_pairs_hook=pairs)
    json.dumps(claims, ensure_ascii=False).encode()  # fails on a lone surrogate
    if not isinstance(claims, dict) or depth(claims) > 16:
        raise ValueError("no object, or too deep")
    return claims


HEADER = {"alg", "typ", "kid", "cty"}
# Section, rule; the code; whether a token breaks it. In the order in which they are checked.
RULES: list[tuple[str, str, Callable[[Token], bool]]] = [
    ("1.2 parts and b64", "bad-token", lambda t: not t.canonical()),
    ("1.3 header's JSON", "bad-token", lambda t: not isinstance(t.header, dict)),
    ("1.4 typ", "bad-token", lambda t: t.header.get("typ") != "JWT"),
    ("3.1 members of the header", "bad-token",
     lambda t: not (set(t.header) <= HEADER and all(isinstance(v, str) for v in t.header.values()))),
    ("3.2 length", "bad-token", lambda t: len(t.text) > 65_536),
    ("3.3 claims' JSON", "bad-token", lambda t: t.claims is None),
    ("3.7 RSA keys", "not-trusted", lambda t: t.entry.alg == "RS256" and not 2048 <= t.entry.key.key_size <= 8192),
    ("4 kind", "bad-token", Token.bad_kind),
    ("4 device", "bad-token", Token.bad_device),
    ("4 sub", "bad-token", Token.bad_person),
    ("4 cnf", "bad-token", Token.bad_cnf),
    ("6 roles", "bad-token", lambda t: t.want == "badge" and t.roles() is None),
    ("4 trail", "bad-token", Token.bad_trail),
    ("4 times", "bad-token", Token.bad_times),
    ("5.3 longest badge", "badge-not-valid", lambda t: t.want == "badge" and t.time("exp") - t.time("iat") > 31 * DAY),
    ("5.4 device", "badge-not-valid", lambda t: t.want == "badge" and t.claims["cnf"]["jkt"] != DEVICE),
]


def expected(token: Token) -> dict[str, Any]:
    """What an accepted token is worth."""
    out = {"issued": token.time("iat"), "expires": token.time("exp") + LEEWAY, "signer": token.entry.thumbprint}
    if token.want == "badge":
        return out | {"subject": token.claims["sub"], "roles": token.roles(), "groups": []}
    about = {"device": token.claims["device"]} if "device" in token.claims else {"subject": token.claims["sub"]}
    return out | about | {"kind": token.claims["kind"]}


# --- Random tokens -------------------------------------------------------------------------------

GONE = object()
TRAIL = {"id": "0123456789abcdef0123456789abcdef", "seq": 41, "head": b64(bytes(range(32)))}
ALGS = ["RS256", "ES256", "EdDSA", "Ed25519", "RS384", "RS512", "PS256", "PS512", "ES384", "ES256K", "ES512", "Ed448",
        "HS256", "HS512", "none", "None", "NONE", "rs256", "RS256 ", "", "A128KW", None, 7, ["RS256"], {"a": 1}, True]
JUNK = [None, True, False, 0, -1, 1.5, 7, 2**53, "", " ", "x", "kim@example.kr", [], ["x"], [7], [None], {}, {"a": 1}, DEVICE]
RSA = ["rsa", "rsa-4096", "rsa-2047", "stranger-rsa"]
P256 = ["p256", "rotate-old", "rotate-new", "attests", "badges", "stranger-p256"]
ED = ["eddsa", "ed25519", "pointer", "url", "no-roles", "no-role-allowed", "own", "own-iss", "own-eddsa", "stranger-ed", "no-aud"]
# Those that single sign-ons use, without those that are slow to sign with.
USUAL = [entry for entry in ENTRIES if entry.name not in ("rsa-4096", "rsa-8192")]


class Draft:
    """A token in the making: sound until something is done to it."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        entry = rng.choice(USUAL if rng.random() < 0.92 else LIST)
        self.want = rng.choice([use for use in entry.uses if use in ("badge", "attestation")] or ["badge"])
        # One of them is no point of its curve: nobody has it.
        self.key = entry.name or "stranger-p256"
        self.header: Any = {"alg": entry.alg, "typ": "JWT"}
        ends = NOW + rng.choice([1, 3600, 36_000, 30 * DAY])
        self.claims: Any = {"iss": entry.iss or "https://sso.example/" + self.key, "aud": entry.aud or "bulla-desk",
                            "sub": rng.choice(["kim@example.kr", "김민준"]), "iat": NOW - rng.choice([0, 1, 600]), "exp": ends}
        roles = rng.choice([["agent", "cleaner"], "supervisor", [], ["Agent", "agent", "x"]])
        at = (entry.roles or {"claim": "roles"})["claim"]
        if self.want == "badge":
            device = DEVICE if rng.random() < 0.97 else thumbprint("other-device")
            self.claims |= {"cnf": {"jkt": device}} | ({"realm_access": {"roles": roles}} if at.startswith("/") else {at: roles})
        else:
            self.claims |= {"kind": rng.choice(["daily-checklist", "posture.usb"])}
        if rng.random() < 0.3:
            self.header["kid"] = rng.choice(["2026-04", thumbprint("rsa"), thumbprint("stranger-ed"), "../../etc/passwd", "' OR 1=1"])
        # Of the header's and claims' text, of the signature, and of the whole, after they are made.
        self.on_header: list[Callable[[bytes], bytes]] = []
        self.on_claims: list[Callable[[bytes], bytes]] = []
        self.sign: Callable[[bytes], bytes] = self.rightly
        self.on_signature: list[Callable[[bytes], bytes]] = []
        self.on_parts: list[Callable[[list[str]], list[str]]] = []
        self.on_text: list[Callable[[str], str]] = []

    def rightly(self, message: bytes) -> bytes:
        """By PyJWT, and the algorithm of the key."""
        key = KEYS[self.key]
        alg = "RS256" if self.key in RSA + ["rsa-8192"] else "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "EdDSA"
        return jwt.get_algorithm_by_name(alg).sign(message, key)

    def text(self) -> str:
        plain = not (self.on_header or self.on_claims or self.on_signature or self.on_parts or self.on_text)
        if plain and self.sign == self.rightly and self.header.get("alg") in ("RS256", "ES256", "EdDSA", "Ed25519"):
            try:
                return jwt.encode(self.claims, KEYS[self.key], self.header["alg"], headers=self.header)
            except (jwt.PyJWTError, TypeError, ValueError):
                pass  # It does not make every defect: by hand.
        header, claims = (json.dumps(part, separators=(",", ":"), ensure_ascii=self.rng.random() < 0.5).encode()
                          for part in (self.header, self.claims))
        for change in self.on_header:
            header = change(header)
        for change in self.on_claims:
            claims = change(claims)
        parts = [b64(header), b64(claims)]
        for change in self.on_parts:
            parts = change(parts)
        signed = ".".join(parts)
        signature = self.sign(signed.encode())
        for change in self.on_signature:
            signature = change(signature)
        text = f"{signed}.{b64(signature)}"
        for change in self.on_text:
            text = change(text)
        return text

    # Each of these does one thing to it.

    def alg(self) -> None:
        self.header["alg"] = self.rng.choice(ALGS)
        if self.header["alg"] == "none" and self.rng.random() < 0.8:
            self.sign = lambda message: b""

    def other_key(self) -> None:
        self.key = self.rng.choice(self.rng.choice([RSA, P256, ED]))
        if self.rng.random() < 0.5:
            self.header["alg"] = {"r": "RS256", "s": "RS256"}.get(self.key[0], "EdDSA" if self.key in ED else "ES256")

    def hmac_of_public(self) -> None:
        public, rng = KEYS[self.key].public_key(), self.rng
        secrets = [public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                   public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), to_json(jwk(self.key)), b""]
        secret = rng.choice(secrets)
        self.header["alg"] = rng.choice(["HS256", self.header["alg"]])
        self.sign = lambda message: hmac.new(secret, message, hashlib.sha256).digest()

    def other_scheme(self) -> None:
        key = KEYS[self.key]
        if isinstance(key, ec.EllipticCurvePrivateKey):
            self.sign = self.rng.choice([lambda m: key.sign(m, ec.ECDSA(hashes.SHA256())),
                                         lambda m: jwt.get_algorithm_by_name("ES256").sign(m + b" ", key),
                                         lambda m: key.sign(m, ec.ECDSA(hashes.SHA384()))])
        elif self.key.startswith(("rsa", "stranger-rsa")):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            self.sign = self.rng.choice([lambda m: key.sign(m, pss, hashes.SHA256()),
                                         lambda m: key.sign(m, padding.PKCS1v15(), hashes.SHA512())])
        else:
            self.sign = lambda m: key.sign(hashlib.sha512(m).digest())

    def signature(self) -> None:
        rng = self.rng
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

        def numbers(s: bytes) -> tuple[int, int]:
            return int.from_bytes(s[:32], "big"), int.from_bytes(s[32:64], "big")

        self.on_signature.append(rng.choice([
            lambda s: b"", lambda s: s[:-1], lambda s: s + b"\0", lambda s: b"\0" + s, lambda s: bytes(len(s)), lambda s: s[::-1],
            lambda s: bytes([s[0] ^ 1]) + s[1:], lambda s: s[:-1] + bytes([s[-1] ^ 128]), lambda s: s + s,
            # The other s of ECDSA is as good; DER is not.
            lambda s: s[:32] + ((order - numbers(s)[1]) % 2**256).to_bytes(32, "big"),
            lambda s: encode_dss_signature(*numbers(s)),
        ]))

    def typ(self) -> None:
        self.put(self.header, "typ", ["jwt", "at+jwt", "JWT ", "application/jwt", "bulla-badge+jwt", "bulla-attestation+jwt", "JOSE", *JUNK, GONE])

    def member(self) -> None:
        name, value = self.rng.choice([("crit", ["exp"]), ("crit", []), ("crit", ["b64"]), ("b64", False), ("b64", True), ("jku", "https://a.example"),
                                       ("jwk", jwk("stranger-ed")), ("x5c", ["MIIB"]), ("x5u", "https://a.example"), ("zip", "DEF"),
                                       ("enc", "A128GCM"), ("nonce", "1"), ("Alg", "none"), ("cty", "JWT"), ("cty", 7), ("x5t#S256", "AA"), ("iss", "x")])
        self.header[name] = value
        if name == "crit" and value == ["b64"]:
            self.header["b64"] = self.rng.choice([True, False])

    def kid(self) -> None:
        self.put(self.header, "kid", [*JUNK, "k" * 400, "k" * 800, thumbprint("stranger-ed"), "rsa\0", GONE])

    def time(self) -> None:
        name, rng = self.rng.choice(["iat", "exp", "nbf"]), self.rng
        near = NOW + rng.choice([-LEEWAY, LEEWAY, 0, -DAY, DAY, 31 * DAY, -31 * DAY]) + rng.choice([-1, 0, 1])
        odd = [near, near, near, near, near + rng.choice([0.0, 0.25, 0.5, 0.999]), float(near), str(near), f" {near} ", f"{near}.5", -near, -0.0, -0.5,
               2**53 - 1, 2**53, 2**63, 2**64, 10**30, 1e15, 9e15, 1e300, 2**53 - 0.5, GONE, *JUNK]
        self.put(self.claims, name, odd)

    def audience(self) -> None:
        self.put(self.claims, "aud", ["other", "bulla-desk2", "Bulla-desk", "bulla-desk\n", ["bulla-desk"], ["x", "bulla-desk"], ["bulla-desk", 7],
                                      ["bulla-desk", None], [["bulla-desk"]], {"bulla-desk": 1}, ["x"], *JUNK, GONE])

    def issuer(self) -> None:
        iss = self.claims.get("iss")
        self.put(self.claims, "iss", [f"{iss}/", str(iss).upper(), [iss], {"iss": iss}, "https://evil.example", ROTATE,
                                      "https://sso.example/p256", "https://sso.example/rsa", "https://sso.example/off-curve", *JUNK, GONE])

    def claim(self) -> None:
        rng, jkt = self.rng, {"jkt": DEVICE}
        name, values = rng.choice([
            ("sub", ["x" * 256, "x" * 257, "김" * 86, "a\nb", "a\x7f", "a\x85b", "a\u200eb", "a\0", DEVICE]),
            ("cnf", [jkt | {"kid": "1"}, *[{"jkt": thumbprint("other-device")}] * 6, {"jkt": DEVICE + "="}, {"jkt": DEVICE[:-1]}, {"jwk": jwk("device")}, [jkt],
                     {"jkt": DEVICE[:-1] + "t"}, {"JKT": DEVICE}]),
            ("kind", ["daily-checklist", "Attendance", "a b", "-a", "x" * 64, "x" * 65, "a_b", "a\n"]),
            ("device", [DEVICE, DEVICE, thumbprint("other-device"), DEVICE + "=", DEVICE.upper()]),
            ("roles", ["agent", "agent supervisor", ["agent", 7], {"agent": True}, ["x"] * 255 + ["agent", "supervisor"], ["agent"] + ["x"] * 255 + [7]]),
            ("realm_access", [{"roles": "agent"}, {"roles": [7]}, {"roles": None}, {}, "agent", [{"roles": ["agent"]}]]),
            ("trail", [TRAIL, TRAIL, TRAIL | {"seq": -1}, TRAIL | {"seq": 1.5}, TRAIL | {"seq": 2**53}, TRAIL | {"seq": True}, TRAIL | {"x": 1},
                       TRAIL | {"id": TRAIL["id"].upper()}, TRAIL | {"head": TRAIL["head"] + "="}, list(TRAIL.values()), {"id": TRAIL["id"]}]),
            ("jti", []), ("groups", [["admins"]]), ("https://bulla.example/roles", [["agent"]]), ("x", [{"a": [None, 1.5e3]}]),
        ])
        self.put(self.claims, name, [*values, *values, *JUNK, GONE])
        if name == "device" and rng.random() < 0.7:
            self.put(self.claims, "sub", [GONE, DEVICE])

    def json(self) -> None:
        rng = self.rng
        inside = [b',"sub":"lee"', b',"e\\u0078p":%d' % (NOW + 9), b',"x":{"a":1,"a":1}', b',"x":NaN', b',"x":-Infinity', b',"x":1e999', b',"x":1e-999',
                  b',"x":' + b"9" * 400, b',"x":' + b"9" * 300, b',"x":18446744073709551616', b',"x":"\\ud800"', b',"x":"\\ud83d\\ude00"', b',"x":"\xff"',
                  b',"x":' + b"[" * 15 + b"]" * 15, b',"x":' + b"[" * 16 + b"]" * 16, b',"x":' + b'{"a":' * 2000 + b"1" + b"}" * 2000, b",",
                  b',"x":01', b',"x":-0', b',"x":"\t"', b',"\\ud800":1', b',"x":null', b',"x":.5', b',"x":1.', b',"aud":"other"', b',"alg":"none"', b',"typ":"JWT"']
        whole: list[Callable[[bytes], bytes]] = [
            lambda t: b"\xef\xbb\xbf" + t, *[lambda t, to=to: t.decode("utf-8", "replace").encode(to) for to in ("utf-16", "utf-16-le", "utf-32")],
            lambda t: b"[" + t + b"]", lambda t: t[:-1], lambda t: t + b"{}", lambda t: b"", lambda t: b'"x"', lambda t: b" \r\n\t" + t + b"\n", lambda t: t + b"\0",
            lambda t: t + b"//", lambda t: t.replace(b'"', b"'"), lambda t: t.replace(b":", b" : "), lambda t: t.replace(b'"s', b'"\\u0073'), *[lambda t: t + b" " * 50_000] * 4,
            lambda t: re.sub(rb"(1[78]\d{8})", lambda m: b"%s.0" % m[0], t), lambda t: re.sub(rb"1([78]\d{8})", rb"1.\1e9", t)]
        change = rng.choice([lambda t, more=rng.choice(inside): t[:-1] + more + b"}"] * 3 + [rng.choice(whole)])
        (self.on_header if rng.random() < 0.25 else self.on_claims).append(change)

    def parts(self) -> None:
        """Before it is signed: a signer that writes base64 of its own kind."""
        other = self.rng.choice([lambda p: p + "=" * (-len(p) % 4), lambda p: p + "=", lambda p: p[:9] + "\n" + p[9:], lambda p: p[:5] + "." + p[5:],
                                 lambda p: p.replace("-", "+").replace("_", "/"), lambda p: p + ".", lambda p: " " + p, lambda p: p + "é", lambda p: p + "$", unclean])
        at = self.rng.randrange(2)
        self.on_parts.append(lambda parts: [other(part) if i == at else part for i, part in enumerate(parts)])

    def form(self) -> None:
        rng = self.rng
        at, by = rng.random(), rng.choice("AQgw-_=. \n+/é\0")

        def anywhere(text: str, keep: int, more: str) -> str:
            i = int(at * len(text))
            return text[:i] + more + text[i + keep:]

        self.on_text.append(rng.choice([
            lambda t: anywhere(t, 1, by), lambda t: anywhere(t, 1, ""), lambda t: anywhere(t, 0, by), lambda t: anywhere(t, 10**6, ""),
            lambda t: f" \n{t}\r\n", lambda t: f"\u3000{t}\xa0", lambda t: f"\x1f{t}", lambda t: f"{t}\x1c", lambda t: t + ".", lambda t: "." + t, lambda t: t + "=" * (-len(t.split(".")[2]) % 4),
            lambda t: f"{t}.{t.split('.')[2]}", lambda t: f"{t.split('.')[0]}.{t}", lambda t: "Bearer " + t, lambda t: t.swapcase(), lambda t: t + "\0", unclean,
            lambda t: json.dumps(dict(zip(("protected", "payload", "signature"), t.split(".")))), lambda t: t + t, lambda t: t.rsplit(".", 1)[0], lambda t: t.replace(".", ".."),
            lambda t: t.replace("-", "+").replace("_", "/"), lambda t: "\ufeff" + t, lambda t: "",
        ]))

    def put(self, where: dict[str, Any], name: str, values: list[Any]) -> None:
        value = self.rng.choice(values)
        where.pop(name, None)
        if value is not GONE:
            where[name] = value


def unclean(part: str) -> str:
    """The same bytes to a reader that does not look at the last bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(part.split(".")[-1]) % 4 == 0 or part[-1] not in alphabet:
        return part
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


EDITS = [Draft.alg, Draft.other_key, Draft.hmac_of_public, Draft.other_scheme, Draft.signature, Draft.typ, Draft.member, Draft.kid, Draft.time,
         Draft.time, Draft.time, Draft.audience, Draft.issuer, Draft.claim, Draft.claim, Draft.claim, Draft.json, Draft.json, Draft.parts, Draft.form]


def generated(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """What is wanted, and a token."""
    cases: list[tuple[str, str]] = []
    while len(cases) < count:
        if cases and rng.random() < 0.05:
            # Of the parts of two.
            (want, one), (_, other) = rng.choice(cases), rng.choice(cases)
            cases.append((want, ".".join(map(rng.choice, zip(one.split("."), other.split("."))))))
            continue
        draft = Draft(rng)
        for edit in rng.sample(EDITS, rng.choice([0, 1, 1, 1, 2, 3])):
            edit(draft)
        if rng.random() < 0.05:
            draft.want = {"badge": "attestation", "attestation": "badge"}[draft.want]
        cases.append((draft.want, draft.text()))
    return cases


def main() -> int:
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3_000
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    warnings.simplefilter("ignore")  # about short keys
    cases = generated(rng, count)
    first = {"root": root_line("root"), "list": trust_list(MAIN), "device": DEVICE, "now": NOW}
    lines = [json.dumps(first), *(json.dumps({"want": want, "token": text}) for want, text in cases)]
    run = subprocess.run([program], input="\n".join(lines).encode() + b"\n", stdout=subprocess.PIPE, check=True)
    seen: Counter[str] = Counter()
    wrong = 0
    with mock.patch.object(jwt.api_jwt, "datetime", Frozen):
        for (want, text), line in zip(cases, run.stdout.decode().splitlines(), strict=True):
            ours, theirs = json.loads(line), by_pyjwt(want, text)
            if isinstance(theirs, str):
                should, why = None, f"PyJWT: {theirs}"
                agree = "error" in ours
            else:
                token = Token(want, text, theirs[0])
                broken = next(((name, code) for name, code, breaks in RULES if breaks(token)), None)
                should, why = ({"error": broken[1]}, f"stricter: {broken[0]}") if broken else (expected(token), "accepted")
                agree = {k: v for k, v in ours.items() if k != "message"} == should
            seen[why] += 1
            if not agree:
                wrong += 1
                if wrong <= 5:
                    print(f"{want} {text[:2000]!r}\n ours:     {ours}\n expected: {should or 'any error'} ({why})")
    for name, n in sorted(seen.items()):
        print(f"{n:7} {name}")
    unseen = [name for name, _, _ in RULES if not seen[f"stricter: {name}"]]
    if count >= 2_000 and (unseen or seen["accepted"] < count // 10):
        print(f"the tokens do not get to {', '.join(unseen) or 'acceptance'}")
        return 1
    print(f"{count} tokens: {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
