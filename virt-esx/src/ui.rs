//! Output, messages and questions of a command.
//!
//! A command writes to its [`Ui`] while it runs. Each text is written to its stream at once, so a command can
//! print for hours.

mod bars;
pub(crate) mod foreign;
mod input;
mod output;
pub(crate) mod progress;
mod rate;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use esx_driver::vi_client::Client;
use esx_driver::{Connect, Operation};
use serde::Serialize;
use tokio::sync::Notify;

use self::progress::{Progresses, TaskProgress};
use crate::answer::{self, Answer, Format};
use crate::failure::Failure;
use crate::signals::Signal;

pub(crate) use self::input::{Line, read_plain};
pub(crate) use self::output::{Closed, Stderr, Terminal};

/// The exit status of a command of which nobody knows whether the server did it. virsh has 1 for that, too.
const IN_DOUBT: u8 = 3;

/// The output, messages and questions of one command.
#[derive(Debug)]
pub(crate) struct Ui {
    terminal: Terminal,
    format: Format,
    quiet: bool,
    interruption: Interruption,
    has_failed: Cell<bool>,
    is_in_doubt: Cell<bool>,
    /// The clients of the connection that the command uses.
    clients: RefCell<Vec<Client>>,
    is_lent: Cell<bool>,
    /// Whether the standard output is a file's content.
    is_content: Cell<bool>,
}

impl Ui {
    /// A `Ui` that prints in this format; `quiet` is `--quiet`.
    pub(crate) fn new(terminal: Terminal, format: Format, quiet: bool) -> Self {
        Self {
            terminal,
            format,
            quiet,
            interruption: Interruption::default(),
            has_failed: Cell::new(false),
            is_in_doubt: Cell::new(false),
            clients: RefCell::default(),
            is_lent: Cell::new(false),
            is_content: Cell::new(false),
        }
    }

    /// The form of what is printed.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether `--quiet` was given.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The streams that all commands share.
    pub(crate) fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Prints `text`, in every format.
    pub(crate) fn print(&self, text: &str) -> Result<(), Closed> {
        self.terminal.print(text)
    }

    /// Prints a document, or a list of names for programs, as it is, in every format.
    pub(crate) fn document(&self, text: &str) -> Result<(), Closed> {
        self.terminal.print_bytes(text.as_bytes())
    }

    /// Prints a piece of a file's content. No empty line follows behind the command.
    pub(crate) fn content(&self, bytes: &[u8]) -> Result<(), Closed> {
        self.is_content.set(true);
        self.terminal.print_bytes(bytes)
    }

    /// Prints a line in the text format only.
    pub(crate) fn line(&self, line: impl Display) -> Result<(), Closed> {
        match self.format {
            Format::Text => self.print(&format!("{line}\n")),
            Format::Json | Format::Jsonl => Ok(()),
        }
    }

    /// Prints the whole answer of a command that prints once.
    pub(crate) fn answer<A: Answer>(&self, answer: &A) -> Result<(), Closed> {
        self.print(&match self.format {
            Format::Text if answer.is_document() => {
                return self.document(&answer.text(self.quiet));
            }
            Format::Text => answer.text(self.quiet),
            Format::Json => answer::json(A::SCHEMA, answer),
            Format::Jsonl => answer
                .json_lines()
                .unwrap_or_else(|| answer::json_line(A::SCHEMA, answer)),
        })
    }

    /// Prints one item of a stream: `text` in the text format, else a document with this `schema`.
    ///
    /// # Errors
    /// When nobody reads the standard output any more: the stream has to end.
    pub(crate) fn item<T: Serialize>(
        &self,
        schema: &'static str,
        item: &T,
        text: &str,
    ) -> Result<(), Closed> {
        match self.format {
            Format::Text => self.print(text),
            Format::Json => self.print(&answer::json(schema, item)),
            Format::Jsonl => self.print(&answer::json_line(schema, item)),
        }
    }

