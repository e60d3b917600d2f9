//! The C ABI as a sequence of calls: handles that are there or not, sizes and flags of all kinds,
//! callbacks that fail, give less, claim more or stop. What is read is what was sealed, each `close`
//! runs once, and no call ends in a defect.

mod abi;
mod host;

use crate::world::{self, World, envelope, text};
use abi::*;
use arbitrary::{Arbitrary, Unstructured};
use host::{Arena, Fault};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};

const SLOTS: usize = 4;
const STEPS: u8 = 50;
const PATHS: [&str; 3] = ["p", "q", "missing/r"];

const ROLLBACK: i32 = 406;
const INTERNAL: i32 = 900;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum To {
    Path(u8),
    Wide(u8),
    Sink(Fault),
    Fd,
}

/// Options of a call: mostly none.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Options {
    given: bool,
    /// Bytes that a struct is longer or shorter than it should be.
    size: i8,
    flags: u8,
    /// After so many calls of `progress` it says no.
    stop: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    SealerNew { slot: u8, options: Options, batch: bool, recorded: bool },
    SealerTemplate { slot: u8, cut: Option<u8> },
    SealBytes { sealer: u8, len: u32, to: To, options: Options },
    SealFile { sealer: u8, to: u8, options: Options },
    Begin { sealer: u8, writer: u8, to: To, options: Options },
    Write { writer: u8, len: u32 },
    Finish { writer: u8 },
    WriterId { writer: u8 },
    Open { file: u8, from: To, options: Options },
    OpenSource { file: u8, base: u8, flip: Option<u32>, fault: Fault, options: Options },
    Pread { file: u8, at: u64, len: u32 },
    Read { file: u8, len: u16 },
    Seek { file: u8, by: i64, whence: u8 },
    About { file: u8, right: u8 },
    Export { file: u8, to: To, options: Options },
    Save { file: u8, writer: u8, to: To },
    FreeFile { slot: u8 },
    FreeWriter { slot: u8 },
    FreeSealer { slot: u8 },
    Inspect { base: u8, cut: u16, fault: Option<Fault> },
    Session { start: bool, size: i8, facts: u8, badge: bool },
    Names { code: i32 },
}

/// Which text a file or writer is about, as far as is known.
#[derive(Clone, Default)]
struct Open {
    text: Vec<u8>,
    position: u64,
    /// Of a writer: the path that it writes to.
    path: Option<usize>,
    /// The source or sink of the host's that it is at.
    host: Option<usize>,
    /// Of a file: whether its envelope was changed. Of a writer: whether it is finished or has failed.
    spoilt: bool,
}

struct Bases {
    issuer: String,
    of: Vec<(Vec<u8>, Vec<u8>)>,
    session: *mut c_void,
    home: CString,
    template: CString,
    permit: CString,
}

struct Run<'a> {
    world: &'a World,
    bases: &'a Bases,
    folder: &'a Path,
    arena: Arena,
    files: [(*mut c_void, Open); SLOTS],
    writers: [(*mut c_void, Open); SLOTS],
    sealers: [*mut c_void; SLOTS],
    /// What was sealed at each path, if that is known.
    paths: [Option<Vec<u8>>; PATHS.len()],
    succeeded: usize,
}

thread_local! {
    static BASES: RefCell<Option<Bases>> = const { RefCell::new(None) };
}

impl Drop for Bases {
    fn drop(&mut self) {
        unsafe { bulla_session_free(self.session) }
    }
}

