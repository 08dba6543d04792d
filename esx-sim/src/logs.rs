//! What was written into a server's logs while it runs.

use std::collections::HashMap;

/// The logs that somebody has written to, by their keys.
#[derive(Default)]
pub(crate) struct Logs(HashMap<String, Written>);

/// What was written into a log.
#[derive(Default)]
pub(crate) struct Written {
    /// Whether the lines that it had at the start are gone.
    pub(crate) is_new: bool,
    /// The lines behind them.
    pub(crate) lines: Vec<String>,
}

impl Logs {
    /// Writes a line behind all others.
    pub(crate) fn write(&mut self, key: &str, line: &str) {
        self.0
            .entry(key.to_owned())
            .or_default()
            .lines
            .push(line.to_owned());
    }

    /// Begins a log anew.
    pub(crate) fn rotate(&mut self, key: &str) {
        let log = Written {
            is_new: true,
            lines: Vec::new(),
        };
        self.0.insert(key.to_owned(), log);
    }

    /// What was written into a log, if anything was.
    pub(crate) fn of(&self, key: &str) -> Option<&Written> {
        self.0.get(key)
    }
}
