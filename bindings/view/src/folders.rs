//! Folders that were opened a moment ago, so that many files of one folder do not each lead through
//! its path, and share its descriptor.

use crate::folder::Folder;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long: as long as the kernel believes a name without asking.
const KEEP: Duration = Duration::from_secs(1);

/// Folders that are kept; all are let go beyond that.
const MOST: usize = 256;

#[derive(Default)]
pub(crate) struct Folders(Mutex<HashMap<u64, (Arc<Folder>, Instant)>>);

impl Folders {
    /// The folder of this number, which `open` opens.
    pub(crate) fn get<E>(
        &self,
        number: u64,
        open: impl FnOnce() -> Result<Folder, E>,
    ) -> Result<Arc<Folder>, E> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some((folder, at)) = known
            && at.elapsed() < KEEP
        {
            return Ok(folder);
        }
        let folder = Arc::new(open()?);
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if folders.len() >= MOST {
            folders.clear();
        }
        folders.insert(number, (Arc::clone(&folder), Instant::now()));
        Ok(folder)
    }

    /// Lets go of all: a folder was renamed or removed.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Lets go of what is too old.
    pub(crate) fn sweep(&self) {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.retain(|_, (_, at)| at.elapsed() < KEEP);
    }
}
