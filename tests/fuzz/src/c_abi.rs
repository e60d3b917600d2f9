//! The C ABI as a sequence of calls: handles that are there or not, sizes and flags of all kinds,
//! callbacks that fail, give less, claim more or stop. What is read is what was sealed, each `close`
//! runs once, and no call ends in a defect.

#[macro_use]
mod abi;
mod host;
mod shape;

use crate::world::{self, World, envelope, text};
use abi::*;
use arbitrary::{Arbitrary, Unstructured};
use bulla::{Badge, BadgeTerms, Signatory};
use host::{Arena, Fault};
use shape::{BAD_ARGUMENT, Given, Options, Shape};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::SystemTime;

const SLOTS: usize = 4;
const STEPS: u8 = 50;
const PATHS: [&str; 3] = ["p", "q", "missing/r"];

const ROLLBACK: i32 = 406;
const NOT_SUPPORTED: i32 = 504;
const INTERNAL: i32 = 900;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum To {
    Path(u8),
    Wide(u8),
    Sink(Taker),
    Fd,
}

/// A sink of the host's.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Taker {
    fault: Fault,
    /// Whether it may have taken half of a write when it fails.
    halves: bool,
    shape: Shape,
}

/// A source of the host's.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Giver {
    fault: Fault,
    shape: Shape,
}

/// A sink of the host's during a call.
struct Taking {
    number: usize,
    sink: Given<Sink>,
    own: Sink,
}

#[derive(Arbitrary, Debug)]
enum Step {
    SealerNew { slot: u8, options: Options, batch: bool, recorded: bool },
    SealerTemplate { slot: u8, cut: Option<u8> },
    SealBytes { sealer: u8, len: u32, to: To, options: Options },
    SealFile { sealer: u8, to: u8, wide: bool, options: Options },
    Begin { sealer: u8, writer: u8, to: To, options: Options },
    Write { writer: u8, len: u32 },
    Finish { writer: u8 },
    WriterId { writer: u8 },
    Open { file: u8, from: To, options: Options },
    OpenSource { file: u8, base: u8, flip: Option<u32>, from: Giver, options: Options },
    Pread { file: u8, at: u64, len: u32 },
    Read { file: u8, len: u16 },
    Seek { file: u8, by: i64, whence: u8 },
    About { file: u8, right: u8, shape: Shape },
    Export { file: u8, to: To, options: Options },
    Save { file: u8, writer: u8, to: To, named: bool, options: Options },
    FreeFile { slot: u8 },
    FreeWriter { slot: u8 },
    FreeSealer { slot: u8 },
    Inspect { base: u8, cut: u16, fault: Option<Fault> },
    Session { start: bool, shape: Shape, facts: u8, badge: bool },
    Names { code: i32 },
    InspectPath { path: u8, wide: bool },
    UseBadge { badge: u8, attestations: u8, listed: bool },
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
    /// Badges: one that counts, then others.
    badges: [CString; 4],
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
    /// Whether the session's badge was changed.
    badged: bool,
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
                badged: false,
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

fn utf16(text: &CStr) -> Vec<u16> {
    text.to_str().expect("UTF-8").encode_utf16().chain([0]).collect()
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
            badges: badges(world),
        }
    }
}

/// One that counts, one that was changed, and what are none.
fn badges(world: &World) -> [CString; 4] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let now = now.as_secs();
    let device = world.session.identity().thumbprint();
    let terms = BadgeTerms { subject: "kim", roles: &[], groups: &[], device, anchor: None };
    let badge = Badge::sign(Signatory::Root(&world.root), terms, now, now + 3600).unwrap();
    let cut = &badge.as_str()[..badge.as_str().len() - 4];
    [c(badge.as_str()), c(cut), c("rubbish"), c("")]
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

