//! A session of commands: they run one after the other, over one connection.

use std::pin::pin;
use std::time::Duration;

use tracing::warn;

use crate::cli::{Global, Printing};
use crate::commands::Work;
use crate::connection::{self, Connection};
use crate::failure::Failure;
use crate::reader::Reading;
use crate::ui::{Terminal, Ui};

/// The exit status of a command that Ctrl-C ended, as a shell gives it.
const INTERRUPTED: u8 = 130;

/// How long logging out may take after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(2);

/// The commands' common state.
pub(crate) struct Session {
    terminal: Terminal,
    options: Global,
    connection: Option<Connection>,
    /// Whether Ctrl-C ended the last command.
    was_interrupted: bool,
}

impl Session {
    /// A session without a connection, with the options of the command line.
    pub(crate) fn new(terminal: Terminal, options: Global) -> Self {
        Self {
            terminal,
            options,
            connection: None,
            was_interrupted: false,
        }
    }

    /// Runs `commands` and gives the exit status of the last one.
    ///
    /// The connection of `-c` is opened before the first one begins, as virsh does it; any other when a
    /// command needs it.
    pub(crate) async fn run(&mut self, commands: Vec<Reading>) -> u8 {
        let mut connected = commands.iter().filter_map(|reading| match &reading.work {
            Work::Connected { checked, .. } => Some(checked.is_ok()),
            Work::Local(_) | Work::Session { .. } => None,
        });
        if self.options.connect.is_some() && connected.next() == Some(true) {
            let status = self.open().await;
            if status != 0 {
                return status;
            }
        }
        let mut status = 0;
        for command in commands {
            status = self.execute(command).await;
            if self.was_interrupted || self.terminal.is_closed() {
                break;
            }
        }
        status
    }

    /// Opens the connection of the command line; the exit status.
    async fn open(&mut self) -> u8 {
        let ui = self.ui(self.options.printing);
        match interruptible(&ui, self.connect()).await {
            Some(Ok(_)) => 0,
            Some(Err(failure)) => {
                ui.failure(&failure);
                1
            }
            None => {
                self.was_interrupted = true;
                INTERRUPTED
            }
        }
    }

    /// Runs a command to its end or to a Ctrl-C, and gives its exit status.
    async fn execute(&mut self, command: Reading) -> u8 {
        let printing = match self.options.printing.with(command.options) {
            Ok(printing) => printing,
            Err(failure) => {
                self.terminal.report(&failure);
                return 1;
            }
        };
        let ui = self.ui(printing);
        let is_closed = match &command.work {
            Work::Connected { .. } => true,
            Work::Local(_) => false,
            Work::Session { is_closed, .. } => *is_closed,
        };
        let Some(result) = interruptible(&ui, self.perform(&ui, command.work)).await else {
            self.was_interrupted = true;
            return INTERRUPTED;
        };
        match result {
            Err(failure) if !failure.is_closed_output() => ui.failure(&failure),
            _ => {}
        }
        if is_closed {
            ui.close();
        }
        self.was_interrupted = ui.was_interrupted();
        match (self.was_interrupted, ui.has_failed()) {
            (true, _) => INTERRUPTED,
            (false, has_failed) => u8::from(has_failed),
        }
    }

    async fn perform(&mut self, ui: &Ui, work: Work) -> Result<(), Failure> {
        match work {
            Work::Connected { checked, run } => {
                checked?;
                run(ui, self.connect().await?).await
            }
            Work::Local(run) => run(ui),
            Work::Session { run, .. } => run(ui, self).await,
        }
    }

    /// The connection, opened when it is needed first.
    async fn connect(&mut self) -> Result<&Connection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open(&self.options).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Logs out; after a Ctrl-C only if that is quickly done.
    pub(crate) async fn end(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let log_out = async {
            if let Err(error) = connection.close().await {
                warn!("Failed to disconnect from the hypervisor: {error}");
            }
        };
        match self.was_interrupted {
            true => drop(tokio::time::timeout(FAREWELL, log_out).await),
            false => {
                let ui = self.ui(self.options.printing);
                interruptible(&ui, log_out).await;
            }
        }
    }

    fn ui(&self, printing: Printing) -> Ui {
        Ui::new(self.terminal.clone(), printing.format(), printing.quiet)
    }
}

/// Runs `work` to its end, or to the Ctrl-C that the command doesn't deal with itself: then there is
/// no result.
async fn interruptible<T>(ui: &Ui, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            _ = tokio::signal::ctrl_c() => {
                if !ui.interrupt() {
                    return None;
                }
            }
        }
    }
}
