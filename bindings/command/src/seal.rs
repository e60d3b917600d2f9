//! `seal`: one file, many, or a tree.

use crate::context::{
    Context, Progress, public_lines, read_file, standard_input, standard_output, text_file, threads,
};
use crate::output::{errln, outln};
use crate::{Failure, exit_status};
use bulla::cobblestone::{ReadAt, Work};
use bulla::{
    Code, Error, Existing, Host, Kinds, Metadata, Permit, PublicIdentity, Recipient, Result,
    RootKey, Sealer, Session, Template, Unplaced, is_sealed, place_all, sync_folder,
};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

#[derive(Args)]
pub struct Seal {
    /// The files to seal; - for standard input; with -r also folders
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Seal under a template that this device has a permit for
    #[arg(long, conflicts_with_all = ["policy", "to", "label", "mixed_kinds"])]
    template: Option<PathBuf>,
    /// Seal as the issuer, under this policy
    #[arg(long, value_name = "P.json", requires = "to", required_unless_present = "template")]
    policy: Option<PathBuf>,
    /// To whom to seal: public lines, or files of them
    #[arg(long, value_name = "PUBLIC")]
    to: Vec<String>,
    /// A label that stands in the clear, such as customer-data
    #[arg(long, default_value = "")]
    label: String,
    /// Allow hybrid and x25519 recipients in one file
    #[arg(long)]
    mixed_kinds: bool,
    /// Name the envelope by its file id
    #[arg(long, conflicts_with_all = ["in_place", "output"])]
    hide_name: bool,
    /// Where to write the envelope; - for standard output [default: FILE.bulla]
    #[arg(short, long, conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Replace the plain file, once the sealed one is complete
    #[arg(long)]
    in_place: bool,
    /// Seal the files in folders
    #[arg(short, long)]
    recursive: bool,
    /// Replace an existing output
    #[arg(long)]
    force: bool,
    /// How many threads work, on as many files or, if there is one, on its parts [default: one a core]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

/// One plain file to seal.
struct Job {
    path: PathBuf,
    size: u64,
}

enum Outcome {
    /// Not durable yet, and without its name.
    Sealed(PathBuf, Unplaced),
    AlreadySealed,
}

/// Envelopes that are made durable together, by all threads: each is an open file until then.
const AT_ONCE: usize = 32;

/// A job, and the envelope's path; `None` where it was sealed already.
type Done<'a> = (&'a Job, Result<Option<PathBuf>>);

/// What a thread has done that is not durable yet.
#[derive(Default)]
struct Waiting<'a> {
    done: Vec<Done<'a>>,
    files: Vec<(&'a Job, PathBuf, Unplaced)>,
}

impl<'a> Waiting<'a> {
    fn add(&mut self, job: &'a Job, outcome: Result<Outcome>) {
        match outcome {
            Ok(Outcome::Sealed(envelope, file)) => self.files.push((job, envelope, file)),
            Ok(Outcome::AlreadySealed) => self.done.push((job, Ok(None))),
            Err(e) => self.done.push((job, Err(e))),
        }
    }

    /// Makes what there is durable, and reports it.
    fn place(&mut self, results: &Mutex<Vec<Done<'a>>>) {
        let (mut names, mut files) = (Vec::new(), Vec::new());
        for (job, envelope, file) in self.files.drain(..) {
            names.push((job, envelope));
            files.push(file);
        }
        for ((job, envelope), placed) in names.into_iter().zip(place_all(files)) {
            self.done.push((job, placed.map(|()| Some(envelope))));
        }
        results.lock().unwrap_or_else(|e| e.into_inner()).append(&mut self.done);
    }
}

/// Whose name licenses are signed in, with what that needs.
enum Authority {
    Root(Box<RootKey>),
    Device(Box<(Template, Permit)>),
}

impl Seal {
    pub fn run(self, c: &Context) -> Result<(), Failure> {
        let lines = public_lines(&self.to)?;
        let authority = self.authority(c)?;
        let session = self.session(c)?;
        let sealer = self.sealer(&authority, session.as_ref(), &lines)?;
        c.home.remember_recipients(&lines)?;
        let stdin = Path::new("-");
        if self.output.is_some() || self.files.iter().any(|f| f == stdin) {
            let ([file], false) = (&self.files[..], self.recursive) else {
                let why = "-o and - take one file at a time";
                return Err(Error::new(Code::BadArgument, why).into());
            };
            if file == stdin && (self.output.is_none() || self.in_place) {
                let why = "standard input needs -o for its output";
                return Err(Error::new(Code::BadArgument, why).into());
            }
            return Ok(self.single(c, &sealer, file)?);
        }
        self.many(c, sealer)
    }

