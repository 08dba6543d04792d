#![doc = include_str!("../README.md")]
//! # Inside
//!
//! ```text
//! text -> parse -> model::Description -> check -> shape -> emit -> files
//!            \______________________________/
//!                 all mistakes, with their lines
//! ```
//!
//! The generator knows the [`grammar`], including the names of the primitive types, and no particular type of the VI API.
//! It reads and writes no files, and the same input gives the same bytes.

mod check;
mod emit;
mod error;
pub mod grammar;
pub mod merge;
pub mod model;
mod names;
mod parse;
mod shape;

pub use emit::{File, Target};
pub use error::{Errors, Mistake, MistakeKind};
pub use parse::parse;

/// The `[features]` of a manifest for the families of a description, a line each, `full` first.
///
/// Each feature enables the features `with`. An invalid description has no families.
pub fn features(text: &str, with: &[&str]) -> String {
    emit::features(&parse(text).0, with)
}

/// Generates the source files for the description `text`.
///
/// `file` is the description's path, as errors show it; generated files begin with its last part.
/// The files' paths are relative to the folder that the target names; they are sorted by path.
///
/// # Errors
/// All mistakes of the description, in the order of its lines.
pub fn generate(file: &str, text: &str, target: &Target) -> Result<Vec<File>, Errors> {
    let (description, mut mistakes) = parse(text);
    mistakes.extend(check::check(&description));
    if mistakes.is_empty() {
        return Ok(emit::emit(file, &description, target));
    }
    Err(Errors::new(file, mistakes))
}
