//! The commands of virsh that virt-esx does not have. Libvirt's ESX driver does not support most of them; the others
//! are not implemented yet.
//!
//! Each fails as it does in virsh, with libvirt's text for a function that the connection driver lacks. Before that, it
//! checks what virsh checks: options that exclude each other, numbers, files, the domain.
//!
//! The table is in `unsupported/`, a file for each group of virsh's `help`. A block is a command:
//!
//! ```text
//! domjobinfo <domain> [--completed] [--keep-completed] [--anystats] [--rawstats]
//!     help domain job information
//!     needs --keep-completed --completed
//!     domain
//!     call --completed|--rawstats: Optional flags or --rawstats are not supported by the daemon | virDomainGetJobStats
//!     call: virDomainGetJobInfo
//! ```
//!
//! The first line is the synopsis of `virsh help domjobinfo`. The lines below it are [headers](Unsupported)
//! and [steps](Step), which run in their order.
//!
//! Source: virsh 9.0.0, run on esx-sim. The commands below `# libvirt 10.2.0` and the like are of that version.

mod step;
mod synopsis;

use clap::{Arg, ArgAction, ArgMatches};

use self::step::Step;
use self::synopsis::{Kind, Parameter};
use super::Work;
use super::number::Number;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// The table, in the order of virsh's `help`.
const TABLE: [&str; 8] = [
    include_str!("unsupported/domain.txt"),
    include_str!("unsupported/monitor.txt"),
    include_str!("unsupported/host.txt"),
    include_str!("unsupported/checkpoint.txt"),
    include_str!("unsupported/filter.txt"),
    include_str!("unsupported/network.txt"),
    include_str!("unsupported/nodedev.txt"),
    include_str!("unsupported/backup.txt"),
];

/// A command of virsh that virt-esx does not have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsupported {
    synopsis: &'static str,
    /// The lines below the synopsis.
    lines: &'static str,
}

/// The command of this name.
pub(crate) fn find(name: &str) -> Option<Unsupported> {
    commands().find(|command| command.name() == name)
}

/// The names of all commands in the table.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    commands().map(|command| command.name())
}

fn commands() -> impl Iterator<Item = Unsupported> {
    let blocks = TABLE.iter().flat_map(|group| group.split("\n\n"));
    blocks.map(|block| {
        let block = block.trim_start_matches('\n');
        let block = match block.starts_with('#') {
            true => block.split_once('\n').map_or("", |(_, block)| block),
            false => block,
        };
        let (synopsis, lines) = block.split_once('\n').unwrap_or((block, ""));
        Unsupported { synopsis, lines }
    })
}