impl Run<'_> {
    fn sink(&mut self, taker: Taker) -> Taking {
        let (number, mut own) = self.arena.sink(taker.fault);
        if taker.halves {
            own = self.arena.in_halves(own);
        }
        // One that ends before `close` would never be known to be done.
        let shape = match taker.shape {
            shape if shape.is_of_a_version::<Sink>() && !shape.is_whole::<Sink>() => {
                Shape::default()
            }
            shape => shape,
        };
        let sink = shape.of(|struct_size| Sink { struct_size, ..own });
        Taking { number, sink, own }
    }

    /// After a call with a sink: one that cannot be read is left to the host, any other is closed
    /// by now if the call failed.
    fn after(&self, taking: &Taking, status: i32) {
        taking.sink.holds(status);
        if taking.sink.refused {
            // SAFETY: the sink's own, which says so if it was closed before.
            unsafe { taking.own.close.expect("a sink is closed")(taking.own.user) }
        }
        if status != 0 {
            self.arena.must_be_closed(taking.number);
        }
    }

    fn path(&self, path: u8) -> (usize, CString) {
        let path = usize::from(path) % PATHS.len();
        (path, c(self.folder.join(PATHS[path]).to_str().expect("UTF-8")))
    }

    fn wide(&self, path: u8) -> (usize, Vec<u16>) {
        let (path, text) = self.path(path);
        (path, utf16(&text))
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
            Step::SealFile { sealer, to, wide, options } => {
                self.seal_file(sealer, to, wide, options);
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
            Step::OpenSource { file, base, flip, from, options } => {
                self.open_source(file, (base, flip), from, options);
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
                // As `off_t` has it, though each step may fit.
                let expected =
                    expected.filter(|to| i64::try_from(*to).is_ok() && !handle.is_null());
                assert_eq!(expected.is_some(), status == 0, "seeking {by} from {from:?}");
                if let Some(expected) = expected {
                    assert_eq!(at, expected);
                    open.position = expected;
                    assert_eq!(checked(|e| unsafe { bulla_file_tell(*handle, &mut told, e) }), 0);
                    assert_eq!(told, expected);
                }
                self.count(status);
            }
            Step::About { file, right, shape } => self.about(file, right, shape),
            Step::Export { file, to, options } => self.export(file, to, options),
            Step::Save { file, writer, to, named, options } => {
                self.save(file, writer, to, named, options);
            }
            Step::FreeFile { slot } => self.free_file(usize::from(slot) % SLOTS),
            Step::FreeWriter { slot } => self.free_writer(usize::from(slot) % SLOTS),
            Step::FreeSealer { slot } => self.free_sealer(usize::from(slot) % SLOTS),
            Step::Inspect { base, cut, fault } => self.inspect(base, cut, fault),
            Step::Session { start, shape, facts, badge } => {
                self.session(start, shape, facts, badge);
            }
            Step::Names { code } => self.names(code),
            Step::InspectPath { path, wide } => self.inspect_path(path, wide),
            Step::UseBadge { badge, attestations, listed } => {
                self.use_badge(badge, attestations, listed);
            }
        }
    }

    fn names(&self, code: i32) {
        // SAFETY: the strings are static, and those given end with NUL.
        unsafe {
            let name = bulla_code_name(code);
            assert!(name.is_null() || !CStr::from_ptr(name).is_empty());
            bulla_right_name(code as u32);
            let mut right = 0;
            let name = c("view");
            let status = checked(|e| bulla_right_by_name(name.as_ptr(), &mut right, e));
            assert_eq!((status, right), (0, 1));
            assert_ne!(checked(|e| bulla_right_by_name(null(), &mut right, e)), 0);
            assert_eq!(bulla_abi_version(), 0);
            assert!(!CStr::from_ptr(bulla_version()).is_empty());
        }
        self.elsewhere(code as usize as *mut c_void);
    }

    /// What there is on Windows alone, with anything as a window or handle.
    fn elsewhere(&self, any: *mut c_void) {
        // SAFETY: nothing is done with a window or handle here.
        unsafe {
            assert_eq!(checked(|e| bulla_window_protect(any, e)), NOT_SUPPORTED);
            assert_eq!(checked(|e| bulla_clipboard_guard(any, e)), NOT_SUPPORTED);
            let (session, mut file) = (self.bases.session, any);
            let opened = checked(|e| bulla_file_open_handle(session, any, null(), &mut file, e));
            assert_eq!((opened, file), (NOT_SUPPORTED, null_mut()));
        }
    }

    fn inspect_path(&mut self, path: u8, wide: bool) {
        let ((number, name), (_, wide_name)) = (self.path(path), self.wide(path));
        let (mut size, mut json) = (u64::MAX, null_mut());
        // SAFETY: both names end with NUL.
        let status = checked(|e| unsafe {
            match wide {
                false => bulla_inspect(name.as_ptr(), &mut size, &mut json, e),
                true => bulla_inspect_w(wide_name.as_ptr(), &mut size, &mut json, e),
            }
        });
        if let Some(json) = taken(status, json) {
            serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
        }
        let known = self.paths[number].as_ref().map(|text| text.len() as u64);
        assert_eq!((status == 0).then_some(size), known, "what was sealed: {status}");
        assert!(status == 0 || size == 0, "half filled");
        self.count(status);
    }

    /// Whatever badge it is: the policy asks for none, so all goes on.
    fn use_badge(&mut self, badge: u8, attestations: u8, listed: bool) {
        let badge = self.bases.badges.get(usize::from(badge) % 5);
        let list = vec![self.bases.badges[0].as_ptr(); (attestations % 4).into()];
        let (list_at, count) = (if listed { list.as_ptr() } else { null() }, list.len());
        let text = badge.map_or(null(), |badge| badge.as_ptr());
        let session = self.bases.session;
        // SAFETY: the list has as many strings as it says, or is NULL.
        let status =
            checked(|e| unsafe { bulla_session_use_badge(session, text, list_at, count, e) });
        let sound = badge.is_some() && (listed || count == 0);
        assert_eq!(status, if sound { 0 } else { BAD_ARGUMENT });
        self.badged |= sound;
        self.count(status);
    }

    fn new_sealer(&mut self, slot: u8, options: Options, batch: bool, recorded: bool) {
        let slot = usize::from(slot) % SLOTS;
        self.free_sealer(slot);
        let to = c(&self.world.session.identity().public().to_string());
        let policy = world::POLICY.as_bytes();
        let policy_len = if options.stop == Some(0) { 0 } else { policy.len() };
        let flags = u32::from(batch) | if options.flags >= 200 { options.flags.into() } else { 0 };
        let given = options.shape.of(|struct_size| SealerOptions {
            struct_size,
            flags,
            home: self.bases.home.as_ptr(),
            home_w: null(),
            passphrase: null(),
            session: if recorded { self.bases.session } else { null() },
            label: null(),
            policy: policy.as_ptr().cast(),
            policy_len,
            recipients: if options.given { to.as_ptr() } else { null() },
        });
        let out = &mut self.sealers[slot];
        let status = checked(|e| unsafe { bulla_sealer_new(given.at(), out, e) });
        given.holds(status);
        assert_eq!(status == 0, !self.sealers[slot].is_null());
        self.count(status);
    }

    fn seal_file(&mut self, sealer: u8, to: u8, wide: bool, options: Options) {
        let sealer = self.sealers[usize::from(sealer) % SLOTS];
        let plain = text(30_000, 9);
        let from = self.folder.join("plain");
        std::fs::write(&from, &plain).unwrap();
        let from = c(from.to_str().expect("UTF-8"));
        let ((path, narrow), (_, broad)) = (self.path(to), self.wide(to));
        let given = options.seal(self.arena.progress(options.stop));
        let mut id = null_mut();
        let status = match wide {
            false => checked(|e| unsafe {
                let (from, to) = (from.as_ptr(), narrow.as_ptr());
                bulla_sealer_seal_file(sealer, from, to, given.at(), &mut id, e)
            }),
            true => {
                let from = utf16(&from);
                // SAFETY: both paths end with NUL, and the options are as long as they say.
                checked(|e| unsafe {
                    let (from, to) = (from.as_ptr(), broad.as_ptr());
                    bulla_sealer_seal_file_w(sealer, from, to, given.at(), &mut id, e)
                })
            }
        };
        given.holds(status);
        let id = taken(status, id);
        assert!(id.is_none_or(|id| id.len() == 32));
        assert!(status != 0 || !sealer.is_null());
        if self.count(status) {
            self.paths[path] = Some(plain);
        }
    }

    fn seal_bytes(&mut self, sealer: u8, len: u32, to: To, options: Options) {
        let sealer = self.sealers[usize::from(sealer) % SLOTS];
        let plain = text(len as usize % 50_000, len as u8);
        let options = options.seal(self.arena.progress(options.stop));
        let given = options.at();
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
            To::Sink(taker) => {
                let taking = self.sink(taker);
                let sink = taking.sink.at();
                let status = checked(|e| unsafe {
                    bulla_sealer_seal_bytes_to(sealer, data, n, sink, given, &mut id, e)
                });
                self.after(&taking, status);
                self.arena.must_be_closed(taking.number);
                (None, Some(taking.number), status)
            }
            To::Fd => return,
        };
        options.holds(status);
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
        let options = options.seal(null_mut());
        let given = options.at();
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
            To::Sink(taker) => {
                let taking = self.sink(taker);
                open.host = Some(taking.number);
                let sink = taking.sink.at();
                let status = checked(|e| unsafe {
                    bulla_sealer_begin_sink(sealer, sink, given, &mut handle, e)
                });
                self.after(&taking, status);
                status
            }
            To::Fd => return,
        };
        options.holds(status);
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
        let asked = options.open();
        let given = asked.at();
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
        asked.holds(status);
        assert!(!options.older() || status != ROLLBACK, "older ones would do");
        assert_eq!(status == 0, !handle.is_null());
        if self.count(status) {
            let text = self.paths[number].clone().expect("nothing was sealed there");
            self.has_size(handle, text.len());
            self.files[slot] = (handle, Open { text, path: Some(number), ..Open::default() });
        } else if options.admit(&asked) && !matches!(from, To::Sink(_)) {
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
        (base, flip): (u8, Option<u32>),
        Giver { fault, shape }: Giver,
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
        // Of one that ends before `close`, or cannot be read, that never runs.
        let closes = shape.is_whole::<Source>() && shape.unknown::<Source>().is_none();
        let (number, own) = self.arena.source(sealed, fault, if closes { 0 } else { i8::MIN });
        let source = shape.of(|struct_size| Source { struct_size, ..own });
        let asked = options.open();
        let (session, mut handle) = (self.bases.session, null_mut());
        // SAFETY: both structs are as long as they say, and what the source points to stays.
        let status = checked(|e| unsafe {
            bulla_file_open_source(session, source.at(), asked.at(), &mut handle, e)
        });
        source.holds(status);
        asked.holds(status);
        assert!(!options.older() || status != ROLLBACK, "older ones would do");
        assert_eq!(status == 0, !handle.is_null());
        if self.count(status) {
            self.has_size(handle, text.len());
            let (text, host, spoilt) = (text.clone(), Some(number), flip.is_some());
            self.files[slot] = (handle, Open { text, host, spoilt, ..Open::default() });
            return;
        }
        self.arena.must_be_closed(number);
        // A save of it was seen meanwhile.
        let asks = !closes || !options.admit(&asked);
        let expected = asks || flip.is_some() || fault.is_some() || status == ROLLBACK;
        assert!(expected, "a sound envelope does not open: {status}");
    }

    fn about(&mut self, file: u8, right: u8, shape: Shape) {
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
        }
        self.metadata(handle, shape);
    }

    /// A struct that is filled is so as far as both sides know it, and zero behind.
    fn metadata(&self, handle: *mut c_void, shape: Shape) {
        let mut given = shape.of(|size| metadata(size, null()));
        let (size, out) = (given.bytes[..4].to_vec(), given.bytes.as_mut_ptr().cast());
        // SAFETY: it is as long as it says.
        let status = checked(|e| unsafe { bulla_file_metadata(handle, out, e) });
        let readable = shape.is_of_a_version::<Metadata>();
        assert_eq!(status == 0, !handle.is_null() && readable, "metadata: {status}");
        assert!(given.bytes[..4] == size, "its size is the host's");
        let behind = given.bytes.get(size_of::<Metadata>()..).unwrap_or_default();
        assert!(!readable || behind.iter().all(|b| *b == 0), "something unknown was filled in");
        let mut told = Metadata::default();
        let known = given.bytes.len().min(size_of::<Metadata>());
        // SAFETY: both are that long, and any bytes are metadata.
        unsafe {
            let to = (&raw mut told).cast::<u8>();
            std::ptr::copy_nonoverlapping(given.bytes.as_ptr(), to, known);
        }
        // SAFETY: a string of the file's, which is open.
        assert!(told.name.is_null() || !unsafe { CStr::from_ptr(told.name) }.is_empty());
    }

    fn export(&mut self, file: u8, to: To, options: Options) {
        let (handle, open) = self.files[usize::from(file) % SLOTS].clone();
        let asked = options.export(self.arena.progress(options.stop));
        let given = asked.at();
        let mut bytes = 0;
        let target = self.folder.join("exported");
        let path = c(target.to_str().expect("UTF-8"));
        let (got, status) = match to {
            To::Path(_) => {
                let status = checked(|e| unsafe {
                    bulla_file_export(handle, path.as_ptr(), given, &mut bytes, e)
                });
                (std::fs::read(&target).unwrap_or_default(), status)
            }
            To::Wide(_) => {
                let path = utf16(&path);
                // SAFETY: the path ends with NUL, and the options are as long as they say.
                let status = checked(|e| unsafe {
                    bulla_file_export_w(handle, path.as_ptr(), given, &mut bytes, e)
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
            To::Sink(taker) => {
                let taking = self.sink(taker);
                let sink = taking.sink.at();
                let status = checked(|e| unsafe {
                    bulla_file_export_sink(handle, sink, given, &mut bytes, e)
                });
                self.after(&taking, status);
                self.arena.must_be_closed(taking.number);
                (self.arena.taken(taking.number), status)
            }
        };
        asked.holds(status);
        if status == 0 {
            assert!(got == open.text, "other bytes than were sealed");
            assert_eq!(bytes, got.len() as u64);
        } else if matches!(to, To::Sink(_) | To::Fd) {
            assert!(open.text.starts_with(&got), "other bytes than were sealed");
        }
        self.count(status);
    }

    fn save(&mut self, file: u8, writer: u8, to: To, named: bool, options: Options) {
        let slot = usize::from(writer) % SLOTS;
        self.free_writer(slot);
        let (handle, open) = self.files[usize::from(file) % SLOTS].clone();
        let mut new = null_mut();
        let mut saved = Open::default();
        let name = c("b.csv");
        let name = if named { name.as_ptr() } else { null() };
        let asked = options.of(|size| metadata(size, name));
        let given = asked.at();
        let status = match to {
            To::Sink(taker) => {
                let taking = self.sink(taker);
                saved.host = Some(taking.number);
                let sink = taking.sink.at();
                let status =
                    checked(|e| unsafe { bulla_file_save_to(handle, sink, given, &mut new, e) });
                self.after(&taking, status);
                status
            }
            _ => {
                saved.path = open.path;
                checked(|e| unsafe { bulla_file_save(handle, given, &mut new, e) })
            }
        };
        asked.holds(status);
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

    fn session(&mut self, start: bool, shape: Shape, facts: u8, badge: bool) {
        let session = self.bases.session;
        unsafe {
            if start {
                let choices = ["{}", "{\"ticket\":true}", "{", "null", "\u{1}"];
                let facts = c(choices[usize::from(facts) % choices.len()]);
                let options = shape.of(|struct_size| SessionOptions {
                    struct_size,
                    home: self.bases.home.as_ptr(),
                    badge: if badge { facts.as_ptr() } else { null() },
                    asserted: facts.as_ptr(),
                    ..SessionOptions::default()
                });
                let mut new = null_mut();
                // One that ends before the home's name would take that of whoever runs this.
                if options.refused || shape.size::<SessionOptions>() >= 16 {
                    let status = checked(|e| bulla_session_start(options.at(), &mut new, e));
                    options.holds(status);
                    assert_eq!(status == 0, !new.is_null());
                }
                bulla_session_free(new);
            }
            let path = self.path(shape.size as u8).1;
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
        if self.badged {
            // Back to one that grants nothing, as there was none before.
            let (session, none) = (self.bases.session, c("none"));
            // SAFETY: the text ends with NUL, and the list is empty.
            let status = checked(|e| unsafe {
                bulla_session_use_badge(session, none.as_ptr(), null(), 0, e)
            });
            assert_eq!(status, 0);
        }
        // Nothing is left beside what was sealed.
        for entry in std::fs::read_dir(self.folder).unwrap() {
            let name = entry.unwrap().file_name();
            let known = ["p", "q", "plain", "exported", "by-fd"];
            assert!(known.iter().any(|k| name == **k), "{name:?} is left behind");
        }
        self.succeeded > 0
    }
}

fn metadata(size: u32, name: *const c_char) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.name = name;
    // SAFETY: its size comes first.
    unsafe { (&raw mut metadata).cast::<u32>().write(size) };
    metadata
}

/// What was read at a place is what was sealed there; less only at the end.
fn holds(text: &[u8], at: u64, out: &[u8], n: usize) {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let rest = &text[at..];
    assert_eq!(n, rest.len().min(out.len()), "fewer bytes than there are");
    assert!(out[..n] == rest[..n], "other bytes than were sealed");
    assert!(out[n..].iter().all(|b| *b == 0xa5), "bytes behind what was read");
}
