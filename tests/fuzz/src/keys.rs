//! Any text as a line of public keys, a key file or a JWK. What can be read is written the same way
//! again.

use bulla::{Identity, Passphrase, PublicIdentity, PublicKey, RootKey, RootLine, read_lines};
use serde_json::Value;

/// That of the seeds which are sealed.
const PASSPHRASE: &str = "fuzz";

pub fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut read = false;
    if let Ok(line) = text.parse::<PublicIdentity>() {
        assert_eq!(line.to_string().parse::<PublicIdentity>().unwrap(), line);
        read = true;
    }
    if let Ok(line) = text.parse::<RootLine>() {
        assert_eq!(line.to_string().parse::<RootLine>().unwrap(), line);
        read = true;
    }
    if let Ok(lines) = read_lines::<PublicIdentity>(text) {
        let again: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(read_lines::<PublicIdentity>(&again).unwrap(), lines);
    }
    let passphrase = cheaply_sealed(text).then(|| Passphrase::new(PASSPHRASE.into()));
    if let Ok(identity) = Identity::from_file(text, passphrase.as_ref()) {
        assert!(passphrase.is_none() || !opens_otherwise(text, Identity::from_file));
        let again = identity.to_file(None).unwrap();
        let again = Identity::from_file(&again, None).unwrap();
        assert_eq!(again.public(), identity.public());
        assert_eq!(again.trail(), identity.trail());
        read = true;
    }
    if let Ok(root) = RootKey::from_file(text, passphrase.as_ref()) {
        assert!(passphrase.is_none() || !opens_otherwise(text, RootKey::from_file));
        let again = root.to_file(None).unwrap();
        assert_eq!(RootKey::from_file(&again, None).unwrap().line(), root.line());
        read = true;
    }
    if let Ok(key) = PublicKey::from_jwk(text) {
        let again = serde_json::to_string(&key).unwrap();
        let again = PublicKey::from_jwk(&again).unwrap();
        assert_eq!(again, key);
        assert_eq!(again.thumbprint(), key.thumbprint());
        read = true;
    }
    read
}

/// Whether this is a sealed file whose Argon2 is over at once: what it may cost at most takes seconds.
fn cheaply_sealed(text: &str) -> bool {
    let file: Value = serde_json::from_str(text).unwrap_or_default();
    let at_most = |name: &str, most| file["argon2id"][name].as_u64().is_some_and(|n| n <= most);
    at_most("m", 64) && at_most("t", 3) && at_most("p", 4)
}

/// Whether a sealed file opens without its passphrase, or with another.
fn opens_otherwise<T>(
    text: &str,
    open: impl Fn(&str, Option<&Passphrase>) -> bulla::Result<T>,
) -> bool {
    let other = Passphrase::new("fuzz ".into());
    open(text, None).is_ok() || open(text, Some(&other)).is_ok()
}
