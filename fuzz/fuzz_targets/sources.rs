#![no_main]

#[path = "../bodies/mod.rs"]
#[allow(dead_code, reason = "each target has its own")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::sources::look(&String::from_utf8_lossy(data));
});
