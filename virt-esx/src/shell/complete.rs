//! Finds the completions of a word that is being typed.

use clap::{Arg, Command};

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
    /// The domains whose names start with this.
    Domains(String),
    /// The files whose names start with this.
    Files(String),
}

/// Finds the completions of the last word of `text`.
pub(crate) fn complete(text: &str) -> Completion {
    let Unfinished { words, word, start } = words::unfinished(text);
    Completion {
        start,
        candidates: candidates(&words, word),
    }
}

fn candidates(words: &[String], word: String) -> Candidates {
    let Some((name, given)) = words.split_first() else {
        return matching(&word, command_names());
    };
    if name == "help" {
        let groups = GROUPS.iter().map(|group| group.keyword);
        return matching(&word, command_names().chain(groups));
    }
    if let Some(row) = commands::find(name) {
        return of_command(&row.definition(), given, word);
    }
    let mut family = commands::family(name);
    match given.split_first() {
        None => matching(&word, family.map(|(member, _)| member)),
        Some((member, given)) => match family.find(|(name, _)| name == member) {
            Some((_, row)) => of_command(&row.definition(), given, word),
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

/// The completions of a word behind the words `given` of a command.
fn of_command(definition: &Command, given: &[String], word: String) -> Candidates {
    if word.starts_with("--") {
        let is_given = |name: &str| {
            given
                .iter()
                .any(|word| word.strip_prefix("--") == Some(name))
        };
        let names = definition.get_arguments().map(name);
        let names = names.filter(|name| !is_given(name));
        let options: Vec<_> = names.map(|name| format!("--{name}")).collect();
        return matching(&word, options.iter().map(String::as_str));
    }
    let option = given.last().and_then(|last| last.strip_prefix("--"));
    let mut arguments = definition.get_arguments();
    let option = option.and_then(|option| arguments.find(|arg| name(arg) == option));
    let option = option.filter(|arg| arg.get_action().takes_values());
    match option.or_else(|| next_argument(definition, given)) {
        Some(arg) => of_argument(arg, word),
        None => Candidates::Words(Vec::new()),
    }
}

/// The argument that a further value by place belongs to, behind the words `given`.
fn next_argument<'a>(definition: &'a Command, given: &[String]) -> Option<&'a Arg> {
    let mut place = 0;
    let mut words = given.iter();
    while let Some(word) = words.next() {
        let option = word.strip_prefix("--");
        let arg =
            option.and_then(|option| definition.get_arguments().find(|arg| name(arg) == option));
        match arg {
            Some(arg) if arg.get_action().takes_values() => drop(words.next()),
            Some(_) => {}
            None => place += 1,
        }
    }
    let mut places = definition.get_positionals();
    let last = definition.get_positionals().last();
    let takes_several = |arg: &&Arg| {
        arg.get_num_args()
            .is_some_and(|count| count.max_values() > 1)
    };
    places.nth(place).or(last.filter(takes_several))
}

fn of_argument(arg: &Arg, word: String) -> Candidates {
    let values = arg.get_possible_values();
    if !values.is_empty() {
        return matching(&word, values.iter().map(|value| value.get_name()));
    }
    let kind = arg.get_value_names().and_then(|names| names.first());
    match kind.map(|kind| kind.as_str()) {
        _ if name(arg) == "domain" => Candidates::Domains(word),
        Some("file" | "folder" | "directory" | "config" | "xml") => Candidates::Files(word),
        _ => Candidates::Words(Vec::new()),
    }
}

/// The name by which an option or argument can be given.
fn name(arg: &Arg) -> &str {
    arg.get_long().unwrap_or(arg.get_id().as_str())
}

fn matching<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Candidates {
    let matching = words.filter(|known| known.starts_with(word));
    Candidates::Words(matching.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{Candidates, complete};

    /// The candidates in a line, behind the place where they begin.
    fn shown(text: &str) -> String {
        let completion = complete(text);
        let candidates = match completion.candidates {
            Candidates::Words(words) => words.join(" "),
            Candidates::Domains(word) => format!("domains {word}"),
            Candidates::Files(word) => format!("files {word}"),
        };
        format!("{} {candidates}", completion.start)
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
            ("dominfo ", "8 domains "),
            ("start --paused w", "15 domains w"),
            ("start a b", "8 domains b"),
            ("dumpxml --xpath ", "16 "),
            ("dumpxml --domain 'my v", "17 domains my v"),
            ("dumpxml a ", "10 "),
            ("define a", "7 files a"),
            ("completion z", "11 zsh"),
            ("start a --progress ", "19 auto json none"),
            ("help mon", "5 monitor"),
            ("nosuch a", "7 "),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }
}
