"""Writes pyjwt.json: tokens by PyJWT, and by hand where it refuses to make the defect."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from setting import DAY, DEVICE, KEYS, NOW, ROTATE, b64, jwk, own, thumbprint, to_json, write

# RFC 9864's name for what PyJWT knows as EdDSA.
if "Ed25519" not in jwt.PyJWS().get_algorithms():
    jwt.register_algorithm("Ed25519", OKPAlgorithm())

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ISS = "https://sso.example/"
TRAIL = {"id": "0123456789abcdef0123456789abcdef", "seq": 41, "head": b64(bytes(range(32)))}
LEFT_OUT = object()
CASES: list[dict[str, Any]] = []


def claims(key: str, **edits: Any) -> dict[str, Any]:
    base = {"iss": ISS + key, "aud": "bulla-desk", "sub": "kim@example.kr", "iat": NOW - 600, "exp": NOW + 3600}
    return {name: value for name, value in (base | edits).items() if value is not LEFT_OUT}


def badge_claims(key: str, **edits: Any) -> dict[str, Any]:
    return claims(key, **({"cnf": {"jkt": DEVICE}, "roles": ["agent", "cleaner"]} | edits))


def attest_claims(key: str, **edits: Any) -> dict[str, Any]:
    return claims(key, **({"kind": "daily-checklist"} | edits))


def case(name: str, want: str, token: str, expect: Any, **more: Any) -> None:
    CASES.append({"name": name, "want": want, "token": token, **more,
                  "expect": {"error": expect} if isinstance(expect, str) else {want: expect}})


def is_badge(key: str, **edits: Any) -> dict[str, Any]:
    base = {"subject": "kim@example.kr", "roles": ["agent"], "groups": [], "issued": NOW - 600, "expires": NOW + 3660,
            "signer": thumbprint(key)}
    return base | edits


def is_attestation(key: str, **edits: Any) -> dict[str, Any]:
    base = {"kind": "daily-checklist", "about": {"subject": "kim@example.kr"}, "issued": NOW - 600,
            "expires": NOW + 3660, "signer": thumbprint(key)}
    return {name: value for name, value in (base | edits).items() if value is not LEFT_OUT}


def encode(key: str, alg: str, body: Any, **header: Any) -> str:
    return jwt.encode(body, KEYS[key], algorithm=alg, headers=header or None)


def signature(key: str, signed: bytes) -> bytes:
    """By the key's kind: RS256, ES256 or Ed25519."""
    if key.startswith("rsa") or key == "stranger-rsa":
        return KEYS[key].sign(signed, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(KEYS[key], ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(KEYS[key].sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return KEYS[key].sign(signed)


def raw(key: str, header: Any, body: Any, sign: Any = None) -> str:
    """A token from bytes, or from values, signed by `sign`, or as fits the key."""
    parts = [part if isinstance(part, bytes) else to_json(part) for part in (header, body)]
    signed = ".".join(map(b64, parts))
    return signed + "." + b64((sign or (lambda message: signature(key, message)))(signed.encode()))


def hs256(secret: bytes) -> Any:
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


ALGS = [("rsa", "RS256"), ("rsa-4096", "RS256"), ("p256", "ES256"), ("eddsa", "EdDSA"), ("ed25519", "Ed25519")]


def algorithms() -> None:
    for key, alg in ALGS:
        case(f"badge {alg} {key}", "badge", encode(key, alg, badge_claims(key)), is_badge(key))
        case(f"attestation {alg} {key}", "attestation", encode(key, alg, attest_claims(key)), is_attestation(key))
    case("RSA of 8192 bits", "badge", encode("rsa-8192", "RS256", badge_claims("rsa-8192")), is_badge("rsa-8192"),
         pure_rust={"error": "not-trusted"})
    case("RSA of 2047 bits", "badge", encode("rsa-2047", "RS256", badge_claims("rsa-2047")), "not-trusted")
    # The header names another algorithm than the trust list, and the token is signed by that.
    for key, alg in ALGS[:1] + ALGS[2:]:
        body = badge_claims(key)
        case(f"none for {alg}", "badge", jwt.encode(body, None, algorithm="none"), "not-trusted")
        for wrong in ("None", "NONE", "", alg.lower(), "HS256", "RS384", "PS256", "ES256K", "Ed448"):
            if wrong != alg:
                header = {"alg": wrong, "typ": "JWT"}
                case(f"header says {wrong!r} for {alg}", "badge", raw(key, header, body), "not-trusted")
        for other in ("RS256", "ES256", "EdDSA", "Ed25519"):
            if other != alg:
                header = {"alg": other, "typ": "JWT"}
                case(f"header says {other} for {alg}", "badge", raw(key, header, body), "not-trusted")
    for alg in ("RS384", "RS512", "PS256", "PS384", "PS512"):
        case(f"{alg} by the RS256 key", "badge", encode("rsa", alg, badge_claims("rsa")), "not-trusted")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    case("PSS under the name RS256", "badge",
         raw("rsa", {"alg": "RS256", "typ": "JWT"}, badge_claims("rsa"),
             lambda message: KEYS["rsa"].sign(message, pss, hashes.SHA256())), "bad-signature")
    case("RS256 over SHA-384", "badge",
         raw("rsa", {"alg": "RS256", "typ": "JWT"}, badge_claims("rsa"),
             lambda message: KEYS["rsa"].sign(message, padding.PKCS1v15(), hashes.SHA384())), "bad-signature")
    for name, encoding, form in (("PEM", Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                                 ("DER", Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
                                 ("PKCS#1 PEM", Encoding.PEM, PublicFormat.PKCS1)):
        secret = KEYS["rsa"].public_key().public_bytes(encoding, form)
        for alg, code in (("HS256", "not-trusted"), ("RS256", "bad-signature")):
            case(f"HMAC with the {name} of the RSA key, as {alg}", "badge",
                 raw("rsa", {"alg": alg, "typ": "JWT"}, badge_claims("rsa"), hs256(secret)), code)
    for key, curve in (("p384", "ES384"), ("p521", "ES512"), ("k256", "ES256K")):
        case(f"{curve} for the ES256 issuer", "badge", encode(key, curve, badge_claims("p256")), "not-trusted")
        case(f"a {key} signature under the name ES256", "badge",
             raw("p256", {"alg": "ES256", "typ": "JWT"}, badge_claims("p256"),
                 lambda m, key=key: KEYS[key].sign(m, ec.ECDSA(hashes.SHA256()))), "bad-signature")


def signatures() -> None:
    for key, alg in ALGS:
        good = encode(key, alg, badge_claims(key))
        head, body, sig = good.split(".")
        other = b64(to_json(badge_claims(key, roles=["supervisor"])))
        case(f"{alg} {key}, changed claims", "badge", f"{head}.{other}.{sig}", "bad-signature")
        case(f"{alg} {key}, no signature", "badge", f"{head}.{body}.", "bad-signature")
    es = encode("p256", "ES256", badge_claims("p256"))
    head, body, sig = es.split(".")
    signed = f"{head}.{body}"
    rs = jwt.utils.base64url_decode(sig)
    r, s = int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big")
    both = lambda r, s: b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    case("ES256 in DER", "badge", f"{signed}.{b64(encode_dss_signature(r, s))}", "bad-signature")
    case("ES256 with the other s", "badge", f"{signed}.{both(r, P256_ORDER - s)}", is_badge("p256"))
    for name, bad in (("r = 0", both(0, s)), ("s = 0", both(r, 0)), ("r = s = 0", both(0, 0)),
                      ("s = n", both(r, P256_ORDER)), ("swapped", both(s, r)), ("65 bytes", b64(rs + b"\0")),
                      ("63 bytes", b64(rs[:-1]))):
        case(f"ES256, {name}", "badge", f"{signed}.{bad}", "bad-signature")
    eddsa = encode("eddsa", "EdDSA", badge_claims("eddsa"))
    signed, sig = eddsa.rsplit(".", 1)
    raw_sig = jwt.utils.base64url_decode(sig)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(raw_sig[32:], "little") + order
    case("EdDSA with s not reduced", "badge", f"{signed}.{b64(raw_sig[:32] + s.to_bytes(32, 'little'))}", "bad-signature")
    case("EdDSA, 65 bytes", "badge", f"{signed}.{b64(raw_sig + bytes(1))}", "bad-signature")
    rsa = encode("rsa", "RS256", badge_claims("rsa"))
    signed, sig = rsa.rsplit(".", 1)
    raw_sig = jwt.utils.base64url_decode(sig)
    n = KEYS["rsa"].public_key().public_numbers().n
    case("RS256, a zero in front", "badge", f"{signed}.{b64(bytes(1) + raw_sig)}", "bad-signature")
    case("RS256, signature 0", "badge", f"{signed}.{b64(bytes(256))}", "bad-signature")
    case("RS256, signature 1", "badge", f"{signed}.{b64(bytes(255) + bytes([1]))}", "bad-signature")
    larger = int.from_bytes(raw_sig, "big") + n
    width = 256 if larger < 2**2048 else 257
    case("RS256, signature + n", "badge", f"{signed}.{b64(larger.to_bytes(width, 'big'))}", "bad-signature")
    for key, alg in (("stranger-rsa", "RS256"), ("stranger-p256", "ES256"), ("stranger-ed", "EdDSA")):
        of = {"RS256": "rsa", "ES256": "p256", "EdDSA": "eddsa"}[alg]
        case(f"{alg} by a stranger", "badge", encode(key, alg, badge_claims(of)), "bad-signature")
        case(f"{alg} by a stranger who names itself", "badge",
             encode(key, alg, badge_claims(of), kid=thumbprint(key)), "bad-signature")
    case("a key that is no point of its curve", "badge",
         encode("stranger-p256", "ES256", badge_claims("off-curve")), "bad-signature")
    for key in ("rotate-old", "rotate-new"):
        case(f"one of two keys of an issuer: {key}", "badge", encode(key, "ES256", badge_claims(key, iss=ROTATE)), is_badge(key))
    case("kid is only a hint", "badge", encode("rsa", "RS256", badge_claims("rsa"), kid="2026-04"), is_badge("rsa"))
    case("kid of another key", "badge", encode("rsa", "RS256", badge_claims("rsa"), kid=thumbprint("rsa-4096")), is_badge("rsa"))


def headers() -> None:
    body = badge_claims("rsa")
    for name, value in {
        "crit": ["exp"], "b64": False, "jku": "https://sso.example/keys", "jwk": jwk("stranger-rsa"), "x5u": "https://a.example",
        "x5c": ["MIIB"], "x5t": "AAAA", "x5t#S256": "AAAA", "zip": "DEF", "enc": "A128GCM", "nonce": "1", "Alg": "none",
    }.items():
        case(f"header has {name}", "badge", encode("rsa", "RS256", body, **{name: value}), "bad-token")
    case("header has jwk, signed by it", "badge", encode("stranger-rsa", "RS256", body, jwk=jwk("stranger-rsa")), "bad-token")
    case("crit and b64 with raw claims", "badge",
         raw("rsa", {"alg": "RS256", "typ": "JWT", "crit": ["b64"], "b64": False}, body), "bad-token")
    case("cty is allowed", "badge", encode("rsa", "RS256", body, cty="json"), is_badge("rsa"))
    case("typ missing", "badge", raw("rsa", {"alg": "RS256"}, body), "bad-token")
    case("typ null", "badge", raw("rsa", {"alg": "RS256", "typ": None}, body), "bad-token")
    for typ in ("jwt", "JWT ", "at+jwt", "application/jwt", "JOSE", ""):
        case(f"typ {typ!r}", "badge", encode("rsa", "RS256", body, typ=typ), "bad-token")
    case("our typ with RS256", "badge", encode("rsa", "RS256", body, typ="bulla-badge+jwt"), "bad-token")
    case("our typ with RS256 and kid", "badge",
         encode("rsa", "RS256", body, typ="bulla-badge+jwt", kid=thumbprint("rsa")), "bad-token")
    case("another object's typ", "badge", encode("rsa", "RS256", body, typ="bulla-permit+jwt"), "bad-token")
    case("alg missing", "badge", raw("rsa", {"typ": "JWT"}, body), "bad-token")
    case("alg of the wrong kind", "badge", raw("rsa", {"alg": ["RS256"], "typ": "JWT"}, body), "bad-token")
    case("kid of the wrong kind", "badge", raw("rsa", {"alg": "RS256", "typ": "JWT", "kid": 7}, body), "bad-token")
    case("alg twice", "badge", raw("rsa", b'{"alg":"none","alg":"RS256","typ":"JWT"}', body), "bad-token")
    case("typ twice", "badge", raw("rsa", b'{"alg":"RS256","typ":"JWT","t\\u0079p":"JWT"}', body), "bad-token")
    case("header is a list", "badge", raw("rsa", b'["RS256","JWT"]', body), "bad-token")
    case("header is no JSON", "badge", raw("rsa", b"RS256", body), "bad-token")
    case("header is empty", "badge", raw("rsa", b"", body), "bad-token")
    case("header too long", "badge", encode("rsa", "RS256", body, kid="k" * 800), "bad-token")


def shapes() -> None:
    good = encode("rsa", "RS256", badge_claims("rsa"))
    head, body, sig = good.split(".")
    case("white space around", "badge", f" \n{good}\r\n", is_badge("rsa"))
    for name, text in {
        "empty": "", "one part": head, "two parts": f"{head}.{body}", "trailing dot": good + ".", "leading dot": "." + good,
        "four parts": f"{good}.{sig}", "five parts": f"{head}.{body}.{sig}.{sig}.{sig}",
        "padded header": f"{head}==.{body}.{sig}", "padded claims": f"{head}.{body}=.{sig}", "padded signature": good + "==",
        "white space within": f"{head}.{body}\n.{sig}", "a space in the signature": f"{head}.{body}.{sig[:9]} {sig[9:]}",
        "base64 of the other alphabet": f"{head}.{body}.{sig[:-4]}+/+/", "Bearer before it": "Bearer " + good,
        "a bit at the end of the signature": good[:-1] + chr(ord(good[-1]) + 1), "no ASCII": good[:-1] + "é",
        "JSON serialization": json.dumps({"protected": head, "payload": body, "signature": sig}),
    }.items():
        case(f"form: {name}", "badge", text, "bad-token")
    long = "x" * 48_000
    fits = badge_claims("rsa", note=long)
    case("long", "badge", encode("rsa", "RS256", fits), is_badge("rsa"))
    case("longer than 64 KiB", "badge", encode("rsa", "RS256", badge_claims("rsa", note=long + "x" * 1_500)), "bad-token")
    text = to_json(badge_claims("rsa"))
    header = {"alg": "RS256", "typ": "JWT"}
    for name, bad in {
        "sub twice": text[:-1] + b',"sub":"lee"}', "exp twice": text[:-1] + b',"e\\u0078p":1900000000}',
        "twice in an object that is not looked at": text[:-1] + b',"x":{"a":1,"a":1}}',
        "no object": b'"kim"', "a list": b"[" + text + b"]", "cut": text[:-1], "more behind": text + b"{}", "empty": b"",
        "not UTF-8": text[:-1] + b',"x":"\xff"}', "a byte order mark": b"\xef\xbb\xbf" + text,
        "a lone surrogate": text[:-1] + b',"x":"\\ud800"}', "nested too deeply": text[:-1] + b',"x":' + b"[" * 16 + b"]" * 16 + b"}",
        "a number out of range": text[:-1] + b',"x":1e999}', "NaN": text[:-1] + b',"x":NaN}',
    }.items():
        case(f"claims: {name}", "badge", raw("rsa", header, bad), "bad-token")
    odd = text[:-1] + b',"x":null,"y":1.5e3,"z":18446744073709551616,"n":{"a":[1,{"b":null}]},"w":' + b"[" * 15 + b"]" * 15 + b"}"
    case("unknown claims of every kind", "badge", raw("rsa", header, odd), is_badge("rsa"))
    case("white space in the claims", "badge", raw("rsa", header, json.dumps(badge_claims("rsa"), indent=2).encode()), is_badge("rsa"))


def sso_badge(name: str, expect: Any, key: str = "rsa", alg: str = "RS256", more: Any = None, **edits: Any) -> None:
    if not isinstance(expect, str):
        expect = is_badge(key, **expect)
    case(name, "badge", encode(key, alg, badge_claims(key, **edits)), expect, **(more or {}))


def times() -> None:
    sso_badge("iat 60 s ahead", {"issued": NOW + 60}, iat=NOW + 60)
    sso_badge("iat 61 s ahead", "badge-not-valid", iat=NOW + 61)
    sso_badge("nbf 60 s ahead", {}, nbf=NOW + 60)
    sso_badge("nbf 61 s ahead", "badge-not-valid", nbf=NOW + 61)
    sso_badge("exp 59 s ago", {"expires": NOW + 1}, exp=NOW - 59)
    sso_badge("exp 60 s ago", "badge-not-valid", exp=NOW - 60)
    sso_badge("exp long ago", "badge-not-valid", iat=1000, exp=2000)
    sso_badge("exp is iat", "bad-token", iat=NOW, exp=NOW)
    sso_badge("exp before iat", "bad-token", iat=NOW, exp=NOW - 1)
    sso_badge("31 days", {"issued": NOW, "expires": NOW + 31 * DAY + 60}, iat=NOW, exp=NOW + 31 * DAY)
    sso_badge("31 days and a second", "badge-not-valid", iat=NOW, exp=NOW + 31 * DAY + 1)
    sso_badge("milliseconds", "badge-not-valid", iat=NOW * 1000, exp=(NOW + 60) * 1000)
    sso_badge("exp in milliseconds", "badge-not-valid", exp=(NOW + 60) * 1000)
    sso_badge("fractions are cut off", {"issued": NOW - 9, "expires": NOW + 69}, iat=NOW - 8.001, exp=NOW + 9.999)
    sso_badge("iat 60.9 s ahead", {"issued": NOW + 60}, iat=NOW + 60.9)
    sso_badge("nbf 60.9 s ahead", {}, nbf=NOW + 60.9)
    sso_badge("exp 59.1 s ago", "badge-not-valid", exp=NOW - 59.1)
    sso_badge("exp and iat within one second", "bad-token", iat=NOW + 0.1, exp=NOW + 0.9)
    text = to_json(badge_claims("rsa", exp=LEFT_OUT))[:-1]
    for name, exp, expect in (("an exponent", b"1.8000036e9", is_badge("rsa")), ("2^53", b"9007199254740992", "bad-token"),
                              ("2^64", b"18446744073709551616", "bad-token"), ("1e300", b"1e300", "bad-token")):
        case(f"exp with {name}", "badge", raw("rsa", {"alg": "RS256", "typ": "JWT"}, text + b',"exp":' + exp + b"}"), expect)
    for claim in ("exp", "iat"):
        sso_badge(f"{claim} missing", "bad-token", **{claim: LEFT_OUT})
    for claim in ("exp", "iat", "nbf"):
        # PyJWT refuses to make some of these.
        for bad in ("1800000100", None, -1, -0.5, True, [NOW + 9], {}):
            body = badge_claims("rsa", **{claim: bad})
            case(f"{claim} is {json.dumps(bad)}", "badge", raw("rsa", {"alg": "RS256", "typ": "JWT"}, body), "bad-token")
    sso_badge("a minute later it has expired", "badge-not-valid", more={"now": NOW + 3660})
    sso_badge("a second before", {}, more={"now": NOW + 3659})
    sso_badge("the present time is 0", "badge-not-valid", more={"now": 0})


def issuers() -> None:
    sso_badge("iss of another key", "not-trusted", iss=ISS + "p256")
    for name, iss in {"unknown": "https://evil.example", "with a slash": ISS + "rsa/", "in capitals": (ISS + "rsa").upper(), "empty": ""}.items():
        sso_badge(f"iss {name}", "not-trusted", iss=iss)
    sso_badge("iss missing", "not-trusted", iss=LEFT_OUT)
    for bad in (None, 7, [ISS + "rsa"]):
        body = badge_claims("rsa", iss=bad)
        case(f"iss is {json.dumps(bad)}", "badge", raw("rsa", {"alg": "RS256", "typ": "JWT"}, body), "not-trusted")
    sso_badge("aud in a list", {}, aud=["other", "bulla-desk"])
    for name, aud in {"other": "other", "longer": "bulla-desk2", "missing": LEFT_OUT, "empty list": [], "other list": ["other"],
                      "list with a number": ["bulla-desk", 7], "object": {"bulla-desk": 1}, "null": None, "empty": ""}.items():
        sso_badge(f"aud {name}", "not-trusted", aud=aud)
    sso_badge("a key without aud", "not-trusted", key="no-aud", alg="EdDSA")
    sso_badge("a key without aud, and none in the token", "not-trusted", key="no-aud", alg="EdDSA", aud=LEFT_OUT)
    sso_badge("a key without iss", "not-trusted", key="no-iss", alg="EdDSA")
    sso_badge("a key without iss, and none in the token", "not-trusted", key="no-iss", alg="EdDSA", iss=LEFT_OUT)
    sso_badge("one of our signers' keys", "not-trusted", key="own", alg="EdDSA")
    sso_badge("one of our signers' keys with iss alone", "not-trusted", key="own-iss", alg="Ed25519")
    sso_badge("a key for attestations alone", "not-trusted", key="attests", alg="ES256")
    sso_badge("the list expires now", "not-trusted", more={"list": "expires-now"})
    sso_badge("the list expires in a second", {}, more={"list": "expires-next-second"})
    sso_badge("another root's list", "not-trusted", more={"list": "other-root"})
    sso_badge("no list", "not-trusted", more={"list": "none"})


def badges() -> None:
    for name, cnf in {"missing": LEFT_OUT, "null": None, "a text": DEVICE, "empty": {}, "of a number": {"jkt": 7},
                      "with a short jkt": {"jkt": DEVICE[:-1]}, "with a padded jkt": {"jkt": DEVICE + "="},
                      "with a jwk": {"jwk": jwk("device")}, "with jkt and more": {"jkt": DEVICE, "kid": "1"}, "in a list": [{"jkt": DEVICE}],
                      "with x5t#S256": {"x5t#S256": DEVICE}}.items():
        sso_badge(f"cnf {name}", "bad-token", cnf=cnf)
    sso_badge("cnf of another device", "badge-not-valid", cnf={"jkt": thumbprint("other-device")})
    sso_badge("kind in a badge", "bad-token", kind="daily-checklist")
    sso_badge("kind null in a badge", "bad-token", kind=None)
    sso_badge("sub of 256 bytes", {"subject": "김" * 85 + "x"}, sub="김" * 85 + "x")
    for name, sub in {"missing": LEFT_OUT, "empty": "", "of 257 bytes": "김" * 85 + "xx", "with a line feed": "kim\nlee",
                      "with DEL": "kim\x7f", "null": None, "a number": 7}.items():
        body = badge_claims("rsa", sub=sub)
        case(f"sub {name}", "badge", raw("rsa", {"alg": "RS256", "typ": "JWT"}, body), "bad-token")
    for name, roles, given in (("one string", "supervisor", ["supervisor"]), ("one string, not allowed", "cleaner", []),
                               ("strings in a string", "agent supervisor", []), ("missing", LEFT_OUT, []), ("none", [], []),
                               ("other case", ["Agent", "AGENT", "agent "], []), ("two of three", ["supervisor", "x", "agent"], ["supervisor", "agent"]),
                               ("256 before it", ["x"] * 255 + ["agent", "supervisor"], ["agent"]),
                               ("a number after 256", ["agent"] + ["x"] * 255 + [7], ["agent"])):
        sso_badge(f"roles: {name}", {"roles": given}, roles=roles)
    for name, roles in (("null", None), ("a number", 7), ("true", True), ("an object", {"agent": True}), ("a number in the list", ["agent", 7]),
                        ("null in the list", ["agent", None]), ("a list in the list", [["agent"]])):
        sso_badge(f"roles: {name}", "bad-token", roles=roles)
    realm = {"realm_access": {"roles": ["agent", "offline_access"]}}
    sso_badge("roles by a pointer", {}, key="pointer", alg="EdDSA", roles=["supervisor"], **realm)
    sso_badge("roles by a pointer to nothing", {"roles": []}, key="pointer", alg="EdDSA", realm_access={})
    sso_badge("roles by a pointer through a text", {"roles": []}, key="pointer", alg="EdDSA", realm_access="agent")
    sso_badge("roles by a pointer of the wrong type", "bad-token", key="pointer", alg="EdDSA", realm_access={"roles": {}})
    sso_badge("a claim that is named like the pointer", {"roles": []}, key="pointer", alg="EdDSA", **{"/realm_access/roles": ["agent"]})
    sso_badge("roles in a claim with a URL for a name", {}, key="url", alg="EdDSA", **{"https://bulla.example/roles": ["agent"]})
    sso_badge("a key without a claim for roles", {"roles": []}, key="no-roles", alg="EdDSA")
    sso_badge("a key that may give no role", {"roles": []}, key="no-role-allowed", alg="EdDSA")
    sso_badge("groups do not count", {}, groups=["seoul"])
    sso_badge("trail", {"trail": TRAIL}, trail=TRAIL)
    for name, trail in {"null": None, "without head": {"id": TRAIL["id"], "seq": 41}, "with more": TRAIL | {"x": 1}, "of a negative seq": TRAIL | {"seq": -1},
                        "of a broken seq": TRAIL | {"seq": 1.5}, "of a seq of 2^53": TRAIL | {"seq": 2**53}, "in a list": list(TRAIL.values())}.items():
        sso_badge(f"trail {name}", "bad-token", trail=trail)


def attestations() -> None:
    def one(name: str, expect: Any, key: str = "p256", alg: str = "ES256", more: Any = None, **edits: Any) -> None:
        expect = expect if isinstance(expect, str) else is_attestation(key, **expect)
        case(name, "attestation", encode(key, alg, attest_claims(key, **edits)), expect, **(more or {}))

    one("a key for attestations alone, attesting", {}, key="attests")
    one("a key for badges alone, attesting", "not-trusted", key="badges")
    one("about a device", {"about": {"device": DEVICE}}, sub=LEFT_OUT, device=DEVICE)
    one("about a device, by sub too", {"about": {"device": DEVICE}}, sub=DEVICE, device=DEVICE)
    one("about a person and a device", "bad-token", device=DEVICE)
    one("about nobody", "bad-token", sub=LEFT_OUT)
    for bad in (None, "x", 7, DEVICE + "="):
        one(f"device is {json.dumps(bad)[:9]}", "bad-token", sub=LEFT_OUT, device=bad)
    one("posture", {"kind": "posture.usb-storage-blocked"}, kind="posture.usb-storage-blocked")
    for name, kind in {"missing": LEFT_OUT, "empty": "", "in capitals": "Attendance", "with a space": "a b", "null": None, "a number": 7,
                       "of 65 characters": "x" * 65, "with a hyphen first": "-a", "with an underscore": "a_b", "in a list": ["attendance"]}.items():
        one(f"kind {name}", "bad-token", kind=kind)
    one("a badge in place of an attestation", "bad-token", kind=LEFT_OUT, cnf={"jkt": DEVICE}, roles=["agent"])
    one("cnf of an attestation does not matter", {}, cnf={"jkt": thumbprint("other-device")})
    one("an attestation of a year", {"issued": NOW, "expires": NOW + 365 * DAY + 60}, iat=NOW, exp=NOW + 365 * DAY)
    one("an attestation that expired", "badge-not-valid", exp=NOW - 60)
    one("an attestation that is not valid yet", "badge-not-valid", iat=NOW + 61)
    one("an attestation for another audience", "not-trusted", aud="other")
    one("trail in an attestation", {"trail": TRAIL}, trail=TRAIL)
    one("malformed trail in an attestation", "bad-token", trail="x")
    case("an attestation in place of a badge", "badge", encode("p256", "ES256", attest_claims("p256")), "bad-token")


def ours() -> None:
    jti = "0123456789abcdef0123456789abcdef"
    badge = {"iat": NOW - 600, "exp": NOW + 3600, "jti": jti, "sub": "kim@example.kr", "roles": ["agent", "cleaner"], "groups": ["seoul"],
             "cnf": {"jkt": DEVICE}}
    attestation = {"iat": NOW - 600, "exp": NOW + 3600, "jti": jti, "kind": "daily-checklist", "sub": "kim@example.kr"}

    def one(name: str, expect: Any, what: str = "badge", key: str = "own", header: Any = None, more: Any = None, **edits: Any) -> None:
        body = {n: v for n, v in ((badge if what == "badge" else attestation) | edits).items() if v is not LEFT_OUT}
        base = is_badge(key, roles=["agent", "cleaner"], groups=["seoul"]) if what == "badge" else is_attestation(key)
        expect = expect if isinstance(expect, str) else {n: v for n, v in (base | expect).items() if v is not LEFT_OUT}
        case(f"ours: {name}", what, own(what, body, key, **(header or {})), expect, **(more or {}))

    one("a badge", {})
    one("an attestation", {}, "attestation")
    one("roles that the signer may give", {"roles": ["agent"]}, key="own-limited")
    one("no groups", {"groups": []}, groups=LEFT_OUT)
    one("trail", {"trail": TRAIL}, trail=TRAIL)
    one("trail in an attestation", {"trail": TRAIL}, "attestation", trail=TRAIL)
    one("about a device", {"about": {"device": DEVICE}}, "attestation", sub=LEFT_OUT, device=DEVICE)
    one("about both", "bad-token", "attestation", device=DEVICE)
    one("about nobody", "bad-token", "attestation", sub=LEFT_OUT)
    one("kind is no word", "bad-token", "attestation", kind="Daily Checklist")
    for key in ("own-iss", "own-aud", "own-eddsa", "own-permits", "stranger-ed", "root"):
        one(f"a badge by {key}", "not-trusted", key=key)
        one(f"an attestation by {key}", "not-trusted", "attestation", key=key)
    one("kid of a single sign-on's key", "not-trusted", header={"kid": thumbprint("rsa")})
    one("kid missing", "bad-token", header={"kid": None})
    one("alg EdDSA", "bad-token", header={"alg": "EdDSA"})
    one("alg none", "bad-token", header={"alg": "none"})
    one("typ JWT", "not-trusted", header={"typ": "JWT"}, iss=ISS + "own", aud="bulla-desk")
    one("iss in a badge", "bad-token", iss=ISS + "own")
    one("kind in a badge", "bad-token", kind="daily-checklist")
    one("a fraction in a time", "bad-token", exp=NOW + 9.5)
    one("another device", "badge-not-valid", cnf={"jkt": thumbprint("other-device")})
    one("cnf missing", "bad-token", cnf=LEFT_OUT)
    one("iat 60 s ahead", {"issued": NOW + 60}, iat=NOW + 60)
    one("iat 61 s ahead", "badge-not-valid", iat=NOW + 61)
    one("exp 59 s ago", {"expires": NOW + 1}, exp=NOW - 59)
    one("exp 60 s ago", "badge-not-valid", exp=NOW - 60)
    one("31 days", {"issued": NOW, "expires": NOW + 31 * DAY + 60}, iat=NOW, exp=NOW + 31 * DAY)
    one("31 days and a second", "badge-not-valid", iat=NOW, exp=NOW + 31 * DAY + 1)
    one("expired", "badge-not-valid", "attestation", exp=NOW - 60)
    one("a year", {"issued": NOW, "expires": NOW + 365 * DAY + 60}, "attestation", iat=NOW, exp=NOW + 365 * DAY)
    one("another root's list", "not-trusted", more={"list": "other-root"})
    one("the list expires now", "not-trusted", more={"list": "expires-now"})
    case("ours: an attestation in place of a badge", "badge", own("attestation", attestation, "own"), "bad-token")
    case("ours: a badge in place of an attestation", "attestation", own("badge", badge, "own"), "bad-token")
    case("ours: a badge's claims under the typ of an attestation", "attestation", own("attestation", badge, "own"), "bad-token")
    for what, body in (("badge", badge), ("attestation", attestation)):
        changed = own(what, body, "own").split(".")
        changed[1] = b64(to_json(body | {"sub": "lee"}))
        case(f"ours: a changed {what}", what, ".".join(changed), "bad-signature")
        case(f"ours: {what} under the kid of another trusted key", what,
             own(what, body, "own", kid=thumbprint("own-limited")), "bad-signature")


if __name__ == "__main__":
    for group in (algorithms, signatures, headers, shapes, times, issuers, badges, attestations, ours):
        group()
    names = [one["name"] for one in CASES]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    write("pyjwt", CASES)
    print(len(CASES), "cases")
