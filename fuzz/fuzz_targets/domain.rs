//! Domain documents.
#![no_main]

#[path = "../checks/domain.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
