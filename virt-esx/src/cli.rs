use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;

use clap::{ArgAction, Args, Command, FromArgMatches as _};

use crate::answer::Format;
use crate::commands::{self, Row};
use crate::failure::Failure;
use crate::log;
use crate::manual;
use crate::reader::{self, Reading};
use crate::session::Session;
use crate::shell;
use crate::ui::{Stderr, Terminal};
use crate::words;

/// virsh's commands for VMware ESX(i) hosts and vCenters.
///
/// Without a command, virt-esx is a shell: it reads commands from the terminal or from another standard input. A single
/// argument can hold several commands: `virt-esx 'list; dominfo NAME'`. They share one connection.
///
/// Every argument of a command can be given by place or by name: `dominfo NAME` and
/// `dominfo --domain NAME` are the same.
///
/// The connection URI is given with `-c`, else by the environment: `esx://[USER@]HOST[:PORT]/`, `gsx://...`,
/// `vpx://[USER@]VCENTER/DATACENTER/HOST`, or `test:///default` and `test:///vcenter` for simulated ones.
///
/// The password is never an argument. It comes from the standard input with `--password-stdin`, else from
/// libvirt's auth.conf, else from the environment, else from the terminal.
///
/// `virt-esx man` shows the manual: parameters of URIs, files, examples, and how commands end.
#[derive(Debug, Args)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(flatten)]
    general: General,

    /// print this help
    #[arg(short, long)]
    help: bool,

    /// print the version; TYPE is short or long
    #[arg(short = 'v', long, value_name = "TYPE", num_args = 0..=1, require_equals = true,
          default_missing_value = "short")]
    version: Option<String>,

    /// print the long version
    #[arg(short = 'V')]
    long_version: bool,
}

/// Options of virsh's that stand in front of the command only.
#[derive(Debug, Args)]
struct General {
    /// messages of the libraries: 0 many, 1 some, 2 to 4 warnings only
    #[arg(short, long, value_name = "NUM", allow_hyphen_values = true)]
    debug: Option<String>,

    /// file to which messages are written, too
    #[arg(short, long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// print how long each command takes
    #[arg(short, long)]
    timing: bool,

    /// taken for virsh's sake, without effect: seconds between keepalive messages
    #[arg(short, long, value_name = "NUM", allow_hyphen_values = true)]
    keepalive_interval: Option<String>,

    /// taken for virsh's sake, without effect: number of keepalive messages
    #[arg(short = 'K', long, value_name = "NUM", allow_hyphen_values = true)]
    keepalive_count: Option<String>,

    /// taken for virsh's sake, without effect: escape sequence of consoles
    #[arg(short, long, value_name = "CHAR")]
    escape: Option<String>,
}

impl General {
    /// Refuses what virsh refuses, in its words.
    fn check(&self) -> Result<(), Failure> {
        let is_number = |text: &str| text.parse::<i32>().is_ok();
        if self.debug.as_deref().is_some_and(|level| !is_number(level)) {
            return Err(Failure::new("option -d takes a numeric argument"));
        }
        let counts = [
            ('k', &self.keepalive_interval),
            ('K', &self.keepalive_count),
        ];
        for (name, text) in counts {
            match text.as_deref().map(str::parse::<i32>) {
                Some(Err(_)) => {
                    return Err(Failure::new(format!("Invalid value for option -{name}")));
                }
                Some(Ok(..0)) => {
                    return Err(Failure::new(format!(
                        "option -{name} requires a positive integer argument"
                    )));
                }
                _ => {}
            }
        }
        let escape = self.escape.as_deref().unwrap_or("^]");
        let is_one = match escape.strip_prefix('^') {
            Some(letter) => letter.chars().count() == 1,
            None => escape.chars().count() == 1,
        };
        match is_one {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "Invalid string '{escape}' for escape sequence"
            ))),
        }
    }

    /// How many `--verbose` the level of `--debug` is. virsh ignores a level that is out of range, and says so.
    fn verbosity(&self, terminal: &Terminal) -> u8 {
        let level = self
            .debug
            .as_deref()
            .and_then(|level| level.parse::<i32>().ok());
        match level {
            Some(0) => 2,
            Some(1) => 1,
            Some(2..=4) | None => 0,
            Some(level) => {
                let text = format!("ignoring debug level {level} out of range [0-4]");
                terminal.report(&Failure::new(text));
                0
            }
        }
    }

    /// The file of `--log`.
    fn log_file(&self) -> Result<Option<File>, Failure> {
        let open = |path| OpenOptions::new().append(true).create(true).open(path);
        let file = self.log.as_ref().map(open).transpose();
        file.map_err(|_| Failure::new("failed to open the log file. check the log file path"))
    }
}

