#!/usr/bin/env python3
"""A second evaluator of policies, written from docs/policy.md alone.

It takes well-formed policies and facts; refusing the others is the parser's work. Reads lines of
{"policy": …, "facts": …} and writes a line of {"rights", "until", "refused", "withheld"} for each,
without the texts for people. Needs Python 3.9 and the tzdata package of the bundled version.
"""

import ipaddress
import json
import sys
import zoneinfo
from datetime import date, datetime, time, timedelta, timezone

# The database that comes with the tzdata package, not the machine's.
zoneinfo.reset_tzpath(to=[])

RIGHTS = ["view", "edit", "print", "copy", "capture", "export"]
DUTIES = ["watermark", "block-capture", "block-clipboard", "mask", "wipe"]
STRENGTH = {"asserted": 1, "measured": 2, "attested": 3}
LEAST = {
    "valid": "measured", "revocations": "attested", "anchored": "attested", "devices": "measured",
    "hours": "measured", "network": "measured", "software": "measured", "storage": "measured",
    "attested": "attested", "posture": "attested", "ticket": "asserted", "opens": "measured",
}
NEVER = float("inf")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Fails(Exception):
    """A condition or badge that fails: what, and the cause."""


def instant(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((moment - EPOCH).total_seconds())


def show(seconds):
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(text):
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]


def known(facts, key, plain):
    """The value and provenance of a fact, or None."""
    if key not in facts:
        return None
    fact = facts[key]
    if isinstance(fact, dict) and "by" in fact:
        return fact["value"], STRENGTH[fact["by"]]
    return fact, STRENGTH[plain]


def first_instant(zone, day, minutes):
    """First instant at which the zone's clock shows this or anything later."""
    wanted = datetime.combine(day, time()) + timedelta(minutes=minutes)

    def clock(seconds):
        return datetime.fromtimestamp(seconds, zone).replace(tzinfo=None)

    # No zone is more than a day off UTC, so it lies in between; an hour is the coarse step, as
    # the clock is not monotonic where it is set back.
    guess = int((wanted.replace(tzinfo=timezone.utc) - EPOCH).total_seconds())
    low, step = guess - 90000, 1800
    while clock(low + step) < wanted:
        low += step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if clock(middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def minutes_of(text):
    return int(text[:2]) * 60 + int(text[3:])


class Evaluation:
    def __init__(self, facts):
        self.facts = facts
        self.time = known(facts, "time", "measured")

    def the_time(self, name, least):
        if self.time is None:
            raise Fails(name, "unknown")
        if self.time[1] < least:
            raise Fails(name, "provenance")
        return instant(self.time[0])

    def age_time(self, name, least):
        return self.the_time(name, min(least, STRENGTH["measured"]))

    def fact(self, name, key, plain, least):
        fact = known(self.facts, key, plain)
        if fact is None:
            raise Fails(name, "unknown")
        if fact[1] < least:
            raise Fails(name, "provenance")
        return fact[0]

    def conditions(self, given):
        end = NEVER
        for name, usual in LEAST.items():
            if name not in given:
                continue
            need, least = given[name], usual
            if isinstance(need, dict) and ("need" in need or "accept" in need):
                need, least = need["need"], need["accept"]
            end = min(end, getattr(self, name)(need, STRENGTH[least]))
        return end

    def valid(self, need, least):
        now = self.the_time("valid", least)
        if "from" in need and now < instant(need["from"]):
            raise Fails("valid", "unmet")
        if "until" in need and now >= instant(need["until"]):
            raise Fails("valid", "unmet")
        return instant(need["until"]) if "until" in need else NEVER

    def young(self, name, key, need, least):
        issued = instant(self.fact(name, key, "attested", least))
        now = self.age_time(name, least)
        end = issued + duration(need)
        if issued > now + 60 or now >= end:
            raise Fails(name, "unmet")
        return end

    def revocations(self, need, least):
        return self.young("revocations", "revocations", need, least)

    def anchored(self, need, least):
        return self.young("anchored", "anchor", need, least)

    def devices(self, need, least):
        if self.fact("devices", "device", "measured", least) not in need:
            raise Fails("devices", "unmet")
        return NEVER

    def hours(self, need, least):
        now = self.the_time("hours", least)
        ends = []
        for window in [need] if isinstance(need, dict) else need:
            zone = zoneinfo.ZoneInfo(window["zone"])
            start, stop = minutes_of(window["from"]), minutes_of(window["to"])
            if stop < start:
                stop += 24 * 60
            today = datetime.fromtimestamp(now, zone).date()
            for shift in range(-3, 4):
                day = today + timedelta(days=shift)
                if ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day.weekday()] not in window["days"]:
                    continue
                end = first_instant(zone, day, stop)
                if first_instant(zone, day, start) <= now < end:
                    ends.append(end)
        if not ends:
            raise Fails("hours", "unmet")
        return max(ends)

    def network(self, need, least):
        addresses = []
        for text in self.fact("network", "network", "measured", least):
            address = ipaddress.ip_address(text)
            if address.version == 6 and address.ipv4_mapped:
                address = address.ipv4_mapped
            ignored = ["127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10"]
            if not any(address in ipaddress.ip_network(block) for block in ignored):
                addresses.append(address)
        one_is_enough = isinstance(need, dict)
        blocks = [ipaddress.ip_network(b) for b in (need["any"] if one_is_enough else need)]
        inside = [any(a in block for block in blocks) for a in addresses]
        if not inside or not (any(inside) if one_is_enough else all(inside)):
            raise Fails("network", "unmet")
        return NEVER

    def software(self, need, least):
        program = self.fact("software", "program", "measured", least)
        if program["mode"] not in need.get("mode", ["managed", "confined"]):
            raise Fails("software", "unmet")
        for part in ["path", "sha256"]:
            if part in need:
                if part not in program:
                    raise Fails("software", "unknown")
                if program[part] not in need[part]:
                    raise Fails("software", "unmet")
        return NEVER

    def storage(self, need, least):
        kind = self.fact("storage", "storage", "measured", least)
        if kind not in ([need] if isinstance(need, str) else need):
            raise Fails("storage", "unmet")
        return NEVER

    @staticmethod
    def good(name, all_of_it, least):
        if not all_of_it:
            raise Fails(name, "unknown")
        good = [f for f in all_of_it if STRENGTH[f.get("by", "attested")] >= least]
        if not good:
            raise Fails(name, "provenance")
        return good

    def attested(self, need, least):
        end = NEVER
        for kind in sorted(need):
            given = [a for a in self.facts.get("attestations", []) if a["kind"] == kind]
            good = self.good("attested", given, least)
            now = self.age_time("attested", least)
            ends = []
            for a in good:
                issued, expires = instant(a["issued"]), instant(a["expires"])
                stop = min(issued + duration(need[kind]), expires)
                if issued <= now + 60 and now < stop:
                    ends.append(stop)
            if not ends:
                raise Fails("attested", "unmet")
            end = min(end, max(ends))
        return end

    def posture(self, need, least):
        end = NEVER
        facts = [{"name": p} if isinstance(p, str) else p for p in self.facts.get("posture", [])]
        for name in need:
            good = self.good("posture", [p for p in facts if p["name"] == name], least)
            if any("expires" not in p for p in good):
                continue
            now = self.age_time("posture", least)
            ends = [e for e in (instant(p["expires"]) for p in good) if now < e]
            if not ends:
                raise Fails("posture", "unmet")
            end = min(end, max(ends))
        return end

    def ticket(self, need, least):
        self.fact("ticket", "ticket", "asserted", least)
        return NEVER

    def opens(self, need, least):
        counts = known(self.facts, "opens", "measured")
        table = {duration(per): n for per, n in counts[0].items()} if counts else {}
        if duration(need["per"]) not in table:
            raise Fails("opens", "unknown")
        if counts[1] < least:
            raise Fails("opens", "provenance")
        if table[duration(need["per"])] >= need["at_most"]:
            raise Fails("opens", "unmet")
        return NEVER

    def badge(self, to):
        if "anyone" in to:
            return NEVER
        badge = self.facts.get("badge")
        if badge is None:
            raise Fails("badge", "unknown")
        now = self.the_time("badge", STRENGTH["measured"])
        expires = instant(badge["expires"])
        if now >= expires:
            raise Fails("badge", "unmet")
        for subject in to:
            if subject.get("user") == badge["subject"]:
                return expires
            if subject.get("role") in badge.get("roles", []):
                return expires
            if subject.get("group") in badge.get("groups", []):
                return expires
        raise Fails("to", "unmet")


