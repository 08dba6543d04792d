use virt_model::flags::VcpuFlags;

use super::impact::{Changed, Impact};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// change number of virtual CPUs
///
/// Change the number of virtual CPUs in the guest domain. A running domain gets more if CPU hot-add was enabled while it
/// was off, which --hotpluggable does.
#[derive(Debug, clap::Args)]
pub(crate) struct Setvcpus {
    #[command(flatten)]
    domain: DomainArg,

    /// number of virtual CPUs
    #[arg(value_name = "count", value_parser = Number::parser())]
    count: Number,

    /// set maximum limit on next boot
    #[arg(long)]
    maximum: bool,

    #[command(flatten)]
    impact: Impact,

    /// modify cpu state in the guest
    #[arg(long)]
    guest: bool,

    /// make added vcpus hot(un)pluggable
    #[arg(long)]
    hotpluggable: bool,
}

impl Query for Setvcpus {
    type Answer = Changed;

    fn check(&self) -> Result<(), Failure> {
        self.impact.check()?;
        check_exclusive([("guest", self.guest), ("config", self.impact.config)])?;
        match self.maximum && !self.impact.config {
            true => Err(Failure::new(
                "Option --config is required by option --maximum",
            )),
            false => Ok(()),
        }
    }

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let domain = self.domain.find(connection).await?;
        let count: u32 = self.count.read("count")?;
        if count == 0 {
            return Err(Failure::new("Can't set 0 processors for a VM"));
        }
        let flags = [
            (self.impact.live, VcpuFlags::LIVE),
            (self.impact.config, VcpuFlags::CONFIG),
            (self.maximum, VcpuFlags::MAXIMUM),
            (self.guest, VcpuFlags::GUEST),
            (self.hotpluggable, VcpuFlags::HOTPLUGGABLE),
        ];
        let flags = options::flags(VcpuFlags::NONE, flags);
        let function = match flags == VcpuFlags::NONE && !self.impact.current {
            true => "virDomainSetVcpus",
            false => "virDomainSetVcpusFlags",
        };
        connection.check_writable(function)?;
        domain.set_vcpus(count, flags).await?;
        Ok(Changed::new("setvcpus", &domain))
    }
}
