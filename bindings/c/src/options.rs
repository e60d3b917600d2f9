//! The structs of the ABI. All start with their size, and grow only at their end.

use crate::export::Progress;
use crate::ptr;
use crate::session::Session;
use bulla_core::Result;
use std::ffi::{c_char, c_void};

/// A struct of which all zero bytes are a value, and that starts with its size.
pub(crate) unsafe trait Plain {
    /// The sizes that it could have had: where each field ends.
    const ENDS: &'static [usize];
}

/// There is no padding between fields, so one ends where the next begins.
macro_rules! plain {
    ($name:ident: $($field:ident),*) => {
        unsafe impl Plain for $name {
            const ENDS: &'static [usize] =
                &[$(std::mem::offset_of!($name, $field)),*, size_of::<$name>()];
        }
    };
}
pub(crate) use plain;

/// Replace a file that has the output's name. Without it such a file is left, and the call fails.
pub const BULLA_REPLACE: u32 = 1;

/// A license or content older than one that this device has seen will do.
pub const BULLA_OLDER: u32 = 1;

/// All files of the sealer share a key that is wrapped once a recipient, not once a file: sealing
/// and opening many then costs little more than one. Who can open one of them can open all.
pub const BULLA_BATCH: u32 = 1;

/// Recipients may differ in the kind of their keys: the file is then as weak as the weakest.
pub const BULLA_MIXED_KINDS: u32 = 2;

/// `created` is set.
pub const BULLA_METADATA_CREATED: u32 = 1;

/// `modified` is set.
pub const BULLA_METADATA_MODIFIED: u32 = 2;

/// What a session starts with.
#[repr(C)]
pub struct SessionOptions {
    /// `sizeof(bulla_session_options)`.
    pub struct_size: u32,
    /// 0.
    pub flags: u32,
    /// The home folder; NULL for `$BULLA_HOME`, else the platform's own place.
    pub home: *const c_char,
    /// The same in UTF-16; used if `home` is NULL.
    pub home_w: *const u16,
    /// The passphrase of the identity's key file; NULL if it has none.
    pub passphrase: *const c_char,
    /// A badge in place of the home's; NULL for the home's.
    pub badge: *const c_char,
    /// Attestations beside the home's.
    pub attestations: *const *const c_char,
    /// How many.
    pub attestation_count: usize,
    /// The names of the duties that the program can carry out: `watermark`, `block-capture`,
    /// `block-clipboard`, `mask`, `wipe`. A right whose duties are not among them is not granted.
    /// Names that this version does not know are passed over.
    pub duties: *const *const c_char,
    /// How many.
    pub duty_count: usize,
    /// The ticket, case or call that the work is for: 1 to 256 bytes; NULL for none.
    pub ticket: *const c_char,
    /// What the program says of the device, as JSON: `docs/policy.md`, "Facts". It counts as
    /// *asserted*, whatever it is called there. NULL for nothing.
    pub asserted: *const c_char,
}
plain!(SessionOptions: flags, home, home_w, passphrase, badge, attestations, attestation_count,
    duties, duty_count, ticket, asserted);

/// How a file is opened. All zero: to view the newest.
#[repr(C)]
pub struct OpenOptions {
    /// `sizeof(bulla_open_options)`.
    pub struct_size: u32,
    /// `BULLA_OLDER`, or 0.
    pub flags: u32,
    /// The right without which it is not opened; 0 for `BULLA_RIGHT_VIEW`.
    pub right: u32,
    /// 0.
    pub reserved: u32,
}
plain!(OpenOptions: flags, right, reserved);

/// Name, type and times of the original. All of it is sealed with the content.
#[repr(C)]
pub struct Metadata {
    /// `sizeof(bulla_metadata)`.
    pub struct_size: u32,
    /// Which times are set: `BULLA_METADATA_CREATED`, `BULLA_METADATA_MODIFIED`.
    pub present: u32,
    /// The file name, without folders; NULL if unknown. It is whatever the one who sealed the
    /// file wrote: do not use it as a path unchecked.
    pub name: *const c_char,
    /// The media type, such as `text/csv`; NULL if unknown.
    pub media_type: *const c_char,
    /// When the original was made: milliseconds since 1970, within ±2^53.
    pub created: i64,
    /// When it was last changed, likewise.
    pub modified: i64,
}
plain!(Metadata: present, name, media_type, created, modified);

