//! `cargo xtask import`: merges a newer description of the API into generator.input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use vi_generator::Errors;
use vi_generator::merge::{Merged, Source, merge};

/// Merge a newer description of the VI API into generator.input.
///
/// Adds new definitions behind their nearest relative, and changes definitions in place. Order, families, sections and
/// comments stay. Prints the changes. Run `cargo xtask gen` afterwards.
#[derive(Args)]
pub(crate) struct Import {
    /// The newer description, in the syntax of generator.input.
    file: PathBuf,
    /// Print the changes, and write nothing.
    #[arg(long)]
    check: bool,
    /// Remove definitions that the newer description lacks.
    #[arg(long)]
    remove: bool,
    /// The description to merge FILE into (default: the workspace's generator.input).
    #[arg(long, value_name = "FILE", default_value_os_t = generator_input(), hide_default_value = true)]
    into: PathBuf,
}

/// Why importing fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ImportError {
    /// One of the descriptions or the result has mistakes.
    #[error("nothing is written, because of {}", mistakes(.0))]
    Description(Vec<Errors>),
    /// A file could not be read or written.
    #[error("{}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Import {
    pub(crate) fn run(&self) -> Result<(), ImportError> {
        let kept = read(&self.into)?;
        let newer = read(&self.file)?;
        let kept_name = self.into.display().to_string();
        let newer_name = self.file.display().to_string();
        let kept_source = Source {
            file: &kept_name,
            text: &kept,
        };
        let newer_source = Source {
            file: &newer_name,
            text: &newer,
        };
        let Merged { text, report } =
            merge(kept_source, newer_source, self.remove).map_err(ImportError::Description)?;
        println!("{report}");
        if self.check || text == kept {
            return Ok(());
        }
        fs::write(&self.into, text).map_err(at(&self.into))?;
        println!("{kept_name} is written; `cargo xtask gen` makes the types");
        Ok(())
    }
}

fn generator_input() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("generator.input")
}

fn read(path: &Path) -> Result<String, ImportError> {
    fs::read_to_string(path).map_err(at(path))
}

fn mistakes(errors: &[Errors]) -> String {
    let count: usize = errors.iter().map(|errors| errors.mistakes.len()).sum();
    let plural = if count == 1 { "mistake" } else { "mistakes" };
    let mut text = format!("{count} {plural}");
    for errors in errors {
        text.push_str(&format!("\n{errors}"));
    }
    text
}

fn at(path: &Path) -> impl Fn(io::Error) -> ImportError {
    move |source| ImportError::File {
        path: path.to_owned(),
        source,
    }
}
