#!/usr/bin/env python3
"""Writes the decision vectors beside it. Expectations are literals, from docs/policy.md.

The script only saves repetition: no evaluator is asked. Run it after a change.
"""

import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = "2026-11-24T10:12:00+09:00"  # a Tuesday
WEEK = ["mon", "tue", "wed", "thu", "fri"]
ALL = WEEK + ["sat", "sun"]
HOST = ["watermark", "block-capture", "block-clipboard", "mask", "wipe"]
DEVICE = "sMjwUi1lPlP3ELeMUBwdXpnZs0Ko40k5UJcM9wmDmJI"
OTHER = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
names = set()
total = 0


class File:
    """One file of vectors: named policies, and cases that use them."""

    def __init__(self, name, about):
        self.name, self.about, self.policies, self.vectors = name, about, {}, []

    def policy(self, name, *grants, **rest):
        self.policies[name] = {"version": 1, "name": name, **rest, "grants": list(grants)}

    def when(self, name, condition, need):
        """A policy that lets anyone view under this one condition."""
        self.policy(name, {"to": ["anyone"], "rights": ["view"], "when": {condition: need}})

    def case(self, policy, about, facts, rights=None, until=None, refused=(), withheld=None):
        expect = {"rights": rights or {}, "until": until, "refused": list(refused),
                  "withheld": withheld or {}}
        assert policy in self.policies and (self.name, about) not in names, about
        names.add((self.name, about))
        self.vectors.append({"name": about, "policy": policy, "facts": facts, "expect": expect})

    def yes(self, policy, about, facts, until=None):
        self.case(policy, about, facts, {"view": []}, until)

    def no(self, policy, about, facts, why):
        self.case(policy, about, facts, refused=["grants[0]: " + why])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        global total
        total += len(self.vectors)
        document = {"about": self.about, "policies": self.policies, "vectors": self.vectors}
        with open(os.path.join(HERE, self.name + ".json"), "w", encoding="utf-8") as f:
            json.dump(document, f, ensure_ascii=False, indent=1)
            f.write("\n")


def by(value, provenance):
    return {"value": value, "by": provenance}


def at(time, **more):
    return {"time": time, **more}


with File("valid", "The condition valid: from inclusive, until exclusive.") as f:
    f.when("2026", "valid", {"from": "2026-01-01T00:00:00+09:00", "until": "2027-01-01T00:00:00+09:00"})
    end = "2027-01-01T00:00:00+09:00"
    f.no("2026", "one second before from", at("2025-12-31T23:59:59+09:00"), "valid unmet")
    f.yes("2026", "at from", at("2026-01-01T00:00:00+09:00"), end)
    f.yes("2026", "at from, written in another offset", at("2025-12-31T15:00:00Z"), end)
    f.yes("2026", "one second before until", at("2026-12-31T23:59:59+09:00"), end)
    f.no("2026", "at until", at("2027-01-01T00:00:00+09:00"), "valid unmet")
    f.no("2026", "one second after until", at("2027-01-01T00:00:01+09:00"), "valid unmet")
    f.no("2026", "the time is not known", {}, "valid unknown")
    f.no("2026", "the time is asserted", at(by(NOW, "asserted")), "valid provenance")
    f.yes("2026", "the time is attested", at(by(NOW, "attested")), end)
    f.when("from", "valid", {"from": "2026-11-24T10:12:00+09:00"})
    f.yes("from", "from alone has no end", at(NOW))
    f.no("from", "from alone, a second early", at("2026-11-24T10:11:59+09:00"), "valid unmet")
    f.when("leap", "valid", {"until": "2028-02-29T00:00:00Z"})
    f.yes("leap", "the last second of 28 February of a leap year", at("2028-02-28T23:59:59Z"), "2028-02-29T00:00:00Z")
    f.no("leap", "the first second of the leap day", at("2028-02-29T00:00:00Z"), "valid unmet")
    f.when("relaxed", "valid", {"need": {"until": end}, "accept": "asserted"})
    f.yes("relaxed", "asserted time where the policy accepts it", at(by(NOW, "asserted")), end)
    f.when("stricter", "valid", {"need": {"until": end}, "accept": "attested"})
    f.no("stricter", "measured time where the policy wants attested", at(NOW), "valid provenance")
    f.yes("stricter", "attested time where the policy wants it", at(by(NOW, "attested")), end)

with File("revocations", "The condition revocations: the age of the list, attested unless relaxed.") as f:
    f.when("day", "revocations", "24h")
    f.yes("day", "one second short of 24 hours old", at(NOW, revocations="2026-11-23T10:12:01+09:00"), "2026-11-24T10:12:01+09:00")
    f.no("day", "exactly 24 hours old", at(NOW, revocations="2026-11-23T10:12:00+09:00"), "revocations unmet")
    f.no("day", "one second over 24 hours old", at(NOW, revocations="2026-11-23T10:11:59+09:00"), "revocations unmet")
    f.yes("day", "issued now", at(NOW, revocations=NOW), "2026-11-25T10:12:00+09:00")
    f.yes("day", "issued 60 seconds ahead", at(NOW, revocations="2026-11-24T10:13:00+09:00"), "2026-11-25T10:13:00+09:00")
    f.no("day", "issued 61 seconds ahead", at(NOW, revocations="2026-11-24T10:13:01+09:00"), "revocations unmet")
    f.no("day", "no list", at(NOW), "revocations unknown")
    f.no("day", "a list, but no time", {"revocations": NOW}, "revocations unknown")
    f.no("day", "an asserted list", at(NOW, revocations=by(NOW, "asserted")), "revocations provenance")
    f.no("day", "a list that was only measured", at(NOW, revocations=by(NOW, "measured")), "revocations provenance")
    f.no("day", "a good list, an asserted time", at(by(NOW, "asserted"), revocations=NOW), "revocations provenance")
    f.no("day", "an asserted list and no time: the list comes first", {"revocations": by(NOW, "asserted")}, "revocations provenance")
    f.when("relaxed", "revocations", {"need": "24h", "accept": "asserted"})
    f.yes("relaxed", "asserted list and time where both are accepted", at(by(NOW, "asserted"), revocations=by(NOW, "asserted")), "2026-11-25T10:12:00+09:00")
    f.when("measured", "revocations", {"need": "24h", "accept": "measured"})
    f.no("measured", "measured list, asserted time", at(by(NOW, "asserted"), revocations=by(NOW, "measured")), "revocations provenance")

