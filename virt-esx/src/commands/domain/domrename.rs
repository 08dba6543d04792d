use super::impact::Changed;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;

/// rename a domain
///
/// Rename a domain. ESX renames running domains too; the files keep their names.
#[derive(Debug, clap::Args)]
pub(crate) struct Domrename {
    #[command(flatten)]
    domain: DomainArg,

    /// new domain name
    #[arg(id = "new-name", value_name = "new-name")]
    new_name: String,
}

impl Query for Domrename {
    type Answer = Changed;

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let domain = self.domain.find(connection).await?;
        check_text("new-name", Some(&self.new_name))?;
        connection.check_writable("virDomainRename")?;
        let renamed = domain.rename(&self.new_name).await?;
        Ok(Changed::new("domrename", &renamed).saying("Domain successfully renamed\n"))
    }
}
