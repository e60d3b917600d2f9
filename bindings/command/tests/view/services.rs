//! Ways out through what runs for the user outside: agents, buses, print servers.

use crate::Setting;
use crate::view::both::need;
use crate::{Running, holds};
use std::fs;
use std::io::Read;
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

/// `lp`, and a print server that keeps what it is sent.
#[test]
fn a_printer() {
    need("lp", "cups-client");
    need("/usr/sbin/cupsd", "cups-daemon");
    let s = Setting::new();
    let out = s.out.to_str().unwrap();
    for folder in ["root", "spool", "state"] {
        fs::create_dir(s.out.join(folder)).unwrap();
    }
    let server = "Listen OUT/socket\nBrowsing No\nDefaultAuthType None\n\
                  <Policy default>\n<Limit All>\nOrder allow,deny\n</Limit>\n</Policy>\n";
    let files = "FileDevice Yes\nServerRoot OUT/root\nRequestRoot OUT/spool\nCacheDir OUT/state\n\
                 StateDir OUT/state\nTempDir OUT/spool\nErrorLog /dev/null\nAccessLog /dev/null\n\
                 PageLog /dev/null\n";
    fs::write(s.out.join("cupsd.conf"), server.replace("OUT", out)).unwrap();
    fs::write(s.out.join("files.conf"), files.replace("OUT", out)).unwrap();
    let mut cupsd = Command::new("/usr/sbin/cupsd");
    cupsd.arg("-f").arg("-c").arg(s.out.join("cupsd.conf")).arg("-s").arg(s.out.join("files.conf"));
    let _cupsd = Running(cupsd.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let (socket, paper) = (s.out.join("socket"), format!("file:{out}/paper"));
    crate::view::until("the print server has a printer", || {
        let mut add = Command::new("/usr/sbin/lpadmin");
        add.arg("-h").arg(&socket).args(["-p", "desk", "-E", "-m", "raw", "-v", &paper]);
        add.stderr(Stdio::null()).status().unwrap().success()
    });
    s.shell("a printer", "lp -h OUT/socket -d desk secret", |_| {
        // Documents that were sent wait in files that begin with a d.
        let sent = fs::read_dir(s.out.join("spool")).unwrap().map(|entry| entry.unwrap().path());
        let is_document = |p: &Path| p.file_name().is_some_and(|n| n.as_encoded_bytes()[0] == b'd');
        let sent: Vec<_> = sent.filter(|path| is_document(path)).collect();
        let leaked = sent.iter().any(|path| holds(&fs::read(path).unwrap()));
        sent.iter().for_each(|path| fs::remove_file(path).unwrap());
        leaked
    });
}