with File("anchored", "The condition anchored: how long ago the trail was shown.") as f:
    f.when("half-day", "anchored", "12h")
    f.yes("half-day", "one second short of 12 hours ago", at(NOW, anchor="2026-11-23T22:12:01+09:00"), "2026-11-24T10:12:01+09:00")
    f.no("half-day", "exactly 12 hours ago", at(NOW, anchor="2026-11-23T22:12:00+09:00"), "anchored unmet")
    f.no("half-day", "a second more than 12 hours ago", at(NOW, anchor="2026-11-23T22:11:59+09:00"), "anchored unmet")
    f.yes("half-day", "60 seconds ahead", at(NOW, anchor="2026-11-24T10:13:00+09:00"), "2026-11-24T22:13:00+09:00")
    f.no("half-day", "61 seconds ahead", at(NOW, anchor="2026-11-24T10:13:01+09:00"), "anchored unmet")
    f.no("half-day", "never shown", at(NOW), "anchored unknown")
    f.no("half-day", "only measured", at(NOW, anchor=by(NOW, "measured")), "anchored provenance")
    f.no("half-day", "no time", {"anchor": NOW}, "anchored unknown")
    f.when("minute", "anchored", "1m")
    f.yes("minute", "over the end of a leap day", at("2028-03-01T00:00:29+09:00", anchor="2028-02-29T23:59:30+09:00"), "2028-03-01T00:00:30+09:00")

with File("devices", "The condition devices: one of the thumbprints.") as f:
    f.when("one", "devices", [DEVICE])
    f.yes("one", "the device", {"device": DEVICE})
    f.no("one", "another device", {"device": OTHER}, "devices unmet")
    f.no("one", "no device", {}, "devices unknown")
    f.no("one", "an asserted device", {"device": by(DEVICE, "asserted")}, "devices provenance")
    f.yes("one", "an attested device", {"device": by(DEVICE, "attested")})
    f.when("two", "devices", [OTHER, DEVICE])
    f.yes("two", "the second of two", {"device": DEVICE})
    f.when("attested", "devices", {"need": [DEVICE], "accept": "attested"})
    f.no("attested", "measured where attested is wanted", {"device": DEVICE}, "devices provenance")

