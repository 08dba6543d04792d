//! The argument that names a secret.

use esx_driver::{Connect, ErrorKind, Secret, What};

use super::options;
use crate::failure::Failure;

/// The argument `secret` of a command: `#[command(flatten)] secret: SecretArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretArg {
    /// secret UUID
    #[arg(id = "secret", value_name = "secret")]
    text: String,
}

impl SecretArg {
    /// Finds the secret.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<Secret, Failure> {
        options::check_text("secret", Some(&self.text))?;
        find(connection, &self.text).await
    }

    /// The text of the command line, which virsh prints in its messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Finds the secret of that UUID.
///
/// # Errors
/// virsh's text, and below it the reason.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<Secret, Failure> {
    let failed = || format!("failed to get secret '{text}'");
    let Ok(uuid) = text.parse() else {
        let reason = "uuidstr in virSecretLookupByUUIDString must be a valid UUID";
        return Err(Failure::because(failed(), Failure::new(reason)));
    };
    let found = connection.secret_lookup_by_uuid(uuid).await;
    found.map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound(What::Secret);
        let failure = Failure::because(failed(), error);
        match is_missing {
            true => failure.advise(ADVICE),
            false => failure,
        }
    })
}

/// Why a secret that virsh would know may be missing.
const ADVICE: &str = "a host keeps no secrets, and virt-esx forgets them when it ends: keep them in a file with --keyring FILE, or \
                      define the secret in the same run, 'secret-define FILE; secret-set-value UUID --file FILE; ...'";
