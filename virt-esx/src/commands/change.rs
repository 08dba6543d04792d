//! What the commands that change a thing of the host have in common, whatever the thing is.

use std::marker::PhantomData;

use esx_driver::virt_model::Uuid;
use esx_driver::{Connect, Operation};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::answer::{Answer, unless_quiet};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign, progress};

/// A kind of thing that virsh's commands change, with its words.
pub(crate) trait Noun {
    /// The noun in the middle of virsh's lines, and the member of JSON documents: `pool`.
    const NOUN: &'static str;
    /// The noun at the beginning of virsh's lines: `Pool`.
    const TITLE: &'static str;

    /// The thing's name.
    fn name(&self) -> &str;
}

/// A thing with a definition, and the JSON documents of its commands.
pub(crate) trait Definable: Noun {
    /// The schema of a thing that was changed.
    const CHANGED: &'static str;
    /// The schema of a thing whose definition was edited.
    const EDITED: &'static str;
}

/// A thing that has a UUID, and is defined and created.
pub(crate) trait Makeable: Definable {
    /// The schema of a thing that was defined or created.
    const MADE: &'static str;

    /// The thing's UUID.
    fn uuid(&self) -> Uuid;
}

/// The argument of a command line that names a thing.
pub(crate) trait Arg {
    /// The thing.
    type Noun: Noun;

    /// The words of the command line, which virsh prints in its lines.
    fn text(&self) -> &str;

    /// Finds the thing.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    async fn find(&self, connection: &Connect) -> Result<Self::Noun, Failure>;
}

/// What a command does to the thing that it names.
pub(crate) struct Change {
    /// The command's name.
    pub(crate) command: &'static str,
    /// libvirt's function.
    pub(crate) function: &'static str,
    /// What failed, in virsh's words: `build`.
    pub(crate) verb: &'static str,
    /// What was done, in virsh's words: `built`.
    pub(crate) done: &'static str,
}

impl Change {
    /// Finds the thing, changes it, and prints virsh's line.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub(crate) async fn make<A: Arg<Noun: Definable>>(
        self,
        ui: &Ui,
        connection: &Connection,
        arg: &A,
        progress: &progress::Options,
        operation: impl FnOnce(&A::Noun) -> Operation<'static>,
    ) -> Result<(), Failure> {
        let (found, ()) = self.apply(ui, connection, arg, progress, operation).await?;
        self.tell(ui, &found, arg.text())
    }

    /// Finds the thing and changes it. Returns both it and the result of the operation.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(crate) async fn apply<A: Arg, T>(
        &self,
        ui: &Ui,
        connection: &Connection,
        arg: &A,
        progress: &progress::Options,
        operation: impl FnOnce(&A::Noun) -> Operation<'static, T>,
    ) -> Result<(A::Noun, T), Failure> {
        let found = arg.find(connection).await?;
        let (verb, noun, text) = (self.verb, A::Noun::NOUN, arg.text());
        let failed = |reason| Failure::because(format!("Failed to {verb} {noun} {text}"), reason);
        let writable = connection.check_writable(self.function);
        writable.map_err(failed)?;
        let changed = ui.perform(operation(&found), progress, found.name()).await;
        let result = changed.map_err(|error| failed(error.into()))?;
        Ok((found, result))
    }

    /// Prints virsh's line.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn tell<N: Definable>(&self, ui: &Ui, found: &N, text: &str) -> Result<(), Failure> {
        let line = format!("{} {} {}\n", N::TITLE, foreign::line(text), self.done);
        tell(ui, self.command, found, line)
    }
}

/// Prints what virsh says of a thing that was changed.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn tell<N: Definable>(
    ui: &Ui,
    command: &'static str,
    found: &N,
    text: String,
) -> Result<(), Failure> {
    Ok(ui.answer(&Changed::<N> {
        command,
        name: found.name().to_owned(),
        text,
        of: PhantomData,
    })?)
}

/// A thing that was changed: the command, and under its noun its name.
struct Changed<N> {
    command: &'static str,
    name: String,
    text: String,
    of: PhantomData<N>,
}

impl<N: Definable> Serialize for Changed<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = serializer.serialize_struct("Changed", 2)?;
        shape.serialize_field("command", self.command)?;
        shape.serialize_field(N::NOUN, &self.name)?;
        shape.end()
    }
}

impl<N: Definable> Answer for Changed<N> {
    const SCHEMA: &'static str = N::CHANGED;

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}

/// A thing that was defined or created.
#[derive(serde::Serialize)]
#[serde(bound = "")]
pub(crate) struct Made<N> {
    name: String,
    uuid: String,

    #[serde(skip)]
    text: String,
    #[serde(skip)]
    of: PhantomData<N>,
}

impl<N: Makeable> Made<N> {
    /// The thing, and virsh's words for what was done.
    pub(crate) fn new(made: &N, done: &str) -> Self {
        Self {
            name: made.name().to_owned(),
            uuid: made.uuid().to_string(),
            text: format!("{} {} {done}\n", N::TITLE, foreign::line(made.name())),
            of: PhantomData,
        }
    }
}

impl<N: Makeable> Answer for Made<N> {
    const SCHEMA: &'static str = N::MADE;

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}

/// A thing whose definition was edited.
#[derive(serde::Serialize)]
#[serde(bound = "")]
pub(crate) struct Edited<N> {
    name: String,
    /// Whether anything was changed.
    changed: bool,

    #[serde(skip)]
    of: PhantomData<N>,
}

impl<N: Definable> Edited<N> {
    /// The thing before, and what became of it if anything was changed.
    pub(crate) fn new(before: &N, after: Option<&N>) -> Self {
        Self {
            name: after.unwrap_or(before).name().to_owned(),
            changed: after.is_some(),
            of: PhantomData,
        }
    }
}

impl<N: Definable> Answer for Edited<N> {
    const SCHEMA: &'static str = N::EDITED;

    fn text(&self, quiet: bool) -> String {
        let done = if self.changed {
            "edited"
        } else {
            "not changed"
        };
        unless_quiet(quiet, || {
            let name = foreign::line(&self.name);
            format!("{} {name} XML configuration {done}.\n", N::TITLE)
        })
    }
}
