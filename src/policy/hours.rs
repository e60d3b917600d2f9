//! The condition `hours`: weekly windows on the clock of a time zone.

use super::read::At;
use super::time;
use crate::error::Result;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// The bundled zones: the machine's could be old, or edited.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const DAYS: [(&str, &str); 7] = [
    ("mon", "Mon"),
    ("tue", "Tue"),
    ("wed", "Wed"),
    ("thu", "Thu"),
    ("fri", "Fri"),
    ("sat", "Sat"),
    ("sun", "Sun"),
];

/// One window: on these days, from a time of day until another, which may be on the next day.
#[derive(Clone, Debug)]
pub(super) struct Window {
    zone: TimeZone,
    days: u8,
    from: Time,
    to: Time,
    /// `to` is on the day after the one on which the window starts.
    next_day: bool,
}

/// One occurrence of a window, in Unix seconds: start inclusive, end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: i64,
    pub end: i64,
}

impl Window {
    /// Reads one window, or a list of them.
    pub fn parse_all(at: &At<'_>) -> Result<Vec<Window>> {
        if at.value.is_object() {
            return Ok(vec![Window::parse(at)?]);
        }
        at.list(16)?.iter().map(Window::parse).collect()
    }

    fn parse(at: &At<'_>) -> Result<Window> {
        let o = at.object(&["zone", "days", "from", "to"])?;
        let zone = o.need("zone")?;
        let day = |at: &At<'_>| {
            let names: Vec<usize> = (0..DAYS.len()).collect();
            at.named(&names, |i| DAYS[i].0, "day")
        };
        let days = o.need("days")?.distinct(7, day)?.iter().fold(0, |set, i| set | 1 << i);
        let (from_at, to_at) = (o.need("from")?, o.need("to")?);
        let (from, to) = (minutes(&from_at, 1439)?, minutes(&to_at, 1440)?);
        if from == to {
            return Err(to_at.error("equals from; a whole day is 00:00 to 24:00"));
        }
        Ok(Window {
            zone: parse_zone(&zone)?,
            days,
            from: clock(from),
            to: clock(to % 1440),
            next_day: to == 1440 || to < from,
        })
    }

    /// The end of the occurrence that holds `now`, where one does: the latest if several do.
    pub fn end(&self, now: i64) -> Option<i64> {
        let today = self.local(now)?.date();
        let mut end = None;
        // A window that starts tomorrow can hold now where the clock is set back over midnight.
        // One that started yesterday only if it goes on beyond midnight.
        let yesterday = if self.next_day { today.yesterday().ok() } else { None };
        for date in [yesterday, Some(today), today.tomorrow().ok()].into_iter().flatten() {
            if !self.starts_on(date) {
                continue;
            }
            let start = self.first(date.to_datetime(self.from))?;
            if start <= now {
                end = end.max(self.end_of(date).filter(|&end| now < end));
            }
        }
        end
    }

    /// All occurrences that start on `count` days from `from` on, empty ones left out.
    pub fn spans(&self, from: i64, count: usize) -> Vec<Span> {
        let Some(local) = self.local(from) else { return Vec::new() };
        let mut spans = Vec::new();
        let first = local.date().yesterday().unwrap_or(local.date());
        for date in first.series(jiff::Span::new().days(1)).take(count.saturating_add(2)) {
            if !self.starts_on(date) {
                continue;
            }
            let start = self.first(date.to_datetime(self.from));
            if let (Some(start), Some(end)) = (start, self.end_of(date))
                && start < end
            {
                spans.push(Span { start, end });
            }
        }
        spans
    }

    fn starts_on(&self, date: Date) -> bool {
        self.days & (1 << date.weekday().to_monday_zero_offset()) != 0
    }

    fn end_of(&self, date: Date) -> Option<i64> {
        let date = if self.next_day { date.tomorrow().ok()? } else { date };
        self.first(date.to_datetime(self.to))
    }

    fn local(&self, now: i64) -> Option<DateTime> {
        if !(0..time::END_OF_TIME).contains(&now) {
            return None;
        }
        Some(self.zone.to_datetime(Timestamp::from_second(now).ok()?))
    }

    /// The first instant at which the zone's clock shows this or anything later: of a time that
    /// comes twice the first one, of a time that is skipped the moment of the skip.
    fn first(&self, dt: DateTime) -> Option<i64> {
        let offset = match self.zone.to_ambiguous_timestamp(dt).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { after, .. } => {
                // With the offset after the skip, a skipped time lies just before it.
                let before_skip = after.to_timestamp(dt).ok()?;
                return self
                    .zone
                    .following(before_skip)
                    .take(4)
                    .map(|t| t.timestamp())
                    .find(|&t| self.zone.to_datetime(t) >= dt)
                    .map(|t| t.as_second());
            }
        };
        Some(offset.to_timestamp(dt).ok()?.as_second())
    }

    /// `Sat 10:12`: what the zone's clock shows.
    pub fn show_now(&self, now: i64) -> String {
        match self.local(now) {
            Some(t) => {
                let day = DAYS[weekday(t.weekday())].1;
                format!("{day} {:02}:{:02}", t.hour(), t.minute())
            }
            None => "a time out of range".into(),
        }
    }

    /// `Mon–Fri 08:30–18:30 Asia/Seoul`.
    pub fn show(&self) -> String {
        let mut days = String::new();
        let mut i = 0;
        while i < 7 {
            let run = (i..7).take_while(|d| self.days & (1 << d) != 0).count();
            if run > 0 && !days.is_empty() {
                days.push(',');
            }
            match run {
                0 => i += 1,
                1 => days.push_str(DAYS[i].1),
                2 => days.push_str(&format!("{},{}", DAYS[i].1, DAYS[i + 1].1)),
                _ => days.push_str(&format!("{}–{}", DAYS[i].1, DAYS[i + run - 1].1)),
            }
            i += run;
        }
        let show = |t: Time| format!("{:02}:{:02}", t.hour(), t.minute());
        let to = if self.to == Time::midnight() { "24:00".into() } else { show(self.to) };
        let zone = self.zone.iana_name().unwrap_or("?");
        format!("{days} {}–{to} {zone}", show(self.from))
    }
}

