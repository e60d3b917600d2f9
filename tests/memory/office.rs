//! What is looked for in whose memory: an office whose secrets are known here, and child processes
//! that work in it.

use super::secrets::Secrets;
use bulla::{Existing, Home, Identity, KemKind, Kinds, Metadata, Passphrase, RootKey, Sealer};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const POLICY: &[u8] =
    br#"{"version":1,"name":"all","grants":[{"to":["anyone"],"rights":["view","edit","export"]}]}"#;

/// A folder with a device's home, an issuer's, an envelope and what is to be sealed.
pub struct Office {
    folder: tempfile::TempDir,
    kind: KemKind,
    public: Vec<u8>,
    kem: Vec<u8>,
    pub secrets: Secrets,
}

impl Office {
    pub fn new(kind: KemKind, sealed_keys: bool) -> Self {
        let shm = Path::new("/dev/shm");
        let folder =
            if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let mut secrets = Secrets::default();
        let (identity, root) =
            (Identity::generate(kind, "desk").unwrap(), RootKey::generate("R").unwrap());
        let kem = secrets.add_key_file("device", &identity.to_file(None).unwrap()).unwrap();
        secrets.add_key_file("root", &root.to_file(None).unwrap());
        let line = identity.public().to_string();
        let keys = line.split([':', ' ']).nth(1).unwrap();
        let public = data_encoding::BASE64URL_NOPAD.decode(keys.as_bytes()).unwrap()[32..].to_vec();

        // No piece of it stands twice, and it stands nowhere else.
        let text = random_text();
        fs::write(folder.path().join("passphrase"), &text).unwrap();
        let passphrase = sealed_keys.then(|| Passphrase::new(text.clone()));
        let home = Home::at(folder.path().join("desk"));
        home.create_identity(&identity, passphrase.as_ref()).unwrap();
        home.pin(root.line()).unwrap();
        let issuer = Home::at(folder.path().join("issuer"));
        issuer.create_root(&root, passphrase.as_ref()).unwrap();
        if sealed_keys {
            let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
            secrets.add_passphrase(&text, &read("desk/identity"));
            secrets.add_passphrase(&text, &read("issuer/root.key"));
        }

        // Any 31 bytes in a row hold the whole mark.
        let mark = random_text().into_bytes()[..16].to_vec();
        secrets.add("plaintext", &mark);
        let plain: Vec<u8> = mark.iter().copied().cycle().take(700_001).collect();
        fs::write(folder.path().join("plain"), &plain).unwrap();
        let to = [identity.recipient().clone()];
        for name in ["sealed", "batch"] {
            let mut sealer = Sealer::issued(&root, "", POLICY, &to, Kinds::Same).unwrap();
            if name == "batch" {
                sealer = sealer.batch().unwrap();
            }
            let prepared = sealer.prepare(&Metadata::default()).unwrap();
            let mut writer = prepared.into_file(&folder.path().join(name), Existing::Keep).unwrap();
            writer.write_all(&plain).unwrap();
            writer.finish().unwrap();
        }
        let other = Identity::generate(kind, "other").unwrap();
        fs::write(folder.path().join("other.pub"), other.public().to_string()).unwrap();
        let mut office = Office { folder, kind, public, kem, secrets };
        office.learn("sealed");
        office.learn("batch");
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Looks for the keys of this envelope, too.
    fn learn(&mut self, name: &str) {
        let sealed = fs::read(self.path(name)).unwrap();
        self.secrets.add_envelope(name, &sealed, self.kind.name(), &self.public, &self.kem);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What must be found while the handles are open, and then nothing once they are closed. `made`
    /// are envelopes that the child made, whose keys are not known before. With secret memory, keys that
    /// lie there are not to be found while they are in use either.
    pub fn check(
        mut self,
        scenario: &str,
        child: Command,
        memory: Memory,
        open: &[&str],
        made: &[&str],
    ) {
        let mut child = Working::start(child, memory);
        child.wait_for("open");
        let found = names(&self.secrets.find(child.id()));
        for name in open.iter().filter(|name| memory == Memory::Ordinary || ordinary(name)) {
            assert!(found.contains(*name), "{scenario}: {name} is not where it must be: {found:?}");
        }
        if memory == Memory::Secret {
            let kept: Vec<_> = found.iter().filter(|name| !ordinary(name)).collect();
            assert!(
                kept.is_empty(),
                "{scenario}: can be read in use (has this kernel memfd_secret?): {kept:?}"
            );
        }
        child.go_on();
        child.wait_for("closed");
        for name in made {
            self.learn(name);
        }
        let found = self.secrets.find(child.id());
        child.go_on();
        assert!(child.process.wait().unwrap().success());
        let lines: Vec<_> = found.iter().map(|(what, at)| format!("{what}: {at}")).collect();
        assert!(found.is_empty(), "{scenario} leaves\n{}", lines.join("\n"));
    }
}

/// Whether it is in ordinary memory while it is in use: the AEAD's crate has its keys on the heap, and
/// a passphrase is held until it has been used.
pub fn ordinary(name: &str) -> bool {
    ["plaintext", "passphrase"].contains(&name) || name.ends_with("chunk key")
}

pub fn names(found: &[(String, String)]) -> BTreeSet<String> {
    found.iter().map(|(name, _)| name.clone()).collect()
}

fn random_text() -> String {
    let key = RootKey::generate("").unwrap();
    key.line().to_string()["bulla-root:".len()..].trim().to_owned()
}

/// What the kernel has for keys. Tests of secret memory need one that has it, as Linux does from 6.5 on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    Secret,
    Ordinary,
}

impl Memory {
    pub const BOTH: [Memory; 2] = [Memory::Secret, Memory::Ordinary];

    /// Has a program find what it would on a kernel without secret memory.
    fn given_to(self, command: &mut Command) {
        if self == Memory::Secret {
            return;
        }
        let rules = [(libc::SYS_memfd_secret, vec![])].into();
        let answer = SeccompAction::Errno(libc::ENOSYS as u32);
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
        let program: BpfProgram = filter.try_into().unwrap();
        // SAFETY: between fork and exec this makes two system calls.
        unsafe {
            command.pre_exec(move || {
                seccompiler::apply_filter(&program).map_err(|_| std::io::ErrorKind::Other.into())
            });
        }
    }
}

/// A child that waits to be told to go on.
pub struct Working {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Working {
    pub fn start(mut command: Command, memory: Memory) -> Self {
        memory.given_to(&mut command);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Working { process, output }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Gives the line that the child says it with.
    pub fn wait_for(&mut self, stop: &str) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if line.trim_end().ends_with(&format!("stop {stop}")) {
                return line;
            }
            line.clear();
        }
        panic!("the child ended before it came to {stop}");
    }

    pub fn go_on(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
