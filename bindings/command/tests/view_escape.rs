//! Ways to get content out of a run. Each is tried first without it, and must succeed there.

#![cfg(target_os = "linux")]

mod office;
mod view;

#[path = "view/display.rs"]
mod display;
#[path = "view/outside.rs"]
mod outside;
#[path = "view/services.rs"]
mod services;

use office::finish;
use rustix::io::FdFlags;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use view::{Desk, MARKER, rights};

const PYTHON: &str = "/usr/bin/python3";

/// Shared beginnings of the attempts in Python.
const PRELUDE: &str = "
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
secret = open('secret', 'rb').read()
def check(result):
    if result < 0: sys.exit(9)
    return result
";

/// A desk whose file may be viewed, but neither exported nor copied, and the same file plain.
struct Setting {
    desk: Desk,
    out: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let policy = rights("claims", &["view", "edit"]);
        let desk = Desk::new(&policy);
        desk.seal("secret", MARKER, &policy);
        for folder in ["plain", "out"] {
            desk.office.folder(folder);
        }
        fs::write(desk.path("plain/secret"), MARKER).unwrap();
        let out = desk.path("out");
        Setting { desk, out }
    }

    /// Both ways to run a program: with nothing around it, and in a run.
    fn ways(&self, program: &[&str]) -> [(&'static str, Command); 2] {
        let mut plain = Command::new(program[0]);
        plain.args(&program[1..]).current_dir(self.desk.path("plain"));
        [("plain", plain), ("run", self.desk.command(&[], program))]
    }

    /// Runs a script both ways. It must leak without a run, and not leak in one.
    #[track_caller]
    fn try_to_leak(&self, name: &str, program: &[&str], leaked: impl Fn(&Attempt) -> bool) {
        for (way, mut command) in self.ways(program) {
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let done = command.output().unwrap();
            let attempt =
                Attempt { status: done.status.code(), stdout: done.stdout, stderr: done.stderr };
            let said = String::from_utf8_lossy(&attempt.stderr);
            assert_eq!(leaked(&attempt), way == "plain", "{name} ({way}): {said}");
        }
    }

    fn shell(&self, name: &str, script: &str, leaked: impl Fn(&Attempt) -> bool) {
        let script = script.replace("OUT", self.out.to_str().unwrap());
        self.try_to_leak(name, &["sh", "-c", &script], leaked);
    }

    /// Leaks by writing into a file, which is looked for and removed.
    fn by_file(&self, name: &str, script: &str, file: &Path) {
        self.shell(name, script, |_| {
            let leaked = fs::read(file).is_ok_and(|content| holds(&content));
            let _ = fs::remove_file(file);
            leaked
        });
    }

    /// In Python; leaks if it ends without an error.
    fn python(&self, name: &str, script: &str, leaked: impl Fn(&Attempt) -> bool) {
        let script = format!("{PRELUDE}{}", script.replace("OUT", self.out.to_str().unwrap()));
        self.try_to_leak(name, &[PYTHON, "-c", &script], leaked);
    }
}

struct Attempt {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Attempt {
    fn succeeded(&self) -> bool {
        self.status == Some(0)
    }
}

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(MARKER.len()).any(|w| w == MARKER.as_bytes())
}

#[test]
fn by_the_streams_of_the_caller() {
    let s = Setting::new();
    s.shell("a pipe", "cat secret", |a| holds(&a.stdout));
    s.shell("the other pipe", "cat secret >&2", |a| holds(&a.stderr));
    s.shell("later", "exec 3< secret; sleep 0.3; cat <&3", |a| holds(&a.stdout));
    s.shell("by name", "cat secret > /proc/self/fd/1", |a| holds(&a.stdout));
    for (way, mut command) in s.ways(&["cat", "secret"]) {
        let file = fs::File::create(s.out.join("file")).unwrap();
        command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).status().unwrap();
        assert_eq!(holds(&fs::read(s.out.join("file")).unwrap()), way == "plain", "a file: {way}");
        // Standard input that can be written to.
        let file = fs::File::options().read(true).write(true).open(s.out.join("file")).unwrap();
        file.set_len(0).unwrap();
        let [(_, plain), (_, run)] = s.ways(&["sh", "-c", "cat secret >&0"]);
        let mut command = if way == "plain" { plain } else { run };
        command.stdin(file).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert_eq!(holds(&fs::read(s.out.join("file")).unwrap()), way == "plain", "input: {way}");
    }
}

