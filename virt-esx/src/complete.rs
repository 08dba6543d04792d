//! Finds the completions of a word that is being typed: in the shell of virt-esx, and for `complete`, which the completion
//! scripts of other shells run.

mod names;

use clap::{Arg, Args as _, Command};

pub(crate) use self::names::{Names, of_uri};
use crate::cli::{Cli, Global, Printing};
use crate::commands::{self, GROUPS};
use crate::words::{self, Unfinished};

/// The completions of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Start of the word that they replace, in bytes.
    pub(crate) start: usize,
    pub(crate) candidates: Candidates,
}

/// The completions of a word.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Candidates {
    /// One of these.
    Words(Vec<String>),
    /// The names that the connection knows and that start with this; a text stands in front of them.
    Names(Names, Start),
    /// The files whose names start with this.
    Files(String),
}

/// How a word begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// What is in front of the value: `--domain=`, or nothing.
    option: String,
    value: String,
}

impl Start {
    /// The words that go on with the value.
    pub(crate) fn matching(&self, values: impl IntoIterator<Item = String>) -> Vec<String> {
        let values = values.into_iter();
        let values = values.filter(|value| value.starts_with(&self.value));
        values
            .map(|value| format!("{}{value}", self.option))
            .collect()
    }
}

/// The completions of a command line of another shell, and the connection that it names.
#[derive(Debug)]
pub(crate) struct OfCommandLine {
    pub(crate) candidates: Candidates,
    pub(crate) uri: Option<String>,
}

/// Finds the completions of the last word of `text`, which is typed in the shell of virt-esx.
pub(crate) fn complete(text: &str) -> Completion {
    let Unfinished { words, word, start } = words::unfinished(text);
    let shared = Printing::augment_args(Command::new(""));
    Completion {
        start,
        candidates: candidates(&words, word, &shared),
    }
}

/// Finds the completions of `word` behind the other words of a command line, without the program's name.
pub(crate) fn complete_command_line(words: &[String], word: String) -> OfCommandLine {
    let definition = Cli::definition();
    let mut uri = None;
    let mut rest = words;
    // The options in front of the command.
    while let Some((first, behind)) = rest.split_first() {
        let Some(arg) = option(&definition, first) else {
            break;
        };
        let value = match value_of(arg, first) {
            Some(value) => {
                rest = behind;
                Some(value)
            }
            None if takes_value(arg) => match behind.split_first() {
                Some((value, behind)) => {
                    rest = behind;
                    Some(value.clone())
                }
                None => {
                    return OfCommandLine {
                        candidates: of_argument("", arg, &[], Start::of(word)),
                        uri,
                    };
                }
            },
            None => {
                rest = behind;
                None
            }
        };
        if arg.get_id() == "connect" {
            uri = value;
        }
    }
    let shared = Global::augment_args(Command::new(""));
    uri = behind_command(rest, &shared).or(uri);
    let candidates = match rest.is_empty() && word.starts_with('-') {
        true => of_option(&definition, words, word),
        // A single argument can hold several commands.
        false if rest.is_empty() && word.contains([' ', ';']) => Candidates::Words(Vec::new()),
        false => candidates(rest, word, &shared),
    };
    OfCommandLine { candidates, uri }
}

/// The URI of `--connect` behind a command's name.
fn behind_command(words: &[String], shared: &Command) -> Option<String> {
    let mut words = words.iter().skip(1);
    let mut uri = None;
    while let Some(word) = words.next() {
        let arg = option(shared, word).filter(|arg| arg.get_id() == "connect");
        if let Some(arg) = arg {
            uri = value_of(arg, word).or_else(|| words.next().cloned());
        }
    }
    uri
}

/// The option that a word is, or begins with: `--output`, `--output=json`, `-c`, `-cURI`.
fn option<'a>(definition: &'a Command, word: &str) -> Option<&'a Arg> {
    let mut arguments = definition.get_arguments();
    if let Some(long) = word.strip_prefix("--") {
        let long = long.split_once('=').map_or(long, |(long, _)| long);
        return arguments.find(|arg| arg.get_long() == Some(long));
    }
    let short = word.strip_prefix('-')?.chars().next()?;
    arguments.find(|arg| arg.get_short() == Some(short))
}

