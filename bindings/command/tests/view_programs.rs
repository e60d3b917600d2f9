//! Programs that know nothing of sealed files: in a run each does what it does on plain ones, and
//! leaves nothing plain behind.

#![cfg(target_os = "linux")]

mod office;
mod view;

use office::finish;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use view::{Desk, MARKER, holding, work};

/// The same files, sealed in `D` and plain in `plain`.
struct Both {
    desk: Desk,
}

impl Both {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let desk = Desk::new(&work());
        desk.office.folder("plain");
        for (name, content) in files {
            desk.seal(name, content, &work());
            fs::write(desk.path("plain").join(name), content).unwrap();
        }
        Both { desk }
    }

    /// Runs a script on both, and compares what it prints and what it leaves.
    #[track_caller]
    fn same(&self, script: &str) -> String {
        let plain = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.desk.path("plain"))
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&plain.stderr);
        assert!(plain.status.success(), "on plain files: {script}: {said}");
        let mut command = self.desk.command(&[], &["sh", "-ec", script]);
        command.env("HOME", "/nonexistent");
        let run = finish(command, b"");
        assert_eq!(run.status, 0, "in a run: {script}: {}\n{}", run.text(), run.stderr);
        assert_eq!(run.text(), String::from_utf8_lossy(&plain.stdout), "{script}");
        let (left, expected) = (self.left(), tree(&self.desk.path("plain")));
        let names = |t: &BTreeMap<String, Vec<u8>>| t.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&left), names(&expected), "{script}");
        self.desk.nothing_plain(MARKER);
        run.text()
    }

    /// As [`same`](Self::same), and the content of all files is the same, too.
    #[track_caller]
    fn same_content(&self, script: &str) -> String {
        let said = self.same(script);
        let (left, expected) = (self.left(), tree(&self.desk.path("plain")));
        for (name, content) in expected {
            assert!(left[&name] == content, "{script}: {name} differs");
        }
        said
    }

    /// What the view's folder holds, as a program sees it.
    fn left(&self) -> BTreeMap<String, Vec<u8>> {
        let out = self.desk.run(&["tar", "c", "--exclude=./.bulla", "."]).stdout;
        let folder = self.desk.path("unpacked");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::write(self.desk.path("all.tar"), out).unwrap();
        let unpack = Command::new("tar")
            .arg("xf")
            .arg(self.desk.path("all.tar"))
            .arg("-C")
            .arg(&folder)
            .status();
        assert!(unpack.unwrap().success());
        tree(&folder)
    }
}

fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let name = |p: &Path| p.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let files = files.filter(|e| e.file_type().is_file());
    files.map(|e| (name(e.path()), fs::read(e.path()).unwrap())).collect()
}

fn need(program: &str, package: &str) {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    assert!(found.status.success(), "{program} is not installed: apt-get install {package}");
}

fn table() -> Vec<u8> {
    let lines = (0..5000).map(|i| format!("{i},{MARKER},{}\n", i * 7919 % 5000));
    format!("id,name,number\n{}", lines.collect::<String>()).into_bytes()
}

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
        "mkdir d; cp -r t.csv one d; tar cf a.tar d; rm -r d; tar xf a.tar; find . -type f | sort",
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

#[test]
fn a_static_program() {
    let both = Both::new(&[("t.csv", table())]);
    let source = r#"
        #include <stdio.h>
        int main(void) {
            FILE *in = fopen("t.csv", "rb"), *out = fopen("out", "wb");
            unsigned long sum = 0; int c;
            if (!in || !out) return 1;
            while ((c = getc(in)) != EOF) { sum = sum * 31 + (unsigned char)c; putc(c ^ 1, out); }
            printf("%lu\n", sum);
            return fclose(out);
        }"#;
    fs::write(both.desk.path("p.c"), source).unwrap();
    let compile = |to: &str| {
        let to = both.desk.path(to);
        let args = ["-static", "-o", to.to_str().unwrap()];
        let source = both.desk.path("p.c");
        assert!(Command::new("cc").args(args).arg(source).status().unwrap().success());
    };
    compile("D/p");
    compile("plain/p");
    both.same_content("./p");
}

