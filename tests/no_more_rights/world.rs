//! An insurer, whom the attacker does not have; the desk, which the attacker has whole; and files.

use crate::support::forge::{Envelope, Secrets, Token};
use crate::support::{self, memory_folder, names};
use bulla::{
    Access, Badge, BadgeTerms, Home, Host, Identity, KemKind, KeyUse, Kinds, Permit, PublicKey,
    Result, Right, Roles, RootKey, Sealer, Session, Signatory, Template, TemplateTerms, TrustList,
    TrustedKey, VerifyingKey,
};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub const TEXT: &[u8] = b"name,phone\n";
pub const HOUR: u64 = 3600;

/// Agents may view, supervisors take along.
pub const STRICT: &str = r#"{"version":1,"name":"strict","grants":[
    {"to":[{"role":"agent"}],"rights":["view"]},
    {"to":[{"role":"supervisor"}],"rights":["view","export"]}]}"#;
/// Everybody may.
pub const LAX: &str = r#"{"version":1,"name":"lax","grants":[
    {"to":["anyone"],"rights":["view","export"]}]}"#;

pub struct World {
    folder: tempfile::TempDir,
    /// When it was made: Unix seconds.
    pub now: u64,
    /// Whose files it is about. The attacker does not have this key.
    pub insurer: RootKey,
    /// The attacker's own, which the desk pins; its list lets it and the desk say everything.
    pub own: RootKey,
    /// Whom the insurer lets sign templates, permits, and badges of agents.
    pub clerk: Identity,
    /// Whom the insurer lets sign attestations, and permits.
    pub lead: Identity,
    /// Whom the insurer's first list let sign badges, and its second templates alone.
    pub leaver: Identity,
    /// The attacker's device, with a badge of an agent.
    pub desk: Identity,
    /// Another device of which the secrets are known.
    pub other: Identity,
    /// The insurer's lists 1 and 2.
    pub lists: [TrustList; 2],
    pub strict: Vec<u8>,
    pub lax: Vec<u8>,
    /// Two files of one batch, lax.
    pub batch: [Vec<u8>; 2],
    /// The clerk's templates with those policies, and the desk's permits for them.
    pub templates: [(Template, Permit); 2],
    /// Sealed by the desk under them.
    pub noted: Vec<u8>,
    pub freed: Vec<u8>,
}

pub fn trusted(key: &VerifyingKey, uses: &[KeyUse], roles: Option<&[&str]>) -> TrustedKey {
    let allow = |roles: &[&str]| roles.iter().map(|r| r.to_string()).collect();
    TrustedKey {
        jwk: PublicKey::Ed25519(key.clone()),
        alg: "Ed25519".into(),
        uses: uses.to_vec(),
        iss: None,
        aud: None,
        roles: roles.map(|roles| Roles { claim: "roles".into(), allow: allow(roles) }),
    }
}

pub fn sealed(sealer: &Sealer<'_>) -> Vec<u8> {
    support::envelope(sealer, TEXT)
}

/// A policy under which agents may view and export when all of this holds.
pub fn agents(when: Value) -> Value {
    json!({"version": 1, "name": "agents", "grants": [
        {"to": [{"role": "agent"}], "rights": ["view", "export"], "when": when}]})
}

impl World {
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let root = |name| RootKey::generate(name).unwrap();
        let identity = |name| Identity::generate(KemKind::X25519, name).unwrap();
        let folder = memory_folder();
        let (insurer, own) = (root("Hanbit Insurance"), root("the agent's own"));
        let [clerk, lead, leaver, desk, other] =
            ["clerk", "lead", "leaver", "desk", "other"].map(identity);

        let key = |identity: &Identity| identity.public().signing_key().clone();
        let keys = [
            trusted(insurer.line().key(), &KeyUse::ALL, None),
            trusted(
                &key(&clerk),
                &[KeyUse::Template, KeyUse::Permit, KeyUse::Badge],
                Some(&["agent"]),
            ),
            trusted(&key(&lead), &[KeyUse::Attestation, KeyUse::Permit], None),
        ];
        let list = |seq, uses: &[KeyUse]| {
            let keys = [&keys[..], &[trusted(&key(&leaver), uses, None)]].concat();
            TrustList::sign(&insurer, seq, now, now + 9 * HOUR, keys, vec![])
        };
        let (first, second) = (list(1, &[KeyUse::Badge]), list(2, &[KeyUse::Template]));
        let lists = [first.unwrap(), second.unwrap()];
        let everything = [own.line().key().clone(), key(&desk), key(&clerk)];
        let everything = everything.map(|key| trusted(&key, &KeyUse::ALL, None)).to_vec();
        let own_list = TrustList::sign(&own, 1, now, now + 9 * HOUR, everything, vec![]).unwrap();

