//! Files that commands read.

use std::fs::File;
use std::io::ErrorKind;
use std::string::FromUtf8Error;

use esx_driver::vi_client::bounded;

use crate::failure::Failure;

/// The most bytes that virsh reads (`VSH_MAX_XML_FILE`).
pub(crate) const LARGEST: usize = 10 << 20;

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
pub(crate) fn read_into(path: &str, largest: usize, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let failed = |what: &str, error: &std::io::Error| {
        let reason = c_text(error);
        Failure::new(format!("Failed to {what} file '{path}': {reason}"))
    };
    let file = File::open(path).map_err(|error| failed("open", &error))?;
    bounded::read(file, largest, bytes).map_err(|error| failed("read", &error))
}

/// C's text of an error, without the number that Rust puts behind it.
pub(crate) fn c_text(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::FileTooLarge {
        return "Value too large for defined data type".to_owned();
    }
    let text = error.to_string();
    let reason = text.split(" (os error").next();
    reason.unwrap_or_default().to_owned()
}