    /// Reports the failure of a command that prints nothing else: as JSON, too, if that is the format.
    pub(crate) fn end(&self, failure: &Failure) {
        self.failure(failure);
        if self.format != Format::Text && !self.is_content.get() {
            // The stream's end is noted where the program ends.
            let _ = self.item("virt-esx/error/1", &failure.told(), "");
        }
    }

    /// Reports a failure; the command's exit status will be [1 or 3](Self::status).
    pub(crate) fn failure(&self, failure: &Failure) {
        self.has_failed.set(true);
        if failure.is_in_doubt() {
            self.is_in_doubt.set(true);
        }
        self.terminal.report(failure);
    }

    /// Reports a failure with a text that has its `error: ` already; the exit status will be 1.
    pub(crate) fn fail(&self, text: &str) {
        self.has_failed.set(true);
        self.tell(text);
    }

    /// The same with colours of ours in it; what is of others in it is [shown](foreign) already.
    pub(crate) fn fail_styled(&self, text: &str) {
        self.has_failed.set(true);
        self.terminal.tell_styled(text);
    }

    /// Prints `text` on the standard error.
    pub(crate) fn tell(&self, text: &str) {
        self.terminal.tell(text);
    }

    /// Prints a warning; not with `--quiet`.
    pub(crate) fn warn(&self, warning: impl Display) {
        if !self.quiet {
            let warning = warning.to_string();
            let warning = foreign::lines(&warning);
            self.terminal.tell(&format!("warning: {warning}\n"));
        }
    }

    /// Shows progress as the options say.
    pub(crate) fn progresses(&self, options: &progress::Options) -> Progresses {
        Progresses::new(self.terminal.clone(), options)
    }

    /// Awaits an operation on a domain. Ctrl-C cancels its task, and its progress is shown as the options say.
    pub(crate) async fn perform<T>(
        &self,
        operation: Operation<'static, T>,
        options: &progress::Options,
        domain: &str,
    ) -> esx_driver::Result<T> {
        let line = self.progresses(options).begin(domain);
        self.perform_showing(operation, line).await
    }

    /// The same for an operation on a volume.
    pub(crate) async fn perform_on_volume<T>(
        &self,
        operation: Operation<'static, T>,
        options: &progress::Options,
        volume: &str,
    ) -> esx_driver::Result<T> {
        let line = self.progresses(options).begin_volume(volume);
        self.perform_showing(operation, line).await
    }

    /// The same for an operation on the host.
    pub(crate) async fn perform_on_host<T>(
        &self,
        operation: Operation<'static, T>,
        options: &progress::Options,
    ) -> esx_driver::Result<T> {
        let line = self.progresses(options).begin_host();
        self.perform_showing(operation, line).await
    }

    async fn perform_showing<T>(
        &self,
        operation: Operation<'static, T>,
        line: Option<TaskProgress>,
    ) -> esx_driver::Result<T> {
        let operation = operation.cancelled_by(self.interruption().comes());
        // Watching a task costs requests, which is for nothing when no progress is shown.
        match line {
            Some(line) => {
                operation
                    .on_progress(move |progress| line.show(&progress))
                    .await
            }
            None => operation.await,
        }
    }

    /// Ctrl-C, or another signal, for a command that ends in its own way. A second one ends it at once.
    pub(crate) fn interruption(&self) -> Interruption {
        let interruption = self.interruption.clone();
        interruption.0.is_awaited.store(true, Ordering::Relaxed);
        interruption
    }

    /// From here on, nobody handles an [interruption](Self::interruption) but the caller.
    pub(crate) fn end_interruption(&self) {
        let interrupt = &self.interruption.0;
        interrupt.is_awaited.store(false, Ordering::Relaxed);
    }

    /// Takes the Ctrl-C that came as the ordinary end of a command that would go on for ever otherwise: the exit status
    /// is not that of an interruption.
    pub(crate) fn accept_interruption(&self) {
        let mut signal = self.interruption.signal();
        if *signal == Some(Signal::Interrupt) {
            *signal = None;
        }
    }