/// How plain content leaves.
#[repr(C)]
pub struct ExportOptions {
    /// `sizeof(bulla_export_options)`.
    pub struct_size: u32,
    /// `BULLA_REPLACE`, or 0.
    pub flags: u32,
    /// Called from time to time; NULL for never.
    pub progress: Progress,
    /// Given to `progress`.
    pub progress_user: *mut c_void,
}
plain!(ExportOptions: flags, progress, progress_user);

/// How one file is sealed.
#[repr(C)]
pub struct SealOptions {
    /// `sizeof(bulla_seal_options)`.
    pub struct_size: u32,
    /// `BULLA_REPLACE`, or 0.
    pub flags: u32,
    /// Name, type and times; NULL for none, or for those of the plain file where there is one.
    pub metadata: *const Metadata,
    /// Called from time to time; NULL for never. Not used for writers.
    pub progress: Progress,
    /// Given to `progress`.
    pub progress_user: *mut c_void,
}
plain!(SealOptions: flags, metadata, progress, progress_user);

/// What an issuer's sealer is made of.
#[repr(C)]
pub struct SealerOptions {
    /// `sizeof(bulla_sealer_options)`.
    pub struct_size: u32,
    /// `BULLA_BATCH`, `BULLA_MIXED_KINDS`.
    pub flags: u32,
    /// The issuer's home folder; NULL for `$BULLA_HOME`, else the platform's own place.
    pub home: *const c_char,
    /// The same in UTF-16; used if `home` is NULL.
    pub home_w: *const u16,
    /// The passphrase of the root's key file; NULL if it has none.
    pub passphrase: *const c_char,
    /// In whose trail each file is recorded; NULL for nobody's.
    pub session: *const Session,
    /// A label that stands in the clear: at most 256 bytes; NULL for none.
    pub label: *const c_char,
    /// The policy: JSON, at most 64 KiB.
    pub policy: *const c_void,
    /// Its length in bytes.
    pub policy_len: usize,
    /// To whom: public lines of identities, one a line, 1 to 500.
    pub recipients: *const c_char,
}
plain!(SealerOptions: flags, home, home_w, passphrase, session, label, policy, policy_len,
    recipients);

/// Refuses flags that this version does not know.
pub(crate) fn flags(flags: u32, known: u32) -> Result<u32> {
    if flags & !known != 0 {
        return Err(ptr::bad("flags has bits that this version does not know"));
    }
    Ok(flags)
}

/// The metadata of a host; NULL for none.
pub(crate) unsafe fn metadata(p: *const Metadata) -> Result<Option<bulla_core::Metadata>> {
    if p.is_null() {
        return Ok(None);
    }
    let given = ptr::read_struct(p, "metadata")?;
    let present = flags(given.present, BULLA_METADATA_CREATED | BULLA_METADATA_MODIFIED)?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Some(bulla_core::Metadata {
        name: owned(ptr::text_or_none(given.name, "metadata.name")?),
        media_type: owned(ptr::text_or_none(given.media_type, "metadata.media_type")?),
        created: (present & BULLA_METADATA_CREATED != 0).then_some(given.created),
        modified: (present & BULLA_METADATA_MODIFIED != 0).then_some(given.modified),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Padding would make a size between two fields ambiguous.
    #[test]
    fn no_struct_has_padding() {
        let pointer = size_of::<usize>();
        assert_eq!(size_of::<SessionOptions>(), 8 + 10 * pointer);
        assert_eq!(size_of::<OpenOptions>(), 16);
        assert_eq!(size_of::<Metadata>(), 24 + 2 * pointer);
        assert_eq!(size_of::<ExportOptions>(), 8 + 2 * pointer);
        assert_eq!(size_of::<SealOptions>(), 8 + 3 * pointer);
        assert_eq!(size_of::<SealerOptions>(), 8 + 8 * pointer);
        assert_eq!(size_of::<crate::io::Source>(), 8 + 4 * pointer);
        assert_eq!(size_of::<crate::io::Sink>(), 8 + 3 * pointer);
    }
}
