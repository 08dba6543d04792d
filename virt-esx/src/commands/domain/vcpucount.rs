use std::fmt::Write as _;

use serde::Serialize;
use virt_model::flags::VcpuFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// domain vcpu counts
///
/// Returns the number of virtual CPUs used by the domain. The maximum is the host's.
#[derive(Debug, clap::Args)]
pub(crate) struct Vcpucount {
    #[command(flatten)]
    domain: DomainArg,

    /// get maximum count of vcpus
    #[arg(long)]
    maximum: bool,

    /// get number of currently active vcpus
    #[arg(long)]
    active: bool,

    /// get value from running domain
    #[arg(long)]
    live: bool,

    /// get value to be used on next boot
    #[arg(long)]
    config: bool,

    /// get value according to current domain state
    #[arg(long)]
    current: bool,

    /// retrieve vcpu count from the guest instead of the hypervisor
    #[arg(long)]
    guest: bool,
}

/// The numbers that were asked for; null for the others, and for what a domain does not have.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    maximum_config: Option<u32>,
    maximum_live: Option<u32>,
    current_config: Option<u32>,
    current_live: Option<u32>,

    /// The only number that is printed.
    #[serde(skip)]
    single: Option<u32>,
}

impl Vcpucount {
    fn is_all(&self) -> bool {
        !(self.maximum || self.active || self.live || self.config || self.current || self.guest)
    }
}

impl Query for Vcpucount {
    type Answer = Counts;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("active", self.active), ("maximum", self.maximum)])?;
        check_exclusive([("live", self.live), ("config", self.config)])?;
        check_exclusive([("guest", self.guest), ("config", self.config)])?;
        // In old virshs --current alone was the opposite of --maximum, and still is.
        if self.maximum || self.active {
            let current = ("current", self.current);
            check_exclusive([current, ("live", self.live)])?;
            check_exclusive([current, ("config", self.config)])?;
        }
        Ok(())
    }

    async fn ask(self, connection: &Connection) -> Result<Counts, Failure> {
        let domain = self.domain.find(connection).await?;
        let none = Counts {
            maximum_config: None,
            maximum_live: None,
            current_config: None,
            current_live: None,
            single: None,
        };
        if self.is_all() {
            // One machine has one number, and the host has one maximum.
            let maximum = domain.max_vcpus().await.map_err(failed("maximum"))?;
            let current = domain.vcpus(VcpuFlags::NONE).await;
            let current = current.map_err(failed("current"))?;
            let live = |number| domain.id().map(|_| number);
            return Ok(Counts {
                maximum_config: Some(maximum),
                maximum_live: live(maximum),
                current_config: Some(current),
                current_live: live(current),
                ..none
            });
        }
        let flags = [
            (self.live, VcpuFlags::LIVE),
            (self.config, VcpuFlags::CONFIG),
            (self.maximum, VcpuFlags::MAXIMUM),
            (self.guest, VcpuFlags::GUEST),
        ];
        let flags = options::flags(VcpuFlags::NONE, flags);
        let number = domain
            .vcpus(flags)
            .await
            .map_err(|error| match self.guest {
                true => Failure::because("Failed to retrieve vCPU count from the guest", error),
                false => error.into(),
            })?;
        let of =
            |maximum, config| (self.maximum == maximum && self.config == config).then_some(number);
        Ok(Counts {
            maximum_config: of(true, true),
            maximum_live: of(true, false),
            current_config: of(false, true),
            current_live: of(false, false),
            single: Some(number),
        })
    }
}

/// virsh prints only the line above the reason.
fn failed(what: &str) -> impl Fn(esx_driver::Error) -> Failure {
    move |error| Failure::because(format!("Failed to retrieve {what} vcpu count"), error)
}

impl Answer for Counts {
    const SCHEMA: &'static str = "virt-esx/vcpu-counts/1";

    fn text(&self, _quiet: bool) -> String {
        if let Some(number) = self.single {
            return format!("{number}\n");
        }
        let lines = [
            ("maximum", "config", self.maximum_config),
            ("maximum", "live", self.maximum_live),
            ("current", "config", self.current_config),
            ("current", "live", self.current_live),
        ];
        let mut text = String::new();
        for (which, state, number) in lines {
            if let Some(number) = number {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{which:<12} {state:<12} {number:>3}");
            }
        }
        text
    }
}
