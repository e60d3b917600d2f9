//! Ways out through what runs for the user outside: agents, buses, print servers.

use crate::Setting;
use crate::view::MARKER;
use crate::view::both::need;
use crate::{Attempt, Running, holds};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// A name in a key that the agent tells everybody who asks.
#[test]
fn an_ssh_agent() {
    need("ssh-agent", "openssh-client");
    let s = Setting::new();
    let socket = s.out.join("agent");
    let mut agent = Command::new("ssh-agent");
    agent.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null());
    let _agent = Running(agent.spawn().unwrap());
    crate::view::until("the agent listens", || socket.exists());
    let add = "k=$(mktemp -d); ssh-keygen -q -t ed25519 -N '' -C \"$(cat secret)\" -f $k/key
               SSH_AUTH_SOCK=OUT/agent ssh-add -q $k/key";
    s.shell("an ssh-agent", add, |_| {
        let agent = |option| {
            let mut ask = Command::new("ssh-add");
            ask.arg(option).env("SSH_AUTH_SOCK", &socket).output().unwrap().stdout
        };
        let leaked = holds(&agent("-L"));
        agent("-D");
        leaked
    });
}

/// The bus starts a program outside for whoever asks, with what it is told: as `systemd-run --user`
/// does.
#[test]
fn a_bus_that_starts_programs() {
    need("dbus-daemon", "dbus-daemon");
    need("dbus-send", "dbus-bin");
    let s = Setting::new();
    let (out, leaked) = (s.out.to_str().unwrap(), s.out.join("leaked"));
    let service = format!(
        "[D-BUS Service]\nName=org.example.Leak\nExec=/bin/sh -c 'printenv LEAK > {}; exit 1'\n",
        leaked.display()
    );
    fs::write(s.out.join("leak.service"), service).unwrap();
    for address in [format!("unix:path={out}/bus"), format!("unix:abstract={out}/bus")] {
        let config = format!(
            "<busconfig><type>session</type><listen>{address}</listen><servicedir>{out}</servicedir>
             <policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy>
             </busconfig>"
        );
        fs::write(s.out.join("bus.conf"), config).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.arg(format!("--config-file={out}/bus.conf")).args(["--nofork", "--print-address"]);
        bus.stderr(Stdio::null());
        let mut bus = Running(bus.stdout(Stdio::piped()).spawn().unwrap());
        // It says where it listens once it does.
        bus.0.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
        let send = format!(
            "export DBUS_SESSION_BUS_ADDRESS={address}
             to='dbus-send --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.'
             ${{to}}UpdateActivationEnvironment dict:string:string:LEAK,$(cat secret)
             ${{to}}StartServiceByName string:org.example.Leak uint32:0"
        );
        s.shell(&address, &send, |_| {
            let found = fs::read(&leaked).is_ok_and(|content| holds(&content));
            let _ = fs::remove_file(&leaked);
            found
        });
        let _ = fs::remove_file(s.out.join("bus"));
    }
}

/// What `lp` does: the document goes to the socket of the machine's print server.
#[test]
fn a_printer() {
    let s = Setting::new();
    let folder = Path::new("/run/cups");
    let made = fs::create_dir(folder).is_ok();
    let socket = folder.join("cups.sock");
    assert!(!socket.exists(), "a print server runs here, and this test takes its place");
    let listener = UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    let print = "
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect('/run/cups/cups.sock')
s.sendall(b'POST /printers/office HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/ipp\\r\\n'
          b'Content-Length: %d\\r\\n\\r\\n' % len(secret) + secret)
s.shutdown(socket.SHUT_WR)";
    s.python("a printer", print, |_: &Attempt| {
        let Ok((mut stream, _)) = listener.accept() else { return false };
        let mut got = Vec::new();
        stream.set_nonblocking(false).unwrap();
        let read = stream.read_to_end(&mut got).is_ok();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        read && got.ends_with(MARKER.as_bytes())
    });
    fs::remove_file(&socket).unwrap();
    if made {
        let _ = fs::remove_dir(folder);
    }
}
