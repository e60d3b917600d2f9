//! `include/bulla.h` in Rust, as far as the target calls it.

use super::host::PROGRESS;
// For the functions that it exports.
use bulla_fuzz_c_abi as _;
use std::ffi::{c_char, c_void};
use std::ptr::null;

pub type Progress = unsafe extern "C" fn(*mut c_void, u64, u64) -> i32;
type ReadAt = unsafe extern "C" fn(*mut c_void, u64, *mut c_void, usize, *mut usize) -> i32;
type Size = unsafe extern "C" fn(*mut c_void, *mut u64) -> i32;
type Write = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> i32;
type Close = unsafe extern "C" fn(*mut c_void);
/// Any of the library's objects.
type Object = *mut c_void;
type Str = *const c_char;

#[repr(C)]
pub struct Source {
    pub struct_size: u32,
    pub flags: u32,
    pub user: *mut c_void,
    pub read_at: Option<ReadAt>,
    pub size: Option<Size>,
    pub close: Option<Close>,
}

#[repr(C)]
pub struct Sink {
    pub struct_size: u32,
    pub flags: u32,
    pub user: *mut c_void,
    pub write: Option<Write>,
    pub close: Option<Close>,
}

#[repr(C)]
pub struct ExportOptions {
    struct_size: u32,
    flags: u32,
    progress: Option<Progress>,
    progress_user: *mut c_void,
}

impl ExportOptions {
    pub fn of(struct_size: u32, flags: u32, progress_user: *mut c_void) -> Self {
        let progress = (!progress_user.is_null()).then_some(PROGRESS);
        ExportOptions { struct_size, flags, progress, progress_user }
    }
}

#[repr(C)]
pub struct SealOptions {
    struct_size: u32,
    flags: u32,
    metadata: *const Metadata,
    progress: Option<Progress>,
    progress_user: *mut c_void,
}

impl SealOptions {
    pub fn of(struct_size: u32, flags: u32, progress_user: *mut c_void) -> Self {
        let progress = (!progress_user.is_null()).then_some(PROGRESS);
        SealOptions { struct_size, flags, metadata: null(), progress, progress_user }
    }
}

#[repr(C)]
pub struct Metadata {
    struct_size: u32,
    present: u32,
    pub name: Str,
    media_type: Str,
    created: i64,
    modified: i64,
}

impl Default for Metadata {
    fn default() -> Self {
        let struct_size = size_of::<Self>() as u32;
        let (name, media_type) = (null(), null());
        Metadata { struct_size, present: 0, name, media_type, created: 0, modified: 0 }
    }
}

#[repr(C)]
pub struct OpenOptions {
    pub struct_size: u32,
    pub flags: u32,
    pub right: u32,
    pub reserved: u32,
}

#[repr(C)]
pub struct SealerOptions {
    pub struct_size: u32,
    pub flags: u32,
    pub home: Str,
    pub home_w: *const u16,
    pub passphrase: Str,
    pub session: *const c_void,
    pub label: Str,
    pub policy: *const c_void,
    pub policy_len: usize,
    pub recipients: Str,
}

#[repr(C)]
pub struct SessionOptions {
    pub struct_size: u32,
    pub flags: u32,
    pub home: Str,
    pub home_w: *const u16,
    pub passphrase: Str,
    pub badge: Str,
    pub attestations: *const Str,
    pub attestation_count: usize,
    pub duties: *const Str,
    pub duty_count: usize,
    pub ticket: Str,
    pub asserted: Str,
}

impl Default for SessionOptions {
    fn default() -> Self {
        SessionOptions {
            struct_size: size_of::<Self>() as u32,
            flags: 0,
            home: null(),
            home_w: null(),
            passphrase: null(),
            badge: null(),
            attestations: null(),
            attestation_count: 0,
            duties: null(),
            duty_count: 0,
            ticket: null(),
            asserted: null(),
        }
    }
}

macro_rules! declare {
    ($(fn $name:ident($($type:ty),* $(,)?);)*) => {
        unsafe extern "C" { $(pub fn $name($(_: $type),*, err: *mut Object) -> i32;)* }
    };
}

