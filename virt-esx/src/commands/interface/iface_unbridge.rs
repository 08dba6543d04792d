use crate::commands::{Command, interface_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// undefine a bridge device after detaching its device(s)
///
/// Unbridge a network device. An ESX host has switches instead, which net-undefine removes.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceUnbridge {
    /// current bridge device name
    #[arg(value_name = "bridge")]
    bridge: String,

    /// don't start the detached interface immediately (not recommended)
    #[arg(long)]
    no_start: bool,
}

impl Command for IfaceUnbridge {
    async fn run(self, _: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { bridge, .. } = &self;
        options::check_text("bridge", Some(bridge))?;
        interface_arg::find(connection, bridge).await?;
        Err(Failure::new(format!("Device {bridge} is not a bridge")))
    }
}
