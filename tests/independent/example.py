#!/usr/bin/env python3
"""The worked example of docs/format.md: makes it, or checks every value on the page.

    example.py make VECTOR.json     prints the section, and writes the same envelope as a vector
    example.py check docs/format.md VECTOR.json
"""
from __future__ import annotations

import base64
import json
import re
import sys
import textwrap
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import reader
import writer
from reader import b64d, hkdf_expand, sha256

ROOT_SEED, SECRET = bytes(range(32)), bytes(range(32, 64))
POLICY = b'{"version":1,"name":"example","grants":[{"to":["anyone"],"rights":["view","export"]}]}'
PLAINTEXT = b"Hello, call center.\n"


def values(vector: dict) -> dict[str, bytes]:
    """Every value of the example, derived step by step from the envelope and the two secrets."""
    data = base64.b64decode(vector["envelope"])
    secret = bytes.fromhex(vector["identity"]["secret"])
    line1, line2, payload = reader.split_layout(data)
    claims = reader.parse_license(line1).claims
    file_id, policy = bytes.fromhex(claims["file"]), b64d(claims["policy"])
    public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    file_key = reader.unwrap(claims, "x25519", secret)
    salt = payload[:24]
    context = b"bulla/1\0" + file_id + b64d(claims["iss"]) + sha256(line2)
    payload_key = hkdf_expand(file_key, b"bulla/1 payload\0" + file_id, 32)
    label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
    okm = hkdf_expand(payload_key, label + salt + context, 76)
    return {
        "root seed": ROOT_SEED,
        "reader's X25519 key": secret,
        "reader's public key": public,
        "recipient key id": sha256(public),
        "first 12 bytes": data[:12],
        "file id": file_id,
        "SHA-256(policy)": sha256(policy),
        "wrap info": b"bulla/1 wrap\0\1" + file_id + sha256(policy) + sha256(public),
        "file key": file_key,
        "payload key": payload_key,
        "meta key": hkdf_expand(file_key, b"bulla/1 meta\0" + file_id, 32),
        "SHA-256(line 2)": sha256(line2),
        "context": context,
        "salt": salt,
        "key": okm[:32],
        "base nonce": okm[32:44],
        "commitment": okm[44:],
        "payload": payload,
        "plaintext": PLAINTEXT,
        "SHA-256(envelope)": sha256(data),
    }


def opened(vector: dict) -> bytes:
    identity = {"kind": "x25519", "secret": bytes.fromhex(vector["identity"]["secret"])}
    data = base64.b64decode(vector["envelope"])
    return reader.open_envelope(data, roots=vector["roots"], trust=[], identity=identity, now=vector["now"]).plaintext


def section(vector: dict) -> str:
    data = base64.b64decode(vector["envelope"])
    line1, line2, _ = reader.split_layout(data)
    header, claims, _ = (b64d(part) if n < 2 else b"" for n, part in enumerate(line1.decode().split(".")))
    out = ["```"]
    for name, raw in values(vector).items():
        folded = textwrap.wrap(raw.hex(), 64)
        out += [f"{name:20} {folded[0]}"] + [" " * 21 + line for line in folded[1:]]
    out += ["```", "", "The license's header and claims, and line 2, as they stand (lines folded here):", "", "```"]
    for text in (header, claims, line2):
        out += textwrap.wrap(text.decode(), 96, break_on_hyphens=False) + [""]
    return "\n".join(out[:-1] + ["```"])


def main() -> int:
    if sys.argv[1:2] == ["make"]:
        root = Ed25519PrivateKey.from_private_bytes(ROOT_SEED)
        public = X25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
        meta = {"name": "hello.txt", "type": "text/plain", "modified": 1795478400000}
        to = [writer.Recipient("x25519", public)]
        envelope = writer.seal(root, to, POLICY, PLAINTEXT, label="customer-data", meta=meta)
        vector = {"name": "the worked example", "comment": "docs/format.md, section 12", "now": 1795478400,
                  "roots": [writer.root_line(root, "example")], "trust": [],
                  "identity": {"kind": "x25519", "secret": SECRET.hex()},
                  "envelope": base64.b64encode(envelope).decode(),
                  "expect": {"ok": {"sha256": sha256(PLAINTEXT).hex(), "size": len(PLAINTEXT), "meta": meta}}}
        Path(sys.argv[2]).write_text(json.dumps(vector) + "\n")
        print(section(vector))
        return 0
    page, vector = Path(sys.argv[2]).read_text(), json.loads(Path(sys.argv[3]).read_text())
    shown = re.search(r"## \d+\. Worked example.*?```\n(.*?)```", page, re.S)
    on_page = {}
    for name, first, more in re.findall(r"^(\S.{19}) ([0-9a-f]+)\n((?: {21}[0-9a-f]+\n)*)", shown[1] if shown else "", re.M):
        on_page[name.strip()] = first + "".join(more.split())
    wrong = [name for name, raw in values(vector).items() if on_page.get(name) != raw.hex()]
    if opened(vector) != PLAINTEXT or section(vector).split("\n\n", 2)[2] not in page:
        wrong.append("the texts or the plaintext")
    print("\n".join(f"{name}: differs from the page" for name in wrong) or f"{len(on_page)} values of the example hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
