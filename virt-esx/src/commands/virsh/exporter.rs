use std::path::PathBuf;
use std::time::Duration;

use esx_driver::MonitorOptions;

use super::super::SessionCommand;
use crate::commands::number::Number;
use crate::connection;
use crate::credentials;
use crate::exporter::{self, ExporterOptions, Limits, SourceOptions};
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// serve metrics of domains and hosts to Prometheus
///
/// The metrics of all connections are at http://ADDRESS:PORT/metrics, in Prometheus' text format or as OpenMetrics, until
/// Ctrl-C or SIGTERM. Servers are watched and polled in the background; a scrape asks none. Metrics are named as those of
/// libvirt-exporter and vmware_exporter; docs/metrics.md lists them.
#[derive(Debug, clap::Args)]
pub(crate) struct Exporter {
    /// further servers to watch besides that of -c: URI, or NAME=URI to choose the label 'connection' (default: the host)
    #[arg(value_name = "connection", num_args = 0..)]
    connection: Vec<String>,

    /// address and port to listen on; :PORT listens on all addresses
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9272")]
    listen: String,

    /// path of the metrics
    #[arg(long, value_name = "PATH", default_value = "/metrics")]
    telemetry_path: String,

    /// file with TLS and passwords of the listener, as Prometheus' exporters have it; it is read again for every request
    #[arg(long, value_name = "FILE")]
    web_config: Option<PathBuf>,

    /// how often servers are polled for numbers of which they report no changes, in seconds (default: 20)
    #[arg(long, value_name = "SECONDS", value_parser = Number::parser())]
    interval: Option<Number>,
}

impl SessionCommand for Exporter {
    const IS_CLOSED: bool = false;

    async fn run(self, ui: &Ui, session: &mut Session) -> Result<(), Failure> {
        let mut monitor = MonitorOptions::default();
        if let Some(seconds) = &self.interval {
            monitor.interval = Duration::from_secs(seconds.seconds("interval")?);
        }
        if !self.telemetry_path.starts_with('/') || self.telemetry_path == "/" {
            return Err(Failure::new(format!(
                "'{}' is not a path of metrics (should be like /metrics)",
                self.telemetry_path
            )));
        }
        let listen = match self.listen.starts_with(':') {
            true => format!("[::]{}", self.listen),
            false => self.listen,
        };
        let options = session.connection_options();
        let mut uris = self.connection;
        if options.uri.is_some() || uris.is_empty() {
            uris.insert(0, connection::uri(&options)?);
        }
        let password = match options.password_stdin {
            true => Some(credentials::read_password().await?),
            false => None,
        };
        let sources = uris.iter().map(|uri| {
            let (name, uri) = named(uri);
            SourceOptions {
                name,
                uri,
                terminal: ui.terminal().clone(),
                password: password.clone(),
                monitor: monitor.clone(),
            }
        });
        let sources: Vec<_> = sources.collect();
        check_names(&sources)?;
        let interruption = ui.interruption();
        let over = interruption.comes();
        let options = ExporterOptions {
            listen,
            path: self.telemetry_path,
            web: self.web_config,
            sources,
            limits: Limits::default(),
        };
        let begin = |url: &str| {
            ui.line(format_args!("Listening on {url}"))?;
            Ok(())
        };
        exporter::run(options, begin, over).await?;
        ui.accept_every_signal();
        Ok(())
    }
}

/// The name and the URI of `NAME=URI`, or of a URI alone.
fn named(text: &str) -> (String, String) {
    if let Some((name, uri)) = text.split_once('=')
        && !name.contains("://")
        && uri.contains("://")
    {
        return (name.to_owned(), uri.to_owned());
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = match host.is_empty() {
        // A simulated one.
        true => text.split('?').next().unwrap_or_default(),
        false => host,
    };
    (name.to_owned(), text.to_owned())
}

/// Refuses two connections of the same name, whose metrics could not be told apart.
fn check_names(sources: &[SourceOptions]) -> Result<(), Failure> {
    for (index, source) in sources.iter().enumerate() {
        if sources
            .iter()
            .take(index)
            .any(|other| other.name == source.name)
        {
            return Err(Failure::new(format!(
                "there are two connections called '{}': give them names, NAME=URI",
                source.name
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn connections_have_the_name_of_their_host_or_their_own() {
        for (text, name, uri) in [
            (
                "esx://root@esx01.example.com/?no_verify=1",
                "esx01.example.com",
                None,
            ),
            (
                "vpx://a%40b@127.0.0.1:8443/dc/esx?no_verify=1",
                "127.0.0.1:8443",
                None,
            ),
            ("test:///vcenter?vms=5", "test:///vcenter", None),
            (
                "lab=esx://host/?no_verify=1",
                "lab",
                Some("esx://host/?no_verify=1"),
            ),
            ("lab=test:///default", "lab", Some("test:///default")),
        ] {
            assert_eq!(
                named(text),
                (name.to_owned(), uri.unwrap_or(text).to_owned())
            );
        }
    }
}
