//! virsh's way of reading a command line.
//!
//! virsh takes every argument of a command by place or by name (`dominfo NAME`,
//! `dominfo --domain NAME`, `dominfo --domain=NAME`), takes `-x` for data, knows no abbreviations,
//! and has error texts of its own. [`read`] assigns each word to an option or argument of the command's
//! definition. clap gets these pairs and makes the command's struct of them; it checks types, fills in
//! defaults and finds what is missing.
//!
//! Two things are not virsh's: families of commands (`question list`), and options of all commands behind
//! the command's name.

use std::any::TypeId;
use std::collections::VecDeque;
use std::ffi::OsString;

use clap::builder::Str;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

use crate::commands::number::Number;
use crate::commands::unsupported::{self, Unsupported};
use crate::commands::{self, Row, Work, help};
use crate::failure::Failure;

/// A command that was read.
pub(crate) struct Reading {
    /// What to run.
    pub(crate) work: Work,
    /// The options of all commands that followed its name, for [`decode`].
    pub(crate) options: Vec<OsString>,
}

/// Reads the words of one command. `shared` defines the options that can follow every command's name.
///
/// # Errors
/// virsh's text for the first mistake.
pub(crate) fn read(words: Vec<OsString>, shared: &Command) -> Result<Reading, Failure> {
    let mut rest = VecDeque::from(words);
    let Some(found) = take_name(&mut rest)? else {
        // The words of a family's help.
        let words = rest
            .into_iter()
            .map(|word| word.to_string_lossy().into_owned());
        return Ok(Reading {
            work: help::work(words.collect()),
            options: Vec::new(),
        });
    };
    for word in &mut rest {
        if let Some(new) = found.new_name(&word.to_string_lossy())? {
            *word = new.into();
        }
    }
    let definition = found.definition();
    let mut reader = Reader::new(&definition, shared);
    reader.read(rest)?;
    let Reader {
        pairs,
        options,
        wants_help,
        ..
    } = reader;
    let work = match wants_help {
        true => help::work(vec![found.name().to_owned()]),
        false => match decode(definition, pairs) {
            Ok(matches) => found
                .work(matches)
                .map_err(|error| first_paragraph(&error))?,
            Err(Mistake::Before(failure)) => return Err(failure),
            Err(Mistake::Within(failure)) => Work::failing(failure, found.is_closed()),
        },
    };
    Ok(Reading { work, options })
}

/// The command that a name means.
enum Found {
    Row(&'static Row),
    Unsupported(Unsupported),
}

impl Found {
    fn name(&self) -> &'static str {
        match self {
            Self::Row(row) => row.name,
            Self::Unsupported(command) => command.name(),
        }
    }

    fn definition(&self) -> Command {
        match self {
            Self::Row(row) => row.definition(),
            Self::Unsupported(command) => command.definition(),
        }
    }

    /// The word that stands for `word`, if that is another name of an option.
    fn new_name(&self, word: &str) -> Result<Option<String>, Failure> {
        match self {
            Self::Row(row) => row.new_name(word),
            Self::Unsupported(command) => command.new_name(word),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Row(row) => row.is_closed(),
            Self::Unsupported(_) => true,
        }
    }

    fn work(&self, matches: ArgMatches) -> Result<Work, clap::Error> {
        match self {
            Self::Row(row) => row.decode(&matches),
            Self::Unsupported(command) => Ok(command.work(matches)),
        }
    }
}

/// Takes the name of a command from the front of `rest`. `None` for the help of a family, whose name is left.
fn take_name(rest: &mut VecDeque<OsString>) -> Result<Option<Found>, Failure> {
    let name = rest.pop_front().unwrap_or_default();
    let text = name.to_string_lossy();
    if let Some(row) = commands::find(&text) {
        return Ok(Some(Found::Row(row)));
    }
    if let Some(command) = unsupported::find(&text) {
        return Ok(Some(Found::Unsupported(command)));
    }
    let members: Vec<_> = commands::family(&text).collect();
    if members.is_empty() {
        let failure = Failure::new(format!("unknown command: '{text}'"));
        return Err(match commands::nearest(&text) {
            Some(nearest) => failure.advise(format!("did you mean '{nearest}'?")),
            None => failure,
        });
    }
    let member = rest.pop_front().unwrap_or_default();
    if member == "--help" || member == "-h" {
        *rest = [name].into();
        return Ok(None);
    }
    match members.iter().find(|(name, _)| member == *name) {
        Some((_, row)) => Ok(Some(Found::Row(row))),
        None => {
            let members: Vec<_> = members.iter().map(|(name, _)| *name).collect();
            Err(Failure::new(format!(
                "command '{text}' is followed by one of: {}",
                members.join(", ")
            )))
        }
    }
}

