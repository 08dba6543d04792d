use esx_driver::{ErrorKind, Passthrough};
use serde::Serialize;
use virt_model::node_device::NodeDeviceCapabilityType;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::nodedev_arg::DeviceOrWwnArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// node device information
///
/// Returns basic information about the node device; of a PCI device also whether it is passed through to domains.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevInfo {
    #[command(flatten)]
    device: DeviceOrWwnArg,
}

/// What is known of a device.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    name: String,
    parent: Option<String>,
    active: bool,
    persistent: bool,
    autostart: bool,
    passthrough: Option<State>,
}

/// Whether a PCI device is passed through to domains.
#[derive(Debug, Serialize)]
struct State {
    capable: bool,
    enabled: bool,
    active: bool,
}

impl Query for NodedevInfo {
    type Answer = Info;

    async fn ask(self, connection: &Connection) -> Result<Info, Failure> {
        let device = self.device.find(connection).await?;
        let is_pci = |kind: &NodeDeviceCapabilityType| *kind == NodeDeviceCapabilityType::Pci;
        let passthrough = match device.capabilities().iter().any(is_pci) {
            true => match device.passthrough().await {
                Ok(state) => Some(State::from(state)),
                // The server is too old to have it.
                Err(error) if error.kind() == ErrorKind::Unsupported => None,
                Err(error) => return Err(error.into()),
            },
            false => None,
        };
        Ok(Info {
            name: device.name().to_owned(),
            parent: device.parent().map(str::to_owned),
            active: device.is_active(),
            persistent: device.is_persistent(),
            autostart: device.autostart(),
            passthrough,
        })
    }
}

impl From<Passthrough> for State {
    fn from(state: Passthrough) -> Self {
        Self {
            capable: state.is_capable,
            enabled: state.is_enabled,
            active: state.is_active,
        }
    }
}

impl State {
    fn text(&self) -> &'static str {
        match (self.enabled, self.active) {
            (true, true) => "enabled",
            (true, false) => "enabled after a reboot of the host",
            (false, true) => "disabled after a reboot of the host",
            (false, false) if self.capable => "disabled",
            (false, false) => "not possible",
        }
    }
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/node-device-info/1";

    fn text(&self, _quiet: bool) -> String {
        let yes = |value| if value { "yes" } else { "no" };
        let line = |title, value: &str| property(15, title, value);
        let text = line("Name:", &self.name)
            + &line("Parent:", self.parent.as_deref().unwrap_or_default())
            + &line("Active:", yes(self.active))
            + &line("Persistent:", yes(self.persistent))
            + &line("Autostart:", yes(self.autostart));
        match &self.passthrough {
            Some(state) => text + &line("Passthrough:", state.text()),
            None => text,
        }
    }
}
