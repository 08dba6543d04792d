use std::time::Duration;

use esx_driver::{HostMaintenance, MaintenanceObstacle, MaintenanceOptions, VsanEvacuation};
use serde::Serialize;

use crate::answer::{Answer, property, unless_quiet};
use crate::commands::Command;
use crate::commands::number::Number;
use crate::commands::options::{check_exclusive, check_requires, check_text};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::{Ui, foreign, progress};

/// show the host's maintenance mode, enter it or exit it
///
/// Without --enter and --exit, shows whether the host is in maintenance mode, and the domains that run on it with what
/// keeps them there: a host enters maintenance mode when no domain runs on it any more. A cluster that balances itself
/// moves domains to other hosts; everything else has to be moved or shut down by somebody. What is awaited is told on the
/// standard error. Ctrl-C cancels the host's task. virsh has no such command.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeMaintenance {
    /// enter maintenance mode
    #[arg(long)]
    enter: bool,

    /// exit maintenance mode
    #[arg(long)]
    exit: bool,

    /// give up after this many seconds; the host goes on as before (default: wait as long as it takes)
    #[arg(long, value_name = "seconds", value_parser = Number::parser())]
    timeout: Option<Number>,

    /// with --enter: let a vCenter move domains that are off or paused to other hosts, too
    #[arg(long)]
    evacuate: bool,

    /// with --enter: what a host of a vSAN does with its data (ensureAccessibility, evacuateAllData or noAction; default: the
    /// server's)
    #[arg(long, value_name = "mode")]
    vsan: Option<String>,

    #[command(flatten)]
    progress: progress::Options,
}

/// Whether the host is in maintenance mode.
#[derive(Debug, Serialize)]
struct Shown {
    state: &'static str,
    percent: Option<u8>,
    /// The running domains.
    domains: Vec<Running>,
}

/// A running domain.
#[derive(Debug, Serialize)]
struct Running {
    name: String,
    /// Whether the cluster moves it to another host by itself.
    is_moved: bool,
    obstacles: Vec<Obstacle>,

    #[serde(skip)]
    why: String,
}

/// What keeps a running domain on the host.
#[derive(Debug, Serialize)]
struct Obstacle {
    kind: &'static str,
    /// The label of the device, the name of the datastore, or what the cluster is told about the domain.
    of: Option<String>,
    text: String,
}

impl NodeMaintenance {
    fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds = self.timeout.as_ref().map(|text| text.seconds("timeout"));
        Ok(seconds.transpose()?.map(Duration::from_secs))
    }

    fn vsan(&self) -> Result<Option<VsanEvacuation>, Failure> {
        let Some(word) = &self.vsan else {
            return Ok(None);
        };
        let evacuation = VsanEvacuation::from_word(word).ok_or_else(|| {
            let failure = Failure::new(format!("Invalid vSAN mode: '{word}'"));
            failure.advise("'ensureAccessibility', 'evacuateAllData' or 'noAction'")
        })?;
        Ok(Some(evacuation))
    }
}

impl Command for NodeMaintenance {
    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("enter", self.enter), ("exit", self.exit)])?;
        let enter = ("enter", self.enter);
        check_requires(("evacuate", self.evacuate), enter)?;
        check_requires(("vsan", self.vsan.is_some()), enter)?;
        let changes = self.enter || self.exit;
        check_requires(("timeout", self.timeout.is_some()), ("enter", changes))?;
        self.timeout()?;
        check_text("vsan", self.vsan.as_deref())?;
        self.vsan().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let timeout = self.timeout()?;
        let (operation, done, verb) = if self.enter {
            connection.check_writable("EnterMaintenanceMode")?;
            let terminal = ui.terminal().clone();
            let is_quiet = ui.is_quiet();
            let options = MaintenanceOptions::new()
                .evacuate_powered_off(self.evacuate)
                .on_waiting(move |now| {
                    if !is_quiet {
                        terminal.tell(&waiting(now));
                    }
                });
            let options = match timeout {
                Some(timeout) => options.timeout(timeout),
                None => options,
            };
            let options = match self.vsan()? {
                Some(evacuation) => options.vsan(evacuation),
                None => options,
            };
            let done = "Host is in maintenance mode\n";
            (connection.enter_maintenance_mode(options), done, "enter")
        } else if self.exit {
            connection.check_writable("ExitMaintenanceMode")?;
            let done = "Host is not in maintenance mode any more\n";
            (connection.exit_maintenance_mode(timeout), done, "exit")
        } else {
            let maintenance = connection.host_maintenance().await;
            let failed = |error| Failure::because("Failed to show maintenance mode", error);
            return Ok(ui.answer(&Shown::from(maintenance.map_err(failed)?))?);
        };
        let changed = ui.perform_on_host(operation, &self.progress).await;
        let failed = |error| Failure::because(format!("Failed to {verb} maintenance mode"), error);
        changed.map_err(failed)?;
        Ok(ui.answer(&Changed {
            command: "node-maintenance",
            text: done,
        })?)
    }
}

/// What the host waits for: a line for each domain.
fn waiting(now: &HostMaintenance) -> String {
    let lines = now.domains.iter();
    lines
        .map(|domain| {
            let (name, why) = (foreign::line(&domain.name), domain.why());
            format!("waiting for '{name}': {}\n", foreign::line(&why))
        })
        .collect()
}

impl From<HostMaintenance> for Shown {
    fn from(maintenance: HostMaintenance) -> Self {
        let domains = maintenance.domains.into_iter().map(|domain| Running {
            why: domain.why(),
            is_moved: domain.obstacles.is_empty(),
            name: domain.name,
            obstacles: domain.obstacles.into_iter().map(Obstacle::from).collect(),
        });
        Self {
            state: maintenance.state.word(),
            percent: maintenance.percent,
            domains: domains.collect(),
        }
    }
}

impl From<MaintenanceObstacle> for Obstacle {
    fn from(obstacle: MaintenanceObstacle) -> Self {
        let text = obstacle.to_string();
        let (kind, of) = match obstacle {
            MaintenanceObstacle::NoOtherHost => ("no-other-host", None),
            MaintenanceObstacle::NotAutomatic => ("not-automatic", None),
            MaintenanceObstacle::Exception(exception) => {
                ("exception", Some(exception.word().to_owned()))
            }
            MaintenanceObstacle::HostDevice(label) => ("host-device", Some(label)),
            MaintenanceObstacle::ConnectedDevice(label) => ("connected-device", Some(label)),
            MaintenanceObstacle::LocalDatastore(name) => ("local-datastore", Some(name)),
            _ => ("other", None),
        };
        Self { kind, of, text }
    }
}

impl Answer for Shown {
    const SCHEMA: &'static str = "virt-esx/host-maintenance/1";

    fn text(&self, quiet: bool) -> String {
        let mut text = property(16, "Maintenance:", self.state);
        if let Some(percent) = self.percent {
            text += &property(16, "Progress:", format_args!("{percent} %"));
        }
        text += &property(16, "Running domains:", self.domains.len());
        if self.domains.is_empty() {
            return text;
        }
        let mut table = Table::new(["Domain", "In the way"]);
        for domain in &self.domains {
            table.push([domain.name.as_str(), domain.why.as_str()]);
        }
        text + "\n" + &table.render(!quiet)
    }
}

/// The host was changed.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    pub(super) command: &'static str,

    #[serde(skip)]
    pub(super) text: &'static str,
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/host-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.to_owned())
    }
}