/// The value that stands in the same word as its option.
fn value_of(arg: &Arg, word: &str) -> Option<String> {
    if let Some((_, value)) = word
        .strip_prefix("--")
        .and_then(|long| long.split_once('='))
    {
        return Some(value.to_owned());
    }
    let value = word
        .strip_prefix('-')
        .filter(|rest| !rest.starts_with('-'))?;
    let value = value.get(1..).filter(|value| !value.is_empty());
    value.filter(|_| takes_value(arg)).map(str::to_owned)
}

/// Whether the next word is the option's value.
fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn candidates(words: &[String], word: String, shared: &Command) -> Candidates {
    let Some((name, given)) = words.split_first() else {
        return matching(&word, command_names());
    };
    if name == "help" {
        let groups = GROUPS.iter().map(|group| group.keyword);
        return matching(&word, command_names().chain(groups));
    }
    if let Some(row) = commands::find(name) {
        let definition = row.definition();
        return of_command(&definition, shared, given, word);
    }
    let mut family = commands::family(name);
    match given.split_first() {
        None => matching(&word, family.map(|(member, _)| member)),
        Some((member, given)) => match family.find(|(name, _)| name == member) {
            Some((_, row)) => of_command(&row.definition(), shared, given, word),
            None => Candidates::Words(Vec::new()),
        },
    }
}

/// The first words of all commands.
fn command_names() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    let names = commands::rows().map(|row| row.name.split(' ').next().unwrap_or_default());
    // The members of a family stand together.
    names.filter(move |name| std::mem::replace(&mut last, name) != *name)
}

/// The completions of a word behind the words `given` of a command, which the options `shared` may follow.
fn of_command(
    definition: &Command,
    shared: &Command,
    given: &[String],
    word: String,
) -> Candidates {
    let all = with_shared(definition, shared);
    let command = definition.get_name();
    if let Some((option, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
        let arg = all.get_arguments().find(|arg| name(arg) == &option[2..]);
        let start = Start {
            option: format!("{option}="),
            value: value.to_owned(),
        };
        return match arg.filter(|arg| arg.get_action().takes_values()) {
            Some(arg) => of_argument(command, arg, &values(&all, given), start),
            None => Candidates::Words(Vec::new()),
        };
    }
    if word.starts_with("--") {
        return of_option(&all, given, word);
    }
    let last = given.last();
    let option = last.and_then(|last| last.strip_prefix("--"));
    let mut arguments = all.get_arguments();
    let long = option.and_then(|option| arguments.find(|arg| name(arg) == option));
    let short = last.filter(|last| !last.starts_with("--") && last.len() == 2);
    let option = long.or_else(|| short.and_then(|short| self::option(shared, short)));
    let option = option.filter(|arg| arg.get_action().takes_values());
    match option.or_else(|| next_argument(&all, given)) {
        Some(arg) => of_argument(command, arg, &values(&all, given), Start::of(word)),
        None => Candidates::Words(Vec::new()),
    }
}

/// The command's definition with the options of all commands, but those that it has one of its own for.
fn with_shared(definition: &Command, shared: &Command) -> Command {
    let own = |arg: &&Arg| {
        definition
            .get_arguments()
            .all(|own| own.get_id() != arg.get_id())
    };
    let shared: Vec<_> = shared.get_arguments().filter(own).cloned().collect();
    definition.clone().args(shared)
}

/// The options that begin with `word` and are not given yet.
fn of_option(definition: &Command, given: &[String], word: String) -> Candidates {
    let is_given = |name: &str| {
        let mut given = given.iter().filter_map(|word| word.strip_prefix("--"));
        given.any(|word| word.split('=').next() == Some(name))
    };
    let names = definition
        .get_arguments()
        .filter(|arg| !name(arg).is_empty());
    let names = names.map(name).filter(|name| !is_given(name));
    let options: Vec<_> = names.map(|name| format!("--{name}")).collect();
    matching(&word, options.iter().map(String::as_str))
}

/// The argument that a further value by place belongs to, behind the words `given`.
fn next_argument<'a>(definition: &'a Command, given: &[String]) -> Option<&'a Arg> {
    let given = values(definition, given);
    let is_open = |arg: &&Arg| {
        let is_given = given.iter().any(|(name, _)| *name == arg.get_id().as_str());
        let takes_several = arg
            .get_num_args()
            .is_some_and(|count| count.max_values() > 1);
        !is_given || takes_several
    };
    definition.get_positionals().find(is_open)
}

