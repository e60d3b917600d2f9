//! Programs that know nothing of sealed files: in a run each does what it does on plain ones, and
//! leaves nothing plain behind.

#![cfg(target_os = "linux")]

mod office;
mod view;

#[path = "view/documents.rs"]
mod documents;
#[path = "view/runtimes.rs"]
mod runtimes;
#[path = "view/traces.rs"]
mod traces;

use office::finish;
use std::fs;
use std::process::Command;
use view::both::{Both, need, table};
use view::{Desk, MARKER, work};

#[test]
fn the_usual_tools() {
    let both = Both::new(&[("t.csv", table()), ("empty", vec![]), ("one", b"x".to_vec())]);
    for script in [
        "cat t.csv empty one",
        "head -n 3 t.csv; tail -n 3 t.csv; tail -c 20 t.csv",
        "wc t.csv empty one",
        "sort -t, -k3n t.csv | md5sum; sort -r t.csv > sorted",
        "grep -c Minji t.csv; grep -n ',4999$' t.csv; grep -r 4321 . | sort",
        "sed -i s/Minji/Minsu/ t.csv; md5sum t.csv",
        "cp t.csv u.csv; cp -p t.csv v.csv; mv u.csv w.csv; mv w.csv v.csv; md5sum *.csv",
        "mkdir d; cp -r t.csv one d; tar cf a.tar --mtime=2020-01-02 d; rm -r d; tar xf a.tar; find . -type f | sort",
        "tar czf - d | wc -c > /dev/null; rm a.tar; cmp t.csv d/t.csv",
        "tac t.csv | tac | cmp - t.csv; split -l 1000 t.csv part-; cat part-* | cmp - t.csv",
        "dd if=t.csv of=copy bs=777 status=none; cmp copy t.csv; truncate -s 100 copy; cat copy",
        "touch -d 2020-01-02 one; stat -c '%Y %s %F' one; chmod 600 one; stat -c %a one",
    ] {
        both.same_content(script);
    }
}

#[test]
fn python() {
    let both = Both::new(&[("t.csv", table())]);
    let scripts = [
        "import csv
rows = list(csv.reader(open('t.csv')))
rows.sort(key=lambda r: r[2])
with open('out.csv', 'w', newline='') as f: csv.writer(f).writerows(rows)
print(len(rows), rows[77])",
        "import mmap
with open('t.csv', 'rb') as f:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    print(len(m), m.find(b'4999,'), m[1000:1020])",
        "import os
with open('t.csv', 'r+b') as f:
    f.seek(1000); f.write(b'in the middle'); f.seek(0, 2); f.write(b'at the end'); f.flush(); os.fsync(f.fileno())
    f.seek(995); print(f.read(30)); f.truncate(50000)
    os.pwrite(f.fileno(), b'far away', 200000)
print(os.path.getsize('t.csv'))",
        "import mmap
with open('shared', 'w+b') as f:
    f.truncate(100000)
    m = mmap.mmap(f.fileno(), 0)
    m[0:5] = b'start'; m[99990:99993] = b'end'; m.flush()
    f.seek(99990); print(f.read(3))
    m.close()
print(open('shared', 'rb').read()[:8])",
        "import os
f = open('gone', 'w+b'); os.unlink('gone'); f.write(b'still there'); f.flush(); f.seek(0); print(f.read(), os.fstat(f.fileno()).st_size)",
        "import fcntl
f = open('t.csv', 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); g = open('t.csv'); fcntl.flock(g, fcntl.LOCK_SH); print('locked')",
        "import tempfile, os
with tempfile.NamedTemporaryFile(dir='.', delete=False) as f: f.write(b'atomic')
os.replace(f.name, 't.csv'); print(open('t.csv').read())",
    ];
    for script in scripts {
        fs::write(both.desk.path("script.py"), script).unwrap();
        let script = format!("/usr/bin/python3 - <<'PY'\n{script}\nPY");
        both.same_content(&script);
    }
}

#[test]
fn sqlite() {
    need("sqlite3", "sqlite3");
    let both = Both::new(&[("t.csv", table())]);
    let query = "SELECT count(*), sum(number), max(id) FROM t; PRAGMA integrity_check;";
    for script in [
        "sqlite3 d.db '.mode csv' '.import t.csv t'".to_owned(),
        format!("sqlite3 d.db \"{query}\""),
        format!("sqlite3 d.db \"UPDATE t SET number = 1 WHERE id = '77'; {query}\""),
        "sqlite3 d.db \"BEGIN; UPDATE t SET number = 5 WHERE id < '9'; UPDATE t SET name = 'x' WHERE id = '9'; COMMIT\""
            .to_owned(),
        "sqlite3 d.db 'BEGIN; DELETE FROM t WHERE id > 4000; ROLLBACK; SELECT count(*) FROM t'"
            .into(),
        format!(
            "sqlite3 d.db \"PRAGMA journal_mode=WAL; UPDATE t SET number = 2 WHERE id = '78'; {query}\""
        ),
        format!("sqlite3 d.db \"DELETE FROM t WHERE id = '79'; VACUUM; {query}\""),
    ] {
        both.same(&script);
    }
    let script = "import sqlite3
a, b = sqlite3.connect('d.db'), sqlite3.connect('d.db')
a.execute('UPDATE t SET number = 3 WHERE id = 80'); a.commit()
print(b.execute('SELECT sum(number) FROM t').fetchone())";
    both.same(&format!("/usr/bin/python3 -c \"{script}\""));
}

#[test]
fn git() {
    let both = Both::new(&[("t.csv", table()), ("u", b"x\n".to_vec())]);
    let git = "export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
        git() { command git -c user.name=a -c user.email=a@b -c safe.directory='*' \"$@\"; }\n";
    for script in [
        "git init -q -b main . ; git add . ; git commit -q -m one; git log --format=%s",
        "echo y >> u; git status --short; git diff --stat; git commit -q -a -m two; git log --oneline | wc -l",
        "git checkout -q -b other HEAD~1; cat u; git checkout -q main; cat u; git fsck 2>/dev/null",
    ] {
        both.same(&format!("{git}{script}"));
    }
}

/// Text on a terminal can be taken along: it needs the right to copy.
#[test]
fn a_terminal_shows_what_may_be_copied() {
    need("script", "bsdutils");
    let desk = Desk::new(&work());
    desk.seal("view", MARKER, &view::rights("view", &["view"]));
    desk.seal("copy", MARKER, &view::rights("copy", &["view", "copy"]));
    let shown = |script: &str| {
        let inner = desk.command(&[], &["sh", "-c", script]);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let quoted: Vec<_> = words.map(|w| format!("'{}'", w.to_str().unwrap())).collect();
        let mut outer = Command::new("script");
        outer.args(["-qec", &quoted.join(" "), "/dev/null"]).current_dir(desk.path("D"));
        finish(outer, b"").text()
    };
    assert!(shown("cat copy").contains(MARKER));
    assert!(!shown("cat view").contains(MARKER));
    let mixed = shown("echo before; sleep 0.3; cat view > /dev/null; cat copy; echo after");
    assert!(mixed.contains("before") && !mixed.contains(MARKER) && !mixed.contains("after"));
}
