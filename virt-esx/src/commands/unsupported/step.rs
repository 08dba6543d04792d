//! What a command does before it fails.

use std::fmt::Display;
use std::ops::ControlFlow;

use clap::ArgMatches;

use super::super::domain_arg::{self, Any, Keys as _};
use super::super::number::Number;
use super::super::{file, network_arg, nodedev_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// A line of a block of the table. `| TEXT` at its end are further lines of its error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `exclusive --a --b`: not both.
    Exclusive(&'static str, &'static str),
    /// `needs --a --b`: not the first without the second.
    Needs(&'static str, &'static str),
    /// `text --a`: a text, which is not empty.
    Text(Value),
    /// `int --a` and so on: a number.
    Number(Range, Value),
    /// `scaled --a`: a number with a unit.
    Scaled(Value),
    /// `bandwidth --a`: the same, maybe negative. virsh writes the option's dashes into the error.
    Bandwidth(Value),
    /// `below 0 --a: TEXT`: the number is not below this one.
    Below(i64, &'static str, Text),
    /// `file --a`: a file that can be read.
    File(&'static str),
    /// `domain`: the option `domain` names a domain, if it is given.
    Domain,
    /// `network`: the option `network` names a network, if it is given.
    Network,
    /// `device`: the option `device` names a device of the host; `device wwn`: by its world wide names, too.
    Device { wwn: bool },
    /// `refuse CONDITION: TEXT`: fails with this text.
    Refuse(Condition, Text),
    /// `print CONDITION: TEXT`: prints this text, and has done its work.
    Print(Condition, Text),
    /// `call CONDITION: TEXT | FUNCTION`: calls a function that no ESX driver has.
    Call(Condition, Text),
    /// `change CONDITION: TEXT | FUNCTION`: the same for a function that changes something, which libvirt refuses on a
    /// read-only connection first.
    Change(Condition, Text),
    /// `later CONDITION: TEXT | FUNCTION`: calls a function that libvirt's ESX driver has, and ours has not yet.
    /// Without a function: virsh does it by functions that ours has, but nobody has written the command.
    Later(Condition, Text),
}

/// An option with a value, and what virsh says below its own text about that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    option: &'static str,
    more: Text,
}

/// The numbers that virsh takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Int,
    Uint,
    Long,
    Ulong,
    /// Seconds of a time-out.
    Positive,
}

/// The lines of an error, in which `{option}` is an option's value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<&'static str>);

/// Options that were given or not: `--a !--b --c=x --d|--e`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Condition(Vec<Vec<Term>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    option: &'static str,
    value: Option<&'static str>,
    is_wanted: bool,
}

impl Step {
    /// Reads a line. The tests read all lines, so a mistake in the table is a panic there.
    pub(super) fn parse(line: &'static str) -> Self {
        let (head, text) = match line.split_once(": ") {
            Some((head, text)) => (head, Text(text.split(" | ").collect())),
            None => {
                let mut parts = line.trim_end_matches(':').split(" | ");
                (parts.next().unwrap_or_default(), Text(parts.collect()))
            }
        };
        let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
        let mut options = rest
            .split(' ')
            .map(|option| option.trim_start_matches("--"));
        let mut option = || options.next().unwrap_or_default();
        let range = |range| {
            Self::Number(
                range,
                Value {
                    option: rest.trim_start_matches("--"),
                    more: text.clone(),
                },
            )
        };
        match word {
            "exclusive" => Self::Exclusive(option(), option()),
            "needs" => Self::Needs(option(), option()),
            "text" => Self::Text(Value {
                option: option(),
                more: text,
            }),
            "int" => range(Range::Int),
            "uint" => range(Range::Uint),
            "long" => range(Range::Long),
            "ulong" => range(Range::Ulong),
            "positive" => range(Range::Positive),
            "scaled" => Self::Scaled(Value {
                option: option(),
                more: text,
            }),
            "bandwidth" => Self::Bandwidth(Value {
                option: option(),
                more: text,
            }),
            "below" => Self::Below(option().parse().unwrap_or_default(), option(), text),
            "file" => Self::File(option()),
            "domain" => Self::Domain,
            "network" => Self::Network,
            "device" => Self::Device {
                wwn: option() == "wwn",
            },
            "refuse" => Self::Refuse(Condition::parse(rest), text),
            "print" => Self::Print(Condition::parse(rest), text),
            "call" => Self::Call(Condition::parse(rest), text),
            "change" => Self::Change(Condition::parse(rest), text),
            "later" => Self::Later(Condition::parse(rest), text),
            _ => unreachable!("the table has the line {line:?}"),
        }
    }

