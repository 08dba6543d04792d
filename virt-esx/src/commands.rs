//! The commands: a file for each in the folder of its group, groups as in virsh's `help`.
//!
//! A command is a struct of its options, whose doc comments are the help texts, and one of the traits
//! here. It needs a line in its group's file for its module, and one for its row.

mod change;
mod definition;
mod domain;
mod domain_arg;
mod dumpxml;
mod editor;
mod event_loop;
mod events;
mod file;
pub(crate) mod help;
mod host;
mod interface;
mod interface_arg;
mod monitor;
mod network;
mod network_arg;
mod nodedev;
mod nodedev_arg;
pub(crate) mod number;
mod offline;
pub(crate) mod options;
mod params;
mod pool;
mod pool_arg;
mod question;
mod secret;
mod secret_arg;
pub(crate) mod size;
mod snapshot;
mod state;
mod tree;
pub(crate) mod unsupported;
mod virsh;
mod volume;
mod volume_arg;

use std::time::Duration;

use clap::{ArgMatches, Args};
use futures_util::future::LocalBoxFuture;

use crate::answer::Answer;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// A command that asks a hypervisor, and then prints its answer.
pub(crate) trait Query {
    /// What it prints.
    type Answer: Answer;

    /// Refuses combinations of options before a connection is made.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Asks.
    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure>;
}

/// A command that needs a hypervisor, and prints while it runs.
pub(crate) trait Command {
    /// Refuses combinations of options before a connection is made.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// How long it may take, connecting included.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Runs the command to its end.
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure>;
}

/// A command that needs no hypervisor.
pub(crate) trait LocalCommand {
    /// Runs the command to its end.
    fn run(self, ui: &Ui) -> Result<(), Failure>;
}

/// A command on the session: it changes how later commands run, or needs no hypervisor and is closed by an empty line.
pub(crate) trait SessionCommand {
    /// Whether virsh prints an empty line behind it, as it does behind most.
    const IS_CLOSED: bool = true;

    /// Runs the command to its end.
    async fn run(self, ui: &Ui, session: &mut Session) -> Result<(), Failure>;
}

/// A group of `help`.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    /// What `help` calls it.
    pub(crate) keyword: &'static str,
    pub(crate) rows: &'static [Row],
}

/// The groups in the order of `help`.
pub(crate) static GROUPS: [&Group; 14] = [
    &domain::GROUP,
    &monitor::GROUP,
    &events::GROUP,
    &host::GROUP,
    &interface::GROUP,
    &network::GROUP,
    &nodedev::GROUP,
    &secret::GROUP,
    &snapshot::GROUP,
    &pool::GROUP,
    &volume::GROUP,
    &question::GROUP,
    &offline::GROUP,
    &virsh::GROUP,
];

/// A command's name, definition and implementation.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name; a command of a family has the family's name in front: `question list`.
    pub(crate) name: &'static str,
    /// Another name of it, which `help` does not show.
    alias: Option<&'static str>,
    /// Whether virsh prints an empty line behind it.
    is_closed: bool,
    /// Other names of options with what they stand for, `--persistent=--config`, which `help` does not show.
    renamed: &'static str,
    describe: fn(clap::Command) -> clap::Command,
    decode: fn(&ArgMatches) -> Result<Work, clap::Error>,
}

/// A command that is ready to run.
pub(crate) enum Work {
    /// Asks over a connection, and then prints its answer.
    Query(Asking),
    /// Needs a connection.
    Connected {
        /// The result of checking its options.
        checked: Result<(), Failure>,
        /// How long connecting may take.
        timeout: Option<Duration>,
        run: Connected,
    },
    /// Needs none.
    Local(Local),
    /// Changes the session.
    Session { is_closed: bool, run: OnSession },
}

impl Work {
    /// A command that fails before it asks anything.
    pub(crate) fn failing(failure: Failure, is_closed: bool) -> Self {
        Self::Session {
            is_closed,
            run: Box::new(|_, _| Box::pin(async { Err(failure) })),
        }
    }
}

/// A [`Query`] that is ready to run.
pub(crate) struct Asking {
    /// The result of checking its options.
    pub(crate) checked: Result<(), Failure>,
    /// Whether it only reads, so that it can run beside others that do.
    pub(crate) only_reads: bool,
    pub(crate) ask: Ask,
}

impl Asking {
    /// Asks, and gives what prints the answer.
    pub(crate) async fn ask(self, connection: &Connection) -> Result<Print, Failure> {
        self.checked?;
        (self.ask)(connection).await
    }
}

type Ask = Box<dyn for<'c> FnOnce(&'c Connection) -> LocalBoxFuture<'c, Result<Print, Failure>>>;

/// Prints the answer of a query.
pub(crate) type Print = Box<dyn FnOnce(&Ui) -> Result<(), Failure>>;

/// Behind a pointer, so that the program has one runtime for all commands instead of one for each.
type Connected =
    Box<dyn for<'c> FnOnce(&'c Ui, &'c Connection) -> LocalBoxFuture<'c, Result<(), Failure>>>;