    /// The same for a service, which ends so by any signal.
    pub(crate) fn accept_every_signal(&self) {
        *self.interruption.signal() = None;
    }

    /// The first signal that came.
    pub(crate) fn signal(&self) -> Option<Signal> {
        *self.interruption.signal()
    }

    /// Whether another program has the terminal, and Ctrl-C is for that.
    pub(crate) fn lend_terminal(&self, is_lent: bool) {
        self.is_lent.set(is_lent);
    }

    /// Passes a signal on to the command. False if the command has to be ended by the caller.
    pub(crate) fn interrupt(&self, signal: Signal) -> bool {
        if self.is_lent.get() && signal == Signal::Interrupt {
            return true;
        }
        self.interruption.tell(signal)
    }

    /// The command works over this connection.
    pub(crate) fn uses(&self, connect: &Connect) {
        let clients = [Some(connect.client()), connect.vcenter()];
        let clients = clients.into_iter().flatten().cloned();
        self.clients.borrow_mut().extend(clients);
    }

    /// Says what an interrupted command waits for.
    pub(crate) fn tell_waiting(&self) {
        if self.quiet || self.signal().is_none() {
            return;
        }
        let clients = self.clients.borrow();
        let mut methods: Vec<_> = clients.iter().flat_map(Client::calls_under_way).collect();
        methods.dedup();
        let what = match methods.as_slice() {
            [] => "the end of what was begun".to_owned(),
            methods => format!("the server's answer to {}", methods.join(", ")),
        };
        self.tell(&format!(
            "interrupted: waiting for {what}; a second Ctrl-C ends at once\n"
        ));
    }

    /// The exit status of the command: 0, 1 if it failed, and 3 if it is not known what came of it.
    pub(crate) fn status(&self) -> u8 {
        match (self.has_failed.get(), self.is_in_doubt.get()) {
            (_, true) => IN_DOUBT,
            (has_failed, false) => u8::from(has_failed),
        }
    }

    /// Ends the output of a command with the empty line that virsh prints behind each, and with the time that it took, if that
    /// is to be told.
    pub(crate) fn close(&self, taken: Option<Duration>) {
        if self.format != Format::Text || self.is_content.get() {
            return;
        }
        let text = match taken {
            Some(taken) => format!("\n(Time: {:.3} ms)\n\n", taken.as_secs_f64() * 1000.0),
            None if self.quiet => return,
            None => "\n".to_owned(),
        };
        // The stream's end is noted where the program ends.
        let _ = self.print(&text);
    }
}

/// Ctrl-C, or another signal that ends programs, for commands that end in their own way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interruption(Arc<Interrupt>);

#[derive(Debug, Default)]
struct Interrupt {
    /// Whether the command handles it.
    is_awaited: AtomicBool,
    /// The first that came.
    signal: Mutex<Option<Signal>>,
    notify: Notify,
}

impl Interruption {
    /// Completes after Ctrl-C.
    pub(crate) async fn comes(self) {
        let notified = self.0.notify.notified();
        if !self.came() {
            notified.await;
        }
    }

    /// Whether it came.
    pub(crate) fn came(&self) -> bool {
        self.signal().is_some()
    }

    fn signal(&self) -> MutexGuard<'_, Option<Signal>> {
        let signal = self.0.signal.lock();
        signal.unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a signal. True if it is the first, and the command handles it.
    fn tell(&self, signal: Signal) -> bool {
        let is_first = {
            let mut first = self.signal();
            let is_first = first.is_none();
            first.get_or_insert(signal);
            is_first
        };
        self.0.notify.notify_waiters();
        is_first && self.0.is_awaited.load(Ordering::Relaxed)
    }
}

/// Whether the locale is one of UTF-8, and the terminal not a dumb one: others get only ASCII characters from us.
pub(crate) fn is_unicode() -> bool {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = locale.into_iter().find_map(variable).unwrap_or_default();
    let locale = locale.to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && !is_dumb()
}

/// Whether the terminal only prints.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
