//! JSON with edits that the input chooses, and compact JWS with a signature that holds: what is
//! behind the signature is parsed only then.

use arbitrary::{Result, Unstructured};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

pub fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

pub fn unb64(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url")
}

/// Header and claims of a compact JWS.
pub fn parts(jws: &str) -> (Map<String, Value>, Map<String, Value>) {
    let mut parts = jws.trim().split('.').map(|part| serde_json::from_slice(&unb64(part)));
    let mut part = || parts.next().expect("a part").expect("an object");
    (part(), part())
}

/// The text of one, its signature by `sign`.
pub fn jws(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", b64(header.as_bytes()), b64(claims.as_bytes()));
    let signature = b64(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Up to `most` edits, then as text, at times with another edit there: what a `Value` cannot be,
/// such as a member twice.
pub fn edited(u: &mut Unstructured<'_>, value: &Map<String, Value>, most: u8) -> Result<String> {
    let mut value = Value::Object(value.clone());
    for _ in 0..u.int_in_range(0..=most)? {
        edit(u, &mut value)?;
    }
    let mut text = value.to_string();
    if u.ratio(1, 8)? {
        let at = u.choose_index(text.len() + 1)?;
        let at = text.floor_char_boundary(at);
        let extra = [
            "\"seq\":1,",
            "\"iat\":1,",
            " ",
            "\n",
            "{",
            "}",
            ",",
            "\u{feff}",
            "1e0",
            "null",
            "\\u0000",
        ];
        text.insert_str(at, u.choose(&extra)?);
    }
    Ok(text)
}

fn edit(u: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(members) if !members.is_empty() && u.ratio(7, 8)? => {
            let at = u.choose_index(members.len())?;
            let name = members.keys().nth(at).expect("a member").clone();
            match u.int_in_range(0..=7)? {
                0 => drop(members.remove(&name)),
                1 => {
                    let new = (*u.choose(&["", "x", "crit", "jku", "kid", "exp"])?).to_owned();
                    members.insert(new, any(u)?);
                }
                2 => {
                    let with = members.values().nth(u.choose_index(members.len())?).cloned();
                    members.insert(name, with.expect("a member"));
                }
                _ => edit(u, members.get_mut(&name).expect("a member"))?,
            }
        }
        Value::Array(items) if !items.is_empty() && u.ratio(7, 8)? => {
            let at = u.choose_index(items.len())?;
            match u.int_in_range(0..=7)? {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                // More than any list may have, and not so long that writing and reading it here takes the time.
                2 if items.len() < 10 && items[at].to_string().len() < 100 => {
                    let copies = u.int_in_range(1..=600)?;
                    let item = items[at].clone();
                    items.extend(std::iter::repeat_n(item, copies));
                }
                _ => edit(u, &mut items[at])?,
            }
        }
        Value::String(text) if u.ratio(3, 4)? => {
            let at = text.floor_char_boundary(u.choose_index(text.len() + 1)?);
            match u.int_in_range(0..=3)? {
                0 => text.truncate(at),
                1 => text.insert(at, u.arbitrary()?),
                2 if text.len() < 2_000 => *text = text.repeat(u.int_in_range(0..=20)?),
                _ => {
                    if let Some(c) = text[at..].chars().next() {
                        let with = *u.choose(&["A", "Q", "=", "+", " ", "0", "\u{7f}"])?;
                        text.replace_range(at..at + c.len_utf8(), with);
                    }
                }
            }
        }
        Value::Number(number) if u.ratio(3, 4)? => {
            let by = *u.choose(&[-61, -60, -1, 1, 60, 61, 3600, 86_400, 31 * 86_400])?;
            *value = number.as_i64().unwrap_or(0).wrapping_add(by).into();
        }
        _ => *value = any(u)?,
    }
    Ok(())
}

fn any(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=11)? {
        0 => Value::Null,
        1 => json!({}),
        2 => json!([]),
        3 => json!([[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]),
        4 => u.arbitrary::<bool>()?.into(),
        5 => u.arbitrary::<i64>()?.into(),
        6 => json!(1.5),
        7 => json!(*u.choose(&[0, 1, -1, (1 << 53) - 1, 1 << 53, i64::MIN, i64::MAX])?),
        8 => json!(u64::MAX),
        9 => u.arbitrary::<&str>()?.into(),
        10 => "A".repeat(*u.choose(&[22, 32, 43, 256, 257, 300])?).into(),
        _ => json!({"jkt": "A".repeat(43)}),
    })
}
