#![no_main]
#[path = "../../crates/postern/tests/it/fuzz.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::mask_stream(data));