    fn authority(&self, c: &Context) -> Result<Authority> {
        let Some(path) = &self.template else {
            return Ok(Authority::Root(Box::new(c.root_key()?)));
        };
        let template = Template::from_file(&text_file(path)?)?;
        let permit = c.home.permit(&template)?;
        Ok(Authority::Device(Box::new((template, permit))))
    }

    /// In whose trail it is recorded. An issuer's home without an identity has none.
    fn session(&self, c: &Context) -> Result<Option<Session>> {
        if self.template.is_none() && !c.home.has_identity() {
            return Ok(None);
        }
        c.session(Host::default()).map(Some)
    }

    fn sealer<'a>(
        &self,
        by: &'a Authority,
        session: Option<&'a Session>,
        lines: &[PublicIdentity],
    ) -> Result<Sealer<'a>> {
        match by {
            Authority::Device(parts) => {
                let (template, permit) = &**parts;
                let session = session.ok_or_else(|| {
                    Error::new(Code::Internal, "sealing under a template without a session")
                })?;
                Sealer::delegated(session, template, permit)
            }
            Authority::Root(root) => {
                let policy = self.policy.as_ref().map(|p| read_file(p)).transpose()?;
                let to: Vec<Recipient> = lines.iter().map(|l| l.recipient().clone()).collect();
                let kinds = if self.mixed_kinds { Kinds::Mixed } else { Kinds::Same };
                let policy = policy.unwrap_or_default();
                let sealer = Sealer::issued(root, &self.label, &policy, &to, kinds)?;
                Ok(match session {
                    Some(session) => sealer.recorded(session),
                    None => sealer,
                })
            }
        }
    }

    /// One file with a named output, or a stream.
    fn single(&self, c: &Context, sealer: &Sealer<'_>, file: &Path) -> Result<()> {
        let output = self.output.as_deref().expect("checked by the caller");
        let piped = file == Path::new("-");
        let (input, metadata, size) = if piped {
            (None, Metadata::default(), 0)
        } else {
            let input = open_plain(file)?;
            let meta = input.metadata().map_err(|e| Error::io("reading the file", e))?;
            if is_sealed_file(file)? {
                return Err(Error::new(Code::BadArgument, "the file is sealed already"));
            }
            (Some(input), metadata(file, &meta), meta.len())
        };
        let progress = Progress::new(size);
        let read = || -> Result<Box<dyn Read>> {
            Ok(match &input {
                Some(file) => Box::new(progress.reader(file)),
                None => Box::new(progress.reader(standard_input()?)),
            })
        };
        let new = sealer.prepare(&metadata)?;
        let id = new.file_id();
        if output == Path::new("-") {
            let mut writer = new.into_stream(standard_output()?)?;
            writer.copy_from(&mut read()?)?;
            return writer.finish().map(drop);
        }
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let mut writer = new.into_file(output, existing)?;
        match &input {
            Some(file) => writer.copy_file(file, &mut self.work(1, &mut progress.with_file()))?,
            None => writer.copy_from(&mut read()?)?,
        };
        writer.finish()?;
        drop(progress);
        let text = format!("sealed {} → {}", file.display(), output.display());
        c.print(&text, json!({"sealed": [{"file": file, "envelope": output, "id": id}]}));
        Ok(())
    }

    fn many(&self, c: &Context, sealer: Sealer<'_>) -> Result<(), Failure> {
        let mut failed = Vec::new();
        let jobs = self.jobs(&mut failed);
        let sealer = if jobs.len() > 1 { sealer.batch()? } else { sealer };
        let progress = Progress::new(jobs.iter().map(|j| j.size).sum());
        let home = match fs::canonicalize(c.home.folder()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("reading the home folder", e).into());
            }
            home => home.ok(),
        };
        let results = Mutex::new(Vec::<Done<'_>>::with_capacity(jobs.len()));
        let next = AtomicUsize::new(0);
        let threads = threads(self.threads).get().min(jobs.len());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut waiting = Waiting::default();
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let home = home.as_deref();
                        let outcome =
                            self.seal_beside(&sealer, &job.path, home, threads, &progress);
                        waiting.add(job, outcome);
                        if waiting.files.len() >= AT_ONCE.div_ceil(threads) {
                            waiting.place(&results);
                        }
                    }
                    waiting.place(&results);
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
        results.sort_by(|a, b| a.0.path.cmp(&b.0.path));
        let (mut sealed, mut skipped) = (Vec::new(), Vec::new());
        for (job, result) in results {
            match result {
                Ok(Some(envelope)) => sealed.push((job.path.clone(), envelope)),
                Ok(None) => skipped.push(job.path.clone()),
                Err(e) => failed.push((job.path.clone(), e)),
            }
        }
        // Names become durable once a folder, not once a file; contents are synced by now.
        let parents = sealed.iter().filter_map(|(_, envelope)| envelope.parent());
        for folder in parents.collect::<BTreeSet<_>>() {
            let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            sync_folder(here)?;
        }
        drop(progress);
        report(c, &sealed, &skipped, &failed)
    }

    /// All plain files that are meant; what cannot be looked at goes to `failed`.
    fn jobs(&self, failed: &mut Vec<(PathBuf, Error)>) -> Vec<Job> {
        let (mut jobs, mut seen) = (Vec::new(), BTreeSet::new());
        for named in &self.files {
            let meta = match fs::metadata(named) {
                Ok(meta) => meta,
                Err(e) => {
                    failed.push((named.clone(), Error::io("reading the file", e)));
                    continue;
                }
            };
            if !meta.is_dir() {
                if seen.insert(named.clone()) {
                    jobs.push(Job { path: named.clone(), size: meta.len() });
                }
            } else if !self.recursive {
                let why = "this is a folder: use -r to seal the files in it";
                failed.push((named.clone(), Error::new(Code::BadArgument, why)));
            } else {
                for entry in walkdir::WalkDir::new(named).sort_by_file_name() {
                    let entry = match entry {
                        Ok(entry) => entry,
                        Err(e) => {
                            let path = e.path().unwrap_or(named).to_owned();
                            let io = e.into_io_error().unwrap_or_else(|| {
                                std::io::Error::other("the folder contains itself")
                            });
                            failed.push((path, Error::io("reading the folder", io)));
                            continue;
                        }
                    };
                    // Links are not followed: what they point to may be anybody's.
                    if entry.file_type().is_file() && seen.insert(entry.path().to_owned()) {
                        let size = entry.metadata().map_or(0, |m| m.len());
                        jobs.push(Job { path: entry.into_path(), size });
                    }
                }
            }
        }
        jobs
    }

    /// For one of `at_a_time` files.
    fn work<'a>(
        &self,
        at_a_time: usize,
        progress: &'a mut dyn FnMut(u64) -> Result<()>,
    ) -> Work<'a> {
        let each = NonZeroUsize::new(threads(self.threads).get() / at_a_time);
        Work { threads: each.unwrap_or(NonZeroUsize::MIN), progress }
    }

    fn seal_beside(
        &self,
        by: &Sealer<'_>,
        path: &Path,
        home: Option<&Path>,
        at_a_time: usize,
        progress: &Progress,
    ) -> Result<Outcome> {
        let input = open_plain(path)?;
        if starts_sealed(&input)? {
            return Ok(Outcome::AlreadySealed);
        }
        let meta = input.metadata().map_err(|e| Error::io("reading the file", e))?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".bulla");
        let beside = PathBuf::from(beside);
        if self.in_place {
            refuse_hard_links(&meta)?;
            refuse_home(path, home)?;
        } else if !self.hide_name && !self.force && beside.exists() {
            return skip_sealed(&beside, &meta);
        }
        // Recorded from here on.
        let new = by.prepare(&metadata(path, &meta))?;
        let (output, existing) = if self.in_place {
            (path.to_owned(), Existing::Replace)
        } else if self.hide_name {
            (path.with_file_name(format!("{}.bulla", new.file_id())), Existing::Keep)
        } else {
            (beside, if self.force { Existing::Replace } else { Existing::Keep })
        };
        let mut writer = new.into_file(&output, existing)?;
        if self.in_place {
            writer = writer.like(meta);
        }
        writer.copy_file(&input, &mut self.work(at_a_time, &mut progress.with_file()))?;
        Ok(Outcome::Sealed(output, writer.finish_unplaced()?))
    }
}

