//! A display that a run is given: what it takes to open files then, and what else it opens.

use crate::office::{Done, finish};
use crate::view::both::need;
use crate::view::{Desk, MARKER, rights, under, until};
use crate::{PYTHON, Running, holds};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOCKETS: &str = "/tmp/.X11-unix";

/// An X server without a screen that anybody sees, which lets nobody in without its cookie.
struct Server {
    process: Running,
    folder: PathBuf,
    /// `:7`
    name: String,
    cookie: String,
}

impl Drop for Server {
    /// Killed, it would leave its socket behind.
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        let _ = kill_process(Pid::from_child(&self.process.0), Signal::TERM);
        let _ = self.process.0.wait();
    }
}

impl Server {
    /// Its files are in this folder of the desk's.
    fn start(desk: &Desk, folder: &str, cookie: u8) -> Self {
        for (program, package) in [
            ("Xvfb", "xvfb"),
            ("xauth", "xauth"),
            ("xclip", "xclip"),
            ("xmessage", "x11-utils"),
            ("xprop", "x11-utils"),
        ] {
            need(program, package);
        }
        desk.office.folder(folder);
        let folder = desk.path(folder);
        let cookie = format!("{cookie:02x}").repeat(16);
        let authority = folder.join("server");
        add(&authority, ":0", &cookie);
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]);
        // Else it starts anew whenever its last client has gone, and turns the next one away.
        xvfb.arg("-noreset");
        xvfb.arg("-auth").arg(&authority).arg("-fbdir").arg(&folder);
        xvfb.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running(xvfb.spawn().unwrap());
        let mut number = String::new();
        let stdout = process.0.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        // Beside those of other displays, as in the file of a user.
        let client = folder.join("client");
        add(&client, ":4000", &"ee".repeat(16));
        add(&client, &name, &cookie);
        add(&client, "192.0.2.1:0", &"dd".repeat(16));
        Server { process, folder, name, cookie }
    }

    fn number(&self) -> &str {
        &self.name[1..]
    }

    /// Lets a command find it.
    fn given<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("DISPLAY", &self.name).env("XAUTHORITY", self.folder.join("client"))
    }

    /// What its clipboard holds for a program outside.
    fn clipboard(&self) -> Vec<u8> {
        let mut paste = Command::new("xclip");
        self.given(&mut paste).args(["-selection", "clipboard", "-o"]).output().unwrap().stdout
    }

    /// What it shows.
    fn screen(&self) -> Vec<u8> {
        fs::read(self.folder.join("Xvfb_screen0")).unwrap()
    }
}

/// Adds a cookie to an authority file.
fn add(file: &Path, name: &str, cookie: &str) {
    let mut xauth = Command::new("xauth");
    xauth.arg("-f").arg(file).args(["add", name, ".", cookie]);
    assert!(xauth.stderr(Stdio::null()).status().unwrap().success());
}

const DISPLAY: &[&str] = &["--display", "x11"];

/// May be shown, and nothing else may leave.
fn shown() -> Value {
    rights("shown", &["view", "copy", "capture"])
}

fn desk() -> (Desk, Server) {
    let desk = Desk::new(&shown());
    desk.seal("secret", MARKER, &shown());
    let server = Server::start(&desk, "X", 0xaa);
    (desk, server)
}

/// What a shell script does in a run that the caller's display is named to.
fn sh(desk: &Desk, server: &Server, options: &[&str], script: &str) -> Done {
    let mut command = desk.command(options, &["sh", "-c", script]);
    server.given(&mut command);
    finish(command, b"")
}

fn events_of_opening(desk: &Desk) -> Vec<String> {
    let events = desk.office.events("desk");
    events.into_iter().filter(|e| e != "sealed" && e != "seen").collect()
}

#[test]
fn without_being_asked_for_there_is_none() {
    let (desk, server) = desk();
    let mut outside = Command::new("xprop");
    assert!(server.given(&mut outside).arg("-root").output().unwrap().status.success());
    // Also where the program knows by itself where it is.
    let known = format!(
        "DISPLAY={} XAUTHORITY={} xprop -root",
        server.name,
        server.folder.join("client").display()
    );
    for script in ["xprop -root", &known] {
        let done = sh(&desk, &server, &[], script);
        assert!(done.status != 0 && done.stderr.contains("open display"), "{}", done.stderr);
    }
    let done = sh(&desk, &server, &[], "ls -d /tmp/.X11-unix; echo \"$DISPLAY$XAUTHORITY\"");
    assert_eq!(done.text(), "\n");
}

