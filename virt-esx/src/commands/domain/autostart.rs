use std::time::Duration;

use esx_driver::{AutostartSettings, Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};
use crate::commands::options::check_exclusive;
use crate::failure::Failure;

/// autostart a domain
///
/// Configure a domain to be automatically started at boot.
#[derive(Debug, clap::Args)]
pub(crate) struct Autostart {
    #[command(flatten)]
    options: ActionOptions,

    /// disable autostarting
    #[arg(long)]
    disable: bool,

    /// position in the order of starting, counted from 1
    #[arg(long, value_name = "number", value_parser = clap::value_parser!(u32).range(1..))]
    order: Option<u32>,

    /// number of seconds to wait after this start before the next one
    #[arg(long, value_name = "seconds")]
    delay: Option<u64>,
}

impl Action for Autostart {
    fn name(&self) -> &'static str {
        "autostart"
    }

    fn function(&self) -> &'static str {
        "virDomainSetAutostart"
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn check(&self) -> Result<(), Failure> {
        let disable = ("disable", self.disable);
        check_exclusive([disable, ("order", self.order.is_some())])?;
        check_exclusive([disable, ("delay", self.delay.is_some())])
    }

    fn fits(&self, _state: DomainState) -> bool {
        true
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        let mut settings = AutostartSettings::new(!self.disable);
        settings.start_order = self.order;
        settings.start_delay = self.delay.map(Duration::from_secs);
        domain.set_autostart_settings(settings)
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