/// The output is there: sealed from this very content, as far as the times tell, or in the way.
fn skip_sealed(output: &Path, plain: &fs::Metadata) -> Result<Outcome> {
    let newer = |sealed: SystemTime| plain.modified().is_ok_and(|plain| plain > sealed);
    let sealed_at = fs::metadata(output).and_then(|m| m.modified());
    if !is_sealed_file(output)? {
        Err(Error::new(Code::Exists, "a file with the envelope's name exists and is not sealed"))
    } else if sealed_at.is_ok_and(newer) {
        let why = "its envelope exists and is older than the file: use --force to seal it again";
        Err(Error::new(Code::Exists, why))
    } else {
        Ok(Outcome::AlreadySealed)
    }
}

/// Opens a regular file: a pipe or device would block or never end.
fn open_plain(path: &Path) -> Result<File> {
    let io = |e| Error::io("reading the file", e);
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(Error::new(Code::BadArgument, "this is not a regular file"));
    }
    File::open(path).map_err(io)
}

fn is_sealed_file(path: &Path) -> Result<bool> {
    starts_sealed(&open_plain(path)?)
}

fn starts_sealed(file: &File) -> Result<bool> {
    let mut start = [0; 8];
    let read = file.read_full_at(&mut start, 0).map_err(|e| Error::io("reading the file", e))?;
    Ok(is_sealed(&start[..read]))
}