#[test]
fn with_the_rights_content_is_shown_and_copied_and_recorded() {
    let (desk, server) = desk();
    let copy = ["xclip", "-selection", "clipboard", "-in", "-quiet", "-loops", "1", "secret"];
    let mut command = desk.command(DISPLAY, &copy);
    server.given(&mut command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = Running(command.spawn().unwrap());
    until("the clipboard has the content", || holds(&server.clipboard()));
    assert!(run.0.wait().unwrap().success());
    assert_eq!(events_of_opening(&desk), ["opened", "copied", "captured"]);
    let records = desk.office.records("desk");
    let opened = records.iter().find(|r| r["event"] == "opened").unwrap();
    assert_eq!(opened["program"]["mode"], "confined");
    for event in ["copied", "captured"] {
        let record = records.iter().find(|r| r["event"] == event).unwrap();
        assert_eq!(record["of"], opened["seq"]);
    }

    // What a window of the run shows is what one outside shows.
    desk.office.folder("plain");
    fs::write(desk.path("plain/secret"), MARKER).unwrap();
    let empty = server.screen();
    let show = ["xmessage", "-file", "secret"];
    let mut outside = Command::new(show[0]);
    outside.args(&show[1..]).current_dir(desk.path("plain"));
    let mut shown = Vec::new();
    for mut command in [outside, desk.command(DISPLAY, &show)] {
        server.given(&mut command).stdin(Stdio::null()).stderr(Stdio::null());
        let run = Running(command.spawn().unwrap());
        if shown.is_empty() {
            until("the window is drawn", || server.screen() != empty);
            // All of it.
            std::thread::sleep(std::time::Duration::from_secs(1));
            shown = server.screen();
        } else {
            until("the same is shown", || server.screen() == shown);
        }
        drop(run);
        until("the window is gone", || server.screen() == empty);
    }
}

#[test]
fn without_the_rights_a_file_does_not_open() {
    let (desk, server) = desk();
    for (name, granted, lacking) in [
        ("no-capture", &["view", "copy", "export"][..], "the right to capture"),
        ("no-copy", &["view", "capture", "export"], "the right to copy"),
        ("neither", &["view", "edit", "export"], "the right to copy and to capture"),
    ] {
        desk.seal(name, MARKER, &rights(name, granted));
        let before = desk.office.records("desk").len();
        // The run goes on, with what it may open.
        let script = format!(
            "cat {name} 2>&1 | grep -q 'Permission denied' && xprop -root > /dev/null &&
             cksum < secret > /dev/null"
        );
        let done = sh(&desk, &server, DISPLAY, &script);
        assert_eq!((done.status, done.text().as_str()), (0, ""), "{}", done.stderr);
        let why = format!(
            "the run has a display, which takes the rights to copy and to capture, and the file's \
             policy does not grant {lacking}"
        );
        assert!(done.stderr.contains(&format!("bulla: {why} [missing-right]")), "{}", done.stderr);
        let records = desk.office.records("desk");
        let denied = &records[before];
        assert_eq!(
            (&denied["event"], &denied["code"]),
            (&json!("denied"), &json!("missing-right"))
        );
        assert_eq!(denied["reasons"], json!([why]));
        assert_eq!(records[before + 1]["event"], "opened", "the other file");
        // Without a display it opens.
        assert_eq!(sh(&desk, &server, &[], &format!("cat {name}")).text(), MARKER);
    }
    // To be written it opens: nothing is read.
    let done = sh(&desk, &server, DISPLAY, "echo x >> neither; echo y 1<> neither; cat neither");
    assert_eq!(done.text(), "");
    let left = sh(&desk, &server, &[], "cat neither").text();
    assert_eq!(left, format!("{MARKER}x\n"), "{}", done.stderr);
}

/// It does not count as a way out of confinement: the rights speak of it.
#[test]
fn a_display_leaves_a_run_confined() {
    let (desk, server) = desk();
    let confined = json!({"software": {"mode": ["confined"]}});
    desk.seal("confined", MARKER, &under("confined", &["view", "copy", "capture"], confined));
    assert_eq!(sh(&desk, &server, DISPLAY, "grep -q Minji confined").status, 0);
    // Pipes stay closed without the right to export, and other folders as they were.
    let done = sh(&desk, &server, DISPLAY, "cat confined; ls -d /run /var /home 2>/dev/null");
    assert_eq!(done.text(), "");
}

/// Who may no longer copy reads no more, although they may view.
#[test]
fn the_rights_end_while_a_file_is_open() {
    let (desk, server) = desk();
    let grant = |role: &str, rights: &[&str]| json!({"to": [{"role": role}], "rights": rights});
    let policy = json!({"version": 1, "name": "two", "grants": [
        grant("agent", &["view"]), grant("supervisor", &["view", "copy", "capture"])]});
    desk.seal("two", MARKER, &policy);
    desk.office.badge("kim", "supervisor");
    let script = format!(
        "import os, time
f = os.open('two', os.O_RDONLY); end = time.time() + 60
assert os.pread(f, 100, 0) == b'{MARKER}'
open('/tmp/ready', 'w')
while time.time() < end:
    try: os.pread(f, 100, 0)
    except OSError: raise SystemExit(7)
    time.sleep(.1)"
    );
    for (options, status) in [(DISPLAY, 7), (&[], 137)] {
        desk.office.badge("kim", "supervisor");
        let before = desk.office.records("desk").len();
        let mut command = desk.command(options, &[PYTHON, "-c", &script]);
        server.given(&mut command).stdin(Stdio::null()).stderr(Stdio::null());
        let mut run = Running(command.spawn().unwrap());
        until("the file is open", || {
            desk.office.records("desk")[before..].iter().any(|r| r["event"] == "opened")
        });
        desk.office.badge("kim", "agent");
        if status == 7 {
            assert_eq!(run.0.wait().unwrap().code(), Some(status));
        } else {
            // Without a display the right to view is enough.
            std::thread::sleep(std::time::Duration::from_secs(5));
            assert!(run.0.try_wait().unwrap().is_none());
        }
    }
}

/// Connects to a socket; prints what comes of it.
fn connect(name: &str) -> String {
    format!(
        "import socket
try: socket.socket(socket.AF_UNIX).connect('{name}'); print('connected')
except OSError as e: print(type(e).__name__)"
    )
}

#[test]
fn the_one_socket_and_no_other() {
    let (desk, server) = desk();
    let other = Server::start(&desk, "other", 0xbb);
    let unique = desk.path("D").parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let beside =
        [Path::new(SOCKETS).join(&unique), Path::new("/tmp").join(&unique).with_extension("s")];
    let _listening = beside.each_ref().map(|name| UnixListener::bind(name).unwrap());
    let _abstract = UnixListener::bind_addr(
        &SocketAddr::from_abstract_name(format!("{SOCKETS}/{unique}")).unwrap(),
    )
    .unwrap();
    let socket = |server: &Server| format!("{SOCKETS}/X{}", server.number());
    let mut names = vec![(socket(&server), true), (socket(&other), false)];
    names.extend(beside.iter().map(|name| (name.to_str().unwrap().to_owned(), false)));
    names.push((format!("\\0{SOCKETS}/{unique}"), false));
    for (name, reached) in names {
        let script = connect(&name);
        let outside = Command::new(PYTHON).args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&outside.stdout), "connected\n", "{name}");
        let mut command = desk.command(DISPLAY, &[PYTHON, "-c", &script]);
        server.given(&mut command);
        let inside = finish(command, b"").text();
        assert_eq!(inside == "connected\n", reached, "{name}: {inside}");
    }
    for name in beside {
        fs::remove_file(name).unwrap();
    }
    // The other's cookies are not there either, nor is anything of the socket's to be changed.
    let look = format!(
        "ls -A {SOCKETS}; xauth list 2>/dev/null; stat -c %a $XAUTHORITY
         chmod 700 {0} 2>/dev/null || echo kept; rm -f {0} 2>/dev/null || echo kept",
        socket(&server)
    );
    let said = sh(&desk, &server, DISPLAY, &look).text();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert_eq!(lines[0], format!("X{}", server.number()));
    assert!(lines[1].ends_with(&server.cookie), "{said}");
    assert_eq!(lines[2..], ["600", "kept", "kept"]);
}

