//! `bulla run`: what a program can do in it, what it writes, and how it ends.

#![cfg(target_os = "linux")]

mod office;
mod view;

#[path = "view/killed.rs"]
mod killed;
#[path = "view/network.rs"]
mod network;

use office::finish;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};
use view::{Desk, MARKER, rights, under, until, work};

#[test]
fn a_program_sees_the_content_and_its_status_comes_back() {
    let desk = Desk::new(&work());
    desk.seal("a.csv", MARKER, &work());
    fs::write(desk.path("D/plain"), "plain").unwrap();
    assert_eq!(desk.content("a.csv"), MARKER.as_bytes());
    assert_eq!(desk.sh("ls"), "a.csv\nplain\n");
    assert_eq!(desk.sh("cat plain; stat -c %s a.csv"), format!("plain{}\n", MARKER.len()));
    for (script, status) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(desk.run(&["sh", "-c", script]).status, status, "{script}");
    }
    let missing = desk.run(&["/no/such/program"]);
    assert_eq!(missing.status, 1);
    assert!(missing.stderr.contains("starting the program"), "{}", missing.stderr);
    // What is passed in goes in.
    let done = finish(desk.command(&[], &["wc", "-c"]), &[b'x'; 200_000]);
    assert_eq!(done.text().trim(), "200000");
    let opened = desk.office.records("desk");
    let opened = opened.iter().find(|r| r["event"] == "opened").unwrap();
    assert_eq!(opened["program"]["mode"], "confined");
    let cat = fs::canonicalize("/usr/bin/cat").unwrap();
    assert_eq!(opened["program"]["path"], cat.to_str().unwrap());
}

#[test]
fn each_program_of_a_run_is_decided_about() {
    let desk = Desk::new(&work());
    let cat = fs::canonicalize("/usr/bin/cat").unwrap();
    let software = json!({"mode": ["confined"], "path": [cat.to_str().unwrap()]});
    let policy = under("cat", &["view", "export"], json!({"software": software}));
    desk.seal("a", MARKER, &policy);
    assert_eq!(desk.sh("cat a; ! head a 2>/dev/null; ! tar cf /tmp/t a 2>/dev/null"), MARKER);
    // As bare it may not.
    let done = finish(desk.command(&["--net", "host"], &["cat", "a"]), b"");
    assert!(done.status != 0 && done.stdout.is_empty());
    assert!(done.stderr.contains("it runs bare"), "{}", done.stderr);
}

/// Nothing goes to a pipe or a file of the caller's without the right to export.
#[test]
fn output_needs_the_right_to_export() {
    let desk = Desk::new(&work());
    let view = rights("claims", &["view", "copy"]);
    desk.seal("view", MARKER, &view);
    desk.seal("export", MARKER, &work());
    let done = desk.run(&["sh", "-c", "echo before; sleep 0.3; cat view; echo after"]);
    assert_eq!(done.text(), "before\n");
    assert!(done.stderr.contains("the right to export"), "{}", done.stderr);
    let out = fs::File::create(desk.path("out")).unwrap();
    let mut command = desk.command(&[], &["cat", "view"]);
    command.stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).status().unwrap();
    assert_eq!(fs::read(desk.path("out")).unwrap(), b"");
    // To standard error neither.
    let done = desk.run(&["sh", "-c", "cat view >&2"]);
    assert!(!done.stderr.contains(MARKER));
    // With it, it goes, and that is recorded.
    assert_eq!(desk.content("export"), MARKER.as_bytes());
    assert_eq!(desk.office.events("desk").iter().filter(|e| *e == "exported").count(), 1);
    // It was opened all the same: the program may work with it.
    assert_eq!(desk.run(&["grep", "-q", "Minji", "view"]).status, 0);
}

