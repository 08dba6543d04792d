use serde::Serialize;
use virt_model::{SecretFilter, secret::SecretUsageType};

use crate::answer::{self, Answer};
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list secrets
///
/// Returns a list of secrets. The keys that encrypt the host's domains are among them, as private ones without values.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretList {
    /// list ephemeral secrets
    #[arg(long)]
    ephemeral: bool,

    /// list non-ephemeral secrets
    #[arg(long)]
    no_ephemeral: bool,

    /// list private secrets
    #[arg(long)]
    private: bool,

    /// list non-private secrets
    #[arg(long)]
    no_private: bool,
}

/// The secrets found, by UUID.
#[derive(Debug, Serialize)]
pub(crate) struct Secrets {
    secrets: Vec<Row>,
}

/// One secret.
#[derive(Debug, Serialize)]
struct Row {
    uuid: String,
    /// libvirt's word for what it is for.
    usage_type: Option<&'static str>,
    usage: Option<String>,
}

impl Query for SecretList {
    type Answer = Secrets;

    async fn ask(self, connection: &Connection) -> Result<Secrets, Failure> {
        let filter = [
            (self.ephemeral, SecretFilter::EPHEMERAL),
            (self.no_ephemeral, SecretFilter::NO_EPHEMERAL),
            (self.private, SecretFilter::PRIVATE),
            (self.no_private, SecretFilter::NO_PRIVATE),
        ];
        let filter = options::flags(SecretFilter::NONE, filter);
        let list = connection.list_all_secrets(filter).await;
        let list = list.map_err(|error| Failure::because("Failed to list secrets", error))?;
        let rows = list.iter().map(|secret| {
            let is_used = secret.usage_type() != SecretUsageType::None;
            Row {
                uuid: secret.uuid().to_string(),
                usage_type: is_used.then(|| secret.usage_type().as_str()),
                usage: is_used.then(|| secret.usage_id().to_owned()),
            }
        });
        let mut secrets: Vec<_> = rows.collect();
        secrets.sort_by(|one, other| one.uuid.cmp(&other.uuid));
        Ok(Secrets { secrets })
    }
}

impl Answer for Secrets {
    const SCHEMA: &'static str = "virt-esx/secrets/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/secret/1", &self.secrets))
    }

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["UUID", "Usage"]);
        for row in &self.secrets {
            let usage = match (row.usage_type, &row.usage) {
                (Some(kind), Some(id)) => format!("{kind} {id}"),
                _ => "Unused".to_owned(),
            };
            table.push([row.uuid.as_str(), &usage]);
        }
        table.render(!quiet)
    }
}
