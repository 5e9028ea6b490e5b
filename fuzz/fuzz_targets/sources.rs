#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tryall::fuzz_bodies::sources::look(&String::from_utf8_lossy(data));
});
