//! Answers in pieces against whole answers.
#![no_main]

#[path = "../checks/items.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