#[test]
fn by_files_elsewhere() {
    let s = Setting::new();
    s.by_file("a folder", "cp secret OUT/x", &s.out.join("x"));
    let unique = s.out.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    for folder in ["/tmp", "/dev/shm", "/var/tmp", "/usr/local", "/root"] {
        let file = Path::new(folder).join(&unique).with_extension("leak");
        s.by_file(folder, &format!("cp secret {}", file.display()), &file);
    }
    s.by_file("a link to it", "ln -s OUT/y l; cat secret > l", &s.out.join("y"));
    let late = "(setsid sh -c 'sleep 0.5; cat secret > OUT/late' > /dev/null 2>&1 &) ; sleep 0.1";
    s.shell("a process that goes on", late, |_| {
        std::thread::sleep(Duration::from_secs(1));
        let leaked = fs::read(s.out.join("late")).is_ok_and(|c| holds(&c));
        let _ = fs::remove_file(s.out.join("late"));
        leaked
    });
    // A template whose policy is laxer: its folder takes no copy.
    s.desk.template("D/lax", "lax", &rights("lax", &["view", "edit", "export"]));
    fs::create_dir(s.desk.path("plain/lax")).unwrap();
    s.shell("a laxer folder", "cat secret > lax/copy; cat lax/copy", |a| holds(&a.stdout));
    let copy = s.desk.run(&["cat", "lax/copy"]).stdout;
    assert!(!holds(&copy));
}

/// A stick with a file system of its own.
#[test]
fn by_removable_media() {
    let s = Setting::new();
    let (image, stick) = (s.out.join("image"), s.out.join("stick"));
    fs::create_dir(&stick).unwrap();
    fs::File::create(&image).unwrap().set_len(8 << 20).unwrap();
    let sh = |script: &str| {
        let script = script.replace("OUT", s.out.to_str().unwrap());
        assert!(Command::new("sh").args(["-ec", &script]).status().unwrap().success(), "{script}");
    };
    sh("mkfs.ext4 -q OUT/image && mount -o loop OUT/image OUT/stick");
    s.by_file("a stick", "cp secret OUT/stick/x && sync", &stick.join("x"));
    sh("umount OUT/stick");
}

/// The home among what is shown, under any name; and where the view is a part of it.
#[test]
fn by_the_home() {
    let s = Setting::new();
    let (desk, office) = (&s.desk, &s.desk.office);
    office.folder("D/sub");
    fs::rename(desk.path("desk"), desk.path("D/sub/home")).unwrap();
    std::os::unix::fs::symlink("sub/home", desk.path("D/link")).unwrap();
    let dir = desk.path("D");
    let run = |dir: &str, script: &str| {
        let args = ["run", "--dir", dir, "--", "sh", "-c", script];
        finish(office.command("D/sub/home", &args), b"")
    };
    let dir = dir.to_str().unwrap();
    let look = "cd \"$0\"; find . | sort; ls sub/home link/; cat sub/home/*; mkdir sub/home";
    let done = run(dir, &look.replace("$0", dir));
    assert_eq!(done.text(), ".\n./link\n./secret\n./sub\n", "{}", done.stderr);
    let named = format!("! ls {dir}/sub/home/identity {dir}/link/identity");
    assert_eq!(run(dir, &named).status, 0);
    fs::create_dir(desk.path("D/sub/home/inner")).unwrap();
    for dir in ["D/sub/home", "D/sub/home/inner"] {
        let done = run(dir, "true");
        assert_eq!(done.status, 2, "{}", done.stderr);
        assert!(done.stderr.contains("[bad-argument]"), "{}", done.stderr);
        office.refused("D/sub/home", &["mount", dir, "M"], 2, "bad-argument");
    }
}

