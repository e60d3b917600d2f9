//! `config.toml` of the home folder.
//!
//! ```toml
//! [trail]
//! sync = "batched"    # or "always", "never"
//! lock_wait = "10s"
//! ```

use crate::atomic::read_text;
use crate::policy::parse_duration;
use crate::trail::TrailOptions;
use crate::{Code, Error, Result};
use serde::{Deserialize, Deserializer, de};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "config.toml";
const MAX: usize = 64 * 1024;

/// What a home is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) trail: TrailOptions,
}

impl Config {
    /// The home's configuration; without a file, the defaults.
    ///
    /// # Errors
    /// [`Code::BadArgument`] with what is wrong: unknown keys are refused.
    pub(crate) fn read(folder: &Path) -> Result<Config> {
        let text = match read_text(&folder.join(NAME), MAX) {
            Err(e) if e.code() == Code::NotFound => return Ok(Config::default()),
            text => text.map_err(|e| e.context(NAME))?,
        };
        toml::from_str(&text).map_err(|e| {
            Error::new(Code::BadArgument, format!("{NAME}: {}", e.to_string().trim_end()))
        })
    }
}

/// Reads `10s`, `2m`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(d)?;
    parse_duration(&text)
        .map(Duration::from_secs)
        .ok_or_else(|| de::Error::custom("not a duration like 10s or 2m"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::Sync;

    fn read(text: &str) -> Result<TrailOptions> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), text).unwrap();
        Config::read(folder.path()).map(|c| c.trail)
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let default = TrailOptions {
            sync: Sync::Batched,
            wait: Duration::from_secs(10),
            ..TrailOptions::default()
        };
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().trail, default);
        assert_eq!(read("").unwrap(), default);
        assert_eq!(read("[trail]\n").unwrap(), default);
        let set = read("[trail]\nsync = \"always\"\n").unwrap();
        assert_eq!(set, TrailOptions { sync: Sync::Always, ..default });
        let set = read("[trail]\nlock_wait = \"2m\"\nsync = \"never\"").unwrap();
        assert_eq!(
            set,
            TrailOptions { sync: Sync::Never, wait: Duration::from_secs(120), ..default }
        );
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (text, named) in [
            ("[trial]\n", "trial"),
            ("[trail]\nsink = \"never\"", "sink"),
            ("[trail]\nsync = \"sometimes\"", "sometimes"),
            ("[trail]\nlock_wait = 10", "lock_wait"),
            ("[trail]\nlock_wait = \"10\"", "lock_wait"),
            ("trail = 1", "trail"),
            ("[trail", "config.toml"),
        ] {
            let refused = read(text).unwrap_err();
            assert_eq!(refused.code(), Code::BadArgument, "{text}");
            assert!(refused.to_string().contains(named), "{refused}");
        }
    }
}
