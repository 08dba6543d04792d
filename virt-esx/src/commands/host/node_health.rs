use std::collections::BTreeMap;

use esx_driver::{HealthState, HostElement, HostHealth, HostSensor};
use serde::Serialize;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// health of the host
///
/// Display the sensors of the host, and the state of its memory, processors and storage. The state of the whole is that of
/// the worst part: red, yellow or green; it is unknown only if nothing is known.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeHealth {
    /// let the host read its sensors again before
    #[arg(long)]
    refresh: bool,

    /// only what is yellow or red
    #[arg(long)]
    problems: bool,
}

/// The health of a host.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    state: &'static str,
    sensors: Vec<Sensor>,
    elements: Vec<Element>,
}

#[derive(Debug, Serialize)]
struct Sensor {
    name: String,
    condition: Option<String>,
    kind: String,
    /// Null if it is no number that JSON has.
    value: f64,
    unit: String,
    state: &'static str,
    label: String,
    summary: String,
    time: Option<String>,

    #[serde(skip)]
    reading: String,
}

#[derive(Debug, Serialize)]
struct Element {
    kind: &'static str,
    name: String,
    state: &'static str,
    label: String,
    summary: String,
    details: BTreeMap<String, String>,
}

impl Query for NodeHealth {
    type Answer = Health;

    async fn ask(self, connection: &Connection) -> Result<Health, Failure> {
        let health = match self.refresh {
            true => connection.refresh_host_health().await?,
            false => connection.host_health().await?,
        };
        Ok(shown(health, self.problems))
    }
}

fn shown(health: HostHealth, only_problems: bool) -> Health {
    let is_shown =
        |state| !only_problems || matches!(state, HealthState::Yellow | HealthState::Red);
    let sensors = health.sensors.into_iter();
    let elements = health.elements.into_iter();
    Health {
        state: health.state.as_str(),
        sensors: sensors
            .filter(|sensor| is_shown(sensor.state))
            .map(sensor)
            .collect(),
        elements: elements
            .filter(|element| is_shown(element.state))
            .map(element)
            .collect(),
    }
}

fn sensor(sensor: HostSensor) -> Sensor {
    Sensor {
        name: sensor.name,
        condition: sensor.condition,
        kind: sensor.kind,
        value: sensor.reading.value(),
        state: sensor.state.as_str(),
        label: sensor.label,
        summary: sensor.summary,
        time: sensor.time,
        reading: match sensor.unit.as_str() {
            // It knows states only.
            "" => "-".to_owned(),
            unit => format!("{} {unit}", sensor.reading),
        },
        unit: sensor.unit,
    }
}

fn element(element: HostElement) -> Element {
    Element {
        kind: element.kind.as_str(),
        name: element.name,
        state: element.state.as_str(),
        label: element.label,
        summary: element.summary,
        details: element.details.into_iter().collect(),
    }
}

impl Answer for Health {
    const SCHEMA: &'static str = "virt-esx/node-health/1";

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Name", "Kind", "Reading", "State"]);
        for sensor in &self.sensors {
            table.push([&*sensor.name, &sensor.kind, &sensor.reading, sensor.state]);
        }
        for element in &self.elements {
            table.push([&*element.name, element.kind, "-", element.state]);
        }
        match quiet {
            true => table.render(false),
            false => property(6, "State:", self.state) + "\n" + &table.render(true),
        }
    }
}
