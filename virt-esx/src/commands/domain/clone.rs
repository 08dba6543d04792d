use std::time::Duration;

use esx_driver::CloneOptions;
use serde::Serialize;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain::action::within;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::progress;
use crate::ui::{Ui, foreign};

/// make a clone of a domain
///
/// Make a domain like another one, with a name, UUIDs and MAC addresses of its own. A vCenter clones also domains that
/// run. On a host without one the domain has to be off: its disks are copied, and the copy is registered. Ctrl-C cancels
/// the host's task. virsh has no such command.
#[derive(Debug, clap::Args)]
pub(crate) struct Clone {
    #[command(flatten)]
    domain: DomainArg,

    /// name of the clone
    #[arg(value_name = "name")]
    name: String,

    /// share the disks of the current snapshot instead of copying them; needs a vCenter
    #[arg(long)]
    linked: bool,

    /// clone the domain as it was at this snapshot; needs a vCenter
    #[arg(long, value_name = "string")]
    snapshot: Option<String>,

    /// datastore of the clone's files (default: the domain's)
    #[arg(long, value_name = "string")]
    datastore: Option<String>,

    /// host of the clone, by its name or reference (default: the domain's); needs a vCenter
    #[arg(long, value_name = "string")]
    host: Option<String>,

    /// make a template; needs a vCenter
    #[arg(long)]
    template: bool,

    /// start the clone
    #[arg(long)]
    start: bool,

    /// stop waiting after this many seconds
    #[arg(long, value_name = "seconds")]
    timeout: Option<u64>,

    #[command(flatten)]
    answering: Answering,

    #[command(flatten)]
    progress: progress::Options,
}

/// A clone that was made.
#[derive(Debug, Serialize)]
struct Cloned {
    domain: String,
    name: String,
    uuid: String,
}

impl Command for Clone {
    fn check(&self) -> Result<(), Failure> {
        check_text("name", Some(&self.name))?;
        self.answering.check()
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let connect = connection.with_policy(policy);
        let domain = within(self.timeout, self.domain.find(&connect)).await?;
        let failed = |reason| {
            let line = format!("Failed to clone domain '{}'", domain.name());
            Failure::because(line, reason)
        };
        // virt-clone defines its clones with this function.
        let writable = connection.check_writable("virDomainDefineXML");
        writable.map_err(failed)?;
        let options = CloneOptions {
            linked: self.linked,
            snapshot: self.snapshot,
            datastore: self.datastore,
            host: self.host,
            template: self.template,
            start: self.start,
        };
        let line = ui.progresses(&self.progress).begin(domain.name());
        let operation = domain
            .clone_to(&self.name, options)
            .cancelled_by(ui.interruption().comes());
        let operation = match &line {
            Some(line) => operation.on_progress(|progress| line.show(&progress)),
            None => operation,
        };
        let operation = match self.timeout {
            Some(seconds) => operation.deadline(Duration::from_secs(seconds)),
            None => operation,
        };
        let clone = operation.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Cloned {
            domain: domain.name().to_owned(),
            name: clone.name().to_owned(),
            uuid: clone.uuid().to_string(),
        })?)
    }
}

impl Answer for Cloned {
    const SCHEMA: &'static str = "virt-esx/domain-cloned/1";

    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        format!(
            "Domain '{}' cloned as '{}'\n",
            foreign::line(&self.domain),
            foreign::line(&self.name)
        )
    }
}
