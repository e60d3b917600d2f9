//! A writer fed in any portions makes the message that one write makes, and both readers read it.
#![no_main]

use bulla::cobblestone::{Encryptor, SeekReader, StreamReader};
use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|portions: Vec<u16>| {
    let key = [9; 32];
    let mut text = Vec::new();
    let mut writer = Encryptor::new(&key, b"fuzz", Vec::new()).unwrap();
    for (i, n) in portions.iter().take(64).enumerate() {
        let portion: Vec<u8> = (0..*n).map(|j| (i as u16 ^ j) as u8).collect();
        if i % 2 == 0 {
            writer.write_all(&portion).unwrap();
        } else {
            assert_eq!(writer.copy_from(&mut &portion[..]).unwrap(), *n as u64);
        }
        text.extend(portion);
    }
    let sealed = writer.finish().unwrap();
    let mut streamed = Vec::new();
    StreamReader::new(&key, b"fuzz", &sealed[..]).unwrap().copy_to(&mut streamed).unwrap();
    assert!(streamed == text);
    let reader = SeekReader::new(&key, b"fuzz", &sealed[..], 0, sealed.len() as u64).unwrap();
    let mut sought = vec![0; text.len()];
    assert_eq!(reader.read_at(&mut sought, 0).unwrap(), text.len());
    assert!(sought == text);
});
