#![no_main]
#[path = "../../crates/postern/tests/it/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::plain_body(data));
