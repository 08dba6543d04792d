use std::error::Error as _;
use std::fmt::{self, Display, Formatter};

use esx_driver::ErrorKind;
use serde::{Serialize, Serializer};
use virt_model::ErrorNumber;

use crate::ui::{Closed, foreign};

/// Why a command failed, in the lines virsh prints after `error: `: what could not be done, and
/// below it the driver's reason where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// None when the output could not be written, which is told at the program's end.
    lines: Vec<String>,
    advice: Option<String>,
    /// What failed, if the driver says so.
    cause: Option<(ErrorKind, ErrorNumber)>,
}

/// A failure as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Told<'a> {
    /// The lines.
    error: &'a Failure,
    #[serde(flatten)]
    detail: Detail,
}

/// What JSON says of a failure besides its lines.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Detail {
    hint: Option<String>,
    /// The driver's kind of error: `not_found`.
    kind: Option<String>,
    /// libvirt's number.
    code: Option<u32>,
}

impl Failure {
    /// A failure with one line.
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self {
            lines: vec![line.into()],
            advice: None,
            cause: None,
        }
    }

    /// A failure with these lines.
    pub(crate) fn lines(lines: impl IntoIterator<Item = String>) -> Self {
        Self {
            lines: lines.into_iter().collect(),
            advice: None,
            cause: None,
        }
    }

    /// What could not be done, and why.
    pub(crate) fn because(line: impl Into<String>, reason: impl Into<Failure>) -> Self {
        let reason = reason.into();
        Self {
            lines: [vec![line.into()], reason.lines].concat(),
            advice: reason.advice,
            cause: reason.cause,
        }
    }

    /// Says what failed, where the driver's error is not the reason that is shown.
    pub(crate) fn of_kind(self, kind: ErrorKind, code: ErrorNumber) -> Self {
        Self {
            cause: Some((kind, code)),
            ..self
        }
    }

    /// Adds a line at the end.
    pub(crate) fn followed_by(mut self, line: impl Into<String>) -> Self {
        // An output that could not be written is no failure to tell.
        if !self.is_closed_output() {
            self.lines.push(line.into());
        }
        self
    }

    /// libvirt's text for a function that the ESX driver does not have.
    pub(crate) fn unsupported(function: &str) -> Self {
        Self::new(format!(
            "this function is not supported by the connection driver: {function}"
        ))
    }

    /// Adds a line below the first one.
    pub(crate) fn below_first(mut self, line: impl Into<String>) -> Self {
        let at = self.lines.len().min(1);
        self.lines.insert(at, line.into());
        self
    }

    /// The same failure with another first line.
    pub(crate) fn with_first_line(mut self, line: impl Into<String>) -> Self {
        match self.lines.first_mut() {
            Some(first) => *first = line.into(),
            None => self.lines.push(line.into()),
        }
        self
    }

    /// Adds what to try next.
    pub(crate) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..self
        }
    }

    /// Adds a line to what to try next.
    pub(crate) fn advise_also(mut self, advice: &str) -> Self {
        self.advice = Some(match self.advice {
            Some(before) => format!("{before}\n{advice}"),
            None => advice.to_owned(),
        });
        self
    }

    /// What to try next, if that is known; virsh prints no such lines.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// Whether it is not known what came of the command.
    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.cause, Some((ErrorKind::InDoubt, _)))
    }

    /// The failure as JSON.
    pub(crate) fn told(&self) -> Told<'_> {
        Told {
            error: self,
            detail: self.detail(),
        }
    }

    /// What JSON says besides the lines.
    pub(crate) fn detail(&self) -> Detail {
        Detail {
            hint: self.advice.clone(),
            kind: self.cause.map(|(kind, _)| kind_name(kind)),
            code: self.cause.map(|(_, code)| code as u32),
        }
    }

    /// Whether the output could not be written, and nothing else failed.
    pub(crate) fn is_closed_output(&self) -> bool {
        self.lines.is_empty()
    }
}

impl From<esx_driver::Error> for Failure {
    fn from(error: esx_driver::Error) -> Self {
        let mut lines = vec![error.to_string()];
        // libvirt's text says only that the request failed.
        if error.kind() == ErrorKind::Credentials {
            lines.extend(error.source().map(ToString::to_string));
        }
        // virsh prints the outermost sentence only.
        lines.extend(error.reasons());
        lines.extend(error.outcome().map(str::to_owned));
        Self {
            lines,
            advice: error.advice().map(str::to_owned),
            cause: Some((error.kind(), error.code())),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Closed> for Failure {
    fn from(_: Closed) -> Self {
        Self {
            lines: Vec::new(),
            advice: None,
            cause: None,
        }
    }
}

/// The kind in words as JSON has them: `not_found`, without what was not found.
fn kind_name(kind: ErrorKind) -> String {
    let name = format!("{kind:?}");
    let name = name.split('(').next().unwrap_or_default();
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// As a list of its lines.
impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.lines.serialize(to)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.lines
            .iter()
            .try_for_each(|line| writeln!(f, "error: {}", foreign::lines(line)))
    }
}
