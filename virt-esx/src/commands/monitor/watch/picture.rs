//! What the table shows of a server.

use std::time::SystemTime;

use esx_driver::question::Question;
use esx_driver::vi_types::ManagedObjectReference;
use esx_driver::{MonitorConnection, MonitorSnapshot, MonitoredDomain};
use virt_model::DomainState;

use crate::failure::Failure;

/// The server at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    pub(super) rows: Vec<Row>,
    /// When the numbers were read of which the server reports no changes.
    pub(super) polled: Option<SystemTime>,
    pub(super) lost: Option<Lost>,
}

/// A lost connection.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) since: SystemTime,
    pub(super) cause: String,
}

/// A domain.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) moref: ManagedObjectReference,
    pub(super) name: String,
    pub(super) state: DomainState,
    pub(super) host: String,
    /// Used processor time as a part of all its processors' time.
    pub(super) cpu: Option<f64>,
    /// Memory that it takes of the host, in KiB.
    pub(super) memory: Option<u64>,
    /// Its configured memory, in KiB.
    pub(super) max_memory: u64,
    /// Bytes a second.
    pub(super) read: Option<f64>,
    pub(super) written: Option<f64>,
    pub(super) received: Option<f64>,
    pub(super) sent: Option<f64>,
    /// Seconds.
    pub(super) uptime: Option<u64>,
    pub(super) question: Option<Question>,
}

impl From<&MonitorSnapshot> for Picture {
    fn from(snapshot: &MonitorSnapshot) -> Self {
        let lost = match &snapshot.connection {
            MonitorConnection::Lost { since, error } => Some(Lost {
                since: *since,
                cause: error.to_string(),
            }),
            _ => None,
        };
        let domains = snapshot.domains.iter();
        Self {
            rows: domains
                .filter(|domain| !domain.is_template)
                .map(|domain| Row::from(&**domain))
                .collect(),
            polled: snapshot.poll.time,
            lost,
        }
    }
}

impl From<&MonitoredDomain> for Row {
    fn from(domain: &MonitoredDomain) -> Self {
        Self {
            moref: domain.moref.clone(),
            name: domain.name.clone(),
            state: domain.state,
            host: domain.host_name.to_string(),
            cpu: domain.cpu_ratio(),
            memory: domain.usage.host_memory_kib,
            max_memory: domain.max_memory_kib,
            read: domain.read_bytes_rate(),
            written: domain.write_bytes_rate(),
            received: domain.rx_bytes_rate(),
            sent: domain.tx_bytes_rate(),
            uptime: domain.usage.uptime_seconds,
            question: domain.question.clone(),
        }
    }
}

/// The lines of a failure as one.
pub(super) fn one_line(failure: &Failure) -> String {
    let text = failure.to_string();
    let lines = text.lines().map(|line| line.trim_start_matches("error: "));
    lines.collect::<Vec<_>>().join(": ")
}
