use std::collections::HashMap;

use serde::Serialize;
use virt_model::NodeDeviceFilter;
use virt_model::node_device::NodeDeviceCapabilityType;

use crate::answer::{self, Answer};
use crate::commands::tree::{self, Node};
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;

/// enumerate devices on this host
///
/// List the devices of the host, by name. All of them are active.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevList {
    /// list devices in a tree
    #[arg(long)]
    tree: bool,

    /// capability names, separated by comma
    #[arg(value_name = "cap")]
    cap: Option<String>,

    /// list inactive devices
    #[arg(long)]
    inactive: bool,

    /// list inactive & active devices
    #[arg(long)]
    all: bool,
}

/// The devices found, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Devices {
    devices: Vec<Row>,

    #[serde(skip)]
    tree: bool,
}

/// One device.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    parent: Option<String>,
    /// libvirt's words for what it is.
    capabilities: Vec<&'static str>,
}

impl Query for NodedevList {
    type Answer = Devices;

    fn check(&self) -> Result<(), Failure> {
        if self.all && self.inactive {
            let line = "Option --all is incompatible with --inactive";
            return Err(Failure::new(line));
        }
        if self.tree && (self.inactive || self.cap().is_some()) {
            let line = "Option --tree is incompatible with --cap and --inactive";
            return Err(Failure::new(line));
        }
        self.filter().map(drop)
    }

    async fn ask(self, connection: &Connection) -> Result<Devices, Failure> {
        let list = connection.list_all_node_devices(self.filter()?).await;
        let list = list.map_err(|error| Failure::because("Failed to list node devices", error))?;
        let rows = list.iter().map(|device| Row {
            name: device.name().to_owned(),
            parent: device.parent().map(str::to_owned),
            capabilities: device
                .capabilities()
                .iter()
                .map(|kind| kind.as_str())
                .collect(),
        });
        let mut devices: Vec<_> = rows.collect();
        devices.sort_by_cached_key(|row| row.name.to_lowercase());
        Ok(Devices {
            devices,
            tree: self.tree,
        })
    }
}

impl NodedevList {
    /// The capabilities that were asked for: virsh takes an empty text for none.
    fn cap(&self) -> Option<&str> {
        self.cap.as_deref().filter(|cap| !cap.is_empty())
    }

    /// libvirt's flags.
    ///
    /// # Errors
    /// virsh's text if there is no such capability.
    fn filter(&self) -> Result<NodeDeviceFilter, Failure> {
        let mut filter = match self {
            Self { all: true, .. } => NodeDeviceFilter::FILTERS_ACTIVE,
            Self { inactive: true, .. } => NodeDeviceFilter::INACTIVE,
            _ => NodeDeviceFilter::ACTIVE,
        };
        for word in self.cap().into_iter().flat_map(options::words) {
            let kind = NodeDeviceCapabilityType::from_word(&word);
            filter |= kind
                .ok_or_else(|| Failure::new("Invalid capability type"))?
                .filter();
        }
        Ok(filter)
    }
}

impl Answer for Devices {
    const SCHEMA: &'static str = "virt-esx/node-devices/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/node-device/1", &self.devices))
    }

    fn is_document(&self) -> bool {
        !self.tree
    }

    fn text(&self, _quiet: bool) -> String {
        match self.tree {
            true => self.tree(),
            false => {
                let lines = self.devices.iter().map(|row| format!("{}\n", row.name));
                lines.collect()
            }
        }
    }
}

impl Devices {
    fn tree(&self) -> String {
        let names = self.devices.iter().map(|row| &*row.name);
        let places: HashMap<_, _> = names.zip(0..).collect();
        let nodes = self.devices.iter().map(|row| Node {
            name: &row.name,
            parent: row
                .parent
                .as_deref()
                .and_then(|name| places.get(name).copied()),
        });
        tree::draw(&nodes.collect::<Vec<_>>())
    }
}
