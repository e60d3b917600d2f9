#!/usr/bin/env python3
"""Compares the two evaluators on random policies and facts, and on the decision vectors.

    pip install tzdata==2026.6
    cargo build --example policy_eval
    python3 tests/independent/policy_compare.py target/debug/examples/policy_eval [count] [seed]

Choices are from small pools and times lie near edges, so that conditions often just hold or just
fail. Compares rights, duties, until, and each reason's grant, name and cause.
"""

import glob
import json
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.dirname(__file__))
import policy_eval  # noqa: E402

WORDS = ["daily-checklist", "attendance", "training"]
POSTURES = ["usb-storage-blocked", "printing-blocked", "disk-encrypted"]
PRINTS = ["A" * 43, "sMjwUi1lPlP3ELeMUBwdXpnZs0Ko40k5UJcM9wmDmJI", "B" * 42 + "A"]
HASHES = ["00" * 32, "0f" * 32]
PATHS = ["/opt/crm/crm", "/usr/bin/viewer"]
BLOCKS = ["10.20.0.0/16", "192.168.0.0/24", "10.20.3.4/32", "2001:db8::/32", "0.0.0.0/0", "fe80::/10"]
ADDRESSES = ["10.20.3.4", "192.168.0.7", "192.168.1.7", "2001:db8::1", "2001:db9::1", "127.0.0.1",
             "::1", "fe80::1", "169.254.3.3", "::ffff:10.20.3.4"]
ZONES = ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana",
         "Asia/Beirut", "America/St_Johns", "Pacific/Chatham", "UTC", "Africa/Casablanca"]
DURATIONS = ["60s", "1m", "1h", "2h", "24h", "1d", "7d"]
BYS = ["asserted", "measured", "attested"]
MODES = ["bare", "managed", "confined"]
KINDS = ["fixed", "removable", "network"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# Around changes of the clock and a leap day, all in UTC.
MOMENTS = ["2026-03-08T07:00:00", "2026-11-01T06:00:00", "2026-03-29T01:00:00", "2026-10-25T01:00:00",
           "2026-04-04T15:00:00", "2026-10-03T15:30:00", "2026-11-01T05:00:00", "2026-03-28T22:00:00",
           "2026-10-24T21:00:00", "2028-02-29T12:00:00", "2026-11-24T01:12:00", "2026-12-31T15:00:00"]


class Random(random.Random):
    def some(self, pool, most=None):
        return self.sample(pool, self.randint(1, min(most or len(pool), len(pool))))

    def chance(self, p):
        return self.random() < p

    def near(self, now):
        """A time at, just beside, or somewhat off another one by a usual duration."""
        off = self.choice([0, 60, 3600, 7200, 86400, 604800, self.randint(0, 90000)])
        return now + self.choice([-1, -1, 1]) * off + self.choice([0, 0, -1, 1])

    def when(self, seconds):
        offset = self.choice([0, 0, 540, -330])
        t = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=offset)))
        return t.isoformat().replace("+00:00", "Z")

    def window(self, now):
        zone = self.choice(ZONES)
        local = datetime.fromtimestamp(now, policy_eval.zoneinfo.ZoneInfo(zone))
        around = local.hour * 60 + local.minute

        def pick():
            m = around + self.choice([0, 0, 1, -1, 15, -15, 30, -30, 60, -60, self.randint(-720, 720)])
            return f"{m // 60 % 24:02}:{m % 60:02}"
        start, stop = pick(), self.choice([pick(), pick(), "24:00", "00:00"])
        if start == stop or (start, stop) == ("00:00", "00:00"):
            start, stop = "00:00", "24:00"
        days = DAYS if self.chance(0.3) else self.some(DAYS)
        return {"zone": zone, "days": days, "from": start, "to": stop}

    def conditions(self, now, density):
        makers = {
            "valid": lambda: self.valid(now),
            "revocations": lambda: self.choice(DURATIONS),
            "anchored": lambda: self.choice(DURATIONS),
            "devices": lambda: self.some(PRINTS),
            "hours": lambda: self.window(now) if self.chance(0.6)
            else [self.window(now) for _ in range(self.randint(1, 3))],
            "network": lambda: self.some(BLOCKS) if self.chance(0.5) else {"any": self.some(BLOCKS)},
            "software": self.software,
            "storage": lambda: self.choice(KINDS) if self.chance(0.5) else self.some(KINDS),
            "attested": lambda: {k: self.choice(DURATIONS) for k in self.some(WORDS, 2)},
            "posture": lambda: self.some(POSTURES, 2),
            "ticket": lambda: True,
            "opens": lambda: {"at_most": self.randint(1, 5), "per": self.choice(DURATIONS[2:])},
        }
        out = {}
        for name, make in makers.items():
            if self.chance(density):
                out[name] = make()
                if self.chance(0.3):
                    out[name] = {"need": out[name], "accept": self.choice(BYS)}
        return out

    def valid(self, now):
        out = {}
        if self.chance(0.7):
            out["until"] = self.near(now)
        if not out or self.chance(0.5):
            out["from"] = self.near(now)
        if len(out) == 2 and out["from"] >= out["until"]:
            out["until"] = out["from"] + self.choice([1, 3600])
        return {k: self.when(v) for k, v in out.items()}

    def software(self):
        out = {}
        if self.chance(0.6):
            out["mode"] = self.some(MODES)
        if self.chance(0.3):
            out["path"] = self.some(PATHS)
        if not out or self.chance(0.3):
            out["sha256"] = self.some(HASHES)
        return out

    def duties(self):
        duties = self.some(policy_eval.DUTIES, 2)
        return [{"mask": self.some(["ssn", "phone", "주소"])} if d == "mask" else d for d in duties]

    def subject(self):
        kind = self.choice(["user", "role", "role", "group", "anyone"])
        return kind if kind == "anyone" else {kind: self.choice(["a", "b", "c"])}

    def grant(self, now):
        to = []
        for _ in range(self.randint(1, 3)):
            subject = self.subject()
            if subject not in to:
                to.append(subject)
        grant = {"to": to, "rights": self.some(policy_eval.RIGHTS, 3)}
        when = self.conditions(now, self.choice([0, 0.08, 0.2]))
        if when:
            grant["when"] = when
        if self.chance(0.4):
            grant["duties"] = self.duties()
        return grant

    def policy(self, now):
        policy = {"version": 1, "name": "random",
                  "grants": [self.grant(now) for _ in range(self.randint(1, 5))]}
        require = self.conditions(now, 0.04)
        if require:
            policy["require"] = require
        if self.chance(0.2):
            policy["duties"] = self.duties()
        return policy

    def by(self, value):
        return {"value": value, "by": self.choice(BYS)} if self.chance(0.2) else value

    def facts(self, now):
        def ages():
            return self.when(self.near(now) if self.chance(0.5) else now - self.randint(0, 7200))
        makers = {
            "time": lambda: self.by(self.when(now)),
            "badge": lambda: {"subject": self.choice("abc"), "roles": self.sample("abc", self.randint(0, 3)),
                              "groups": self.sample("abc", self.randint(0, 2)),
                              "expires": self.when(now + self.choice([-1, 0, 1, 3600, 36000]))},
            "device": lambda: self.by(self.choice(PRINTS)),
            "anchor": lambda: self.by(ages()),
            "revocations": lambda: self.by(ages()),
            "network": lambda: self.by(self.sample(ADDRESSES, self.randint(0, 4))),
            "program": lambda: self.by(self.program()),
            "storage": lambda: self.by(self.choice(KINDS)),
            "attestations": lambda: [self.maybe_by({"kind": self.choice(WORDS), "issued": ages(),
                                                    "expires": self.when(now + self.choice([0, 1, 3600, 86400]))})
                                     for _ in range(self.randint(0, 5))],
            "posture": lambda: [self.posture(now) for _ in range(self.randint(0, 5))],
            "ticket": lambda: self.by(True),
            "opens": lambda: self.by({p: self.randint(0, 5) for p in ["1h", "2h", "24h", "7d"]
                                      if self.chance(0.9)} or {"1d": 1}),
            "duties": lambda: self.sample(policy_eval.DUTIES, self.choice([2, 4, 5, 5])),
        }
        return {name: make() for name, make in makers.items() if self.chance(0.9)}

    def program(self):
        out = {"mode": self.choice(MODES)}
        if self.chance(0.8):
            out["path"] = self.choice(PATHS)
        if self.chance(0.8):
            out["sha256"] = self.choice(HASHES)
        return out

    def maybe_by(self, fact):
        return {**fact, "by": self.choice(BYS)} if self.chance(0.25) else fact

    def posture(self, now):
        name = self.choice(POSTURES)
        if self.chance(0.4):
            return name
        fact = {"name": name}
        if self.chance(0.6):
            fact["expires"] = self.when(now + self.choice([-1, 0, 1, 3600]))
        return self.maybe_by(fact)


