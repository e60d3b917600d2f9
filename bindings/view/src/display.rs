//! The caller's X11 display: which one it is, and what a client takes along to be let in.

use bulla::{Code, Demand, Error, Result, Right};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use x11rb_protocol::parse_display::{ConnectAddress, parse_display};
use x11rb_protocol::xauth::{Family, get_auth};

/// Where X servers have their sockets, outside as in a run.
pub(crate) const SOCKETS: &str = "/tmp/.X11-unix";

/// Where a run has its cookie.
pub(crate) const AUTHORITY: &str = "/tmp/.Xauthority";

/// What is shown there, other clients can take a picture of, and mark.
pub(crate) const DEMAND: Demand = Demand {
    rights: &[Right::Copy, Right::Capture],
    why: "the run has a display, which takes the rights to copy and to capture",
};

/// A display of this machine.
pub(crate) struct Display {
    /// The server's socket.
    pub(crate) socket: PathBuf,
    /// What `DISPLAY` says of it in the run.
    pub(crate) name: String,
    /// The file with its cookie, and with no other; `None` where the caller has none for it.
    pub(crate) authority: Option<Vec<u8>>,
}

impl Display {
    /// The one that this process's environment names.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if it names none, or none with a socket of this machine's.
    pub(crate) fn of_caller() -> Result<Self> {
        let bad = |why: String| Error::new(Code::BadArgument, format!("no display: {why}"));
        if std::env::var_os("DISPLAY").is_none() {
            return Err(bad("DISPLAY is not set".into()));
        }
        let parsed = parse_display(None).map_err(|e| bad(e.to_string()))?;
        let here = matches!(parsed.host.as_str(), "" | "unix");
        let Some(ConnectAddress::Socket(socket)) =
            parsed.connect_instruction().next().filter(|_| here)
        else {
            let why = "DISPLAY names one that is not reached by a socket in /tmp/.X11-unix; \
                       the network stays closed. One of this machine's is named like :0";
            return Err(bad(why.into()));
        };
        match fs::symlink_metadata(&socket) {
            Ok(found) if found.file_type().is_socket() => {}
            Ok(_) => return Err(bad(format!("{socket} is not a socket"))),
            Err(e) => return Err(bad(format!("{socket}: {e}"))),
        }
        let host = rustix::system::uname();
        let authority = match get_auth(Family::LOCAL, host.nodename().to_bytes(), parsed.display) {
            Ok(found) => found.map(|(name, data)| entry(parsed.display, &name, &data)),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io("reading the display's cookie (XAUTHORITY)", e)),
        };
        let name = format!(":{}.{}", parsed.display, parsed.screen);
        Ok(Display { socket: socket.into(), name, authority })
    }

    /// Refuses to be hidden by one of the folders.
    pub(crate) fn beside(&self, folders: &[PathBuf]) -> Result<()> {
        let over = |folder: &&PathBuf| Path::new(SOCKETS).starts_with(folder);
        match folders.iter().find(over) {
            None => Ok(()),
            Some(folder) => {
                let why = format!("the view of {} would cover the display", folder.display());
                Err(Error::new(Code::BadArgument, why))
            }
        }
    }
}

/// One entry of an authority file, of any machine: its name may be another when it is looked up.
fn entry(display: u16, name: &[u8], data: &[u8]) -> Vec<u8> {
    let any = u16::MAX.to_be_bytes().to_vec();
    let number = display.to_string();
    [b"", number.as_bytes(), name, data].iter().fold(any, |mut entry, part| {
        // Each was this long in the file that it was read from, or shorter.
        entry.extend_from_slice(&(part.len() as u16).to_be_bytes());
        entry.extend_from_slice(part);
        entry
    })
}
