//! The logs of the host.

use std::time::Duration;

use vi_types::{
    methods::{BrowseDiagnosticLog, QueryDescriptions},
    objects::{DiagnosticManagerLogDescriptor, InvalidArgument},
};

use super::{not_found, refused};
use crate::{Connect, Error, ErrorKind, Result, What};

/// The most lines to ask for at once: a vCenter gives 500, a host 1,000.
const PAGE: u32 = 1000;

/// An answer with fewer lines than this, and than were wanted, has come to the log's end.
const LEAST_PAGE: usize = 500;

/// The first pause of a [`HostLogFollow`] before it asks again, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// After so many failures in a row a [`HostLogFollow`] gives up.
const MOST_FAILURES: u32 = 8;

/// A log of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostLog {
    /// Its key, by which it is read: `hostd`, `vmkernel`.
    pub key: String,
    /// Its file on the host.
    pub file: String,
    /// Who writes it.
    pub creator: String,
    /// The format of its lines, such as `plain`.
    pub format: String,
    /// The type of the file's content, such as `text/plain`.
    pub mime_type: String,
    /// What it is, in the host's words.
    pub summary: String,
}

/// Lines of a log that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostLogLines {
    /// The number of the first line; the first of the log has 1.
    pub first: u32,
    /// The lines, as the host has them: they may contain control characters.
    pub lines: Vec<String>,
}

impl HostLogLines {
    /// The number of the line behind these.
    pub fn next(&self) -> u32 {
        let count = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        self.first.saturating_add(count)
    }
}

/// The part of a log that an answer has, and the last line that it speaks of.
struct Part {
    lines: HostLogLines,
    end: u32,
}

impl Connect {
    /// The logs that can be read: one request. On a vCenter these are the host's, not the vCenter's. libvirt has no such
    /// function.
    ///
    /// # Errors
    /// [`ErrorKind::NoPermission`] if the user lacks the privilege `Global.Diagnostics`.
    pub async fn host_logs(&self) -> Result<Vec<HostLog>> {
        let request = QueryDescriptions {
            host: Some(self.host_system().await?.clone()),
            ..QueryDescriptions::default()
        };
        let found = self.client().call(&request).await?;
        Ok(found.into_iter().map(log).collect())
    }

    /// At most `lines` lines of a log, from line `first` on: one request for 1,000 lines, on a vCenter for 500. Fewer come
    /// if the log ends; none behind its end.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown key; as [`host_logs`](Connect::host_logs).
    pub async fn host_log(&self, key: &str, first: u32, lines: u32) -> Result<HostLogLines> {
        let mut all = HostLogLines {
            first: first.max(1),
            lines: Vec::new(),
        };
        loop {
            let missing = lines - (all.next() - all.first).min(lines);
            if missing == 0 {
                return Ok(all);
            }
            let wanted = missing.min(PAGE);
            let part = self.log_part(key, all.next(), wanted).await?.lines;
            let is_end = part.lines.len() < LEAST_PAGE.min(wanted as usize);
            all.lines.extend(part.lines);
            if is_end {
                return Ok(all);
            }
        }
    }

    /// The number of a log's last line; 0 if it has none. One request.
    ///
    /// # Errors
    /// As [`host_log`](Connect::host_log).
    pub async fn host_log_end(&self, key: &str) -> Result<u32> {
        // Servers answer with the last line if the first one that is wanted is behind it.
        Ok(self.log_part(key, u32::MAX, 0).await?.end)
    }

    /// The last lines of a log: one request more than [`host_log`](Connect::host_log).
    ///
    /// # Errors
    /// As [`host_log`](Connect::host_log).
    pub async fn host_log_tail(&self, key: &str, lines: u32) -> Result<HostLogLines> {
        let end = self.host_log_end(key).await?;
        let first = end.saturating_sub(lines).saturating_add(1);
        self.host_log(key, first, lines).await
    }

