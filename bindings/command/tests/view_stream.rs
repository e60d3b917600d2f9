//! Files that are sealed while they are written: whatever a program does with one, and whenever it
//! ends, it is as on plain files.

#![cfg(target_os = "linux")]

mod office;
mod view;

use serde_json::json;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};
use view::{Desk, MARKER, rights, under, until, work};

/// Does the same to a file of the view and to a plain one, and compares them all the time.
const SAME: &str = r#"
import os, sys
MIB = 1 << 20
def block(i, n):
    return (b"%08d Kim-Minji-010-5550-0199 " % i * (n // 34 + 1))[:n]
class Both:
    def __init__(self, name, flags=os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        self.files = [os.open(at, flags, 0o640) for at in (name, "/tmp/" + name)]
        self.name = name
    def do(self, work):
        a, b = [work(file) for file in self.files]
        assert a == b, self.name
    def append(self, i, n):
        self.do(lambda f: os.write(f, block(i, n)))
    def compare(self):
        self.do(lambda f: os.fstat(f).st_size)
        size = os.fstat(self.files[0]).st_size
        for at in range(0, size + 1, 333_333):
            self.do(lambda f: os.pread(f, 400_000, at))
    def end(self):
        self.compare()
        self.do(os.close)
        for at in ("", "/tmp/"):
            with open(at + self.name, "rb") as f:
                content = f.read()
            assert at or content == open("/tmp/" + self.name, "rb").read(), self.name
def fill(f, mib, step=100_000):
    for i in range(0, mib * MIB, step):
        f.append(i, step)
f = Both("in-order"); fill(f, 5); f.end()
f = Both("whole-parts"); fill(f, 4, MIB); f.end()
f = Both("read-while-written"); fill(f, 3); f.compare(); fill(f, 3, 70_001); f.compare(); f.end()
f = Both("out-of-order"); fill(f, 3)
f.do(lambda f: os.pwrite(f, b"the start is written last", 7)); fill(f, 2)
f.do(lambda f: os.pwrite(f, b"behind the end", 9 * MIB)); f.end()
f = Both("cut"); fill(f, 3); f.do(lambda f: os.ftruncate(f, 2 * MIB + 5))
f.do(lambda f: os.lseek(f, 0, os.SEEK_END)); fill(f, 2); f.end()
f = Both("begun-again"); fill(f, 3); f.do(lambda f: os.ftruncate(f, 0))
f.do(lambda f: os.lseek(f, 0, 0)); fill(f, 2, MIB // 4); f.end()
f = Both("after-fsync")
for i in range(3):
    fill(f, 2); f.do(os.fsync); f.compare()
f.append(1, 10); f.end()
f = Both("in-order", os.O_RDWR | os.O_TRUNC); fill(f, 2); f.do(os.fsync); fill(f, 2); f.end()
f = Both("renamed"); fill(f, 2)
for at in ("", "/tmp/"):
    os.rename(at + "renamed", at + "renamed2")
f.name = "renamed2"; fill(f, 2); f.end()
os.mkdir("folder"); os.mkdir("/tmp/folder")
f = Both("folder/inside"); fill(f, 2)
for at in ("", "/tmp/"):
    os.rename(at + "folder", at + "other")
os.mkdir("folder")
f.name = "other/inside"; fill(f, 2); f.end()
f = Both("over"); fill(f, 2)
for at in ("", "/tmp/"):
    os.rename(at + "over", at + "cut")
f.name = "cut"; fill(f, 1); f.end()
f = Both("gone"); fill(f, 2)
for at in ("", "/tmp/"):
    os.unlink(at + "gone")
fill(f, 1); f.compare(); f.do(os.close)
print(len(os.listdir("folder")), oct(os.stat("whole-parts").st_mode & 0o777))
"#;

#[test]
fn what_a_program_does_with_one_is_as_on_plain_files() {
    let desk = Desk::new(&work());
    let done = desk.run(&["python3", "-c", SAME]);
    assert_eq!((done.status, done.text().as_str()), (0, "0 0o640\n"), "{}", done.stderr);
    desk.nothing_plain(MARKER);
    assert_eq!(desk.office.inspect("D/in-order.bulla")["delegation"]["template_name"], "notes");
}

/// Also those that are sealed as a whole when they are closed, and again when they are saved.
#[test]
fn files_keep_the_mode_that_they_were_made_with() {
    let made = r#"
import os
for mode in 0o600, 0o755:
    for flags in os.O_CREAT | os.O_WRONLY, os.O_WRONLY:
        file = os.open("new-%o" % mode, flags, mode)
        os.write(file, b"short")
        os.close(file)
        print("%o" % (os.stat("new-%o" % mode).st_mode & 0o777))
"#;
    let desk = Desk::new(&work());
    let done = desk.run(&["python3", "-c", made]);
    assert_eq!(done.text(), "600\n600\n755\n755\n", "{}", done.stderr);
}

/// One record when it is made, one when it is sealed, and none of what never was.
#[test]
fn the_trail_says_what_it_says_of_short_files() {
    let desk = Desk::new(&work());
    desk.sh("head -c 3000000 /dev/zero > long; head -c 30 /dev/zero > short");
    let count = |event| desk.office.events("desk").iter().filter(|e| *e == event).count();
    assert_eq!(count("sealed"), 4);
    // Saved under its license: first when it is cut, as a short one.
    desk.sh("head -c 2000000 /dev/zero > long");
    assert_eq!((count("sealed"), count("saved")), (4, 2));
    assert_eq!(desk.office.inspect("D/long.bulla")["revision"], 3);
}

/// The kill comes in the middle: what is there then is complete.
#[test]
fn a_kill_leaves_the_old_or_the_new() {
    let desk = Desk::new(&work());
    let old = MARKER.repeat(100_000);
    let script = r#"while :; do head -c 3000000 /dev/zero > F; printf . >&2; done"#;
    for i in 0..10 {
        desk.seal("F", &old, &work());
        let mut run = desk.command(&[], &["sh", "-c", script]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(60 + 7 * i));
        run.kill().unwrap();
        run.wait().unwrap();
        let text = desk.content("F");
        // Cutting a file is a save of its own, as without a view.
        let new = text.len() <= 3_000_000 && text.iter().all(|b| *b == 0);
        assert!(text == old.as_bytes() || new, "after kill {i}");
        fs::remove_file(desk.path("D/F.bulla")).unwrap();
        let left: Vec<_> = fs::read_dir(desk.path("D")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}

/// Part by part it may be found only later that the disk is full, but it is found.
#[test]
fn a_full_disk_keeps_the_old() {
    let desk = Desk::new(&work());
    let small = desk.small_disk("3m");
    desk.seal("small/F", MARKER, &work());
    let fill = |to: &str| desk.run(&["dd", "if=/dev/zero", to, "bs=64k", "count=100"]);
    let (new, over) = (fill("of=small/new"), fill("of=small/F"));
    let (content, empty) = (desk.content("small/F"), desk.content("small/new"));
    drop(small);
    for done in [new, over] {
        assert!(done.status != 0 && done.stderr.contains("No space left"), "{}", done.stderr);
    }
    // Opening it to be written anew has cut it, if that was sealed.
    assert!(content == MARKER.as_bytes() || content.is_empty());
    assert!(empty.is_empty());
}

/// What may not be written is not sealed either, though most of it is by then.
#[test]
fn a_file_that_was_read_meanwhile_counts() {
    let desk = Desk::new(&work());
    desk.seal("claims", MARKER, &under("claims", &["view", "export"], json!({})));
    let script = r#"
import os
f = os.open("new", os.O_WRONLY | os.O_CREAT)
for _ in range(30):
    os.write(f, b"x" * 100_000)
open("claims").read()
for work in (lambda: os.write(f, b"x"), lambda: os.fsync(f), lambda: os.close(f)):
    try:
        work()
    except PermissionError:
        print("refused")
"#;
    let done = desk.run(&["python3", "-c", script]);
    assert_eq!(done.text(), "refused\n".repeat(3), "{}", done.stderr);
    assert_eq!(desk.content("new"), b"");
}

/// Names, sizes and content are remembered for a while, but not beyond their end.
#[test]
fn a_change_behind_the_view_is_seen() {
    let desk = Desk::new(&work());
    let view = rights("claims", &["view"]);
    desk.seal("a", MARKER, &view);
    let mounted = desk.mount(&[]);
    let at = mounted.at.join("a");
    // Old enough to be remembered.
    sleep(Duration::from_millis(3100));
    assert_eq!(fs::metadata(&at).unwrap().len(), MARKER.len() as u64);
    assert_eq!(fs::read_to_string(&at).unwrap(), MARKER);
    for (times, name) in [(2, "a"), (3, "a"), (4, "sub/a")] {
        let start = Instant::now();
        let new = MARKER.repeat(times);
        match name {
            "a" => drop(desk.seal("a", &new, &view)),
            // The folder that is seen is another one.
            _ => {
                for folder in ["sub", "other"] {
                    fs::create_dir(desk.path("D").join(folder)).unwrap();
                    desk.seal(
                        &format!("{folder}/a"),
                        if folder == "sub" { "old" } else { &new },
                        &view,
                    );
                }
                assert_eq!(fs::read_to_string(mounted.at.join(name)).unwrap(), "old");
                fs::rename(desk.path("D/sub"), desk.path("D/moved")).unwrap();
                fs::rename(desk.path("D/other"), desk.path("D/sub")).unwrap();
            }
        }
        let at = mounted.at.join(name);
        until("the new size is seen", || {
            fs::metadata(&at).is_ok_and(|m| m.len() == new.len() as u64)
        });
        assert_eq!(fs::read_to_string(&at).unwrap(), new);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
