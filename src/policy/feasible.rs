//! Whether the conditions of `require` and of a grant can hold at once.

use super::check::Findings;
use super::condition::{Conditions, Rule, Validity};
use super::evaluate::NEVER;
use super::finding::FindingCode;
use super::hours::{Span, Window};
use super::names::Condition;
use super::network::Networks;
use super::time;

/// How far ahead hours are compared: a year and its daylight-saving changes.
const HORIZON_DAYS: usize = 400;

/// Finds a validity that is over or has not begun. Says whether it is over.
pub(super) fn validity(c: &Conditions, now: i64, place: &str, findings: &mut Findings) -> bool {
    let Some(Rule { need, wanted, .. }) = &c.valid else { return false };
    let place = format!("{place}.{}", Condition::Valid);
    if need.until.is_some_and(|until| until <= now) {
        findings.add(FindingCode::Expired, &place, format!("is over: valid {wanted}"));
        return true;
    }
    if need.from.is_some_and(|from| now < from) {
        findings.add(FindingCode::NotYetValid, &place, format!("is to come: valid {wanted}"));
    }
    false
}

/// Finds conditions of a grant that exclude each other or those of `require`.
pub(super) fn together(
    require: &Conditions,
    when: &Conditions,
    now: i64,
    place: &str,
    findings: &mut Findings,
) {
    let mut never = |condition: Condition, message: &str| {
        findings.add(FindingCode::NeverApplies, &format!("{place}.{condition}"), message);
    };
    let period = Period::of(require, when, now);
    if period.start >= period.end {
        never(Condition::Valid, "has no moment in common with the validity in require");
    }
    if disjoint(&require.devices, &when.devices, |r| r) {
        never(Condition::Devices, "has no device in common with require");
    }
    if disjoint(&require.storage, &when.storage, |r| r) {
        never(Condition::Storage, "has no kind of storage in common with require");
    }
    if disjoint(&require.software, &when.software, |r| &r.modes)
        || disjoint(&require.software, &when.software, |r| &r.paths)
        || disjoint(&require.software, &when.software, |r| &r.sha256)
    {
        never(Condition::Software, "has no program in common with require");
    }
    let networks = [&require.network, &when.network].map(|r| r.as_ref().map(|r| &r.need));
    let useless = |n: &Networks| n.blocks.iter().all(|b| b.is_ignored());
    if networks.iter().flatten().any(|n| useless(n)) {
        never(Condition::Network, "names only loopback and link-local networks, never counted");
    } else if let [Some(a), Some(b)] = networks
        && !compatible(a, b)
    {
        never(Condition::Network, "has no network in common with require");
    }
    let hours = [&require.hours, &when.hours].map(|r| r.as_ref().map(|r| &r.need));
    if period.start < period.end && !meet(hours, period) {
        let place = format!("{place}.{}", Condition::Hours);
        let message = "never holds together with the other hours and validities that must hold";
        findings.add(FindingCode::ContradictoryHours, &place, message);
    }
}

/// The time to look at: from now on, as far as both validities allow.
#[derive(Clone, Copy)]
struct Period {
    start: i64,
    end: i64,
}

impl Period {
    fn of(require: &Conditions, when: &Conditions, now: i64) -> Period {
        let mut period = Period { start: now.clamp(0, time::END_OF_TIME - 1), end: NEVER };
        for Validity { from, until } in
            [&require.valid, &when.valid].iter().filter_map(|v| v.as_ref().map(|rule| rule.need))
        {
            period.start = period.start.max(from.unwrap_or(0));
            period.end = period.end.min(until.unwrap_or(NEVER));
        }
        period
    }
}

/// Whether both conditions are there, each with a list to choose from, and nothing is in both.
fn disjoint<R, T: PartialEq>(
    a: &Option<Rule<R>>,
    b: &Option<Rule<R>>,
    list: impl Fn(&R) -> &Vec<T>,
) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let (a, b) = (list(&a.need), list(&b.need));
    !a.is_empty() && !b.is_empty() && !a.iter().any(|x| b.contains(x))
}

/// Whether some set of addresses satisfies both.
fn compatible(a: &Networks, b: &Networks) -> bool {
    // Two that each want some address are content with two addresses.
    (a.any && b.any) || a.blocks.iter().any(|x| b.blocks.iter().any(|y| x.meets(*y)))
}

/// Whether all hours that are given hold at some moment of the period.
fn meet(hours: [Option<&Vec<Window>>; 2], period: Period) -> bool {
    let whole = || vec![Span { start: period.start, end: period.end }];
    let [a, b] = hours.map(|windows| windows.map_or_else(whole, |w| spans(w, period)));
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.start.max(y.start) < x.end.min(y.end) {
            return true;
        }
        // Whichever ends first begins too early for all that is left of the other.
        if x.end <= y.end { i += 1 } else { j += 1 }
    }
    false
}

/// When any of the windows is open within the period, in order.
fn spans(windows: &[Window], period: Period) -> Vec<Span> {
    let mut all: Vec<Span> = windows
        .iter()
        .flat_map(|w| w.spans(period.start, HORIZON_DAYS))
        .map(|s| Span { start: s.start.max(period.start), end: s.end.min(period.end) })
        .filter(|s| s.start < s.end)
        .collect();
    all.sort_unstable_by_key(|s| s.start);
    all
}