/// Takes the options in front of the command's name from `rest`, for [`decode`].
///
/// # Errors
/// virsh's text for the first mistake.
pub(crate) fn take_options(
    definition: &Command,
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
            Some(long) => long_needs_value(definition, long)?,
            None => cluster_needs_value(definition, &text)?,
        };
        out.push(token);
        if let Some(arg) = value_follows {
            out.push(rest.pop_front().ok_or_else(|| missing_value(arg))?);
        }
    }
    Ok(out)
}

/// The option whose value is the next word, if the option `--long` takes one and has none yet.
fn long_needs_value<'a>(definition: &'a Command, long: &str) -> Result<Option<&'a Arg>, Failure> {
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    match find_long(definition, name) {
        Some(arg) => Ok(Some(arg).filter(|arg| value.is_none() && takes_separate_value(arg))),
        None => Err(unsupported(&format!("--{long}"))),
    }
}

/// The same for the last option of a cluster of short ones, such as `-qc`.
fn cluster_needs_value<'a>(
    definition: &'a Command,
    token: &str,
) -> Result<Option<&'a Arg>, Failure> {
    let mut letters = token.trim_start_matches('-').chars();
    while let Some(letter) = letters.next() {
        match find_short(definition, letter) {
            Some(arg) if takes_separate_value(arg) => {
                return Ok(Some(arg).filter(|_| letters.as_str().is_empty()));
            }
            Some(_) => {}
            None => return Err(unsupported(&format!("-{letter}"))),
        }
    }
    Ok(None)
}

/// Decodes `words`: options of `definition`, and `--NAME=VALUE` for its arguments.
///
/// # Errors
/// When a value is not of its type, or one is missing.
pub(crate) fn decode(definition: Command, words: Vec<OsString>) -> Result<ArgMatches, Mistake> {
    // Every argument is given by its name.
    let mut definition = definition
        .mut_args(|arg| match arg.is_positional() {
            true => {
                let name = Str::from(arg.get_id().clone());
                arg.long(name)
            }
            false => arg,
        })
        .disable_help_flag(true)
        .disable_version_flag(true)
        .no_binary_name(true);
    let matches = definition.try_get_matches_from_mut(words);
    matches.map_err(|error| mistake(&error, &definition))
}

/// What is wrong with the values of a command.
pub(crate) enum Mistake {
    /// virsh finds it before the command begins.
    Before(Failure),
    /// virsh finds it when the command reads its options: a malformed number.
    Within(Failure),
}

impl From<Mistake> for Failure {
    fn from(mistake: Mistake) -> Self {
        match mistake {
            Mistake::Before(failure) | Mistake::Within(failure) => failure,
        }
    }
}

/// virsh's words for what clap found.
fn mistake(error: &clap::Error, definition: &Command) -> Mistake {
    let shown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(shown)) => std::slice::from_ref(shown),
        Some(ContextValue::Strings(shown)) => shown,
        _ => &[],
    };
    let is_shown = |arg: &&Arg| shown.contains(&arg.to_string());
    let mut args = definition.get_arguments().filter(is_shown);
    match (error.kind(), error.get(ContextKind::InvalidValue)) {
        (ErrorKind::MissingRequiredArgument, _) => {
            let command = definition.get_name();
            Mistake::Before(Failure::lines(args.map(|arg| match is_number(arg) {
                true => format!("command '{command}' requires --{} option", arg.get_id()),
                false => format!("command '{command}' requires <{}> option", arg.get_id()),
            })))
        }
        (ErrorKind::ValueValidation, Some(value)) => match args.next() {
            Some(arg) if is_number(arg) => {
                let name = arg.get_long().unwrap_or_default();
                Mistake::Within(Failure::new(format!(
                    "Numeric value '{value}' for <{name}> option is malformed or out of range"
                )))
            }
            _ => Mistake::Before(first_paragraph(error)),
        },
        _ => Mistake::Before(first_paragraph(error)),
    }
}