#[test]
fn what_is_no_display_of_this_machine_is_refused() {
    let (desk, server) = desk();
    let unique = std::process::id();
    let file = format!("{SOCKETS}/X{}", 10_000 + unique % 50_000);
    fs::write(&file, "").unwrap();
    let no_socket = format!(":{}", 10_000 + unique % 50_000);
    let number = server.number();
    let localhost = format!("localhost:{number}");
    let tcp = format!("tcp/localhost:{number}");
    let path = format!("{SOCKETS}/X{number}");
    for (name, says) in [
        (None, "DISPLAY is not set"),
        (Some(""), "no display"),
        (Some("no-number"), "no display"),
        (Some("elsewhere.example:0"), "not reached by a socket"),
        (Some(&localhost), "not reached by a socket"),
        (Some(&tcp), "not reached by a socket"),
        (Some(&path), "not reached by a socket"),
        (Some(":4095"), "/tmp/.X11-unix/X4095: No such file"),
        (Some(&no_socket), "is not a socket"),
    ] {
        let mut command = desk.command(DISPLAY, &["touch", "made"]);
        match name {
            Some(name) => command.env("DISPLAY", name),
            None => command.env_remove("DISPLAY"),
        };
        let done = finish(command, b"");
        assert_eq!(done.status, 2, "{name:?}: {}", done.stderr);
        assert!(done.stderr.contains(says), "{name:?}: {}", done.stderr);
        assert!(!desk.path("D/made.bulla").exists());
    }
    fs::remove_file(file).unwrap();
    // Of this machine, in other words.
    for name in [format!("{}.0", server.name), format!("unix/:{number}")] {
        let mut command = desk.command(DISPLAY, &["xprop", "-root"]);
        server.given(&mut command).env("DISPLAY", &name);
        let done = finish(command, b"");
        assert_eq!(done.status, 0, "{name}: {}", done.stderr);
    }
    // Where a view would lie over it.
    let mut command = desk.command(&["--dir", "/tmp", "--display", "x11"], &["true"]);
    server.given(&mut command);
    let done = finish(command, b"");
    assert_eq!(done.status, 2, "{}", done.stderr);
    assert!(done.stderr.contains("would cover the display"), "{}", done.stderr);
    // A cookie that cannot be read.
    let mut command = desk.command(DISPLAY, &["true"]);
    server.given(&mut command).env("XAUTHORITY", SOCKETS);
    let done = finish(command, b"");
    assert!(done.status == 1 && done.stderr.contains("XAUTHORITY"), "{}", done.stderr);
}
