//! Files that commands read.

use crate::failure::Failure;

/// The most bytes that virsh reads.
const LARGEST: u64 = 10 << 20;

/// The text of a file that the command line names.
pub(crate) fn read(path: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        // C's text, without the number that Rust puts behind it.
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or_default();
        Failure::new(format!("Failed to open file '{path}': {reason}"))
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        let reason = "Value too large for defined data type";
        return Err(Failure::new(format!(
            "Failed to read file '{path}': {reason}"
        )));
    }
    std::fs::read_to_string(path).map_err(failed)
}
