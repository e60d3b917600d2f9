//! Points in time and durations, as policies and facts write them.

use super::read::At;
use crate::error::Result;
use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// The first second that is no time of ours: the year 3000. Before 1970 there is none either.
pub(crate) const END_OF_TIME: i64 = 32_503_680_000;

/// How far ahead of our clock the clock of a signer may be.
pub(crate) const LEEWAY: i64 = 60;

/// Reads `2026-04-01T00:00:00+09:00` (or `Z`): whole seconds, years 1970 to 2999, as Unix seconds.
///
/// jiff reads much more than this; two readers agree only on what is narrow.
pub(super) fn instant(at: &At<'_>) -> Result<i64> {
    parse_instant(at.str()?)
        .ok_or_else(|| at.error("must be a time like 2026-04-01T00:00:00+09:00, with its offset"))
}

pub(crate) fn parse_instant(s: &str) -> Option<i64> {
    let b = s.as_bytes();
    let shape = |b: &[u8], shape: &[u8]| {
        b.len() == shape.len()
            && b.iter()
                .zip(shape)
                .all(|(b, s)| if *s == b'0' { b.is_ascii_digit() } else { b == s })
    };
    if b.len() < 20 || !shape(&b[..19], b"0000-00-00T00:00:00") {
        return None;
    }
    let n = |from: usize, len: usize| s.get(from..from + len)?.parse::<i32>().ok();
    let offset = match b[19] {
        b'Z' if b.len() == 20 => 0,
        sign @ (b'+' | b'-') if shape(&b[20..], b"00:00") => {
            let (hours, minutes) = (n(20, 2)?, n(23, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let east = hours * 3600 + minutes * 60;
            if sign == b'-' { -east } else { east }
        }
        _ => return None,
    };
    let narrow = |v: i32| i8::try_from(v).ok();
    let local = DateTime::new(
        i16::try_from(n(0, 4)?).ok()?,
        narrow(n(5, 2)?)?,
        narrow(n(8, 2)?)?,
        narrow(n(11, 2)?)?,
        narrow(n(14, 2)?)?,
        narrow(n(17, 2)?)?,
        0,
    )
    .ok()?;
    let seconds = Offset::from_seconds(offset).ok()?.to_timestamp(local).ok()?.as_second();
    (0..END_OF_TIME).contains(&seconds).then_some(seconds)
}

/// Reads `15m`, `24h`, `7d`: a whole number of one unit, in seconds.
pub(super) fn duration(at: &At<'_>) -> Result<u64> {
    parse_duration(at.str()?).ok_or_else(|| {
        at.error("must be a duration like 90s, 15m, 24h or 7d: at most five digits and a unit")
    })
}

pub(crate) fn parse_duration(s: &str) -> Option<u64> {
    let (unit, digits) = s.as_bytes().split_last()?;
    let seconds = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        _ => return None,
    };
    if !(1..=5).contains(&digits.len()) || digits[0] == b'0' {
        return None;
    }
    digits
        .iter()
        .try_fold(0, |n: u64, d| d.is_ascii_digit().then(|| n * 10 + u64::from(d - b'0')))
        .map(|n| n * seconds)
}

/// A duration as [`parse_duration`] reads it, in the unit in which people write it.
pub(super) fn show_duration(seconds: u64) -> String {
    // "24h" and "48h" are usual; days only from three on.
    for (unit, name, least) in [(86_400, 'd', 3), (3600, 'h', 1), (60, 'm', 1)] {
        if seconds.is_multiple_of(unit) && seconds / unit >= least {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

/// `2026-04-01T00:00:00Z`.
pub(crate) fn show_instant(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(t) => t.to_string(),
        Err(_) => "a time out of range".into(),
    }
}

/// `2026-04-01 00:00 UTC`, for people.
pub(crate) fn show_minute(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(t) => t.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "a time out of range".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        assert_eq!(parse_instant("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_instant("2026-04-01T00:00:00+09:00"), Some(1_774_969_200));
        assert_eq!(parse_instant("2028-02-29T23:59:59-05:30"), Some(1_835_501_399));
        assert_eq!(parse_instant("2026-04-01T23:59:00+23:59"), Some(1_775_001_600));
        assert_eq!(parse_instant("2999-12-31T23:59:59Z"), Some(END_OF_TIME - 1));
        for bad in [
            "",
            "2026-04-01",
            "2026-04-01T00:00:00",
            "2026-04-01t00:00:00Z",
            "2026-04-01 00:00:00Z",
            "2026-04-01T00:00:00z",
            "2026-04-01T00:00:00.0Z",
            "2026-04-01T00:00:60Z",
            "2026-04-01T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-04-01T00:00:00+0900",
            "2026-04-01T00:00:00+24:00",
            "2026-04-01T00:00:00+09:60",
            "2026-04-01T00:00:00Z ",
            "2026-04-01T00:00:00+09:00[Asia/Seoul]",
            "1969-12-31T23:59:59Z",
            "3000-01-01T00:00:00Z",
            "1970-01-01T00:00:00+00:01",
            "٢٠٢٦-04-01T00:00:00Z",
        ] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("90s"), Some(90));
        assert_eq!(parse_duration("15m"), Some(900));
        assert_eq!(parse_duration("99999d"), Some(99_999 * 86_400));
        for bad in ["", "h", "0h", "024h", "100000d", "1w", "1.5h", "-1h", "1 h", "24H", "24"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_read_back() {
        for s in ["1s", "90s", "15m", "90m", "2h", "24h", "48h", "72h", "7d", "99999d"] {
            let seconds = parse_duration(s).unwrap();
            assert_eq!(parse_duration(&show_duration(seconds)), Some(seconds), "{s}");
        }
    }
}