fn weekday(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

fn clock(minutes: u32) -> Time {
    let part = |n: u32| i8::try_from(n).unwrap_or(0);
    Time::new(part(minutes / 60), part(minutes % 60), 0, 0).unwrap_or(Time::midnight())
}

fn minutes(at: &At<'_>, most: u32) -> Result<u32> {
    let parse = |s: &str| {
        let b = s.as_bytes();
        let digit = |i: usize| b.get(i).filter(|d| d.is_ascii_digit()).map(|d| u32::from(d - b'0'));
        if b.len() != 5 || b[2] != b':' {
            return None;
        }
        let (h, m) = (digit(0)? * 10 + digit(1)?, digit(3)? * 10 + digit(4)?);
        (m < 60 && h * 60 + m <= most).then_some(h * 60 + m)
    };
    parse(at.str()?).ok_or_else(|| at.error("must be a time of day like 08:30"))
}

fn parse_zone(at: &At<'_>) -> Result<TimeZone> {
    let name = at.str()?;
    let zone = ZONES.get(name).ok().filter(|z| !z.is_unknown());
    // Names are looked up without regard to case; only one spelling is written.
    zone.filter(|z| z.iana_name() == Some(name))
        .ok_or_else(|| at.error("no such time zone; write it like Asia/Seoul"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use serde_json::json;

    fn window(zone: &str, days: &[&str], from: &str, to: &str) -> Window {
        let v = json!({"zone": zone, "days": days, "from": from, "to": to});
        Window::parse(&At::root(&v, Code::BadPolicy)).unwrap()
    }

    fn at(s: &str) -> i64 {
        s.parse::<Timestamp>().unwrap().as_second()
    }

    fn refused(zone: &str, from: &str, to: &str) -> bool {
        let v = json!({"zone": zone, "days": ["mon"], "from": from, "to": to});
        Window::parse(&At::root(&v, Code::BadPolicy)).is_err()
    }

    #[test]
    fn times_of_day_and_zones_have_one_spelling() {
        for (from, to) in [("00:00", "00:01"), ("23:59", "24:00"), ("19:08", "08:59")] {
            assert!(!refused("UTC", from, to), "{from} to {to}");
        }
        let bad =
            ["", "8:30", "08:300", "08-30", "08:3", "0a:30", "08:a0", "08:60", "24:01", "25:00"];
        for bad in bad {
            assert!(refused("UTC", bad, "12:00") && refused("UTC", "12:00", bad), "{bad}");
        }
        assert!(refused("UTC", "24:00", "12:00") && refused("UTC", "12:00", "12:00"));
        for bad in ["", "asia/seoul", "Seoul", "Etc/Unknown", "+09:00"] {
            assert!(refused(bad, "08:30", "18:30"), "{bad}");
        }
    }

    #[test]
    fn nothing_holds_outside_of_time() {
        let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let w = window("UTC", &all, "00:00", "24:00");
        assert_eq!(w.end(0), Some(86_400));
        assert_eq!(w.end(-1), None);
        assert!(w.end(time::END_OF_TIME - 1).is_some());
        assert_eq!(w.end(time::END_OF_TIME), None);
        assert_eq!(w.show_now(at("2026-11-28T10:12:59Z")), "Sat 10:12");
        assert_eq!(w.show_now(-1), "a time out of range");
        assert!(w.spans(-1, 7).is_empty());
    }

    #[test]
    fn shows_itself() {
        let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let show = |days: &[&str]| window("Asia/Seoul", days, "08:30", "18:30").show();
        assert_eq!(show(&all[..5]), "Mon–Fri 08:30–18:30 Asia/Seoul");
        assert_eq!(show(&["sat", "sun", "wed"]), "Wed,Sat,Sun 08:30–18:30 Asia/Seoul");
        assert_eq!(window("UTC", &all, "00:00", "24:00").show(), "Mon–Sun 00:00–24:00 UTC");
    }

    #[test]
    fn past_midnight_belongs_to_the_first_day() {
        let w = window("Asia/Seoul", &["fri"], "22:00", "06:00");
        assert_eq!(w.end(at("2026-11-27T21:59:59+09:00")), None);
        assert_eq!(w.end(at("2026-11-27T22:00:00+09:00")), Some(at("2026-11-28T06:00:00+09:00")));
        assert_eq!(w.end(at("2026-11-28T05:59:59+09:00")), Some(at("2026-11-28T06:00:00+09:00")));
        assert_eq!(w.end(at("2026-11-28T06:00:00+09:00")), None);
        assert_eq!(w.end(at("2026-11-27T05:00:00+09:00")), None);
    }

    #[test]
    fn skipped_and_repeated_times() {
        // New York, 8 March 2026: 02:00 EST becomes 03:00 EDT.
        let w = window("America/New_York", &["sun"], "02:30", "04:00");
        assert_eq!(w.end(at("2026-03-08T01:59:59-05:00")), None);
        assert_eq!(w.end(at("2026-03-08T03:00:00-04:00")), Some(at("2026-03-08T04:00:00-04:00")));
        assert!(
            window("America/New_York", &["sun"], "02:15", "02:45")
                .spans(at("2026-03-08T00:00:00Z"), 1)
                .is_empty()
        );
        // 1 November 2026: 02:00 EDT becomes 01:00 EST.
        let w = window("America/New_York", &["sun"], "01:15", "01:45");
        assert_eq!(w.end(at("2026-11-01T01:30:00-04:00")), Some(at("2026-11-01T01:45:00-04:00")));
        assert_eq!(w.end(at("2026-11-01T01:30:00-05:00")), None);
    }
}
