//! Any text as a signed object that stands outside an envelope. One has one text.

use bulla::{
    Attestation, Badge, Checkpoint, Permit, Reset, Revocations, Template, Trust, TrustList,
};

pub fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut read = 0;
    macro_rules! same {
        ($($kind:ident),*) => {
            $(if let Ok(object) = $kind::parse(text) {
                assert_eq!(object.as_str(), text.trim());
                read += 1;
            })*
        };
    }
    same!(Badge, Attestation, Revocations, Checkpoint, Reset, Permit, TrustList);
    if let Ok(template) = Template::from_file(text) {
        let again = Template::from_file(&template.to_file()).unwrap();
        assert_eq!(again.to_file(), template.to_file());
        read += 1;
    }
    assert!(read <= 1, "a text is two objects at once");
    if let Ok(list) = TrustList::parse(text) {
        assert!(Trust::default().use_list(list).is_err(), "a list of a root that is not pinned");
    }
    read == 1
}
