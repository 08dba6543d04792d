use std::time::Duration;

use virt_model::NodeSuspendTarget;

use super::node_maintenance::Changed;
use crate::commands::Command;
use crate::commands::number::Number;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// suspend the host node for a given time duration
///
/// Suspend the host node for a given time duration and attempt to resume thereafter. Only a vCenter can do that, to memory:
/// it lets the host stand by when no domain runs on it any more, and wakes it by IPMI, iLO or Wake-on-LAN. The command
/// waits as long as that takes; Ctrl-C leaves the host in standby.
#[derive(Debug, clap::Args)]
pub(crate) struct Nodesuspend {
    /// mem(Suspend-to-RAM), disk(Suspend-to-Disk), hybrid(Hybrid-Suspend)
    #[arg(value_name = "target")]
    target: String,

    /// Suspend duration in seconds, at least 60
    #[arg(value_name = "duration", value_parser = Number::parser())]
    duration: Number,

    #[command(flatten)]
    progress: progress::Options,
}

impl Nodesuspend {
    fn target(&self) -> Result<NodeSuspendTarget, Failure> {
        let target = NodeSuspendTarget::from_word(&self.target);
        target.ok_or_else(|| Failure::new("Invalid target"))
    }

    fn duration(&self) -> Result<Duration, Failure> {
        let seconds: i64 = self.duration.read("duration")?;
        let seconds = u64::try_from(seconds).map_err(|_| Failure::new("Invalid duration"))?;
        Ok(Duration::from_secs(seconds))
    }
}

impl Command for Nodesuspend {
    fn check(&self) -> Result<(), Failure> {
        check_text("target", Some(&self.target))?;
        // The number is read before the target is looked at.
        self.duration.read::<i64>("duration")?;
        self.target()?;
        self.duration().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let failed = |reason| Failure::because("The host was not suspended", reason);
        let writable = connection.check_writable("virNodeSuspendForDuration");
        writable.map_err(failed)?;
        let (target, duration) = (self.target()?, self.duration()?);
        let operation = connection.node_suspend_for_duration(target, duration, 0);
        let suspended = ui.perform_on_host(operation, &self.progress).await;
        suspended.map_err(|error| failed(error.into()))?;
        // virsh prints nothing.
        let command = "nodesuspend";
        Ok(ui.answer(&Changed { command, text: "" })?)
    }
}
