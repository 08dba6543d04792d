//! virsh's way of reading a command line, put in front of clap.
//!
//! virsh takes every argument of a command by place or by name (`dominfo NAME`,
//! `dominfo --domain NAME`, `dominfo --domain=NAME`), takes `-x` for data, knows no abbreviations,
//! and has its own words for what is wrong. [`canonical`] checks a command line in this way and
//! rewrites it into the one form clap reads: options first, then `--`, then the data in its order.
//! What can be given is read from clap's definition, so a command is defined once.
//!
//! Two things virsh has not: groups of commands (`question list`), and arguments that take several
//! values (`start a b c`), for which `--all` can stand.

use std::collections::VecDeque;
use std::ffi::OsString;

use clap::{Arg, Command};

use crate::failure::Failure;

/// Rewrites `args` (without the program's name) for clap, or says what virsh would say is wrong.
pub(crate) fn canonical(root: &Command, args: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let mut rest = VecDeque::from(args);
    let mut out = take_global_options(root, &mut rest)?;
    let Some(name) = rest.pop_front() else {
        return Ok(out);
    };
    let Some(mut command) = root.find_subcommand(&name) else {
        return Err(Failure::new(format!(
            "unknown command: '{}'",
            name.display()
        )));
    };
    out.push(name);
    if command.has_subcommands() && command.get_name() != "help" {
        if rest
            .front()
            .is_some_and(|word| word == "--help" || word == "-h")
        {
            out.extend(rest);
            return Ok(out);
        }
        command = take_member(command, &mut rest)?;
        out.push(command.get_name().into());
    }
    if command.get_name() == "help" {
        out.extend(rest);
        return Ok(out);
    }

    let mut reader = Reader {
        root,
        command,
        seen: Vec::new(),
        data: Vec::new(),
        options: Vec::new(),
    };
    reader.read(rest)?;
    reader.check_required()?;
    let data = reader.in_order();
    out.extend(reader.options);
    if !data.is_empty() {
        out.push("--".into());
        out.extend(data);
    }
    Ok(out)
}

/// Takes the name of one of a group's commands from the front of `rest`.
fn take_member<'a>(
    group: &'a Command,
    rest: &mut VecDeque<OsString>,
) -> Result<&'a Command, Failure> {
    let name = rest.pop_front().unwrap_or_default();
    group.find_subcommand(&name).ok_or_else(|| {
        let members: Vec<_> = group.get_subcommands().map(Command::get_name).collect();
        Failure::new(format!(
            "command '{}' is followed by one of: {}",
            group.get_name(),
            members.join(", ")
        ))
    })
}

/// Takes the options before the command's name from the front of `rest`.
fn take_global_options(
    root: &Command,
    rest: &mut VecDeque<OsString>,
) -> Result<Vec<OsString>, Failure> {
    let mut out = Vec::new();
    while let Some(token) = rest.pop_front() {
        let text = token.to_string_lossy().into_owned();
        if text == "--" {
            break;
        }
        if !text.starts_with('-') || text == "-" {
            rest.push_front(token);
            break;
        }
        let value_follows = match text.strip_prefix("--") {
            Some(long) => long_needs_value(root, long)?,
            None => cluster_needs_value(root, &text)?,
        };
        out.push(token);
        if let Some(arg) = value_follows {
            let Some(value) = rest.pop_front() else {
                return Err(missing_global_value(arg));
            };
            out.push(value);
        }
    }
    Ok(out)
}

/// The option whose value is the next argument, if the option `--long` takes one and has none yet.
fn long_needs_value<'a>(root: &'a Command, long: &str) -> Result<Option<&'a Arg>, Failure> {
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    match find_long(root, name) {
        Some(arg) => Ok(Some(arg).filter(|arg| value.is_none() && takes_separate_value(arg))),
        None if name == "help" => Ok(None),
        None => Err(unsupported(&format!("--{long}"))),
    }
}

/// The same for the last option of a group of short ones, such as `-qc`.
fn cluster_needs_value<'a>(root: &'a Command, token: &str) -> Result<Option<&'a Arg>, Failure> {
    let mut letters = token.trim_start_matches('-').chars();
    while let Some(letter) = letters.next() {
        match find_short(root, letter) {
            Some(arg) if takes_separate_value(arg) => {
                return Ok(Some(arg).filter(|_| letters.as_str().is_empty()));
            }
            Some(_) => {}
            None if letter == 'h' => {}
            None => return Err(unsupported(&format!("-{letter}"))),
        }
    }
    Ok(None)
}