        let home = Home::at(folder.path().join("desk"));
        home.create_identity(&desk, None).unwrap();
        for (root, list) in [(&insurer, &lists[1]), (&own, &own_list)] {
            home.pin(root.line()).unwrap();
            home.use_list(list).unwrap();
        }
        Home::at(folder.path().join("other")).create_identity(&other, None).unwrap();
        let to = [desk.recipient().clone()];
        let issued = |policy: &str| {
            Sealer::issued(&insurer, "", policy.as_bytes(), &to, Kinds::Same).unwrap()
        };
        let batch = issued(LAX).batch().unwrap();
        let template = |policy: &str| {
            let terms = TemplateTerms {
                name: "notes",
                label: "",
                policy: policy.as_bytes(),
                to: std::slice::from_ref(desk.public()),
                kinds: Kinds::Same,
                seal_roles: &[],
            };
            let by = Signatory::Identity(&clerk);
            let template = Template::sign(by, insurer.thumbprint(), terms, now).unwrap();
            let permit = Permit::sign(by, &template, desk.thumbprint(), now, now + HOUR);
            (template, permit)
        };
        let templates = [template(STRICT), template(LAX)];
        let session = Session::start(&home, home.identity(None).unwrap(), Host::default()).unwrap();
        let delegated = |(template, permit): &(Template, Permit)| {
            sealed(&Sealer::delegated(&session, template, permit).unwrap())
        };
        let (noted, freed) = (delegated(&templates[0]), delegated(&templates[1]));
        let (strict, lax) = (sealed(&issued(STRICT)), sealed(&issued(LAX)));
        let batch = [sealed(&batch), sealed(&batch)];
        drop(session);
        let world = World {
            folder,
            now,
            insurer,
            own,
            clerk,
            lead,
            leaver,
            desk,
            other,
            lists,
            strict,
            lax,
            batch,
            templates,
            noted,
            freed,
        };
        // What the desk has seen, it remembers.
        let badge = world.badge(Signatory::Root(&world.insurer), "agent");
        home.use_badge(&badge).unwrap();
        let session = Session::start(&home, home.identity(None).unwrap(), Host::default()).unwrap();
        session.open_source(world.strict.clone()).expect("an agent may view");
        world
    }

    /// The folder of a home: `desk` or `other`.
    pub fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new file of the insurer for the desk.
    pub fn seal(&self, policy: &Value) -> Vec<u8> {
        let (to, policy) = ([self.desk.recipient().clone()], policy.to_string());
        sealed(&Sealer::issued(&self.insurer, "", policy.as_bytes(), &to, Kinds::Same).unwrap())
    }

    /// A badge of Kim's with one role at the desk, for an hour.
    pub fn badge(&self, by: Signatory<'_>, role: &str) -> String {
        self.badge_at(by, role, &self.desk, self.now)
    }

    pub fn badge_at(&self, by: Signatory<'_>, role: &str, at: &Identity, from: u64) -> String {
        let (roles, device) = ([role.to_owned()], at.thumbprint());
        let terms = BadgeTerms { subject: "kim", roles: &roles, groups: &[], device, anchor: None };
        Badge::sign(by, terms, from, from + HOUR).unwrap().as_str().to_owned()
    }

    /// Kim's badge as an agent, with where the trail of this home stands now.
    pub fn anchored_badge(&self, home: &Home) -> String {
        let checkpoint = home.checkpoint(&home.identity(None).unwrap()).unwrap();
        let (roles, device) = (["agent".to_owned()], self.desk.thumbprint());
        let anchor = Some(checkpoint.anchor());
        let terms = BadgeTerms { subject: "kim", roles: &roles, groups: &[], device, anchor };
        let by = Signatory::Root(&self.insurer);
        Badge::sign(by, terms, self.now, self.now + HOUR).unwrap().as_str().to_owned()
    }

    /// The root that signs, and whoever must not.
    pub fn root(&self, honest: bool) -> &RootKey {
        if honest { &self.insurer } else { &self.own }
    }

    /// The keys of the insurer's root, or those of the attacker's device.
    pub fn keys(&self, honest: bool) -> Secrets {
        if honest { root_secrets(&self.insurer) } else { secrets(&self.desk) }
    }

    /// A token changed and signed again in the same name, by the insurer or by the device.
    pub fn again(&self, text: &str, honest: bool, edit: impl FnOnce(&mut Value)) -> String {
        let mut token = Token::of(text);
        edit(&mut token.claims);
        token.signed(&self.keys(honest).signing)
    }
}

pub fn secrets(identity: &Identity) -> Secrets {
    Secrets::of(&identity.to_file(None).unwrap())
}

pub fn root_secrets(root: &RootKey) -> Secrets {
    Secrets::of(&root.to_file(None).unwrap())
}

/// One attempt: a copy of the desk's home, the strict file, and the wish to take it along.
pub struct Try {
    folder: tempfile::TempDir,
    pub home: Home,
    pub file: Vec<u8>,
    pub host: Host,
    pub older: bool,
}

impl Try {
    pub fn new(world: &World) -> Self {
        let folder = memory_folder();
        copy(&world.home("desk"), &folder.path().join("desk"));
        let home = Home::at(folder.path().join("desk"));
        Try { folder, home, file: world.strict.clone(), host: Host::default(), older: false }
    }

    fn session(&self) -> Result<Session> {
        Session::start(&self.home, self.home.identity(None)?, self.host.clone())
    }

    fn access(&self) -> Access {
        Access { right: Right::Export, older: self.older, ..Access::default() }
    }

    /// Exports the file, from a file.
    pub fn export(&self) -> Result<Vec<u8>> {
        let path = self.folder.path().join("file");
        fs::write(&path, &self.file).unwrap();
        let mut out = Vec::new();
        self.session()?.open_for(&path, self.access())?.export(&mut out)?;
        Ok(out)
    }

    pub fn export_stream(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.session()?.open_stream_for(&self.file[..], self.access())?.export(&mut out)?;
        Ok(out)
    }

    /// Views a file as an agent may, so that it stands in the trail.
    pub fn view(&self, file: &[u8]) {
        self.session().unwrap().open_source(file.to_vec()).expect("an agent may view");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home.folder().join(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.home.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.home.folder().join(name)).unwrap();
    }

    /// Puts a license in front of description and payload of another envelope.
    pub fn license(&mut self, envelope: &Envelope, license: String) {
        self.file = Envelope { license, ..envelope.clone() }.bytes();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}