def stripped(decision):
    """Without the texts for people."""
    keep = {"refused": ["grant", "failed", "cause"], "withheld": ["right", "undeclared"]}
    out = dict(decision)
    for key, names in keep.items():
        out[key] = [{n: reason[n] for n in names} for reason in decision[key]]
    return out


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    rng = Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    cases = []
    here = os.path.dirname(os.path.abspath(__file__))
    for name in sorted(glob.glob(os.path.join(here, "..", "vectors", "policy", "*.json"))):
        with open(name, encoding="utf-8") as f:
            document = json.load(f)
        for vector in document["vectors"]:
            policy = document["policies"][vector["policy"]]
            cases.append({"policy": policy, "facts": vector["facts"]})
    vectors = len(cases)
    for _ in range(count):
        moment = datetime.fromisoformat(rng.choice(MOMENTS)).replace(tzinfo=timezone.utc)
        now = int(moment.timestamp()) + rng.choice([0, 0, -1, 1, rng.randint(-7200, 7200), rng.randint(-90000, 90000)])
        cases.append({"policy": rng.policy(now), "facts": rng.facts(now)})
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ours = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    seen, differ = Counter(), 0
    for case, line in zip(cases, ours.decode().splitlines(), strict=True):
        our = json.loads(line)
        their = policy_eval.evaluate(case["policy"], case["facts"])
        if "error" in our or stripped(our) != their:
            differ += 1
            if differ <= 5:
                print(json.dumps(case, ensure_ascii=False), "\n ours:  ",
                      our if "error" in our else stripped(our), "\n theirs:", their)
        seen["granted" if their["rights"] else "denied"] += 1
        seen["with an end"] += their["until"] is not None
        for reason in their["refused"]:
            seen[f"{reason['failed']} {reason['cause']}"] += 1
        seen["withheld"] += bool(their["withheld"])
    print(", ".join(f"{name}: {n}" for name, n in sorted(seen.items())))
    print(f"{vectors} vectors and {count} random cases: {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
