//! The clock of the host, and the servers that it asks for the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vi_client::property_set;
use vi_types::{
    DateTime, ManagedObjectReference, ParseDateTimeError,
    objects::{HostDateTimeConfig, HostDateTimeInfo, HostNtpConfig, HostServiceInfo},
    references::HostDateTimeSystem,
};
use virt_model::ErrorNumber;

use super::{refused, service, untold};
use crate::{Connect, Error, ErrorKind, HostService, Operation, Result, connect::no_system};

property_set! {
    struct Time: HostSystem {
        info: Option<HostDateTimeInfo> = config.date_time_info,
        services: Option<HostServiceInfo> = config.service,
        system: Option<ManagedObjectReference> = config_manager.date_time_system,
    }
}

impl Time {
    fn info(&self) -> Result<&HostDateTimeInfo> {
        self.info.as_ref().ok_or_else(|| untold("its time"))
    }

    fn system(&self) -> Result<HostDateTimeSystem> {
        let system = self.system.clone().ok_or_else(|| no_system("time"))?;
        Ok(system.into())
    }

    fn servers(&self) -> &[String] {
        let info = self.info.as_ref();
        let ntp = info.and_then(|info| info.ntp_config.as_deref());
        ntp.map_or(&[], |ntp| &ntp.server)
    }
}

/// What the host's clock shows, beside the clock of this machine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HostClock {
    /// The host's time when it answered.
    pub time: DateTime,
    /// How far it is ahead of this machine's clock, in nanoseconds; negative if it is behind.
    pub ahead_ns: i64,
    /// How much that may be wrong: half of the time that the answer took, and half a second more if the host tells whole
    /// seconds only.
    pub uncertainty: Duration,
}

/// The clock of the host, and how it is kept right.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HostTime {
    /// What the clock shows.
    pub clock: HostClock,
    /// The time zone's name; hosts since API 4.0 have only `UTC`.
    pub time_zone: String,
    /// How far the zone is ahead of UTC, in seconds.
    pub utc_offset: i32,
    /// What keeps the clock right: `ntp`, `ptp`. Hosts tell it since API 7.0.
    pub protocol: Option<String>,
    /// The NTP servers.
    pub ntp_servers: Vec<String>,
    /// The service that asks them (`ntpd`; `ptpd` with that protocol), if the host has it.
    pub service: Option<HostService>,
    /// Whether the clock is in step with the servers. This, and what follows, hosts tell since API 7.0.3.
    pub synchronized: Option<bool>,
    /// When it was set by a server the last time.
    pub last_sync: Option<DateTime>,
    /// The server that it follows.
    pub remote_server: Option<String>,
}

/// What the host's own test of its time service says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostTimeTest {
    /// Whether all is well.
    pub works: bool,
    /// The host's lines about it.
    pub report: Vec<String>,
}

impl Connect {
    /// The host's clock and how it is kept right: two requests, the second for the time alone. libvirt has no such function.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the host does not tell its time, as while it is not connected to its vCenter.
    pub async fn host_time(&self) -> Result<HostTime> {
        let found: Time = self.host_set().await?;
        let info = found.info()?;
        let protocol = info.system_clock_protocol.clone();
        let key = match protocol.as_deref() {
            Some("ptp") => "ptpd",
            _ => "ntpd",
        };
        let services = found.services.iter().flat_map(|info| &info.service);
        let mut services = services.filter(|service| service.key == key);
        Ok(HostTime {
            clock: self.clock(&found.system()?).await?,
            time_zone: info.time_zone.name.clone(),
            utc_offset: info.time_zone.gmt_offset,
            protocol,
            ntp_servers: found.servers().to_vec(),
            service: services.next().map(service::service),
            synchronized: info.service_sync,
            last_sync: info.last_sync_time.clone(),
            remote_server: info.remote_ntp_server.clone(),
        })
    }

    async fn clock(&self, system: &HostDateTimeSystem) -> Result<HostClock> {
        let (began, ours) = (Instant::now(), SystemTime::now());
        let time = self.client().call(&system.query_date_time()).await?;
        compare(time, ours, began.elapsed()).map_err(|error| {
            let message = format!("The host's clock cannot be compared with ours: {error}");
            Error::new(
                ErrorKind::UnexpectedValue,
                ErrorNumber::InternalError,
                message,
            )
        })
    }

    /// Lets the host test whether its time service works: two requests, and the time that the test takes.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] on hosts older than API 7.0.3; else as [`host_time`](Connect::host_time).
    pub async fn test_host_time(&self) -> Result<HostTimeTest> {
        let found: Time = self.host_set().await?;
        let request = found.system()?.test_time_service();
        let result = self.client().call(&request).await.map_err(|error| {
            if !matches!(error, vi_client::Error::TooNew(_)) {
                return Error::from(error);
            }
            let number = ErrorNumber::OperationUnsupported;
            let message = "the host is too old to test its time service";
            Error::new(ErrorKind::Unsupported, number, message).because(error)
        })?;
        let result = result.ok_or_else(|| untold("whether its time service works"))?;
        Ok(HostTimeTest {
            works: result.working_normally,
            report: result.report,
        })
    }

