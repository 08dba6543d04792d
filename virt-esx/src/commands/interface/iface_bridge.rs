use esx_driver::virt_model::{
    Document as _, InterfaceDef, InterfaceDefineFlags, InterfaceXmlFlags,
    interface::{Bridge, InterfaceKind},
};

use crate::commands::change::tell;
use crate::commands::interface_arg::InterfaceArg;
use crate::commands::number::Number;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a bridge device and attach an existing network device to it
///
/// Bridge an existing network device. On an ESX host, an interface of the kernel goes to the port group of that name.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceBridge {
    #[command(flatten)]
    interface: InterfaceArg,

    /// new bridge device name
    #[arg(value_name = "bridge")]
    bridge: String,

    /// do not enable STP for this bridge
    #[arg(long)]
    no_stp: bool,

    /// number of seconds to squelch traffic on newly connected ports
    #[arg(value_name = "delay", value_parser = Number::parser())]
    delay: Option<Number>,

    /// don't start the bridge immediately
    #[arg(long)]
    no_start: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceBridge {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { bridge, .. } = &self;
        let interface = self.interface.find(connection).await?;
        options::check_text("bridge", Some(bridge))?;
        // A port group has no interface's name, so virsh's check remains.
        if connection.interface_lookup_by_name(bridge).await.is_ok() {
            let message = format!("Network device {bridge} already exists");
            return Err(Failure::new(message));
        }
        let delay = self.delay.as_ref().map(|delay| delay.read::<u32>("delay"));
        let delay = delay.transpose()?.unwrap_or(0);
        let xml = interface.xml_desc(InterfaceXmlFlags::INACTIVE).await?;
        let failed = |reason| {
            let message = format!("Failed to define new bridge interface {bridge}");
            Failure::because(message, reason)
        };
        let own = InterfaceDef::from_xml(&xml)
            .map_err(|error| failed(Failure::new(error.to_string())))?;
        let def = bridged(own, bridge, !self.no_stp, delay);
        connection
            .check_writable("virInterfaceDefineXML")
            .map_err(failed)?;
        let xml = def.to_xml(InterfaceXmlFlags::NONE);
        let operation = connection.interface_define_xml(&xml, InterfaceDefineFlags::NONE);
        let made = ui.perform(operation, &self.progress, bridge).await;
        let made = made.map_err(|error| failed(error.into()))?;
        let name = self.interface.text();
        let mut text = format!("Created bridge {bridge} with attached device {name}\n");
        if !self.no_start {
            // What a host has is active.
            text += &format!("Bridge interface {bridge} started\n");
        }
        tell(ui, "iface-bridge", &made, text)
    }
}

/// The bridge that virsh makes of an interface: the addresses go to the bridge.
fn bridged(own: InterfaceDef, bridge: &str, stp: bool, delay: u32) -> InterfaceDef {
    let mut card = own.clone();
    card.protocols.clear();
    card.start_mode = None;
    card.mtu = 0;
    InterfaceDef {
        name: bridge.to_owned(),
        start_mode: own.start_mode,
        mtu: own.mtu,
        protocols: own.protocols,
        kind: InterfaceKind::Bridge(Bridge {
            stp: Some(stp),
            delay: stp.then(|| delay.to_string()),
            interfaces: vec![card],
            ..Bridge::default()
        }),
        ..InterfaceDef::default()
    }
}
