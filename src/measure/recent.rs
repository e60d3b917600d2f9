//! What was measured a moment ago, so that many opens in a row cost little.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Entries beyond this push out the oldest.
const MAX: usize = 64;

/// Values by key, each good for `keep` from before it was measured.
pub(super) struct Recent<K, V> {
    keep: Duration,
    entries: Mutex<Vec<Entry<K, V>>>,
}

struct Entry<K, V> {
    key: K,
    value: V,
    at: Duration,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    pub(super) fn new(keep: Duration) -> Self {
        Recent { keep, entries: Mutex::new(Vec::new()) }
    }

    /// The value for `key`, if it is young enough at `now`, a time on the machine's uptime clock.
    pub(super) fn get(&self, key: &K, now: Duration) -> Option<V> {
        // Entries are whole whenever the lock is free, even after a panic elsewhere.
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().find(|e| e.key == *key)?;
        now.checked_sub(found.at).is_some_and(|age| age < self.keep).then(|| found.value.clone())
    }

    pub(super) fn put(&self, key: K, value: V, at: Duration) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|e| e.key != key);
        if entries.len() == MAX {
            entries.remove(0);
        }
        entries.push(Entry { key, value, at });
    }

    /// The value for `key`, measured if there is none that is young enough.
    pub(super) fn get_or(&self, key: K, now: Duration, measure: impl FnOnce() -> V) -> V {
        // Not under the lock: measuring may wait for a slow device.
        self.get(&key, now).unwrap_or_else(|| {
            let value = measure();
            self.put(key, value.clone(), now);
            value
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn values_age() {
        let recent = Recent::new(2 * SECOND);
        assert_eq!(recent.get_or("a", 10 * SECOND, || 1), 1);
        assert_eq!(recent.get_or("a", 11 * SECOND, || 2), 1);
        assert_eq!(recent.get_or("b", 11 * SECOND, || 3), 3);
        assert_eq!(recent.get_or("a", 12 * SECOND, || 4), 4);
        assert_eq!(recent.get(&"a", 9 * SECOND), None, "from the future");
    }

    #[test]
    fn the_oldest_goes_first() {
        let recent = Recent::new(SECOND);
        for key in 0..=MAX {
            recent.put(key, key, SECOND);
        }
        assert_eq!(recent.get(&0, SECOND), None);
        assert_eq!(recent.get(&1, SECOND), Some(1));
        assert_eq!(recent.get(&MAX, SECOND), Some(MAX));
    }
}