with File("hours", "The condition hours: weekly windows, past midnight, and changes of the clock.") as f:
    f.when("office", "hours", {"zone": "Asia/Seoul", "days": WEEK, "from": "08:30", "to": "18:30"})
    f.no("office", "Tuesday 08:29:59", at("2026-11-24T08:29:59+09:00"), "hours unmet")
    f.yes("office", "Tuesday 08:30:00", at("2026-11-24T08:30:00+09:00"), "2026-11-24T18:30:00+09:00")
    f.yes("office", "Tuesday 08:30:01", at("2026-11-24T08:30:01+09:00"), "2026-11-24T18:30:00+09:00")
    f.yes("office", "Tuesday 18:29:59", at("2026-11-24T18:29:59+09:00"), "2026-11-24T18:30:00+09:00")
    f.no("office", "Tuesday 18:30:00", at("2026-11-24T18:30:00+09:00"), "hours unmet")
    f.no("office", "Tuesday 18:30:01", at("2026-11-24T18:30:01+09:00"), "hours unmet")
    f.yes("office", "Friday noon", at("2026-11-27T12:00:00+09:00"), "2026-11-27T18:30:00+09:00")
    f.no("office", "Saturday noon", at("2026-11-28T12:00:00+09:00"), "hours unmet")
    f.no("office", "Sunday noon", at("2026-11-29T12:00:00+09:00"), "hours unmet")
    f.yes("office", "Monday 08:30, still Sunday in UTC", at("2026-11-29T23:30:00Z"), "2026-11-30T18:30:00+09:00")
    f.no("office", "Saturday 00:30 in Seoul, still Friday in UTC", at("2026-11-27T15:30:00Z"), "hours unmet")
    f.yes("office", "leap day, a Tuesday", at("2028-02-29T09:00:00+09:00"), "2028-02-29T18:30:00+09:00")
    f.no("office", "no time", {}, "hours unknown")
    f.no("office", "an asserted time", at(by(NOW, "asserted")), "hours provenance")
    f.yes("office", "an attested time", at(by(NOW, "attested")), "2026-11-24T18:30:00+09:00")
    f.when("relaxed", "hours", {"need": {"zone": "UTC", "days": ["tue"], "from": "01:00", "to": "02:00"}, "accept": "asserted"})
    f.yes("relaxed", "an asserted time where accepted", at(by("2026-11-24T01:12:00Z", "asserted")), "2026-11-24T02:00:00Z")

    f.when("night", "hours", {"zone": "Asia/Seoul", "days": ["fri"], "from": "22:00", "to": "06:00"})
    f.no("night", "Friday 21:59:59", at("2026-11-27T21:59:59+09:00"), "hours unmet")
    f.yes("night", "Friday 22:00", at("2026-11-27T22:00:00+09:00"), "2026-11-28T06:00:00+09:00")
    f.yes("night", "midnight", at("2026-11-28T00:00:00+09:00"), "2026-11-28T06:00:00+09:00")
    f.yes("night", "Saturday 05:59:59 belongs to Friday", at("2026-11-28T05:59:59+09:00"), "2026-11-28T06:00:00+09:00")
    f.no("night", "Saturday 06:00", at("2026-11-28T06:00:00+09:00"), "hours unmet")
    f.no("night", "Friday 05:00 belongs to Thursday", at("2026-11-27T05:00:00+09:00"), "hours unmet")
    f.no("night", "Saturday 22:00", at("2026-11-28T22:00:00+09:00"), "hours unmet")
    f.when("leap-night", "hours", {"zone": "UTC", "days": ["mon", "tue"], "from": "22:00", "to": "06:00"})
    f.yes("leap-night", "over midnight into the leap day", at("2028-02-29T03:00:00Z"), "2028-02-29T06:00:00Z")
    f.yes("leap-night", "over midnight out of the leap day", at("2028-03-01T05:59:59Z"), "2028-03-01T06:00:00Z")
    f.when("new-year", "hours", {"zone": "Asia/Seoul", "days": ["thu"], "from": "23:00", "to": "01:00"})
    f.yes("new-year", "Thursday's window in Friday's new year", at("2027-01-01T00:59:59+09:00"), "2027-01-01T01:00:00+09:00")
    f.when("whole", "hours", {"zone": "Asia/Seoul", "days": ["tue"], "from": "00:00", "to": "24:00"})
    f.no("whole", "Monday 23:59:59", at("2026-11-23T23:59:59+09:00"), "hours unmet")
    f.yes("whole", "Tuesday 00:00", at("2026-11-24T00:00:00+09:00"), "2026-11-25T00:00:00+09:00")
    f.yes("whole", "Tuesday 23:59:59", at("2026-11-24T23:59:59+09:00"), "2026-11-25T00:00:00+09:00")
    f.no("whole", "Wednesday 00:00", at("2026-11-25T00:00:00+09:00"), "hours unmet")
    f.when("to-midnight", "hours", {"zone": "Asia/Seoul", "days": ["tue"], "from": "18:00", "to": "00:00"})
    f.yes("to-midnight", "to 00:00 is the coming midnight", at("2026-11-24T23:59:59+09:00"), "2026-11-25T00:00:00+09:00")
    f.when("list", "hours", [
        {"zone": "Asia/Seoul", "days": WEEK, "from": "09:00", "to": "12:00"},
        {"zone": "Asia/Seoul", "days": WEEK, "from": "12:00", "to": "18:00"},
        {"zone": "Asia/Seoul", "days": ["tue"], "from": "11:00", "to": "13:00"},
        {"zone": "Europe/Berlin", "days": ["sat"], "from": "10:00", "to": "11:00"}])
    f.yes("list", "adjoining windows are not joined", at("2026-11-25T10:00:00+09:00"), "2026-11-25T12:00:00+09:00")
    f.yes("list", "in two windows, the later end", at("2026-11-24T11:30:00+09:00"), "2026-11-24T13:00:00+09:00")
    f.yes("list", "at the seam the second window holds", at("2026-11-25T12:00:00+09:00"), "2026-11-25T18:00:00+09:00")
    f.yes("list", "the window of another zone", at("2026-11-28T18:30:00+09:00"), "2026-11-28T19:00:00+09:00")
    f.no("list", "in none", at("2026-11-28T20:00:00+09:00"), "hours unmet")

    f.when("ny-gap", "hours", {"zone": "America/New_York", "days": ["sun"], "from": "02:30", "to": "04:00"})
    f.no("ny-gap", "New York, a second before the jump", at("2026-03-08T01:59:59-05:00"), "hours unmet")
    f.yes("ny-gap", "New York, from is skipped: opens at the jump", at("2026-03-08T03:00:00-04:00"), "2026-03-08T04:00:00-04:00")
    f.yes("ny-gap", "New York, a week later from exists", at("2026-03-15T02:30:00-04:00"), "2026-03-15T04:00:00-04:00")
    f.no("ny-gap", "New York, a week later, a second early", at("2026-03-15T02:29:59-04:00"), "hours unmet")
    f.when("ny-gap-end", "hours", {"zone": "America/New_York", "days": ["sun"], "from": "01:00", "to": "02:30"})
    f.yes("ny-gap-end", "New York, to is skipped: open until the jump", at("2026-03-08T01:59:59-05:00"), "2026-03-08T03:00:00-04:00")
    f.no("ny-gap-end", "New York, to is skipped: shut at the jump", at("2026-03-08T03:00:00-04:00"), "hours unmet")
    f.when("ny-gap-inside", "hours", {"zone": "America/New_York", "days": ["sun"], "from": "02:15", "to": "02:45"})
    f.no("ny-gap-inside", "New York, a window all skipped is empty", at("2026-03-08T03:00:00-04:00"), "hours unmet")
    f.when("ny-over-gap", "hours", {"zone": "America/New_York", "days": ["sat"], "from": "22:00", "to": "06:00"})
    f.yes("ny-over-gap", "New York, a night shift over the jump", at("2026-03-08T05:59:59-04:00"), "2026-03-08T06:00:00-04:00")
    f.when("ny-fold", "hours", {"zone": "America/New_York", "days": ["sun"], "from": "01:15", "to": "01:45"})
    f.no("ny-fold", "New York, first 01:14:59", at("2026-11-01T01:14:59-04:00"), "hours unmet")
    f.yes("ny-fold", "New York, first 01:15", at("2026-11-01T01:15:00-04:00"), "2026-11-01T01:45:00-04:00")
    f.yes("ny-fold", "New York, first 01:44:59", at("2026-11-01T01:44:59-04:00"), "2026-11-01T01:45:00-04:00")
    f.no("ny-fold", "New York, first 01:45", at("2026-11-01T01:45:00-04:00"), "hours unmet")
    f.no("ny-fold", "New York, second 01:15", at("2026-11-01T01:15:00-05:00"), "hours unmet")
    f.no("ny-fold", "New York, second 01:30", at("2026-11-01T01:30:00-05:00"), "hours unmet")
    f.when("ny-into-fold", "hours", {"zone": "America/New_York", "days": ["sat"], "from": "22:00", "to": "01:30"})
    f.yes("ny-into-fold", "New York, ends at the first 01:30", at("2026-11-01T01:29:59-04:00"), "2026-11-01T01:30:00-04:00")
    f.no("ny-into-fold", "New York, second 01:00 is after the end", at("2026-11-01T01:00:00-05:00"), "hours unmet")
    f.when("ny-from-fold", "hours", {"zone": "America/New_York", "days": ["sun"], "from": "01:30", "to": "03:00"})
    f.yes("ny-from-fold", "New York, opens at the first 01:30 and stays open", at("2026-11-01T01:10:00-05:00"), "2026-11-01T03:00:00-05:00")

    f.when("berlin-gap", "hours", {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:00", "to": "03:30"})
    f.no("berlin-gap", "Berlin, a second before the jump", at("2026-03-29T01:59:59+01:00"), "hours unmet")
    f.yes("berlin-gap", "Berlin, at the jump", at("2026-03-29T03:00:00+02:00"), "2026-03-29T03:30:00+02:00")
    f.yes("berlin-gap", "Berlin, a second before to", at("2026-03-29T03:29:59+02:00"), "2026-03-29T03:30:00+02:00")
    f.no("berlin-gap", "Berlin, at to", at("2026-03-29T03:30:00+02:00"), "hours unmet")
    f.when("berlin-fold", "hours", {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:30", "to": "03:00"})
    f.yes("berlin-fold", "Berlin, from the first 02:30", at("2026-10-25T02:30:00+02:00"), "2026-10-25T03:00:00+01:00")
    f.yes("berlin-fold", "Berlin, second 02:00, still open", at("2026-10-25T02:00:00+01:00"), "2026-10-25T03:00:00+01:00")
    f.no("berlin-fold", "Berlin, 03:00", at("2026-10-25T03:00:00+01:00"), "hours unmet")
    f.when("berlin-fold-end", "hours", {"zone": "Europe/Berlin", "days": ["sun"], "from": "00:00", "to": "02:00"})
    f.yes("berlin-fold-end", "Berlin, a second before the first 02:00", at("2026-10-25T01:59:59+02:00"), "2026-10-25T02:00:00+02:00")
    f.no("berlin-fold-end", "Berlin, the first 02:00", at("2026-10-25T02:00:00+02:00"), "hours unmet")
    f.no("berlin-fold-end", "Berlin, the second 02:00", at("2026-10-25T02:00:00+01:00"), "hours unmet")
    f.when("berlin-day", "hours", {"zone": "Europe/Berlin", "days": ["sun"], "from": "00:00", "to": "24:00"})
    f.yes("berlin-day", "Berlin, a day of 25 hours, its last second", at("2026-10-25T23:59:59+01:00"), "2026-10-26T00:00:00+01:00")
    f.yes("berlin-day", "Berlin, a day of 23 hours, its first second", at("2026-03-29T00:00:00+01:00"), "2026-03-30T00:00:00+02:00")
    f.when("lord-howe", "hours", {"zone": "Australia/Lord_Howe", "days": ["sun"], "from": "02:10", "to": "02:40"})
    f.yes("lord-howe", "Lord Howe jumps half an hour: opens at 02:30", at("2026-10-04T02:30:00+11:00"), "2026-10-04T02:40:00+11:00")
    f.no("lord-howe", "Lord Howe, a second before the jump", at("2026-10-04T01:59:59+10:30"), "hours unmet")
    f.when("lord-howe-fold", "hours", {"zone": "Australia/Lord_Howe", "days": ["sun"], "from": "01:30", "to": "02:00"})
    f.yes("lord-howe-fold", "Lord Howe, the half hour that comes twice, first time", at("2026-04-05T01:45:00+11:00"), "2026-04-05T02:00:00+10:30")
    f.yes("lord-howe-fold", "Lord Howe, the half hour that comes twice, second time", at("2026-04-05T01:45:00+10:30"), "2026-04-05T02:00:00+10:30")

with File("network", "The condition network: every address, or any; IPv4 and IPv6.") as f:
    f.when("office", "network", ["10.20.0.0/16", "2001:db8:10::/48"])
    f.yes("office", "one address inside", {"network": ["10.20.3.4"]})
    f.yes("office", "the first address of the block", {"network": ["10.20.0.0"]})
    f.yes("office", "the last address of the block", {"network": ["10.20.255.255"]})
    f.no("office", "one below the block", {"network": ["10.19.255.255"]}, "network unmet")
    f.no("office", "one above the block", {"network": ["10.21.0.0"]}, "network unmet")
    f.yes("office", "IPv4 and IPv6, both inside", {"network": ["10.20.3.4", "2001:db8:10::7"]})
    f.yes("office", "the last IPv6 address of the block", {"network": ["2001:db8:10:ffff:ffff:ffff:ffff:ffff"]})
    f.no("office", "the first IPv6 address after the block", {"network": ["2001:db8:11::"]}, "network unmet")
    f.no("office", "a second way out", {"network": ["10.20.3.4", "172.20.10.2"]}, "network unmet")
    f.no("office", "a second way out over IPv6", {"network": ["10.20.3.4", "2001:db8:99::1"]}, "network unmet")
    f.yes("office", "loopback and link-local do not count", {"network": ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "10.20.3.4"]})
    f.no("office", "loopback and link-local alone", {"network": ["127.0.0.1", "::1", "169.254.7.7", "fe80::1"]}, "network unmet")
    f.no("office", "known to have no address", {"network": []}, "network unmet")
    f.no("office", "addresses not known", {}, "network unknown")
    f.no("office", "asserted addresses", {"network": by(["10.20.3.4"], "asserted")}, "network provenance")
    f.yes("office", "attested addresses", {"network": by(["10.20.3.4"], "attested")})
    f.yes("office", "an IPv4 address in IPv6 form", {"network": ["::ffff:10.20.3.4"]})
    f.no("office", "loopback in IPv6 form does not count", {"network": ["::ffff:127.0.0.1"]}, "network unmet")
    f.when("vpn", "network", {"any": ["10.20.0.0/16"]})
    f.yes("vpn", "any: the VPN beside the home network", {"network": ["192.168.0.7", "10.20.3.4"]})
    f.no("vpn", "any: the home network alone", {"network": ["192.168.0.7"]}, "network unmet")
    f.no("vpn", "any: no address", {"network": []}, "network unmet")
    f.when("one", "network", ["10.20.3.4/32"])
    f.yes("one", "a network of one", {"network": ["10.20.3.4"]})
    f.no("one", "its neighbour", {"network": ["10.20.3.5"]}, "network unmet")
    f.when("all-v4", "network", ["0.0.0.0/0"])
    f.yes("all-v4", "every IPv4 address", {"network": ["255.255.255.254"]})
    f.no("all-v4", "no IPv6 address in 0.0.0.0/0", {"network": ["2001:db8::1"]}, "network unmet")
    f.when("local", "network", ["127.0.0.0/8"])
    f.no("local", "loopback does not count though the policy names it", {"network": ["127.0.0.1"]}, "network unmet")
    f.when("relaxed", "network", {"need": {"any": ["10.20.0.0/16"]}, "accept": "asserted"})
    f.yes("relaxed", "asserted addresses where accepted", {"network": by(["10.20.3.4"], "asserted")})

H1, H2 = "00" * 31 + "01", "ff" * 32
with File("software", "The condition software: mode, path and SHA-256.") as f:
    f.when("modes", "software", {"mode": ["managed", "confined"]})
    f.yes("modes", "managed", {"program": {"mode": "managed"}})
    f.yes("modes", "confined", {"program": {"mode": "confined"}})
    f.no("modes", "bare", {"program": {"mode": "bare"}}, "software unmet")
    f.no("modes", "not known", {}, "software unknown")
    f.no("modes", "asserted", {"program": by({"mode": "managed"}, "asserted")}, "software provenance")
    f.yes("modes", "attested", {"program": by({"mode": "managed"}, "attested")})
    f.when("bare", "software", {"mode": ["bare"]})
    f.yes("bare", "bare, allowed expressly", {"program": {"mode": "bare"}})
    f.no("bare", "confined is not bare", {"program": {"mode": "confined"}}, "software unmet")
    f.when("hash", "software", {"sha256": [H1]})
    f.yes("hash", "the right program", {"program": {"mode": "managed", "sha256": H1}})
    f.no("hash", "without mode, bare is not allowed", {"program": {"mode": "bare", "sha256": H1}}, "software unmet")
    f.no("hash", "another program", {"program": {"mode": "managed", "sha256": H2}}, "software unmet")
    f.no("hash", "its SHA-256 is not known", {"program": {"mode": "managed"}}, "software unknown")
    f.when("path", "software", {"mode": ["bare", "managed"], "path": ["/opt/crm/crm", "C:\\CRM\\crm.exe"]})
    f.yes("path", "the right path", {"program": {"mode": "bare", "path": "/opt/crm/crm"}})
    f.yes("path", "the right path of Windows", {"program": {"mode": "managed", "path": "C:\\CRM\\crm.exe"}})
    f.no("path", "a path that goes on", {"program": {"mode": "bare", "path": "/opt/crm/crm2"}}, "software unmet")
    f.no("path", "case counts", {"program": {"mode": "bare", "path": "/opt/CRM/crm"}}, "software unmet")
    f.no("path", "the path is not known", {"program": {"mode": "bare"}}, "software unknown")
    f.no("path", "wrong mode and no path: the mode comes first", {"program": {"mode": "confined"}}, "software unmet")
    f.when("both", "software", {"path": ["/opt/crm/crm"], "sha256": [H1, H2]})
    f.yes("both", "path and SHA-256", {"program": {"mode": "managed", "path": "/opt/crm/crm", "sha256": H2}})
    f.no("both", "right SHA-256 at the wrong path", {"program": {"mode": "managed", "path": "/tmp/crm", "sha256": H1}}, "software unmet")
    f.no("both", "right path, SHA-256 not known", {"program": {"mode": "managed", "path": "/opt/crm/crm"}}, "software unknown")

with File("storage", "The condition storage.") as f:
    f.when("fixed", "storage", "fixed")
    f.yes("fixed", "built in", {"storage": "fixed"})
    f.no("fixed", "removable", {"storage": "removable"}, "storage unmet")
    f.no("fixed", "network", {"storage": "network"}, "storage unmet")
    f.no("fixed", "not known", {}, "storage unknown")
    f.no("fixed", "asserted", {"storage": by("fixed", "asserted")}, "storage provenance")
    f.when("list", "storage", ["fixed", "network"])
    f.yes("list", "the second of a list", {"storage": "network"})
    f.no("list", "not in the list", {"storage": "removable"}, "storage unmet")
    f.when("relaxed", "storage", {"need": "fixed", "accept": "asserted"})
    f.yes("relaxed", "asserted where accepted", {"storage": by("fixed", "asserted")})


def shown(kind, issued, expires, **more):
    return {"kind": kind, "issued": issued, "expires": expires, **more}


with File("attested", "The condition attested: age and end of attestations.") as f:
    f.when("list", "attested", {"daily-checklist": "24h"})
    late = "2026-12-24T00:00:00+09:00"
    f.yes("list", "a second short of the age", at(NOW, attestations=[shown("daily-checklist", "2026-11-23T10:12:01+09:00", late)]), "2026-11-24T10:12:01+09:00")
    f.no("list", "exactly the age", at(NOW, attestations=[shown("daily-checklist", "2026-11-23T10:12:00+09:00", late)]), "attested unmet")
    f.no("list", "a second over the age", at(NOW, attestations=[shown("daily-checklist", "2026-11-23T10:11:59+09:00", late)]), "attested unmet")
    f.yes("list", "its own end comes first", at(NOW, attestations=[shown("daily-checklist", "2026-11-24T08:00:00+09:00", "2026-11-24T10:12:01+09:00")]), "2026-11-24T10:12:01+09:00")
    f.no("list", "at its own end", at(NOW, attestations=[shown("daily-checklist", "2026-11-24T08:00:00+09:00", NOW)]), "attested unmet")
    f.yes("list", "60 seconds ahead", at(NOW, attestations=[shown("daily-checklist", "2026-11-24T10:13:00+09:00", late)]), "2026-11-25T10:13:00+09:00")
    f.no("list", "61 seconds ahead", at(NOW, attestations=[shown("daily-checklist", "2026-11-24T10:13:01+09:00", late)]), "attested unmet")
    f.no("list", "none", at(NOW), "attested unknown")
    f.no("list", "another kind", at(NOW, attestations=[shown("attendance", NOW, late)]), "attested unknown")
    f.no("list", "the host's word", at(NOW, attestations=[shown("daily-checklist", NOW, late, by="asserted")]), "attested provenance")
    f.no("list", "measured is not attested", at(NOW, attestations=[shown("daily-checklist", NOW, late, by="measured")]), "attested provenance")
    f.no("list", "no time", {"attestations": [shown("daily-checklist", NOW, late)]}, "attested unknown")
    f.no("list", "an asserted time keeps nothing fresh", at(by(NOW, "asserted"), attestations=[shown("daily-checklist", NOW, late)]), "attested provenance")
    f.yes("list", "an old one and a fresh one", at(NOW, attestations=[shown("daily-checklist", "2026-11-20T08:00:00+09:00", late), shown("daily-checklist", "2026-11-24T08:00:00+09:00", late)]), "2026-11-25T08:00:00+09:00")
    f.yes("list", "of two good ones the later end", at(NOW, attestations=[shown("daily-checklist", "2026-11-24T09:00:00+09:00", "2026-11-24T12:00:00+09:00"), shown("daily-checklist", "2026-11-24T08:00:00+09:00", late)]), "2026-11-25T08:00:00+09:00")
    f.no("list", "a stale token and a fresh word", at(NOW, attestations=[shown("daily-checklist", "2026-11-20T08:00:00+09:00", late), shown("daily-checklist", NOW, late, by="asserted")]), "attested unmet")
    f.when("two", "attested", {"daily-checklist": "24h", "attendance": "2h"})
    good = [shown("daily-checklist", "2026-11-24T08:00:00+09:00", late), shown("attendance", "2026-11-24T09:00:00+09:00", late)]
    f.yes("two", "both: the earlier end", at(NOW, attestations=good), "2026-11-24T11:00:00+09:00")
    f.no("two", "one of two missing", at(NOW, attestations=good[:1]), "attested unknown")
    f.no("two", "attendance, checked first, is stale; the checklist is missing", at(NOW, attestations=[shown("attendance", "2026-11-24T08:00:00+09:00", late)]), "attested unmet")
    f.when("leap", "attested", {"training": "366d"})
    f.yes("leap", "366 days back over a leap day", at("2028-03-01T00:00:00Z", attestations=[shown("training", "2027-03-01T00:00:01Z", "2029-01-01T00:00:00Z")]), "2028-03-01T00:00:01Z")
    f.no("leap", "366 days are over", at("2028-03-01T00:00:01Z", attestations=[shown("training", "2027-03-01T00:00:01Z", "2029-01-01T00:00:00Z")]), "attested unmet")
    f.when("relaxed", "attested", {"need": {"daily-checklist": "24h"}, "accept": "asserted"})
    f.yes("relaxed", "the host's word where accepted", at(NOW, attestations=[shown("daily-checklist", NOW, late, by="asserted")]), "2026-11-25T10:12:00+09:00")

with File("posture", "The condition posture.") as f:
    f.when("usb", "posture", ["usb-storage-blocked"])
    f.yes("usb", "attested, without an end", {"posture": ["usb-storage-blocked"]})
    f.yes("usb", "a second before its end", at(NOW, posture=[{"name": "usb-storage-blocked", "expires": "2026-11-24T10:12:01+09:00"}]), "2026-11-24T10:12:01+09:00")
    f.no("usb", "at its end", at(NOW, posture=[{"name": "usb-storage-blocked", "expires": NOW}]), "posture unmet")
    f.no("usb", "a second after its end", at(NOW, posture=[{"name": "usb-storage-blocked", "expires": "2026-11-24T10:11:59+09:00"}]), "posture unmet")
    f.no("usb", "with an end, and no time", {"posture": [{"name": "usb-storage-blocked", "expires": NOW}]}, "posture unknown")
    f.no("usb", "with an end, and an asserted time", at(by(NOW, "asserted"), posture=[{"name": "usb-storage-blocked", "expires": "2026-11-25T00:00:00Z"}]), "posture provenance")
    f.no("usb", "not known", {}, "posture unknown")
    f.no("usb", "something else is known", {"posture": ["printing-blocked"]}, "posture unknown")
    f.no("usb", "the host's word", {"posture": [{"name": "usb-storage-blocked", "by": "asserted"}]}, "posture provenance")
    f.no("usb", "measured is not attested", {"posture": [{"name": "usb-storage-blocked", "by": "measured"}]}, "posture provenance")
    f.yes("usb", "a word and a token: the token counts, with its end", at(NOW, posture=[{"name": "usb-storage-blocked", "by": "asserted"}, {"name": "usb-storage-blocked", "expires": "2026-11-24T12:00:00+09:00"}]), "2026-11-24T12:00:00+09:00")
    f.yes("usb", "two ends: the later", at(NOW, posture=[{"name": "usb-storage-blocked", "expires": "2026-11-24T11:00:00+09:00"}, {"name": "usb-storage-blocked", "expires": "2026-11-24T12:00:00+09:00"}]), "2026-11-24T12:00:00+09:00")
    f.when("two", "posture", ["usb-storage-blocked", "printing-blocked"])
    f.yes("two", "both: the earlier end", at(NOW, posture=[{"name": "usb-storage-blocked", "expires": "2026-11-24T11:00:00+09:00"}, {"name": "printing-blocked", "expires": "2026-11-24T12:00:00+09:00"}]), "2026-11-24T11:00:00+09:00")
    f.no("two", "the first in the policy's order is too weak, the second missing", {"posture": [{"name": "usb-storage-blocked", "by": "asserted"}]}, "posture provenance")
    f.when("relaxed", "posture", {"need": ["usb-storage-blocked"], "accept": "asserted"})
    f.yes("relaxed", "the host's word where accepted", {"posture": [{"name": "usb-storage-blocked", "by": "asserted"}]})
    f.when("measured", "posture", {"need": ["usb-storage-blocked"], "accept": "measured"})
    f.yes("measured", "measured where accepted", {"posture": [{"name": "usb-storage-blocked", "by": "measured"}]})
    f.no("measured", "the host's word is not measured", {"posture": [{"name": "usb-storage-blocked", "by": "asserted"}]}, "posture provenance")

with File("ticket", "The condition ticket: the host's word is enough, unless the policy demands more.") as f:
    f.when("ticket", "ticket", True)
    f.yes("ticket", "asserted", {"ticket": True})
    f.yes("ticket", "attested", {"ticket": by(True, "attested")})
    f.no("ticket", "none", {}, "ticket unknown")
    f.when("signed", "ticket", {"need": True, "accept": "attested"})
    f.no("signed", "asserted where attested is wanted", {"ticket": True}, "ticket provenance")
    f.no("signed", "measured where attested is wanted", {"ticket": by(True, "measured")}, "ticket provenance")
    f.yes("signed", "attested where attested is wanted", {"ticket": by(True, "attested")})

with File("opens", "The condition opens: fewer than so many in a rolling window.") as f:
    f.when("day", "opens", {"at_most": 200, "per": "24h"})
    f.yes("day", "none so far", {"opens": {"24h": 0}})
    f.yes("day", "199 so far: this is the 200th", {"opens": {"24h": 199}})
    f.no("day", "200 so far", {"opens": {"24h": 200}}, "opens unmet")
    f.no("day", "201 so far", {"opens": {"24h": 201}}, "opens unmet")
    f.yes("day", "1d is the same window as 24h", {"opens": {"1d": 199}})
    f.no("day", "another window was counted", {"opens": {"1h": 0}}, "opens unknown")
    f.no("day", "not counted", {}, "opens unknown")
    f.no("day", "the host's count", {"opens": by({"24h": 0}, "asserted")}, "opens provenance")
    f.yes("day", "an attested count", {"opens": by({"24h": 0}, "attested")})
    f.when("once", "opens", {"at_most": 1, "per": "7d"})
    f.yes("once", "the only one", {"opens": {"7d": 0}})
    f.no("once", "the second", {"opens": {"7d": 1}}, "opens unmet")


def badge(subject="kim", roles=(), groups=(), expires="2026-11-24T20:00:00+09:00"):
    return {"subject": subject, "roles": list(roles), "groups": list(groups), "expires": expires}


with File("subjects", "To whom a grant is made: badges, users, roles, groups, anyone.") as f:
    def to(name, *subjects):
        f.policy(name, {"to": list(subjects), "rights": ["view"]})
    to("role", {"role": "agent"})
    end = "2026-11-24T20:00:00+09:00"
    f.yes("role", "the role", at(NOW, badge=badge(roles=["agent"])), end)
    f.yes("role", "one role of several", at(NOW, badge=badge(roles=["clerk", "agent"])), end)
    f.no("role", "another role", at(NOW, badge=badge(roles=["clerk"])), "to unmet")
    f.no("role", "no roles", at(NOW, badge=badge()), "to unmet")
    f.no("role", "case counts in roles", at(NOW, badge=badge(roles=["Agent"])), "to unmet")
    f.no("role", "a group is no role", at(NOW, badge=badge(groups=["agent"])), "to unmet")
    f.no("role", "a subject is no role", at(NOW, badge=badge(subject="agent")), "to unmet")
    f.no("role", "no badge", at(NOW), "badge unknown")
    f.yes("role", "a second before the badge ends", at("2026-11-24T19:59:59+09:00", badge=badge(roles=["agent"])), end)
    f.no("role", "at the badge's end", at(end, badge=badge(roles=["agent"])), "badge unmet")
    f.no("role", "a second after the badge's end", at("2026-11-24T20:00:01+09:00", badge=badge(roles=["agent"])), "badge unmet")
    f.no("role", "an expired badge of another role: the end comes first", at(end, badge=badge(roles=["clerk"])), "badge unmet")
    f.no("role", "a badge, and no time", {"badge": badge(roles=["agent"])}, "badge unknown")
    f.no("role", "a badge, and an asserted time", at(by(NOW, "asserted"), badge=badge(roles=["agent"])), "badge provenance")
    f.yes("role", "a badge, and an attested time", at(by(NOW, "attested"), badge=badge(roles=["agent"])), end)
    to("user", {"user": "kim"})
    f.yes("user", "the user", at(NOW, badge=badge()), end)
    f.no("user", "another user", at(NOW, badge=badge(subject="lee")), "to unmet")
    to("group", {"group": "team-4"})
    f.yes("group", "the group", at(NOW, badge=badge(groups=["team-4"])), end)
    f.no("group", "another group", at(NOW, badge=badge(groups=["team-40"])), "to unmet")
    to("anyone", "anyone")
    f.yes("anyone", "anyone needs neither badge nor time", {})
    f.yes("anyone", "an expired badge does no harm", at(end, badge=badge()))
    f.yes("anyone", "a badge that is not needed is no end", at(NOW, badge=badge()))
    to("mixed", {"role": "agent"}, "anyone")
    f.yes("mixed", "anyone beside a role: no badge needed", {})
    to("either", {"user": "lee"}, {"group": "team-4"})
    f.yes("either", "one subject of several is enough", at(NOW, badge=badge(groups=["team-4"])), end)
    to("korean", {"role": "상담원"})
    f.yes("korean", "a role in Korean", at(NOW, badge=badge(roles=["상담원"])), end)

with File("duties", "Duties: joined over all grants that apply; an undeclared one withholds the right.") as f:
    f.policy("plain", {"to": ["anyone"], "rights": ["view", "print"], "duties": ["watermark"]})
    f.case("plain", "declared", {"duties": ["watermark"]}, {"view": ["watermark"], "print": ["watermark"]})
    f.case("plain", "not declared", {}, withheld={"view": ["watermark"], "print": ["watermark"]})
    f.case("plain", "another declared", {"duties": ["wipe"]}, withheld={"view": ["watermark"], "print": ["watermark"]})
    f.case("plain", "unknown names declared do no harm", {"duties": ["watermark", "sing"]}, {"view": ["watermark"], "print": ["watermark"]})
    f.policy("two", {"to": ["anyone"], "rights": ["view"]},
             {"to": ["anyone"], "rights": ["view", "print"], "duties": ["block-capture"]})
    f.case("two", "a grant without the duty does not take it away", {"duties": HOST}, {"view": ["block-capture"], "print": ["block-capture"]})
    f.case("two", "two grants, one with a duty that the host lacks", {}, withheld={"view": ["block-capture"], "print": ["block-capture"]})
    f.policy("apart", {"to": ["anyone"], "rights": ["view"], "duties": ["watermark"]},
             {"to": ["anyone"], "rights": ["export"], "duties": ["wipe"]})
    f.case("apart", "duties belong to rights", {"duties": HOST}, {"view": ["watermark"], "export": ["wipe"]})
    f.case("apart", "one right withheld, the other not", {"duties": ["watermark"]}, {"view": ["watermark"]}, withheld={"export": ["wipe"]})
    f.policy("base", {"to": ["anyone"], "rights": ["view"]}, {"to": ["anyone"], "rights": ["print"], "duties": ["wipe"]}, duties=["watermark"])
    f.case("base", "the policy's own duties are on every right", {"duties": HOST}, {"view": ["watermark"], "print": ["watermark", "wipe"]})
    f.policy("mask", {"to": ["anyone"], "rights": ["view"], "duties": [{"mask": ["rrn", "card"]}]},
             {"to": ["anyone"], "rights": ["view"], "duties": [{"mask": ["rrn", "주소"]}]})
    f.case("mask", "columns are joined and sorted", {"duties": ["mask"]}, {"view": [{"mask": ["card", "rrn", "주소"]}]})
    f.case("mask", "mask not declared", {"duties": ["watermark"]}, withheld={"view": ["mask"]})
    f.policy("all", {"to": ["anyone"], "rights": ["export", "capture", "copy", "print", "edit", "view"], "duties": ["wipe", {"mask": ["a"]}, "block-clipboard", "block-capture", "watermark"]})
    ordered = ["watermark", "block-capture", "block-clipboard", {"mask": ["a"]}, "wipe"]
    f.case("all", "every right and every duty", {"duties": HOST}, {r: ordered for r in ["view", "edit", "print", "copy", "capture", "export"]})
    f.policy("conditional", {"to": ["anyone"], "rights": ["view"]},
             {"to": ["anyone"], "rights": ["view"], "when": {"ticket": True}, "duties": ["watermark"]})
    f.case("conditional", "the duty of a grant that applies", {"ticket": True, "duties": HOST}, {"view": ["watermark"]})
    f.case("conditional", "a grant that fails takes its duty with it", {"duties": HOST}, {"view": []}, refused=["grants[1]: ticket unknown"])
    f.policy("ends", {"to": ["anyone"], "rights": ["view"], "when": {"valid": {"until": "2026-12-01T00:00:00Z"}}},
             {"to": ["anyone"], "rights": ["print"], "when": {"valid": {"until": "2026-11-30T00:00:00Z"}}, "duties": ["wipe"]})
    f.case("ends", "the end of a grant whose rights are withheld counts, too", at(NOW), {"view": []}, "2026-11-30T00:00:00Z", withheld={"print": ["wipe"]})
    f.policy("ends-none", {"to": ["anyone"], "rights": ["print"], "when": {"valid": {"until": "2026-11-30T00:00:00Z"}}, "duties": ["wipe"]})
    f.case("ends-none", "no right, no end", at(NOW), withheld={"print": ["wipe"]})

with File("order", "require, several grants, the order of conditions, and the end of a decision.") as f:
    f.policy("require", {"to": ["anyone"], "rights": ["view"]}, {"to": [{"role": "x"}], "rights": ["edit"]},
             require={"revocations": "24h", "storage": "fixed"})
    fresh = "2026-11-24T09:00:00+09:00"
    f.case("require", "require holds; a grant for somebody else", at(NOW, revocations=fresh, storage="fixed"), {"view": []}, "2026-11-25T09:00:00+09:00", ["grants[1]: badge unknown"])
    f.case("require", "require fails: the one reason", at(NOW, revocations=fresh, storage="removable"), refused=["require: storage unmet"])
    f.case("require", "require fails twice: the first in the fixed order", at(NOW, storage="removable"), refused=["require: revocations unknown"])
    f.policy("before", {"to": [{"role": "x"}], "rights": ["view"], "when": {"hours": {"zone": "UTC", "days": ["sun"], "from": "00:00", "to": "01:00"}}}, require={"ticket": True})
    f.case("before", "require comes before badge and when", at(NOW), refused=["require: ticket unknown"])
    f.case("before", "the badge comes before when", at(NOW, ticket=True), refused=["grants[0]: badge unknown"])
    f.case("before", "to comes before when", at(NOW, ticket=True, badge=badge()), refused=["grants[0]: to unmet"])
    f.case("before", "then when", at(NOW, ticket=True, badge=badge(roles=["x"])), refused=["grants[0]: hours unmet"])
    everything = {
        "opens": {"at_most": 1, "per": "1h"}, "ticket": True, "posture": ["p"], "attested": {"a": "1h"},
        "storage": "fixed", "software": {"mode": ["managed"]}, "network": ["10.0.0.0/8"],
        "hours": {"zone": "Asia/Seoul", "days": ["tue"], "from": "10:00", "to": "12:00"},
        "devices": [DEVICE], "anchored": "1h", "revocations": "1h", "valid": {"until": "2026-11-24T11:30:00+09:00"}}
    f.policy("all", {"to": ["anyone"], "rights": ["view"], "when": everything})
    facts = {
        "time": NOW, "revocations": "2026-11-24T10:11:00+09:00", "anchor": "2026-11-24T10:10:00+09:00",
        "device": DEVICE, "network": ["10.1.1.1"], "program": {"mode": "managed"}, "storage": "fixed",
        "attestations": [shown("a", "2026-11-24T10:09:00+09:00", "2026-12-01T00:00:00Z")],
        "posture": [{"name": "p", "expires": "2026-11-24T11:20:00+09:00"}], "ticket": True, "opens": {"1h": 0}}
    f.yes("all", "all twelve hold: the earliest of six ends", facts, "2026-11-24T11:09:00+09:00")
    for missing, first in [("time", "valid"), ("revocations", "revocations"), ("anchor", "anchored"),
                           ("device", "devices"), ("network", "network"), ("program", "software"),
                           ("storage", "storage"), ("attestations", "attested"), ("posture", "posture"),
                           ("ticket", "ticket"), ("opens", "opens")]:
        less = {k: v for k, v in facts.items() if k != missing}
        f.no("all", f"all but {missing}", less, f"{first} unknown")
    left = dict(facts)
    for gone, first in [("opens", "opens"), ("ticket", "ticket"), ("posture", "posture"), ("attestations", "attested"),
                        ("storage", "storage"), ("program", "software"), ("network", "network"),
                        ("device", "devices"), ("anchor", "anchored"), ("revocations", "revocations")]:
        left = {k: v for k, v in left.items() if k != gone}
        f.no("all", f"without {gone} and all that is checked after it", left, f"{first} unknown")
    f.case("all", "without any fact", {}, refused=["grants[0]: valid unknown"])
    f.policy("several", {"to": [{"role": "agent"}], "rights": ["view"], "when": {"hours": {"zone": "Asia/Seoul", "days": WEEK, "from": "08:30", "to": "18:30"}}},
             {"to": [{"role": "supervisor"}], "rights": ["edit", "view"]},
             {"to": ["anyone"], "rights": ["capture"], "when": {"ticket": True}})
    f.case("several", "two roles in one badge, the earliest end", at(NOW, badge=badge(roles=["agent", "supervisor"])), {"view": [], "edit": []}, "2026-11-24T18:30:00+09:00", ["grants[2]: ticket unknown"])
    f.case("several", "the badge ends before the hours", at(NOW, badge=badge(roles=["agent"], expires="2026-11-24T15:00:00+09:00")), {"view": []}, "2026-11-24T15:00:00+09:00", ["grants[1]: to unmet", "grants[2]: ticket unknown"])
    f.case("several", "each grant fails for its own reason", at("2026-11-24T20:00:00+09:00", badge=badge(roles=["agent"], expires="2026-11-25T00:00:00+09:00")), refused=["grants[0]: hours unmet", "grants[1]: to unmet", "grants[2]: ticket unknown"])
    f.case("several", "no facts at all", {}, refused=["grants[0]: badge unknown", "grants[1]: badge unknown", "grants[2]: ticket unknown"])

print(total, "vectors")
