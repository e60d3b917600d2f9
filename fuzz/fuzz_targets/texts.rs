//! Any text as a key line, key file, signed object, template's file or audit trail.
#![no_main]

use bulla::{
    Identity, Permit, PublicIdentity, PublicKey, RootKey, RootLine, Template, TrailExpectation,
    TrustList, trail_records, verify_trail,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // What can be read is written the same way again.
    if let Ok(line) = text.parse::<PublicIdentity>() {
        assert_eq!(line.to_string().parse::<PublicIdentity>().unwrap(), line);
    }
    if let Ok(line) = text.parse::<RootLine>() {
        assert_eq!(line.to_string().parse::<RootLine>().unwrap(), line);
    }
    // Without a passphrase: Argon2 would only slow this down.
    let _ = Identity::from_file(text, None);
    let _ = RootKey::from_file(text, None);
    let _ = TrustList::parse(text);
    let _ = Permit::parse(text);
    let _ = PublicKey::from_jwk(text);
    if let Ok(template) = Template::from_file(text) {
        assert!(Template::from_file(&template.to_file()).is_ok());
    }
    let expect = TrailExpectation::default();
    if let Ok(report) = verify_trail(text.as_bytes(), &expect) {
        assert_eq!(report.records, text.lines().count() as u64);
    }
    // A record has one text.
    for (record, line) in trail_records(text.as_bytes()).zip(text.split('\n')) {
        if let Ok(record) = record {
            assert_eq!(serde_json::to_string(&record).unwrap(), line);
        }
    }
});
