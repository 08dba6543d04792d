//! Taking back the steps of an operation that fails on its way.

use crate::{Error, Operation, engine::Change};

/// A step that was done, and how to take it back, if that can be.
pub(crate) type Undo = (String, Option<Change<()>>);

/// Takes back the steps that were done, the last first, because of `error`, which then says what is left.
pub(crate) async fn take_back(mut error: Error, done: Vec<Undo>) -> Error {
    for (what, undo) in done.into_iter().rev() {
        let Some(undo) = undo else {
            error = error.note(&format!("{what}, and that cannot be taken back"));
            continue;
        };
        // The caller's deadline and cancellation are not those of tidying up.
        let undone = Operation::of("Could not take it back", Ok(undo)).await;
        if let Err(why) = undone {
            error = error.note(&format!("{what} and stays ({why})"));
        }
    }
    error
}