/// The values of a command that were given, with the ids of their arguments.
fn values<'a>(definition: &'a Command, given: &[String]) -> Vec<(&'a str, String)> {
    let mut values = Vec::<(&str, String)>::new();
    let mut words = given.iter();
    while let Some(word) = words.next() {
        let option = word.strip_prefix("--");
        let (option, value) = match option.map(|option| option.split_once('=')) {
            Some(Some((option, value))) => (Some(option), Some(value.to_owned())),
            _ => (option, None),
        };
        let long =
            option.and_then(|option| definition.get_arguments().find(|arg| name(arg) == option));
        let short = || {
            self::option(definition, word)
                .filter(|arg| arg.get_short().is_some() && word.len() == 2)
        };
        match long.or_else(|| short().filter(|_| option.is_none())) {
            Some(arg) if arg.get_action().takes_values() => {
                if let Some(value) = value.or_else(|| words.next().cloned()) {
                    values.push((arg.get_id().as_str(), value));
                }
            }
            Some(_) => {}
            None => {
                let is_open = |arg: &&Arg| {
                    let is_given = values
                        .iter()
                        .any(|(name, _)| *name == arg.get_id().as_str());
                    !is_given
                        || arg
                            .get_num_args()
                            .is_some_and(|count| count.max_values() > 1)
                };
                if let Some(arg) = definition.get_positionals().find(is_open) {
                    values.push((arg.get_id().as_str(), word.clone()));
                }
            }
        }
    }
    values
}

/// The completions of an argument's value; `given` are the values of the command's other arguments.
fn of_argument(command: &str, arg: &Arg, given: &[(&str, String)], start: Start) -> Candidates {
    let values = arg.get_possible_values();
    if !values.is_empty() && arg.get_action().takes_values() {
        let values = values.iter().map(|value| value.get_name().to_owned());
        return Candidates::Words(start.matching(values));
    }
    if let Some(names) = names_of(command, arg, given) {
        return Candidates::Names(names, start);
    }
    let kind = arg.get_value_names().and_then(|names| names.first());
    let kind = kind.map(|kind| kind.to_lowercase());
    match kind.as_deref() {
        Some("file" | "folder" | "directory" | "config" | "xml" | "xmlfile" | "persistent-xml") => {
            Candidates::Files(start.value)
        }
        Some("page") => {
            let pages = ["virt-esx", "answers", "json"].into_iter();
            let rows = commands::rows().map(|row| row.name);
            Candidates::Words(start.matching(pages.chain(rows).map(|name| name.replace(' ', "-"))))
        }
        Some("uri") => {
            let uris = [
                "esx://",
                "vpx://",
                "gsx://",
                "test:///default",
                "test:///vcenter",
            ];
            Candidates::Words(start.matching(uris.map(str::to_owned)))
        }
        _ => Candidates::Words(Vec::new()),
    }
}

/// The kind of names that an argument takes.
fn names_of(command: &str, arg: &Arg, given: &[(&str, String)]) -> Option<Names> {
    let given = |name: &str| {
        let mut given = given.iter();
        let value = given.find(|(id, _)| *id == name);
        value.map(|(_, value)| value.clone())
    };
    Some(match arg.get_id().as_str() {
        "domain" => Names::Domains,
        "snapshotname" | "parent" | "from" if command.starts_with("snapshot-") => {
            Names::Snapshots(given("domain")?)
        }
        "pool" | "inputpool" => Names::Pools,
        "vol" => Names::Volumes(given("pool")),
        "network" => Names::Networks,
        "interface" if command.starts_with("iface-") => Names::Interfaces,
        "device" if command.starts_with("nodedev-") => Names::NodeDevices,
        "secret" => Names::Secrets,
        _ => return None,
    })
}

impl Start {
    fn of(value: String) -> Self {
        Self {
            option: String::new(),
            value,
        }
    }
}

/// The name by which an option or argument can be given; an empty one if it has only a letter.
fn name(arg: &Arg) -> &str {
    match (arg.get_long(), arg.is_positional()) {
        (Some(long), _) => long,
        (None, true) => arg.get_id().as_str(),
        (None, false) => "",
    }
}

