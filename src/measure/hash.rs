//! The SHA-256 of a program's file.

use crate::encoding;
use std::fs::File;
use std::io::Read;

/// Programs longer than this are not hashed: a made-up one must not keep a machine busy.
const MAX: u64 = 1 << 30;

/// Of the whole file; `None` if it is too long, cannot be read, or changes its length meanwhile.
pub(super) fn sha256_of(file: &File) -> Option<[u8; 32]> {
    let length = file.metadata().ok()?.len();
    if length > MAX {
        return None;
    }
    // One more than there should be.
    let (hash, read) = encoding::sha256_of(file.take(length + 1)).ok()?;
    (read == length).then_some(hash)
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