type Local = Box<dyn FnOnce(&Ui) -> Result<(), Failure>>;

type OnSession =
    Box<dyn for<'c> FnOnce(&'c Ui, &'c mut Session) -> LocalBoxFuture<'c, Result<(), Failure>>>;

impl Row {
    /// The row of a [`Query`] that only reads from the server. It runs beside its neighbours on the command line.
    pub(crate) const fn query<Q: Query + Args + 'static>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            is_closed: true,
            renamed: "",
            describe: Q::augment_args,
            decode: |matches| Ok(asking(Q::from_arg_matches(matches)?, true)),
        }
    }

    /// The row of a [`Query`] that changes something, or reads a file. Nothing runs beside it.
    pub(crate) const fn change<Q: Query + Args + 'static>(name: &'static str) -> Self {
        Self {
            decode: |matches| Ok(asking(Q::from_arg_matches(matches)?, false)),
            ..Self::query::<Q>(name)
        }
    }

    /// The row of a [`Command`].
    pub(crate) const fn command<C: Command + Args + 'static>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            is_closed: true,
            renamed: "",
            describe: C::augment_args,
            decode: |matches| {
                let command = C::from_arg_matches(matches)?;
                Ok(Work::Connected {
                    checked: command.check(),
                    timeout: command.timeout(),
                    run: Box::new(|ui, connection| Box::pin(command.run(ui, connection))),
                })
            },
        }
    }

    /// The row of a [`LocalCommand`].
    pub(crate) const fn local<L: LocalCommand + Args + 'static>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            is_closed: false,
            renamed: "",
            describe: L::augment_args,
            decode: |matches| {
                let command = L::from_arg_matches(matches)?;
                Ok(Work::Local(Box::new(|ui| command.run(ui))))
            },
        }
    }

    /// The row of a [`SessionCommand`].
    pub(crate) const fn session<S: SessionCommand + Args + 'static>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            is_closed: S::IS_CLOSED,
            renamed: "",
            describe: S::augment_args,
            decode: |matches| {
                let command = S::from_arg_matches(matches)?;
                Ok(Work::Session {
                    is_closed: S::IS_CLOSED,
                    run: Box::new(|ui, session| Box::pin(command.run(ui, session))),
                })
            },
        }
    }

    /// Gives the command another name, which `help` does not show.
    pub(crate) const fn alias(self, alias: &'static str) -> Self {
        Self {
            alias: Some(alias),
            ..self
        }
    }

    /// Gives options other names, which `help` does not show: `--persistent=--config --shareable=--mode=shareable`.
    pub(crate) const fn renamed(self, renamed: &'static str) -> Self {
        Self { renamed, ..self }
    }

    /// The word that stands for `word`, if that is another name of an option.
    pub(crate) fn new_name(&self, word: &str) -> Result<Option<String>, Failure> {
        unsupported::new_name(self.renamed, word)
    }

    /// Its options and help texts. The name is the last word of [`Row::name`].
    pub(crate) fn definition(&self) -> clap::Command {
        let name = self.name.rsplit(' ').next().unwrap_or(self.name);
        let command = clap::Command::new(name).bin_name(format!("virt-esx {}", self.name));
        (self.describe)(command)
    }

    /// Whether virsh prints an empty line behind it, as it does behind most.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The command with the options of `matches`, which clap read by its [`definition`](Self::definition).
    pub(crate) fn decode(&self, matches: &ArgMatches) -> Result<Work, clap::Error> {
        (self.decode)(matches)
    }
}

fn asking<Q: Query + 'static>(query: Q, only_reads: bool) -> Work {
    Work::Query(Asking {
        checked: query.check(),
        only_reads,
        ask: Box::new(|connection| {
            Box::pin(async move {
                let answer = query.ask(connection).await?;
                Ok(Box::new(move |ui: &Ui| Ok(ui.answer(&answer)?)) as Print)
            })
        }),
    })
}

/// All commands that there are.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|group| group.rows)
}

/// The command of this name, which may be another name of it.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    rows().find(|row| row.name == name || row.alias == Some(name))
}

/// The commands of the family `name`, such as `question`.
pub(crate) fn family(name: &str) -> impl Iterator<Item = (&'static str, &'static Row)> {
    rows().filter_map(move |row| {
        let member = row.name.strip_prefix(name)?.strip_prefix(' ')?;
        Some((member, row))
    })
}

/// What a family of commands is for.
pub(crate) fn family_title(name: &str) -> &'static str {
    let mut groups = GROUPS.iter();
    let group = groups.find(|group| group.keyword == name);
    group.map_or("", |group| group.title)
}

/// The name of the command that is most like `name`, if one is similar enough.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(rows().map(|row| row.name).chain(unsupported::names()), name)
}

/// The one of `names` that is most like `name`, if one is similar enough.
pub(crate) fn nearest_of<'a>(names: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let likeness = names.map(|known| (strsim::jaro_winkler(known, name), known));
    let near = likeness.filter(|(likeness, _)| *likeness > 0.8);
    near.max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}