fn matching<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Candidates {
    let matching = words.filter(|known| known.starts_with(word));
    Candidates::Words(matching.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{Candidates, complete, complete_command_line};

    /// The candidates in a line, behind the place where they begin.
    fn shown(text: &str) -> String {
        let completion = complete(text);
        let candidates = shown_candidates(completion.candidates);
        format!("{} {candidates}", completion.start)
    }

    fn shown_candidates(candidates: Candidates) -> String {
        match candidates {
            Candidates::Words(words) => words.join(" "),
            Candidates::Names(names, start) => format!("{names:?} {}{}", start.option, start.value),
            Candidates::Files(word) => format!("files {word}"),
        }
    }

    #[test]
    fn candidates() {
        for (text, expected) in [
            ("domin", "0 dominfo"),
            ("list; hos", "6 hostname"),
            ("que", "0 question"),
            ("question ", "9 list show answer"),
            ("question answer --a", "16 --answer"),
            ("list --state-r", "5 --state-running"),
            ("list --all --al", "11 "),
            ("dominfo ", "8 Domains "),
            ("start --paused w", "15 Domains w"),
            ("start a b", "8 Domains b"),
            ("dumpxml --xpath ", "16 "),
            ("dumpxml --domain 'my v", "17 Domains my v"),
            ("dumpxml a ", "10 "),
            ("define a", "7 files a"),
            ("completion z", "11 zsh"),
            ("start a --progress ", "19 auto json none"),
            ("help mon", "5 monitor"),
            ("nosuch a", "7 "),
            ("list --output ", "14 text json jsonl"),
            ("list --output=j", "5 --output=json --output=jsonl"),
            ("dominfo --domain=we", "8 Domains --domain=we"),
            ("list --con", "5 "),
            ("snapshot-info web01 ", "20 Snapshots(\"web01\") "),
            ("snapshot-info --snapshotname b", "29 "),
            (
                "snapshot-info --domain web01 b",
                "29 Snapshots(\"web01\") b",
            ),
            ("snapshot-list web01 --from ", "27 Snapshots(\"web01\") "),
            ("pool-info ", "10 Pools "),
            (
                "vol-info --pool data --vol a",
                "27 Volumes(Some(\"data\")) a",
            ),
            ("vol-info a", "9 Volumes(None) a"),
            ("net-dumpxml ", "12 Networks "),
            ("iface-mac v", "10 Interfaces v"),
            ("domif-setlink web01 ", "20 "),
            ("nodedev-info ", "13 NodeDevices "),
            ("secret-dumpxml ", "15 Secrets "),
            (
                "man --page quest",
                "11 question-list question-show question-answer",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn command_lines_of_other_shells() {
        for (words, expected) in [
            (&["dominf"][..], "dominfo"),
            (&["--ver"], "--verbose --version"),
            (&["--output", ""], "text json jsonl"),
            (&["-c", "te"], "test:///default test:///vcenter"),
            (&["-q", "dominfo", "w"], "Domains w"),
            (&["--output=json", "-r", "dominf"], "dominfo"),
            (&["-c", "u", "dominfo", ""], "Domains  of u"),
            (&["-cu", "dominfo", "w"], "Domains w of u"),
            (&["--connect=u", "dominfo", "w"], "Domains w of u"),
            (&["dominfo", "-c", "u", "w"], "Domains w of u"),
            (&["dominfo", "--connect", "u", "w"], "Domains w of u"),
            (&["dominfo", "w", "--out"], "--output"),
            (
                &["start", "--a"],
                "--all --auto-answer --answers --ask --autodestroy",
            ),
            (&["start", "--answers", "x"], "files x"),
            (&["--keyring", "x"], "files x"),
            (&["question", "sh"], "show"),
            (&["nosuch", ""], ""),
            (&["list; dom"], ""),
        ] {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            let (word, words) = words.split_last().unwrap();
            let found = complete_command_line(words, word.clone());
            let mut shown = shown_candidates(found.candidates);
            if let Some(uri) = found.uri {
                shown += &format!(" of {uri}");
            }
            assert_eq!(shown, expected, "{words:?} {word}");
        }
    }
}
