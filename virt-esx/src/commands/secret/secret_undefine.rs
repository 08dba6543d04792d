use super::change::Changed;
use crate::commands::Query;
use crate::commands::secret_arg::SecretArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// undefine a secret
///
/// Undefine a secret.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretUndefine {
    #[command(flatten)]
    secret: SecretArg,
}

impl Query for SecretUndefine {
    type Answer = Changed;

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let secret = self.secret.find(connection).await?;
        let text = self.secret.text();
        let failed = |reason| Failure::because(format!("Failed to delete secret {text}"), reason);
        let writable = connection.check_writable("virSecretUndefine");
        writable.map_err(failed)?;
        let undefined = secret.undefine().await;
        undefined.map_err(|error| failed(error.into()))?;
        let line = format!("Secret {text} deleted");
        Ok(Changed::new("secret-undefine", secret.uuid(), line))
    }
}
