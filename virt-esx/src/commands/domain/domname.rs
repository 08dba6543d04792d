use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::{DomainArg, IdOrUuid};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// convert a domain id or UUID to domain name
#[derive(Debug, clap::Args)]
pub(crate) struct Domname {
    #[command(flatten)]
    domain: DomainArg<IdOrUuid>,
}

/// A domain's name.
#[derive(Debug, Serialize)]
pub(crate) struct DomainName {
    name: String,
}

impl Query for Domname {
    type Answer = DomainName;

    async fn ask(self, connection: &Connection) -> Result<DomainName, Failure> {
        let domain = self.domain.find(connection).await?;
        Ok(DomainName {
            name: domain.name().to_owned(),
        })
    }
}

impl Answer for DomainName {
    const SCHEMA: &'static str = "virt-esx/domain-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.name))
    }
}