/// The options that can stand behind every command, too.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// hypervisor connection URI
    #[arg(short, long, value_name = "URI")]
    pub(crate) connect: Option<String>,

    #[command(flatten)]
    pub(crate) printing: Printing,

    /// refuse to change anything
    #[arg(short, long)]
    pub(crate) readonly: bool,

    /// read the password from the first line of the standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,

    /// file that keeps secrets; without it, they are forgotten when virt-esx ends
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring: Option<PathBuf>,

    /// print the libraries' messages; twice or three times for more
    #[arg(long, action = ArgAction::Count)]
    verbose: u8,
}

/// The options that can differ between the commands of a session.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Printing {
    /// form of what is printed
    #[arg(long, value_name = "FORMAT", value_enum)]
    output: Option<Format>,

    /// print no table headers, no empty line at the end and no warnings
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Runs the command line `args` (without the program's name) to its end, and gives the exit status.
pub(crate) fn run(args: Vec<OsString>) -> u8 {
    let terminal = Terminal::new();
    let status = match CommandLine::read(args) {
        Ok(line) => line.run(&terminal),
        Err(failure) => {
            terminal.report(&failure);
            1
        }
    };
    terminal.exit_status(status)
}

/// A command line that was read.
struct CommandLine {
    cli: Cli,
    /// None of them for a shell.
    commands: Option<Vec<Reading>>,
}

impl CommandLine {
    fn read(args: Vec<OsString>) -> Result<Self, Failure> {
        let definition = Cli::definition();
        let mut rest = VecDeque::from(args);
        let mut options = reader::take_options(&definition, &mut rest)?;
        let commands = match rest.len() {
            0 => None,
            // A single argument is a text of commands.
            1 => Some(read_text(&rest[0].to_string_lossy())?),
            _ => {
                let shared = Global::augment_args(Command::new("virt-esx"));
                let mut reading = reader::read(rest.into(), &shared)?;
                options.append(&mut reading.options);
                Some(vec![reading])
            }
        };
        let matches = reader::decode(definition, options).map_err(Failure::from)?;
        let cli =
            Cli::from_arg_matches(&matches).map_err(|error| Failure::new(error.to_string()))?;
        cli.general.check()?;
        Ok(Self { cli, commands })
    }

    fn run(self, terminal: &Terminal) -> u8 {
        if let Some(text) = self.cli.text() {
            // The stream's end is noted where the program ends.
            let _ = terminal.print(&text);
            return 0;
        }
        let Cli {
            global, general, ..
        } = self.cli;
        let log_file = match general.log_file() {
            Ok(file) => file,
            Err(failure) => {
                terminal.report(&failure);
                return 1;
            }
        };
        let verbose = global.verbose.max(general.verbosity(terminal));
        // A shell shows the warnings of each of its commands.
        let _sums = log::start(
            verbose,
            global.printing.quiet,
            self.commands.is_some(),
            Stderr(terminal.clone()),
            log_file,
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                terminal.report(&Failure::because("cannot start", error));
                return 1;
            }
        };
        let status = runtime.block_on(async {
            let mut session = Session::new(terminal.clone(), global, self.commands.is_none());
            session.time_commands(general.timing);
            let status = match self.commands {
                Some(commands) => session.run(commands).await,
                None => shell::run(&mut session).await,
            };
            session.end().await;
            status
        });
        // A thread that still reads or looks a name up does not hold the program.
        runtime.shutdown_background();
        status
    }
}

/// Reads the commands of a text, in which only the options of [`Printing`] stand behind a command.
///
/// # Errors
/// What virsh would say is wrong with the first command that has a mistake.
pub(crate) fn read_text(text: &str) -> Result<Vec<Reading>, Failure> {
    let shared = Printing::augment_args(Command::new("virt-esx"));
    let commands = words::split(text)?.into_iter();
    commands.map(|words| reader::read(words, &shared)).collect()
}