impl Unsupported {
    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        let end = self.synopsis.find(' ').unwrap_or(self.synopsis.len());
        &self.synopsis[..end]
    }

    /// What it does, in a line.
    fn about(&self) -> &'static str {
        self.header("help").unwrap_or_default()
    }

    /// What follows the word `name` at the start of one of its lines. There are the headers
    ///
    /// - `help`: what the command does;
    /// - `named`: the options that cannot be given by place, only by name;
    /// - `numbers`: the required options whose type is a number;
    /// - `renamed`: old names of options with their new ones, `--kilobytes=--size`, which `help` does not show.
    fn header(&self, name: &str) -> Option<&'static str> {
        let mut lines = self.lines.lines().map(str::trim_start);
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let options = |header| {
            let options = self.header(header).unwrap_or_default().split(' ');
            options.filter_map(|option| option.strip_prefix("--"))
        };
        let mut parameters = synopsis::parameters(self.synopsis);
        for parameter in &mut parameters {
            parameter.is_by_name |= options("named").any(|name| name == parameter.name);
            if options("numbers").any(|name| name == parameter.name) {
                parameter.kind = Kind::Number;
            }
        }
        parameters
    }

    fn steps(&self) -> impl Iterator<Item = Step> {
        let lines = self.lines.lines().map(str::trim_start);
        let is_step = |line: &&str| {
            let word = line.split(' ').next().unwrap_or_default();
            !["help", "named", "numbers", "renamed", ""].contains(&word)
        };
        lines.filter(is_step).map(Step::parse)
    }

    /// Its options, with virsh's types and marks.
    pub(crate) fn definition(&self) -> clap::Command {
        let args = self.parameters().into_iter().map(argument);
        clap::Command::new(self.name()).args(args)
    }

    /// Its help, in virsh's layout.
    pub(crate) fn help(&self) -> String {
        let (name, about, synopsis) = (self.name(), self.about(), self.synopsis);
        let description = match self.steps().any(|step| matches!(step, Step::Later(..))) {
            true => "virt-esx does not have this command yet.",
            false => "libvirt's ESX driver does not support this command; it only fails.",
        };
        format!(
            "  NAME\n    {name} - {about}\n\n  SYNOPSIS\n    {synopsis}\n\n  DESCRIPTION\n    {description}\n"
        )
    }

    /// The word that stands for `word`, if that is an old name of an option.
    pub(crate) fn new_name(&self, word: &str) -> Result<Option<String>, Failure> {
        new_name(self.header("renamed").unwrap_or_default(), word)
    }

    /// The command with the options of `matches`, which clap read by its [`definition`](Self::definition).
    pub(crate) fn work(self, matches: ArgMatches) -> Work {
        Work::Connected {
            checked: Ok(()),
            timeout: None,
            run: Box::new(move |ui, connection| Box::pin(self.run(matches, ui, connection))),
        }
    }

    /// Checks what virsh checks, and fails with libvirt's text for the function that is missing.
    ///
    /// # Errors
    /// That, or what virsh says of what the command was given.
    async fn run(
        self,
        matches: ArgMatches,
        ui: &Ui,
        connection: &Connection,
    ) -> Result<(), Failure> {
        for step in self.steps() {
            if step
                .run(self.name(), &matches, ui, connection)
                .await?
                .is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The word that stands for `word` by these pairs of an old name of an option and what it means:
/// `--kilobytes=--size --shareable=--mode=shareable`.
///
/// # Errors
/// virsh's text if `word` has a value, and what it means has one already.
pub(crate) fn new_name(pairs: &'static str, word: &str) -> Result<Option<String>, Failure> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let mut pairs = pairs.split(' ').filter_map(|pair| pair.split_once('='));
    let Some((_, new)) = pairs.find(|(old, _)| *old == name) else {
        return Ok(None);
    };
    match value {
        Some(_) if new.contains('=') => {
            Err(Failure::new(format!("invalid '=' after option {name}")))
        }
        Some(value) => Ok(Some(format!("{new}={value}"))),
        None => Ok(Some(new.to_owned())),
    }
}

fn argument(parameter: Parameter) -> Arg {
    let arg = Arg::new(parameter.name);
    let (arg, of_value) = match parameter.kind {
        Kind::Flag => return arg.long(parameter.name).action(ArgAction::SetTrue),
        Kind::Text => (arg, "string"),
        Kind::Number => (arg.value_parser(Number::parser()), "number"),
        Kind::List => (arg.num_args(0..).action(ArgAction::Append), "string"),
    };
    let arg = match parameter.is_by_name {
        true => arg.long(parameter.name).value_name(of_value),
        false => arg.value_name(parameter.name),
    };
    arg.required(parameter.is_required)
        .allow_hyphen_values(true)
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::{commands, find, names};

    #[test]
    fn every_name_is_found_once() {
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(count > 100, "{count}");
        for name in all {
            assert_eq!(find(name).map(|command| command.name()), Some(name));
        }
        assert!(find("").is_none());
    }

    #[test]
    fn every_block_is_complete() {
        for command in commands() {
            let name = command.name();
            assert!(!command.about().is_empty(), "{name}");
            command.definition().debug_assert();
            let last = command.steps().last();
            assert!(last.is_some_and(|step| step.is_end()), "{name}");
        }
    }

    #[test]
    fn what_virt_esx_has_is_not_in_the_table() {
        for row in rows() {
            assert!(
                find(row.name).is_none(),
                "remove {} from the table in src/commands/unsupported/",
                row.name
            );
        }
    }

    #[test]
    fn steps_and_headers_name_options_of_the_command() {
        for command in commands() {
            let parameters = command.parameters();
            for option in command.steps().flat_map(|step| step.options()) {
                let is_known = parameters.iter().any(|parameter| parameter.name == option);
                assert!(is_known, "{} has no {option}", command.name());
            }
            for header in ["named", "numbers"] {
                for option in command.header(header).unwrap_or_default().split(' ') {
                    let option = option.trim_start_matches("--");
                    let is_known = parameters.iter().any(|parameter| parameter.name == option);
                    assert!(
                        option.is_empty() || is_known,
                        "{} has no {option}",
                        command.name()
                    );
                }
            }
        }
    }
}
