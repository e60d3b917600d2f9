//! The numbers that the kernel knows files by, and where each is.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of the folder that a view is of.
pub(crate) const ROOT: u64 = 1;

/// Deepest path that is followed, so that a broken table ends, too.
const DEEPEST: usize = 4096;

struct Node {
    parent: u64,
    real: OsString,
    /// How often the kernel was told of it, less what it has forgotten.
    known: u64,
    /// Whether its name is gone. What is open goes on.
    gone: bool,
}

#[derive(Default)]
struct Table {
    nodes: HashMap<u64, Node>,
    numbers: HashMap<(u64, OsString), u64>,
    last: u64,
}

/// All numbers of a view.
pub(crate) struct Tree(Mutex<Table>);

impl Default for Tree {
    fn default() -> Self {
        Tree(Mutex::new(Table { last: ROOT, ..Table::default() }))
    }
}

impl Tree {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a name in a folder; `counted` if the kernel is told of it.
    pub(crate) fn number(&self, parent: u64, real: &OsStr, counted: bool) -> u64 {
        let mut table = self.table();
        let key = (parent, real.to_owned());
        let number = match table.numbers.get(&key) {
            Some(number) => *number,
            None => {
                table.last += 1;
                let number = table.last;
                table.numbers.insert(key, number);
                let node = Node { parent, real: real.to_owned(), known: 0, gone: false };
                table.nodes.insert(number, node);
                number
            }
        };
        if let Some(node) = table.nodes.get_mut(&number) {
            node.known += u64::from(counted);
        }
        number
    }

    /// The folder and the name there; `None` if it is gone.
    pub(crate) fn place(&self, number: u64) -> Option<(u64, OsString)> {
        let table = self.table();
        let node = table.nodes.get(&number).filter(|node| !node.gone)?;
        Some((node.parent, node.real.clone()))
    }

    /// The path from the view's folder; `None` if it is gone.
    pub(crate) fn path(&self, number: u64) -> Option<PathBuf> {
        let table = self.table();
        let mut names = Vec::new();
        let mut at = number;
        while at != ROOT {
            let node = table.nodes.get(&at).filter(|node| !node.gone)?;
            names.push(node.real.as_os_str());
            at = node.parent;
            if names.len() > DEEPEST {
                return None;
            }
        }
        Some(names.iter().rev().collect())
    }

    /// The name is gone.
    pub(crate) fn remove(&self, parent: u64, real: &OsStr) {
        let mut table = self.table();
        let number = table.numbers.remove(&(parent, real.to_owned()));
        if let Some(node) = number.and_then(|n| table.nodes.get_mut(&n)) {
            node.gone = true;
        }
    }

    /// What has the first name has the second from now on.
    pub(crate) fn rename(&self, from: (u64, &OsStr), to: (u64, &OsStr)) {
        self.remove(to.0, to.1);
        let mut table = self.table();
        let Some(number) = table.numbers.remove(&(from.0, from.1.to_owned())) else { return };
        if let Some(node) = table.nodes.get_mut(&number) {
            (node.parent, node.real) = (to.0, to.1.to_owned());
        }
        table.numbers.insert((to.0, to.1.to_owned()), number);
    }

    /// The kernel has forgotten it so many times; `in_use` if it is still needed here.
    pub(crate) fn forget(&self, number: u64, times: u64, in_use: bool) {
        let mut table = self.table();
        let Some(node) = table.nodes.get_mut(&number) else { return };
        node.known = node.known.saturating_sub(times);
        if node.known > 0 || in_use {
            return;
        }
        let (key, gone) = ((node.parent, node.real.clone()), node.gone);
        table.nodes.remove(&number);
        if !gone {
            table.numbers.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn paths_follow_renames() {
        let tree = Tree::default();
        let folder = tree.number(ROOT, name("a"), true);
        let file = tree.number(folder, name("b"), true);
        assert_eq!(tree.number(folder, name("b"), true), file);
        assert_eq!(tree.path(file).unwrap(), PathBuf::from("a/b"));
        tree.rename((ROOT, name("a")), (ROOT, name("c")));
        assert_eq!(tree.path(file).unwrap(), PathBuf::from("c/b"));
        assert_eq!(tree.path(ROOT).unwrap(), PathBuf::new());

        // What was in the way is gone, and its number is not used again.
        let other = tree.number(folder, name("d"), true);
        tree.rename((folder, name("d")), (folder, name("b")));
        assert_eq!((tree.path(file), tree.place(other).unwrap().1), (None, "b".into()));
        tree.remove(folder, name("b"));
        assert_ne!(tree.number(folder, name("b"), false), other);
    }

    #[test]
    fn what_is_forgotten_is_no_burden() {
        let tree = Tree::default();
        let file = tree.number(ROOT, name("a"), true);
        tree.number(ROOT, name("a"), true);
        tree.forget(file, 1, false);
        assert!(tree.place(file).is_some());
        tree.forget(file, 1, true);
        assert!(tree.place(file).is_some());
        tree.forget(file, 0, false);
        assert!(tree.place(file).is_none());
        assert!(tree.table().numbers.is_empty());
    }
}
