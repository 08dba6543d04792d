use esx_driver::{HostService, HostServicePolicy};
use serde::Serialize;

use crate::answer::{self, Answer, unless_quiet};
use crate::commands::Command;
use crate::commands::options::{check_exclusive, check_requires, check_texts};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::Ui;

/// services of the host
///
/// List the services of the host, or start, stop or restart one, or set what starts it: the host with itself (on), nobody
/// (off), or the host while a port that the service needs is open (automatic).
#[derive(Debug, clap::Args)]
pub(crate) struct NodeService {
    /// key of a service, as the list has it
    #[arg(value_name = "key")]
    key: Option<String>,

    /// start the service
    #[arg(long)]
    start: bool,

    /// stop the service
    #[arg(long)]
    stop: bool,

    /// stop the service and start it again
    #[arg(long)]
    restart: bool,

    /// what starts the service: on, off or automatic
    #[arg(long, value_name = "policy")]
    policy: Option<String>,
}

/// Services of a host.
#[derive(Debug, Serialize)]
struct Services {
    services: Vec<Service>,
}

#[derive(Debug, Serialize)]
struct Service {
    key: String,
    label: String,
    running: bool,
    policy: String,
    required: bool,
    rulesets: Vec<String>,
}

/// A service that was changed.
#[derive(Debug, Serialize)]
struct Changed {
    service: String,
    change: &'static str,
    policy: Option<String>,
}

impl Command for NodeService {
    fn check(&self) -> Result<(), Failure> {
        check_texts([("key", &self.key), ("policy", &self.policy)])?;
        let changes = [
            ("start", self.start),
            ("stop", self.stop),
            ("restart", self.restart),
            ("policy", self.policy.is_some()),
        ];
        check_exclusive(changes)?;
        let key = ("key", self.key.is_some());
        changes
            .into_iter()
            .try_for_each(|change| check_requires(change, key))
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let key = self.key.as_deref().unwrap_or_default();
        let (verb, change, operation) = if self.start {
            ("start", "started", connection.start_service(key))
        } else if self.stop {
            ("stop", "stopped", connection.stop_service(key))
        } else if self.restart {
            ("restart", "restarted", connection.restart_service(key))
        } else if let Some(policy) = &self.policy {
            let Ok(policy) = policy.parse::<HostServicePolicy>();
            let operation = connection.set_service_policy(key, policy);
            ("set the policy of", "policy", operation)
        } else {
            let services = match &self.key {
                Some(key) => vec![connection.host_service(key).await?],
                None => connection.host_services().await?,
            };
            let services = services.into_iter().map(service).collect();
            return Ok(ui.answer(&Services { services })?);
        };
        let failed = |reason| Failure::because(format!("Failed to {verb} service {key}"), reason);
        let writable = connection.check_writable("changes of services");
        writable.map_err(failed)?;
        operation.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed {
            service: key.to_owned(),
            change,
            policy: self.policy.clone(),
        })?)
    }
}

fn service(service: HostService) -> Service {
    Service {
        key: service.key,
        label: service.label,
        running: service.running,
        policy: service.policy.to_string(),
        required: service.required,
        rulesets: service.rulesets,
    }
}

impl Answer for Services {
    const SCHEMA: &'static str = "virt-esx/node-services/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines(
            "virt-esx/node-service/1",
            &self.services,
        ))
    }

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Key", "Label", "State", "Policy", "Rulesets"]);
        for service in &self.services {
            let state = match service.running {
                true => "running",
                false => "stopped",
            };
            let rulesets = match service.rulesets.is_empty() {
                true => "-".to_owned(),
                false => service.rulesets.join(", "),
            };
            table.push([
                &*service.key,
                &service.label,
                state,
                &service.policy,
                &rulesets,
            ]);
        }
        table.render(!quiet)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/node-service-changed/1";

    fn text(&self, quiet: bool) -> String {
        let service = &self.service;
        unless_quiet(quiet, || match &self.policy {
            Some(policy) => format!("Policy of service {service} set to {policy}\n"),
            None => format!("Service {service} {}\n", self.change),
        })
    }
}
