use std::fs::File;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use esx_driver::vi_client::bounded;
use zeroize::Zeroizing;

use super::change::Changed;
use crate::commands::options::{check_exclusive, check_text};
use crate::commands::secret_arg::SecretArg;
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// set a secret value
///
/// Set a secret value: that of a file (which may be /dev/stdin), or one that is typed. It is kept where the secret is: in the
/// file of --keyring, or until virt-esx ends.
#[derive(clap::Args)]
pub(crate) struct SecretSetValue {
    #[command(flatten)]
    secret: SecretArg,

    /// read secret from file
    #[arg(long, value_name = "string")]
    file: Option<String>,

    /// read the secret from file without converting from base64
    #[arg(long)]
    plain: bool,

    /// read the secret from the terminal
    #[arg(long)]
    interactive: bool,

    /// base64-encoded secret value
    #[arg(value_name = "base64")]
    base64: Option<String>,
}

/// The most bytes of a file that virsh reads.
const LARGEST: usize = 1024;

impl Command for SecretSetValue {
    fn check(&self) -> Result<(), Failure> {
        let file = ("file", self.file.is_some());
        let plain = ("plain", self.plain);
        let interactive = ("interactive", self.interactive);
        let base64 = ("base64", self.base64.is_some());
        check_exclusive([interactive, file])?;
        check_exclusive([file, base64])?;
        check_exclusive([interactive, plain])?;
        check_exclusive([plain, base64])?;
        check_exclusive([interactive, base64])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let secret = self.secret.find(connection).await?;
        let value = self.value(ui).await?;
        let failed = |reason| Failure::because("Failed to set secret value", reason);
        let writable = connection.check_writable("virSecretSetValue");
        writable.map_err(failed)?;
        let set = secret.set_value(&value).await;
        set.map_err(|error| failed(error.into()))?;
        let text = "Secret value set".to_owned();
        let changed = Changed::new("secret-set-value", secret.uuid(), text);
        Ok(ui.answer(&changed)?)
    }
}

impl SecretSetValue {
    async fn value(&self, ui: &Ui) -> Result<Zeroizing<Vec<u8>>, Failure> {
        check_text("base64", self.base64.as_deref())?;
        check_text("file", self.file.as_deref())?;
        match (&self.base64, &self.file) {
            (Some(text), _) => {
                ui.tell("error: Passing secret value as command-line argument is insecure!\n");
                decode(text.as_bytes())
            }
            (None, Some(path)) => {
                let bytes = read(path).await?;
                match self.plain {
                    true => Ok(bytes),
                    false => decode(&bytes),
                }
            }
            (None, None) if self.interactive => typed(ui, "Enter new value for secret:")
                .await
                .map_err(|error| {
                    let reason = Failure::new(file::c_text(&error));
                    Failure::because("Failed to read secret", reason)
                }),
            (None, None) => Err(Failure::new("Input secret value is missing")),
        }
    }
}

/// The largest line that is taken for a value.
const LONGEST_LINE: usize = 16 << 10;

/// What is typed on the terminal; without one, the first line of the standard input, as C's `getpass` (virsh) reads it.
async fn typed(ui: &Ui, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    if File::open("/dev/tty").is_ok() {
        let value = ui.terminal().ask_secret(prompt.to_owned()).await?;
        return Ok(Zeroizing::new(value.as_bytes().to_vec()));
    }
    let mut terminal = io::stderr().lock();
    terminal.write_all(prompt.as_bytes())?;
    terminal.flush()?;
    drop(terminal);
    // With room for all of it the bytes never move, so that no copy of them stays anywhere.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE + 1));
    bounded::read_line(&mut io::stdin().lock(), LONGEST_LINE, &mut line)?;
    line.pop_if(|last| *last == b'\n');
    Ok(line)
}

/// A file's content.
async fn read(path: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // With room for all of it the bytes never move, so that no copy of them stays anywhere.
    let bytes = Zeroizing::new(Vec::with_capacity(2 * LARGEST));
    file::read_into(path, LARGEST, bytes).await
}

/// The bytes that a text of base64 stands for. White space may be anywhere in it. (virsh ignores whatever is no base64, and
/// so would set another value than the one that was meant.)
fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len()));
    compact.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let decoded = STANDARD.decode(compact.as_slice()).map(Zeroizing::new);
    decoded.map_err(|_| {
        let failure = Failure::new("the value is not base64");
        failure.advise("with --file and --plain, the value is taken as it is")
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_may_be_broken_into_lines() {
        assert_eq!(**decode(b"Z2Vo\nZWlt\n").unwrap(), *b"geheim");
        for wrong in ["geheim\n", "xx!", "Z2VoZWlt="] {
            assert!(decode(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
