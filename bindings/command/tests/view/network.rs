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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("('127.0.0.1', {})", listener.local_addr().unwrap().port());
    let multipath = "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)";
    let connecting = [
        format!("{multipath}.connect({at})"),
        format!("socket.socket().sendto(b'x', 0x20000000, {at})"),
        format!("socket.socket().sendmsg([b'x'], [], 0x20000000, {at})"),
    ];
    for what in [
        send.as_str(),
        multipath,
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)",
        &connecting[0],
        &connecting[1],
        &connecting[2],
        "socket.socket().listen()",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.close()",
    ] {
        let outside = Command::new(PYTHON).args(["-c", &attempt(what)]).output().unwrap();
        if String::from_utf8_lossy(&outside.stdout).trim() != "done" {
            println!("not tried, as this machine cannot do it anyway: {what}");
            continue;
        }
        assert_eq!(said(&desk, &["--net", "host"], &attempt(what)), "done", "{what}");
        while receiver.recv(&mut [0; 10]).is_ok() {}
        listener.set_nonblocking(true).unwrap();
        while listener.accept().is_ok() {}
        assert_eq!(said(&desk, &["--net", &port], &attempt(what)), "PermissionError", "{what}");
        assert!(receiver.recv(&mut [0; 10]).is_err(), "{what}");
        assert!(listener.accept().is_err(), "{what}");
    }
    // What says that it is TCP is TCP.
    let plain = "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 6).close()";
    assert_eq!(said(&desk, &["--net", &port], &attempt(plain)), "done");
}

/// A kernel that has no `x32` says that there is no such call, unless the filter said more before.
#[cfg(target_arch = "x86_64")]
#[test]
fn calls_under_their_other_numbers() {
    let desk = desk();
    let port = ["--net", "tcp:443"];
    // ioctl, sendmsg, ptrace, kexec_load, sendmmsg, process_vm_readv, process_vm_writev, unshare,
    // clone3.
    let script = "import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for call in (514, 518, 521, 528, 538, 539, 540, 272, 435):
    # Typing in another's name, or connecting by sending, and nothing where only the call counts.
    args = {514: (-1, 0x5412), 518: (-1, 0, 0x20000000), 538: (-1, 0, 1, 0x20000000)}
    for bit in (0x40000000, 0):
        if bit or call > 500:
            libc.syscall(call | bit, *args.get(call, (-1, 0, 0)), 0)
            print(ctypes.get_errno(), end=' ')";
    let expected = [vec!["1"; 15], vec!["38"]].concat().join(" ");
    assert_eq!(said(&desk, &port, script), expected);
    let plain = Command::new(PYTHON).args(["-c", script]).output().unwrap();
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("1 1 1"), "{plain:?}");
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

/// On a kernel without the system call of this number.
fn without(call: &str, inner: &Command) -> Command {
    let mut outer = Command::new(PYTHON);
    outer.args(["-c", &NO_LANDLOCK.replace("444", call)]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer
}

fn without_landlock(desk: &Desk, options: &[&str], program: &[&str]) -> Done {
    let mut outer = without("444", &desk.command(options, program));
    outer.current_dir(desk.path("D"));
    finish(outer, b"")
}

/// Where something else is mounted in a folder of the system's, for this command alone.
fn with_more_mounted(inner: &Command) -> Command {
    let mut outer = Command::new("unshare");
    let script = "mount -t tmpfs a /opt; mkdir /opt/in; mount -t tmpfs b /opt/in; echo there > /opt/in/x; exec \"$@\"";
    outer.args(["-m", "sh", "-ec", script, "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer
}

/// Nothing but the mounts' own flags keeps it from writing then.
#[test]
fn without_landlock_what_is_mounted_below_is_read_only() {
    let desk = desk();
    let run = |call, script| {
        let command = desk.command(&["--allow-weaker"], &["sh", "-c", script]);
        let mut command = with_more_mounted(&without(call, &command));
        command.current_dir(desk.path("D"));
        finish(command, b"")
    };
    let script = "cat /opt/in/x any; touch /opt/leak /opt/in/leak; ls /opt /opt/in";
    let done = run("444", script);
    assert_eq!(
        done.text(),
        format!("there\n{MARKER}/opt:\nin\n\n/opt/in:\nx\n"),
        "{}",
        done.stderr
    );
    // A kernel that cannot do so to all of them shows none of them.
    let done = run("442", "cat /opt/in/x");
    assert!(done.status != 0 && done.stdout.is_empty(), "{}", done.text());
    let plain = without("442", &desk.command(&[], &["cat", "any"]));
    let done = finish(plain, b"");
    assert!(done.stderr.contains("read-only") || done.text() == MARKER, "{}", done.stderr);
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
