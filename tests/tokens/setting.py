"""The keys, trust lists and devices that all token vectors share. Makes what is missing, and writes setting.json.

The keys stand in keys/ as PKCS#8, which all tools here read. They are made up and guard nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors" / "tokens"
NOW = 1_800_000_000
DAY = 86_400

# name: how to make the key
KINDS = {
    "root": "ed", "other-root": "ed", "device": "ed", "other-device": "ed", "stranger-ed": "ed", "stranger-rsa": 2048,
    "stranger-p256": "p256", "p384": "p384", "p521": "p521", "k256": "k256",
    "rsa": 2048, "rsa-2047": 2047, "rsa-4096": 4096, "rsa-8192": 8192, "p256": "p256", "eddsa": "ed", "ed25519": "ed",
    "rotate-old": "p256", "rotate-new": "p256", "no-aud": "ed", "no-iss": "ed", "attests": "p256", "badges": "p256",
    "pointer": "ed", "url": "ed", "no-roles": "ed", "no-role-allowed": "ed",
    "own": "ed", "own-limited": "ed", "own-iss": "ed", "own-aud": "ed", "own-eddsa": "ed", "own-permits": "ed",
}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def make(kind: Any) -> Any:
    if isinstance(kind, int):
        return rsa.generate_private_key(65537, kind)
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "k256": ec.SECP256K1}
    return ec.generate_private_key(curves[kind]()) if kind in curves else ed25519.Ed25519PrivateKey.generate()


def load(name: str) -> Any:
    path = HERE / "keys" / f"{name}.pem"
    if not path.exists():
        path.write_bytes(make(KINDS[name]).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return load_pem_private_key(path.read_bytes(), None)


KEYS = {name: load(name) for name in KINDS}


def jwk(name: str) -> dict[str, str]:
    public = KEYS[name].public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    numbers = public.public_numbers()
    if isinstance(public, rsa.RSAPublicKey):
        return {"kty": "RSA", "n": b64(numbers.n.to_bytes(-(-public.key_size // 8))), "e": b64(numbers.e.to_bytes(3))}
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}


def thumbprint(name: str) -> str:
    return b64(hashlib.sha256(json.dumps(jwk(name), sort_keys=True, separators=(",", ":")).encode()).digest())


DEVICE = thumbprint("device")


def own(typ: str, claims: Any, key: str, /, **header: Any) -> str:
    """An object of ours. None in `header` leaves a member out; claims may be bytes as they stand."""
    head = {"alg": "Ed25519", "typ": f"bulla-{typ}+jwt", "kid": thumbprint(key)} | header
    head = {name: value for name, value in head.items() if value is not None}
    signed = b64(to_json(head)) + "." + b64(claims if isinstance(claims, bytes) else to_json(claims))
    return signed + "." + b64(KEYS[key].sign(signed.encode()))


def trusted(name: str, alg: str, uses: str = "badge attestation", iss: str | None = None, aud: str | None = None,
            claim: str | None = None, allow: str = "agent supervisor") -> dict[str, Any]:
    entry: dict[str, Any] = {"jwk": jwk(name), "alg": alg, "for": uses.split()}
    entry |= {"iss": iss} if iss is not None else {}
    entry |= {"aud": aud} if aud is not None else {}
    return entry | ({"roles": {"claim": claim, "allow": allow.split()}} if claim is not None else {})


def sso(name: str, alg: str, claim: str | None = "roles", **rest: Any) -> dict[str, Any]:
    return trusted(name, alg, **({"iss": f"https://sso.example/{name}", "aud": "bulla-desk", "claim": claim} | rest))


ROTATE = "https://sso.example/rotate"
# A P-256 "key" that is no point of the curve.
OFF_CURVE = sso("stranger-p256", "ES256", iss="https://sso.example/off-curve")
OFF_CURVE["jwk"] = OFF_CURVE["jwk"] | {"y": b64(bytes(31) + b"\x05")}

MAIN = [
    sso("rsa", "RS256"), sso("rsa-2047", "RS256"),
    sso("rsa-4096", "RS256"), sso("rsa-8192", "RS256"), sso("p256", "ES256"), sso("eddsa", "EdDSA"),
    sso("ed25519", "Ed25519"), sso("rotate-old", "ES256", iss=ROTATE), sso("rotate-new", "ES256", iss=ROTATE),
    sso("no-aud", "EdDSA", aud=None), sso("no-iss", "EdDSA", iss=None), sso("attests", "ES256", uses="attestation"),
    sso("badges", "ES256", uses="badge"), sso("pointer", "EdDSA", claim="/realm_access/roles"),
    sso("url", "EdDSA", claim="https://bulla.example/roles"), sso("no-roles", "EdDSA", claim=None),
    sso("no-role-allowed", "EdDSA", allow=""), OFF_CURVE,
    trusted("own", "Ed25519"), trusted("own-limited", "Ed25519", claim="roles"),
    trusted("own-iss", "Ed25519", iss="https://sso.example/own-iss"), trusted("own-aud", "Ed25519", aud="bulla-desk"),
    trusted("own-eddsa", "EdDSA"), trusted("own-permits", "Ed25519", uses="permit template revocation"),
]


def trust_list(keys: list[dict[str, Any]], root: str = "root", exp: int = NOW + 30 * DAY) -> str:
    claims = {"iss": thumbprint(root), "iat": NOW - DAY, "exp": exp, "seq": 1, "keys": keys, "programs": []}
    return own("trust", claims, root)


def root_line(name: str) -> str:
    return f"bulla-root:{jwk(name)['x']} {name}"


def write(file: str, document: Any) -> None:
    VECTORS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (VECTORS / f"{file}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write("setting", {
        "now": NOW, "roots": [root_line("root"), root_line("other-root")], "device": DEVICE,
        "lists": {
            "main": trust_list(MAIN),
            "expires-now": trust_list(MAIN, exp=NOW),
            "expires-next-second": trust_list(MAIN, exp=NOW + 1),
            "other-root": trust_list(MAIN, root="other-root"),
        },
        "signers": {name: thumbprint(name) for name in KINDS if name not in ("p384", "p521", "k256")},
    })
