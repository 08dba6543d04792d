use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::{DomainArg, NameOrId};
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain name or id to domain UUID
#[derive(Debug, clap::Args)]
pub(crate) struct Domuuid {
    #[command(flatten)]
    domain: DomainArg<NameOrId>,

    /// print the UUID that the guest reads from its SMBIOS, in both byte orders
    #[arg(long)]
    guest: bool,
}

/// A domain's UUID.
#[derive(Debug, Serialize)]
pub(crate) struct DomainUuid {
    uuid: String,
    /// With `--guest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<GuestUuid>,
}

/// The UUID that a guest sees.
#[derive(Debug, Serialize)]
pub(crate) struct GuestUuid {
    /// As the hypervisor shows it.
    uuid: String,
    /// The same with the bytes of the first three fields reversed, as some guests and tools show it.
    swapped: String,
}

impl From<virt_model::Uuid> for GuestUuid {
    fn from(uuid: virt_model::Uuid) -> Self {
        Self {
            uuid: uuid.to_string(),
            swapped: uuid.swapped().to_string(),
        }
    }
}

impl Query for Domuuid {
    type Answer = DomainUuid;

    async fn ask(self, connection: &Connection) -> Result<DomainUuid, Failure> {
        let domain = self.domain.find(connection).await?;
        let guest = match self.guest {
            true => Some(domain.smbios_uuid().await?.into()),
            false => None,
        };
        Ok(DomainUuid {
            uuid: domain.uuid().to_string(),
            guest,
        })
    }
}

impl Answer for DomainUuid {
    const SCHEMA: &'static str = "virt-esx/domain-uuid/1";

    fn text(&self, _quiet: bool) -> String {
        match &self.guest {
            Some(guest) => format!("{}\n{}\n", guest.uuid, guest.swapped),
            None => format!("{}\n", self.uuid),
        }
    }
}
