// Writes jose.json: tokens by jose, from the keys that setting.py made.

import { createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { CompactSign, FlattenedSign, SignJWT, UnsecuredJWT, importPKCS8 } from "jose";

const vectors = new URL("../vectors/tokens/", import.meta.url);
const { now, device, signers } = JSON.parse(readFileSync(new URL("setting.json", vectors)));
const cases = [];
const ISS = "https://sso.example/";
const b64 = (text) => Buffer.from(text).toString("base64url");
const pem = (name) => readFileSync(new URL(`keys/${name}.pem`, import.meta.url), "utf8");

const claims = (key, edits = {}) => ({
  iss: ISS + key, aud: ["account", "bulla-desk"], sub: "lee", iat: now - 5, nbf: now - 5, exp: now + 300, ...edits,
});
const badge = (key, edits) => claims(key, { cnf: { jkt: device }, roles: "supervisor", ...edits });
const attest = (key, edits) => claims(key, { kind: "attendance", ...edits });

async function sign(name, alg, body, header = {}) {
  const key = await importPKCS8(pem(name), alg);
  return new SignJWT(body).setProtectedHeader({ alg, typ: "JWT", ...header }).sign(key);
}

function add(name, want, token, expect) {
  cases.push({ name, want, token, expect: typeof expect === "string" ? { error: expect } : { [want]: expect } });
}

const times = { issued: now - 5, expires: now + 360 };
const isBadge = (key) => ({ subject: "lee", roles: ["supervisor"], groups: [], ...times, signer: signers[key] });
const isAttestation = (key) => ({ kind: "attendance", about: { subject: "lee" }, ...times, signer: signers[key] });

const algs = [["rsa", "RS256"], ["rsa-4096", "RS256"], ["p256", "ES256"], ["eddsa", "EdDSA"], ["ed25519", "Ed25519"]];
for (const [key, alg] of algs) {
  add(`badge ${alg} ${key}`, "badge", await sign(key, alg, badge(key)), isBadge(key));
  add(`attestation ${alg} ${key}`, "attestation", await sign(key, alg, attest(key)), isAttestation(key));
  add(`badge as attestation ${alg} ${key}`, "attestation", await sign(key, alg, badge(key)), "bad-token");
  add(`attestation as badge ${alg} ${key}`, "badge", await sign(key, alg, attest(key)), "bad-token");
  add(`no signature, none, ${alg} ${key}`, "badge", new UnsecuredJWT(badge(key)).encode(), "bad-token");
}
// The same key under the other of its two names.
add("Ed25519 where EdDSA is expected", "badge", await sign("eddsa", "Ed25519", badge("eddsa")), "not-trusted");
add("EdDSA where Ed25519 is expected", "badge", await sign("ed25519", "EdDSA", badge("ed25519")), "not-trusted");
for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"]) {
  add(`${alg} where RS256 is expected`, "badge", await sign("rsa", alg, badge("rsa")), "not-trusted");
}
add("ES384 where ES256 is expected", "badge", await sign("p384", "ES384", badge("p256")), "not-trusted");
add("ES512 where ES256 is expected", "badge", await sign("p521", "ES512", badge("p256")), "not-trusted");

const secret = Buffer.from(JSON.stringify({ e: "AQAB", kty: "RSA" }));
const signed = `${b64('{"alg":"HS256","typ":"JWT"}')}.${b64(JSON.stringify(badge("rsa")))}`;
add("HS256", "badge", `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`, "not-trusted");

for (const [name, header] of Object.entries({
  kid: { kid: "signing-2027" }, cty: { cty: "application/json" },
})) {
  add(`header with ${name}`, "badge", await sign("p256", "ES256", badge("p256"), header), isBadge("p256"));
}
for (const [name, header] of Object.entries({
  "b64 true": { b64: true, crit: ["b64"] }, jku: { jku: "https://sso.example/jwks" }, x5t: { x5t: "AAAA" },
  "typ at+jwt": { typ: "at+jwt" }, "typ missing": { typ: undefined }, "typ ours": { typ: "bulla-badge+jwt" },
})) {
  add(`header with ${name}`, "badge", await sign("p256", "ES256", badge("p256"), header), "bad-token");
}

const key = await importPKCS8(pem("p256"), "ES256");
const payload = new TextEncoder().encode(JSON.stringify(badge("p256")));
const detached = await new FlattenedSign(payload)
  .setProtectedHeader({ alg: "ES256", typ: "JWT", b64: false, crit: ["b64"] }).sign(key);
add("detached, b64 false", "badge", `${detached.protected}..${detached.signature}`, "bad-token");
add("detached, b64 false, claims put in", "badge",
  `${detached.protected}.${b64(JSON.stringify(badge("p256")))}.${detached.signature}`, "bad-token");
const nested = await new CompactSign(new TextEncoder().encode(await sign("p256", "ES256", badge("p256"))))
  .setProtectedHeader({ alg: "ES256", typ: "JWT", cty: "JWT" }).sign(key);
add("a token within a token", "badge", nested, "bad-token");

for (const [name, edits, expect] of [
  ["exp past", { iat: now - 900, exp: now - 60 }, "badge-not-valid"], ["nbf ahead", { nbf: now + 61 }, "badge-not-valid"],
  ["other device", { cnf: { jkt: signers["other-device"] } }, "badge-not-valid"],
  ["other audience", { aud: ["account"] }, "not-trusted"], ["other issuer", { iss: ISS }, "not-trusted"],
  ["no subject", { sub: undefined }, "bad-token"], ["no exp", { exp: undefined }, "bad-token"],
]) {
  add(name, "badge", await sign("p256", "ES256", badge("p256", edits)), expect);
}

writeFileSync(new URL("jose.json", vectors), JSON.stringify(cases, null, 1) + "\n");
console.log(cases.length, "cases");