pub fn run(data: &[u8]) -> bool {
    world::with(|world| {
        BASES.with_borrow_mut(|bases| {
            let issuer = world.root.thumbprint().to_string();
            if bases.as_ref().is_none_or(|bases| bases.issuer != issuer) {
                *bases = Some(Bases::new(world));
            }
            let bases = bases.as_ref().expect("made above");
            let folder = world.folder();
            let mut run = Run {
                world,
                bases,
                folder: folder.path(),
                arena: Arena::default(),
                files: std::array::from_fn(|_| (null_mut(), Open::default())),
                writers: std::array::from_fn(|_| (null_mut(), Open::default())),
                sealers: [null_mut(); SLOTS],
                paths: Default::default(),
                succeeded: 0,
            };
            let mut u = Unstructured::new(data);
            for step in crate::some::<Step>(&mut u, STEPS).unwrap_or_default() {
                if std::env::var_os("FUZZ_SHOW").is_some() {
                    eprintln!("{step:?}");
                }
                run.step(&step);
            }
            run.end()
        })
    })
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

impl Bases {
    fn new(world: &World) -> Self {
        let texts = [text(40_000, 1), Vec::new(), text(16_384, 2), text(100, 3)];
        if !world.home.has_root_key() {
            world.home.create_root(&world.root, None).unwrap();
        }
        let home = c(world.home.folder().to_str().expect("UTF-8"));
        let options = SessionOptions { home: home.as_ptr(), ..SessionOptions::default() };
        let mut session = null_mut();
        let started = unsafe { bulla_session_start(&options, &mut session, null_mut()) };
        assert_eq!(started, 0, "the session starts");
        let sealed = |text: Vec<u8>| (envelope(&world.issued(), &text), text);
        Bases {
            issuer: world.root.thumbprint().to_string(),
            of: texts.into_iter().map(sealed).collect(),
            session,
            home,
            template: c(&world.template.to_file()),
            permit: c(world.permit.as_str()),
        }
    }
}

/// Runs a call with an error to be filled, and looks at both. Gives the status.
fn checked(call: impl FnOnce(*mut *mut c_void) -> i32) -> i32 {
    let mut error = null_mut();
    let status = call(&mut error);
    assert_ne!(status, INTERNAL, "a defect: {:?}", unsafe { message(error) });
    assert_eq!(status != 0, !error.is_null(), "an error without a status, or the other way round");
    unsafe {
        if !error.is_null() {
            assert_eq!(bulla_error_code(error), status);
            assert!(!message(error).is_empty());
            assert_eq!(
                CStr::from_ptr(bulla_error_name(error)),
                CStr::from_ptr(bulla_code_name(status))
            );
            assert!(!bulla_error_class(error).is_null());
            let decision = bulla_error_decision(error);
            if !decision.is_null() {
                let text = CStr::from_ptr(decision).to_str().expect("UTF-8");
                serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            }
        }
        bulla_error_free(error);
    }
    status
}

unsafe fn message(error: *mut c_void) -> String {
    let message = unsafe { bulla_error_message(error) };
    let text = unsafe { CStr::from_ptr(message) };
    text.to_str().expect("UTF-8").to_owned()
}

/// Takes a string of the library's.
fn taken(status: i32, string: *mut c_char) -> Option<String> {
    assert_eq!(status == 0, !string.is_null(), "a string without success, or none with it");
    if string.is_null() {
        return None;
    }
    let text = unsafe { CStr::from_ptr(string) }.to_str().expect("UTF-8").to_owned();
    unsafe { bulla_string_free(string) };
    Some(text)
}

impl Options {
    fn size(self, of: usize) -> u32 {
        // Longer ones are the caller's promise that the bytes are there: never here.
        (of as i64 - i64::from(self.size.unsigned_abs()) * i64::from(self.size < 0)) as u32
    }

    fn flags(self) -> u32 {
        if self.flags < 200 { u32::from(self.flags % 2) } else { self.flags.into() }
    }
}

impl Run<'_> {
    fn path(&self, path: u8) -> (usize, CString) {
        let path = usize::from(path) % PATHS.len();
        (path, c(self.folder.join(PATHS[path]).to_str().expect("UTF-8")))
    }

    fn wide(&self, path: u8) -> (usize, Vec<u16>) {
        let (path, text) = self.path(path);
        (path, text.to_str().expect("UTF-8").encode_utf16().chain([0]).collect())
    }

    fn count(&mut self, status: i32) -> bool {
        self.succeeded += usize::from(status == 0);
        status == 0
    }

    /// After a read: it fails only if there is no file, it was changed, or its host has failed.
    fn read(&mut self, file: u8, status: i32) {
        let (handle, open) = &self.files[usize::from(file) % SLOTS];
        assert!(status != 0 || !handle.is_null());
        let failed = open.host.is_some_and(|source| self.arena.has_failed(source));
        let may_fail = handle.is_null() || open.spoilt || failed;
        assert!(status == 0 || may_fail, "a sound file cannot be read: {status}");
        self.count(status);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::SealerNew { slot, options, batch, recorded } => {
                self.new_sealer(slot, options, batch, recorded);
            }
            Step::SealerTemplate { slot, cut } => {
                let slot = usize::from(slot) % SLOTS;
                let mut permit = self.bases.permit.as_bytes().to_vec();
                permit.truncate(cut.map_or(permit.len(), usize::from));
                let permit = CString::new(permit).expect("no NUL");
                let (session, template) = (self.bases.session, self.bases.template.as_ptr());
                self.free_sealer(slot);
                let out = &mut self.sealers[slot];
                let status = checked(|e| unsafe {
                    bulla_sealer_from_template(session, template, permit.as_ptr(), 0, out, e)
                });
                assert_eq!(status == 0, !self.sealers[slot].is_null());
                assert_eq!(
                    status == 0,
                    cut.is_none_or(|n| usize::from(n) >= self.bases.permit.count_bytes())
                );
                self.count(status);
            }
            Step::SealBytes { sealer, len, to, options } => {
                self.seal_bytes(sealer, len, to, options)
            }
            Step::SealFile { sealer, to, options } => {
                let sealer = self.sealers[usize::from(sealer) % SLOTS];
                let plain = text(30_000, 9);
                let from = self.folder.join("plain");
                std::fs::write(&from, &plain).unwrap();
                let (from, (path, to)) = (c(from.to_str().expect("UTF-8")), self.path(to));
                let progress = self.arena.progress(options.stop);
                let given = SealOptions::of(
                    options.size(size_of::<SealOptions>()),
                    options.flags(),
                    progress,
                );
                let given = if options.given { &raw const given } else { null() };
                let mut id = null_mut();
                let status = checked(|e| unsafe {
                    bulla_sealer_seal_file(sealer, from.as_ptr(), to.as_ptr(), given, &mut id, e)
                });
                let id = taken(status, id);
                assert!(id.is_none_or(|id| id.len() == 32));
                assert!(status != 0 || !sealer.is_null());
                if self.count(status) {
                    self.paths[path] = Some(plain);
                }
            }
            Step::Begin { sealer, writer, to, options } => self.begin(sealer, writer, to, options),
            Step::Write { writer, len } => {
                let slot = usize::from(writer) % SLOTS;
                let part = text(len as usize % 70_000, len as u8);
                let (handle, open) = &mut self.writers[slot];
                let status = checked(|e| unsafe {
                    bulla_writer_write(*handle, part.as_ptr().cast(), part.len(), e)
                });
                let usable = !handle.is_null() && !open.spoilt;
                let failed = open.host.is_some_and(|sink| self.arena.has_failed(sink));
                assert_eq!(status == 0, usable && !failed, "writing: {status}");
                open.spoilt |= status != 0;
                open.text.extend(part);
                self.count(status);
            }
            Step::Finish { writer } => self.finish(writer),
            Step::WriterId { writer } => {
                let (handle, _) = self.writers[usize::from(writer) % SLOTS];
                let mut id = null();
                let status = checked(|e| unsafe { bulla_writer_file_id(handle, &mut id, e) });
                assert_eq!(status == 0, !handle.is_null());
                assert!(id.is_null() || unsafe { CStr::from_ptr(id) }.count_bytes() == 32);
            }
            Step::Open { file, from, options } => self.open(file, from, options),
            Step::OpenSource { file, base, flip, fault, options } => {
                self.open_source(file, base, flip, fault, options);
            }
            Step::Pread { file, at, len } => {
                let (handle, open) = &self.files[usize::from(file) % SLOTS];
                let at = if at % 3 == 0 { at } else { at % 50_000 };
                let mut out = vec![0xa5; len as usize % 70_000];
                let mut n = usize::MAX;
                let status = checked(|e| unsafe {
                    bulla_file_pread(*handle, at, out.as_mut_ptr().cast(), out.len(), &mut n, e)
                });
                if status == 0 {
                    holds(&open.text, at, &out, n);
                } else {
                    assert_eq!(n, 0);
                }
                self.read(file, status);
            }
            Step::Read { file, len } => {
                let (handle, open) = &mut self.files[usize::from(file) % SLOTS];
                let mut out = vec![0xa5; len.into()];
                let mut n = usize::MAX;
                let status = checked(|e| unsafe {
                    bulla_file_read(*handle, out.as_mut_ptr().cast(), out.len(), &mut n, e)
                });
                if status == 0 {
                    holds(&open.text, open.position, &out, n);
                    open.position += n as u64;
                }
                self.read(file, status);
            }
            Step::Seek { file, by, whence } => {
                let (handle, open) = &mut self.files[usize::from(file) % SLOTS];
                let by = if by % 3 == 0 { by } else { by % 50_000 };
                let (mut at, mut told) = (0, 0);
                let whence = i32::from(whence % 4);
                let status =
                    checked(|e| unsafe { bulla_file_seek(*handle, by, whence, &mut at, e) });
                let from = match whence {
                    0 => Some(0),
                    1 => Some(open.position),
                    2 => Some(open.text.len() as u64),
                    _ => None,
                };
                let expected = from.and_then(|from| {
                    if whence == 0 { u64::try_from(by).ok() } else { from.checked_add_signed(by) }
                });
                let expected = expected.filter(|_| !handle.is_null());
                assert_eq!(expected.is_some(), status == 0, "seeking {by} from {from:?}");
                if let Some(expected) = expected {
                    assert_eq!(at, expected);
                    open.position = expected;
                    assert_eq!(checked(|e| unsafe { bulla_file_tell(*handle, &mut told, e) }), 0);
                    assert_eq!(told, expected);
                }
                self.count(status);
            }
            Step::About { file, right } => self.about(file, right),
            Step::Export { file, to, options } => self.export(file, to, options),
            Step::Save { file, writer, to } => self.save(file, writer, to),
            Step::FreeFile { slot } => self.free_file(usize::from(slot) % SLOTS),
            Step::FreeWriter { slot } => self.free_writer(usize::from(slot) % SLOTS),
            Step::FreeSealer { slot } => self.free_sealer(usize::from(slot) % SLOTS),
            Step::Inspect { base, cut, fault } => self.inspect(base, cut, fault),
            Step::Session { start, size, facts, badge } => self.session(start, size, facts, badge),
            Step::Names { code } => unsafe {
                let name = bulla_code_name(code);
                assert!(name.is_null() || !CStr::from_ptr(name).is_empty());
                bulla_right_name(code as u32);
                let mut right = 0;
                let name = c("view");
                let status = checked(|e| bulla_right_by_name(name.as_ptr(), &mut right, e));
                assert_eq!((status, right), (0, 1));
                assert_ne!(checked(|e| bulla_right_by_name(null(), &mut right, e)), 0);
            },
        }
    }

    fn new_sealer(&mut self, slot: u8, options: Options, batch: bool, recorded: bool) {
        let slot = usize::from(slot) % SLOTS;
        self.free_sealer(slot);
        let to = c(&self.world.session.identity().public().to_string());
        let policy = world::POLICY.as_bytes();
        let policy_len = if options.stop == Some(0) { 0 } else { policy.len() };
        let given = SealerOptions {
            struct_size: options.size(size_of::<SealerOptions>()),
            flags: u32::from(batch) | if options.flags >= 200 { options.flags.into() } else { 0 },
            home: self.bases.home.as_ptr(),
            home_w: null(),
            passphrase: null(),
            session: if recorded { self.bases.session } else { null() },
            label: null(),
            policy: policy.as_ptr().cast(),
            policy_len,
            recipients: if options.given { to.as_ptr() } else { null() },
        };
        let out = &mut self.sealers[slot];
        let status = checked(|e| unsafe { bulla_sealer_new(&given, out, e) });
        assert_eq!(status == 0, !self.sealers[slot].is_null());
        self.count(status);
    }

    fn seal_bytes(&mut self, sealer: u8, len: u32, to: To, options: Options) {
        let sealer = self.sealers[usize::from(sealer) % SLOTS];
        let plain = text(len as usize % 50_000, len as u8);
        let progress = self.arena.progress(options.stop);
        let given =
            SealOptions::of(options.size(size_of::<SealOptions>()), options.flags(), progress);
        let given = if options.given { &raw const given } else { null() };
        let mut id = null_mut();
        let (data, n) = (plain.as_ptr().cast(), plain.len());
        let (path, sink, status) = match to {
            To::Path(path) | To::Wide(path) => {
                let (path, to) = self.path(path);
                let status = checked(|e| unsafe {
                    bulla_sealer_seal_bytes(sealer, data, n, to.as_ptr(), given, &mut id, e)
                });
                (Some(path), None, status)
            }
            To::Sink(fault) => {
                let (number, sink) = self.arena.sink(fault);
                let status = checked(|e| unsafe {
                    bulla_sealer_seal_bytes_to(sealer, data, n, &sink, given, &mut id, e)
                });
                self.arena.must_be_closed(number);
                (None, Some(number), status)
            }
            To::Fd => return,
        };
        taken(status, id);
        assert!(status != 0 || !sealer.is_null());
        if self.count(status) {
            if let Some(path) = path {
                self.paths[path] = Some(plain);
            } else if let Some(sink) = sink {
                self.opens_to(&self.arena.taken(sink), &plain);
            }
        }
    }

    /// What went to a sink is an envelope of this text.
    fn opens_to(&self, sealed: &[u8], plain: &[u8]) {
        let mut out = Vec::new();
        let access = bulla::Access { older: true, ..bulla::Access::default() };
        let opened = self.world.session.open_source_for(sealed, access);
        let reader = opened.expect("what was sealed opens");
        reader.export(&mut out).expect("what was sealed opens");
        assert!(out == plain, "other bytes than were sealed");
    }

    fn begin(&mut self, sealer: u8, writer: u8, to: To, options: Options) {
        let slot = usize::from(writer) % SLOTS;
        self.free_writer(slot);
        let sealer = self.sealers[usize::from(sealer) % SLOTS];
        let given =
            SealOptions::of(options.size(size_of::<SealOptions>()), options.flags(), null_mut());
        let given = if options.given { &raw const given } else { null() };
        let mut handle = null_mut();
        let mut open = Open::default();
        let status = match to {
            To::Path(path) => {
                let (path, to) = self.path(path);
                open.path = Some(path);
                checked(|e| unsafe {
                    bulla_sealer_begin(sealer, to.as_ptr(), given, &mut handle, e)
                })
            }
            To::Wide(path) => {
                let (path, to) = self.wide(path);
                open.path = Some(path);
                checked(|e| unsafe {
                    bulla_sealer_begin_w(sealer, to.as_ptr(), given, &mut handle, e)
                })
            }
            To::Sink(fault) => {
                let (number, sink) = self.arena.sink(fault);
                open.host = Some(number);
                let status = checked(|e| unsafe {
                    bulla_sealer_begin_sink(sealer, &sink, given, &mut handle, e)
                });
                if status != 0 {
                    self.arena.must_be_closed(number);
                }
                status
            }
            To::Fd => return,
        };
        assert_eq!(status == 0, !handle.is_null());
        assert!(status != 0 || !sealer.is_null());
        self.writers[slot] = (handle, open);
        self.count(status);
    }

    fn finish(&mut self, writer: u8) {
        let slot = usize::from(writer) % SLOTS;
        let (handle, open) = self.writers[slot].clone();
        let status = checked(|e| unsafe { bulla_writer_finish(handle, e) });
        assert!(status != 0 || !handle.is_null());
        self.writers[slot].1.spoilt = true;
        if !self.count(status) {
            return;
        }
        if let Some(path) = open.path {
            self.paths[path] = Some(open.text);
        } else if let Some(sink) = open.host {
            self.opens_to(&self.arena.taken(sink), &open.text);
        }
        let again = checked(|e| unsafe { bulla_writer_finish(handle, e) });
        assert_ne!(again, 0, "finished twice");
    }

    fn open(&mut self, file: u8, from: To, options: Options) {
        let slot = usize::from(file) % SLOTS;
        self.free_file(slot);
        let given = OpenOptions {
            struct_size: options.size(size_of::<OpenOptions>()),
            flags: options.flags(),
            right: options.stop.unwrap_or(0).into(),
            reserved: 0,
        };
        let given = if options.given { &raw const given } else { null() };
        let session = self.bases.session;
        let mut handle = null_mut();
        let mut number = 0;
        let status = match from {
            To::Path(path) => {
                let (path, name) = self.path(path);
                number = path;
                checked(|e| unsafe {
                    bulla_file_open(session, name.as_ptr(), given, &mut handle, e)
                })
            }
            To::Wide(path) => {
                let (path, name) = self.wide(path);
                number = path;
                checked(|e| unsafe {
                    bulla_file_open_w(session, name.as_ptr(), given, &mut handle, e)
                })
            }
            To::Fd => match std::fs::File::open(self.folder.join(PATHS[0])) {
                Ok(file) => {
                    use std::os::fd::AsRawFd;
                    let fd = file.as_raw_fd();
                    checked(|e| unsafe { bulla_file_open_fd(session, fd, given, &mut handle, e) })
                }
                Err(_) => {
                    checked(|e| unsafe { bulla_file_open_fd(session, -1, given, &mut handle, e) })
                }
            },
            To::Sink(_) => {
                checked(|e| unsafe { bulla_file_open(session, null(), given, &mut handle, e) })
            }
        };
        assert_eq!(status == 0, !handle.is_null());
        if self.count(status) {
            let text = self.paths[number].clone().expect("nothing was sealed there");
            self.has_size(handle, text.len());
            self.files[slot] = (handle, Open { text, path: Some(number), ..Open::default() });
        } else if !options.given && !matches!(from, To::Sink(_)) {
            assert!(self.paths[number].is_none(), "what was sealed does not open: {status}");
        }
    }

    fn has_size(&self, handle: *mut c_void, len: usize) {
        let mut size = 0;
        assert_eq!(checked(|e| unsafe { bulla_file_size(handle, &mut size, e) }), 0);
        assert_eq!(size, len as u64);
    }

    fn open_source(
        &mut self,
        file: u8,
        base: u8,
        flip: Option<u32>,
        fault: Fault,
        options: Options,
    ) {
        let slot = usize::from(file) % SLOTS;
        self.free_file(slot);
        let (sealed, text) = &self.bases.of[usize::from(base) % self.bases.of.len()];
        let mut sealed = sealed.clone();
        if let Some(at) = flip {
            let at = at as usize % sealed.len();
            sealed[at] ^= 1;
        }
        let (number, source) = self.arena.source(sealed, fault, options.size);
        let mut handle = null_mut();
        let status = checked(|e| unsafe {
            bulla_file_open_source(self.bases.session, &source, null(), &mut handle, e)
        });
        assert_eq!(status == 0, !handle.is_null());
        if self.count(status) {
            self.has_size(handle, text.len());
            let (text, host, spoilt) = (text.clone(), Some(number), flip.is_some());
            self.files[slot] = (handle, Open { text, host, spoilt, ..Open::default() });
        } else if source.struct_size as usize == size_of::<Source>() {
            self.arena.must_be_closed(number);
            // A save of it was seen meanwhile.
            let expected = flip.is_some() || fault.is_some() || status == ROLLBACK;
            assert!(expected, "a sound envelope does not open: {status}");
        }
    }

    fn about(&mut self, file: u8, right: u8) {
        let (handle, _) = self.files[usize::from(file) % SLOTS];
        let right = if right.is_multiple_of(2) { 1 << (right % 32) } else { u32::from(right) };
        let there = !handle.is_null();
        unsafe {
            let (mut number, mut long, mut string) = (0, 0, null_mut());
            assert_eq!(checked(|e| bulla_file_rights(handle, &mut number, e)) == 0, there);
            assert!(!there || number & 1 != 0, "open without the right to view");
            assert_eq!(checked(|e| bulla_file_until(handle, &mut long, e)) == 0, there);
            assert_eq!(checked(|e| bulla_file_revision(handle, &mut long, e)) == 0, there);
            let mut duties = 0;
            let status = checked(|e| bulla_file_duties(handle, right, &mut duties, &mut string, e));
            bulla_string_free(string);
            assert!(status == 0 || duties == 0);
            checked(|e| bulla_file_use(handle, right, e));
            let mut decision = null_mut();
            let status = checked(|e| bulla_file_decision(handle, &mut decision, e));
            let decision = taken(status, decision);
            assert_eq!(decision.is_some(), there);
            let mut watermark = null_mut();
            let status = checked(|e| bulla_file_watermark(handle, &mut watermark, e));
            assert_eq!(taken(status, watermark).is_some(), there);
            let mut id = null();
            assert_eq!(checked(|e| bulla_file_id(handle, &mut id, e)) == 0, there);
            let mut metadata = Metadata::default();
            assert_eq!(checked(|e| bulla_file_metadata(handle, &mut metadata, e)) == 0, there);
            assert!(metadata.name.is_null() || !CStr::from_ptr(metadata.name).is_empty());
        }
    }

    fn export(&mut self, file: u8, to: To, options: Options) {
        let (handle, open) = self.files[usize::from(file) % SLOTS].clone();
        let progress = self.arena.progress(options.stop);
        let size = options.size(size_of::<ExportOptions>());
        let given = ExportOptions::of(size, options.flags(), progress);
        let given = if options.given { &raw const given } else { null() };
        let mut bytes = 0;
        let target = self.folder.join("exported");
        let path = c(target.to_str().expect("UTF-8"));
        let (got, status) = match to {
            To::Path(_) | To::Wide(_) => {
                let status = checked(|e| unsafe {
                    bulla_file_export(handle, path.as_ptr(), given, &mut bytes, e)
                });
                (std::fs::read(&target).unwrap_or_default(), status)
            }
            To::Fd => {
                use std::os::fd::AsRawFd;
                let to = std::fs::File::create(self.folder.join("by-fd")).unwrap();
                let fd = to.as_raw_fd();
                let status =
                    checked(|e| unsafe { bulla_file_export_fd(handle, fd, given, &mut bytes, e) });
                (std::fs::read(self.folder.join("by-fd")).unwrap(), status)
            }
            To::Sink(fault) => {
                let (number, sink) = self.arena.sink(fault);
                let status = checked(|e| unsafe {
                    bulla_file_export_sink(handle, &sink, given, &mut bytes, e)
                });
                self.arena.must_be_closed(number);
                (self.arena.taken(number), status)
            }
        };
        if status == 0 {
            assert!(got == open.text, "other bytes than were sealed");
            assert_eq!(bytes, got.len() as u64);
        } else if matches!(to, To::Sink(_) | To::Fd) {
            assert!(open.text.starts_with(&got), "other bytes than were sealed");
        }
        self.count(status);
    }

    fn save(&mut self, file: u8, writer: u8, to: To) {
        let slot = usize::from(writer) % SLOTS;
        self.free_writer(slot);
        let (handle, open) = self.files[usize::from(file) % SLOTS].clone();
        let mut new = null_mut();
        let mut saved = Open::default();
        let status = match to {
            To::Sink(fault) => {
                let (number, sink) = self.arena.sink(fault);
                saved.host = Some(number);
                let status =
                    checked(|e| unsafe { bulla_file_save_to(handle, &sink, null(), &mut new, e) });
                if status != 0 {
                    self.arena.must_be_closed(number);
                }
                status
            }
            _ => {
                saved.path = open.path;
                checked(|e| unsafe { bulla_file_save(handle, null(), &mut new, e) })
            }
        };
        assert_eq!(status == 0, !new.is_null());
        assert!(status != 0 || !handle.is_null());
        self.writers[slot] = (new, saved);
        self.count(status);
    }

    fn inspect(&mut self, base: u8, cut: u16, fault: Option<Fault>) {
        let (sealed, text) = &self.bases.of[usize::from(base) % self.bases.of.len()];
        let sealed = &sealed[..sealed.len() - usize::from(cut) % sealed.len()];
        let (mut size, mut json) = (0, null_mut());
        let status = match fault {
            None => checked(|e| unsafe {
                bulla_inspect_bytes(sealed.as_ptr().cast(), sealed.len(), &mut size, &mut json, e)
            }),
            Some(fault) => {
                let (number, source) = self.arena.source(sealed.to_vec(), fault, 0);
                let status =
                    checked(|e| unsafe { bulla_inspect_source(&source, &mut size, &mut json, e) });
                self.arena.must_be_closed(number);
                status
            }
        };
        if let Some(json) = taken(status, json) {
            serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
            assert!(cut != 0 || size == text.len() as u64);
        }
        unsafe { bulla_is_sealed(sealed.as_ptr().cast(), sealed.len()) };
        self.count(status);
    }

    fn session(&mut self, start: bool, size: i8, facts: u8, badge: bool) {
        let session = self.bases.session;
        unsafe {
            if start {
                let choices = ["{}", "{\"ticket\":true}", "{", "null", "\u{1}"];
                let facts = c(choices[usize::from(facts) % choices.len()]);
                let options = SessionOptions {
                    struct_size: (size_of::<SessionOptions>() as i64
                        - i64::from(size.unsigned_abs())) as u32,
                    home: self.bases.home.as_ptr(),
                    badge: if badge { facts.as_ptr() } else { null() },
                    asserted: facts.as_ptr(),
                    ..SessionOptions::default()
                };
                let mut new = null_mut();
                let status = checked(|e| bulla_session_start(&options, &mut new, e));
                assert_eq!(status == 0, !new.is_null());
                bulla_session_free(new);
            }
            let path = self.path(size as u8).1;
            let facts = c(r#"{"storage":"fixed"}"#);
            let mut json = null_mut();
            let status = checked(|e| {
                bulla_session_explain(session, path.as_ptr(), facts.as_ptr(), &mut json, e)
            });
            taken(status, json);
            assert_eq!(checked(|e| bulla_session_refresh(session, e)), 0);
            let mut device = null_mut();
            let status = checked(|e| bulla_session_device(session, &mut device, e));
            assert_eq!(taken(status, device).map(|text| text.len()), Some(43));
            let mut report = null_mut();
            let status = checked(|e| bulla_trail_verify(session, null(), &mut report, e));
            taken(status, report);
        }
    }

    fn free_file(&mut self, slot: usize) {
        let (handle, _) = std::mem::replace(&mut self.files[slot], (null_mut(), Open::default()));
        unsafe { bulla_file_free(handle) }
    }

    fn free_writer(&mut self, slot: usize) {
        let (handle, open) =
            std::mem::replace(&mut self.writers[slot], (null_mut(), Open::default()));
        unsafe { bulla_writer_free(handle) }
        if let (Some(sink), false) = (open.host, handle.is_null()) {
            self.arena.must_be_closed(sink);
        }
    }

    fn free_sealer(&mut self, slot: usize) {
        unsafe { bulla_sealer_free(std::mem::replace(&mut self.sealers[slot], null_mut())) }
    }

    /// Frees all. Whether anything succeeded.
    fn end(mut self) -> bool {
        for slot in 0..SLOTS {
            self.free_sealer(slot);
            self.free_writer(slot);
            self.free_file(slot);
        }
        self.arena.all_are_closed();
        // Nothing is left beside what was sealed.
        for entry in std::fs::read_dir(self.folder).unwrap() {
            let name = entry.unwrap().file_name();
            let known = ["p", "q", "plain", "exported", "by-fd"];
            assert!(known.iter().any(|k| name == **k), "{name:?} is left behind");
        }
        self.succeeded > 0
    }
}

/// What was read at a place is what was sealed there; less only at the end.
fn holds(text: &[u8], at: u64, out: &[u8], n: usize) {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let rest = &text[at..];
    assert_eq!(n, rest.len().min(out.len()), "fewer bytes than there are");
    assert!(out[..n] == rest[..n], "other bytes than were sealed");
    assert!(out[n..].iter().all(|b| *b == 0xa5), "bytes behind what was read");
}
