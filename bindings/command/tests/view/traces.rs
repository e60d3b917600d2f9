//! What programs of a run leave behind on the machine.

use crate::view::both::need;
use crate::view::{Desk, work};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Many programs, each with temporary files of its own.
const SCRIPT: &str = r#"
cp t.csv copy.csv; mv copy.csv moved.csv; sed -i s/id/number/ moved.csv
sort -S 64K -r t.csv > sorted; sort -S 64K -o sorted sorted; split -l 500 t.csv part-
tar cf all.tar t.csv; tac t.csv | tee tee > /tmp/scratch; cp t.csv /dev/shm/scratch
sqlite3 d.db '.mode csv' '.import t.csv t' 'UPDATE t SET number = 1'
sqlite3 d.db 'PRAGMA journal_mode=WAL; UPDATE t SET number = 2; CREATE INDEX i ON t(name)' > /dev/null
sqlite3 d.db 'PRAGMA temp_store=FILE; PRAGMA cache_size=2; SELECT name FROM t ORDER BY number' > /dev/null
vim -u NONE -es --cmd 'set backup writebackup swapfile undofile' -c '%s/id/n/' -c wq t.csv < /dev/null
git init -q -b main . 2> /dev/null; git -c user.name=a -c user.email=a@b -c core.compression=0 -c safe.directory='*' add t.csv moved.csv
node -e "const fs = require('fs'); fs.writeFileSync('node', fs.readFileSync('t.csv'))"
soffice --headless -env:UserInstallation=file:///tmp/profile --convert-to fods t.csv > /dev/null 2>&1
python3 - <<'PY'
import csv, mmap, shutil, tempfile
rows = list(csv.reader(open("t.csv")))
with tempfile.NamedTemporaryFile("w", delete=False) as f: csv.writer(f).writerows(rows)
shutil.copy(f.name, "python")
with open("mapped", "w+b") as f:
    f.truncate(1 << 20)
    m = mmap.mmap(f.fileno(), 0); m[:1000] = open("t.csv", "rb").read(1000); m.flush()
PY
ls
"#;

/// File systems that nobody stores anything in.
const NO_STORAGE: [&str; 13] = [
    "autofs",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "mqueue",
    "proc",
    "pstore",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// Files that were changed since, on all that can be written to, and that hold a text.
fn left_anywhere(marker: &str, since: SystemTime) -> Vec<PathBuf> {
    let since = since.duration_since(UNIX_EPOCH).unwrap();
    let since = format!("@{}.{:09}", since.as_secs(), since.subsec_nanos());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mounts = mounts.lines().filter_map(|line| {
        let [_, at, kind, options, ..] = line.split(' ').collect::<Vec<_>>()[..] else {
            return None;
        };
        let stores = !NO_STORAGE.contains(&kind) && !kind.starts_with("fuse");
        let writable = options.split(',').any(|option| option == "rw");
        (stores && writable).then(|| at.to_owned())
    });
    let mut command = Command::new("find");
    command.args(mounts).args(["-xdev", "-type", "f", "-newerct", &since]);
    command.args(["-exec", "grep", "-laF", "--", marker, "{}", "+"]);
    // Files come and go meanwhile.
    let found = command.output().unwrap().stdout;
    let mut found: Vec<_> = String::from_utf8(found).unwrap().lines().map(PathBuf::from).collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn nothing_plain_is_left_anywhere() {
    for (program, package) in [
        ("sqlite3", "sqlite3"),
        ("vim", "vim"),
        ("git", "git"),
        ("node", "nodejs"),
        ("soffice", "libreoffice-calc-nogui"),
    ] {
        need(program, package);
    }
    let since = SystemTime::now();
    // Of this test alone: others have plain files at the same time.
    let number = since.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let marker = format!("Park-Seoyeon-{number}");
    let desk = Desk::new(&work());
    let rows = (0..2000).map(|i| format!("{i},{marker},{}\n", i * 7919 % 2000));
    let table = format!("id,name,number\n{}", rows.collect::<String>());
    // One that is to be found, where anybody may write.
    let control = Path::new("/var/tmp").join(&marker);
    fs::write(&control, &marker).unwrap();
    desk.seal("t.csv", table, &work());
    fs::remove_file(desk.path("file")).unwrap();
    let left = desk.sh(SCRIPT);
    for made in ["d.db", "mapped", "node", "python", "sorted", "t.csv~", "t.fods", "tee"] {
        assert!(left.lines().any(|name| name == made), "{made} was not made: {left}");
    }
    let found = left_anywhere(&marker, since);
    fs::remove_file(&control).unwrap();
    assert_eq!(found, [control]);
}
