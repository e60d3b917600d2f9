//! Large files through the command: 5 GiB in constant memory, blocks that are shared.
#![cfg(target_os = "linux")]

mod office;

use office::{Office, OwnDisk, bytes, seal_args};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SIZE: u64 = (5 << 30) + 12_345;
const MOST: u64 = 48 << 10;

/// Runs `command` to its end with `work` beside it, and gives its peak memory in KiB.
fn peak<T>(mut command: Command, work: impl FnOnce(&mut Child) -> T) -> (u64, T) {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let high = || -> Option<u64> {
        let text = fs::read_to_string(&status).ok()?;
        let line = text.lines().find(|l| l.starts_with("VmHWM:"))?.to_owned();
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let (most, result) = std::thread::scope(|scope| {
        // The value only rises; what is read last before the end is the peak or close to it.
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                most = most.max(high().unwrap_or(0));
                std::thread::sleep(Duration::from_millis(2));
            }
            most
        });
        let result = work(&mut child);
        let status = child.wait().unwrap();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(status.success());
        (watch.join().unwrap(), result)
    });
    assert!(most > 0, "the peak was never seen");
    (most, result)
}

/// Size and SHA-256 of all that comes.
fn digest(mut from: impl Read) -> (u64, Vec<u8>) {
    let (mut sha, mut size, mut buf) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let n = from.read(&mut buf).unwrap();
        if n == 0 {
            return (size, sha.finalize().to_vec());
        }
        sha.update(&buf[..n]);
        size += n as u64;
    }
}

#[test]
fn five_gibibytes_in_constant_memory() {
    let office = Office::new("x25519");
    let free = rustix::fs::statvfs(office.path(".")).unwrap();
    let free = free.f_bavail * free.f_frsize;
    if free < 12 << 30 {
        println!("skipped: {} MiB are free, 12 GiB are asked for", free >> 20);
        return;
    }
    // Sparse, with content here and there, also behind all 32-bit offsets.
    let mut plain = fs::File::create(office.path("large")).unwrap();
    plain.set_len(SIZE).unwrap();
    for at in [0, 1 << 20, (1 << 32) - 500, 5 << 30] {
        plain.seek(SeekFrom::Start(at)).unwrap();
        plain.write_all(&bytes(1000, at)).unwrap();
    }
    drop(plain);
    let sealing = office.command("issuer", &seal_args(&["large", "-o", "sealed"]));
    let (most, ()) = peak(quiet(sealing), |_| ());
    println!("sealing: {most} KiB at most");
    assert!(most < MOST, "sealing took {most} KiB");
    let chunks = SIZE / 16_384 + 1;
    let payload = fs::metadata(office.path("sealed")).unwrap().len() - 4096;
    assert_eq!(payload, 56 + SIZE + 16 * chunks);

    let mut opening = office.command("desk", &["open", "sealed", "-"]);
    opening.stdout(Stdio::piped());
    let (most, (expected, got)) = peak(opening, |child| {
        let out = child.stdout.take().unwrap();
        std::thread::scope(|scope| {
            let got = scope.spawn(|| digest(out));
            let plain = fs::File::open(office.path("large")).unwrap();
            (digest(plain), got.join().unwrap())
        })
    });
    println!("opening: {most} KiB at most");
    assert_eq!(got.0, SIZE);
    assert!(got == expected, "something else came out");
    assert!(most < MOST, "opening took {most} KiB");

    // Any place of it, at once.
    let reader = office.session("desk").open(&office.path("sealed")).unwrap();
    let mut buf = [0; 1000];
    assert_eq!(reader.len(), SIZE);
    assert_eq!(reader.read_at(&mut buf, (1 << 32) - 500).unwrap(), 1000);
    assert_eq!(buf[..], bytes(1000, (1 << 32) - 500));
    assert_eq!(reader.read_at(&mut buf, SIZE - 7).unwrap(), 7);
}

fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Where a file system can share blocks, a new license does not copy the content. Needs root and
/// `mkfs.btrfs`.
#[test]
fn a_new_license_shares_the_content() {
    let office = Office::new("x25519");
    office.device("visitor", "x25519");
    fs::File::create(office.path("image")).unwrap().set_len(512 << 20).unwrap();
    let made = Command::new("mkfs.btrfs").arg("-q").arg(office.path("image")).output();
    assert!(made.is_ok_and(|made| made.status.success()), "mkfs.btrfs: package btrfs-progs");
    let image = office.path("image");
    let disk = OwnDisk::mount(office.path("shared"), &["-o", "loop", image.to_str().unwrap()]);
    let disk = disk.expect("root, and the right to mount");
    let plain = bytes(128 << 20, 5);
    office.write("shared/plain", &plain);
    office.ok("issuer", &seal_args(&["shared/plain", "-o", "shared/sealed"]));
    let used = || {
        rustix::fs::syncfs(fs::File::open(&disk.0).unwrap()).unwrap();
        let all = rustix::fs::statvfs(&disk.0).unwrap();
        (all.f_blocks - all.f_bfree) * all.f_frsize
    };
    // The old one stays, by another name.
    fs::hard_link(office.path("shared/sealed"), office.path("shared/old")).unwrap();
    let before = used();
    office.ok("issuer", &["relicense", "shared/sealed", "--add", "visitor/identity.pub"]);
    let more = used().saturating_sub(before);
    assert!(more < 16 << 20, "{} MiB were copied", more >> 20);
    assert!(office.opened("desk", "shared/sealed") == plain);
}
