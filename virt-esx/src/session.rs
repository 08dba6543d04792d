//! Runs commands over one connection: one after the other, but side by side if they only read.

use std::ffi::OsString;
use std::iter::Peekable;
use std::pin::pin;
use std::time::Duration;
use std::vec;

use esx_driver::bulk;
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use crate::cli::{self, Global, Printing};
use crate::commands::Work;
use crate::complete::Names;
use crate::connection::{self, Connection, ConnectionOptions};
use crate::failure::Failure;
use crate::reader::Reading;
use crate::signals::{Signal, Signals};
use crate::ui::{Terminal, Ui};

/// How long logging out may take after a signal.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long an interrupted command may take before it is said what it waits for.
const AT_ONCE: Duration = Duration::from_millis(200);

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
    signals: Signals,
    /// The signal that ended the last command.
    ended_by: Option<Signal>,
    /// Whether each command says how long it took.
    is_timed: bool,
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
            signals: Signals::listen(),
            ended_by: None,
            is_timed: false,
        }
    }

    /// Has each command say how long it took.
    pub(crate) fn time_commands(&mut self, is_timed: bool) {
        self.is_timed = is_timed;
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

    /// The signal that ended the last command.
    pub(crate) fn ended_by(&self) -> Option<Signal> {
        self.ended_by
    }

    /// The signals that come.
    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Notes that a signal ended a command, and gives the exit status. All but Ctrl-C end the session, too.
    pub(crate) fn end_by(&mut self, signal: Signal) -> u8 {
        self.ended_by = Some(signal);
        if signal != Signal::Interrupt {
            self.finish();
        }
        signal.status()
    }

    /// Runs `commands` and gives the exit status of the last one.
    ///
    /// The connection of `-c` is opened before the first command begins, as in virsh. A connection of the environment's
    /// URI is opened by the first command that needs it.
    pub(crate) async fn run(&mut self, commands: Vec<Reading>) -> u8 {
        let mut connected = commands.iter().filter_map(|reading| match &reading.work {
            Work::Query(query) => Some((query.checked.is_ok(), None)),
            Work::Connected {
                checked, timeout, ..
            } => Some((checked.is_ok(), *timeout)),
            Work::Local(_) | Work::Session { .. } => None,
        });
        if let Some((true, timeout)) = connected.next() {
            let status = self.open(timeout).await;
            if status != 0 {
                return status;
            }
        }
        let mut status = 0;
        let mut commands = commands.into_iter().peekable();
        while let Some(next) = commands.peek() {
            status = match self.connection.clone() {
                // How long a command takes is not known if others run meanwhile.
                Some(connection) if only_reads(next) && !self.is_timed => {
                    self.ask_side_by_side(&mut commands, &connection).await
                }
                _ => match commands.next() {
                    Some(command) => self.execute(command).await,
                    None => break,
                },
            };
            if self.ends() {
                break;
            }
        }
        status
    }

    /// Whether no further command runs.
    fn ends(&self) -> bool {
        self.is_over || self.ended_by.is_some() || self.terminal.is_closed()
    }

    /// Runs the next commands side by side as far as they only read, prints their answers in their order, and gives the exit
    /// status of the last one.
    async fn ask_side_by_side(
        &mut self,
        commands: &mut Peekable<vec::IntoIter<Reading>>,
        connection: &Connection,
    ) -> u8 {
        let (mut options, mut asking) = (Vec::new(), Vec::new());
        while let Some(query) = commands.next_if(only_reads) {
            let Work::Query(asked) = query.work else {
                break;
            };
            options.push(query.options);
            asking.push(asked.ask(connection));
        }
        let mut answers = stream::iter(asking).buffered(bulk::DEFAULT_PARALLEL);
        let mut status = 0;
        for options in options {
            let conducted = self.conduct(options, true, async |_, ui| {
                ui.uses(connection);
                match answers.next().await {
                    Some(print) => print?(ui),
                    None => Ok(()),
                }
            });
            status = conducted.await;
            if self.ends() {
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

    /// Opens the connection of `-c`, if there is one, within the command's time. Gives the exit status.
    pub(crate) async fn open(&mut self, timeout: Option<Duration>) -> u8 {
        if self.options.connect.is_none() || self.connection.is_some() {
            return 0;
        }
        let ui = self.ui(self.options.printing);
        let signals = self.signals.clone();
        let opened = interruptible(&ui, &signals, self.connection(&ui, timeout)).await;
        let failure = match opened {
            Ok(Ok(_)) => None,
            Ok(Err(failure)) => Some(failure),
            Err(signal) => return self.end_by(signal),
        };
        match (failure, ui.signal()) {
            (_, Some(signal)) => self.end_by(signal),
            (Some(failure), None) => {
                ui.end(&failure);
                1
            }
            (None, None) => 0,
        }
    }

    /// Connects to `uri`, or again to the current URI. If that fails, the old connection stays.
    pub(crate) async fn connect(
        &mut self,
        ui: &Ui,
        uri: Option<String>,
        readonly: bool,
    ) -> Result<(), Failure> {
        let options = ConnectionOptions {
            is_readonly: readonly || (uri.is_none() && self.is_readonly),
            uri: uri.or_else(|| self.options.connect.clone()),
            password_stdin: false,
            keyring: self.options.keyring.clone(),
        };
        let connection = connection::open(&options, ui, None).await?;
        self.is_readonly = options.is_readonly;
        self.options.connect = options.uri;
        if let Some(old) = self.connection.replace(connection) {
            log_out(old).await;
        }
        Ok(())
    }

    /// The names of a kind that the server knows; none without a connection, or if listing fails.
    pub(crate) async fn names(&self, names: &Names) -> Vec<String> {
        match &self.connection {
            Some(connection) => names.of(connection).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Runs a command to its end or to a Ctrl-C, and gives its exit status.
    async fn execute(&mut self, command: Reading) -> u8 {
        let is_closed = match &command.work {
            Work::Query(_) | Work::Connected { .. } => true,
            Work::Local(_) => false,
            Work::Session { is_closed, .. } => *is_closed,
        };
        let work = command.work;
        self.conduct(command.options, is_closed, async |session, ui| {
            session.perform(ui, work).await
        })
        .await
    }

    /// Runs the work of a command to its end or to a Ctrl-C, and gives its exit status.
    async fn conduct(
        &mut self,
        options: Vec<OsString>,
        is_closed: bool,
        work: impl AsyncFnOnce(&mut Self, &Ui) -> Result<(), Failure>,
    ) -> u8 {
        let printing = match self.options.printing.with(options) {
            Ok(printing) => printing,
            Err(failure) => {
                self.terminal.report(&failure);
                return 1;
            }
        };
        let ui = self.ui(printing);
        let begun = Instant::now();
        let signals = self.signals.clone();
        let result = match interruptible(&ui, &signals, work(self, &ui)).await {
            Ok(result) => result,
            Err(signal) => return self.end_by(signal),
        };
        match result {
            // It was not connected yet, and there is nothing to say about that.
            Err(_) if ui.signal().is_some() && self.connection.is_none() => {}
            Err(failure) if !failure.is_closed_output() => ui.end(&failure),
            _ => {}
        }
        if is_closed && ui.signal().is_none_or(|signal| signal == Signal::Interrupt) {
            ui.close(self.is_timed.then(|| begun.elapsed()));
        }
        self.ended_by = None;
        match ui.signal() {
            Some(signal) => self.end_by(signal),
            None => ui.status(),
        }
    }

    async fn perform(&mut self, ui: &Ui, work: Work) -> Result<(), Failure> {
        match work {
            Work::Query(query) => {
                query.checked?;
                let print = (query.ask)(self.connection(ui, None).await?).await?;
                print(ui)
            }
            Work::Connected {
                checked,
                timeout,
                run,
            } => {
                checked?;
                run(ui, self.connection(ui, timeout).await?).await
            }
            Work::Local(run) => run(ui),
            Work::Session { run, .. } => run(ui, self).await,
        }
    }

    /// The connection, which the first caller opens.
    async fn connection(
        &mut self,
        ui: &Ui,
        timeout: Option<Duration>,
    ) -> Result<&Connection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connection::open(&self.connection_options(), ui, timeout).await?,
        };
        ui.uses(&connection);
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

    /// Logs out. Gives up after [`FAREWELL`], or at a signal behind the one that ended the command: if the terminal goes
    /// away, a command that reads it may end before the signal comes.
    pub(crate) async fn end(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let mut farewell = pin!(tokio::time::timeout(FAREWELL, log_out(connection)));
        let mut signals = u8::from(self.ended_by.is_some());
        while signals < 2 {
            tokio::select! {
                _ = &mut farewell => return,
                _ = self.signals.next() => signals += 1,
            }
        }
    }

    fn ui(&self, printing: Printing) -> Ui {
        Ui::new(self.terminal.clone(), printing.format(), printing.quiet)
    }
}

/// Whether a command only reads, so that it can run beside others that do.
fn only_reads(command: &Reading) -> bool {
    matches!(&command.work, Work::Query(query) if query.only_reads)
}

async fn log_out(connection: Connection) {
    if let Err(error) = connection.close().await {
        warn!("Failed to disconnect from the hypervisor: {error}");
    }
}

/// Runs `work` to its end, or to the signal that ended it. A command can [handle](Ui::interruption) the first one itself.
async fn interruptible<T>(
    ui: &Ui,
    signals: &Signals,
    work: impl Future<Output = T>,
) -> Result<T, Signal> {
    let mut work = pin!(work);
    let mut soon = None;
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            signal = signals.next() => {
                if !ui.interrupt(signal) {
                    return Err(signal);
                }
                soon = Some(Instant::now() + AT_ONCE);
            }
            () = sleep_until(soon.unwrap_or_else(Instant::now)), if soon.is_some() => {
                soon = None;
                ui.tell_waiting();
            }
        }
    }
}
