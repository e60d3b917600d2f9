//! Any text as a line of public keys, a key file or a JWK. What can be read is written the same way
//! again.

use bulla::{Identity, PublicIdentity, PublicKey, RootKey, RootLine, read_lines};

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
    // Without a passphrase: Argon2 would only slow this down.
    if let Ok(identity) = Identity::from_file(text, None) {
        let again = identity.to_file(None).unwrap();
        let again = Identity::from_file(&again, None).unwrap();
        assert_eq!(again.public(), identity.public());
        assert_eq!(again.trail(), identity.trail());
        read = true;
    }
    if let Ok(root) = RootKey::from_file(text, None) {
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
