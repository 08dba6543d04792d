use esx_driver::UndefineFlags;
use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// undefine an inactive domain
///
/// The host unregisters the domain; its files stay on their datastores.
#[derive(Debug, clap::Args)]
pub(crate) struct Undefine {
    #[command(flatten)]
    domain: DomainArg,

    /// remove domain managed state file
    #[arg(long)]
    managed_save: bool,

    /// remove all domain snapshot metadata (vm must be inactive)
    #[arg(long)]
    snapshots_metadata: bool,

    /// remove all domain checkpoint metadata (vm must be inactive)
    #[arg(long)]
    checkpoints_metadata: bool,

    /// remove nvram file
    #[arg(long)]
    nvram: bool,

    /// keep nvram file
    #[arg(long)]
    keep_nvram: bool,

    /// remove TPM state
    #[arg(long)]
    tpm: bool,

    /// keep TPM state
    #[arg(long)]
    keep_tpm: bool,
}

/// A domain that was undefined.
#[derive(Debug, Serialize)]
pub(crate) struct Undefined {
    name: String,
}

impl Query for Undefine {
    type Answer = Undefined;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("nvram", self.nvram), ("keep-nvram", self.keep_nvram)])?;
        check_exclusive([("tpm", self.tpm), ("keep-tpm", self.keep_tpm)])
    }

    async fn ask(self, connection: &Connection) -> Result<Undefined, Failure> {
        let domain = self.domain.find(connection).await?;
        // libvirt's ESX driver (9.0.0) has neither managed save images nor checkpoints to remove.
        let flags = [
            (self.snapshots_metadata, UndefineFlags::SNAPSHOTS_METADATA),
            (self.nvram, UndefineFlags::NVRAM),
            (self.keep_nvram, UndefineFlags::KEEP_NVRAM),
            (self.tpm, UndefineFlags::TPM),
            (self.keep_tpm, UndefineFlags::KEEP_TPM),
        ];
        let flags = options::flags(UndefineFlags::NONE, flags);
        let name = domain.name().to_owned();
        let failed =
            |reason| Failure::because(format!("Failed to undefine domain '{name}'"), reason);
        let writable = connection.check_writable("virDomainUndefineFlags");
        writable.map_err(failed)?;
        domain
            .undefine(flags)
            .await
            .map_err(|error| failed(error.into()))?;
        Ok(Undefined { name })
    }
}

impl Answer for Undefined {
    const SCHEMA: &'static str = "virt-esx/domain-undefined/1";

    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        format!("Domain '{}' has been undefined\n", self.name)
    }
}