/// Reads what follows the command's name.
struct Reader<'a> {
    root: &'a Command,
    command: &'a Command,
    /// Ids of the options and arguments given so far.
    seen: Vec<&'a str>,
    /// Arguments by id, in the order they were given.
    data: Vec<(&'a str, OsString)>,
    /// Flags and global options, as they are handed on.
    options: Vec<OsString>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, mut rest: VecDeque<OsString>) -> Result<(), Failure> {
        while let Some(token) = rest.pop_front() {
            let text = token.to_string_lossy().into_owned();
            if text == "--" {
                break;
            }
            match text.strip_prefix("--") {
                Some(long) if long.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                    self.read_option(long, &mut rest)?;
                }
                _ if self.read_short(&text, &mut rest)? => {}
                _ => self.read_data(token)?,
            }
        }
        rest.into_iter().try_for_each(|token| self.read_data(token))
    }

    /// `--NAME`, `--NAME=VALUE` or `--NAME VALUE`.
    fn read_option(&mut self, long: &str, rest: &mut VecDeque<OsString>) -> Result<(), Failure> {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (long, None),
        };
        if name == "help" {
            self.options.push("--help".into());
            return Ok(());
        }
        if let Some(arg) = find_own(self.command, name) {
            self.see(arg, name)?;
            return self.read_own(arg, name, value, rest);
        }
        let Some(arg) = find_long(self.root, name) else {
            let command = self.command.get_name();
            return Err(Failure::new(format!(
                "command '{command}' doesn't support option --{name}"
            )));
        };
        self.options.push(format!("--{long}").into());
        if value.is_none() && takes_separate_value(arg) {
            self.options
                .push(rest.pop_front().ok_or_else(|| missing_global_value(arg))?);
        }
        Ok(())
    }

    /// A flag or an argument of the command itself, given by name.
    fn read_own(
        &mut self,
        arg: &'a Arg,
        name: &str,
        value: Option<OsString>,
        rest: &mut VecDeque<OsString>,
    ) -> Result<(), Failure> {
        if !arg.get_action().takes_values() {
            if value.is_some() {
                return Err(Failure::new(format!("invalid '=' after option --{name}")));
            }
            self.options.push(format!("--{name}").into());
            return Ok(());
        }
        let Some(value) = value.or_else(|| rest.pop_front()) else {
            let kind = if is_number(arg) { "number" } else { "string" };
            return Err(Failure::new(format!("expected syntax: --{name} <{kind}>")));
        };
        if arg.is_positional() {
            self.data.push((arg.get_id().as_str(), value));
        } else {
            let mut option = OsString::from(format!("--{name}="));
            option.push(value);
            self.options.push(option);
        }
        Ok(())
    }

    /// A global option's short form after the command (virsh has none there and takes it for data).
    fn read_short(&mut self, text: &str, rest: &mut VecDeque<OsString>) -> Result<bool, Failure> {
        let mut letters = text.chars();
        let (Some('-'), Some(letter), None) = (letters.next(), letters.next(), letters.next())
        else {
            return Ok(false);
        };
        if letter == 'h' {
            self.options.push(text.into());
            return Ok(true);
        }
        let Some(arg) = find_short(self.root, letter) else {
            return Ok(false);
        };
        self.options.push(text.into());
        if takes_separate_value(arg) {
            self.options
                .push(rest.pop_front().ok_or_else(|| missing_global_value(arg))?);
        }
        Ok(true)
    }

    /// An argument given by place: the first one not given yet, or one that takes several.
    fn read_data(&mut self, token: OsString) -> Result<(), Failure> {
        let is_open = |arg: &&Arg| takes_several(arg) || !self.has(arg);
        let next = self.command.get_positionals().find(is_open);
        let Some(arg) = next else {
            return Err(Failure::new(format!(
                "unexpected data '{}'",
                token.display()
            )));
        };
        self.seen.push(arg.get_id().as_str());
        self.data.push((arg.get_id().as_str(), token));
        Ok(())
    }

    fn see(&mut self, arg: &'a Arg, name: &str) -> Result<(), Failure> {
        if self.has(arg) && !takes_several(arg) {
            return Err(Failure::new(format!("option --{name} already seen")));
        }
        self.seen.push(arg.get_id().as_str());
        Ok(())
    }

    fn has(&self, arg: &Arg) -> bool {
        self.seen.contains(&arg.get_id().as_str())
    }

    fn check_required(&self) -> Result<(), Failure> {
        if self
            .options
            .iter()
            .any(|option| option == "--help" || option == "-h")
        {
            return Ok(());
        }
        let for_all = self.options.iter().any(|option| option == "--all");
        let is_needed = |arg: &Arg| arg.is_required_set() || (takes_several(arg) && !for_all);
        let missing = self
            .command
            .get_positionals()
            .find(|arg| is_needed(arg) && !self.has(arg));
        missing.map_or(Ok(()), |arg| {
            let (command, argument) = (self.command.get_name(), arg.get_id());
            Err(Failure::new(format!(
                "command '{command}' requires <{argument}> option"
            )))
        })
    }

    /// The arguments' values in the order of their places.
    fn in_order(&self) -> Vec<OsString> {
        let values = |arg: &'a Arg| self.data.iter().filter(move |(id, _)| arg.get_id() == id);
        let given = self.command.get_positionals().flat_map(values);
        given.map(|(_, value)| value.clone()).collect()
    }
}

