use virt_model::flags::MemoryModFlags;

use super::impact::{Changed, Impact};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::connection::Connection;
use crate::failure::Failure;

/// change memory allocation
///
/// Change the current memory allocation in the guest domain. On ESX it is the most of the host's memory that the domain
/// gets.
#[derive(Debug, clap::Args)]
pub(crate) struct Setmem {
    #[command(flatten)]
    domain: DomainArg,

    /// new memory size, as scaled integer (default KiB)
    #[arg(value_name = "size", value_parser = Number::parser())]
    size: Number,

    #[command(flatten)]
    impact: Impact,
}

impl Query for Setmem {
    type Answer = Changed;

    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let domain = self.domain.find(connection).await?;
        let memory = kib(&self.size)?;
        connection.check_writable("virDomainSetMemoryFlags")?;
        let flags = MemoryModFlags::from_bits(self.impact.flags().bits());
        domain.set_memory(memory, flags).await?;
        Ok(Changed::new("setmem", &domain))
    }
}

/// The option `size` in KiB, rounded up.
pub(super) fn kib(size: &Number) -> Result<u64, Failure> {
    Ok(size.scaled("size", 1024)?.div_ceil(1024))
}
