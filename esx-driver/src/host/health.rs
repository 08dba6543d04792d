//! The host's sensors, and the state of its memory, processors and storage.

use std::fmt;

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference,
    objects::{
        ElementDescription, HealthSystemRuntime, HostHardwareElementInfo, HostNumericSensorInfo,
        HostStorageElementInfo,
    },
    references::HostHealthStatusSystem,
};

use super::untold;
use crate::{Connect, Result, connect::no_system};

property_set! {
    struct Health: HostSystem {
        health: Option<HealthSystemRuntime> = runtime.health_system_runtime,
    }
}

property_set! {
    struct System: HostSystem {
        system: Option<ManagedObjectReference> = config_manager.health_status_system,
    }
}

/// How healthy a part of the host is, as its monitoring says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HealthState {
    /// It works as it should.
    Green,
    /// Something is not as it should be, or may soon fail.
    Yellow,
    /// It fails.
    Red,
    /// The host does not know, often because the part reports nothing.
    Unknown,
}

impl HealthState {
    /// The VI API's word: `green`, `yellow`, `red` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthState::Green => "green",
            HealthState::Yellow => "yellow",
            HealthState::Red => "red",
            HealthState::Unknown => "unknown",
        }
    }

    /// Anything that the API does not define is not known.
    fn of(key: &str) -> HealthState {
        let known = [HealthState::Green, HealthState::Yellow, HealthState::Red];
        let mut known = known.into_iter();
        let state = known.find(|state| key.eq_ignore_ascii_case(state.as_str()));
        state.unwrap_or(HealthState::Unknown)
    }

    /// The state of a whole with parts in these states: red if one is red, else yellow, else green, and unknown only if
    /// nothing is known. Hosts have parts that report nothing, which says nothing of the others.
    fn of_all(states: impl Iterator<Item = HealthState>) -> HealthState {
        let weight = |state: &HealthState| match state {
            HealthState::Unknown => 0,
            HealthState::Green => 1,
            HealthState::Yellow => 2,
            HealthState::Red => 3,
        };
        states.max_by_key(weight).unwrap_or(HealthState::Unknown)
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a sensor reads: a number of the host times a power of ten. [`Display`](fmt::Display) writes it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthReading {
    digits: i64,
    exponent: i32,
}

impl HealthReading {
    /// More zeros than these are not written out.
    const LONGEST: u32 = 20;

    /// The nearest floating-point number; infinite for what none is near to.
    pub fn value(self) -> f64 {
        // Parsing rounds once, multiplying with a power of ten twice.
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }
}

impl fmt::Display for HealthReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (digits, exponent) = (self.digits, self.exponent);
        if digits == 0 || exponent == 0 {
            return write!(f, "{digits}");
        }
        if exponent.unsigned_abs() > Self::LONGEST {
            return write!(f, "{digits}e{exponent}");
        }
        let places = exponent.unsigned_abs() as usize;
        if exponent > 0 {
            return write!(f, "{digits}{}", "0".repeat(places));
        }
        let sign = if digits < 0 { "-" } else { "" };
        let all = format!("{:0>width$}", digits.unsigned_abs(), width = places + 1);
        let (whole, fraction) = all.split_at(all.len() - places);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

/// A sensor of the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HostSensor {
    /// Its name, without what hosts write of its condition behind it: `System Board 1 Fan 1`.
    pub name: String,
    /// That condition, such as `Normal`.
    pub condition: Option<String>,
    /// What it measures: `fan`, `power`, `temperature`, `voltage`, `other`, …
    pub kind: String,
    /// What it reads. It means nothing for sensors without a [unit](HostSensor::unit), which know states only.
    pub reading: HealthReading,
    /// The unit, with the time it is measured over: `RPM`, `Degrees C`, `Watts`. Empty without one.
    pub unit: String,
    /// How healthy the host thinks it is.
    pub state: HealthState,
    /// The host's word for the state, such as `Green`.
    pub label: String,
    /// The host's sentence for the state.
    pub summary: String,
    /// When it was read, as the host writes it. Hosts tell it since API 6.5.
    pub time: Option<String>,
}

/// What an element of the host's hardware is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostElementKind {
    /// A module of memory.
    Memory,
    /// A processor, or a part of one.
    Processor,
    /// A disk, an adapter or a volume.
    Storage,
}

impl HostElementKind {
    /// `memory`, `processor` or `storage`.
    pub fn as_str(self) -> &'static str {
        match self {
            HostElementKind::Memory => "memory",
            HostElementKind::Processor => "processor",
            HostElementKind::Storage => "storage",
        }
    }
}

/// An element of the host's hardware that has a state, but measures nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostElement {
    /// What it is.
    pub kind: HostElementKind,
    /// Its name, such as `Memory Device 1`.
    pub name: String,
    /// How healthy the host thinks it is.
    pub state: HealthState,
    /// The host's word for the state, such as `Green`.
    pub label: String,
    /// The host's sentence for the state.
    pub summary: String,
    /// What the host tells besides of storage: names and values.
    pub details: Vec<(String, String)>,
}

/// The health of the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HostHealth {
    /// Red if anything is red, else yellow if anything is yellow, else green; unknown only if nothing is known.
    pub state: HealthState,
    /// The sensors, in the host's order.
    pub sensors: Vec<HostSensor>,
    /// Memory, processors and storage.
    pub elements: Vec<HostElement>,
}

impl Connect {
    /// The host's sensors, and the state of its memory, processors and storage, as the host read them last: one request.
    /// libvirt has no such function.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the host does not monitor itself, or is not connected
    /// to its vCenter.
    pub async fn host_health(&self) -> Result<HostHealth> {
        let found: Health = self.host_set().await?;
        let found = found.health.ok_or_else(|| untold("its health"))?;
        Ok(health(found))
    }

