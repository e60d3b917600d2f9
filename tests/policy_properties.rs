//! What must hold for every policy and all facts: knowing less never gains anything.

use bulla::policy::{
    Attestation, Badge, Duty, DutySet, Facts, FindingCode, Known, Mode, Policy, Posture, Program,
    Provenance, Right, Storage, check, evaluate,
};
use serde_json::{Map, Value, json};

const NOW: i64 = 1_795_482_720; // 2026-11-24T01:12:00Z, a Tuesday

/// xorshift64*: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// At least one of them.
    fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let first = self.below(all.len());
        let keep = |(i, x): (usize, &T)| (i == first || self.chance(30)).then(|| x.clone());
        all.iter().enumerate().filter_map(keep).collect()
    }

    fn provenance(&mut self) -> Provenance {
        self.pick(&[
            Provenance::Attested,
            Provenance::Attested,
            Provenance::Measured,
            Provenance::Asserted,
        ])
    }

    fn conditions(&mut self, percent: usize) -> Value {
        let all = [
            (
                "valid",
                vec![
                    json!({"until": "2026-12-01T00:00:00Z"}),
                    json!({"from": "2026-01-01T00:00:00Z"}),
                ],
            ),
            ("revocations", vec![json!("1h"), json!("24h")]),
            ("anchored", vec![json!("1h"), json!("24h")]),
            ("devices", vec![json!(["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])]),
            (
                "hours",
                vec![json!({"zone": "UTC", "days": ["tue"], "from": "00:00", "to": "24:00"})],
            ),
            ("network", vec![json!(["10.0.0.0/8"]), json!({"any": ["10.1.0.0/16"]})]),
            (
                "software",
                vec![
                    json!({"mode": ["managed"]}),
                    json!({"path": ["/opt/crm"]}),
                    json!({"mode": ["managed"], "sha256": ["00".repeat(32)]}),
                ],
            ),
            ("storage", vec![json!("fixed"), json!(["fixed", "network"])]),
            (
                "attested",
                vec![json!({"a": "1h"}), json!({"a": "24h"}), json!({"a": "1h", "b": "2h"})],
            ),
            ("posture", vec![json!(["p"]), json!(["p", "q"]), json!(["q"])]),
            ("ticket", vec![json!(true)]),
            (
                "opens",
                vec![json!({"at_most": 5, "per": "1h"}), json!({"at_most": 3, "per": "24h"})],
            ),
        ];
        let mut out = Map::new();
        for (name, needs) in all {
            if self.chance(percent) {
                let need = self.pick(&needs);
                let long = json!({"need": need, "accept": self.provenance().name()});
                out.insert(name.into(), if self.chance(40) { long } else { need });
            }
        }
        Value::Object(out)
    }

    fn duties(&mut self) -> Value {
        let all = [
            json!("watermark"),
            json!("wipe"),
            json!({"mask": ["x"]}),
            json!({"mask": ["x", "y"]}),
        ];
        json!([self.pick(&all)])
    }

    fn policy(&mut self) -> Policy {
        let mut out = Map::new();
        out.insert("version".into(), json!(1));
        out.insert("name".into(), json!("random"));
        let add = |map: &mut Map<String, Value>, key: &str, value: Value| {
            let empty = value.as_object().is_some_and(Map::is_empty);
            if !empty {
                map.insert(key.into(), value);
            }
        };
        let require = self.conditions(3);
        add(&mut out, "require", require);
        if self.chance(20) {
            add(&mut out, "duties", self.duties());
        }
        let mut grants = Vec::new();
        for _ in 0..2 + self.below(2) {
            let to =
                [json!("anyone"), json!({"role": "r"}), json!({"user": "u"}), json!({"user": "v"})];
            let rights = ["view", "edit", "print"];
            let mut grant = Map::new();
            grant.insert("to".into(), json!(self.some(&to)));
            grant.insert("rights".into(), json!(self.some(&rights)));
            let percent = self.pick(&[0, 5, 12]);
            let when = self.conditions(percent);
            add(&mut grant, "when", when);
            if self.chance(50) {
                add(&mut grant, "duties", self.duties());
            }
            grants.push(Value::Object(grant));
        }
        out.insert("grants".into(), Value::Array(grants));
        Policy::parse(Value::Object(out).to_string().as_bytes()).expect("a well-formed policy")
    }

    fn known<T>(&mut self, value: T) -> Option<Known<T>> {
        let by = self.provenance();
        self.chance(95).then_some(Known { value, by })
    }

    /// Facts under which most conditions hold.
    fn facts(&mut self) -> Facts {
        let ages = [30, 1800, 5000, 50_000];
        let mut facts = Facts {
            time: self.known(NOW),
            badge: self.chance(90).then(|| Badge {
                subject: "u".into(),
                roles: vec!["r".into()],
                groups: vec![],
                expires: NOW + 3600,
            }),
            device: self.known([0; 32]),
            anchor: self.known(NOW - 1000),
            revocations: self.known(NOW - 1000),
            network: self.known(vec!["10.1.2.3".parse().unwrap()]),
            program: None,
            storage: self.known(Storage::Fixed),
            ticket: self.chance(90).then(|| self.provenance()),
            duties: Duty::ALL.iter().copied().collect(),
            ..Facts::default()
        };
        let program =
            Program { mode: Mode::Managed, path: Some("/opt/crm".into()), sha256: Some([0; 32]) };
        facts.program = self.known(program);
        for _ in 0..4 {
            facts.attestations.push(Attestation {
                kind: self.pick(&["a", "b"]).into(),
                issued: NOW - self.pick(&ages),
                expires: NOW + self.pick(&[0, 1, 3600]),
                by: self.provenance(),
            });
            facts.posture.push(Posture {
                name: self.pick(&["p", "q"]).into(),
                expires: self.pick(&[None, Some(NOW), Some(NOW + 60)]),
                by: self.provenance(),
            });
        }
        for per in [3600, 86_400] {
            if let Some(known) = self.known(2) {
                facts.opens.insert(per, known);
            }
        }
        facts
    }
}

fn weaker(by: Provenance) -> Option<Provenance> {
    match by {
        Provenance::Attested => Some(Provenance::Measured),
        Provenance::Measured => Some(Provenance::Asserted),
        Provenance::Asserted => None,
    }
}

/// Every way to withhold one fact, or to tell it one step less reliably.
fn weakened(facts: &Facts) -> Vec<Facts> {
    let mut out = Vec::new();
    let mut add = |change: &dyn Fn(&mut Facts)| {
        let mut less = facts.clone();
        change(&mut less);
        out.push(less);
    };
    macro_rules! single {
        ($($field:ident),*) => { $(
            add(&|f| f.$field = None);
            if let Some(by) = facts.$field.as_ref().and_then(|k| weaker(k.by)) {
                add(&|f| f.$field.as_mut().unwrap().by = by);
            }
        )* };
    }
    single!(time, device, anchor, revocations, network, program, storage);
    add(&|f| f.badge = None);
    add(&|f| f.ticket = None);
    if let Some(by) = facts.ticket.and_then(weaker) {
        add(&|f| f.ticket = Some(by));
    }
    if facts.program.is_some() {
        add(&|f| f.program.as_mut().unwrap().value.path = None);
        add(&|f| f.program.as_mut().unwrap().value.sha256 = None);
    }
    for (i, attestation) in facts.attestations.iter().enumerate() {
        add(&|f| drop(f.attestations.remove(i)));
        if let Some(by) = weaker(attestation.by) {
            add(&|f| f.attestations[i].by = by);
        }
    }
    for (i, posture) in facts.posture.iter().enumerate() {
        add(&|f| drop(f.posture.remove(i)));
        if let Some(by) = weaker(posture.by) {
            add(&|f| f.posture[i].by = by);
        }
    }
    for (per, opens) in &facts.opens {
        add(&|f| f.opens.retain(|p, _| p != per));
        if let Some(by) = weaker(opens.by) {
            add(&|f| f.opens.get_mut(per).unwrap().by = by);
        }
    }
    out
}

#[test]
fn withholding_a_fact_gains_nothing() {
    let mut random = Random(20_261_124);
    let (mut kept, mut lost, mut shed) = (0, 0, 0);
    for _ in 0..4_000 {
        let policy = random.policy();
        let warned =
            check(&policy, NOW, None).iter().any(|f| f.code == FindingCode::WithholdingShedsDuty);
        let facts = random.facts();
        let full = evaluate(&policy, &facts);
        // Two steps, as facts can be withheld together.
        let mut all = weakened(&facts);
        let further = random.pick(&all);
        all.extend(weakened(&further));
        for less in all {
            let decision = evaluate(&policy, &less);
            lost += usize::from(decision.rights().count() < full.rights().count());
            for (right, duties) in decision.rights() {
                let before = full.duties(right);
                let before = before.unwrap_or_else(|| panic!("{right} was gained: {policy:?}"));
                kept += 1;
                if !before.within(duties) {
                    assert!(warned, "shed without a warning: {policy:#?} {facts:#?} {less:#?}");
                    shed += 1;
                }
            }
        }
    }
    // The test would show nothing if these were rare.
    assert!(kept > 10_000 && lost > 1_000 && shed > 100, "{kept} kept, {lost} lost, {shed} shed");
}

#[test]
fn declaring_fewer_duties_gains_nothing() {
    let mut random = Random(7);
    let mut lost = 0;
    for _ in 0..4_000 {
        let (policy, mut facts) = (random.policy(), random.facts());
        facts.duties = Duty::ALL.iter().copied().filter(|_| random.chance(80)).collect();
        let full = evaluate(&policy, &facts);
        for duty in facts.duties.iter() {
            let mut less = facts.clone();
            less.duties = DutySet::NONE;
            facts.duties.iter().filter(|&d| d != duty).for_each(|d| less.duties.insert(d));
            let decision = evaluate(&policy, &less);
            for &right in Right::ALL {
                match (full.duties(right), decision.duties(right)) {
                    (None, Some(_)) => panic!("{right} was gained by not declaring {duty}"),
                    (Some(before), Some(after)) => assert_eq!(before, after),
                    (Some(before), None) => {
                        assert!(before.kinds().contains(duty));
                        lost += 1;
                    }
                    (None, None) => {}
                }
            }
        }
    }
    assert!(lost > 500, "{lost}");
}

/// Whatever happens to its bytes, a policy is read or refused, and what is read is evaluated.
#[test]
fn broken_bytes_never_panic() {
    let good = include_bytes!("../examples/policies/claims-from-home.json");
    let mut random = Random(3);
    let facts = random.facts();
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = good.to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.below(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, random.pick(b"\"[]{},:0919-e.")),
                _ => bytes[at] = random.pick(b"0123456789azAZ\""),
            }
        }
        if let Ok(policy) = Policy::parse(&bytes) {
            read += 1;
            let decision = evaluate(&policy, &facts);
            serde_json::to_string(&decision).unwrap();
            check(&policy, NOW, Some(&["claims-agent".into()]));
        }
    }
    assert!(read > 500, "{read}");
}

/// Clocks, ages and ends at the limits of their types.
#[test]
fn extreme_times_never_panic() {
    let bytes = include_bytes!("../examples/policies/claims-from-home.json");
    let policy = Policy::parse(bytes).unwrap();
    let mut random = Random(11);
    for time in [i64::MIN, -1, 0, 1, 32_503_679_999, 32_503_680_000, i64::MAX] {
        for other in [i64::MIN, 0, i64::MAX] {
            let mut facts = random.facts();
            facts.time = Some(Known::measured(time));
            facts.badge = Some(Badge {
                roles: vec!["claims-agent".into()],
                expires: other,
                ..Badge::default()
            });
            facts.revocations = Some(Known::attested(other));
            facts.anchor = Some(Known::attested(other));
            serde_json::to_string(&evaluate(&policy, &facts)).unwrap();
            check(&policy, time, None);
        }
    }
}
