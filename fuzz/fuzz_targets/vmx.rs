//! VMX files.
#![no_main]

#[path = "../checks/vmx.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::check(data));
