use std::pin::pin;

use esx_driver::{HostLog, HostLogLines};
use serde::Serialize;

use crate::answer::{self, Answer, Format};
use crate::commands::Command;
use crate::commands::options::{self, check_requires, check_text};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::{Table, printable};
use crate::ui::Ui;

/// The lines that are printed if nobody says how many.
const LINES: u32 = 20;

/// The lines that are asked for at once.
const PAGE: u32 = 1000;

/// logs of the host
///
/// List the logs of the host, or print the last lines of one. Control characters are printed as \xNN.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeLog {
    /// key of the log, as the list has it
    #[arg(value_name = "key")]
    key: Option<String>,

    /// number of lines (default: the last 20, or with --since all from there)
    #[arg(long, value_name = "number", value_parser = options::number::<u32>)]
    lines: Option<u32>,

    /// number of the first line
    #[arg(long, value_name = "line", value_parser = options::number::<u32>)]
    since: Option<u32>,

    /// go on with new lines, until Ctrl-C
    #[arg(long)]
    follow: bool,

    /// print the numbers of the lines
    #[arg(long)]
    number: bool,
}

/// The logs of a host.
#[derive(Debug, Serialize)]
struct Logs {
    logs: Vec<Log>,
}

#[derive(Debug, Serialize)]
struct Log {
    key: String,
    file: String,
    creator: String,
    format: String,
    mime_type: String,
    summary: String,
}

/// A line's JSON document.
#[derive(Debug, Serialize)]
struct Line<'a> {
    log: &'a str,
    line: u32,
    text: &'a str,
}

impl Command for NodeLog {
    fn check(&self) -> Result<(), Failure> {
        check_text("key", self.key.as_deref())?;
        let key = ("key", self.key.is_some());
        for option in [
            ("lines", self.lines.is_some()),
            ("since", self.since.is_some()),
            ("follow", self.follow),
            ("number", self.number),
        ] {
            check_requires(option, key)?;
        }
        Ok(())
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Some(key) = &self.key else {
            let logs = connection.host_logs().await?;
            let logs = logs.into_iter().map(log).collect();
            return Ok(ui.answer(&Logs { logs })?);
        };
        let next = match self.since {
            None => {
                let lines = self.lines.unwrap_or(LINES);
                let tail = connection.host_log_tail(key, lines).await?;
                self.print(ui, key, &tail)?;
                tail.next()
            }
            Some(first) => self.print_from(ui, connection, key, first).await?,
        };
        if self.follow {
            self.go_on(ui, connection, key, next).await?;
        }
        Ok(())
    }
}

impl NodeLog {
    /// Prints the lines from one on. Returns the number of the line behind them.
    async fn print_from(
        &self,
        ui: &Ui,
        connection: &Connection,
        key: &str,
        first: u32,
    ) -> Result<u32, Failure> {
        let mut next = first.max(1);
        let mut missing = self.lines.unwrap_or(u32::MAX);
        loop {
            let wanted = missing.min(PAGE);
            let lines = connection.host_log(key, next, wanted).await?;
            self.print(ui, key, &lines)?;
            let count = lines.next() - lines.first;
            next = lines.next().max(next);
            missing -= count.min(missing);
            if count < wanted || missing == 0 {
                return Ok(next);
            }
        }
    }

    /// Prints new lines until Ctrl-C.
    async fn go_on(
        &self,
        ui: &Ui,
        connection: &Connection,
        key: &str,
        next: u32,
    ) -> Result<(), Failure> {
        let mut follow = connection.follow_host_log(key, next);
        let interruption = ui.interruption();
        let mut interrupted = pin!(interruption.comes());
        loop {
            tokio::select! {
                lines = follow.next() => self.print(ui, key, &lines?)?,
                () = &mut interrupted => {
                    ui.accept_interruption();
                    return Ok(());
                }
            }
        }
    }

    fn print(&self, ui: &Ui, key: &str, lines: &HostLogLines) -> Result<(), Failure> {
        let numbers = lines.first..;
        let texts = numbers.zip(&lines.lines).map(|(line, text)| {
            if ui.format() != Format::Text {
                let line = Line {
                    log: key,
                    line,
                    text,
                };
                return answer::json_line("virt-esx/node-log-line/1", &line);
            }
            // Terminals know tabs.
            let parts: Vec<_> = text
                .trim_end_matches('\r')
                .split('\t')
                .map(printable)
                .collect();
            let text = parts.join("\t");
            match self.number {
                true => format!("{line} {text}\n"),
                false => format!("{text}\n"),
            }
        });
        Ok(ui.print(&texts.collect::<String>())?)
    }
}

fn log(log: HostLog) -> Log {
    Log {
        key: log.key,
        file: log.file,
        creator: log.creator,
        format: log.format,
        mime_type: log.mime_type,
        summary: log.summary,
    }
}

impl Answer for Logs {
    const SCHEMA: &'static str = "virt-esx/node-logs/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/node-log/1", &self.logs))
    }

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Key", "File", "Summary"]);
        for log in &self.logs {
            table.push([&*log.key, &log.file, &log.summary]);
        }
        table.render(!quiet)
    }
}
