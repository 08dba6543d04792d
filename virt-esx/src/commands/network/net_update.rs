use virt_model::flags::{NetworkUpdateCommand, NetworkUpdateFlags, NetworkUpdateSection};

use crate::commands::change::tell;
use crate::commands::network_arg::NetworkArg;
use crate::commands::number::Number;
use crate::commands::options::{self, check_exclusive, check_text};
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// update parts of an existing network's configuration
///
/// A host has port groups (`portgroup`) and physical network cards (`forward-interface`) to add, change and remove. All changes
/// are at once of the running network and of its definition.
#[derive(Debug, clap::Args)]
pub(crate) struct NetUpdate {
    #[command(flatten)]
    network: NetworkArg,

    /// type of update (add-first, add-last (add), delete, or modify)
    #[arg(value_name = "command")]
    command: String,

    /// which section of network configuration to update
    #[arg(value_name = "section")]
    section: String,

    /// name of file containing xml (or, if it starts with '<', the complete xml element itself) to add/modify, or to be matched for search
    #[arg(value_name = "xml")]
    xml: String,

    /// which parent object to search through
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    parent_index: Option<Number>,

    /// affect next network startup
    #[arg(long)]
    config: bool,

    /// affect running network
    #[arg(long)]
    live: bool,

    /// affect current state of network
    #[arg(long)]
    current: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetUpdate {
    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("current", self.current), ("live", self.live)])?;
        check_exclusive([("current", self.current), ("config", self.config)])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let network = self.network.find(connection).await?;
        check_text("command", Some(&self.command))?;
        let command = command(&self.command)?;
        check_text("section", Some(&self.section))?;
        let section = section(&self.section)?;
        let index = self.parent_index.as_ref();
        let index = index.map(|index| index.read::<i32>("parent-index"));
        let index = index.transpose()?.unwrap_or(-1);
        check_text("xml", Some(&self.xml))?;
        let xml = match self.xml.starts_with('<') {
            true => self.xml.clone(),
            false => file::read(&self.xml).await?,
        };
        let text = self.network.text();
        let failed = |reason| Failure::because(format!("Failed to update network {text}"), reason);
        let writable = connection.check_writable("virNetworkUpdate");
        writable.map_err(failed)?;
        let flags = [
            (self.config, NetworkUpdateFlags::CONFIG),
            (self.live, NetworkUpdateFlags::LIVE),
        ];
        let flags = options::flags(NetworkUpdateFlags::NONE, flags);
        let operation = network.update(command, section, index, &xml, flags);
        let updated = ui.perform(operation, &self.progress, network.name()).await;
        updated.map_err(|error| failed(error.into()))?;
        let affected = match (self.config, self.live) {
            (true, true) => "persistent config and live state",
            (true, false) => "persistent config",
            (false, _) => "live state",
        };
        let line = format!("Updated network {text} {affected}\n");
        tell(ui, "net-update", &network, line)
    }
}

/// virsh takes `add` for `add-last`.
fn command(word: &str) -> Result<NetworkUpdateCommand, Failure> {
    Ok(match word {
        "modify" => NetworkUpdateCommand::Modify,
        "delete" => NetworkUpdateCommand::Delete,
        "add" | "add-last" => NetworkUpdateCommand::AddLast,
        "add-first" => NetworkUpdateCommand::AddFirst,
        _ => return Err(Failure::new(format!("unrecognized command name '{word}'"))),
    })
}

fn section(word: &str) -> Result<NetworkUpdateSection, Failure> {
    let unknown = || Failure::new(format!("unrecognized section name '{word}'"));
    NetworkUpdateSection::from_word(word).ok_or_else(unknown)
}