/// The home in a folder of the system's, which all programs see.
#[test]
fn by_a_home_of_the_system() {
    let s = Setting::new();
    let inner = s.desk.command(&[], &["ls", "-A", "/opt", "/opt/a", "/opt/a/home"]);
    let mut args: Vec<_> = inner.get_args().collect();
    assert_eq!(args[0], "--home");
    args[1] = "/opt/a/home".as_ref();
    let script = "mount -t tmpfs a /opt; mkdir -p /opt/a; cp -a \"$0\" /opt/a/home; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script]).arg(s.desk.path("desk"));
    command.arg(inner.get_program()).args(args).current_dir(s.desk.path("D"));
    let done = finish(command, b"");
    assert_eq!(done.text(), "/opt:\na\n\n/opt/a:\nhome\n\n/opt/a/home:\n", "{}", done.stderr);
}

#[test]
fn by_sockets() {
    let s = Setting::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let port = tcp.local_addr().unwrap().port();
    s.python(
        "TCP",
        &format!("socket.create_connection(('127.0.0.1', {port})).sendall(secret); time.sleep(.2)"),
        |_| {
            let Ok((mut stream, _)) = tcp.accept() else { return false };
            let mut got = Vec::new();
            let _ = stream.set_nonblocking(false);
            stream.read_to_end(&mut got).is_ok() && holds(&got)
        },
    );
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let port = udp.local_addr().unwrap().port();
    let send = format!(
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(secret, ('127.0.0.1', {port}))"
    );
    s.python("UDP", &send, |_| {
        let mut got = [0; 1000];
        udp.recv(&mut got).is_ok_and(|n| holds(&got[..n]))
    });
    let received = |listener: &UnixListener| {
        let Ok((mut stream, _)) = listener.accept() else { return false };
        let mut got = Vec::new();
        let _ = stream.set_nonblocking(false);
        stream.read_to_end(&mut got).is_ok() && holds(&got)
    };
    // Of a print server, a bus, an agent: all are sockets with a name.
    let unique = s.out.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    for name in [s.out.join("socket"), Path::new("/run").join(unique)] {
        let listener = UnixListener::bind(&name).unwrap();
        listener.set_nonblocking(true).unwrap();
        let name = name.to_str().unwrap();
        let send =
            format!("s = socket.socket(socket.AF_UNIX); s.connect('{name}'); s.sendall(secret)");
        s.python("a socket with a name", &send, |_| received(&listener));
        fs::remove_file(name).unwrap();
    }
    use std::os::linux::net::SocketAddrExt;
    let name = format!("bulla-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let send =
        format!("s = socket.socket(socket.AF_UNIX); s.connect('\\0{name}'); s.sendall(secret)");
    s.python("an abstract socket", &send, |_| received(&listener));
}

/// Agents and buses are found through the environment, which says nothing of them.
#[test]
fn by_what_the_environment_names() {
    let s = Setting::new();
    for (way, mut command) in
        s.ways(&["sh", "-c", "test -n \"$SSH_AUTH_SOCK$DISPLAY$DBUS_SESSION_BUS_ADDRESS\""])
    {
        for name in ["SSH_AUTH_SOCK", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
            command.env(name, "/run/somewhere");
        }
        let found = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert_eq!(found.success(), way == "plain", "{way}");
    }
}

#[test]
fn by_an_inherited_socket() {
    let s = Setting::new();
    let script = |fd: i32| {
        format!(
            "{PRELUDE}
m = os.memfd_create('m'); os.write(m, secret)
socket.send_fds(socket.socket(fileno={fd}), [b'x'], [m])"
        )
    };
    for way in [0, 1] {
        let (here, there) = UnixStream::pair().unwrap();
        rustix::io::fcntl_setfd(&there, FdFlags::empty()).unwrap();
        let script = script(there.as_raw_fd());
        let [plain, run] = s.ways(&[PYTHON, "-c", &script]);
        let (name, mut command) = if way == 0 { plain } else { run };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap();
        drop(there);
        here.set_nonblocking(true).unwrap();
        let got = (&here).read(&mut [0; 10]).is_ok_and(|n| n > 0);
        assert_eq!(got, name == "plain", "{name}");
    }
}

#[test]
fn by_other_processes() {
    let s = Setting::new();
    let other = Running(Command::new("sleep").arg("100").spawn().unwrap());
    let pid = other.0.id();
    let attach = format!(
        "check(libc.ptrace(16, {pid}, 0, 0)); os.waitpid({pid}, 0x40000000); libc.ptrace(17, {pid}, 0, 0)"
    );
    s.python("ptrace", &attach, Attempt::succeeded);
    s.python("its memory", &format!("open('/proc/{pid}/mem', 'r+b')"), Attempt::succeeded);
    s.python("a signal", &format!("os.kill({pid}, 0)"), Attempt::succeeded);
    let read = format!(
        "b = ctypes.create_string_buffer(8)
class V(ctypes.Structure): _fields_ = [('a', ctypes.c_void_p), ('n', ctypes.c_size_t)]
at = int(open('/proc/{pid}/maps').read().split('-')[0], 16) if os.path.exists('/proc/{pid}') else 4096
v, w = V(ctypes.addressof(b), 8), V(at, 8)
check(libc.process_vm_readv({pid}, ctypes.byref(v), 1, ctypes.byref(w), 1, 0))"
    );
    s.python("process_vm_readv", &read, Attempt::succeeded);
}

#[test]
fn by_what_the_kernel_shares() {
    let s = Setting::new();
    let key = 0x4255_0000 + (std::process::id() & 0xffff);
    let memory = format!(
        "libc.shmat.restype = ctypes.c_void_p
i = check(libc.shmget({key}, 4096, 0o1600)); p = libc.shmat(i, None, 0)
ctypes.memmove(p, secret, len(secret))"
    );
    // Taken away by whoever looks.
    let look = format!(
        "import ctypes, sys; libc = ctypes.CDLL(None); i = libc.shmget({key}, 4096, 0)
if i < 0: sys.exit(1)
libc.shmctl(i, 0, None)"
    );
    s.python("SysV shared memory", &memory, |_| {
        Command::new(PYTHON).args(["-c", &look]).status().unwrap().success()
    });
    s.python("a message queue", "os.close(check(libc.mq_open(b'/bulla-test', 0o101, 0o600, None))); libc.mq_unlink(b'/bulla-test')", Attempt::succeeded);
    let keyring = "check(libc.syscall(248, b'user', b'bulla-test', secret, len(secret), -4))";
    s.python("a keyring", keyring, Attempt::succeeded);
    let ring = "check(libc.syscall(425, 4, ctypes.create_string_buffer(256)))";
    s.python("io_uring", ring, Attempt::succeeded);
    s.shell(
        "a setting",
        "cat /proc/sys/vm/swappiness > /proc/sys/vm/swappiness",
        Attempt::succeeded,
    );
    s.shell("a device", "mknod OUT/null c 1 3 && rm OUT/null", Attempt::succeeded);
}

#[test]
fn by_namespaces_and_mounts() {
    let s = Setting::new();
    s.shell("a user namespace", "unshare -Ur true", Attempt::succeeded);
    s.shell("a mount namespace", "unshare -m true", Attempt::succeeded);
    s.shell(
        "remounting",
        "mkdir -p OUT/r; mount --bind OUT/r OUT/r && mount -o remount,bind,ro OUT/r && umount OUT/r",
        Attempt::succeeded,
    );
    s.shell(
        "mounting",
        "mkdir -p OUT/m; mount -t tmpfs x OUT/m && umount OUT/m",
        Attempt::succeeded,
    );
    let clone3 =
        "class A(ctypes.Structure): _fields_ = [(str(i), ctypes.c_uint64) for i in range(11)]
a = A(0x10000000); setattr(a, '4', 17)
p = check(libc.syscall(435, ctypes.byref(a), 88))
if p == 0: os._exit(0)";
    s.python("clone3", clone3, Attempt::succeeded);
    // Away with the view: it is what the run has, and nothing else is under it.
    let folder = s.desk.path("D");
    assert!(!s.desk.run(&["umount", folder.to_str().unwrap()]).text().contains(MARKER));
    let under = format!("umount {0} 2>/dev/null; ls {0}", folder.display());
    assert_eq!(s.desk.run(&["sh", "-c", &under]).text(), "secret\n");
}

/// A program that changes who it is.
#[test]
fn by_a_setuid_helper() {
    let s = Setting::new();
    for folder in ["plain", "D"] {
        let helper = s.desk.path(folder).join("helper");
        fs::copy("/usr/bin/id", &helper).unwrap();
        std::os::unix::fs::chown(&helper, Some(65534), None).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o4755)).unwrap();
    }
    s.shell("setuid", "test \"$(./helper -u)\" = 65534", Attempt::succeeded);
    s.shell("new privileges", "grep -q 'NoNewPrivs:.0' /proc/self/status", Attempt::succeeded);
    s.shell("capabilities", "! grep -q 'CapBnd:.0*$' /proc/self/status", Attempt::succeeded);
}

