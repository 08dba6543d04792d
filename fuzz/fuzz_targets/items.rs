//! Answers in pieces and as a whole.
#![no_main]

#[path = "../checks/items.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
