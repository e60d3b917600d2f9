//! The one place that asks the system for the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds; 0 on a clock before 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
