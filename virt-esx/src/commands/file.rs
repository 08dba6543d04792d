//! Files that commands read.

use std::fs::File;
use std::io::Read as _;
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
    let mut bytes = Vec::new();
    read_into(path, LARGEST, &mut bytes)?;
    Ok(bytes)
}

/// Appends a file that the command line names, of at most `largest` bytes.
pub(crate) fn read_into(path: &str, largest: u64, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let failed = |what: &str, error: &std::io::Error| {
        let reason = c_text(error);
        Failure::new(format!("Failed to {what} file '{path}': {reason}"))
    };
    let file = File::open(path).map_err(|error| failed("open", &error))?;
    let read = file.take(largest + 1).read_to_end(bytes);
    let length = read.map_err(|error| failed("read", &error))?;
    if length as u64 > largest {
        let reason = "Value too large for defined data type";
        return Err(Failure::new(format!(
            "Failed to read file '{path}': {reason}"
        )));
    }
    Ok(())
}

/// C's text of an error, without the number that Rust puts behind it.
pub(crate) fn c_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next();
    reason.unwrap_or_default().to_owned()
}
