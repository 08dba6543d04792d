//! Changes as text.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::{Action, Change, Changes, Step, Target};
use crate::storage::size;
use crate::task::Question;

/// The text is no script of changes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
#[non_exhaustive]
pub struct InvalidChanges {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// The most bytes of a file of changes.
const LARGEST: u64 = 16 << 20;

/// The text of a file of changes, of at most 16 MiB.
pub(crate) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    match length as u64 > LARGEST {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it has more than 16 MiB, which is the most that is read",
        )),
        false => Ok(text),
    }
}

impl Changes {
    /// Reads a file of changes, of at most 16 MiB.
    ///
    /// # Errors
    /// The outer one if the file cannot be read, the inner one if it has a mistake.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Result<Self, InvalidChanges>> {
        Ok(read_text(path)?.parse())
    }
}

impl FromStr for Changes {
    type Err = InvalidChanges;

    fn from_str(text: &str) -> Result<Self, InvalidChanges> {
        let mut changes = Self::new();
        let mut last = Duration::ZERO;
        for (line, text) in (1..).zip(text.lines()) {
            let problem = |problem: String| InvalidChanges { line, problem };
            let words = words(text).map_err(problem)?;
            let Some((time, words)) = words.split_first() else {
                continue;
            };
            if changes.repeat.is_some() {
                return Err(problem("nothing can follow 'repeat'".to_owned()));
            }
            let at = read_time(time, last).map_err(problem)?;
            if words.len() == 1 && words[0] == "repeat" {
                if at.is_zero() {
                    return Err(problem("'repeat' needs a time after 0".to_owned()));
                }
                changes.repeat = Some(at);
                continue;
            }
            let change = read(words).map_err(problem)?;
            changes.steps.push(Step {
                at,
                change,
                line: Some(line),
            });
            last = at;
        }
        Ok(changes)
    }
}

impl FromStr for Change {
    type Err = InvalidChanges;

    fn from_str(text: &str) -> Result<Self, InvalidChanges> {
        let problem = |problem| InvalidChanges { line: 1, problem };
        let words = words(text).map_err(problem)?;
        read(&words).map_err(problem)
    }
}

/// The time of a line, whose predecessor has the time `last`.
fn read_time(text: &str, last: Duration) -> Result<Duration, String> {
    let (number, base) = match text.strip_prefix('+') {
        Some(number) => (number, last),
        None => (text, Duration::ZERO),
    };
    let seconds = number.parse::<f64>().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let Some(at) = time.and_then(|time| base.checked_add(time)) else {
        return Err(format!(
            "invalid time '{text}' (expected seconds since the beginning, such as 1.5, or since the line before, such \
             as +1.5)"
        ));
    };
    match at < last {
        true => Err(format!(
            "the time '{text}' is before that of the line before"
        )),
        false => Ok(at),
    }
}

