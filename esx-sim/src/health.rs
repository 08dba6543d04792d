//! How healthy the parts of hosts are.

use std::str::FromStr;

use vi_types::objects::{Description, ElementDescription, HealthSystemRuntime};
use vi_types::{Poly, properties};

use crate::world::World;
use crate::world::inventory::hosts;

/// How healthy a part of a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works as it should.
    Green,
    /// It is about to fail.
    Yellow,
    /// It fails.
    Red,
    /// It says nothing.
    Unknown,
}

/// The word for a state is not known.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no state (should be green|yellow|red|unknown)")]
pub struct InvalidHealth(String);

/// A part of the hosts and its state: `System Board 1 Fan 1=red`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartHealth {
    /// The name of a sensor, or of another part, without the condition behind it.
    pub part: String,
    /// Its state.
    pub health: Health,
}

impl FromStr for Health {
    type Err = InvalidHealth;

    fn from_str(word: &str) -> Result<Self, InvalidHealth> {
        Ok(match word {
            "green" => Self::Green,
            "yellow" => Self::Yellow,
            "red" => Self::Red,
            "unknown" => Self::Unknown,
            other => return Err(InvalidHealth(other.to_owned())),
        })
    }
}

impl FromStr for PartHealth {
    type Err = InvalidHealth;

    fn from_str(text: &str) -> Result<Self, InvalidHealth> {
        let (part, state) = text.rsplit_once('=').unwrap_or((text, ""));
        Ok(Self {
            part: part.to_owned(),
            health: state.parse()?,
        })
    }
}

impl Health {
    /// The condition that hosts write behind a sensor's name.
    fn condition(self) -> &'static str {
        match self {
            Self::Green => "Normal",
            Self::Yellow => "Warning",
            Self::Red => "Critical",
            Self::Unknown => "Unknown",
        }
    }

    /// As hosts have it.
    pub(crate) fn described(self, what: &str) -> Poly<ElementDescription> {
        let (key, label, summary) = match self {
            Self::Green => ("green", "Green", "is operating under normal conditions"),
            Self::Yellow => (
                "yellow",
                "Yellow",
                "is operating under conditions that are non-critical",
            ),
            Self::Red => (
                "red",
                "Red",
                "is operating under critical or fatal conditions",
            ),
            Self::Unknown => ("unknown", "Unknown", "cannot report its state"),
        };
        ElementDescription {
            base: Description {
                label: label.to_owned(),
                summary: format!("{what} {summary}"),
                ..Description::default()
            },
            key: key.to_owned(),
            ..ElementDescription::default()
        }
        .into()
    }
}

/// Sets the state of a part of all hosts. Returns whether one has it.
pub(crate) fn set(world: &mut World, part: &PartHealth) -> bool {
    let mut found = false;
    for host in hosts(world) {
        let mut system = None;
        let mut now = None;
        world.change(&host, |host: &mut properties::HostSystem| {
            let managers = host.config_manager.as_deref();
            system = managers.and_then(|managers| managers.health_status_system.clone());
            let summary = host.summary.as_deref_mut();
            let summary = summary.and_then(|summary| summary.runtime.as_deref_mut());
            for runtime in [host.runtime.as_deref_mut(), summary].into_iter().flatten() {
                if let Some(health) = runtime.health_system_runtime.as_deref_mut() {
                    found |= change(health, part);
                    now = Some(health.clone());
                }
            }
        });
        if let (Some(system), Some(now)) = (system, now) {
            world.change(
                &system,
                |system: &mut properties::HostHealthStatusSystem| {
                    system.runtime = Some(now.into());
                },
            );
        }
    }
    found
}

fn change(health: &mut HealthSystemRuntime, part: &PartHealth) -> bool {
    let mut found = false;
    let sensors = health.system_health_info.as_deref_mut();
    for sensor in sensors
        .into_iter()
        .flat_map(|info| &mut info.numeric_sensor_info)
    {
        let (name, _) = sensor
            .name
            .split_once(" --- ")
            .unwrap_or((&sensor.name, ""));
        if name == part.part {
            sensor.name = format!("{name} --- {}", part.health.condition());
            sensor.health_state = Some(part.health.described("Sensor"));
            found = true;
        }
    }
    if let Some(status) = health.hardware_status_info.as_deref_mut() {
        let state = || part.health.described("Physical element");
        for element in status
            .memory_status_info
            .iter_mut()
            .chain(&mut status.cpu_status_info)
            .filter(|element| element.name == part.part)
        {
            element.status = state();
            found = true;
        }
        let storage = status.storage_status_info.iter_mut();
        for element in storage.filter(|element| element.base.name == part.part) {
            element.base.status = state();
            found = true;
        }
    }
    found
}
