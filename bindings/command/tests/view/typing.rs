//! Somebody who sits at a terminal: reads what is shown, and types.

use super::Desk;
use crate::office::{Done, finish};
use std::process::Command;

/// Runs a command on a terminal. Each step waits for a text and types something then.
const TYPIST: &str = r#"
import fcntl, json, os, pty, select, struct, sys, termios, time
command, steps = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(command[0], command)
seen = b""
def read(seconds):
    if not select.select([terminal], [], [], seconds)[0]:
        return None
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
ended = False
for text, keys in steps:
    end, since = time.time() + 60, b""
    while text.encode() not in since and not ended:
        more = read(max(0, end - time.time()))
        if more is None:
            sys.exit(f"not shown within a minute: {text}; shown: {since!r}")
        since += more
        ended = more == b""
    seen += since
    # A program that has just drawn its screen may throw away what was typed before.
    time.sleep(0.3)
    if not ended:
        os.write(terminal, keys.encode())
while not ended:
    more = read(60) or b""
    seen += more
    ended = more == b""
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

impl Desk {
    /// A program in a run, on a terminal.
    pub fn typed(&self, program: &[&str], steps: &[(&str, &str)]) -> Done {
        let inner = self.command(&[], program);
        let words = std::iter::once(inner.get_program()).chain(inner.get_args());
        let words: Vec<_> = words.map(|word| word.to_str().unwrap()).collect();
        typed(&words, steps, &self.path("D"))
    }
}

/// Any program on a terminal, in this folder.
pub fn typed(words: &[&str], steps: &[(&str, &str)], folder: &std::path::Path) -> Done {
    let json = |value| serde_json::to_string(value).unwrap();
    let steps: Vec<_> = steps.iter().map(|(text, keys)| [*text, *keys]).collect();
    let mut typist = Command::new("/usr/bin/python3");
    typist.args(["-c", TYPIST, &json(&words), &serde_json::to_string(&steps).unwrap()]);
    typist.current_dir(folder).env("TERM", "xterm").env("HOME", "/nonexistent");
    finish(typist, b"")
}