    /// Does it. Breaks when the command is done.
    pub(super) async fn run(
        self,
        command: &str,
        given: &ArgMatches,
        ui: &Ui,
        connection: &Connection,
    ) -> Result<ControlFlow<()>, Failure> {
        match self {
            Self::Domain => {
                for name in values(given, "domain") {
                    domain_arg::check(name)?;
                    domain_arg::find(connection, name, Any::KEYS).await?;
                }
            }
            Self::Network => {
                if let Some(name) = value(given, "network") {
                    network_arg::find(connection, name).await?;
                }
            }
            Self::Device { wwn } => {
                if let Some(text) = value(given, "device") {
                    match wwn {
                        true => nodedev_arg::find_by_wwn(connection, text).await?,
                        false => nodedev_arg::find(connection, text).await?,
                    };
                }
            }
            Self::Print(condition, text) if condition.holds(given) => {
                for line in text.lines(given) {
                    ui.line(line)?;
                }
                return Ok(ControlFlow::Break(()));
            }
            Self::Call(condition, text) if condition.holds(given) => {
                return Err(text.unsupported(given));
            }
            Self::Change(condition, text) if condition.holds(given) => {
                return Err(match connection.is_readonly() {
                    true => text.forbidden(given),
                    false => text.unsupported(given),
                });
            }
            Self::Later(condition, text) if condition.holds(given) => {
                return Err(match text.0.is_empty() {
                    true => Failure::new(format!("command '{command}' is not implemented yet")),
                    false => text.unsupported(given),
                });
            }
            Self::File(option) => {
                if let Some(path) = value(given, option) {
                    file::read_bytes(path).await?;
                }
            }
            step => step.check(given)?,
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Whether the command ends with it whatever was given.
    #[cfg(test)]
    pub(super) fn is_end(&self) -> bool {
        match self {
            Self::Call(condition, _)
            | Self::Change(condition, _)
            | Self::Later(condition, _)
            | Self::Print(condition, _) => condition.0.is_empty(),
            _ => false,
        }
    }

    /// The options that it names.
    #[cfg(test)]
    pub(super) fn options(&self) -> Vec<&'static str> {
        let of_text = |text: &Text| -> Vec<&'static str> {
            let parts = text.0.iter().flat_map(|line| line.split('{').skip(1));
            parts
                .filter_map(|part| Some(part.split_once('}')?.0))
                .collect()
        };
        match self {
            Self::Exclusive(one, other) | Self::Needs(one, other) => vec![one, other],
            Self::Text(value)
            | Self::Number(_, value)
            | Self::Scaled(value)
            | Self::Bandwidth(value) => [vec![value.option], of_text(&value.more)].concat(),
            Self::Below(_, option, text) => [vec![*option], of_text(text)].concat(),
            Self::File(option) => vec![option],
            Self::Domain => vec!["domain"],
            Self::Network => vec!["network"],
            Self::Device { .. } => vec!["device"],
            Self::Refuse(condition, text)
            | Self::Print(condition, text)
            | Self::Call(condition, text)
            | Self::Change(condition, text)
            | Self::Later(condition, text) => {
                let terms = condition.0.iter().flatten();
                [terms.map(|term| term.option).collect(), of_text(text)].concat()
            }
        }
    }

    /// Checks what can be checked without a connection.
    fn check(&self, given: &ArgMatches) -> Result<(), Failure> {
        match self {
            Self::Exclusive(one, other) => {
                let options = [*one, *other].map(|option| (option, is_given(given, option)));
                options::check_exclusive(options)
            }
            Self::Needs(one, other) if is_given(given, one) && !is_given(given, other) => Err(
                Failure::new(format!("Option --{other} is required by option --{one}")),
            ),
            Self::Text(wanted) => wanted.check(given, |text| match text.is_empty() {
                true => Err(format!(
                    "Failed to get option '{}': Option argument is empty",
                    wanted.option
                )),
                false => Ok(()),
            }),
            Self::Number(range, wanted) => wanted.check(given, |text| {
                let malformed = malformed("Numeric", text, wanted.option);
                range.check(text).then_some(()).ok_or(malformed)
            }),
            Self::Scaled(wanted) => check_scaled(given, wanted, wanted.option, false),
            Self::Bandwidth(wanted) => {
                check_scaled(given, wanted, &format!("--{}", wanted.option), true)
            }
            Self::Below(least, option, text) => {
                match value(given, option).map(options::number::<i64>) {
                    Some(Ok(number)) if number < *least => Err(text.failure(given)),
                    _ => Ok(()),
                }
            }
            Self::Refuse(condition, text) if condition.holds(given) => Err(text.failure(given)),
            _ => Ok(()),
        }
    }
}