#[test]
fn what_is_written_is_sealed_under_the_template() {
    let desk = Desk::new(&work());
    let long = MARKER.repeat(20_000);
    desk.seal("long", &long, &work());
    desk.sh("cp long copy; head -c 100000 long > part; cat part part >> joined; mkdir sub
             mv copy sub/moved; printf '%s' x > sub/x; rm sub/x; rmdir sub 2>/dev/null || true
             truncate -s 10 part; mv part sub/part; mv sub sub2");
    assert!(desk.content("sub2/moved") == long.as_bytes());
    assert!(desk.content("joined") == long.as_bytes()[..100_000].repeat(2));
    assert_eq!(desk.content("sub2/part"), &long.as_bytes()[..10]);
    desk.nothing_plain(MARKER);
    let sealed = desk.office.inspect("D/sub2/moved.bulla");
    assert_eq!(sealed["delegation"]["template_name"], "notes");
    // Where there is no template, or it may not be used, nothing is made.
    fs::remove_file(desk.path("D/.bulla/template")).unwrap();
    let refused = desk.run(&["sh", "-c", "echo x > new"]);
    assert!(refused.status != 0 && refused.stderr.contains("template"), "{}", refused.stderr);
    let done = finish(desk.command(&["--write", "none"], &["sh", "-c", "rm long"]), b"");
    assert_ne!(done.status, 0);
    assert!(desk.path("D/long.bulla").exists());
    for name in [".bulla", "sub2/.bulla"] {
        assert_ne!(desk.run(&["mkdir", name]).status, 0, "{name}");
    }
}

/// Whatever way it is saved, a file keeps its license.
#[test]
fn an_edited_file_keeps_its_license() {
    let desk = Desk::new(&work());
    for (name, save) in [
        ("in place", "printf changed | dd of=F conv=notrunc status=none"),
        ("truncated", "printf changed > F"),
        ("renamed over", "sed -i s/Kim/Lee/ F"),
        ("moved away", "mv F F~; printf changed > F; rm F~"),
        ("temporary", "printf changed > F.tmp; sync F.tmp; mv F.tmp F"),
        ("appended", "printf changed >> F"),
    ] {
        desk.seal("F", MARKER, &work());
        let before = desk.office.inspect("D/F.bulla");
        desk.sh(save);
        let after = desk.office.inspect("D/F.bulla");
        for member in ["license", "file", "seq"] {
            assert_eq!(before[member], after[member], "{name}: {member}");
        }
        assert!(after["revision"].as_u64() > Some(1), "{name}");
        let content = String::from_utf8(desk.content("F")).unwrap();
        assert!(content.contains("changed") || content.contains("Lee"), "{name}: {content}");
        assert_eq!(desk.sh("ls"), "F\n", "{name}");
        // Without the right to edit nothing is saved.
        desk.seal("F", MARKER, &rights("work", &["view", "export"]));
        desk.run(&["sh", "-ec", save]);
        let kept = ["F", "F~"].into_iter().find(|n| desk.path(&format!("D/{n}.bulla")).exists());
        assert_eq!(desk.content(kept.unwrap()), MARKER.as_bytes(), "{name}");
        desk.run(&["sh", "-c", "rm -f F F~ F.tmp sed*"]);
    }
    desk.nothing_plain(MARKER);
}

#[test]
fn derive_says_where_content_may_go() {
    let desk = Desk::new(&work());
    let mut claims = rights("claims", &["view", "edit", "export"]);
    desk.seal("claims", MARKER, &claims);
    desk.seal("other", "other", &rights("other", &["view", "edit"]));
    let refused = |script: &str| {
        let done = desk.run(&["sh", "-c", script]);
        assert_ne!(done.status, 0, "{script}");
        done.stderr
    };
    // Also where the new file was there before anything was read.
    let said = desk.run(&["sh", "-c", "cat claims > copy"]).stderr;
    assert!(said.contains("does not name the template notes"), "{said}");
    assert_eq!(desk.content("copy"), b"");
    let said = refused("read x < claims; echo x > new");
    assert!(said.contains("does not name the template notes"), "{said}");
    refused("read x < claims; echo x >> other");
    refused("echo x > new2; cat claims > /tmp/c; mv /tmp/c new3");
    // The same policy, or one that names the template, is fine; before anything is read, any is.
    desk.sh("echo y > fine; cat claims claims > /tmp/c; cat /tmp/c > claims");
    claims["derive"] = json!(["notes"]);
    desk.seal("named", MARKER, &claims);
    desk.sh("cat named > derived");
    assert_eq!(desk.content("derived"), MARKER.as_bytes());
    desk.nothing_plain(MARKER);
}

#[test]
fn a_revocation_reaches_a_running_program() {
    let desk = Desk::new(&work());
    desk.seal("a", MARKER.repeat(10_000), &work());
    let script = "exec 3< a; cat a > /dev/null; echo ready
                  while head -c 1 a > /dev/null && dd bs=1 count=1 skip=5000 <&3 2>/dev/null >/dev/null
                  do sleep 0.1; done; echo ended";
    let said = revoked_while_it_runs(&desk, "a", &["sh", "-c", script]);
    assert!(said.contains("has ended") || said.contains("revocation"), "{said}");
}

/// Revokes a file once the program is ready, which has to notice within 5 s that it has ended; gives
/// what was told.
#[track_caller]
fn revoked_while_it_runs(desk: &Desk, file: &str, program: &[&str]) -> String {
    let id = desk.office.inspect(&format!("D/{file}.bulla"))["file"].as_str().unwrap().to_owned();
    let mut command = desk.command(&[], program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = command.spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    desk.office.ok("issuer", &["revoke", "--file", &id, "-o", "revoked"]);
    desk.office.ok("desk", &["revoke", "use", "revoked"]);
    let start = Instant::now();
    assert_eq!(lines.next().unwrap().unwrap(), "ended");
    assert!(start.elapsed() < Duration::from_secs(5));
    run.wait().unwrap();
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

/// Large files are opened ahead of who reads them in order. Whatever the order, sizes and number of
/// those who read, it is the same content; and what is open ahead ends with the decision.
#[test]
fn large_files_are_read_in_any_order() {
    let desk = Desk::new(&work());
    let content = office::bytes((9 << 20) + 12_345, 3);
    desk.seal("large", &content, &work());
    fs::write(desk.path("D/plain"), &content).unwrap();
    let script = "
import os, random, threading
plain = open('plain', 'rb').read()
MIB, rng = 1 << 20, random.Random(5)
def order(step, start=0):
    return [(at, step) for at in range(start, len(plain) + step, step)]
jumps = [(rng.randrange(len(plain)), rng.choice([1, 4096, 300_000, MIB])) for _ in range(60)]
mixed = order(MIB)[:4] + jumps[:5] + order(MIB, 4 * MIB) + order(256 << 10)[:9] + order(MIB)[:3] + order(MIB)
# Half of it in front of what is open ahead, and half behind.
edges = order(MIB)[:4] + [(7 << 19, MIB)] + order(MIB)[:4] + [(15 << 19, MIB)]
odd = order(128 << 10)[:40] + order(77_777, 40 * (128 << 10))
def read(file, places):
    for at, size in places:
        got = os.pread(file, size, at)
        assert got == plain[at:at + size], (at, size, len(got))
for places in order(MIB), order(300_000), order(2 * MIB), order(4096, 8 * MIB), odd, edges, jumps, mixed:
    file = os.open('large', os.O_RDONLY)
    read(file, places)
    os.close(file)
shared, failed = os.open('large', os.O_RDONLY), []
def checked(*args):
    try: read(*args)
    except BaseException as e: failed.append(e)
threads = [threading.Thread(target=checked, args=(shared, places)) for places in (order(MIB), mixed, odd, jumps)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
";
    let done = desk.run(&["/usr/bin/python3", "-c", script]);
    assert_eq!(done.status, 0, "{}", done.stderr);
}

#[test]
fn what_was_opened_ahead_ends_with_the_decision() {
    let desk = Desk::new(&work());
    desk.seal("large", office::bytes(64 << 20, 3), &work());
    let script = "
import mmap, os, time
ahead, other = os.open('large', os.O_RDONLY), os.open('large', os.O_RDONLY)
# Aligned, as the kernel asks for it in one piece then.
room = mmap.mmap(-1, 1 << 20)
for at in range(3):
    assert os.preadv(ahead, [room], at << 20) == 1 << 20
print('ready', flush=True)
try:
    while os.pread(other, 9, 0):
        time.sleep(0.01)
except PermissionError:
    pass
try:
    os.preadv(ahead, [room], 3 << 20)
    print('read on', flush=True)
except PermissionError:
    print('ended', flush=True)
";
    revoked_while_it_runs(&desk, "large", &["/usr/bin/python3", "-c", script]);
}

/// Descendants end with the program, and all of it with the daemon.
#[test]
fn nothing_outlives_a_run() {
    let desk = Desk::new(&work());
    desk.seal("a", MARKER, &work());
    let alive = |what: &str| {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|p| fs::read(p.path().join("cmdline")).ok());
        lines.filter(|line| line.windows(what.len()).any(|w| w == what.as_bytes())).count()
    };
    desk.sh("setsid nohup sleep 41.5 < a > /dev/null 2>&1 & sleep 0.2");
    until("its children are gone", || alive("sleep\u{0}41.5") == 0);
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::TERM] {
        let mut command = desk.command(&[], &["sleep", "42.5"]);
        let mut run = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        until("it runs", || alive("sleep\u{0}42.5") > 1);
        let pid = rustix::process::Pid::from_raw(run.id() as i32).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        run.wait().unwrap();
        until("it is gone", || alive("sleep\u{0}42.5") == 0);
    }
}

/// More than a process may have open by default, all read at once, and again after that.
#[test]
fn ten_thousand_files_are_open_at_once() {
    let desk = Desk::new(&work());
    let envelope = desk.seal("0", MARKER, &work());
    for i in 1..10_000 {
        let folder = format!("D/{}", i % 10);
        desk.office.folder(&folder);
        fs::copy(&envelope, desk.path(&format!("{folder}/{i}.bulla"))).unwrap();
    }
    let script = "import glob, os, resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
files = [open(n, 'rb') for n in glob.glob('**', recursive=True) if os.path.isfile(n)]
print(len(files), len(set(f.read() for f in files)))
for f in files: f.seek(0)
print(len(set(f.read() for f in files)))";
    let done = desk.run(&["/usr/bin/python3", "-c", script]);
    assert_eq!((done.text().trim(), done.status), ("10000 1\n1", 0), "{}", done.stderr);
}

#[test]
fn writes_larger_than_memory_for_them() {
    let desk = Desk::new(&work());
    let script = "import hashlib
block = bytes(range(256)) * 4096
h = hashlib.sha256()
with open('big', 'wb') as f:
    for i in range(100):
        f.write(block); h.update(block)
    f.seek(5 << 20); f.write(b'in the middle')
    f.flush()
    assert open('big','rb').read(16)[:4] == b'\\x00\\x01\\x02\\x03'
d = open('big', 'rb').read()
assert len(d) == 100 << 20 and d[5 << 20:][:13] == b'in the middle'
print(hashlib.sha256(d[:5<<20] + block[:13] + d[(5<<20)+13:]).hexdigest() == h.hexdigest())";
    let done = desk.run(&["/usr/bin/python3", "-c", script]);
    assert_eq!((done.text().trim(), done.status), ("True", 0), "{}", done.stderr);
    let mut names: Vec<_> =
        fs::read_dir(desk.path("D")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".bulla", "big.bulla"]);
    let _ = std::io::stdout().flush();
}

/// The same for somebody who is not root, and others of the same user see nothing.
#[test]
fn a_user_without_privileges() {
    let desk = Desk::new(&work());
    desk.seal("a", MARKER, &work());
    let binary = office::rights::copied_command(&desk.path("."));
    // Where the machine's /dev/fuse is root's, this one is not.
    let script = "set -e
        mknod -m 666 fuse c 10 229; mount --bind fuse /dev/fuse; chown -R 1000:1000 .
        exec setpriv --reuid 1000 --regid 1000 --clear-groups sh -c '
            ./bulla --home desk run --dir D -- sh -ec \"id -u; cat D/a; echo new > D/b; cat D/b\" </dev/null
            ./bulla --home desk run --dir D -- sh -c \"exec 3< D/a; sleep 43.5\" </dev/null >/dev/null &
            sleep 1; p=$(pgrep -n -f \"^sleep 43.5\"); d=$(pgrep -o -u 1000 -f \"^./bulla.*run\")
            test -n \"$p\" -a -n \"$d\"; ls /proc/$p/fd > /dev/null && echo looked
            cat /proc/$p/fd/3 /proc/$p/root$PWD/D/a; head -c 1 /proc/$d/mem && echo memory; kill $d; wait'";
    assert!(binary.exists());
    let out = std::process::Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-c", script])
        .current_dir(desk.path("."))
        .env("HOME", desk.path("."))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let expected = format!("1000\n{MARKER}new\nlooked\n");
    assert_eq!(String::from_utf8_lossy(&out.stdout), expected, "{said}");
}

/// A full disk is an error, and what was there is there.
#[test]
fn a_full_disk_keeps_the_old() {
    let desk = Desk::new(&work());
    let small = desk.small_disk("1m");
    desk.seal("small/F", MARKER, &work());
    let done = desk.run(&["dd", "if=/dev/zero", "of=small/F", "bs=1M", "count=3", "conv=notrunc"]);
    let content = desk.content("small/F");
    let left = fs::read_dir(&small.0).unwrap().count();
    drop(small);
    assert!(done.status != 0 && done.stderr.contains("No space left"), "{}", done.stderr);
    assert_eq!((content.as_slice(), left), (MARKER.as_bytes(), 1));
}