/// The words of a line, without a comment.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            break;
        }
        let (word, after) = match first {
            '\'' | '"' => {
                let quoted = &rest[1..];
                let end = quoted.find(first);
                let end = end.ok_or_else(|| format!("the closing {first} is missing"))?;
                (&quoted[..end], &quoted[end + 1..])
            }
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

/// The arguments of each word.
const FORMS: &[(&str, &str)] = &[
    ("power-on", "VM"),
    ("power-off", "VM"),
    ("suspend", "VM"),
    ("reset", "VM"),
    ("guest-shutdown", "VM"),
    ("guest-reboot", "VM"),
    ("guest-standby", "VM"),
    ("guest-crash", "VM"),
    ("tools", "VM running|stopped"),
    ("ask", "VM QUESTION"),
    ("answer", "VM [CHOICE]"),
    ("create", "VM [HOST]"),
    ("clone", "VM NAME"),
    ("unregister", "VM"),
    ("destroy", "OBJECT"),
    ("rename", "OBJECT NAME"),
    ("migrate", "VM HOST"),
    ("snapshot", "VM NAME"),
    ("revert", "VM"),
    ("remove-snapshots", "VM"),
    ("cpus", "VM NUMBER"),
    ("memory", "VM MB"),
    ("annotation", "VM TEXT"),
    ("extra", "VM KEY VALUE"),
    ("encrypt", "VM KEY [PROVIDER]"),
    ("add-disk", "VM [MB]"),
    ("add-nic", "VM [NETWORK]"),
    ("remove-device", "VM LABEL"),
    ("cdrom", "VM connect|disconnect|insert [PATH]"),
    ("balloon", "VM MB"),
    ("console", "VM open|close"),
    (
        "datastore",
        "NAME accessible|inaccessible|maintenance|normal|free [SIZE]",
    ),
    ("add-datastore", "NAME"),
    ("remove-datastore", "NAME"),
    ("add-switch", "NAME"),
    ("remove-switch", "NAME"),
    ("add-network", "NAME [SWITCH]"),
    ("remove-network", "NAME"),
    ("add-nic-device", "NAME"),
    ("remove-nic-device", "NAME"),
    ("host", "NAME connected|disconnected|maintenance|normal"),
    ("drop-connections", ""),
    ("expire-sessions", ""),
    ("restart", ""),
];

/// Makes a question.
type Make = fn() -> Question;

/// The questions by their words.
const QUESTIONS: [(&str, Make); 6] = [
    ("serial-port", Question::serial_port),
    ("cdrom-locked", Question::cdrom_locked),
    ("moved-or-copied", Question::moved_or_copied),
    ("disk-full", Question::disk_full),
    ("without-default", Question::without_default),
    ("without-choices", Question::without_choices),
];

/// The size in MB of a disk without a size.
const DISK_MB: i64 = 1024;

/// Reads a change.
fn read(words: &[String]) -> Result<Change, String> {
    let Some((word, arguments)) = words.split_first() else {
        return Err("the change is missing".to_owned());
    };
    let Some((word, form)) = FORMS.iter().find(|(known, _)| known == word) else {
        let known: Vec<_> = FORMS.iter().map(|(word, _)| *word).collect();
        let known = known.join(", ");
        return Err(format!(
            "unknown change '{word}' (expected one of {known}, repeat)"
        ));
    };
    let expected = || match *form {
        "" => format!("expected '{word}' without arguments"),
        form => format!("expected '{word} {form}'"),
    };
    let most = form.split_whitespace().count();
    let least = most - form.matches('[').count();
    if !(least..=most).contains(&arguments.len()) {
        return Err(expected());
    }
    let text = |index: usize| arguments.get(index).cloned().unwrap_or_default();
    let number = |index: usize| {
        let number = arguments[index].parse::<i64>();
        let number = number.ok().filter(|number| *number >= 0);
        number.ok_or_else(|| format!("'{}' is no number; {}", arguments[index], expected()))
    };
    let small = |index: usize| i32::try_from(number(index)?).map_err(|_| expected());
    let choice = |one: &str, other: &str| match text(1) {
        word if word == one => Ok(true),
        word if word == other => Ok(false),
        _ => Err(expected()),
    };
    let action = match *word {
        "power-on" => Action::PowerOn,
        "power-off" => Action::PowerOff,
        "suspend" => Action::Suspend,
        "reset" => Action::Reset,
        "guest-shutdown" => Action::ShutdownGuest,
        "guest-reboot" => Action::RebootGuest,
        "guest-standby" => Action::StandbyGuest,
        "guest-crash" => Action::CrashGuest,
        "tools" => Action::RunTools(choice("running", "stopped")?),
        "ask" => {
            let wanted = text(1);
            let mut questions = QUESTIONS.iter();
            let Some((_, question)) = questions.find(|(name, _)| *name == wanted) else {
                let known = QUESTIONS.map(|(name, _)| name).join(", ");
                return Err(format!(
                    "unknown question '{wanted}' (expected one of {known})"
                ));
            };
            Action::Ask(question())
        }
        "answer" => Action::Answer(arguments.get(1).cloned()),
        "create" => Action::Create(arguments.get(1).cloned()),
        "clone" => Action::Clone(text(1)),
        "unregister" => Action::Unregister,
        "destroy" => Action::Destroy,
        "rename" => Action::Rename(text(1)),
        "migrate" => Action::Migrate(text(1)),
        "snapshot" => Action::CreateSnapshot(text(1)),
        "revert" => Action::Revert,
        "remove-snapshots" => Action::RemoveSnapshots,
        "cpus" => Action::SetCpus(small(1)?),
        "memory" => Action::SetMemory(number(1)?),
        "annotation" => Action::SetAnnotation(text(1)),
        "extra" => Action::SetExtra(text(1), text(2)),
        "encrypt" => Action::Encrypt {
            key: text(1),
            provider: arguments.get(2).cloned(),
        },
        "add-disk" if arguments.len() == 1 => Action::AddDisk(DISK_MB),
        "add-disk" => Action::AddDisk(number(1)?),
        "add-nic" if arguments.len() == 1 => Action::AddNic("VM Network".to_owned()),
        "add-nic" => Action::AddNic(text(1)),
        "remove-device" => Action::RemoveDevice(text(1)),
        "cdrom" => match (text(1).as_str(), arguments.get(2)) {
            ("connect", None) => Action::ConnectCdrom(true),
            ("disconnect", None) => Action::ConnectCdrom(false),
            ("insert", Some(path)) => Action::InsertCdrom(path.clone()),
            _ => return Err(expected()),
        },
        "balloon" => Action::SetBalloon(small(1)?),
        "console" => Action::OpenConsole(choice("open", "close")?),
        "datastore" => match (text(1).as_str(), arguments.get(2)) {
            ("maintenance", None) => Action::MaintainDatastore(true),
            ("normal", None) => Action::MaintainDatastore(false),
            ("free", Some(free)) => Action::FillDatastore(size(free).map_err(|_| expected())?),
            (_, None) => Action::ReachDatastore(choice("accessible", "inaccessible")?),
            _ => return Err(expected()),
        },
        "add-datastore" => Action::AddDatastore,
        "remove-datastore" => Action::RemoveDatastore,
        "add-switch" => Action::AddSwitch,
        "remove-switch" => Action::RemoveSwitch,
        "add-network" if arguments.len() == 1 => Action::AddNetwork("vSwitch0".to_owned()),
        "add-network" => Action::AddNetwork(text(1)),
        "remove-network" => Action::RemoveNetwork,
        "add-nic-device" => Action::AddPhysicalNic,
        "remove-nic-device" => Action::RemovePhysicalNic,
        "host" => match text(1).as_str() {
            "maintenance" => Action::MaintainHost(true),
            "normal" => Action::MaintainHost(false),
            _ => Action::ReachHost(choice("connected", "disconnected")?),
        },
        "drop-connections" => Action::DropConnections,
        "expire-sessions" => Action::ExpireSessions,
        _ => Action::Restart,
    };
    Ok(Change {
        of: Target::Named(text(0)),
        action,
    })
}

/// As a line of [`Changes`] without the time.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, arguments) = self.action.words();
        f.write_str(word)?;
        let of = self.of.to_string();
        let of = Some(of).filter(|of| !of.is_empty());
        for argument in of.into_iter().chain(arguments) {
            let needs_quotes = argument.is_empty()
                || argument.starts_with(['\'', '"', '#'])
                || argument.contains(char::is_whitespace);
            match (needs_quotes, argument.contains('\'')) {
                (false, _) => write!(f, " {argument}")?,
                (true, false) => write!(f, " '{argument}'")?,
                (true, true) => write!(f, " \"{argument}\"")?,
            }
        }
        Ok(())
    }
}

