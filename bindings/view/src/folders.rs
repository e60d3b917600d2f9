//! Open folders, so that many files of one folder do not each lead through its path, and share its
//! descriptor for as long as they are open.

use crate::folder::Folder;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// How long a path is not followed again: as long as the kernel believes a name without asking.
const KEEP: Duration = Duration::from_secs(1);

/// Folders that are kept while nothing in them is open; all are let go beyond that.
const MOST: usize = 256;

struct Known {
    folder: Arc<Folder>,
    /// When its path was followed last; `None` if it has to be again.
    at: Option<Instant>,
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() < KEEP)
    }

    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.folder) > 1
    }
}

#[derive(Default)]
pub(crate) struct Folders(RwLock<HashMap<u64, Known>>);

impl Folders {
    /// The folder of this number, which `open` opens by its path.
    pub(crate) fn get<E>(
        &self,
        number: u64,
        open: impl FnOnce() -> Result<Folder, E>,
    ) -> Result<Arc<Folder>, E> {
        let folders = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(&number).filter(|known| known.is_fresh()) {
            return Ok(Arc::clone(&known.folder));
        }
        drop(folders);
        // No folder is renamed between the look at its path and the opening.
        let mut folders = self.write();
        let new = open()?;
        let same = folders.get(&number).filter(|known| known.folder.is(&new));
        let folder = same.map_or_else(|| Arc::new(new), |known| Arc::clone(&known.folder));
        if folders.len() >= MOST {
            folders.retain(|_, known| known.is_in_use());
        }
        let known = Known { folder: Arc::clone(&folder), at: Some(Instant::now()) };
        folders.insert(number, known);
        Ok(folder)
    }

    /// Renames or removes a folder: all paths are followed again.
    pub(crate) fn change<T>(&self, change: impl FnOnce() -> T) -> T {
        let mut folders = self.write();
        let done = change();
        folders.values_mut().for_each(|known| known.at = None);
        done
    }

    /// Lets go of what is too old, and not in use.
    pub(crate) fn sweep(&self) {
        self.write().retain(|_, known| known.is_fresh() || known.is_in_use());
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<u64, Known>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_is_in_use_is_shared_and_the_rest_let_go() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a");
        std::fs::create_dir(&path).unwrap();
        let root = Folder::root(temporary.path()).unwrap();
        let folders = Folders::default();
        let get = || folders.get(2, || root.below(Path::new("a"))).unwrap();
        let first = get();
        folders.change(|| ());
        assert!(Arc::ptr_eq(&first, &get()), "it is the same folder");
        folders.change(|| ());
        folders.sweep();
        assert!(Arc::ptr_eq(&first, &get()), "it is in use");

        // Another one has its name, which is seen when the path is followed again.
        std::fs::rename(&path, temporary.path().join("b")).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &get()));
        folders.change(|| ());
        let second = get();
        assert!(!Arc::ptr_eq(&first, &second));
        drop(second);
        folders.change(|| ());
        folders.sweep();
        assert!(folders.0.read().unwrap().is_empty());
    }
}
