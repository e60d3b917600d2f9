//! The same work on sealed files in a run and on plain ones without: nothing may differ.

use super::{Desk, MARKER, work};
use crate::office::finish;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The same files, sealed in `D` and plain in `plain`.
pub struct Both {
    pub desk: Desk,
}

impl Both {
    pub fn new(files: &[(&str, Vec<u8>)]) -> Self {
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
    pub fn same(&self, script: &str) -> String {
        self.same_given(&[], script)
    }

    /// The same with these options of the run.
    #[track_caller]
    pub fn same_given(&self, options: &[&str], script: &str) -> String {
        let plain = Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.desk.path("plain"))
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&plain.stderr);
        assert!(plain.status.success(), "on plain files: {script}: {said}");
        let mut command = self.desk.command(options, &["sh", "-ec", script]);
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
    pub fn same_content(&self, script: &str) -> String {
        let said = self.same(script);
        self.equal_content();
        said
    }

    /// The content of all files is the same.
    #[track_caller]
    pub fn equal_content(&self) {
        let (left, expected) = (self.left(), tree(&self.desk.path("plain")));
        assert_eq!(left.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, content) in expected {
            assert!(left[&name] == content, "{name} differs");
        }
    }

    /// What the view's folder holds, as a program sees it.
    pub fn left(&self) -> BTreeMap<String, Vec<u8>> {
        let packed = self.desk.run(&["tar", "c", "."]);
        assert_eq!(packed.status, 0, "{}", packed.stderr);
        let folder = self.desk.path("unpacked");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        fs::write(self.desk.path("all.tar"), packed.stdout).unwrap();
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

/// A program, or a file by its path.
pub fn need(program: &str, package: &str) {
    let look = format!("command -v {program} || test -e {program}");
    let found = Command::new("sh").args(["-c", &look]).output().unwrap();
    assert!(found.status.success(), "{program} is not installed: apt-get install {package}");
}

pub fn table() -> Vec<u8> {
    let lines = (0..5000).map(|i| format!("{i},{MARKER},{}\n", i * 7919 % 5000));
    format!("id,name,number\n{}", lines.collect::<String>()).into_bytes()
}
