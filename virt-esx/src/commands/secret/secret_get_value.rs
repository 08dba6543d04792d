use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::secret_arg::SecretArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// Output a secret value
///
/// virt-esx prints no secret values: the command only fails.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretGetValue {
    #[command(flatten)]
    secret: SecretArg,

    /// get value without converting to base64
    #[arg(long)]
    plain: bool,
}

/// There is no answer.
#[derive(Debug, Serialize)]
pub(crate) enum Never {}

impl Query for SecretGetValue {
    type Answer = Never;

    async fn ask(self, connection: &Connection) -> Result<Never, Failure> {
        let secret = self.secret.find(connection).await?;
        if secret.definition()?.private {
            return Err(Failure::new("Invalid secret: secret is private"));
        }
        let refusal = Failure::new("virt-esx does not print the values of secrets");
        Err(refusal.advise("a program gets it with esx_driver::Secret::value"))
    }
}

impl Answer for Never {
    /// Nothing is printed, so no version of it is described.
    const SCHEMA: &'static str = "";

    fn text(&self, _quiet: bool) -> String {
        match *self {}
    }
}