#[test]
fn by_a_core_dump() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert_eq!(pattern.trim(), "core", "this test needs core dumps as files in the folder");
    let s = Setting::new();
    let crash = "import resource; m = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (m, m))
os.kill(os.getpid(), 11)";
    s.python("a core dump", crash, |_| {
        let cores = [s.desk.path("plain"), s.desk.path("D")];
        let names = cores.iter().flat_map(|f| fs::read_dir(f).unwrap().flatten());
        let found: Vec<_> =
            names.filter(|e| e.file_name().to_string_lossy().starts_with("core")).collect();
        found.iter().for_each(|e| fs::remove_file(e.path()).unwrap());
        !found.is_empty()
    });
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What others see of a program that has a file open: nothing, although they may look.
#[test]
fn from_outside() {
    let s = Setting::new();
    let script = format!("{PRELUDE}f = open('secret'); time.sleep(60)");
    for (way, mut command) in s.ways(&[PYTHON, "-c", &script]) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let run = Running(command.spawn().unwrap());
        let mut found = None;
        view::until("the program has the file open", || {
            found = with_secret_open(run.0.id());
            found.is_some()
        });
        let (pid, fd) = found.unwrap();
        let folder = s.desk.path(if way == "plain" { "plain" } else { "D" });
        let root = format!("/proc/{pid}/root{}/secret", folder.display());
        for path in [root, format!("/proc/{pid}/fd/{fd}"), format!("/proc/{pid}/cwd/secret")] {
            let read = fs::read(&path).is_ok_and(|content| holds(&content));
            assert_eq!(read, way == "plain", "{path} ({way})");
        }
    }
}

/// A descendant of this process that has a file of this name open, and its descriptor.
fn with_secret_open(of: u32) -> Option<(u32, String)> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    let below = children.split_whitespace().filter_map(|c| c.parse().ok());
    let open = || {
        let files = fs::read_dir(format!("/proc/{of}/fd")).ok()?;
        let mut secret = files
            .flatten()
            .filter(|f| fs::read_link(f.path()).is_ok_and(|target| target.ends_with("secret")));
        Some((of, secret.next()?.file_name().to_str()?.to_owned()))
    };
    open().or_else(|| below.into_iter().find_map(with_secret_open))
}
