//! Generates Rust types for the VI (vSphere Web Services) API from a description of it.
//!
//! A pure function: the text of an input file such as the workspace's `generator.input` goes in, the text of
//! Rust source files comes out. Nothing is read or written, and the same input gives the same bytes.
//!
//! ```text
//! text -> parse -> model::Description -> check -> shape -> emit -> files
//!            \______________________________/
//!                 all mistakes, with their lines
//! ```
//!
//! [`grammar`] describes the input. The generator knows that grammar, including the names of the primitive
//! types, and nothing about particular types of the VI API.

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

/// The `[features]` of a manifest that the families of a description make, a line each, `full` first.
///
/// Each of them has the features `with` with it. A description that can't be read has no families.
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
