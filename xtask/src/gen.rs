//! `cargo xtask gen`: from descriptions to Rust.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use vi_generator::{Errors, File, Target, generate};

/// Generate Rust types from a description of the VI API.
///
/// Without options: from generator.input to vi-types/src/generated.
#[derive(Args)]
pub(crate) struct Gen {
    /// Write nothing; fail if a generated file is not up to date.
    #[arg(long)]
    check: bool,
    /// The description, in the syntax of generator.input or of libvirt's esx_vi_generator.input.
    #[arg(long, value_name = "FILE", requires = "crate_dir")]
    input: Option<PathBuf>,
    /// Write a crate of its own into this folder; its last part becomes the crate's name.
    #[arg(
        long = "crate",
        value_name = "DIR",
        requires = "input",
        id = "crate_dir"
    )]
    crate_dir: Option<PathBuf>,
}

impl Gen {
    pub(crate) fn run(&self) -> Result<(), GenError> {
        let root = workspace();
        let (input, folder, target) = match (&self.input, &self.crate_dir) {
            (Some(input), Some(folder)) => {
                (input.clone(), folder.clone(), own_crate(&root, folder)?)
            }
            _ => (root.join(INPUT), root.join(GENERATED), Target::Module),
        };
        let files = read(&input, &target)?;
        let sources = match target {
            Target::Module => folder.clone(),
            Target::Crate { .. } => folder.join("src"),
        };
        if self.check {
            return check(&folder, &sources, &files);
        }
        write(&folder, &sources, &files)?;
        println!("{}: {} files", folder.display(), files.len());
        Ok(())
    }
}

const INPUT: &str = "generator.input";
const GENERATED: &str = "vi-types/src/generated";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum GenError {
    /// The description has mistakes.
    #[error("{}", mistakes(.0))]
    Description(Errors),
    /// Generated files differ from what would be generated now.
    #[error("generated files are stale: {}\nrun `cargo xtask gen` and commit them", .0.join(", "))]
    Stale(Vec<String>),
    /// The folder's name is no name for a crate.
    #[error("'{0}' is no name for a crate; expected letters, digits, '-' and '_'")]
    CrateName(String),
    /// A file or folder could not be read or written.
    #[error("{}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn read(input: &Path, target: &Target) -> Result<Vec<File>, GenError> {
    let text = fs::read_to_string(input).map_err(at(input))?;
    let name = match target {
        Target::Module => INPUT.to_owned(),
        Target::Crate { .. } => input.display().to_string(),
    };
    generate(&name, &text, target).map_err(GenError::Description)
}

fn check(folder: &Path, sources: &Path, files: &[File]) -> Result<(), GenError> {
    let mut stale: Vec<String> = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        match fs::read_to_string(&path) {
            Ok(text) if text == file.text => {}
            Ok(_) => stale.push(path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                stale.push(format!("{} (missing)", path.display()));
            }
            Err(error) => return Err(at(&path)(error)),
        }
    }
    let left_over = left_over(folder, sources, files)?;
    stale.extend(
        left_over
            .iter()
            .map(|path| format!("{} (to be removed)", path.display())),
    );
    if stale.is_empty() {
        Ok(())
    } else {
        Err(GenError::Stale(stale))
    }
}

fn write(folder: &Path, sources: &Path, files: &[File]) -> Result<(), GenError> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        // A file that stays the same keeps its time, so that cargo doesn't compile it again.
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        fs::write(&path, &file.text).map_err(at(&path))?;
    }
    for path in left_over(folder, sources, files)? {
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}

/// Generated files of an earlier description that are not generated any more.
fn left_over(folder: &Path, sources: &Path, files: &[File]) -> Result<Vec<PathBuf>, GenError> {
    let expected: BTreeSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    let mut left_over = Vec::new();
    let mut folders = vec![sources.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = match fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(at(&next)(error)),
        };
        for entry in entries {
            let path = entry.map_err(at(&next))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !expected.contains(&path) && is_generated(&path) {
                left_over.push(path);
            }
        }
    }
    left_over.sort();
    Ok(left_over)
}

fn is_generated(path: &Path) -> bool {
    fs::read_to_string(path)
        .is_ok_and(|text| text.starts_with("// @generated by `cargo xtask gen`"))
}

fn own_crate(root: &Path, folder: &Path) -> Result<Target, GenError> {
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    if !is_name {
        return Err(GenError::CrateName(name));
    }
    let path = root.join("vi-types");
    let runtime = format!(
        "{{ path = {:?}, default-features = false }}",
        path.display().to_string()
    );
    Ok(Target::Crate { name, runtime })
}

fn mistakes(errors: &Errors) -> String {
    let plural = if errors.mistakes.len() == 1 {
        "mistake"
    } else {
        "mistakes"
    };
    format!(
        "{} {plural} in the description\n{errors}",
        errors.mistakes.len()
    )
}

fn workspace() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

fn at(path: &Path) -> impl Fn(io::Error) -> GenError {
    move |source| GenError::File {
        path: path.to_owned(),
        source,
    }
}