    /// Follows a log from line `first` on. Nothing is sent before [`HostLogFollow::next`].
    pub fn follow_host_log(&self, key: &str, first: u32) -> HostLogFollow {
        HostLogFollow {
            connect: self.clone(),
            key: key.to_owned(),
            next: first.max(1),
            pause: Duration::ZERO,
            failures: 0,
        }
    }

    async fn log_part(&self, key: &str, first: u32, lines: u32) -> Result<Part> {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let request = BrowseDiagnosticLog {
            host: Some(self.host_system().await?.clone()),
            key: key.to_owned(),
            start: Some(number(first)),
            lines: Some(number(lines)),
            ..BrowseDiagnosticLog::default()
        };
        let header = match self.client().call(&request).await {
            Ok(header) => header,
            Err(error) => {
                let is_unknown = error.is_fault::<InvalidArgument>();
                let error = refused(error.into(), &format!("log '{key}'"));
                return Err(match is_unknown {
                    true => self.unknown_log(key, error).await,
                    false => error,
                });
            }
        };
        let mut text = header.line_text;
        text.truncate(lines as usize);
        let number = |line: i32| u32::try_from(line).unwrap_or(0);
        Ok(Part {
            lines: HostLogLines {
                first: match text.is_empty() {
                    true => first,
                    false => number(header.line_start).max(1),
                },
                lines: text,
            },
            end: number(header.line_end),
        })
    }

    /// The error of a key that the server refused: that there is no such log, if so.
    async fn unknown_log(&self, key: &str, error: Error) -> Error {
        match self.host_logs().await {
            Ok(logs) if logs.iter().all(|log| log.key != key) => {
                let keys = logs.iter().map(|log| log.key.as_str());
                not_found(What::Log, "log", key, keys).because(error)
            }
            _ => error,
        }
    }
}

/// New lines of a log, as they are written.
///
/// The host tells nobody of new lines, so it is asked, after pauses that grow from one second to ten while there are none. A
/// log that the host has begun anew is read from its first line on. A lost connection is repaired; after eight failures in a
/// row the error is returned. At most 1,000 lines are kept in memory.
#[derive(Debug)]
pub struct HostLogFollow {
    connect: Connect,
    key: String,
    next: u32,
    pause: Duration,
    failures: u32,
}

impl HostLogFollow {
    /// The next lines: at least one. The future may be dropped at any point, and nothing is lost.
    ///
    /// # Errors
    /// As [`Connect::host_log`].
    pub async fn next(&mut self) -> Result<HostLogLines> {
        loop {
            tokio::time::sleep(self.pause).await;
            let answer = self.connect.log_part(&self.key, self.next, PAGE).await;
            match answer {
                Ok(part) if !part.lines.lines.is_empty() => {
                    self.failures = 0;
                    self.next = part.lines.next();
                    self.pause = match part.lines.lines.len() < LEAST_PAGE {
                        true => PAUSES.0,
                        false => Duration::ZERO,
                    };
                    return Ok(part.lines);
                }
                Ok(part) => {
                    self.failures = 0;
                    // Not every server tells the end here, so it is asked for before all is read again.
                    let before = self.next - 1;
                    if part.end < before && self.connect.host_log_end(&self.key).await? < before {
                        self.next = 1;
                        self.pause = Duration::ZERO;
                        continue;
                    }
                }
                Err(error) => {
                    self.failures += 1;
                    let is_broken = matches!(
                        error.kind(),
                        ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Resolve
                    );
                    if !is_broken || self.failures >= MOST_FAILURES {
                        return Err(error);
                    }
                }
            }
            self.pause = (self.pause * 2).clamp(PAUSES.0, PAUSES.1);
        }
    }
}

fn log(found: DiagnosticManagerLogDescriptor) -> HostLog {
    HostLog {
        key: found.key,
        file: found.file_name,
        creator: found.creator,
        format: found.format,
        mime_type: found.mime_type,
        summary: found.info.summary.clone(),
    }
}
