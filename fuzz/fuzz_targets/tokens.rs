#![no_main]

// What all inputs share is made before the first, whose time counts.
libfuzzer_sys::fuzz_target!(init: { bulla_fuzz_bodies::run("tokens", &[0]); }, |data: &[u8]| {
    bulla_fuzz_bodies::run("tokens", data);
});
