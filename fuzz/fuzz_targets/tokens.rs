//! Documents as the tokenizer and as quick-xml read them.
#![no_main]

#[path = "../checks/tokens.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
