#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tryall::fuzz_bodies::store::look(data);
});
