//! Files that are renamed, replaced or removed while they are open: whoever has one open goes on with
//! it, and with no other, as on plain files.

#![cfg(target_os = "linux")]

mod office;
mod view;

use office::rights::{grant, policy_of};
use serde_json::json;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::process::Command;
use view::both::Both;
use view::{Desk, MARKER, rights, under, work};

/// What the scripts share: files short and long, of both kinds.
const PRELUDE: &str = r#"
import os, threading
MIB = 1 << 20
def line(i):
    return b"%08d Kim-Minji-010-5550-0199\n" % i
def open_(name, flags=os.O_RDWR):
    return os.open(name, flags | os.O_CREAT, 0o640)
def write(f, i, n=34):
    assert os.write(f, (line(i) * (n // 33 + 1))[:n]) == n
def content(f):
    size = os.fstat(f).st_size
    data = b""
    while len(data) < size:
        data += os.pread(f, MIB, len(data))
    return data
def show(f):
    data = content(f) if isinstance(f, int) else open(f, "rb").read()
    print(len(data), hash_(data), data[:9], data[-35:])
def hash_(data):
    import hashlib
    return hashlib.sha256(data).hexdigest()[:16]
def names():
    print(sorted(os.path.join(at, f) for at, _, files in os.walk(".") for f in files))
"#;

fn both() -> Both {
    let line = |i: u32| format!("{i:08} {MARKER}\n");
    let long: String = (0..60_000).map(line).collect();
    Both::new(&[
        ("short", line(1).into_bytes()),
        ("other", line(2).repeat(3).into_bytes()),
        ("long", long.into_bytes()),
    ])
}

#[track_caller]
fn same(both: &Both, script: &str) {
    both.same_content(&format!("/usr/bin/python3 - <<'PY'\n{PRELUDE}{script}\nPY"));
}

#[test]
fn what_is_written_on_is_under_the_new_name() {
    let both = both();
    same(
        &both,
        r#"
for name in ("short", "long", "new"):
    f = open_(name)
    write(f, 1); os.rename(name, name + "1")
    write(f, 2); os.fsync(f); show(f); show(name + "1")
    # Only changed, not sealed, when the name changes.
    write(f, 3); os.rename(name + "1", name + "2"); names()
    os.fsync(f); show(name + "2")
    os.rename(name + "2", name + "3"); write(f, 4); os.close(f)
    show(name + "3"); names()
"#,
    );
    for (name, revision) in [("short3", 4), ("long3", 4)] {
        assert_eq!(both.desk.office.inspect(&format!("D/{name}.bulla"))["revision"], revision);
    }
    // Back and forth, also by the folder's name, and into another folder.
    same(
        &both,
        r#"
os.mkdir("a"); os.mkdir("b")
for name in ("other", "long3", "made"):
    f = open_(name)
    reader = os.open(name, os.O_RDONLY)
    for i in range(3):
        os.rename(name, "a/x"); write(f, 10 + i); os.fsync(f); show("a/x"); show(reader)
        os.rename("a/x", name); write(f, 20 + i); os.fsync(f); show(name); show(reader)
    os.rename(name, "a/x"); write(f, 30); os.rename("a", "c"); write(f, 31)
    os.fsync(f); show("c/x"); names()
    os.mkdir("a"); open("a/x", "w").write("another")
    os.rename("c/x", "b/x"); write(f, 32); os.ftruncate(f, 100); os.rmdir("c")
    os.close(f); show("b/x"); show("a/x"); show(reader); os.close(reader)
    os.rename("b/x", name); os.unlink("a/x"); names()
"#,
    );
}

/// Links that are there, as nobody can make any in a view.
#[test]
fn a_link_takes_the_place_of_another() {
    let both = both();
    for folder in ["D", "plain"] {
        for (link, target) in [("one", "short"), ("two", "other"), ("three", "short")] {
            std::os::unix::fs::symlink(target, both.desk.path(folder).join(link)).unwrap();
        }
    }
    same(
        &both,
        r#"
import ctypes
os.rename("one", "two")
print(os.readlink("two"), os.path.lexists("one")); show("two")
libc = ctypes.CDLL(None, use_errno=True)
print(libc.renameat2(-100, b"two", -100, b"three", 1), ctypes.get_errno())
os.rename("three", "four")
print(sorted(os.listdir(".")))
"#,
    );
    let link = std::fs::read_link(both.desk.path("D/two")).unwrap();
    assert_eq!(link.to_str(), Some("short"));
}

#[test]
fn all_who_have_it_open_go_on() {
    let both = both();
    same(
        &both,
        r#"
import mmap
for name in ("short", "long"):
    one, two = open_(name), open_(name)
    reader = os.open(name, os.O_RDONLY)
    os.rename(name, "moved")
    three = open_("moved", os.O_RDWR | os.O_APPEND)
    for i, f in enumerate((one, two, three)):
        write(f, i); show(reader); os.fsync(f); show("moved")
    os.rename("moved", "again")
    os.close(one); write(two, 7); os.close(two); write(three, 8); show(reader); os.close(three)
    show("again"); show(reader)
    os.rename("again", name)
    # Written by its pages alone.
    f = open_(name); m = mmap.mmap(f, 34)
    os.rename(name, "mapped"); m[0:4] = b"page"; m.flush(); os.fsync(f); show("mapped")
    os.rename("mapped", "late"); m[4:8] = b"late"; m.close(); os.close(f); show("late")
    os.truncate("late", 20); os.rename("late", name); show(name)
"#,
    );
    // A log that is moved away while it is written, and a new one by its name.
    same(
        &both,
        r#"
for name in ("other", "log"):
    old = open_(name, os.O_WRONLY | os.O_APPEND); write(old, 1)
    os.rename(name, name + ".1")
    new = open_(name, os.O_WRONLY | os.O_APPEND); write(new, 2); os.fsync(new)
    write(old, 3); os.fsync(old); write(new, 4); os.close(new); write(old, 5); os.close(old)
    show(name); show(name + ".1")
"#,
    );
}

#[test]
fn what_is_replaced_or_removed_is_nameless() {
    let both = both();
    same(
        &both,
        r#"
def end(files, name):
    for i, f in enumerate(files):
        write(f, 40 + i); show(f); os.fsync(f); show(f)
    os.ftruncate(files[0], 10); show(files[0])
    for f in files:
        os.close(f)
    names(); show(name) if os.path.exists(name) else None
for name in ("short", "long"):
    one, two = open_(name), open_(name)
    reader = os.open(name, os.O_RDONLY)
    write(one, 1); os.fsync(one)
    write(one, 2)
    new = open_("new"); write(new, 3); os.rename("new", name)
    show(name); show(one); show(reader); show(new)
    end((one, two), name); show(reader); os.close(reader)
    write(new, 4); os.fsync(new); show(name); write(new, 5); os.close(new); show(name)
    # Sealed before, and renamed by somebody else than its writer.
    old = open_(name); write(old, 6)
    with open("ready", "wb") as f: f.write(line(7))
    ready = open_("ready"); late = os.open("ready", os.O_RDONLY)
    os.system("mv ready " + name)
    show(name); show(late); write(ready, 8); show(late); os.fsync(ready); show(name); show(late)
    end((old,), name); os.close(ready); os.close(late)
    # Removed, and made again.
    one, reader = open_(name), os.open(name, os.O_RDONLY)
    write(one, 9); os.fsync(one); os.unlink(name); names(); show(reader)
    write(one, 10); show(reader)
    with open(name, "wb") as f: f.write(line(11))
    end((one,), name); show(reader); os.close(reader); show(name)
# The folder of an open file is gone, and more is written than stays in memory.
os.mkdir("d"); f = open_("d/f"); write(f, 1); os.rename("d/f", "f"); os.rmdir("d")
for i in range(80, -1, -1):
    os.pwrite(f, line(i) * (MIB // 34), i * MIB)
os.close(f); show("f")
"#,
    );
}

#[test]
fn what_is_sealed_while_it_is_written_goes_along() {
    let both = both();
    same(
        &both,
        r#"
def fill(f, i, mib=2):
    for j in range(mib * 10):
        write(f, i * 1000 + j, 104_858)
os.mkdir("folder")
for flags in (0, os.O_TRUNC):
    # All new in the first round, and there already in the second.
    f = open_("a", os.O_RDWR | flags); fill(f, 1); os.rename("a", "b"); show(f); fill(f, 2); show(f)
    os.rename("b", "folder/c"); fill(f, 3); os.fsync(f); show("folder/c")
    fill(f, 4); os.rename("folder", "g"); os.rename("g/c", "a"); os.close(f); show("a")
    os.rename("g", "folder")
    # Over another, which is being written, too.
    f, g = open_("a", os.O_RDWR | flags), open_("over", os.O_RDWR | flags)
    fill(f, 5); fill(g, 6); os.rename("a", "over"); fill(g, 7); fill(f, 8)
    show(f); show(g); os.fsync(g); show("over"); fill(g, 9); os.close(g); os.fsync(f); show("over")
    fill(f, 10); os.close(f); show("over")
    f = open_("a", os.O_RDWR | os.O_TRUNC); fill(f, 11); os.unlink("a")
    g = open_("a"); fill(g, 12); fill(f, 13); os.fsync(f); show(f); os.close(f); os.close(g); show("a")
    names()
"#,
    );
}

/// The name changes all the time while others write and seal.
/// As editors save: the old file is moved away, a new one made in its place and the backup removed.
/// Each sealing of the new one is the next state of the old, also when there are many.
#[test]
fn many_saves_follow_a_backup_that_was_moved_away() {
    let both = both();
    same(
        &both,
        r#"
for name in "short", "long":
    os.rename(name, name + "~")
    f = open_(name)
    show(name)
    for i in range(4):
        write(f, i, 3 * MIB if name == "long" and i == 2 else 500)
        os.fsync(f)
        show(name)
    write(f, 7)
    os.close(f)
    show(name)
    f = open_(name)
    os.lseek(f, 0, os.SEEK_END)
    write(f, 9)
    os.close(f)
    show(name)
    os.remove(name + "~")
names()
"#,
    );
}

/// As git and others save: a new file under another name that takes the old one's place, time after
/// time. From the second time on that name is one that the file once had.
#[test]
fn many_saves_by_a_file_beside_follow_each_other() {
    let both = both();
    same(
        &both,
        r#"
for name, closed, round in [("a", True, i) for i in range(3)] + [("b", False, i) for i in range(3)]:
    lock = name + ".lock"
    f = open_(lock)
    for i in range(3):
        write(f, round * 10 + i, 500)
        os.fsync(f)
        show(lock)
    write(f, 7)
    if closed or round == 0:
        os.close(f)
        os.rename(lock, name)
    else:
        os.rename(lock, name)
        show(name)
        write(f, 8)
        os.fsync(f)
        show(name)
        write(f, 9)
        os.close(f)
    show(name)
    names()
"#,
    );
}

#[test]
fn a_rename_is_never_in_the_way() {
    let both = both();
    same(
        &both,
        r#"
names_ = ["short", "d/x", "y"]
os.mkdir("d"); failed = []
f = open_("short", os.O_RDWR | os.O_TRUNC)
def guarded(work):
    def run():
        try: work()
        except Exception as e: failed.append(repr(e))
    return threading.Thread(target=run)
def writer():
    for i in range(300):
        os.pwrite(f, line(i), i * 34)
        if i % 3 == 0: os.fsync(f)
def renamer():
    for i in range(299):
        os.rename(names_[i % 3], names_[(i + 1) % 3])
def reader():
    for i in range(300):
        for name in names_:
            try: g = open(name, "rb")
            except FileNotFoundError: continue
            with g: assert g.read(34) in (b"", line(0)), "other bytes"
threads = [guarded(work) for work in (writer, renamer, reader)]
for t in threads: t.start()
for t in threads: t.join()
os.close(f); print(failed); show(names_[299 % 3]); names()
"#,
    );
}

/// The place does not change under which terms a file is sealed, nor what may be written.
#[test]
fn terms_go_along() {
    let desk = Desk::new(&work());
    fs::create_dir(desk.path("D/sub")).unwrap();
    desk.template("D/sub", "elsewhere", &rights("elsewhere", &["view", "edit", "export"]));
    desk.seal("claims", MARKER, &under("claims", &["view", "export"], json!({})));
    let script = r#"
import os
f = os.open("new", os.O_RDWR | os.O_CREAT)
os.write(f, b"before"); os.rename("new", "sub/new"); os.write(f, b" after"); os.fsync(f)
print(open("sub/new").read())
os.write(f, b" more")
open("claims").read()
for work in (lambda: os.write(f, b"x"), lambda: os.rename("sub/new", "sub/same"),
             lambda: os.fsync(f), lambda: os.close(f)):
    try:
        print(work())
    except PermissionError:
        print("refused")
"#;
    let done = desk.run(&["python3", "-c", script]);
    let expected = "before after\nrefused\nNone\nrefused\nrefused\n";
    assert_eq!(done.text(), expected, "{}", done.stderr);
    assert_eq!(desk.content("sub/same"), b"before after");
    assert_eq!(desk.office.inspect("D/sub/same.bulla")["delegation"]["template_name"], "notes");
}

/// A file that is renamed over another goes on under that one's policy, also for those who have it
/// open.
#[test]
fn whoever_reads_on_is_decided_about_again() {
    let desk = Desk::new(&work());
    let bare = json!({"software": {"mode": ["bare"]}});
    let cat = fs::canonicalize("/usr/bin/cat").unwrap();
    let by_cat = json!({"software": {"mode": ["bare"], "path": [cat.to_str().unwrap()]}});
    let mut target = policy_of(&[
        grant(json!("anyone"), &["edit"], bare),
        grant(json!("anyone"), &["view"], by_cat),
    ]);
    target["name"] = json!("target");
    desk.seal("a", MARKER, &work());
    desk.seal("b", MARKER, &work());
    desk.seal("target", "old", &target);
    desk.seal("same", "old", &work());
    let mounted = desk.mount(&["--write", "sealed"]);
    let at = |name: &str| mounted.at.join(name);
    let read = |file: &mut File| {
        let mut text = String::new();
        file.read_to_string(&mut text).map(|_| text)
    };
    let (mut a, mut b) = (File::open(at("a")).unwrap(), File::open(at("b")).unwrap());
    for (from, to) in [("a", "target"), ("b", "same")] {
        let moved = Command::new("mv").arg("-f").arg(at(from)).arg(at(to)).status();
        assert!(moved.unwrap().success(), "{from}");
    }
    assert_eq!(read(&mut a).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(read(&mut b).unwrap(), MARKER);
    let shown = Command::new("cat").arg(at("target")).output().unwrap();
    assert_eq!(shown.stdout, MARKER.as_bytes());
    let denied = desk.office.records("desk").into_iter().rfind(|r| r["event"] == "denied").unwrap();
    assert_eq!(denied["policy"], "target");
}
