use virt_model::flags::MemoryModFlags;

use super::impact::{Changed, Impact};
use super::setmem::kib;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::connection::Connection;
use crate::failure::Failure;

/// change maximum memory limit
///
/// Change the maximum memory allocation limit in the guest domain: the memory that the guest sees. The domain must be off,
/// or running with memory hot-add enabled.
#[derive(Debug, clap::Args)]
pub(crate) struct Setmaxmem {
    #[command(flatten)]
    domain: DomainArg,

    /// new maximum memory size, as scaled integer (default KiB)
    #[arg(value_name = "size", value_parser = Number::parser())]
    size: Number,

    #[command(flatten)]
    impact: Impact,
}

impl Query for Setmaxmem {
    type Answer = Changed;

    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let domain = self.domain.find(connection).await?;
        let memory = kib(&self.size)?;
        let failed = |reason| Failure::because("Unable to change MaxMemorySize", reason);
        let writable = connection.check_writable("virDomainSetMemoryFlags");
        writable.map_err(failed)?;
        let flags = MemoryModFlags::from_bits(self.impact.flags().bits());
        let set = domain.set_memory(memory, flags | MemoryModFlags::MAXIMUM);
        set.await.map_err(|error| failed(error.into()))?;
        Ok(Changed::new("setmaxmem", &domain))
    }
}
