//! Programs that people edit with.

use crate::view::both::{Both, need, table};
use crate::view::holding;
use crate::view::typing::typed;
use std::fs;
use std::process::{Command, Stdio};

/// Types the same into an editor with both files, and compares what it saved.
#[track_caller]
fn same_typed(both: &Both, program: &[&str], steps: &[(&str, &str)]) {
    let plain = typed(program, steps, &both.desk.path("plain"));
    assert_eq!(plain.status, 0, "{program:?}: {} {}", plain.text(), plain.stderr);
    let run = both.desk.typed(program, steps);
    assert_eq!(run.status, 0, "{program:?}: {} {}", run.text(), run.stderr);
    both.equal_content();
    assert!(holding(&both.desk.path("D"), b"secret").is_empty());
}

fn note() -> Both {
    Both::new(&[("note", b"one secret\ntwo\n".to_vec())])
}

/// It is still the file that it was, not a new one.
#[track_caller]
fn was_edited(both: &Both, name: &str) {
    let sealed = both.desk.office.inspect(name);
    assert!(sealed["delegation"].is_null() && sealed["revision"].as_u64() > Some(1), "{sealed}");
}

#[test]
fn vim() {
    need("vim", "vim");
    let both = note();
    let keys = [("secret", "Gothree\u{1b}:%s/two/zwei/\r:wq\r")];
    same_typed(&both, &["vim", "-u", "NONE", "note"], &keys);
    // Written over, or moved away and made anew.
    for copy in ["yes", "no"] {
        let set = format!("set backupcopy={copy}");
        same_typed(&both, &["vim", "-u", "NONE", "--cmd", &set, "note"], &keys);
    }
    let keep = "set backup backupcopy=yes backupdir=.";
    same_typed(&both, &["vim", "-u", "NONE", "--cmd", keep, "note"], &keys);
    both.same_content("vim -u NONE -es -c '%s/zwei/three/' -c wq note");
    was_edited(&both, "D/note.bulla");
}

/// What a program keeps by moving the old file away is an older state of the same file.
#[test]
fn a_backup_by_moving_away_is_older() {
    let both = note();
    let keep =
        "vim -u NONE -es --cmd 'set backup backupcopy=no backupdir=.' -c 1s/one/1/ -c wq note";
    both.desk.sh(keep);
    assert_eq!(both.desk.content("note"), b"1 secret\ntwo\n");
    let refused = both.desk.run(&["cat", "note~"]);
    assert!(refused.status != 0 && refused.stderr.contains("[rollback]"), "{}", refused.stderr);
    let open = ["open", "--older", "D/note~.bulla", "-"];
    assert_eq!(both.desk.office.ok("desk", &open).stdout, b"one secret\ntwo\n");
}

#[test]
fn nano() {
    need("nano", "nano");
    let both = note();
    let keys =
        [("Exit", "new line\r"), ("new line", "\u{f}"), ("Write", "\r"), ("Wrote", "\u{18}")];
    same_typed(&both, &["nano", "-I", "note"], &keys);
    // With a copy of what it was.
    same_typed(&both, &["nano", "-I", "-B", "note"], &keys);
    was_edited(&both, "D/note.bulla");
}

/// Opens the table, changes it, and saves it as it was opened.
const EDIT: &str = r#"
import os, subprocess, sys, time, uno
from com.sun.star.beans import PropertyValue
def option(name, value):
    return PropertyValue(Name=name, Value=value)
office = subprocess.Popen(["soffice", "--headless", "--norestore", "-env:UserInstallation=file://" + sys.argv[1],
    "--accept=pipe,name=" + os.path.basename(sys.argv[1]) + ";urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
for attempt in range(1200):
    try:
        context = resolver.resolve("uno:pipe,name=" + os.path.basename(sys.argv[1]) + ";urp;StarOffice.ComponentContext")
        break
    except Exception:
        time.sleep(0.1)
desktop = context.ServiceManager.createInstance("com.sun.star.frame.Desktop")
url = "file://" + os.path.abspath("t.xlsx")
document = desktop.loadComponentFromURL(url, "_blank", 0, (option("Hidden", True),))
sheet = document.Sheets.getByIndex(0)
sheet.getCellRangeByName("B2").String = "changed"
sheet.getCellRangeByName("C2").Formula = "=SUM(C3:C101)"
document.store()
print(sheet.getCellRangeByName("C2").Value)
as_text = (option("FilterName", "Text - txt - csv (StarCalc)"), option("FilterOptions", "44,34,76"))
document.storeToURL("file://" + os.path.abspath("edited.csv"), as_text)
document.close(True)
try:
    desktop.terminate()
except Exception:
    pass
office.wait(120)
"#;

#[test]
fn libreoffice() {
    need("soffice", "libreoffice-calc-nogui");
    need("/usr/lib/python3/dist-packages/uno.py", "python3-uno");
    let table: Vec<u8> =
        table().split_inclusive(|b| *b == b'\n').take(101).flatten().copied().collect();
    let both = Both::new(&[("t.csv", table)]);
    let convert = |to: &str, from: &str| {
        format!(
            "p=$(mktemp -d); soffice --headless -env:UserInstallation=file://$p \
             --convert-to {to} {from} >/dev/null 2>&1; rm -r \"$p\""
        )
    };
    let (plain, sheet) = (both.desk.path("plain"), both.desk.path("plain/t.xlsx"));
    let mut make = Command::new("sh");
    make.args(["-ec", &convert("xlsx", "t.csv")]).current_dir(&plain).stdin(Stdio::null());
    assert!(make.status().unwrap().success() && sheet.exists(), "no table is made of t.csv");
    both.desk.seal("t.xlsx", fs::read(&sheet).unwrap(), &crate::view::work());
    both.same_content(&convert("'csv:Text - txt - csv (StarCalc)' --outdir out", "t.xlsx"));
    let said = both.same(&format!("/usr/bin/python3 - $(mktemp -d) <<'PY'\n{EDIT}\nPY"));
    let of_both = both.left();
    assert_eq!(of_both["edited.csv"], fs::read(plain.join("edited.csv")).unwrap(), "{said}");
    assert!(of_both["edited.csv"].starts_with(b"id,name,number\n0,changed,"));
    was_edited(&both, "D/t.xlsx.bulla");
    // What is in the table's own format is compressed; this names its parts.
    assert!(holding(&both.desk.path("D"), b"xl/worksheets").is_empty());
}