impl Action {
    /// Its word, and the arguments behind the object.
    fn words(&self) -> (&'static str, Vec<String>) {
        let choice = |is: bool, one: &str, other: &str| {
            let word = if is { one } else { other };
            vec![word.to_owned()]
        };
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::PowerOn => ("power-on", Vec::new()),
            Self::PowerOff => ("power-off", Vec::new()),
            Self::Suspend => ("suspend", Vec::new()),
            Self::Reset => ("reset", Vec::new()),
            Self::ShutdownGuest => ("guest-shutdown", Vec::new()),
            Self::RebootGuest => ("guest-reboot", Vec::new()),
            Self::StandbyGuest => ("guest-standby", Vec::new()),
            Self::CrashGuest => ("guest-crash", Vec::new()),
            Self::RunTools(running) => ("tools", choice(*running, "running", "stopped")),
            Self::Ask(question) => {
                let known = QUESTIONS.iter();
                let mut known = known.filter(|(_, make)| make().text() == question.text());
                (
                    "ask",
                    one(known.next().map_or("QUESTION", |(name, _)| name)),
                )
            }
            Self::Answer(choice) => ("answer", choice.iter().cloned().collect()),
            Self::Create(host) => ("create", host.iter().cloned().collect()),
            Self::Clone(name) => ("clone", one(name)),
            Self::Unregister => ("unregister", Vec::new()),
            Self::Destroy => ("destroy", Vec::new()),
            Self::Rename(name) => ("rename", one(name)),
            Self::Migrate(host) => ("migrate", one(host)),
            Self::CreateSnapshot(name) => ("snapshot", one(name)),
            Self::Revert => ("revert", Vec::new()),
            Self::RemoveSnapshots => ("remove-snapshots", Vec::new()),
            Self::SetCpus(number) => ("cpus", vec![number.to_string()]),
            Self::SetMemory(mb) => ("memory", vec![mb.to_string()]),
            Self::SetAnnotation(text) => ("annotation", one(text)),
            Self::SetExtra(key, value) => ("extra", vec![key.clone(), value.clone()]),
            Self::Encrypt { key, provider } => {
                let key = [key].into_iter().chain(provider);
                ("encrypt", key.cloned().collect())
            }
            Self::AddDisk(mb) => ("add-disk", vec![mb.to_string()]),
            Self::AddNic(network) => ("add-nic", one(network)),
            Self::RemoveDevice(label) => ("remove-device", one(label)),
            Self::ConnectCdrom(connected) => ("cdrom", choice(*connected, "connect", "disconnect")),
            Self::InsertCdrom(path) => ("cdrom", vec!["insert".to_owned(), path.clone()]),
            Self::SetBalloon(mb) => ("balloon", vec![mb.to_string()]),
            Self::OpenConsole(open) => ("console", choice(*open, "open", "close")),
            Self::ReachDatastore(reached) => {
                ("datastore", choice(*reached, "accessible", "inaccessible"))
            }
            Self::FillDatastore(free) => ("datastore", vec!["free".to_owned(), free.to_string()]),
            Self::MaintainDatastore(on) => ("datastore", choice(*on, "maintenance", "normal")),
            Self::AddDatastore => ("add-datastore", Vec::new()),
            Self::RemoveDatastore => ("remove-datastore", Vec::new()),
            Self::AddSwitch => ("add-switch", Vec::new()),
            Self::RemoveSwitch => ("remove-switch", Vec::new()),
            Self::AddNetwork(switch) => ("add-network", one(switch)),
            Self::RemoveNetwork => ("remove-network", Vec::new()),
            Self::AddPhysicalNic => ("add-nic-device", Vec::new()),
            Self::RemovePhysicalNic => ("remove-nic-device", Vec::new()),
            Self::ReachHost(reached) => ("host", choice(*reached, "connected", "disconnected")),
            Self::MaintainHost(on) => ("host", choice(*on, "maintenance", "normal")),
            Self::DropConnections => ("drop-connections", Vec::new()),
            Self::ExpireSessions => ("expire-sessions", Vec::new()),
            Self::Restart => ("restart", Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a text as they are understood, with their times in milliseconds.
    fn read_back(text: &str) -> Vec<String> {
        let changes: Changes = text.parse().unwrap();
        let steps = changes.steps.iter();
        let mut lines: Vec<_> = steps
            .map(|step| format!("{} {}", step.at.as_millis(), step.change))
            .collect();
        lines.extend(
            changes
                .repeat
                .map(|at| format!("{} repeat", at.as_millis())),
        );
        lines
    }

    #[test]
    fn lines_have_times_and_words_with_quotes_and_comments() {
        let text = "\
            # a comment\n\n\
            0 power-on 'build/ci' # another one\n\
            1.5 rename web01 \"it's web\"\n\
            +0.25 annotation web01 'two words'\n\
            +0 cdrom web01 insert '[ssd] a.iso'\n\
            +0 datastore ssd free 64M\n\
            +0 add-disk web01\n\
            +0 encrypt web01 key-1 'kms 1'\n\
            30 repeat\n";
        let expected = [
            "0 power-on build/ci",
            "1500 rename web01 \"it's web\"",
            "1750 annotation web01 'two words'",
            "1750 cdrom web01 insert '[ssd] a.iso'",
            "1750 datastore ssd free 67108864",
            "1750 add-disk web01 1024",
            "1750 encrypt web01 key-1 'kms 1'",
            "30000 repeat",
        ];
        assert_eq!(read_back(text), expected);
    }

    #[test]
    fn each_word_is_printed_as_it_is_read() {
        let choices = |choices: &str| {
            let choices = choices.trim_matches(['[', ']']).split('|');
            choices.map(str::to_owned).collect::<Vec<_>>()
        };
        for (word, form) in FORMS {
            let mut lines = vec![(*word).to_owned()];
            for argument in form.split_whitespace() {
                let values = match argument.trim_matches(['[', ']']) {
                    "QUESTION" => QUESTIONS.map(|(name, _)| name.to_owned()).to_vec(),
                    "NUMBER" | "MB" => vec!["7".to_owned()],
                    "PATH" | "SIZE" => continue,
                    choices_or_name => choices(choices_or_name),
                };
                lines = lines
                    .iter()
                    .flat_map(|line| values.iter().map(move |value| format!("{line} {value}")))
                    .collect();
            }
            for line in lines {
                let line = line.replace("insert", "insert /a");
                let line = line.replace(" free", " free 7");
                let change: Change = line.parse().unwrap();
                assert_eq!(change.to_string(), line);
            }
        }
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        for (text, expected) in [
            ("\n0 power-off", "line 2: expected 'power-off VM'"),
            (
                "soon power-off web01",
                "line 1: invalid time 'soon' (expected seconds since the beginning, such as 1.5, or since the line \
                 before, such as +1.5)",
            ),
            (
                "-1 power-off web01",
                "line 1: invalid time '-1' (expected seconds since the beginning, such as 1.5, or since the line \
                 before, such as +1.5)",
            ),
            (
                "2 power-off a\n1 power-on a",
                "line 2: the time '1' is before that of the line before",
            ),
            ("0", "line 1: the change is missing"),
            ("0 rename web01 'web 01", "line 1: the closing ' is missing"),
            (
                "0 memory web01 much",
                "line 1: 'much' is no number; expected 'memory VM MB'",
            ),
            (
                "0 tools web01 on",
                "line 1: expected 'tools VM running|stopped'",
            ),
            (
                "0 restart web01",
                "line 1: expected 'restart' without arguments",
            ),
            (
                "0 ask web01 why",
                "line 1: unknown question 'why' (expected one of serial-port, cdrom-locked, moved-or-copied, disk-full, \
                 without-default, without-choices)",
            ),
            ("0 repeat", "line 1: 'repeat' needs a time after 0"),
            ("1 repeat\n2 reset a", "line 2: nothing can follow 'repeat'"),
        ] {
            let error = text.parse::<Changes>().unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let error = "0 stop web01".parse::<Changes>().unwrap_err();
        let expected = "line 1: unknown change 'stop' (expected one of power-on, power-off, ";
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
