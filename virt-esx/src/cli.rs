use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser};

use crate::answer::Format;
use crate::argv;
use crate::commands::Command;
use crate::failure::Failure;
use crate::log;
use crate::outcome::Outcome;

/// virsh's commands for VMware ESX(i) hosts and vCenters.
///
/// Every argument of a command can be given by place or by name: `dominfo NAME` and
/// `dominfo --domain NAME` are the same.
///
/// The connection URI is the one after -c, or else the environment's VIRSH_DEFAULT_CONNECT_URI or
/// LIBVIRT_DEFAULT_URI: esx://[USER@]HOST[:PORT]/, gsx://…, vpx://[USER@]VCENTER/DATACENTER/HOST,
/// or test:///default and test:///vcenter for simulated ones.
///
/// The password is never an argument. It is taken from the standard input with --password-stdin,
/// else from libvirt's auth.conf, else from the environment's VIRT_ESX_PASSWORD (the user from
/// VIRT_ESX_USER), else it is asked for on the terminal.
#[derive(Debug, Parser)]
#[command(name = "virt-esx", disable_version_flag = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

/// The options every command has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// hypervisor connection URI
    #[arg(short, long, value_name = "URI", global = true)]
    pub(crate) connect: Option<String>,

    /// form of what is printed
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        global = true
    )]
    pub(crate) output: Format,

    /// read the password from the standard input's first line
    #[arg(long, global = true)]
    pub(crate) password_stdin: bool,

    /// print no table headers, no empty line at the end and no warnings
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// print what the libraries report; twice or three times for more
    #[arg(long, action = ArgAction::Count, global = true)]
    verbose: u8,

    /// print the version; TYPE is short or long
    #[arg(short = 'v', long, value_name = "TYPE", num_args = 0..=1, require_equals = true,
          default_missing_value = "short")]
    version: Option<String>,

    /// print the long version
    #[arg(short = 'V')]
    long_version: bool,
}

/// Runs the command line `args` (without the program's name) to its end.
pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(outcome) => return outcome,
    };
    if let Some(version) = cli.version() {
        return Outcome::success(version);
    }
    let Some(command) = cli.command else {
        let help = Cli::command().render_help().to_string();
        return Outcome {
            stderr: help,
            status: 1,
            ..Outcome::default()
        };
    };
    log::start(cli.global.verbose, cli.global.quiet);
    command.run(&cli.global)
}

fn parse(args: Vec<OsString>) -> Result<Cli, Outcome> {
    let mut command = Cli::command();
    command.build();
    let canonical =
        argv::canonical(&command, args).map_err(|failure| Outcome::refused(&failure))?;
    let args = std::iter::once("virt-esx".into()).chain(canonical);
    let matches = command.try_get_matches_from(args);
    matches
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| refused(&error))
}

/// What clap stopped for: help to print, or one of the few mistakes [`argv`] leaves to it.
fn refused(error: &clap::Error) -> Outcome {
    let text = error.render().to_string();
    let reason = match error.kind() {
        ErrorKind::DisplayHelp => return Outcome::success(text),
        ErrorKind::InvalidSubcommand => {
            let name = error.get(ContextKind::InvalidSubcommand);
            let name = name.map(ToString::to_string).unwrap_or_default();
            format!("command or command group '{name}' doesn't exist")
        }
        // The first paragraph is what is wrong and what would be right.
        _ => {
            let lines = text
                .lines()
                .take_while(|line| !line.is_empty())
                .map(str::trim);
            let text = lines.collect::<Vec<_>>().join(" ");
            text.strip_prefix("error: ").unwrap_or(&text).to_owned()
        }
    };
    Outcome::refused(&Failure::new(reason))
}

impl Cli {
    /// The text of the version that was asked for, if one was.
    fn version(&self) -> Option<String> {
        let short = concat!(env!("CARGO_PKG_VERSION"), "\n");
        let long = concat!(
            "virt-esx ",
            env!("CARGO_PKG_VERSION"),
            "\nHypervisors: VMware ESX(i) 3.5 or newer, GSX 2.0, vCenter 2.5 or newer; simulated ones\n"
        );
        if self.global.long_version || self.global.version.as_deref() == Some("long") {
            return Some(long.to_owned());
        }
        self.global.version.as_ref().map(|_| short.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
