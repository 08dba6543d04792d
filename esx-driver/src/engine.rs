//! How a task of a domain is started and brought to its end, whatever happens on the way.
//!
//! [`machine`] decides, without I/O: a state and an event give a state and an action. [`run`] takes the actions and makes
//! events of what comes of them. [`outcome`] says it in libvirt's words.
//!
//! What libvirt's driver does not do and this one does: a question that comes up in the middle of a wait is seen at once;
//! whatever the way out, no property filter stays on the server; the question's text is what is reported, also when the
//! task cannot be cancelled; a fault keeps its details; and a task whose start got no reply is looked for, never started
//! again.

mod machine;
mod outcome;
mod run;

pub(crate) use self::machine::Goal;
pub(crate) use self::outcome::{Words, result};
pub(crate) use self::run::{Options, Start, Started, Target, run};
pub use self::run::{Progress, ProgressState};
