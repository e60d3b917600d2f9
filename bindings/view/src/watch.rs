//! What ends while files are open: it is looked for every second, and the kernel's pages of a file
//! whose decision has ended are taken back.

use crate::view::{Opened, View};
use bulla::Right;
use fuser::{INodeNo, Notifier};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

const PERIOD: Duration = Duration::from_secs(1);
/// Files whose pages are taken back at the same time, each by a thread.
const TAKING: usize = 64;

/// Files and folders of a home whose change is a reason to read it again.
const PARTS: [&str; 6] = ["badge", "attestations", "revocations", "trust", "roots", "permits"];

/// When each part was changed last.
type Seen = BTreeMap<PathBuf, (SystemTime, u64)>;

fn seen(home: &Path) -> Seen {
    let parts = PARTS.iter().map(|part| home.join(part));
    let all = parts.flat_map(|part| {
        let inside = fs::read_dir(&part).into_iter().flatten().flatten().map(|e| e.path());
        inside.chain([part.clone()]).collect::<Vec<_>>()
    });
    let stamp = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok()?;
        Some((path, (metadata.modified().ok()?, metadata.len())))
    };
    all.filter_map(stamp).collect()
}

/// Watches until `end` is closed.
pub(crate) fn watch(views: Vec<(Arc<View>, Notifier)>, end: Receiver<()>) {
    let Some((first, _)) = views.first() else { return };
    let daemon = Arc::clone(&first.daemon);
    let mut before = seen(daemon.home.folder());
    let mut taking: BTreeMap<_, JoinHandle<()>> = BTreeMap::new();
    while end.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        taking.retain(|_, thread| !thread.is_finished());
        let now = seen(daemon.home.folder());
        if now != before {
            match daemon.session.refresh() {
                Ok(()) => before = now,
                // Half of a change, perhaps: the next round will tell.
                Err(e) => daemon.say(&format!("reading the home again: {e}")),
            }
        }
        for (i, (view, notifier)) in views.iter().enumerate() {
            view.recent.sweep();
            view.folders.sweep();
            let lost = lost(view);
            for (number, why) in &lost {
                daemon.say(why);
                // Each time: who may still read the file fills them again. It waits for writers of
                // pages, which wait for us: not here.
                let key = (i, *number);
                if !taking.contains_key(&key) && taking.len() < TAKING {
                    let (notifier, number) = (notifier.clone(), *number);
                    let take = move || drop(notifier.inval_inode(INodeNo(number), 0, 0));
                    // Where there is no thread for it, there is next time.
                    if let Ok(thread) = thread::Builder::new().spawn(take) {
                        taking.insert(key, thread);
                    }
                }
            }
        }
    }
}

/// Files that somebody has open and may not read any more, or not before it is decided again; and
/// why.
fn lost(view: &View) -> BTreeMap<u64, &'static str> {
    let opened = view.all_opened();
    let lost = opened.iter().filter_map(|opened| match &**opened {
        Opened::Sealed(h) if h.reads && h.is_stale() => {
            Some((h.number, "an open file was renamed over another: that one's policy holds now"))
        }
        Opened::Sealed(h) if h.reads && !h.allows(Right::View) => {
            Some((h.number, "the decision under which an open file is read has ended"))
        }
        _ => None,
    });
    lost.collect()
}
