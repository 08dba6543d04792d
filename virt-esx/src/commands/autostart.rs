use std::time::Duration;

use esx_driver::{AutostartSettings, Domain, Operation};
use virt_model::DomainState;

use super::domain;
use super::lifecycle::{Common, Verb};
use crate::failure::Failure;

/// autostart a domain
///
/// Configure a domain to be automatically started at boot.
#[derive(Debug, clap::Args)]
pub(crate) struct Autostart {
    #[command(flatten)]
    common: Common,

    /// disable autostarting
    #[arg(long)]
    disable: bool,

    /// start it in this place among the others, counted from 1
    #[arg(long, value_name = "number", value_parser = clap::value_parser!(u32).range(1..))]
    order: Option<u32>,

    /// wait so many seconds after its start before the next one is started
    #[arg(long, value_name = "seconds")]
    delay: Option<u64>,
}

impl Verb for Autostart {
    fn name(&self) -> &'static str {
        "autostart"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self) -> Result<(), Failure> {
        match (self.disable, self.order, self.delay) {
            (true, Some(_), _) => Err(domain::exclusive("disable", "order")),
            (true, _, Some(_)) => Err(domain::exclusive("disable", "delay")),
            _ => Ok(()),
        }
    }

    fn fits(&self, _state: DomainState) -> bool {
        true
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        domain.set_autostart_settings(AutostartSettings {
            start_order: self.order,
            start_delay: self.delay.map(Duration::from_secs),
            ..AutostartSettings::new(!self.disable)
        })
    }

    fn done(&self, name: &str) -> String {
        let word = if self.disable { "unmarked" } else { "marked" };
        format!("Domain '{name}' {word} as autostarted")
    }

    fn failed(&self, name: &str) -> String {
        let word = if self.disable { "unmark" } else { "mark" };
        format!("Failed to {word} domain '{name}' as autostarted")
    }
}
