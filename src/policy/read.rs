//! Walking a JSON value so that every complaint names its place (`grants[0].when.hours.zone`).

use crate::error::{Code, Error, Result};
use serde_json::{Map, Value};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub value: &'a Value,
    path: String,
    code: Code,
}

impl<'a> At<'a> {
    /// The whole document; complaints about it carry `code`.
    pub fn root(value: &'a Value, code: Code) -> Self {
        At { value, path: String::new(), code }
    }

    /// A complaint about this place.
    pub fn error(&self, what: &str) -> Error {
        if self.path.is_empty() {
            return Error::new(self.code, what.to_owned());
        }
        Error::new(self.code, format!("{}: {what}", self.path))
    }

    fn key(&self, key: &str, value: &'a Value) -> At<'a> {
        let path = match (self.path.is_empty(), is_plain(key)) {
            (_, false) => format!("{}.?", self.path),
            (true, true) => key.to_owned(),
            (false, true) => format!("{}.{key}", self.path),
        };
        At { value, path, code: self.code }
    }

    fn map(&self) -> Result<&'a Map<String, Value>> {
        let map = self.value.as_object().ok_or_else(|| self.error("must be an object"))?;
        if map.is_empty() {
            return Err(self.error("is empty; leave it out instead"));
        }
        Ok(map)
    }

    /// An object with no other keys than these.
    pub fn object(&self, known: &[&str]) -> Result<Object<'a>> {
        let map = self.map()?;
        for key in map.keys() {
            if !known.contains(&key.as_str()) {
                let shown = if is_plain(key) { key } else { "one key here" };
                let known = known.join(", ");
                return Err(self.error(&format!("{shown} is not known; known are {known}")));
            }
        }
        Ok(Object { at: self.clone(), map })
    }

    /// An object whose keys are data, sorted by key.
    pub fn table(&self, most: usize) -> Result<Vec<(&'a str, At<'a>)>> {
        let map = self.map()?;
        if map.len() > most {
            return Err(self.error(&format!("has more than {most} members")));
        }
        let mut all: Vec<_> = map.iter().map(|(k, v)| (k.as_str(), self.key(k, v))).collect();
        all.sort_by_key(|(k, _)| *k);
        Ok(all)
    }

    /// A list of 1 to `most` entries.
    pub fn list(&self, most: usize) -> Result<Vec<At<'a>>> {
        let list = self.value.as_array().ok_or_else(|| self.error("must be a list"))?;
        if list.is_empty() {
            return Err(self.error("is empty; leave it out instead"));
        }
        if list.len() > most {
            return Err(self.error(&format!("has more than {most} entries")));
        }
        let entry = |(i, value)| At { value, path: format!("{}[{i}]", self.path), code: self.code };
        Ok(list.iter().enumerate().map(entry).collect())
    }

    /// A list of 1 to `most` entries, each read by `read`, none twice.
    pub fn distinct<T: PartialEq>(
        &self,
        most: usize,
        read: impl Fn(&At<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        for at in self.list(most)? {
            let item = read(&at)?;
            if out.contains(&item) {
                return Err(at.error("stands in the list twice"));
            }
            out.push(item);
        }
        Ok(out)
    }

    /// A string.
    pub fn str(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.error("must be a string"))
    }

    /// A string of 1 to `most` characters that shows as what it is: without control characters
    /// and without marks that turn the direction of writing.
    pub fn text(&self, most: usize) -> Result<&'a str> {
        let text = self.str()?;
        if text.is_empty() || text.chars().count() > most {
            return Err(self.error(&format!("must have 1 to {most} characters")));
        }
        if text.chars().any(is_hidden) {
            return Err(self.error("must not hold control characters"));
        }
        Ok(text)
    }

    /// A lower-case word: letters, digits, `.` and `-`, 1 to 64 of them, a letter or digit first.
    pub fn word(&self) -> Result<&'a str> {
        let word = self.str()?;
        if is_word(word) {
            return Ok(word);
        }
        Err(self.error("must be 1 to 64 lower-case letters, digits, dots and hyphens"))
    }

    /// One of a closed vocabulary.
    pub fn named<T: Copy>(
        &self,
        all: &[T],
        name: impl Fn(T) -> &'static str,
        what: &str,
    ) -> Result<T> {
        let word = self.str()?;
        all.iter().copied().find(|&t| name(t) == word).ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|&t| name(t)).collect();
            self.error(&format!("no such {what}; there are {}", names.join(", ")))
        })
    }

    /// An integer within bounds.
    pub fn integer(&self, least: u64, most: u64) -> Result<u64> {
        self.value
            .as_u64()
            .filter(|n| (least..=most).contains(n))
            .ok_or_else(|| self.error(&format!("must be an integer from {least} to {most}")))
    }
}

/// An object whose keys were checked.
#[derive(Debug)]
pub(super) struct Object<'a> {
    at: At<'a>,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The member, where it is there.
    pub fn get(&self, key: &str) -> Option<At<'a>> {
        self.map.get(key).map(|v| self.at.key(key, v))
    }

    /// The member, which must be there.
    pub fn need(&self, key: &str) -> Result<At<'a>> {
        self.get(key).ok_or_else(|| self.at.error(&format!("{key} is missing")))
    }
}

/// Only such keys are shown in messages; any other could be anything.
fn is_plain(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// Whether the string is a word, as [`At::word`] reads one.
pub(crate) fn is_word(s: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=64).contains(&s.len())
        && s.bytes().all(|b| lower(b) || b == b'-' || b == b'.')
        && s.bytes().next().is_some_and(lower)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