/// What clap says is wrong, and what would be right.
fn first_paragraph(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let lines = text.lines().take_while(|line| !line.is_empty());
    let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    Failure::new(text.strip_prefix("error: ").unwrap_or(&text))
}

/// Reads what follows the command's name.
struct Reader<'a> {
    definition: &'a Command,
    shared: &'a Command,
    /// Ids of the options and arguments given so far.
    seen: Vec<&'a str>,
    /// The command's flags, and its options and arguments with their values.
    pairs: Vec<OsString>,
    /// The options of all commands, as they were given.
    options: Vec<OsString>,
    wants_help: bool,
}

impl<'a> Reader<'a> {
    fn new(definition: &'a Command, shared: &'a Command) -> Self {
        Self {
            definition,
            shared,
            seen: Vec::new(),
            pairs: Vec::new(),
            options: Vec::new(),
            wants_help: false,
        }
    }

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
            self.wants_help = true;
            return Ok(());
        }
        if let Some(arg) = find_own(self.definition, name) {
            self.see(arg, name)?;
            return self.read_own(arg, name, value, rest);
        }
        let Some(arg) = find_long(self.shared, name) else {
            let command = self.definition.get_name();
            return Err(Failure::new(format!(
                "command '{command}' doesn't support option --{name}"
            )));
        };
        self.options.push(format!("--{long}").into());
        if value.is_none() && takes_separate_value(arg) {
            self.options
                .push(rest.pop_front().ok_or_else(|| missing_value(arg))?);
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
            self.pairs.push(format!("--{name}").into());
            return Ok(());
        }
        let Some(value) = value.or_else(|| rest.pop_front()) else {
            let kind = if is_number(arg) { "number" } else { "string" };
            return Err(Failure::new(format!("expected syntax: --{name} <{kind}>")));
        };
        self.push_pair(name, &value);
        Ok(())
    }

    /// An option of all commands in its short form (virsh has none there and takes it for data).
    fn read_short(&mut self, text: &str, rest: &mut VecDeque<OsString>) -> Result<bool, Failure> {
        let mut letters = text.chars();
        let (Some('-'), Some(letter), None) = (letters.next(), letters.next(), letters.next())
        else {
            return Ok(false);
        };
        if letter == 'h' {
            self.wants_help = true;
            return Ok(true);
        }
        let Some(arg) = find_short(self.shared, letter) else {
            return Ok(false);
        };
        self.options.push(text.into());
        if takes_separate_value(arg) {
            self.options
                .push(rest.pop_front().ok_or_else(|| missing_value(arg))?);
        }
        Ok(true)
    }

    /// An argument given by place: the first one not given yet, or one that takes several.
    fn read_data(&mut self, token: OsString) -> Result<(), Failure> {
        let is_open = |arg: &&Arg| takes_several(arg) || !self.has(arg);
        let next = self.definition.get_positionals().find(is_open);
        let Some(arg) = next else {
            return Err(Failure::new(format!(
                "unexpected data '{}'",
                token.display()
            )));
        };
        self.seen.push(arg.get_id().as_str());
        self.push_pair(arg.get_id().as_str(), &token);
        Ok(())
    }

    fn push_pair(&mut self, name: &str, value: &OsString) {
        let mut pair = OsString::from(format!("--{name}="));
        pair.push(value);
        self.pairs.push(pair);
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
}

/// The command's flag, option or argument of this name.
fn find_own<'a>(definition: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut args = definition.get_arguments();
    args.find(|arg| arg.get_long() == Some(name) || (arg.is_positional() && arg.get_id() == name))
}

fn find_long<'a>(definition: &'a Command, name: &str) -> Option<&'a Arg> {
    let mut args = definition.get_arguments();
    args.find(|arg| arg.get_long() == Some(name))
}

fn find_short(definition: &Command, letter: char) -> Option<&Arg> {
    let mut args = definition.get_arguments();
    args.find(|arg| arg.get_short() == Some(letter))
}