impl Value {
    /// Fails with what `check` says of the value, if there is one.
    fn check(
        &self,
        given: &ArgMatches,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<(), Failure> {
        let checked = value(given, self.option).map_or(Ok(()), check);
        checked.map_err(|line| Failure::lines([line].into_iter().chain(self.more.lines(given))))
    }
}

impl Range {
    fn check(self, text: &str) -> bool {
        match self {
            Self::Int => options::number::<i32>(text).is_ok(),
            Self::Uint => options::number::<u32>(text).is_ok(),
            Self::Long => options::number::<i64>(text).is_ok(),
            Self::Ulong => options::number::<u64>(text).is_ok(),
            // virsh counts milliseconds in an int.
            Self::Positive => options::number(text)
                .is_ok_and(|seconds: i32| (1..=i32::MAX / 1000).contains(&seconds)),
        }
    }
}

impl Text {
    fn lines(&self, given: &ArgMatches) -> impl Iterator<Item = String> {
        self.0.iter().map(|line| filled(line, given))
    }

    fn failure(&self, given: &ArgMatches) -> Failure {
        Failure::lines(self.lines(given))
    }

    /// Fails because of the function that the last line names.
    fn unsupported(&self, given: &ArgMatches) -> Failure {
        let reason = "this function is not supported by the connection driver:";
        self.of_function(given, reason)
    }

    /// Fails because the connection is read-only, and the last line names a function that changes something.
    fn forbidden(&self, given: &ArgMatches) -> Failure {
        self.of_function(given, "operation forbidden: read only access prevents")
    }

    fn of_function(&self, given: &ArgMatches, reason: &str) -> Failure {
        let mut lines: Vec<_> = self.lines(given).collect();
        if let Some(function) = lines.pop_if(|line| line.starts_with("vir")) {
            lines.push(format!("{reason} {function}"));
        }
        Failure::lines(lines)
    }
}

impl Condition {
    fn parse(text: &'static str) -> Self {
        let words = text.split(' ').filter(|word| !word.is_empty());
        Self(
            words
                .map(|word| word.split('|').map(Term::parse).collect())
                .collect(),
        )
    }

    fn holds(&self, given: &ArgMatches) -> bool {
        let mut all = self.0.iter();
        all.all(|terms| terms.iter().any(|term| term.holds(given)))
    }
}

impl Term {
    fn parse(word: &'static str) -> Self {
        let (option, is_wanted) = match word.strip_prefix('!') {
            Some(option) => (option, false),
            None => (word, true),
        };
        let option = option.trim_start_matches("--");
        let (option, value) = match option.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (option, None),
        };
        Self {
            option,
            value,
            is_wanted,
        }
    }

    fn holds(&self, given: &ArgMatches) -> bool {
        let is_so = match self.value {
            Some(wanted) => value(given, self.option) == Some(wanted),
            None => is_given(given, self.option),
        };
        is_so == self.is_wanted
    }
}

/// A number with a unit, as `vshCommandOptScaledInt` reads it.
fn check_scaled(
    given: &ArgMatches,
    wanted: &Value,
    shown: &str,
    may_be_negative: bool,
) -> Result<(), Failure> {
    let Some(text) = value(given, wanted.option) else {
        return Ok(());
    };
    let digits = text.trim_start().trim_start_matches('+');
    let digits = match may_be_negative {
        true => digits.trim_start_matches('-'),
        false => digits,
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let reason = match number.parse::<u64>() {
        Err(_) => None,
        Ok(_) if is_unit(unit) => return Ok(()),
        Ok(_) => Some(format!("invalid argument: unknown suffix '{unit}'")),
    };
    let first = [malformed("Scaled numeric", text, shown)].into_iter();
    Err(Failure::lines(
        first.chain(wanted.more.lines(given)).chain(reason),
    ))
}

/// Nothing, bytes, or one of the powers of 1024 (`k`, `KiB`) or of 1000 (`kB`).
fn is_unit(unit: &str) -> bool {
    let unit = unit.to_ascii_lowercase();
    match unit.as_str() {
        "" | "b" | "byte" | "bytes" => true,
        _ => {
            let rest = unit.strip_prefix(['k', 'm', 'g', 't', 'p', 'e']);
            rest.is_some_and(|rest| ["", "b", "ib"].contains(&rest))
        }
    }
}

fn malformed(kind: impl Display, text: &str, option: &str) -> String {
    format!("{kind} value '{text}' for <{option}> option is malformed or out of range")
}

/// `line` with the options' values.
fn filled(line: &str, given: &ArgMatches) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((option, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push_str(value(given, option).unwrap_or_default());
        rest = after;
    }
    out + rest
}

fn is_given(given: &ArgMatches, option: &str) -> bool {
    given.value_source(option) == Some(clap::parser::ValueSource::CommandLine)
}

fn value<'a>(given: &'a ArgMatches, option: &str) -> Option<&'a str> {
    values(given, option).next()
}