def add(duties, more):
    """Joins a list of duties into a map from duty to its columns."""
    for duty in more:
        name = duty if isinstance(duty, str) else "mask"
        columns = [] if isinstance(duty, str) else duty["mask"]
        duties.setdefault(name, set()).update(columns)


def evaluate(policy, facts):
    work = Evaluation(facts)
    decision = {"rights": [], "until": None, "refused": [], "withheld": []}
    try:
        end = work.conditions(policy.get("require", {}))
    except Fails as why:
        decision["refused"].append({"grant": None, "failed": why.args[0], "cause": why.args[1]})
        return decision
    given = {}
    for number, grant in enumerate(policy["grants"]):
        try:
            ends = work.badge(grant["to"]), work.conditions(grant.get("when", {}))
        except Fails as why:
            decision["refused"].append(
                {"grant": number, "failed": why.args[0], "cause": why.args[1]})
            continue
        end = min(end, *ends)
        for right in grant["rights"]:
            add(given.setdefault(right, {}), grant.get("duties", []))
    for right in (r for r in RIGHTS if r in given):
        duties = given[right]
        add(duties, policy.get("duties", []))
        ordered = [d for d in DUTIES if d in duties]
        undeclared = [d for d in ordered if d not in facts.get("duties", [])]
        if undeclared:
            decision["withheld"].append({"right": right, "undeclared": undeclared})
            continue
        shown = [{"mask": sorted(duties[d])} if d == "mask" else d for d in ordered]
        decision["rights"].append({"right": right, "duties": shown})
    if decision["rights"] and end != NEVER:
        decision["until"] = show(end)
    return decision


if __name__ == "__main__":
    for line in sys.stdin:
        case = json.loads(line)
        print(json.dumps(evaluate(case["policy"], case["facts"]), ensure_ascii=False))