/// A tree may hold the home itself: its keys, sealed to themselves, would be lost.
fn refuse_home(path: &Path, home: Option<&Path>) -> Result<()> {
    let path = fs::canonicalize(path).map_err(|e| Error::io("reading the file", e))?;
    if home.is_some_and(|home| path.starts_with(home)) {
        let why = "this file belongs to the home folder with the keys: it is not sealed in place";
        return Err(Error::new(Code::BadArgument, why));
    }
    Ok(())
}

/// Another name of the same file would keep the plain content.
#[cfg(unix)]
fn refuse_hard_links(meta: &fs::Metadata) -> Result<()> {
    if std::os::unix::fs::MetadataExt::nlink(meta) > 1 {
        let why = "the file has other hard links, which would keep the plain content";
        return Err(Error::new(Code::BadArgument, why));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_hard_links(_meta: &fs::Metadata) -> Result<()> {
    Ok(())
}

fn metadata(path: &Path, meta: &fs::Metadata) -> Metadata {
    let millis = |time: std::io::Result<SystemTime>| {
        let since = time.ok()?.duration_since(SystemTime::UNIX_EPOCH);
        let millis = match since {
            Ok(after) => i64::try_from(after.as_millis()).ok()?,
            Err(before) => -i64::try_from(before.duration().as_millis()).ok()?,
        };
        // Beyond that, JSON readers disagree.
        (millis.unsigned_abs() < 1 << 53).then_some(millis)
    };
    Metadata {
        name: path.file_name().map(|n| n.to_string_lossy().into_owned()),
        media_type: path.extension().and_then(|e| media_type(e.to_str()?)),
        created: millis(meta.created()),
        modified: millis(meta.modified()),
    }
}

/// The types that call centers handle; others are sealed without one.
fn media_type(extension: &str) -> Option<String> {
    let found = match extension.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "html" => "text/html",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "mp3" => "audio/mpeg",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "sqlite" => "application/vnd.sqlite3",
        "tif" | "tiff" => "image/tiff",
        "txt" => "text/plain",
        "wav" => "audio/vnd.wave",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => return None,
    };
    Some(found.to_owned())
}

fn report(
    c: &Context,
    sealed: &[(PathBuf, PathBuf)],
    skipped: &[PathBuf],
    failed: &[(PathBuf, Error)],
) -> Result<(), Failure> {
    if c.json {
        let sealed: Vec<_> =
            sealed.iter().map(|(f, e)| json!({"file": f, "envelope": e})).collect();
        outln!("{}", json!({"sealed": sealed, "skipped": skipped, "failed": failures(failed)}));
    } else {
        for (file, envelope) in sealed {
            if file == envelope {
                outln!("sealed {} in place", file.display());
            } else {
                outln!("sealed {} → {}", file.display(), envelope.display());
            }
        }
        for file in skipped {
            outln!("skipped {}: sealed already", file.display());
        }
    }
    report_failures(failed)
}

/// Failures as data.
pub fn failures(failed: &[(PathBuf, Error)]) -> Vec<serde_json::Value> {
    let one = |(file, e): &(PathBuf, Error)| {
        json!({"file": file, "code": e.code().name(), "number": e.code().number(),
               "class": e.class().name(), "message": e.to_string()})
    };
    failed.iter().map(one).collect()
}

/// One line a failure on standard error; the status is theirs if they agree, else 1.
pub fn report_failures(failed: &[(PathBuf, Error)]) -> Result<(), Failure> {
    for (file, e) in failed {
        errln!("bulla: {}: {e} [{}]", file.display(), e.code().name());
    }
    let statuses: BTreeSet<u8> = failed.iter().map(|(_, e)| exit_status(e)).collect();
    match (statuses.len(), statuses.first()) {
        (0, _) => Ok(()),
        (1, Some(status)) => Err(Failure::Reported(*status)),
        _ => Err(Failure::Reported(1)),
    }
}
