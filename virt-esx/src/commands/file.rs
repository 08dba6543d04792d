//! Files that commands read.

use std::string::FromUtf8Error;

use crate::failure::Failure;

/// The most bytes that virsh reads.
const LARGEST: u64 = 10 << 20;

/// The text of a file that the command line names.
pub(crate) fn read(path: &str) -> Result<String, Failure> {
    let invalid =
        |error: FromUtf8Error| Failure::new(format!("Failed to read file '{path}': {error}"));
    String::from_utf8(read_bytes(path)?).map_err(invalid)
}

/// A file that the command line names, which may be in any encoding.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        let reason = c_text(&error);
        Failure::new(format!("Failed to open file '{path}': {reason}"))
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        let reason = "Value too large for defined data type";
        return Err(Failure::new(format!(
            "Failed to read file '{path}': {reason}"
        )));
    }
    std::fs::read(path).map_err(failed)
}

/// C's text of an error, without the number that Rust puts behind it.
pub(crate) fn c_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next();
    reason.unwrap_or_default().to_owned()
}
