//! Files that commands read.

use std::fs::File;
use std::io::ErrorKind;
use std::string::FromUtf8Error;

use esx_driver::vi_client::bounded;

use crate::failure::Failure;

/// The most bytes that virsh reads (`VSH_MAX_XML_FILE`).
pub(crate) const LARGEST: usize = 10 << 20;

/// The text of a file that the command line names.
pub(crate) async fn read(path: &str) -> Result<String, Failure> {
    let invalid =
        |error: FromUtf8Error| Failure::new(format!("Failed to read file '{path}': {error}"));
    String::from_utf8(read_bytes(path).await?).map_err(invalid)
}

/// A file that the command line names, which may be in any encoding.
pub(crate) async fn read_bytes(path: &str) -> Result<Vec<u8>, Failure> {
    read_into(path, LARGEST, Vec::new()).await
}

/// Appends a file that the command line names, of at most `largest` bytes.
///
/// A thread reads it: the file may be a pipe or a terminal, which a signal must not have to wait for.
pub(crate) async fn read_into<B>(path: &str, largest: usize, mut bytes: B) -> Result<B, Failure>
where
    B: AsMut<Vec<u8>> + Send + 'static,
{
    let failed = |what: &str, error: &std::io::Error| {
        let reason = c_text(error);
        Failure::new(format!("Failed to {what} file '{path}': {reason}"))
    };
    let name = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let file = File::open(name).map_err(|error| ("open", error))?;
        let read = bounded::read(file, largest, bytes.as_mut());
        read.map(|()| bytes).map_err(|error| ("read", error))
    });
    let read = reading
        .await
        .map_err(|error| failed("read", &error.into()))?;
    read.map_err(|(what, error)| failed(what, &error))
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