    /// Sets the NTP servers, instead of those that the host has; none for an empty list. Two requests. Hosts before API 7.0
    /// need a [restart](Connect::restart_service) of `ntpd` to ask them.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for what cannot be a server's name; as [`host_time`](Connect::host_time), and what any
    /// [`Operation`] may fail with.
    pub fn set_ntp_servers(&self, servers: Vec<String>) -> Operation<'static> {
        let connect = self.clone();
        Operation::new("Could not set the NTP servers", move |mut runner| {
            Box::pin(async move {
                servers.iter().try_for_each(|server| check_server(server))?;
                let found: Time = runner.prepare(connect.host_set()).await?;
                let config = HostDateTimeConfig {
                    ntp_config: Some(
                        HostNtpConfig {
                            server: servers.clone(),
                            ..HostNtpConfig::default()
                        }
                        .into(),
                    ),
                    ..HostDateTimeConfig::default()
                };
                let request = found.system()?.update_date_time_config(config);
                let change =
                    connect.seen_on_host(request, move |now: &Time| now.servers() == servers);
                let changed = runner.perform(change).await;
                changed.map_err(|error| refused(error, "the NTP servers"))
            })
        })
    }
}

/// A host writes the names into a file of its own.
fn check_server(server: &str) -> Result<()> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:%[]".contains(c);
    match !server.is_empty() && server.chars().all(is_name) {
        true => Ok(()),
        false => Err(Error::argument(format!(
            "'{server}' is no name of a server"
        ))),
    }
}

/// The host's time beside ours: it was `ours` when the question was sent, and the answer took `took`.
fn compare(
    time: DateTime,
    ours: SystemTime,
    took: Duration,
) -> Result<HostClock, ParseDateTimeError> {
    let clamp = |nanos: i128| match i64::try_from(nanos) {
        Ok(nanos) => nanos,
        Err(_) if nanos < 0 => i64::MIN,
        Err(_) => i64::MAX,
    };
    let nanos = |time: Duration| i128::try_from(time.as_nanos()).unwrap_or(i128::MAX);
    let ours = match ours.duration_since(UNIX_EPOCH) {
        Ok(since) => nanos(since),
        Err(before) => -nanos(before.duration()),
    };
    let fraction = time.subsecond_nanoseconds();
    let mut theirs = i128::from(time.epoch_seconds()?) * 1_000_000_000 + i128::from(fraction);
    let mut uncertainty = took / 2;
    if fraction == 0 {
        // Whole seconds are cut: on average half a second has passed.
        theirs += 500_000_000;
        uncertainty += Duration::from_millis(500);
    }
    // It answered somewhere between, most likely in the middle.
    let middle = ours + nanos(took / 2);
    Ok(HostClock {
        time,
        ahead_ns: clamp(theirs - middle),
        uncertainty,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use vi_types::DateTime;

    use super::{check_server, compare};

    #[test]
    fn host_clocks_are_compared_in_the_middle_of_the_answer() {
        let ours = UNIX_EPOCH + Duration::from_secs(1_709_370_000);
        let took = Duration::from_millis(200);
        for (time, ahead_ms, uncertainty_ms) in [
            ("2024-03-02T09:00:00.100Z", 0, 100),
            ("2024-03-02T09:00:03.350Z", 3250, 100),
            ("2024-03-02T10:59:58.100+02:00", -2000, 100),
            // Whole seconds.
            ("2024-03-02T09:00:00Z", 400, 600),
            ("1970-01-01T00:00:00.1Z", -1_709_370_000_000, 100),
        ] {
            let clock = compare(time.parse().unwrap(), ours, took).unwrap();
            assert_eq!(clock.ahead_ns, ahead_ms * 1_000_000, "{time}");
            assert_eq!(clock.uncertainty.as_millis(), uncertainty_ms, "{time}");
        }
        let far = DateTime::from_epoch_seconds(i64::MAX);
        assert_eq!(compare(far, ours, took).unwrap().ahead_ns, i64::MAX);
        assert!(compare(DateTime::from_wire("noon"), ours, took).is_err());
    }

    #[test]
    fn names_of_time_servers_are_checked() {
        for (server, is_valid) in [
            ("0.pool.ntp.example.com", true),
            ("192.0.2.123", true),
            ("2001:db8::123", true),
            ("fe80::1%vmk0", true),
            ("", false),
            ("a b", false),
            ("a\nrestrict default", false),
            ("é", false),
        ] {
            assert_eq!(check_server(server).is_ok(), is_valid, "{server:?}");
        }
    }
}
