//! The secrets of identities and envelopes, derived from `docs/format.md` without the library, and
//! the search for them in the memory of another process.

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64URL_NOPAD as B64;
use hkdf::Hkdf;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};
use shake::{ExtendableOutput, Shake256, Update, XofReader};
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// What must not be found, each with a name.
#[derive(Clone, Default)]
pub struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.push((name.to_owned(), bytes.to_vec()));
    }

    /// The seeds in an unsealed key file, as bytes and as they stand there, and what the library's
    /// crates expand them to. Returns the KEM's secret.
    pub fn add_key_file(&mut self, name: &str, text: &str) -> Option<Vec<u8>> {
        let file: Value = serde_json::from_str(text).unwrap();
        let mut seed = |field: &str| {
            let text = file[field].as_str()?;
            let bytes = B64.decode(text.as_bytes()).unwrap();
            self.add(&format!("{name}: {field} seed"), &bytes);
            self.add(&format!("{name}: {field} seed as text"), text.as_bytes());
            Some(bytes)
        };
        let signing = seed("signing").unwrap();
        let kem = seed("kem");
        let mut expanded = Sha512::digest(&signing).to_vec();
        self.add(&format!("{name}: prefix of Ed25519"), &expanded[32..]);
        expanded[0] &= 248;
        expanded[31] = expanded[31] & 127 | 64;
        self.add(&format!("{name}: scalar of Ed25519"), &expanded[..32]);
        if file["kind"] == "hybrid" {
            let mut xof = Shake256::default();
            xof.update(kem.as_ref().unwrap());
            let mut halves = [0; 96];
            xof.finalize_xof().read(&mut halves);
            self.add(&format!("{name}: seed of ML-KEM"), &halves[..64]);
            self.add(&format!("{name}: scalar of X25519"), &halves[64..]);
        }
        kem
    }

    /// The key that a passphrase gives for a sealed key file.
    pub fn add_passphrase(&mut self, passphrase: &str, text: &str) {
        self.add("passphrase", passphrase.as_bytes());
        let cost = &serde_json::from_str::<Value>(text).unwrap()["argon2id"];
        let number = |name: &str| cost[name].as_u64().unwrap() as u32;
        let params = Params::new(number("m"), number("t"), number("p"), Some(32)).unwrap();
        let salt = B64.decode(cost["salt"].as_str().unwrap().as_bytes()).unwrap();
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut key)
            .unwrap();
        self.add("key of the passphrase", &key);
    }

    /// The keys of an envelope, unwrapped for a recipient.
    pub fn add_envelope(
        &mut self,
        name: &str,
        sealed: &[u8],
        kind: &str,
        public: &[u8],
        kem: &[u8],
    ) {
        let mut lines = sealed[12..].splitn(3, |byte| *byte == b'\n');
        let (license, line2) = (lines.next().unwrap(), lines.next().unwrap());
        let claims = license.split(|byte| *byte == b'.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&B64.decode(claims).unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().as_bytes().to_vec();
        let b64 = |value: &Value| B64.decode(&text(value)).unwrap();
        let hex = |value: &Value| data_encoding::HEXLOWER.decode(&text(value)).unwrap();
        let file = hex(&claims["file"]);
        let to = Sha256::digest(public).to_vec();
        let wraps = claims["wraps"].as_array().unwrap();
        let wrap = wraps.iter().find(|w| b64(&w["to"]) == to).expect("a wrap for the recipient");
        let batch = wrap["scope"] == "batch";
        let id = if batch { hex(&claims["batch"]) } else { file.clone() };
        let policy = Sha256::digest(b64(&claims["policy"])).to_vec();
        let info = [b"bulla/1 wrap\0", &[1 + u8::from(batch)][..], &id, &policy, &to].concat();
        let (enc, ct) = (b64(&wrap["enc"]), b64(&wrap["ct"]));
        let wrapped = match kind {
            "hybrid" => unwrap::<XWing>(kem, &info, &enc, &ct),
            _ => unwrap::<X25519HkdfSha256>(kem, &info, &enc, &ct),
        };
        let file_key = if batch {
            self.add(&format!("{name}: batch key"), &wrapped);
            expand(&wrapped, &[b"bulla/1 batch\0", &file], 32)
        } else {
            wrapped
        };
        self.add(&format!("{name}: file key"), &file_key);
        let payload_key = expand(&file_key, &[b"bulla/1 payload\0", &file], 32);
        self.add(&format!("{name}: payload key"), &payload_key);
        self.add(&format!("{name}: meta key"), &expand(&file_key, &[b"bulla/1 meta\0", &file], 32));
        let payload = u32::from_le_bytes(sealed[8..12].try_into().unwrap()) as usize;
        let salt = &sealed[payload..payload + 24];
        let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
        let root = b64(&claims["iss"]);
        let context = [b"bulla/1\0", &file[..], &root, &Sha256::digest(line2)].concat();
        let message = expand(&payload_key, &[label, salt, &context], 76);
        let commitment = &sealed[payload + 24..payload + 56];
        assert_eq!(&message[44..], commitment, "the derivation here is wrong");
        self.add(&format!("{name}: chunk key"), &message[..32]);
    }

    /// Where any 16 aligned bytes of a secret lie in the memory of process `pid`: the secret's name,
    /// and what kind of memory it is.
    pub fn find(&self, pid: u32) -> Vec<(String, String)> {
        let mut pieces: HashMap<[u8; 8], Vec<(&str, &[u8])>> = HashMap::new();
        let mut filter = vec![false; 1 << 16];
        for (name, bytes) in &self.0 {
            for piece in bytes.chunks_exact(16) {
                filter[usize::from(u16::from_le_bytes([piece[0], piece[1]]))] = true;
                pieces.entry(*piece.first_chunk().unwrap()).or_default().push((name, piece));
            }
        }
        let memory = File::open(format!("/proc/{pid}/mem"))
            .expect("to read another process's memory takes its user and ptrace's permission");
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let (mut found, mut searched) = (Vec::new(), 0);
        let mut buf = vec![0; 1 << 20];
        for map in maps.lines() {
            let mut words = map.split_whitespace();
            let (range, access) = (words.next().unwrap(), words.next().unwrap());
            let what = words.nth(3).unwrap_or("anonymous");
            // Kernel's pages, which nobody else can write to, and which may not be read this way.
            if !access.starts_with('r') || what.starts_with("[v") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let [from, to] = [from, to].map(|n| u64::from_str_radix(n, 16).unwrap());
            let mut at = from;
            while at < to {
                let wanted = (to - at).min(buf.len() as u64) as usize;
                // A file that was cut has pages that cannot be read.
                let Ok(got @ 1..) = memory.read_at(&mut buf[..wanted], at) else { break };
                searched += got;
                for i in 0..got.saturating_sub(15) {
                    if !filter[usize::from(u16::from_le_bytes([buf[i], buf[i + 1]]))] {
                        continue;
                    }
                    for (name, piece) in pieces.get(&buf[i..i + 8]).into_iter().flatten() {
                        if buf[i..].starts_with(piece) {
                            let place = format!("{what} {access} {:#x}", at + i as u64);
                            found.push(((*name).to_owned(), place));
                        }
                    }
                }
                // The last 15 bytes are looked at again, with what follows.
                at += if got == wanted && wanted > 16 { got as u64 - 15 } else { got as u64 };
                if at + 15 >= to {
                    break;
                }
            }
        }
        assert!(searched > 1 << 20, "only {searched} bytes of memory could be read");
        found
    }
}

fn expand(key: &[u8], info: &[&[u8]], len: usize) -> Vec<u8> {
    let mut padded = [0; 64];
    padded[..32].copy_from_slice(key);
    let mut out = vec![0; len];
    Hkdf::<Sha512>::from_prk(&padded).unwrap().expand_multi_info(info, &mut out).unwrap();
    out
}

fn unwrap<K: Kem>(secret: &[u8], info: &[u8], enc: &[u8], ct: &[u8]) -> Vec<u8> {
    let secret = K::PrivateKey::from_bytes(secret).unwrap();
    let enc = K::EncappedKey::from_bytes(enc).unwrap();
    let mode = OpModeR::Base;
    hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, K>(&mode, &secret, &enc, info)
        .unwrap()
        .open(ct, &[])
        .unwrap()
}