impl Cli {
    /// The options in front of the command.
    pub(crate) fn definition() -> Command {
        let command = Command::new("virt-esx").max_term_width(WIDEST);
        Self::augment_args(command).disable_help_flag(true)
    }

    /// The text to print instead of running something, if one was asked for.
    fn text(&self) -> Option<String> {
        if self.help {
            return Some(help());
        }
        let short = concat!(env!("CARGO_PKG_VERSION"), "\n");
        let long = concat!(
            "virt-esx ",
            env!("CARGO_PKG_VERSION"),
            "\nHypervisors: VMware ESX(i) 3.5 or newer, GSX 2.0, vCenter 2.5 or newer; simulated ones\n"
        );
        if self.long_version || self.version.as_deref() == Some("long") {
            return Some(long.to_owned());
        }
        self.version.as_ref().map(|_| short.to_owned())
    }
}

impl Printing {
    /// These options of a command; what it leaves open is as in `self`.
    pub(crate) fn with(self, words: Vec<OsString>) -> Result<Self, Failure> {
        let definition = Self::augment_args(Command::new("virt-esx"));
        let matches = reader::decode(definition, words).map_err(Failure::from)?;
        let own =
            Self::from_arg_matches(&matches).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self {
            output: own.output.or(self.output),
            quiet: own.quiet || self.quiet,
        })
    }

    /// The form of what is printed.
    pub(crate) fn format(self) -> Format {
        self.output.unwrap_or_default()
    }
}

/// The text of `virt-esx --help`.
fn help() -> String {
    let mut command = Cli::definition()
        .override_usage("virt-esx [OPTIONS] [COMMAND [ARGUMENTS]]")
        .after_long_help(commands::help::groups());
    let text = command.render_long_help().to_string();
    // clap would fill the lines of these sections anew.
    let sections = ["Exit status", "Environment"].map(|title| manual::section(title, width()));
    format!("{text}\n{}", sections.join("\n"))
}

/// How many columns a line of help has: those of the terminal, but not too many to read.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    terminal.map_or(WIDEST, |(width, _)| usize::from(width.0).min(WIDEST))
}

/// The most columns of a line of help.
const WIDEST: usize = 100;

/// The help of a command, with the options of all commands.
pub(crate) fn command_help(row: &Row) -> String {
    let definition = row.definition();
    let about = definition.get_about().cloned().unwrap_or_default();
    let long_about = definition.get_long_about().unwrap_or(&about).clone();
    // `migrate` has a `--verbose` of its own.
    let shared = Global::augment_args(Command::new(""));
    let shared: Vec<_> = shared
        .get_arguments()
        .filter(|shared| {
            definition
                .get_arguments()
                .all(|own| own.get_id() != shared.get_id())
        })
        .cloned()
        .collect();
    let mut command = definition
        .args(shared)
        .about(about)
        .long_about(long_about)
        .max_term_width(WIDEST);
    command.render_long_help().to_string()
}

/// All commands and options, for completion scripts.
pub(crate) fn tree() -> Command {
    let shared = Global::augment_args(Command::new(""));
    let shared: Vec<_> = shared
        .get_arguments()
        .map(|arg| arg.get_id().clone())
        .collect();
    let mut root = Cli::definition()
        .mut_args(|arg| {
            let is_shared = shared.contains(arg.get_id());
            arg.global(is_shared)
        })
        // There is one of our own.
        .disable_help_subcommand(true);
    for row in commands::rows() {
        let definition = row.definition();
        root = match row.name.split_once(' ') {
            None => root.subcommand(definition),
            Some((family, _)) if root.find_subcommand(family).is_some() => {
                root.mut_subcommand(family, |family| family.subcommand(definition))
            }
            Some((family, _)) => {
                let about = commands::family_title(family);
                let family = Command::new(family).about(about);
                root.subcommand(family.subcommand(definition))
            }
        };
    }
    root
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definitions_are_consistent() {
        super::tree().debug_assert();
    }

    #[test]
    fn every_command_has_help() {
        for row in super::commands::rows() {
            let help = super::command_help(row);
            let usage = format!("Usage: virt-esx {}", row.name);
            assert!(help.contains(&usage), "{help}");
            assert!(help.contains("--output"), "{help}");
            // Every terminal and every locale shows it.
            assert!(help.is_ascii(), "{help}");
        }
    }
}
