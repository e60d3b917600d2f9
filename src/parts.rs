//! Envelopes whose content comes in order, while it is still being made, and is sealed in parts by
//! whichever threads have them.

use crate::atomic::{Beside, Existing};
use crate::cobblestone::{Encryptor, Part, Parts};
use crate::license::License;
use crate::save::Save;
use crate::seal::Sealer;
use crate::{Code, Error, Result};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A new envelope that is written part by part beside its place. Without a `finish` nothing is left
/// behind, and what was to be replaced stays as it was. What was written can be read back, also
/// afterwards.
pub struct PartsWriter {
    parts: Parts,
    /// Until it is finished.
    ending: Mutex<Option<(Beside, Ending)>>,
}

/// What is left to do when all content is there.
pub(crate) enum Ending {
    /// Of a new file: to record it, for which a sealer must still be allowed to make it.
    Sealed(Arc<License>),
    /// Of a save.
    Saved(Save),
}

impl PartsWriter {
    pub(crate) fn new(inner: Encryptor<Beside>, ending: Ending) -> Result<Self> {
        let (parts, beside) = Parts::of(inner)?;
        Ok(PartsWriter { parts, ending: Mutex::new(Some((beside, ending))) })
    }

    /// The next part, empty. Each must be sealed, but the last that is given, which ends it.
    pub fn part(&self) -> Part {
        self.parts.part()
    }

    /// Seals and writes a full part. Parts may come in any order, but all of them must before the
    /// end.
    ///
    /// # Errors
    /// [`Code::State`] for a part that is not full or of another writer, and after the end;
    /// [`Code::Full`], with which its content is lost.
    pub fn seal(&self, part: Part) -> Result<()> {
        self.parts.seal(part)
    }

    /// Reads back content from `offset` until `out` is full or `len` is reached: the bytes of the
    /// full parts sealed so far, or of all parts after the end.
    ///
    /// # Errors
    /// [`Code::Chunk`] if the new file was changed by somebody else.
    pub fn read_at(&self, out: &mut [u8], offset: u64, len: u64) -> Result<usize> {
        self.parts.read_at(out, offset, len)
    }

    /// Ends a new file: checks that it may still be sealed, records that it is, seals the last
    /// part, syncs, and puts it in place of what `path` names, with the permissions of that.
    ///
    /// # Errors
    /// Those of [`Sealer::delegated`] and [`Sealer::prepare`]; [`Code::State`] for another sealer
    /// than the one that began it, of a save, after the end, and without all parts before `last`,
    /// also of one that could not be written.
    pub fn finish(&self, last: &Part, sealer: &Sealer<'_>, path: &Path) -> Result<()> {
        match self.take()? {
            (mut beside, Ending::Sealed(license)) => {
                sealer.confirm(license.claims())?;
                self.parts.seal_last(last)?;
                beside.retarget(path)?;
                if let Ok(old) = fs::metadata(path) {
                    beside.like(&old)?;
                }
                beside.commit(Existing::Replace, true)
            }
            _ => Err(Error::new(Code::State, "this is a save")),
        }
    }

    /// Ends a save of the file that `path` names by now, as [`Writer::finish`](crate::Writer::finish)
    /// does.
    ///
    /// # Errors
    /// Those of that; [`Code::State`] of what is no save, after the end, and without all parts
    /// before `last`, also of one that could not be written.
    pub fn finish_save(&self, last: &Part, path: &Path) -> Result<()> {
        match self.take()? {
            (mut beside, Ending::Saved(mut save)) => {
                self.parts.seal_last(last).map_err(|e| save.lease.failed(e))?;
                beside.retarget(path)?;
                save.original.path = path.to_owned();
                save.finish(beside, self.parts.commitment())
            }
            _ => Err(Error::new(Code::State, "this is a new file")),
        }
    }

    fn take(&self) -> Result<(Beside, Ending)> {
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        ending.take().ok_or_else(|| Error::new(Code::State, "this envelope was finished already"))
    }
}