/// Whether the option's value is the next word (an optional one is only ever given with `=`).
fn takes_separate_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn takes_several(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.max_values() > 1)
}

fn is_number(arg: &Arg) -> bool {
    let of_value = arg.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<i32>(),
        TypeId::of::<u32>(),
        TypeId::of::<i64>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<Number>(),
    ];
    numbers.iter().any(|number| of_value == *number)
}

fn unsupported(option: &str) -> Failure {
    Failure::new(format!("unsupported option '{option}'. See --help."))
}

fn missing_value(arg: &Arg) -> Failure {
    let long = arg.get_long().unwrap_or_default();
    Failure::new(match arg.get_short() {
        Some(short) => format!("option '-{short}'/'--{long}' requires an argument"),
        None => format!("option '--{long}' requires an argument"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::ffi::OsString;

    use clap::{Args as _, Command};

    use super::{Reader, decode, take_name, take_options};
    use crate::cli::{Cli, Global};
    use crate::failure::Failure;

    /// The command's pairs, and behind a bar the options of all commands; an empty word is written as ''.
    fn read(line: &str) -> Result<String, String> {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let words = words.map(|word| if word == "''" { "" } else { word }.into());
        let joined = |words: Vec<OsString>| words.join(" ".as_ref()).into_string().unwrap();
        let read = |mut rest: VecDeque<OsString>| {
            let mut options = take_options(
                &Cli::augment_args(Command::new("")).disable_help_flag(true),
                &mut rest,
            )?;
            if rest.is_empty() {
                return Ok(joined(options));
            }
            let found = take_name(&mut rest)?.unwrap();
            let definition = found.definition();
            let shared = Global::augment_args(Command::new(""));
            let mut reader = Reader::new(&definition, &shared);
            reader.read(rest)?;
            options.append(&mut reader.options);
            let mut shown = vec![OsString::from(found.name())];
            shown.extend(reader.pairs.clone());
            match reader.wants_help {
                true => shown.push("--help".into()),
                false => drop(decode(definition.clone(), reader.pairs).map_err(Failure::from)?),
            }
            if !options.is_empty() {
                shown.push("|".into());
                shown.extend(options);
            }
            Ok(joined(shown))
        };
        read(words.collect()).map_err(|failure: Failure| failure.to_string())
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
        check("dominfo vm", "dominfo --domain=vm");
        check("dominfo --domain vm", "dominfo --domain=vm");
        check("dominfo --domain=vm", "dominfo --domain=vm");
        check("dominfo -- --all", "dominfo --domain=--all");
        check("domstate vm --reason", "domstate --domain=vm --reason");
        check("domstate --reason vm", "domstate --reason --domain=vm");
        check("freecell 1", "freecell --cellno=1");
    }

    #[test]
    fn some_arguments_take_several_values() {
        check("start a b c", "start --domain=a --domain=b --domain=c");
        check(
            "start a --domain b --paused c",
            "start --domain=a --domain=b --paused --domain=c",
        );
        check("start --all", "start --all");
        check(
            "shutdown a --mode acpi b",
            "shutdown --domain=a --mode=acpi --domain=b",
        );
    }

    #[test]
    fn groups_have_commands() {
        check("question list", "question list");
        check(
            "question answer a Yes",
            "question answer --domain=a --answer=Yes",
        );
        check(
            "question answer --answer 1 a",
            "question answer --answer=1 --domain=a",
        );
        check("question list --help", "question list --help");
    }

    #[test]
    fn a_dash_and_a_letter_are_data() {
        check("dominfo -x", "dominfo --domain=-x");
        check("domid -1", "domid --domain=-1");
    }

    #[test]
    fn global_options_come_before_or_after_the_command() {
        check("-c test:///default list", "list | -c test:///default");
        check("-qctest:///default list", "list | -qctest:///default");
        check("-qc test:///default list", "list | -qc test:///default");
        check("--connect=x list --all", "list --all | --connect=x");
        check("list -c x --output json -q", "list | -c x --output json -q");
        check("--version=long", "--version=long");
        check("-v", "-v");
    }

    #[test]
    fn help_needs_nothing_else() {
        check("dominfo --help", "dominfo --help");
        check("help dominfo", "help --command=dominfo");
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