    /// The same, after the host has read all its sensors again: three requests.
    ///
    /// # Errors
    /// As [`host_health`](Connect::host_health).
    pub async fn refresh_host_health(&self) -> Result<HostHealth> {
        let found: System = self.host_set().await?;
        let system = found.system.ok_or_else(|| no_system("health status"))?;
        let system = HostHealthStatusSystem::from(system);
        self.client()
            .call(&system.refresh_health_status_system())
            .await?;
        self.host_health().await
    }
}

fn health(found: HealthSystemRuntime) -> HostHealth {
    let sensors = found
        .system_health_info
        .map(|info| info.numeric_sensor_info);
    let sensors: Vec<_> = sensors.into_iter().flatten().map(sensor).collect();
    let mut elements = Vec::new();
    if let Some(status) = found.hardware_status_info {
        let memory = status.memory_status_info.iter();
        elements.extend(memory.map(|info| element(HostElementKind::Memory, info)));
        let processors = status.cpu_status_info.iter();
        elements.extend(processors.map(|info| element(HostElementKind::Processor, info)));
        elements.extend(status.storage_status_info.iter().map(storage));
    }
    let states = sensors.iter().map(|sensor| sensor.state);
    let states = states.chain(elements.iter().map(|element| element.state));
    HostHealth {
        state: HealthState::of_all(states),
        sensors,
        elements,
    }
}

fn sensor(info: HostNumericSensorInfo) -> HostSensor {
    let (state, label, summary) = described(info.health_state.as_deref());
    let (name, condition) = match info.name.rsplit_once(" --- ") {
        Some((name, condition)) => (name.to_owned(), Some(condition.to_owned())),
        None => (info.name, None),
    };
    HostSensor {
        name,
        condition,
        kind: info.sensor_type,
        reading: HealthReading {
            digits: info.current_reading,
            exponent: info.unit_modifier,
        },
        unit: unit(&info.base_units, info.rate_units.as_deref()),
        state,
        label,
        summary,
        time: info.time_stamp,
    }
}

/// The unit with its time. Sensors without one have the word of CIM for that.
fn unit(base: &str, rate: Option<&str>) -> String {
    let is_named = |unit: &&str| {
        let words = ["", "none", "unspecified", "unknown", "n/a"];
        !words.iter().any(|word| unit.eq_ignore_ascii_case(word))
    };
    let base = Some(base.trim()).filter(is_named).unwrap_or_default();
    match rate.map(str::trim).filter(is_named) {
        Some(rate) if !base.is_empty() => format!("{base}/{rate}"),
        _ => base.to_owned(),
    }
}

fn element(kind: HostElementKind, info: &HostHardwareElementInfo) -> HostElement {
    let (state, label, summary) = described(Some(&info.status));
    HostElement {
        kind,
        name: info.name.clone(),
        state,
        label,
        summary,
        details: Vec::new(),
    }
}

fn storage(info: &HostStorageElementInfo) -> HostElement {
    let details = info.operational_info.iter();
    HostElement {
        details: details
            .map(|info| (info.property.clone(), info.value.clone()))
            .collect(),
        ..element(HostElementKind::Storage, info)
    }
}

/// A state with the host's words.
fn described(state: Option<&ElementDescription>) -> (HealthState, String, String) {
    match state {
        None => (HealthState::Unknown, String::new(), String::new()),
        Some(state) => (
            HealthState::of(&state.key),
            state.label.clone(),
            state.summary.clone(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{HealthReading, HealthState, unit};

    #[test]
    fn host_readings_are_written_exactly() {
        for (digits, exponent, text, value) in [
            (504_000, -2, "5040", 5040.0),
            (2_250, -2, "22.5", 22.5),
            (-2_205, -2, "-22.05", -22.05),
            (5, -3, "0.005", 0.005),
            (-5, -1, "-0.5", -0.5),
            (0, -2, "0", 0.0),
            (7, 0, "7", 7.0),
            (7, 3, "7000", 7000.0),
            (0, i32::MAX, "0", 0.0),
            (1, i32::MAX, "1e2147483647", f64::INFINITY),
            (1, i32::MIN, "1e-2147483648", 0.0),
            (
                i64::MIN,
                -2,
                "-92233720368547758.08",
                i64::MIN as f64 / 100.0,
            ),
        ] {
            let reading = HealthReading { digits, exponent };
            assert_eq!(reading.to_string(), text);
            assert_eq!(reading.value(), value, "{text}");
        }
    }

    #[test]
    fn the_worst_known_state_is_that_of_the_host() {
        use HealthState::{Green, Red, Unknown, Yellow};
        for (states, expected) in [
            (&[][..], Unknown),
            (&[Unknown, Unknown], Unknown),
            (&[Unknown, Green], Green),
            (&[Yellow, Green, Unknown], Yellow),
            (&[Green, Red, Yellow], Red),
        ] {
            let all = HealthState::of_all(states.iter().copied());
            assert_eq!(all, expected, "{states:?}");
        }
        assert_eq!(HealthState::of("Red"), Red);
        assert_eq!(HealthState::of("purple"), Unknown);
    }

    #[test]
    fn units_have_their_time() {
        for (base, rate, expected) in [
            ("RPM", None, "RPM"),
            ("RPM", Some("none"), "RPM"),
            ("Joules", Some("second"), "Joules/second"),
            ("unspecified", None, ""),
            ("", Some("second"), ""),
        ] {
            assert_eq!(unit(base, rate), expected);
        }
    }
}
