//! The SHA-256 of a program's file.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Read};

/// Programs longer than this are not hashed: a made-up one must not keep a machine busy.
const MAX: u64 = 1 << 30;

/// Of the whole file; `None` if it is too long, cannot be read, or changes its length meanwhile.
pub(super) fn sha256_of(mut file: &File) -> Option<[u8; 32]> {
    let length = file.metadata().ok()?.len();
    if length > MAX {
        return None;
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return (total == length).then(|| hash.finalize().into()),
            Ok(n) => {
                hash.update(&buffer[..n]);
                total += n as u64;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return None,
        }
        if total > length {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    #[test]
    fn whole_files_of_bearable_length() {
        let mut file = tempfile::tempfile().unwrap();
        let content = vec![7; 200_000];
        file.write_all(&content).unwrap();
        assert_eq!(sha256_of(&file), None, "not read from the start");
        file.rewind().unwrap();
        assert_eq!(sha256_of(&file), Some(crate::encoding::sha256(&content)));

        file.set_len(MAX + 1).unwrap();
        file.rewind().unwrap();
        assert_eq!(sha256_of(&file), None);
    }
}