/// The command's own flag or argument of this name (clap copies the global options to it too).
fn find_own<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    let own = |arg: &&Arg| {
        let argument = arg.is_positional() && arg.get_id() == name;
        !arg.is_global_set() && (argument || arg.get_long() == Some(name))
    };
    command.get_arguments().find(own)
}

fn find_long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
}

fn find_short(command: &Command, letter: char) -> Option<&Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_short() == Some(letter))
}

/// Whether the option's value is the next argument (an optional one is only ever given with `=`).
fn takes_separate_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn takes_several(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.max_values() > 1)
}

fn is_number(arg: &Arg) -> bool {
    arg.get_value_names()
        .is_some_and(|names| names.iter().any(|name| name == "number"))
}

fn unsupported(option: &str) -> Failure {
    Failure::new(format!("unsupported option '{option}'. See --help."))
}

fn missing_global_value(arg: &Arg) -> Failure {
    let long = arg.get_long().unwrap_or_default();
    Failure::new(match arg.get_short() {
        Some(short) => format!("option '-{short}'/'--{long}' requires an argument"),
        None => format!("option '--{long}' requires an argument"),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::canonical;
    use crate::cli::Cli;

    fn read(line: &str) -> Result<String, String> {
        let mut root = Cli::command();
        root.build();
        // An empty word is written as ''.
        let args = line.split(' ').filter(|word| !word.is_empty());
        let args = args
            .map(|word| if word == "''" { "" } else { word }.into())
            .collect();
        match canonical(&root, args) {
            Ok(args) => Ok(args.join(" ".as_ref()).into_string().unwrap()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(read(line).as_deref(), Ok(expected), "{line}");
    }

    #[track_caller]
    fn refuses(line: &str, expected: &str) {
        assert_eq!(read(line), Err(format!("error: {expected}\n")), "{line}");
    }

    #[test]
    fn arguments_come_by_place_or_by_name() {
        check("dominfo vm", "dominfo -- vm");
        check("dominfo --domain vm", "dominfo -- vm");
        check("dominfo --domain=vm", "dominfo -- vm");
        check("dominfo -- --all", "dominfo -- --all");
        check("domstate vm --reason", "domstate --reason -- vm");
        check("domstate --reason vm", "domstate --reason -- vm");
        check("freecell 1", "freecell -- 1");
    }

    #[test]
    fn some_arguments_take_several_values() {
        check("start a b c", "start -- a b c");
        check("start a --domain b --paused c", "start --paused -- a b c");
        check("start --all", "start --all");
        check("shutdown a --mode acpi b", "shutdown --mode=acpi -- a b");
    }

    #[test]
    fn groups_have_commands() {
        check("question list", "question list");
        check("question answer a Yes", "question answer -- a Yes");
        check("question answer --answer 1 a", "question answer -- a 1");
        check("question --help", "question --help");
    }

    #[test]
    fn a_dash_and_a_letter_are_data() {
        check("dominfo -x", "dominfo -- -x");
        check("domid -1", "domid -- -1");
    }

    #[test]
    fn global_options_come_before_or_after_the_command() {
        check("-c test:///default list", "-c test:///default list");
        check("-qctest:///default list", "-qctest:///default list");
        check("-qc test:///default list", "-qc test:///default list");
        check("--connect=x list --all", "--connect=x list --all");
        check("list -c x --output json -q", "list -c x --output json -q");
        check("--version=long", "--version=long");
        check("-v", "-v");
    }

    #[test]
    fn help_needs_nothing_else() {
        check("dominfo --help", "dominfo --help");
        check("help dominfo", "help dominfo");
        check("--help", "--help");
    }

    #[test]
    fn refusals_are_virshs() {
        refuses("nosuch", "unknown command: 'nosuch'");
        refuses("dominfo", "command 'dominfo' requires <domain> option");
        refuses(
            "domstate --reason",
            "command 'domstate' requires <domain> option",
        );
        refuses("dominfo a b", "unexpected data 'b'");
        refuses("dominfo --domain a b", "unexpected data 'b'");
        refuses("dominfo a --domain b", "option --domain already seen");
        refuses("dominfo --domain", "expected syntax: --domain <string>");
        refuses("freecell --cellno", "expected syntax: --cellno <number>");
        refuses(
            "list --bogus",
            "command 'list' doesn't support option --bogus",
        );
        refuses(
            "list --state-r",
            "command 'list' doesn't support option --state-r",
        );
        refuses(
            "question",
            "command 'question' is followed by one of: list, show, answer",
        );
        refuses(
            "question nosuch",
            "command 'question' is followed by one of: list, show, answer",
        );
        refuses("start", "command 'start' requires <domain> option");
        refuses("list --all=1", "invalid '=' after option --all");
        refuses("list --all --all", "option --all already seen");
        refuses("list extra", "unexpected data 'extra'");
        refuses("-x list", "unsupported option '-x'. See --help.");
        refuses("--bogus", "unsupported option '--bogus'. See --help.");
        refuses("-c", "option '-c'/'--connect' requires an argument");
        refuses(
            "list --connect",
            "option '-c'/'--connect' requires an argument",
        );
    }
}
