//! New envelopes in a view's folder.

use crate::folder::{Folder, SETTINGS};
use bulla::cobblestone::Part;
use bulla::{
    Code, Error, Existing, Home, Metadata, OutputFile, PartsWriter, Permit, Reader, Result, Sealer,
    Session, Template,
};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Longest template that is read.
const MAX_TEMPLATE: u64 = 4 << 20;

/// Under which terms new content is sealed.
pub(crate) enum Terms {
    /// A new file's.
    Template(Box<(Template, Permit)>),
    /// Those of a file that made room for it, as a save of that one.
    Of(Arc<Reader<File>>),
}

impl Terms {
    /// Those for new files in a folder: of its own template, or of the nearest folder above it.
    pub(crate) fn of_folder(root: &Folder, folder: &Path, home: &Home) -> Result<Self> {
        for at in folder.ancestors() {
            let Ok(settings) = root.below(&at.join(SETTINGS)) else { continue };
            let io = |e| Error::io("reading the folder's template", e);
            let file = match settings.open(OsStr::new("template")) {
                Ok(file) => file,
                Err(rustix::io::Errno::NOENT) => continue,
                Err(e) => return Err(io(e.into())),
            };
            let mut text = String::new();
            file.take(MAX_TEMPLATE).read_to_string(&mut text).map_err(io)?;
            let template = Template::from_file(&text)?;
            let permit = home.permit(&template)?;
            return Ok(Terms::Template(Box::new((template, permit))));
        }
        let why =
            "new files need a template: this folder has no .bulla/template, and none above it";
        Err(Error::new(Code::NotPermitted, why))
    }

    /// The policy's bytes, and the template's name.
    pub(crate) fn policy(&self) -> (&[u8], Option<&str>) {
        match self {
            Terms::Template(terms) => (terms.0.policy(), Some(terms.0.name())),
            Terms::Of(reader) => (reader.policy(), reader.template()),
        }
    }

    /// Starts to seal a new file in place of the one that has this name, while it is written; not
    /// under the terms of another, whose save begins with what that has.
    pub(crate) fn in_parts(
        &self,
        session: &Session,
        path: &Path,
        metadata: &Metadata,
    ) -> Option<Result<PartsWriter>> {
        let Terms::Template(terms) = self else { return None };
        let sealer = Sealer::delegated(session, &terms.0, &terms.1);
        Some(sealer.and_then(|sealer| sealer.in_parts(metadata, path)))
    }

    /// Ends that, where the file is by now.
    pub(crate) fn finish(
        &self,
        session: &Session,
        writer: &PartsWriter,
        last: &Part,
        path: &Path,
    ) -> Result<()> {
        let Terms::Template(terms) = self else {
            return Err(Error::new(Code::Internal, "these terms began no envelope"));
        };
        writer.finish(last, &Sealer::delegated(session, &terms.0, &terms.1)?, path)
    }

    /// Seals what `content` writes, in place of what has that name if there may be something. Of a
    /// save, the next one comes after this.
    pub(crate) fn seal(
        &mut self,
        session: &Session,
        path: &Path,
        existing: Existing,
        metadata: &Metadata,
        content: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        match self {
            Terms::Template(terms) => {
                let sealer = Sealer::delegated(session, &terms.0, &terms.1)?;
                let mut writer = sealer.prepare(metadata)?.into_file(path, existing)?;
                content(&mut writer)?;
                writer.finish()
            }
            Terms::Of(reader) => {
                let output = OutputFile::create(path, existing)?;
                let mut writer = reader.save_to(metadata, output)?;
                content(&mut writer)?;
                writer.finish()?.finish()?;
                *reader = Arc::new(reader.saved_at(path)?);
                Ok(())
            }
        }
    }
}

/// What is kept of a new file beside its content.
pub(crate) fn metadata(shown: &OsStr) -> Metadata {
    let now = now();
    let name = shown.to_str().map(str::to_owned);
    Metadata { name, media_type: None, created: now, modified: now }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> Option<i64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