#[test]
fn node() {
    need("node", "nodejs");
    let both = Both::new(&[("t.csv", table())]);
    both.same_content(
        "node -e \"const fs = require('fs'); const t = fs.readFileSync('t.csv', 'utf8').split('\\n');
         fs.writeFileSync('out', t.reverse().join('\\n')); console.log(t.length, fs.statSync('out').size)\"",
    );
}

#[test]
fn mono() {
    need("mcs", "mono-mcs");
    let both = Both::new(&[("t.csv", table())]);
    let source = "using System; using System.IO; class P { static void Main() {
        var lines = File.ReadAllLines(\"t.csv\"); Array.Sort(lines, StringComparer.Ordinal);
        File.WriteAllLines(\"out\", lines);
        using (var f = new FileStream(\"t.csv\", FileMode.Open, FileAccess.ReadWrite)) {
            f.Seek(100, SeekOrigin.Begin); f.WriteByte(65); }
        Console.WriteLine(lines.Length); } }";
    fs::write(both.desk.path("p.cs"), source).unwrap();
    let (source, exe) = (both.desk.path("p.cs"), both.desk.path("D/p.exe"));
    let compiled = Command::new("mcs").arg(format!("-out:{}", exe.display())).arg(source).status();
    assert!(compiled.unwrap().success());
    fs::copy(&exe, both.desk.path("plain/p.exe")).unwrap();
    both.same_content("mono p.exe");
}

/// With the terminal that an editor needs.
#[test]
fn editors() {
    need("vim", "vim");
    need("script", "bsdutils");
    let both = Both::new(&[("note", b"one\ntwo\n".to_vec())]);
    let run = |keys: &str, command: &str| {
        let mut inner = both.desk.command(&[], &["sh", "-c", command]);
        inner.env("TERM", "xterm");
        let program = inner.get_program().to_owned();
        let quoted: Vec<_> = std::iter::once(program.as_os_str())
            .chain(inner.get_args())
            .map(|arg| format!("'{}'", arg.to_str().unwrap().replace('\'', "'\\''")))
            .collect();
        let mut outer = Command::new("script");
        outer.args(["-qec", &quoted.join(" "), "/dev/null"]).current_dir(both.desk.path("D"));
        outer.env("TERM", "xterm");
        finish(outer, keys.as_bytes())
    };
    let done = run("", "vim -u NONE -es -c '%s/two/three/' -c wq note");
    assert_eq!(both.desk.content("note"), b"one\nthree\n", "{} {}", done.text(), done.stderr);
    let done = run(
        "",
        "vim -u NONE -c 'normal Gofour' -c 'set backup' -c 'wq' note; tty -s && echo terminal",
    );
    assert!(done.text().contains("terminal"), "{}", done.text());
    assert_eq!(both.desk.content("note"), b"one\nthree\nfour\n");
    // It is still the file that it was.
    let sealed = both.desk.office.inspect("D/note.bulla");
    assert!(sealed["delegation"].is_null() && sealed["revision"].as_u64() > Some(2));
    assert!(holding(&both.desk.path("D"), b"three").is_empty());
}

#[test]
fn java() {
    need("javac", "default-jdk-headless");
    let both = Both::new(&[("t.csv", table())]);
    let source = r#"
        import java.io.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*;
        public class P { public static void main(String[] a) throws Exception {
            var lines = Files.readAllLines(Path.of("t.csv"));
            java.util.Collections.reverse(lines);
            Files.write(Path.of("out"), lines);
            try (var f = new RandomAccessFile("t.csv", "r")) {
                MappedByteBuffer m = f.getChannel().map(FileChannel.MapMode.READ_ONLY, 0, f.length());
                long sum = 0; while (m.hasRemaining()) sum = sum * 31 + m.get();
                System.out.println(lines.size() + " " + sum);
            } } }"#;
    fs::write(both.desk.path("P.java"), source).unwrap();
    let source = both.desk.path("P.java");
    for folder in ["D", "plain"] {
        let to = both.desk.path(folder);
        assert!(Command::new("javac").arg("-d").arg(to).arg(&source).status().unwrap().success());
    }
    both.same_content("java -Xmx64m -cp . P");
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
