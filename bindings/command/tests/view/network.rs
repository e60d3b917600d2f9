//! What `--net` opens, and `--allow-weaker`: each also against a policy that does not take it.

use crate::office::{Done, finish};
use crate::view::{Desk, MARKER, under, work};
use serde_json::json;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3";

/// A desk with a file for programs of any kind, and one for confined programs only.
fn desk() -> Desk {
    let desk = Desk::new(&work());
    desk.seal("any", MARKER, &work());
    let confined = json!({"software": {"mode": ["confined"]}});
    desk.seal("confined", MARKER, &under("confined", &["view", "export"], confined));
    desk
}

/// Connects to a port; what comes of it is printed.
fn tcp(desk: &Desk, options: &[&str], port: u16) -> String {
    let script = format!(
        "import socket
open('any').read()
try: socket.create_connection(('127.0.0.1', {port}), 5); print('connected')
except OSError as e: print(type(e).__name__)"
    );
    said(desk, options, &script)
}

#[track_caller]
fn said(desk: &Desk, options: &[&str], script: &str) -> String {
    let done = finish(desk.command(options, &[PYTHON, "-c", script]), b"");
    assert_eq!(done.status, 0, "{options:?}: {}", done.stderr);
    done.text().trim().to_owned()
}

/// It counts as bare: the one file opens, the other does not.
#[track_caller]
fn counts_as_bare(desk: &Desk, options: &[&str]) {
    let cat = |name| finish(desk.command(options, &["cat", name]), b"");
    assert_eq!(cat("any").stdout, MARKER.as_bytes(), "{options:?}");
    let refused = cat("confined");
    assert!(refused.status != 0 && refused.stdout.is_empty(), "{options:?}");
    assert!(refused.stderr.contains("it runs bare"), "{}", refused.stderr);
}

#[test]
fn the_ports_that_are_named_and_no_others() {
    let desk = desk();
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let [a, b, c] = listeners.each_ref().map(|l| l.local_addr().unwrap().port());
    let named = [a, b].map(|port| format!("tcp:{port}"));
    let one = ["--net", &named[0]];
    let both = ["--net", &named[0], "--net", &named[1]];
    for port in [a, b, c] {
        assert_eq!(tcp(&desk, &["--net", "host"], port), "connected");
        assert_ne!(tcp(&desk, &[], port), "connected");
    }
    assert_eq!(tcp(&desk, &one, a), "connected");
    assert_eq!(tcp(&desk, &one, b), "PermissionError");
    assert_eq!(tcp(&desk, &both, a), "connected");
    assert_eq!(tcp(&desk, &both, b), "connected");
    assert_eq!(tcp(&desk, &both, c), "PermissionError");
    counts_as_bare(&desk, &one);
    // Of two kinds the last counts.
    assert_ne!(tcp(&desk, &["--net", "host", "--net", "none"], a), "connected");
}

/// With ports, nothing but TCP, and nobody is let in.
#[test]
fn with_ports_no_other_protocol() {
    let desk = desk();
    let port =
        format!("tcp:{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_nonblocking(true).unwrap();
    let attempt = |attempt: &str| {
        format!(
            "import socket
try:
    {attempt}
    print('done')
except OSError as e: print(type(e).__name__)"
        )
    };
    let send = format!(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {}))",
        receiver.local_addr().unwrap().port()
    );
    for what in [
        send.as_str(),
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.close()",
    ] {
        assert_eq!(said(&desk, &["--net", "host"], &attempt(what)), "done", "{what}");
        while receiver.recv(&mut [0; 10]).is_ok() {}
        assert_eq!(said(&desk, &["--net", &port], &attempt(what)), "PermissionError", "{what}");
        assert!(receiver.recv(&mut [0; 10]).is_err(), "{what}");
    }
}

/// The network of the machine is all that is opened.
#[test]
fn with_the_host_s_network_nothing_else() {
    let desk = desk();
    counts_as_bare(&desk, &["--net", "host"]);
    let run = |script: &str| finish(desk.command(&["--net", "host"], &["sh", "-c", script]), b"");
    let out = desk.path("out");
    // At most into the scratch of the run.
    run(&format!("cat any > {}", out.display()));
    assert!(!out.exists());
    assert_ne!(run("ls /run/.").status, 0);
    assert_ne!(run("unshare -Ur true").status, 0);
}

/// A kernel without Landlock, as far as the command can tell.
const NO_LANDLOCK: &str = "
import ctypes, os, struct, sys
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))
class Program(ctypes.Structure): _fields_ = [('n', ctypes.c_ushort), ('code', ctypes.c_void_p)]
libc, program = ctypes.CDLL(None, use_errno=True), Program(len(rules), ctypes.addressof(code))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
    sys.exit('no filter of system calls')
os.execv(sys.argv[1], sys.argv[1:])
";

fn without_landlock(desk: &Desk, options: &[&str], program: &[&str]) -> Done {
    let inner = desk.command(options, program);
    let mut outer = Command::new(PYTHON);
    outer.args(["-c", NO_LANDLOCK]).arg(inner.get_program()).args(inner.get_args());
    outer.current_dir(desk.path("D"));
    finish(outer, b"")
}

#[test]
fn without_landlock_only_if_told_so_and_as_bare() {
    let desk = desk();
    let refused = without_landlock(&desk, &[], &["cat", "any"]);
    assert!(refused.status != 0 && refused.stdout.is_empty());
    assert!(refused.stderr.contains("--allow-weaker"), "{}", refused.stderr);
    assert!(refused.stderr.contains("[not-supported]"), "{}", refused.stderr);

    let weaker = ["--allow-weaker"];
    let shown = without_landlock(&desk, &weaker, &["cat", "any"]);
    assert_eq!((shown.status, shown.stdout.as_slice()), (0, MARKER.as_bytes()), "{}", shown.stderr);
    let refused = without_landlock(&desk, &weaker, &["cat", "confined"]);
    assert!(refused.status != 0 && refused.stdout.is_empty());
    assert!(refused.stderr.contains("it runs bare"), "{}", refused.stderr);
    // The other layers are there.
    assert_ne!(without_landlock(&desk, &weaker, &["touch", "/usr/leak"]).status, 0);
    assert_ne!(without_landlock(&desk, &weaker, &["unshare", "-Ur", "true"]).status, 0);
    let out = desk.path("out");
    let script = format!("cat any > {}", out.display());
    without_landlock(&desk, &weaker, &["sh", "-c", &script]);
    assert!(!out.exists());
    // Where nothing is lacking the option changes nothing.
    let shown = finish(desk.command(&weaker, &["cat", "confined"]), b"");
    assert_eq!(shown.stdout, MARKER.as_bytes(), "{}", shown.stderr);
}
