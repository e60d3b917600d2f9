//! What targets need that open envelopes: an issuer, a device with a home, both's secrets.

use crate::json::unb64;
use bulla::{
    Home, Host, Identity, KemKind, Kinds, Metadata, Permit, Recipient, RootKey, Sealer, Session,
    Signatory, Template, TemplateTerms, Trust, TrustList,
};
use ed25519_dalek::SigningKey;
use std::cell::RefCell;
use std::io::Write;
use std::time::SystemTime;

/// The plainest policy, with the rights that the targets need.
pub const POLICY: &str = r#"{"version":1,"name":"open-office",
"grants":[{"to":["anyone"],"rights":["view","edit","export"]}]}"#;

/// With more bytes, a trail takes too long to read for each session that is started.
const LONGEST_TRAIL: u64 = 200_000;

pub struct World {
    pub root: RootKey,
    pub root_secret: SigningKey,
    pub device_secret: SigningKey,
    pub list: TrustList,
    pub trust: Trust,
    pub template: Template,
    pub permit: Permit,
    pub home: Home,
    pub session: Session,
    /// That of another device, whose key is hybrid.
    pub hybrid: Session,
    folder: tempfile::TempDir,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Runs with this thread's world.
pub fn with<T>(run: impl FnOnce(&World) -> T) -> T {
    WORLD.with_borrow_mut(|world| run(World::current(world, POLICY)))
}

/// The Ed25519 key in a key file.
fn secret(file: &str) -> SigningKey {
    let file: serde_json::Value = serde_json::from_str(file).expect("a key file");
    let seed = unb64(file["signing"].as_str().expect("a seed in the clear"));
    SigningKey::from_bytes(&seed.try_into().expect("32 bytes"))
}

/// Makes a device's home that trusts this root.
fn device(home: &Home, kind: KemKind, root: &RootKey) -> Identity {
    let identity = Identity::generate(kind, "").unwrap();
    home.create_identity(&identity, None).unwrap();
    std::fs::write(home.folder().join("config.toml"), "[trail]\nsync = \"never\"\n").unwrap();
    home.pin(root.line()).unwrap();
    identity
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

impl World {
    /// One whose template has this policy.
    pub fn new(policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let root = RootKey::generate("root").unwrap();
        let identity = device(&home, KemKind::X25519, &root);
        let list = home.create_first_list(&root, 3650).unwrap();
        let signer = || Signatory::Root(&root);
        let terms = TemplateTerms {
            name: "notes",
            label: "test",
            policy: policy.as_bytes(),
            to: std::slice::from_ref(identity.public()),
            kinds: Kinds::Same,
            seal_roles: &[],
        };
        let template = Template::sign(signer(), root.thumbprint(), terms, now()).unwrap();
        let until = now() + 3650 * 86_400;
        let permit = Permit::sign(signer(), &template, identity.thumbprint(), now(), until);
        home.use_permit(&permit).unwrap();
        let root_secret = secret(&root.to_file(None).unwrap());
        let device_secret = secret(&identity.to_file(None).unwrap());
        let trust = home.trust().unwrap();
        let session = Session::start(&home, identity, Host::default()).unwrap();
        let other = Home::at(folder.path().join("hybrid"));
        let identity = device(&other, KemKind::Hybrid, &root);
        other.use_list(&list).unwrap();
        let hybrid = Session::start(&other, identity, Host::default()).unwrap();
        World {
            root,
            root_secret,
            device_secret,
            list,
            trust,
            template,
            permit,
            home,
            session,
            hybrid,
            folder,
        }
    }

    /// The one that is there, or a new one: each access leaves records in the trail.
    pub fn current<'a>(world: &'a mut Option<World>, policy: &str) -> &'a World {
        let trail = |world: &World| world.home.folder().join("trail.jsonl");
        let len = |world: &World| std::fs::metadata(trail(world)).unwrap().len();
        if world.as_ref().is_some_and(|world| len(world) > LONGEST_TRAIL) {
            *world = None;
        }
        world.get_or_insert_with(|| World::new(policy))
    }

    /// A new folder, beside the home.
    pub fn folder(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(self.folder.path()).unwrap()
    }

    pub fn issued(&self) -> Sealer<'_> {
        self.issued_to(&[&self.session])
    }

    pub fn issued_to(&self, to: &[&Session]) -> Sealer<'_> {
        let to: Vec<Recipient> = to.iter().map(|s| s.identity().recipient().clone()).collect();
        Sealer::issued(&self.root, "test", POLICY.as_bytes(), &to, Kinds::Mixed).unwrap()
    }

    pub fn delegated(&self) -> Sealer<'_> {
        Sealer::delegated(&self.session, &self.template, &self.permit).unwrap()
    }
}

/// An envelope in memory.
pub fn envelope(sealer: &Sealer<'_>, text: &[u8]) -> Vec<u8> {
    let name = Some("a.csv".to_owned());
    let meta = Metadata { name, media_type: None, created: None, modified: Some(1) };
    let mut writer = sealer.prepare(&meta).unwrap().into_stream(Vec::new()).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

/// `len` bytes of which each place is different from the places near it.
pub fn text(len: usize, seed: u8) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 41) as u8 ^ seed).collect()
}
