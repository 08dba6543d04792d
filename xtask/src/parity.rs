//! `cargo xtask parity`: which of libvirt's functions the driver has, and which tests call them.
//!
//! `parity/functions.txt` lists libvirt's functions. The rest is read from the code: a method of esx-driver is libvirt's
//! function if its `#[doc(alias)]` has that name, and a test of `esx-driver/tests/it` tests it if it calls the method.

mod calls;
mod driver;
mod events;
mod list;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use self::driver::{Driver, Function};
use self::list::{List, Row, Section};

/// Write docs/parity.md: libvirt's functions, the driver's methods, and their tests.
#[derive(Args)]
pub(crate) struct Parity {
    /// Write nothing; fail if docs/parity.md is not up to date.
    #[arg(long)]
    check: bool,
}

/// Why the page cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ParityError {
    /// A file or folder could not be read or written.
    #[error("{}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not Rust.
    #[error("{} is not Rust", .path.display())]
    Rust {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: syn::Error,
    },
    /// A line of the list cannot be read.
    #[error("parity/functions.txt, line {0}: {1}")]
    List(usize, &'static str),
    /// List, code and tests disagree.
    #[error("{}", .0.join("\n"))]
    Disagree(Vec<String>),
    /// The page differs from what would be written now.
    #[error("docs/parity.md is stale; run `cargo xtask parity`")]
    Stale,
}

impl Parity {
    pub(crate) fn run(&self) -> Result<(), ParityError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let list = List::read(include_str!("parity/functions.txt"))?;
        let driver = Driver::read(&files(&root, "esx-driver/src")?)?;
        let tests = calls::read(&files(&root, "esx-driver/tests/it")?, &driver)?;
        let page = page(&list, &driver, &tests)? + &events::section()?;
        let path = root.join("docs/parity.md");
        if self.check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            return match found == page {
                true => Ok(()),
                false => Err(ParityError::Stale),
            };
        }
        fs::write(&path, page).map_err(|source| ParityError::File { path, source })
    }
}

/// A file of Rust, by its path in the workspace.
struct Source {
    path: String,
    file: syn::File,
}

/// All files of Rust in a folder of the workspace, in the order of their paths.
fn files(root: &Path, folder: &str) -> Result<Vec<Source>, ParityError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| ParityError::File {
            path: root.join(&folder),
            source,
        };
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                let text = fs::read_to_string(entry.path()).map_err(failed)?;
                let file = syn::parse_file(&text).map_err(|source| ParityError::Rust {
                    path: entry.path(),
                    source,
                })?;
                found.push(Source { path, file });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

const HEAD: &str = "\
# libvirt's functions, and what there is of them

Written by `cargo xtask parity` from the code: a method of esx-driver names libvirt's functions in its `#[doc(alias)]`, and
the tests are those of `esx-driver/tests/it` that call the method (the most specific ones, at most two). The list of
libvirt's functions is `xtask/src/parity/functions.txt`. [differences.md](differences.md) says where a function does
something else than libvirt's ESX driver.
";

/// The page, or where list, code and tests disagree.
fn page(list: &List, driver: &Driver, tests: &calls::Tests) -> Result<String, ParityError> {
    let mut wrong = Vec::new();
    let listed: BTreeSet<_> = list.rows().map(|row| row.function.as_str()).collect();
    for function in &driver.functions {
        for alias in function
            .aliases
            .iter()
            .filter(|alias| !listed.contains(alias.as_str()))
        {
            wrong.push(format!(
                "{}: {} is libvirt's {alias}, which functions.txt does not list",
                function.path,
                function.method(),
            ));
        }
    }
    let mut page = HEAD.to_owned();
    for Section { title, rows } in &list.sections {
        page += &format!("\n## {title}\n\n| libvirt | here | tested by |\n|---|---|---|\n");
        for row in rows {
            page += &line(row, driver, tests, &mut wrong);
        }
    }
    match wrong.is_empty() {
        true => Ok(page),
        false => Err(ParityError::Disagree(wrong)),
    }
}

/// The table's line of a function.
fn line(row: &Row, driver: &Driver, tests: &calls::Tests, wrong: &mut Vec<String>) -> String {
    let Row { function, absence } = row;
    let here: Vec<_> = driver.named(function).collect();
    match (here.is_empty(), absence) {
        (true, None) => wrong.push(format!("esx-driver has no {function}")),
        (false, Some(_)) => wrong.push(format!(
            "functions.txt says why there is no {function}, and esx-driver has it"
        )),
        _ => {}
    }
    let mut places = Vec::new();
    let mut tested = BTreeSet::new();
    for method in here {
        let Function { path, .. } = method;
        places.push(format!("[`{}`](../{path})", method.method()));
        let by = tests.of(method);
        if by.is_empty() {
            wrong.push(format!("{path}: no test calls {}", method.method()));
        }
        tested.extend(by.into_iter().take(2).map(|test| format!("`{test}`")));
    }
    let place = absence.clone().unwrap_or_else(|| places.join(", "));
    let tested: Vec<_> = tested.into_iter().take(2).collect();
    format!("| {function} | {place} | {} |\n", tested.join(", "))
}
