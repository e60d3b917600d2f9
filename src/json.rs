//! Strict JSON: what is signed or hashed has exactly one reading.
//!
//! `serde_json` alone lets a map repeat a key, a struct stand as an array, a `null` as a missing
//! value. Here such documents are refused, as are unknown keys, fractions, integers from 2^53 on
//! and deep nesting, so that two readers of the same bytes cannot disagree.

use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::{Map, Number, Value};
use std::fmt;
use zeroize::Zeroize;

/// Deepest nesting of arrays and objects that is read.
pub const MAX_DEPTH: usize = 16;

/// Largest integer that every JSON reader represents exactly: 2^53 − 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Reads one JSON document as a `Value` under the rules above.
pub fn value(bytes: &[u8]) -> Result<Value, String> {
    read(bytes, Numbers::Integers)
}

/// The same with fractions and integers of any size, as other people's tokens hold them.
pub fn value_with_any_numbers(bytes: &[u8]) -> Result<Value, String> {
    read(bytes, Numbers::Any)
}

fn read(bytes: &[u8], numbers: Numbers) -> Result<Value, String> {
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: MAX_DEPTH, numbers };
    let value = strict.deserialize(&mut de).map_err(|e| explain(&e))?;
    de.end().map_err(|e| explain(&e))?;
    Ok(value)
}

/// Reads one JSON object as a `T`, and refuses any document that `T` would not write itself:
/// unknown keys, nulls and arrays in place of objects among them.
pub fn from_slice<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, String> {
    from_value(value(bytes)?)
}

/// The same of a document with secret texts: nothing of them stays in memory but what `T` holds.
pub fn from_secret<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, String> {
    let value = Wiped(value(bytes)?);
    strictly(&value.0, |written| Wiped(std::mem::take(written)).0 == value.0)
}

/// The same, from a value that came from [`value`].
pub fn from_value<T: DeserializeOwned + Serialize>(value: Value) -> Result<T, String> {
    strictly(&value, |written| *written == value)
}

fn strictly<T: DeserializeOwned + Serialize>(
    value: &Value,
    is: impl FnOnce(&mut Value) -> bool,
) -> Result<T, String> {
    let parsed: T = T::deserialize(value).map_err(|e| explain(&e))?;
    let mut written = serde_json::to_value(&parsed).map_err(|e| explain(&e))?;
    if is(&mut written) {
        Ok(parsed)
    } else {
        Err("has members that are not understood here".into())
    }
}

/// An object whose texts are wiped when it is dropped; within other values they are not.
struct Wiped(Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        for member in self.0.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Value::String(text) = member {
                text.zeroize();
            }
        }
    }
}

/// serde's message without the value it met: that could be a customer's.
pub(crate) fn explain(e: &serde_json::Error) -> String {
    let text = e.to_string();
    // "unknown field `x`, expected …" names keys, never values; others may quote a value.
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        let want = text.split(", expected ").nth(1).unwrap_or("something else");
        return format!("a value of the wrong kind, expected {want}");
    }
    text
}

/// Which numbers are read.
#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Integers,
    Any,
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    numbers: Numbers,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Strict, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Strict { depth, ..self })
    }

    fn integer<E: de::Error>(self, v: impl Into<Number>, size: u64) -> Result<Value, E> {
        if size > MAX_INTEGER && self.numbers == Numbers::Integers {
            return Err(E::custom("an integer of 2^53 or more"));
        }
        Ok(Value::Number(v.into()))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Value, E> {
        self.integer(v, v)
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Value, E> {
        self.integer(v, v.unsigned_abs())
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Value, E> {
        if self.numbers == Numbers::Integers {
            return Err(E::custom("a number that is not an integer"));
        }
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut out = Vec::new();
        while let Some(v) = seq.next_element_seed(deeper)? {
            out.push(v);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let v = map.next_value_seed(deeper)?;
            if out.insert(key, v).is_some() {
                return Err(de::Error::custom("a key that stands twice"));
            }
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        y: Option<u64>,
    }

    #[test]
    fn reads_what_is_plain() {
        assert_eq!(from_slice(br#" {"x": 1} "#), Ok(Point { x: 1, y: None }));
        assert_eq!(
            from_slice(br#"{"y":2,"x":9007199254740991}"#),
            Ok(Point { x: MAX_INTEGER, y: Some(2) })
        );
    }

    #[test]
    fn refuses_every_second_reading() {
        for bad in [
            &br#"{"x":1,"x":1}"#[..],
            br#"{"x":1,"z":1}"#,
            br#"{"x":1,"y":null}"#,
            br#"[1]"#,
            br#"[1,2]"#,
            br#"{"x":1.0}"#,
            br#"{"x":9007199254740992}"#,
            br#"{"x":-1}"#,
            br#"{"x":1} {}"#,
            br#"{"x":1"#,
            br#"{"x":"\ud800"}"#,
            b"",
            b"\xff",
        ] {
            assert!(from_slice::<Point>(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(value(&nested(MAX_DEPTH)).is_ok());
        assert!(value(&nested(MAX_DEPTH + 1)).is_err());
        assert!(value(&nested(100_000)).is_err());
    }

    #[test]
    fn any_numbers_change_nothing_else() {
        for (good, bad) in [("1.5", "[1.5,1e999]"), ("1e30", "nul"), ("18446744073709551616", "01")]
        {
            assert!(value(good.as_bytes()).is_err(), "{good}");
            assert!(value_with_any_numbers(good.as_bytes()).is_ok(), "{good}");
            assert!(value_with_any_numbers(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(value_with_any_numbers(br#"{"x":{"y":1.5,"y":1.5}}"#).is_err());
        let nested = [vec![b'['; MAX_DEPTH + 1], vec![b']'; MAX_DEPTH + 1]].concat();
        assert!(value_with_any_numbers(&nested).is_err());
    }

    #[test]
    fn messages_do_not_quote_values() {
        let e = from_slice::<Point>(br#"{"x":"Kim Minjun"}"#).unwrap_err();
        assert!(!e.contains("Kim"), "{e}");
    }
}
