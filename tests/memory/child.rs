//! The work of the child process. It holds no secret itself but what it is told to wipe.

use bulla::cobblestone::Work;
use bulla::{
    Changes, Existing, Home, Host, Kinds, Metadata, OutputFile, Passphrase, PublicIdentity, Reader,
    Recipient, Sealer, Session, relicense,
};
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub const SCENARIO: &str = "BULLA_MEMORY_SCENARIO";
pub const FOLDER: &str = "BULLA_MEMORY_FOLDER";

/// Run by the tests, in a process of its own.
#[test]
#[ignore = "the child of the other tests"]
fn works() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let at = |name: &str| folder.join(name);
    match &std::env::var(SCENARIO).unwrap()[..] {
        "unlock" => unlock(&folder),
        "seal" => seal(&folder),
        "read" => read(&folder),
        "export" => export(&folder),
        "stream" => stream(&folder),
        "save" => {
            let file = session(&folder).open(&at("sealed")).unwrap();
            let mut writer = file.save(&Metadata::default()).unwrap();
            writer.copy_from(&mut File::open(at("plain")).unwrap()).unwrap();
            stop("open");
            writer.finish().unwrap();
        }
        "relicense" => re_license(&folder),
        "leak" => leak(&folder),
        other => panic!("no scenario {other}"),
    }
    stop("closed");
}

fn stop(name: &str) {
    println!("stop {name}");
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

/// Without a copy that grew: memory of the right size from the start.
fn passphrase(folder: &Path) -> Passphrase {
    let mut file = File::open(folder.join("passphrase")).unwrap();
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact(&mut bytes).unwrap();
    Passphrase::new(String::from_utf8(bytes).unwrap())
}

fn session(folder: &Path) -> Session {
    let home = Home::at(folder.join("desk"));
    let identity = home.identity(Some(&passphrase(folder))).unwrap();
    Session::start(&home, identity, Host::default()).unwrap()
}

fn unlock(folder: &Path) {
    let passphrase = passphrase(folder);
    let identity = Home::at(folder.join("desk")).identity(Some(&passphrase)).unwrap();
    let root = Home::at(folder.join("issuer")).root_key(Some(&passphrase)).unwrap();
    stop("open");
    drop((identity, root));
    // The public lines, where there is none but in the files with the seeds.
    let (desk, issuer) = (Home::at(folder.join("desk")), Home::at(folder.join("issuer")));
    std::fs::remove_file(folder.join("desk/identity.pub")).unwrap();
    desk.public_identity().unwrap();
    issuer.unfinished_root().unwrap();
}

/// One file by itself and one of a batch, by the pieces of a host and from a file.
fn seal(folder: &Path) {
    let root = Home::at(folder.join("issuer")).root_key(Some(&passphrase(folder))).unwrap();
    let to = [Home::at(folder.join("desk")).public_identity().unwrap().recipient().clone()];
    let sealer = || Sealer::issued(&root, "", super::office::POLICY, &to, Kinds::Same).unwrap();
    let mut plain = File::open(folder.join("plain")).unwrap();

    let prepared = sealer().prepare(&Metadata::default()).unwrap();
    let mut writer = prepared.into_file(&folder.join("new"), Existing::Keep).unwrap();
    let mut piece = Zeroizing::new([0; 5_000]);
    loop {
        match plain.read(&mut piece[..]).unwrap() {
            0 => break,
            n => writer.write_all(&piece[..n]).unwrap(),
        }
    }
    stop("open");
    writer.finish().unwrap();

    let prepared = sealer().batch().unwrap().prepare(&Metadata::default()).unwrap();
    let mut writer = prepared.into_file(&folder.join("new-batch"), Existing::Keep).unwrap();
    writer.copy_file(&File::open(folder.join("plain")).unwrap(), &mut by_threads()).unwrap();
    writer.finish().unwrap();

    // One that is given up in the middle.
    let prepared = sealer().prepare(&Metadata::default()).unwrap();
    let mut writer = prepared.into_file(&folder.join("given-up"), Existing::Keep).unwrap();
    writer.copy_from(&mut File::open(folder.join("plain")).unwrap()).unwrap();
}

fn by_threads() -> Work<'static> {
    let progress: &mut dyn FnMut(u64) -> bulla::Result<()> = Box::leak(Box::new(|_| Ok(())));
    Work { threads: NonZeroUsize::new(3).unwrap(), progress }
}

/// Small reads, which go through the cache, and large ones, which go through slots.
fn read(folder: &Path) {
    let session = session(folder);
    let both = ["sealed", "batch"].map(|name| session.open(&folder.join(name)).unwrap());
    for file in &both {
        let mut small = Zeroizing::new([0; 100]);
        let mut large = Zeroizing::new(vec![0; 600_000]);
        assert_eq!(file.read_at(&mut large[..], 16_000).unwrap(), 600_000);
        assert_eq!(file.read_at(&mut small[..], 50_000).unwrap(), 100);
    }
    stop("open");
    drop((both, session));
}

fn export(folder: &Path) {
    let session = session(folder);
    let file = session.open(&folder.join("sealed")).unwrap();
    // To a folder that is a memory file system or not, never to this process's own memory.
    let mut out = OutputFile::create(&folder.join("opened"), Existing::Keep).unwrap();
    file.export_to(&mut out, &mut by_threads()).unwrap();
    file.export_by(&mut File::create(folder.join("again")).unwrap(), &mut by_threads()).unwrap();
    file.export(&mut File::create(folder.join("third")).unwrap()).unwrap();
    file.read_at(&mut Zeroizing::new([0; 100])[..], 0).unwrap();
    stop("open");
    drop((out, file, session));
}

fn stream(folder: &Path) {
    let session = session(folder);
    let source = File::open(folder.join("sealed")).unwrap();
    let mut stream = session.open_stream(source).unwrap();
    stream.read_exact(&mut Zeroizing::new([0; 100])[..]).unwrap();
    stop("open");
    drop((stream, session));
}

/// A recipient more, and one fewer, for which the content is encrypted again.
fn re_license(folder: &Path) {
    let session = session(folder);
    let root = Home::at(folder.join("issuer")).root_key(Some(&passphrase(folder))).unwrap();
    let path = folder.join("sealed");
    let line = std::fs::read_to_string(folder.join("other.pub")).unwrap();
    let other: [Recipient; 1] = [line.parse::<PublicIdentity>().unwrap().recipient().clone()];
    let own = [session.identity().recipient().clone()];
    let none = Changes { add: &[], remove: &[], policy: None, known: &own, kinds: Kinds::Same };
    let again = |changes: &Changes<'_>| {
        let mut work = Work { threads: NonZeroUsize::MIN, progress: &mut |_| Ok(()) };
        relicense(&path, &root, &session, changes, &mut work).unwrap();
    };
    again(&Changes { add: &other, ..none.clone() });
    stop("open");
    again(&Changes { remove: &[other[0].key_id()], ..none });
}

fn leak(folder: &Path) {
    std::mem::forget(passphrase(folder));
    let session = session(folder);
    let file: Reader = session.open(&folder.join("sealed")).unwrap();
    let mut text = vec![0; 100_000];
    file.read_at(&mut text, 0).unwrap();
    std::mem::forget((session, file, text));
}