declare!(
    fn bulla_file_rights(Object, *mut u32);
    fn bulla_file_duties(Object, u32, *mut u32, *mut *mut c_char);
    fn bulla_file_until(Object, *mut u64);
    fn bulla_file_decision(Object, *mut *mut c_char);
    fn bulla_file_watermark(Object, *mut *mut c_char);
    fn bulla_file_metadata(Object, *mut Metadata);
    fn bulla_file_id(Object, *mut Str);
    fn bulla_file_revision(Object, *mut u64);
    fn bulla_file_use(Object, u32);
    fn bulla_file_export(Object, Str, *const ExportOptions, *mut u64);
    fn bulla_file_export_fd(Object, i32, *const ExportOptions, *mut u64);
    fn bulla_file_export_sink(Object, *const Sink, *const ExportOptions, *mut u64);
    fn bulla_file_size(Object, *mut u64);
    fn bulla_file_pread(Object, u64, *mut c_void, usize, *mut usize);
    fn bulla_file_read(Object, *mut c_void, usize, *mut usize);
    fn bulla_file_seek(Object, i64, i32, *mut u64);
    fn bulla_file_tell(Object, *mut u64);
    fn bulla_inspect_bytes(*const c_void, usize, *mut u64, *mut *mut c_char);
    fn bulla_inspect_source(*const Source, *mut u64, *mut *mut c_char);
    fn bulla_right_by_name(Str, *mut u32);
    fn bulla_file_open(Object, Str, *const OpenOptions, *mut Object);
    fn bulla_file_open_w(Object, *const u16, *const OpenOptions, *mut Object);
    fn bulla_file_open_fd(Object, i32, *const OpenOptions, *mut Object);
    fn bulla_file_open_source(Object, *const Source, *const OpenOptions, *mut Object);
    fn bulla_file_save(Object, *const Metadata, *mut Object);
    fn bulla_file_save_to(Object, *const Sink, *const Metadata, *mut Object);
    fn bulla_sealer_seal_file(Object, Str, Str, *const SealOptions, *mut *mut c_char);
    fn bulla_sealer_seal_bytes(Object, *const c_void, usize, Str, *const SealOptions, *mut *mut c_char);
    fn bulla_sealer_seal_bytes_to(Object, *const c_void, usize, *const Sink, *const SealOptions, *mut *mut c_char);
    fn bulla_sealer_new(*const SealerOptions, *mut Object);
    fn bulla_sealer_from_template(Object, Str, Str, u32, *mut Object);
    fn bulla_sealer_begin(Object, Str, *const SealOptions, *mut Object);
    fn bulla_sealer_begin_w(Object, *const u16, *const SealOptions, *mut Object);
    fn bulla_sealer_begin_sink(Object, *const Sink, *const SealOptions, *mut Object);
    fn bulla_session_start(*const SessionOptions, *mut Object);
    fn bulla_session_explain(Object, Str, Str, *mut *mut c_char);
    fn bulla_session_device(Object, *mut *mut c_char);
    fn bulla_trail_verify(Object, Str, *mut *mut c_char);
    fn bulla_writer_write(Object, *const c_void, usize);
    fn bulla_writer_file_id(Object, *mut Str);
    fn bulla_writer_finish(Object);
    fn bulla_session_refresh(Object);
    fn bulla_file_export_w(Object, *const u16, *const ExportOptions, *mut u64);
    fn bulla_file_open_handle(Object, *mut c_void, *const OpenOptions, *mut Object);
    fn bulla_inspect(Str, *mut u64, *mut *mut c_char);
    fn bulla_inspect_w(*const u16, *mut u64, *mut *mut c_char);
    fn bulla_sealer_seal_file_w(Object, *const u16, *const u16, *const SealOptions, *mut *mut c_char);
    fn bulla_session_use_badge(Object, Str, *const Str, usize);
    fn bulla_window_protect(*mut c_void);
    fn bulla_clipboard_guard(*mut c_void);
);

unsafe extern "C" {
    pub fn bulla_abi_version() -> u32;
    pub fn bulla_version() -> Str;
    pub fn bulla_error_code(error: Object) -> i32;
    pub fn bulla_error_message(error: Object) -> Str;
    pub fn bulla_error_name(error: Object) -> Str;
    pub fn bulla_error_class(error: Object) -> Str;
    pub fn bulla_error_decision(error: Object) -> Str;
    pub fn bulla_error_free(error: Object);
    pub fn bulla_code_name(code: i32) -> Str;
    pub fn bulla_string_free(string: *mut c_char);
    pub fn bulla_right_name(right: u32) -> Str;
    pub fn bulla_is_sealed(start: *const c_void, len: usize) -> i32;
    pub fn bulla_file_free(file: Object);
    pub fn bulla_writer_free(writer: Object);
    pub fn bulla_sealer_free(sealer: Object);
    pub fn bulla_session_free(session: Object);
}
