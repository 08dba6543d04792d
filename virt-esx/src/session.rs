//! Runs commands one after the other, over one connection.

use std::pin::pin;
use std::time::Duration;

use tracing::warn;
use virt_model::DomainFilter;

use crate::cli::{self, Global, Printing};
use crate::commands::Work;
use crate::connection::{self, Connection, ConnectionOptions};
use crate::failure::Failure;
use crate::reader::Reading;
use crate::ui::{Terminal, Ui};

/// The exit status of a command that Ctrl-C ended, as a shell gives it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The exit status of a program that was told to end, as a shell gives it.
pub(crate) const TERMINATED: u8 = 143;

/// How long logging out may take after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(2);

/// The state that the commands of a run share.
pub(crate) struct Session {
    terminal: Terminal,
    options: Global,
    connection: Option<Connection>,
    is_readonly: bool,
    /// Whether the commands come from a shell.
    is_interactive: bool,
    /// Whether a command ended the session.
    is_over: bool,
    /// Whether Ctrl-C ended the last command.
    was_interrupted: bool,
}

impl Session {
    /// A session without a connection, with the options of the command line.
    pub(crate) fn new(terminal: Terminal, options: Global, is_interactive: bool) -> Self {
        Self {
            terminal,
            is_readonly: options.readonly,
            options,
            connection: None,
            is_interactive,
            is_over: false,
            was_interrupted: false,
        }
    }

    /// The streams that all commands share.
    pub(crate) fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The form of what commands print without options of their own.
    pub(crate) fn printing(&self) -> Printing {
        self.options.printing
    }

    /// Whether the connection is read-only.
    pub(crate) fn is_readonly(&self) -> bool {
        self.is_readonly
    }

    /// Whether the commands come from a shell.
    pub(crate) fn is_interactive(&self) -> bool {
        self.is_interactive
    }

    /// Whether [a command](Self::finish) ended the session.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Ends the session: no further command runs.
    pub(crate) fn finish(&mut self) {
        self.is_over = true;
    }

    /// Whether Ctrl-C ended the last command.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.was_interrupted
    }

    /// Runs `commands` and gives the exit status of the last one.
    ///
    /// The connection of `-c` is opened before the first command begins, as in virsh. A connection of the environment's
    /// URI is opened by the first command that needs it.
    pub(crate) async fn run(&mut self, commands: Vec<Reading>) -> u8 {
        let mut connected = commands.iter().filter_map(|reading| match &reading.work {
            Work::Connected { checked, .. } => Some(checked.is_ok()),
            Work::Local(_) | Work::Session { .. } => None,
        });
        if connected.next() == Some(true) {
            let status = self.open().await;
            if status != 0 {
                return status;
            }
        }
        let mut status = 0;
        for command in commands {
            status = self.execute(command).await;
            if self.is_over || self.was_interrupted || self.terminal.is_closed() {
                break;
            }
        }
        status
    }

    /// Runs the commands of a text that was typed.
    pub(crate) async fn run_text(&mut self, text: &str) {
        match cli::read_text(text) {
            Ok(commands) => drop(self.run(commands).await),
            Err(failure) => self.terminal.report(&failure),
        }
    }

    /// Opens the connection of `-c`, if there is one, and gives the exit status.
    pub(crate) async fn open(&mut self) -> u8 {
        if self.options.connect.is_none() || self.connection.is_some() {
            return 0;
        }
        let ui = self.ui(self.options.printing);
        match interruptible(&ui, self.connection()).await {
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

    /// Connects to `uri`, or again to the current URI. If that fails, the old connection stays.
    pub(crate) async fn connect(
        &mut self,
        uri: Option<String>,
        readonly: bool,
    ) -> Result<(), Failure> {
        let options = ConnectionOptions {
            is_readonly: readonly || (uri.is_none() && self.is_readonly),
            uri: uri.or_else(|| self.options.connect.clone()),
            password_stdin: false,
            keyring: self.options.keyring.clone(),
        };
        let connection = connection::open(&options).await?;
        self.is_readonly = options.is_readonly;
        self.options.connect = options.uri;
        if let Some(old) = self.connection.replace(connection) {
            log_out(old).await;
        }
        Ok(())
    }

    /// The names of all domains; none without a connection, or if listing fails.
    pub(crate) async fn domain_names(&self) -> Vec<String> {
        let Some(connection) = &self.connection else {
            return Vec::new();
        };
        let listed = connection.list_all_domains(DomainFilter::NONE).await;
        let domains = listed.map(|listed| listed.domains).unwrap_or_default();
        let names = domains.iter().map(|entry| entry.domain.name().to_owned());
        names.collect()
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
        if ui.was_terminated() {
            self.finish();
            return TERMINATED;
        }
        if is_closed {
            ui.close();
        }
        self.was_interrupted = ui.was_interrupted();
        match self.was_interrupted {
            true => INTERRUPTED,
            false => ui.status(),
        }
    }

    async fn perform(&mut self, ui: &Ui, work: Work) -> Result<(), Failure> {
        match work {
            Work::Connected { checked, run } => {
                checked?;
                run(ui, self.connection().await?).await
            }
            Work::Local(run) => run(ui),
            Work::Session { run, .. } => run(ui, self).await,
        }
    }

    /// The connection, which the first caller opens.
    async fn connection(&mut self) -> Result<&Connection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open(&self.connection_options()).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// How the options say to connect.
    pub(crate) fn connection_options(&self) -> ConnectionOptions {
        ConnectionOptions {
            uri: self.options.connect.clone(),
            is_readonly: self.is_readonly,
            password_stdin: self.options.password_stdin,
            keyring: self.options.keyring.clone(),
        }
    }

    /// Logs out. After Ctrl-C, gives up after [`FAREWELL`].
    pub(crate) async fn end(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match self.was_interrupted {
            true => drop(tokio::time::timeout(FAREWELL, log_out(connection)).await),
            false => {
                let ui = self.ui(self.options.printing);
                interruptible(&ui, log_out(connection)).await;
            }
        }
    }

    fn ui(&self, printing: Printing) -> Ui {
        Ui::new(self.terminal.clone(), printing.format(), printing.quiet)
    }
}

async fn log_out(connection: Connection) {
    if let Err(error) = connection.close().await {
        warn!("Failed to disconnect from the hypervisor: {error}");
    }
}

/// Runs `work` to its end. `None` if Ctrl-C ended it, which a command can [handle itself](Ui::interruption) once.
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
