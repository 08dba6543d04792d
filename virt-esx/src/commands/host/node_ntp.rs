use esx_driver::{HostTime, HostTimeTest};
use serde::Serialize;

use crate::answer::{Answer, property, unless_quiet};
use crate::commands::Command;
use crate::commands::options::{self, check_exclusive, check_text};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::printable;
use crate::ui::Ui;

/// clock of the host and its time servers
///
/// Display the host's time, how far it is ahead of the clock of this machine, and how it is kept right; or set the NTP
/// servers. How precise the difference is depends on how long the host took to answer.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeNtp {
    /// set the NTP servers: names or addresses, separated by commas, or 'none'
    #[arg(long, value_name = "servers")]
    servers: Option<String>,

    /// let the host test its time service (since ESXi 7.0.3)
    #[arg(long)]
    test: bool,
}

/// The clock of a host.
#[derive(Debug, Serialize)]
struct Time {
    time: String,
    /// Positive if the host is ahead.
    ahead_ns: i64,
    uncertainty_ns: u64,
    time_zone: String,
    utc_offset_s: i32,
    protocol: Option<String>,
    servers: Vec<String>,
    service: Option<Service>,
    synchronized: Option<bool>,
    last_sync: Option<String>,
    remote_server: Option<String>,
}

#[derive(Debug, Serialize)]
struct Service {
    key: String,
    running: bool,
    policy: String,
}

/// The servers that were set.
#[derive(Debug, Serialize)]
struct Set {
    servers: Vec<String>,
}

/// What the host's test says.
#[derive(Debug, Serialize)]
struct Test {
    works: bool,
    report: Vec<String>,
}

impl Command for NodeNtp {
    fn check(&self) -> Result<(), Failure> {
        check_text("servers", self.servers.as_deref())?;
        let servers = ("servers", self.servers.is_some());
        check_exclusive([servers, ("test", self.test)])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Some(servers) = &self.servers else {
            match self.test {
                true => ui.answer(&Test::from(connection.test_host_time().await?))?,
                false => ui.answer(&Time::from(connection.host_time().await?))?,
            }
            return Ok(());
        };
        let failed = |reason| Failure::because("Failed to set the NTP servers", reason);
        let writable = connection.check_writable("changes of the time");
        writable.map_err(failed)?;
        let servers = match servers.as_str() {
            "none" => Vec::new(),
            list => options::words(list),
        };
        let set = connection.set_ntp_servers(servers.clone()).await;
        set.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Set { servers })?)
    }
}

impl From<HostTime> for Time {
    fn from(time: HostTime) -> Self {
        Self {
            time: time.clock.time.to_string(),
            ahead_ns: time.clock.ahead_ns,
            uncertainty_ns: u64::try_from(time.clock.uncertainty.as_nanos()).unwrap_or(u64::MAX),
            time_zone: time.time_zone,
            utc_offset_s: time.utc_offset,
            protocol: time.protocol,
            servers: time.ntp_servers,
            service: time.service.map(|service| Service {
                key: service.key,
                running: service.running,
                policy: service.policy.to_string(),
            }),
            synchronized: time.synchronized,
            last_sync: time.last_sync.map(|time| time.to_string()),
            remote_server: time.remote_server,
        }
    }
}

impl From<HostTimeTest> for Test {
    fn from(test: HostTimeTest) -> Self {
        Self {
            works: test.works,
            report: test.report,
        }
    }
}

fn yes(value: bool) -> &'static str {
    match value {
        true => "yes",
        false => "no",
    }
}

impl Answer for Time {
    const SCHEMA: &'static str = "virt-esx/node-time/1";

    fn text(&self, _quiet: bool) -> String {
        let mut text = String::new();
        let mut line = |title: &str, value: &str| {
            text.push_str(&property(15, title, printable(value)));
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are printed, and nobody cares for them over months"
        )]
        let (ahead, uncertainty) = (self.ahead_ns as f64 / 1e9, self.uncertainty_ns as f64 / 1e9);
        line("Time:", &self.time);
        line(
            "Ahead of us:",
            &format!("{ahead:.3} s, give or take {uncertainty:.3} s"),
        );
        line("Time zone:", &self.time_zone);
        if let Some(protocol) = &self.protocol {
            line("Protocol:", protocol);
        }
        let servers = match self.servers.is_empty() {
            true => "none".to_owned(),
            false => self.servers.join(", "),
        };
        line("NTP servers:", &servers);
        if let Some(service) = &self.service {
            let state = match service.running {
                true => "running",
                false => "stopped",
            };
            let words = format!("{} {state} (policy {})", service.key, service.policy);
            line("Service:", &words);
        }
        if let Some(synchronized) = self.synchronized {
            line("Synchronized:", yes(synchronized));
        }
        if let Some(server) = &self.remote_server {
            line("Follows:", server);
        }
        if let Some(time) = &self.last_sync {
            line("Last set:", time);
        }
        text
    }
}

impl Answer for Set {
    const SCHEMA: &'static str = "virt-esx/node-ntp-servers/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || match self.servers.is_empty() {
            true => "NTP servers removed\n".to_owned(),
            false => format!("NTP servers set to {}\n", self.servers.join(", ")),
        })
    }
}

impl Answer for Test {
    const SCHEMA: &'static str = "virt-esx/node-time-test/1";

    fn text(&self, _quiet: bool) -> String {
        let report = self.report.iter();
        let report = report.map(|line| format!("{}\n", printable(line)));
        property(7, "Works:", yes(self.works)) + &report.collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Service, Time};
    use crate::answer::Answer as _;

    #[test]
    fn a_clock_is_shown_with_what_its_host_tells() {
        let mut time = Time {
            time: "2024-03-02T09:00:00.5Z".to_owned(),
            ahead_ns: -1_500_400_000,
            uncertainty_ns: 2_000_000,
            time_zone: "UTC".to_owned(),
            utc_offset_s: 0,
            protocol: Some("ntp".to_owned()),
            servers: vec!["192.0.2.1".to_owned(), "ntp.example.org".to_owned()],
            service: Some(Service {
                key: "ntpd".to_owned(),
                running: true,
                policy: "on".to_owned(),
            }),
            synchronized: Some(true),
            last_sync: Some("2024-03-02T08:00:00Z".to_owned()),
            remote_server: Some("192.0.2.1".to_owned()),
        };
        assert_eq!(
            time.text(false),
            "Time:           2024-03-02T09:00:00.5Z\n\
             Ahead of us:    -1.500 s, give or take 0.002 s\n\
             Time zone:      UTC\n\
             Protocol:       ntp\n\
             NTP servers:    192.0.2.1, ntp.example.org\n\
             Service:        ntpd running (policy on)\n\
             Synchronized:   yes\n\
             Follows:        192.0.2.1\n\
             Last set:       2024-03-02T08:00:00Z\n"
        );
        // An old host.
        time.servers.clear();
        (time.protocol, time.service, time.synchronized) = (None, None, None);
        (time.last_sync, time.remote_server) = (None, None);
        assert_eq!(time.text(true).lines().count(), 4);
        assert!(time.text(true).ends_with("NTP servers:    none\n"));
    }
}