fn values<'a>(given: &'a ArgMatches, option: &str) -> impl Iterator<Item = &'a str> {
    let texts = given.try_get_many::<String>(option).ok().flatten();
    let numbers = given.try_get_many::<Number>(option).ok().flatten();
    let numbers = numbers
        .into_iter()
        .flatten()
        .map(|number| number.0.as_str());
    texts
        .into_iter()
        .flatten()
        .map(String::as_str)
        .chain(numbers)
}

#[cfg(test)]
mod tests {
    use clap::ArgMatches;

    use super::Step;
    use crate::commands::unsupported::find;

    /// What virsh's commands were given.
    fn given(command: &str, words: &[&str]) -> ArgMatches {
        let definition = find(command).unwrap().definition().no_binary_name(true);
        let definition = definition.mut_args(|arg| match arg.is_positional() {
            true => {
                let name = clap::builder::Str::from(arg.get_id().clone());
                arg.long(name).required(false)
            }
            false => arg,
        });
        definition.try_get_matches_from(words).unwrap()
    }

    #[track_caller]
    fn check(command: &str, words: &[&str], line: &'static str, expected: Result<(), &str>) {
        let checked = Step::parse(line).check(&given(command, words));
        let checked = checked.map_err(|failure| failure.to_string());
        assert_eq!(
            checked,
            expected.map_err(str::to_owned),
            "{line} of {words:?}"
        );
    }

    #[test]
    fn options_exclude_and_need_each_other() {
        let both = Err("error: Options --now and --sync are mutually exclusive\n");
        check(
            "domtime",
            &["--now", "--sync"],
            "exclusive --now --sync",
            both,
        );
        check("domtime", &["--now"], "exclusive --now --sync", Ok(()));
        let needed = Err("error: Option --sync is required by option --now\n");
        check("domtime", &["--now"], "needs --now --sync", needed);
        check("domtime", &["--sync"], "needs --now --sync", Ok(()));
    }

    #[test]
    fn numbers_are_of_their_types() {
        for (kind, good, bad) in [
            ("int", "-1", "2147483648"),
            ("uint", "4294967295", "-1"),
            ("long", "5000000000", "x"),
            ("ulong", "18446744073709551615", "-1"),
            ("positive", "1", "0"),
        ] {
            let line: &'static str = format!("{kind} --time").leak();
            check("domtime", &[&format!("--time={good}")], line, Ok(()));
            let malformed = format!(
                "error: Numeric value '{bad}' for <time> option is malformed or out of range\n"
            );
            check(
                "domtime",
                &[&format!("--time={bad}")],
                line,
                Err(&malformed),
            );
        }
        check("domtime", &[], "int --time", Ok(()));
    }

    #[test]
    fn scaled_numbers_have_units() {
        for size in ["1", "1k", "2MiB", "3GB", "4b", "5bytes"] {
            check(
                "blockcopy",
                &[&format!("--buf-size={size}")],
                "scaled --buf-size",
                Ok(()),
            );
        }
        for (size, reason) in [
            ("x", ""),
            ("", ""),
            ("-1", ""),
            ("1.5", "error: invalid argument: unknown suffix '.5'\n"),
        ] {
            let text = format!(
                "error: Scaled numeric value '{size}' for <buf-size> option is malformed or out of range\n{reason}"
            );
            check(
                "blockcopy",
                &[&format!("--buf-size={size}")],
                "scaled --buf-size",
                Err(&text),
            );
        }
        check(
            "blockcopy",
            &["--buf-size=-1"],
            "bandwidth --buf-size",
            Ok(()),
        );
    }

    #[test]
    fn conditions_look_at_options_and_values() {
        let refusal = Err("error: 5 is not it\n");
        for (line, expected) in [
            ("refuse --time: {time} is not it", refusal),
            ("refuse --time=5: {time} is not it", refusal),
            ("refuse --now|--time !--sync: {time} is not it", refusal),
            ("refuse !--time: {time} is not it", Ok(())),
            ("refuse --time=6: {time} is not it", Ok(())),
            ("refuse --time --now: {time} is not it", Ok(())),
            ("below 6 --time: {time} is not it", refusal),
            ("below 5 --time: {time} is not it", Ok(())),
        ] {
            check("domtime", &["--time=5"], line, expected);
        }
    }
}
