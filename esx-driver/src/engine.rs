//! How a change of the server is brought to its end, whatever happens on the way.
//!
//! A noun describes the change: [`change`] has the call, the machine that may ask questions, the power states it starts
//! from, and how to see whether it is done. [`state`] decides what comes next, without I/O. [`runner`] does it and reports
//! back. [`outcome`] says how it ended in libvirt's words. Nothing here knows a noun such as `Domain`.
//!
//! What libvirt's driver does not do and this one does: a question that comes up in the middle of a wait is seen at once;
//! whatever the way out, no property filter stays on the server; the question's text is what is reported, also when the
//! task cannot be cancelled; a fault keeps its details; and a call that got no reply is never repeated, but what came of
//! it is looked for.

mod change;
mod outcome;
mod runner;
mod state;

pub(crate) use self::change::{Change, Machine};
pub(crate) use self::runner::{Changes, Options, Runner};
pub use self::runner::{Progress, ProgressState};
pub(crate) use self::state::Effect;

#[cfg(test)]
mod tests;
